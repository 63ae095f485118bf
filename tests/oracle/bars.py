#!/usr/bin/env python3
"""Makes bars from ticks with pandas and compares every value with those of mes-bars.

    python3 tests/oracle/bars.py TICKS LENGTH=BARS.parquet...

TICKS is Parquet, or CSV with ts_utc, price and size. A LENGTH is one of pandas: 1s, 5min. The bars are made with
--sparse: only intervals that traded; whether from the ticks or from finer bars, they must be the same.
"""

import sys

import pandas as pd

EXACT = ["open", "high", "low", "close", "volume", "buy_volume", "sell_volume", "trades", "vwap"]


def read(path):
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    ticks = pd.read_csv(path)
    return ticks.assign(ts=pd.to_datetime(ticks["ts_utc"], format="ISO8601", utc=True))


def bars(ticks, length):
    """Half-open intervals [t - length, t), stamped at their end."""
    trades = ticks[ticks["price"].notna() & (ticks["size"] > 0)].copy()
    trades["value"] = trades["price"] * trades["size"]
    sums = {"size": "volume", "value": "value"}
    if "side" in trades:
        for side in ["buy", "sell"]:
            sums[side] = f"{side}_volume"
            trades[side] = trades["size"].where(trades["side"] == side, 0)
    grouped = trades.groupby(trades["ts"].dt.floor(length) + pd.Timedelta(length))
    made = grouped["price"].agg(["first", "max", "min", "last", "count"])
    made.columns = ["open", "high", "low", "close", "trades"]
    made = made.join(grouped[list(sums)].sum().rename(columns=sums))
    made["vwap"] = made["value"] / made["volume"]
    return made


def compare(ticks, length, path):
    found = pd.read_parquet(path).set_index("ts")
    wanted = bars(ticks, length)
    if not found.index.equals(wanted.index.as_unit(found.index.unit)):
        sys.exit(f"{path}: {len(found)} rows at other times than the {len(wanted)} of pandas")
    names = [name for name in EXACT if name in wanted]
    for name in names:
        tolerance = 1e-9 if name == "vwap" else 0.0
        worst = (found[name].astype(float) - wanted[name].astype(float)).abs().max()
        if not worst <= tolerance:
            sys.exit(f"{path}: {name} differs by up to {worst}")
    print(f"{path}: {len(names)} columns of {len(found)} rows from {len(ticks)} ticks equal those of pandas")


def main(ticks_path, *pairs):
    ticks = read(ticks_path)
    for pair in pairs:
        compare(ticks, *pair.split("=", 1))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
