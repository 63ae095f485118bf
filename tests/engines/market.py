"""The strategy that all engines trade, and what each of them says of it.

EMA 9 against EMA 21 of the closes, begun anew in each session; after 21 rows a crossing is an entry at the next open, one
contract at a time. Stop 8 ticks, target 16. No entry in the last 16 minutes of a session, flat 6 minutes before its end.
"""

import json
import resource
import time

import numpy as np
import pandas as pd

TICK, STOP, TARGET = 0.25, 8 * 0.25, 16 * 0.25
NO_ENTRY, FLAT = pd.Timedelta(minutes=16), pd.Timedelta(minutes=6)


def bars(path):
    columns = ["ts", "open", "high", "low", "close", "volume", "seg"]
    table = pd.read_parquet(path, columns=columns)
    left = table.groupby("seg")["ts"].transform("last") - table["ts"]
    table["late"] = (left <= NO_ENTRY).to_numpy()
    table["leave"] = (left <= FLAT).to_numpy()
    return table


def crossings(table):
    """1 where EMA 9 comes to lie above EMA 21, -1 where below, else 0; for engines that take whole columns."""
    closes = table.groupby("seg")["close"]
    fast = closes.transform(lambda close: close.ewm(span=9, adjust=False).mean())
    slow = closes.transform(lambda close: close.ewm(span=21, adjust=False).mean())
    gap = (fast - slow).to_numpy()
    row = table.groupby("seg").cumcount().to_numpy()
    side = np.where(row < 21, np.nan, np.where(gap == 0, np.nan, np.sign(gap)))
    side = pd.Series(side).groupby(table["seg"].to_numpy()).ffill()
    before = side.groupby(table["seg"].to_numpy()).shift()
    crossed = (side != before) & before.notna() & side.notna()
    signal = np.where(crossed, side, 0).astype(int)
    return np.where(table["late"], 0, signal)


class Cross:
    """The same, a close at a time."""

    def __init__(self):
        self.seg = None

    def __call__(self, seg, close):
        if seg != self.seg:
            self.seg, self.rows, self.fast, self.slow, self.side = seg, 0, close, close, 0
        self.rows += 1
        self.fast += (close - self.fast) * 0.2
        self.slow += (close - self.slow) * (2 / 22)
        if self.rows <= 21:
            return 0
        gap = self.fast - self.slow
        side = 1 if gap > 0 else -1 if gap < 0 else self.side
        crossed = self.side != 0 and side != self.side
        self.side = side
        return side if crossed else 0


def tell(engine, version, rows, begun, trades, gross_points):
    """Prints one line of JSON: seconds from bars in memory to closed trades, memory at its highest."""
    print(
        json.dumps(
            {
                "engine": engine,
                "version": version,
                "rows": rows,
                "seconds": time.perf_counter() - begun,
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "trades": trades,
                "gross_ticks": round(gross_points / TICK),
            }
        )
    )
