#!/usr/bin/env python3
"""Computes features from their formulas with pandas and numpy and compares them with those of mes-features.

    python3 tests/oracle/features.py FEATURES.parquet

The rows are of 1 s. Prices are in ticks, c is the close, s the volatility sigma.
"""

import sys

import numpy as np
import pandas as pd

TOLERANCE = 1e-6
HALF_LIFE = 60
DECAY = 0.5 ** (1 / HALF_LIFE)


def sigma(c):
    changes = c.diff().iloc[1:]
    mean = (changes**2).ewm(alpha=1 - DECAY, adjust=True, min_periods=60).mean()
    return np.sqrt(mean).clip(lower=0.1).reindex(c.index)


def ema(x, n):
    return x.ewm(alpha=2 / (n + 1), adjust=False).mean()


def after(x, n):
    """Nothing before n rows."""
    return x.where(np.arange(len(x)) >= n - 1)


def wilder(x, n):
    """Wilder's average, seeded with the mean of the first n values."""
    seeded = x.iloc[n - 1 :].copy()
    if len(seeded):
        seeded.iloc[0] = x.iloc[:n].mean()
    return seeded.ewm(alpha=1 / n, adjust=False).mean().reindex(x.index)


def features(bars):
    o, h, l, c = (bars[name] * 4 for name in ["open", "high", "low", "close"])
    s = sigma(c)
    made = {f"f_ret_{k}": (c - c.shift(k)) / (4 * s * np.sqrt(k)) for k in [1, 5, 10, 30, 60]}
    for n in [9, 21, 50, 200]:
        made[f"f_ema_{n}"] = after((c - ema(c, n)) / (2 * s * np.sqrt(n)), n)
    for a, b in [(9, 21), (21, 50), (50, 200)]:
        made[f"f_ema_{a}_{b}"] = after((ema(c, a) - ema(c, b)) / (s * np.sqrt(b)), b)
    line = ema(c, 12) - ema(c, 26)
    made["f_macd"] = after((line - ema(line, 9)) / (1.5 * s), 34)
    change = c.diff().iloc[1:]
    gain, loss = (wilder(change.clip(lower=0), 14), wilder((-change).clip(lower=0), 14))
    both = gain + loss
    made["f_rsi_14"] = ((gain - loss) / both).where(both != 0, both * 0).reindex(c.index)
    mean, sd = c.rolling(20).mean(), c.rolling(20).apply(np.std, raw=True)
    made["f_bb_20"] = ((c - mean) / (4 * sd)).where(sd != 0, sd * 0)
    lowest, highest = l.rolling(14).min(), h.rolling(14).max()
    k = ((c - lowest) / (highest - lowest)).where(highest != lowest, (highest - lowest) * 0 + 0.5)
    made["f_stoch_k"], made["f_stoch_d"] = k, k.rolling(3).mean()
    true_range = pd.concat([h - l, (h - c.shift()).abs(), (l - c.shift()).abs()], axis=1).max(axis=1)
    atr = wilder(true_range, 14)
    made["f_atr_14"], made["f_sigma"] = atr / (atr + 4), s / (s + 4)
    volatility = np.sqrt((c.diff() ** 2).rolling(60).mean())
    made["f_rv_60"] = volatility / (volatility + 4)
    parkinson = np.sqrt(((h - l) ** 2).rolling(60).mean() / (4 * np.log(2)))
    made["f_parkinson_60"] = parkinson / (parkinson + 4)
    return pd.DataFrame(made).clip(-1, 1)


def main(path):
    table = pd.read_parquet(path)
    wanted = pd.concat([features(bars) for _, bars in table.groupby("seg", sort=False)])
    for name in wanted.columns:
        found, mine = table[name].astype(float), wanted[name]
        if not found.isna().equals(mine.isna()):
            row = (found.isna() != mine.isna()).idxmax()
            sys.exit(f"{name}: row {row} is {found[row]}, pandas says {mine[row]}")
        worst = (found - mine).abs().max()
        if not worst <= TOLERANCE:
            row = (found - mine).abs().idxmax()
            sys.exit(f"{name}: row {row} is {found[row]}, pandas says {mine[row]}")
        print(f"{name:<15} {found.notna().sum()} values, largest difference from pandas {worst:.1e}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
