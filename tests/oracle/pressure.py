#!/usr/bin/env python3
"""Computes what the orders of a synthetic market say of the hidden pressure behind it, and adds that to its features.

    python3 tests/oracle/pressure.py TICKS.parquet EDGE FEATURES.parquet OUT.parquet

TICKS come from `mes-fetch synth --ticks --session rth --edge EDGE`, FEATURES from the same market. The formulas are those of
tools/mes-fetch/src/synth/market.rs: the pressure is an AR(1), so its posterior given the sides of all orders so far is
that of a hidden Markov model, here on a grid. Of the past nothing else speaks of direction: instants, sizes and quotes
do not depend on the pressure. OUT has two columns more, of the end of each second: f_best_mean, the posterior mean / 4,
and f_best_deviation. The filter always believes in edge 1, since a model cannot know that there is none. Models are
measured by it where last prices do not bounce (`make truth`): the bounce is direction without an edge.

Exit 1 when the posterior does not foretell the sides of later sweeps at the rate that it states (EDGE 1), or foretells them
at all (EDGE 0).
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

# As in market.rs.
FORGETS, SWEEP_TILT, ORDER_TILT, SAME_SIDE = 45.0, 0.4, 0.8, 0.25
KEEP = np.exp(-1 / FORGETS)
GRID = np.arange(-4.5, 4.51, 0.075)
SECOND = 1_000_000_000
# Seconds from the posterior to the sweeps that are to be foretold: the next one, and the last of a label.
LEADS = [1, 30]
SIGMAS = 4.0
# Rows from one that is asked to the next: a label's horizon.
APART = 30


def buys(tilt):
    """The probability of a purchase for each pressure of the grid."""
    x = tilt * GRID
    return 0.5 * (1 + x / np.sqrt(1 + x * x))


def orders(path):
    """Returns time, whether it buys and whether it sweeps of each order: the prints of one instant, and of a sweep the
    new quote after them."""
    table = pyarrow.parquet.read_table(path, columns=["ts", "side"])
    ts = table["ts"].cast(pa.int64()).to_numpy()
    quote = table["side"].is_null().to_numpy()
    buy = pc.equal(table["side"].cast(pa.string()), "buy").fill_null(False).to_numpy()
    first = np.flatnonzero(np.diff(ts, prepend=ts[0] - 1))
    last = np.append(first[1:], len(ts)) - 1
    return ts[first], buy[first], quote[last]


def counts(ts, buy, sweep):
    """Counts, for each session and second, what was seen: sweeps and ordinary orders of either side, the latter by whether
    they repeat the side before. Returns the sessions' first seconds too."""
    # A cash session is far shorter than the night after it.
    begins = np.flatnonzero(np.diff(ts, prepend=ts[0] - 10**18) > 4 * 3600 * SECOND)
    starts = ts[begins] // (1800 * SECOND) * 1800 * SECOND
    session = np.searchsorted(begins, np.arange(len(ts)), side="right") - 1
    second = (ts - starts[session]) // SECOND
    same = np.append(False, buy[1:] == buy[:-1])
    kind = np.where(sweep, np.where(buy, 0, 1), np.where(buy, 2, 4) + same)
    seen = np.zeros((len(starts), int(second.max()) + 1, 6), np.float32)
    np.add.at(seen, (session, second, kind), 1)
    return starts, seen


def likelihoods():
    """ln P of each of the six kinds of order for each pressure."""
    fresh, swept = buys(ORDER_TILT), buys(SWEEP_TILT)
    other, repeated = lambda p: (1 - SAME_SIDE) * p, lambda p: SAME_SIDE + (1 - SAME_SIDE) * p
    return np.log([swept, 1 - swept, other(fresh), repeated(fresh), other(1 - fresh), repeated(1 - fresh)])


def moved(seconds):
    """The law of the pressure so many seconds later: rows by where it stands."""
    keep = KEEP**seconds
    law = np.exp(-((GRID[None, :] - keep * GRID[:, None]) ** 2) / (2 * (1 - keep**2)))
    return law / law.sum(axis=1, keepdims=True)


