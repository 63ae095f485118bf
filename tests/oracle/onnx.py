#!/usr/bin/env python3
"""Checks a model file and what mes-predict made of it against onnx.checker and onnxruntime.

    python3 tests/oracle/onnx.py MODEL FEATURES.parquet|csv PREDICTIONS.csv

FEATURES are the rows that went into mes-predict, PREDICTIONS what came out (--to csv). Exit 0 when all agree to 1e-6, or
1e-5 for a model of sequences, whose sums are longer.
"""

import json
import sys

# This file's own folder comes first in the path, where it would hide the package of its name.
sys.path.pop(0)

import numpy as np
import onnx
import onnxruntime
import pyarrow.csv
import pyarrow.parquet

TOLERANCE = 1e-6
# The least share of votes that counts.
LEAST = 1e-6
# The least that an isotonic curve gives.
LEAST_BENT = 1e-4
P = ["p_down", "p_flat", "p_up"]


def read(path):
    if path.endswith(".parquet"):
        return pyarrow.parquet.read_table(path)
    return pyarrow.csv.read_csv(path)


def column(table, name):
    """A column as f64 with NaN for empty."""
    return table[name].cast(pyarrow.float64()).to_numpy()


def card(model):
    return {p.key[4:]: json.loads(p.value) for p in model.metadata_props if p.key.startswith("mes.")}


def windows(table, x, rows):
    """Of each row the rows up to it, and whether they are whole and of one segment."""
    seg = table["seg"].to_numpy()
    broken = np.isnan(x).any(axis=1)
    run, there = 0, np.zeros(len(x), bool)
    for i in range(len(x)):
        run = 0 if broken[i] else 1 if i == 0 or seg[i] != seg[i - 1] else run + 1
        there[i] = run >= rows
    padded = np.concatenate([np.full((rows - 1, x.shape[1]), np.nan, x.dtype), x])
    return np.lib.stride_tricks.sliding_window_view(padded, rows, axis=0).transpose(0, 2, 1), there


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def calibrated(values, facts):
    """What mes-predict makes of a graph's three numbers (head.rs, calibration.rs), and by how much a row of it may differ.

    An isotonic curve is steep where it jumps: there a last bit of the graph becomes more than the tolerance.
    """
    if facts.get("output") == "probabilities":
        values = np.log(np.maximum(values, LEAST))
    how = facts["calibration"]
    if how["kind"] == "temperature":
        return softmax(values / how["t"]), np.zeros(len(values))
    p = softmax(values)
    knots = [np.array(curve["knots"]).T for curve in how["classes"]]
    low, bent, high = [
        np.maximum(np.stack([np.interp(p[:, k] + off, *knots[k]) for k in range(3)], axis=1), LEAST_BENT)
        for off in (-TOLERANCE, 0, TOLERANCE)
    ]
    return bent / bent.sum(axis=1, keepdims=True), (high - low).sum(axis=1) / low.sum(axis=1)


def direction(p):
    down, flat, up = p.astype(np.float32).T
    return np.where((up > flat) & (up > down), 1, np.where((down > flat) & (down > up), -1, 0))


def compare(name, found, wanted, tolerance=TOLERANCE, slack=0.0):
    worst = float(np.max(np.abs(found - wanted) - slack, initial=0.0))
    print(f"{name:<8} largest difference {worst:.2e} over {len(found)} rows")
    if not worst <= tolerance:
        sys.exit(f"{name}: {worst} is over {tolerance}")


def main(model_path, features_path, predictions_path):
    model = onnx.load(model_path)
    onnx.checker.check_model(model, full_check=True)
    facts = card(model)
    features, predictions = read(features_path), read(predictions_path)
    x = np.stack([column(features, name) for name in facts["features"]], axis=1).astype(np.float32)
    tolerance, rows = TOLERANCE, facts.get("window", 1)
    whole = ~np.isnan(x).any(axis=1)
    if rows > 1:
        tolerance, (x, whole) = 1e-5, windows(features, x, rows)
    scored = ~np.isnan(column(predictions, "p_dir"))
    if (scored & ~whole).any():
        sys.exit("a row that lacks a feature has a prediction")
    if not scored.any():
        sys.exit("no row has a prediction")
    x = np.ascontiguousarray(x[scored])

    session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
    (values,) = session.run(None, {session.get_inputs()[0].name: x})
    p, slack = calibrated(values.astype(np.float64), facts)
    found = np.stack([column(predictions, name)[scored] for name in P], axis=1)
    compare("p", found, p, tolerance, slack[:, None])
    compare("sum", found.sum(axis=1), np.ones(len(found)))
    compare("p_dir", column(predictions, "p_dir")[scored], direction(found), 0.0)
    compare("p_conf", column(predictions, "p_conf")[scored], p.max(axis=1), tolerance, slack)
    moves = np.array(facts["mean_move_ticks"])
    most = max(1.0, np.abs(moves).max())
    compare("p_move", column(predictions, "p_move")[scored], p @ moves, tolerance * most, 3 * most * slack)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
