"""Write what is inside, and under which licences, into a folder: papers.py FOLDER

licences.txt has the licence texts that each crate comes with, those that are the same once; sbom.cdx.json is the list of crates in the
form of CycloneDX 1.5, with the checksum of each from Cargo.lock. What only builds or tests is in neither.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

PROGRAMS = ["mes", "mes-nets"]
TARGET = "x86_64-unknown-linux-gnu"
TEXTS = re.compile(r"^(licen[cs]e|copying|notice|unlicense|copyright)", re.IGNORECASE)


def told(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def shipped(metadata):
    """Return the packages that end up in the programs, by id, and what each of them uses."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    todo = [id for id, package in packages.items() if package["name"] in PROGRAMS and package["source"] is None]
    uses = {}
    while todo:
        id = todo.pop()
        if id in uses:
            continue
        own = [
            other["pkg"]
            for other in nodes[id]["deps"]
            if any(kind["kind"] is None for kind in other["dep_kinds"])
            # Macros run in the compiler and leave nothing of themselves.
            and not any("proc-macro" in target["kind"] for target in packages[other["pkg"]]["targets"])
        ]
        uses[id] = own
        todo += own
    return {id: packages[id] for id in uses}, uses


def texts(package):
    """Return the licence texts that a package comes with."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir() if path.is_file() and TEXTS.match(path.name))
    for inner in ("LICENSES", "licenses", "LICENSE"):
        if (folder / inner).is_dir():
            files += sorted(path for path in (folder / inner).iterdir() if path.is_file())
    if package["license_file"] and (named := folder / package["license_file"]).is_file() and named not in files:
        files.append(named)
    return ["\n".join(path.read_text(errors="replace").split("\n")).strip() for path in files]


def licences(packages):
    """Return all texts, each once, under the crates that it is of."""
    of, without = {}, []
    for package in packages:
        label = f"{package['name']} {package['version']} ({package['license']})"
        own = texts(package)
        for text in own:
            of.setdefault(text, []).append(label)
        if not own:
            authors = ", ".join(package["authors"]) or "its authors"
            without.append(f"{label}: {authors}, {package['repository'] or 'crates.io'}")
    parts = [
        "What mes is built from, and the licences of it. mes itself: LICENSE-MIT or LICENSE-APACHE, as you like.",
        "The standard library of Rust, which is linked in: MIT or Apache-2.0, the Rust project developers, "
        "https://github.com/rust-lang/rust",
        "These crates name their licence and come without its text; the texts of MIT and Apache-2.0 stand below and in "
        "LICENSE-MIT and LICENSE-APACHE:\n  " + "\n  ".join(without),
    ]
    for text, labels in sorted(of.items(), key=lambda item: item[1]):
        parts.append("Of " + ", ".join(labels) + ":\n\n" + text)
    return ("\n\n" + "=" * 100 + "\n\n").join(parts) + "\n"


def sbom(packages, uses, commit):
    """Return the list of what is inside."""
    with open("Cargo.lock", "rb") as lock:
        locked = {(one["name"], one["version"]): one.get("checksum") for one in tomllib.load(lock)["package"]}

    def ref(package):
        return f"pkg:cargo/{package['name']}@{package['version']}"

    def component(package):
        one = {"type": "library", "bom-ref": ref(package), "name": package["name"], "version": package["version"]}
        one["purl"] = ref(package)
        if package["license"]:
            one["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := locked[package["name"], package["version"]]:
            one["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return one

    compiler = told("rustc", "--version").split()[1]
    std = {"type": "library", "bom-ref": "rust-std", "name": "rust-std", "version": compiler}
    std["licenses"] = [{"expression": "MIT OR Apache-2.0"}]
    by_id = {package["id"]: package for package in packages}
    own = next(package for package in packages if package["name"] == "mes")
    time = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'mes ' + commit)}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "bom-ref": "mes-programs", "name": "mes", "version": own["version"]},
            "properties": [{"name": "commit", "value": commit}],
        },
        "components": [component(package) for package in packages] + [std],
        "dependencies": [
            {"ref": "mes-programs", "dependsOn": sorted(ref(one) for one in packages if one["name"] in PROGRAMS)},
            *({"ref": ref(one), "dependsOn": sorted({ref(by_id[id]) for id in uses[one["id"]]})} for one in packages),
        ],
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    ask = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", TARGET]
    packages, uses = shipped(json.loads(told(*ask)))
    packages = sorted(packages.values(), key=lambda package: (package["name"], package["version"]))
    foreign = [package for package in packages if package["source"]]
    (folder / "licences.txt").write_text(licences(foreign))
    commit = told("git", "rev-parse", "HEAD").strip()
    (folder / "sbom.cdx.json").write_text(json.dumps(sbom(packages, uses, commit), indent=1) + "\n")
    print(f"{len(foreign)} crates of others inside, with their licences in licences.txt")


main()
