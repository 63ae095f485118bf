#!/usr/bin/env python3
"""Compares mes-train boosted with LightGBM on the same rows, by log-loss on later ones.

    python3 tests/oracle/boosted.py rows ROWS.parquet
    python3 tests/oracle/boosted.py compare ROWS.parquet MODEL.onnx

`rows` makes a table (seeded: three classes of 20/60/20 %, which depend on 20 features in steps, products and sums).
MODEL is what mes-train made of it with the settings of PARAMS. Exit 0 when its log-loss (onnxruntime runs the file)
is not more than MARGIN above LightGBM's.
"""

import sys

# This file's own folder comes first in the path, where onnx.py would hide the package of its name.
sys.path.pop(0)

import lightgbm
import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.parquet

ROWS, WIDTH = 60_000, 20
MARGIN = 0.002
# As in `run`: mes-train boosted --row-share 1 --feature-share 1 and the rest at its defaults.
PARAMS = {
    "objective": "multiclass",
    "num_class": 3,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_sum_hessian_in_leaf": 20.0,
    "min_data_in_leaf": 0,
    "lambda_l2": 1.0,
    "max_bin": 255,
    "num_threads": 2,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 1,
    "verbose": -1,
}
ROUNDS, PATIENCE = 400, 20


def make(path):
    rng = np.random.default_rng(20240105)
    x = rng.standard_normal((ROWS, WIDTH)).astype(np.float32)
    pull = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + np.where(x[:, 3] > 0.5, 1.0, 0.0) * x[:, 4] + 0.3 * x[:, 5]
    score = pull + 1.2 * rng.standard_normal(ROWS)
    low, high = np.quantile(score, [0.2, 0.8])
    label = np.where(score < low, 0, np.where(score > high, 2, 1)).astype(np.int8)
    start = np.datetime64("2024-01-02T00:00:00", "ns")
    ts = pa.array(start + np.arange(ROWS) * np.timedelta64(1, "s"), pa.timestamp("ns", tz="UTC"))
    close = 20_000 + 4.0 * np.cumsum(np.where(np.arange(ROWS) > 0, np.roll(label, 1).astype(float) - 1, 0)) * 0.25
    bar = {"ts": ts} | {name: close for name in ["open", "high", "low", "close"]}
    rest = {"volume": np.ones(ROWS, np.int64), "seg": np.ones(ROWS, np.int64), "symbol": ["MESH4"] * ROWS}
    features = {f"f_{at:02}": x[:, at] for at in range(WIDTH)}
    pyarrow.parquet.write_table(pa.table(bar | rest | features | {"y_dir": label}), path)


def log_loss(p, y):
    return float(-np.log(np.maximum(p[np.arange(len(y)), y], 1e-300)).mean())


def compare(path, model_path):
    table = pyarrow.parquet.read_table(path)
    y = table["y_dir"].to_numpy().astype(int)
    x = np.stack([table[name].to_numpy() for name in table.column_names if name.startswith("f_")], axis=1)
    # The slices of splits.rs: 60 %, 10 %, 15 %, 15 %; neighbours do not overlap here.
    first, second, third = (int(len(y) * share) for share in [0.60, 0.70, 0.85])
    train = lightgbm.Dataset(x[:first], y[:first])
    valid = lightgbm.Dataset(x[first:second], y[first:second], reference=train)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    peer = lightgbm.train(PARAMS, train, ROUNDS, valid_sets=[valid], callbacks=[stop])
    theirs = log_loss(peer.predict(x[third:], num_iteration=peer.best_iteration), y[third:])

    model = onnx.load(model_path)
    onnx.checker.check_model(model, full_check=True)
    rounds = len(set(next(a.ints for a in model.graph.node[0].attribute if a.name == "nodes_treeids"))) / 3
    session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {session.get_inputs()[0].name: x[third:]})
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    ours = log_loss(e / e.sum(axis=1, keepdims=True), y[third:])
    prior = np.bincount(y[:first], minlength=3) / first
    print(
        f"log-loss on {len(y) - third} later rows: ours {ours:.5f} ({rounds:.0f} rounds), "
        f"LightGBM {lightgbm.__version__} {theirs:.5f} ({peer.best_iteration} rounds), "
        f"prior {log_loss(np.tile(prior, (len(y) - third, 1)), y[third:]):.5f}"
    )
    if ours > theirs + MARGIN:
        sys.exit(f"boosted: {ours - theirs:.5f} worse than LightGBM, more than {MARGIN}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["rows", path]:
            make(path)
        case ["compare", path, model]:
            compare(path, model)
        case _:
            sys.exit(__doc__)
