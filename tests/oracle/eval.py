#!/usr/bin/env python3
"""Checks what `mes-predict eval` says of predictions against scikit-learn and an independent bootstrap.

    python3 tests/oracle/eval.py PREDICTIONS.parquet EVALUATION.json

PREDICTIONS hold ts, p_* and y_dir. Figures agree to 1e-6; ends of intervals to a fifth of their width, since the
sessions are drawn by other dice.
"""

import json
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet
from sklearn import metrics

TOLERANCE = 1e-6
RESAMPLES = 2000


def compare(name, found, wanted, tolerance=TOLERANCE):
    worst = float(np.max(np.abs(np.asarray(found, dtype=float) - np.asarray(wanted, dtype=float))))
    print(f"eval     {name:<20} largest difference {worst:.2e}")
    if not worst <= tolerance:
        sys.exit(f"{name}: {found} is not {wanted}")


def called(p):
    down, flat, up = p.T
    return np.where((up > flat) & (up > down), 2, np.where((down > flat) & (down > up), 0, 1))


def ece(stated, right):
    bins = np.minimum((stated * 10).astype(int), 9)
    return sum(abs(stated[bins == k].sum() - right[bins == k].sum()) for k in range(10)) / len(stated)


def main(predictions, evaluation):
    table = pyarrow.parquet.read_table(predictions, columns=["ts", "p_down", "p_flat", "p_up", "y_dir"]).to_pandas()
    table = table.dropna()
    said = json.load(open(evaluation))
    p = table[["p_down", "p_flat", "p_up"]].to_numpy(dtype=np.float64)
    y = table["y_dir"].to_numpy(dtype=int)
    call = called(p)
    if said["rows"] != len(y):
        sys.exit(f"{said['rows']} rows judged, {len(y)} there")

    loss = -np.log(p[np.arange(len(y)), y])
    figures = {
        "log_loss": loss.mean(),
        "brier": ((p - np.eye(3)[y]) ** 2).sum(axis=1).mean(),
        "accuracy": metrics.accuracy_score(y, call),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, call),
        "mcc": metrics.matthews_corrcoef(y, call),
        "ece": ece(p[np.arange(len(y)), call], call == y),
    }
    for name, wanted in figures.items():
        compare(name, said["model"][name]["value"], wanted)
    compare("log_loss, sklearn", figures["log_loss"], metrics.log_loss(y, p / p.sum(axis=1, keepdims=True), labels=[0, 1, 2]), 1e-5)
    compare("confusion", said["confusion"], metrics.confusion_matrix(y, call, labels=[0, 1, 2]), 0)
    report = metrics.precision_recall_fscore_support(y, call, labels=[0, 1, 2], zero_division=np.nan)
    for index, name in enumerate(["precision", "recall", "f1"]):
        wanted = report[index]
        found = [one[name] for one in said["classes"]]
        known = [k for k in range(3) if found[k] is not None]
        compare(name, [found[k] for k in known], wanted[known])

    prior = np.array(said["prior"]["p"])
    gain = -np.log(prior[y]) - loss
    compare("gain", said["gain"]["value"], gain.mean())
    wall = (pd.to_datetime(table["ts"], utc=True) - pd.Timedelta(1, "ns")).dt.tz_convert("America/New_York")
    hours = table.assign(gain=gain, hour=wall.dt.hour.to_numpy()).groupby("hour")["gain"].mean()
    compare("gain by hour", [one["gain"]["value"] for one in said["hours"]], hours.to_numpy())

    session = (wall + pd.Timedelta(6, "h")).dt.date.to_numpy()
    sums = pd.DataFrame({"session": session, "gain": gain, "rows": 1}).groupby("session").sum()
    if len(sums) != said["sessions"]:
        sys.exit(f"{said['sessions']} sessions said, {len(sums)} there")
    dice = np.random.default_rng(1)
    drawn = dice.integers(0, len(sums), size=(RESAMPLES, len(sums)))
    means = sums["gain"].to_numpy()[drawn].sum(axis=1) / sums["rows"].to_numpy()[drawn].sum(axis=1)
    ends = np.quantile(means, [0.025, 0.975])
    low, high = said["gain"]["interval"]
    # The tool's are wider for few sessions, never narrower.
    width = ends[1] - ends[0]
    if not (low <= ends[0] + width / 5 and high >= ends[1] - width / 5 and high - low < 10 * width):
        sys.exit(f"interval {low} to {high}, another bootstrap says {ends}")
    print(f"eval     interval {low:.5f} to {high:.5f}, plain percentiles of another bootstrap {ends[0]:.5f} to {ends[1]:.5f}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
