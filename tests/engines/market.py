"""The strategy that all engines trade, and what each of them says of it.

EMA 9 against EMA 21 of the closes, begun anew in each session; after 21 rows a crossing is an entry at the next open, one
contract at a time. Stop 8 ticks, target 16. No entry in the last 16 minutes of a session, flat 6 minutes before its end.
"""

import json
import resource
import time
from importlib.metadata import version

import numpy as np
import pandas as pd

FAST, SLOW = 9, 21
TICK, STOP, TARGET = 0.25, 8 * 0.25, 16 * 0.25
NO_ENTRY, FLAT = pd.Timedelta(minutes=16), pd.Timedelta(minutes=6)


def bars(path):
    return pd.read_parquet(path, columns=["ts", "open", "high", "low", "close", "volume", "seg"])


def segments(table):
    """First row, row after the last, and instant of the end in ns of each cash session; its last rows may be missing."""
    breaks = (np.flatnonzero(np.diff(table["seg"].to_numpy())) + 1).tolist()
    for begin, end in zip([0, *breaks], [*breaks, len(table)]):
        yield begin, end, table["ts"].iloc[end - 1].ceil("15min").as_unit("ns").value


def columns(table):
    """Two columns for engines that take whole ones: 1 or -1 where to enter, and True where to leave, at the next open.

    Our market orders wait for a row with trades. Here the columns speak on the last row before such a one instead, and of
    several signals the first counts.
    """
    close, ts = table["close"], table["ts"].dt.as_unit("ns").astype("int64").to_numpy()
    signal, leave = np.zeros(len(table), np.int8), np.zeros(len(table), bool)
    for begin, end, closing in segments(table):
        fast, slow = (close[begin:end].ewm(span=span, adjust=False).mean().to_numpy() for span in (FAST, SLOW))
        entries = np.searchsorted(ts[begin:end], closing - NO_ENTRY.value)
        signal[begin : begin + entries] = crossings(fast - slow)[:entries]
        leave[begin:end] = ts[begin:end] >= closing - FLAT.value
    traded = table["volume"].to_numpy() > 0
    leave[:-1] &= traded[1:]
    before = next_true(traded) - 1
    # Backwards, so that the first of several is what stays.
    at = np.flatnonzero(signal)[::-1]
    moved = np.zeros_like(signal)
    moved[before[at]] = signal[at]
    return moved, leave


def crossings(gap):
    """1 where the gap of the two means becomes positive, -1 where negative; the first rows know none."""
    side = np.sign(gap[SLOW:]).astype(np.int8)
    known = np.maximum.accumulate(np.where(side != 0, np.arange(len(side)), 0))
    side = side[known]
    crossed = np.zeros(len(gap), np.int8)
    now, before = side[1:], side[:-1]
    crossed[SLOW + 1 :] = np.where((now != before) & (before != 0), now, 0)
    return crossed


def next_true(rows):
    """The index of the first true row after each; the last row for those that have none."""
    place = np.where(rows, np.arange(len(rows)), len(rows) - 1)
    after = np.minimum.accumulate(place[::-1])[::-1]
    return np.append(after[1:], len(rows))


def tell(package, rows, begun, trades, gross_points, why, way=""):
    """Prints one line of JSON; `why` says why trades may differ from ours, `way` which way of it."""
    print(
        json.dumps(
            {
                "engine": f"{package} {way}".strip(),
                "version": version(package),
                "rows": rows,
                "seconds": time.perf_counter() - begun,
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "trades": trades,
                "gross_ticks": round(gross_points / TICK),
                "why": why,
            }
        )
    )
