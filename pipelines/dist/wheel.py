"""Make a Python wheel of an installed tree: wheel.py TREE GLIBC VERSION FOLDER

The programs go beside python, the rest under its share/; the module mes, where python/mes is there, is what imports them. A wheel
cannot hold links, so each tool is a line of shell that starts mes by its name.
"""

import base64
import hashlib
import os
import pathlib
import sys
import time
import zipfile

tree, glibc, version, folder = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
TAG = "py3-none-manylinux_{}_x86_64".format(glibc.replace(".", "_"))
DATA = f"mes-{version}.data"
INFO = f"mes-{version}.dist-info"
STARTER = '#!/bin/sh\nexec "${{0%/*}}/mes" {} "$@"\n'


def module():
    """Yield the files of the module, and whether there is one."""
    source = pathlib.Path("python/mes")
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"mes/{path.relative_to(source)}", path.read_bytes(), 0o644


def programs():
    for path in sorted((tree / "bin").iterdir()):
        content = path.read_bytes()
        if path.is_symlink():
            content = STARTER.format(path.name.removeprefix("mes-")).encode()
        yield f"{DATA}/scripts/{path.name}", content, 0o755


def rest():
    for path in sorted((tree / "share").rglob("*")):
        if path.is_file():
            mode = 0o755 if os.access(path, os.X_OK) else 0o644
            yield f"{DATA}/data/share/{path.relative_to(tree / 'share')}", path.read_bytes(), mode


def needs():
    """Return what the module asks for, as its own project file says."""
    project = pathlib.Path("python/pyproject.toml")
    if not project.exists():
        return ">=3.8", []
    import tomllib

    about = tomllib.loads(project.read_text())["project"]
    return about.get("requires-python", ">=3.8"), about.get("dependencies", [])


def about():
    python, packages = needs()
    lines = [
        "Metadata-Version: 2.4",
        "Name: mes",
        f"Version: {version}",
        "Summary: From ticks of MES futures to orders, in small tools joined by pipes",
        "License-Expression: MIT OR Apache-2.0",
        "License-File: LICENSE-MIT",
        "License-File: LICENSE-APACHE",
        "License-File: licences.txt",
        f"Requires-Python: {python}",
        *(f"Requires-Dist: {package}" for package in packages),
        "Description-Content-Type: text/markdown",
        "",
        (tree / "share/doc/mes/README.md").read_text(),
    ]
    doc = tree / "share/doc/mes"
    yield f"{INFO}/METADATA", "\n".join(lines).encode(), 0o644
    yield f"{INFO}/WHEEL", f"Wheel-Version: 1.0\nGenerator: mes\nRoot-Is-Purelib: false\nTag: {TAG}\n".encode(), 0o644
    for name in ("LICENSE-MIT", "LICENSE-APACHE", "licences.txt"):
        yield f"{INFO}/licenses/{name}", (doc / name).read_bytes(), 0o644
    yield f"{INFO}/sboms/sbom.cdx.json", (doc / "sbom.cdx.json").read_bytes(), 0o644


def main():
    stamp = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
    path = folder / f"mes-{version}-{TAG}.whl"
    files = [*module(), *programs(), *rest(), *about()]
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        def add(name, content, mode):
            entry = zipfile.ZipInfo(name, stamp)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            wheel.writestr(entry, content)

        for name, content, mode in files:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(content)}\n")
            add(name, content, mode)
        add(f"{INFO}/RECORD", "".join([*record, f"{INFO}/RECORD,,\n"]).encode(), 0o644)


main()
