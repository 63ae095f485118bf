#!/usr/bin/env python3
"""Computes the same features with mes-features, polars and pandas, from Parquet to Arrow, compares all values, and
prints how long each took, by the clock and in CPU time.

    python3 tests/oracle/features_speed.py BARS.parquet

The rows are of 1 s. Peers compute in 64 bits and mes-features writes 32, so values must agree to 1e-9 and a rounding
to 32 bits (2^-24 of the value). Times are of one run each, reading and writing included, on all cores.
"""

import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import polars as pl

SECONDS = [1, 5, 10, 30, 60]
EMAS = [(9, 61), (21, 61), (50, 61), (200, 200)]
CROSSINGS = [(9, 21, 61), (21, 50, 61), (50, 200, 200)]
DECAY = 0.5 ** (1 / 60)
TOLERANCE, ROUNDING = 1e-9, 2.0**-24


def in_polars(path):
    seg = lambda x: x.over("seg")
    n = pl.int_range(pl.len()).over("seg") + 1
    after = lambda x, rows: pl.when(n >= rows).then(x)
    ema = lambda x, rows: seg(x.ewm_mean(alpha=2 / (rows + 1), adjust=False))
    root = lambda x: x.sqrt()
    o, h, l, c = (pl.col(name) * 4 for name in ["open", "high", "low", "close"])
    v = pl.col("volume").cast(pl.Float64)
    change = c - seg(c.shift(1))
    table = pl.scan_parquet(path).with_columns(
        change=change,
        sigma=after(
            root(seg((change**2).ewm_mean(alpha=1 - DECAY, adjust=True, ignore_nulls=True))).clip(lower_bound=0.1), 61
        ),
        **{f"ema{rows}": ema(c, rows) for rows, _ in EMAS},
        line=ema(c, 12) - ema(c, 26),
    )
    s, change, line = pl.col("sigma"), pl.col("change"), pl.col("line")
    mean = lambda rows: pl.col(f"ema{rows}")
    made = {f"f_ret_{k}": (c - seg(c.shift(k))) / (4 * s * k**0.5) for k in SECONDS}
    made |= {f"f_ema_{rows}": after((c - mean(rows)) / (2 * s * rows**0.5), warm) for rows, warm in EMAS}
    made |= {f"f_ema_{a}_{b}": after((mean(a) - mean(b)) / (s * b**0.5), warm) for a, b, warm in CROSSINGS}
    made["f_macd"] = (line - ema(line, 9)) / (1.5 * s)
    made["f_sigma"] = s / (s + 4)
    made["f_dir"] = (c - o).sign()
    wide = lambda x: pl.when(h == l).then(0.0).otherwise(x / (h - l))
    made["f_body"], made["f_wick_up"] = wide(c - o), wide(h - pl.max_horizontal(o, c))
    made["f_wick_down"] = wide(pl.min_horizontal(o, c) - l)
    low, high = seg(l.rolling_min(14)), seg(h.rolling_max(14))
    made["f_stoch_k"] = pl.when(high == low).then(0.5).otherwise((c - low) / (high - low))
    total, short = seg(v.rolling_sum(60)), seg(v.rolling_sum(5))
    made["f_vol_ratio"] = pl.when(total == 0).then(0.5).otherwise(short * 12 / (short * 12 + total))
    level = lambda x: x / (x + 4)
    made["f_rv_60"] = level(root(seg((change**2).rolling_sum(60)) / 60))
    ranges, bodies = (seg((x**2).rolling_sum(60)) for x in [h - l, c - o])
    made["f_parkinson_60"] = level(root(ranges / (4 * np.log(2) * 60)))
    made["f_gk_60"] = level(root(((0.5 * ranges - 0.386294 * bodies) / 60).clip(lower_bound=0)))
    features = [x.clip(-1, 1).alias(name) for name, x in made.items()]
    table = table.with_columns(features).select(["ts", *made]).collect()
    table.write_ipc("polars.arrow")
    return table.select(list(made))