def posterior(seen):
    """Filters all sessions side by side. Returns mean and deviation at each second's end, and for each lead the stated
    probability that a sweep so many seconds later buys."""
    step, weigh = moved(1), likelihoods()
    ahead = np.stack([moved(lead) @ buys(SWEEP_TILT) for lead in LEADS], axis=1)
    law = np.tile(np.exp(-(GRID**2) / 2), (len(seen), 1))
    law /= law.sum(axis=1, keepdims=True)
    mean, deviation = np.empty(seen.shape[:2]), np.empty(seen.shape[:2])
    stated = np.empty((*seen.shape[:2], len(LEADS)))
    for second in range(seen.shape[1]):
        law = law @ step * np.exp(seen[:, second] @ weigh)
        law /= law.sum(axis=1, keepdims=True)
        mean[:, second] = law @ GRID
        deviation[:, second] = np.sqrt(law @ GRID**2 - mean[:, second] ** 2)
        stated[:, second] = law @ ahead
    return mean, deviation, stated


def check(seen, stated, edge):
    """Regresses the sides of sweeps on what was stated of them: a slope of 1 is what is said, 0 is nothing."""
    for place, lead in enumerate(LEADS):
        said = stated[:, :-lead, place] - 0.5
        bought, sold = seen[:, lead:, 0], seen[:, lead:, 1]
        sweeps, pull = bought + sold, (bought - sold) / 2
        weight = (sweeps * said**2).sum()
        slope = (pull * said).sum() / weight
        # Sweeps of one session hang together, so the error is that between sessions.
        off = (said * (pull - slope * sweeps * said)).sum(axis=1)
        error = np.sqrt((off**2).sum()) / weight
        print(
            f"pressure edge {edge}, sweeps {lead} s later: side on what was stated, slope {slope:.3f} ± {error:.3f} "
            f"({sweeps.sum():.0f} sweeps)",
            file=sys.stderr,
        )
        if not abs(slope - edge) <= SIGMAS * error or (edge and slope < SIGMAS * error):
            sys.exit(f"pressure: the slope is not {edge}, or too uncertain to tell")


def told(table, names, mean):
    """Returns the share of the variance of the posterior mean that features tell, by least squares."""
    x = np.column_stack([table[name].to_numpy()[::APART] for name in names]).astype(np.float64)
    y = mean[::APART]
    whole = np.isfinite(x).all(axis=1)
    x, y = np.column_stack([x[whole], np.ones(whole.sum())]), y[whole]
    left = y - x @ np.linalg.lstsq(x, y)[0]
    return 1 - left.var() / y.var()


def counted(seen, mean):
    """Returns the share of that variance that the purchases among the orders of the last half minute tell, each counted
    once: what f_delta_30 would tell if it did not weigh them by their sizes."""
    back = lambda orders: np.cumsum(orders, axis=1)[:, APART:] - np.cumsum(orders, axis=1)[:, :-APART]
    bought, all_orders = back(seen[:, :, [0, 2, 3]].sum(axis=2)), back(seen.sum(axis=2))
    share = bought / np.maximum(all_orders, 1)
    there = all_orders > 0
    return np.corrcoef(share[there], mean[:, APART:][there])[0, 1] ** 2


def add(features, out, starts, mean, deviation):
    """Writes the table with the columns of the second that each row ends; other columns stay as they are."""
    table = pyarrow.parquet.read_table(features)
    ts = table["ts"].cast(pa.int64()).to_numpy()
    session = np.searchsorted(starts, ts, side="left") - 1
    second = (ts - starts[session]) // SECOND - 1
    # Rows carried past the last order of a session.
    second = np.minimum(second, mean.shape[1] - 1)
    known = [name for name in table.column_names if name.startswith("f_")]
    share = told(table, known, mean[session, second])
    print(f"pressure: the features tell {share:.0%} of the variance of the mean", file=sys.stderr)
    at = next(place for place, name in enumerate(table.column_names) if name.startswith("y_"))
    for name, values in [("f_best_mean", np.clip(mean / 4, -1, 1)), ("f_best_deviation", deviation.clip(0, 1))]:
        values = pa.array(values[session, second].astype(np.float32))
        table = table.add_column(at, pa.field(name, pa.float32()), values)
    pyarrow.parquet.write_table(table, out)


def main(ticks, edge, features, out):
    starts, seen = counts(*orders(ticks))
    mean, deviation, stated = posterior(seen)
    check(seen, stated, int(edge))
    print(f"pressure: counted orders of {APART} s tell {counted(seen, mean):.0%} of its mean's variance", file=sys.stderr)
    add(features, out, starts, mean, deviation)


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[2] not in ["0", "1"]:
        sys.exit(__doc__)
    main(*sys.argv[1:])
