#!/usr/bin/env python3
"""Checks an ensemble file against its members, with onnx.checker and onnxruntime.

    python3 tests/oracle/ensemble.py FEATURES.parquet ENSEMBLE.onnx ENSEMBLE.csv MEMBER.onnx MEMBER.csv ...

Each CSV is what mes-predict made of FEATURES with the model before it. The logits that onnxruntime finds in the joint
file are those it finds in the members' files, and the joint probabilities the mean of the members', to 1e-6.
"""

import json
import sys

# This file's own folder comes first in the path, where onnx.py would hide the package of its name.
sys.path.pop(0)

import numpy as np
import onnx
import onnxruntime
import pyarrow.csv
import pyarrow.parquet

P = ["p_down", "p_flat", "p_up"]


def card(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    return {p.key[4:]: json.loads(p.value) for p in model.metadata_props if p.key.startswith("mes.")}


def run(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


def probabilities(path):
    table = pyarrow.csv.read_csv(path)
    return np.stack([table[name].cast(pyarrow.float64()).to_numpy() for name in P], axis=1)


def main(features, joint, joint_p, *members):
    table = pyarrow.parquet.read_table(features)
    facts = card(joint)
    if facts["window"] != 1:
        sys.exit("an ensemble of rows is wanted")
    column = lambda name: table[name].cast(pyarrow.float32()).to_numpy(zero_copy_only=False).astype(np.float32)
    x = {name: column(name) for name in facts["features"]}
    whole = np.all([~np.isnan(values) for values in x.values()], axis=0)
    matrix = lambda names: np.stack([x[name][whole] for name in names], axis=1)
    outputs = run(joint, matrix(facts["features"]))
    paths, tables = members[::2], members[1::2]
    for path, found in zip(paths, outputs, strict=True):
        wanted = run(path, matrix(card(path)["features"]))[-1]
        worst = float(np.abs(found - wanted).max())
        print(f"ensemble logits of {path}: largest difference {worst:.2e} over {len(found)} rows")
        if worst > 1e-5 * max(1.0, float(np.abs(wanted).max())):
            sys.exit(f"{path}: its logits are not those in {joint}")
    mean = np.mean([probabilities(path) for path in tables], axis=0)
    found = probabilities(joint_p)
    scored = ~np.isnan(found[:, 0])
    if not scored.any():
        sys.exit("no row has a prediction")
    worst = float(np.abs(found - mean)[scored].max())
    print(f"ensemble p: largest difference {worst:.2e} over {scored.sum()} rows")
    if not worst <= 1e-6:
        sys.exit(f"the ensemble is not the mean of its members: {worst}")


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
