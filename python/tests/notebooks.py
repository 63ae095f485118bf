#!/usr/bin/env python3
"""Runs the notebooks of python/notebooks, each in a folder of its own; a cell that fails is a failure.

    python3 python/tests/notebooks.py [NAME...]
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from mes.tools import _environment
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"


def main(names):
    os.environ.update(_environment())
    paths = sorted(path for path in FOLDER.glob("*.ipynb") if not names or path.stem in names)
    if not paths:
        sys.exit(f"{FOLDER}: no notebook")
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.get("outputs"):
                sys.exit(f"{path.name}: is kept without outputs")
        with tempfile.TemporaryDirectory() as folder:
            NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
        print(f"{path.name}: {sum(cell.cell_type == 'code' for cell in notebook.cells)} cells ran")
        if os.environ.get("KEEP"):
            nbformat.write(notebook, Path(os.environ["KEEP"]) / path.name)


if __name__ == "__main__":
    main(sys.argv[1:])
