#!/usr/bin/env python3
"""Makes bars from ticks with pandas and compares every value with those of mes-bars.

    python3 tests/oracle/bars.py TICKS.parquet BARS-1S.parquet BARS-5M.parquet

The bars are made with --sparse: only intervals that traded.
"""

import sys

import pandas as pd

EXACT = ["open", "high", "low", "close", "volume", "buy_volume", "sell_volume", "trades", "vwap"]
LENGTHS = ["1s", "5min"]


def bars(ticks, length):
    """Half-open intervals [t - length, t), stamped at their end."""
    trades = ticks[ticks["price"].notna() & (ticks["size"] > 0)].copy()
    trades["value"] = trades["price"] * trades["size"]
    for side in ["buy", "sell"]:
        trades[side] = trades["size"].where(trades["side"] == side, 0)
    grouped = trades.groupby(trades["ts"].dt.floor(length) + pd.Timedelta(length))
    made = grouped["price"].agg(["first", "max", "min", "last", "count"])
    made.columns = ["open", "high", "low", "close", "trades"]
    sums = grouped[["size", "buy", "sell", "value"]].sum()
    made["volume"], made["buy_volume"], made["sell_volume"] = sums["size"], sums["buy"], sums["sell"]
    made["vwap"] = sums["value"] / sums["size"]
    return made


def main(ticks_path, *bars_paths):
    ticks = pd.read_parquet(ticks_path)
    for path, length in zip(bars_paths, LENGTHS, strict=True):
        found = pd.read_parquet(path).set_index("ts")
        wanted = bars(ticks, length)
        if not found.index.equals(wanted.index):
            sys.exit(f"bars {length}: {len(found)} rows at other times than the {len(wanted)} of pandas")
        for name in EXACT:
            tolerance = 1e-9 if name == "vwap" else 0.0
            worst = (found[name].astype(float) - wanted[name].astype(float)).abs().max()
            if not worst <= tolerance:
                sys.exit(f"bars {length}: {name} differs by up to {worst}")
        print(f"bars {length}: {len(EXACT)} columns of {len(found)} rows from {len(ticks)} ticks equal those of pandas")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
