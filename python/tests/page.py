#!/usr/bin/env python3
"""Runs the blocks of docs/python.md in order, in one folder: Python in one process, shell lines by bash.

    python3 python/tests/page.py

A block of Python whose first line is a comment with a file's name is kept as that file.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from mes.tools import _environment

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def main():
    blocks = list(BLOCK.finditer(PAGE.read_text()))
    if len(blocks) < 8:
        sys.exit(f"{PAGE}: {len(blocks)} blocks: is it the page?")
    environment = _environment()
    environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), environment["PATH"]])
    os.environ.update(environment)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.path.insert(0, folder)
        names = {"__name__": "page"}
        for block in blocks:
            language, text = block.groups()
            line = PAGE.read_text().count("\n", 0, block.start()) + 2
            print(f"@@ {PAGE.name}:{line}", flush=True)
            kept = re.match(r"# (\w+\.py)\n", text)
            if kept:
                Path(kept[1]).write_text(text)
            elif language == "python":
                exec(compile("\n" * (line - 1) + text, str(PAGE), "exec"), names)
            else:
                subprocess.run(["bash", "-e", "-o", "pipefail", "-c", text], check=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