def of_segment(bars):
    o, h, l, c = (bars[name] * 4 for name in ["open", "high", "low", "close"])
    v, n = bars["volume"].astype(float), np.arange(1, len(bars) + 1)
    after = lambda x, rows: x.where(n >= rows)
    ema = lambda x, rows: x.ewm(alpha=2 / (rows + 1), adjust=False).mean()
    change = c.diff()
    s = after(np.sqrt((change**2).ewm(alpha=1 - DECAY, adjust=True, ignore_na=True).mean()).clip(lower=0.1), 61)
    means = {rows: ema(c, rows) for rows, _ in EMAS}
    made = {f"f_ret_{k}": (c - c.shift(k)) / (4 * s * k**0.5) for k in SECONDS}
    made |= {f"f_ema_{rows}": after((c - means[rows]) / (2 * s * rows**0.5), warm) for rows, warm in EMAS}
    made |= {f"f_ema_{a}_{b}": after((means[a] - means[b]) / (s * b**0.5), warm) for a, b, warm in CROSSINGS}
    line = ema(c, 12) - ema(c, 26)
    made["f_macd"] = (line - ema(line, 9)) / (1.5 * s)
    made["f_sigma"] = s / (s + 4)
    made["f_dir"] = np.sign(c - o)
    wide = lambda x: (x / (h - l)).where(h != l, 0.0)
    made["f_body"], made["f_wick_up"] = wide(c - o), wide(h - np.maximum(o, c))
    made["f_wick_down"] = wide(np.minimum(o, c) - l)
    low, high = l.rolling(14).min(), h.rolling(14).max()
    made["f_stoch_k"] = after(((c - low) / (high - low)).where(high != low, 0.5), 14)
    total, short = v.rolling(60).sum(), v.rolling(5).sum()
    made["f_vol_ratio"] = after((short * 12 / (short * 12 + total)).where(total != 0, 0.5), 60)
    level = lambda x: x / (x + 4)
    made["f_rv_60"] = level(np.sqrt((change**2).rolling(60).sum() / 60))
    ranges, bodies = (((x**2).rolling(60).sum()) for x in [h - l, c - o])
    made["f_parkinson_60"] = level(np.sqrt(ranges / (4 * np.log(2) * 60)))
    made["f_gk_60"] = level(np.sqrt(((0.5 * ranges - 0.386294 * bodies) / 60).clip(lower=0)))
    return pd.DataFrame(made).clip(-1, 1)


def in_pandas(path):
    bars = pd.read_parquet(path, columns=["ts", "open", "high", "low", "close", "volume", "seg"])
    made = pd.concat([of_segment(part) for _, part in bars.groupby("seg", sort=False)])
    made.insert(0, "ts", bars["ts"])
    made.to_feather("pandas.arrow")
    return made.drop(columns="ts")


def timed(work, *arguments):
    cpu = lambda: sum(os.times()[:4])
    start, used = time.perf_counter(), cpu()
    made = work(*arguments)
    return (time.perf_counter() - start, cpu() - used), made


def ours(path, names):
    with open("mes-features.arrow", "wb") as out:
        line = ["mes-features", "-q", "--only", ",".join(names), "--to", "arrow", path]
        subprocess.run(line, stdout=out, check=True)


def agree(name, found, wanted, peer):
    known, theirs = ~np.isnan(found), ~np.isnan(wanted)
    if (known != theirs).any():
        row = int(np.argmax(known != theirs))
        sys.exit(f"{name}: row {row} is {found[row]}, {peer} says {wanted[row]}")
    off = np.abs(found[known] - wanted[known]) - np.abs(wanted[known]) * ROUNDING
    if len(off) and not off.max() <= TOLERANCE:
        row = np.flatnonzero(known)[int(np.argmax(off))]
        sys.exit(f"{name}: row {row} is {found[row]}, {peer} says {wanted[row]}")


def main(path):
    by_pandas, pandas_made = timed(in_pandas, path)
    by_polars, polars_made = timed(in_polars, path)
    names = list(pandas_made.columns)
    by_us, _ = timed(ours, path, names)
    made = pl.read_ipc_stream("mes-features.arrow")
    for name in names:
        found = made[name].cast(pl.Float64).to_numpy()
        agree(name, found, pandas_made[name].to_numpy(dtype=float), "pandas")
        agree(name, found, polars_made[name].to_numpy().astype(float), "polars")
    print(f"{len(names)} features of {len(made)} rows agree with pandas {pd.__version__} and polars {pl.__version__}")
    for peer, (seconds, cpu) in [("mes-features", by_us), ("polars", by_polars), ("pandas", by_pandas)]:
        rate, ratio, work = len(made) / seconds / 1e6, seconds / by_us[0], cpu / by_us[1]
        print(f"{peer:<13} {seconds:6.2f} s, {rate:5.2f} M rows/s, {ratio:5.1f} times our time; CPU {cpu:5.2f} s, {work:5.1f} times ours")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
