"""vectorbt, vectorised, by its engine numba or rust. Its stops are shares of the entry's price."""

import sys
import time

import numpy as np
import vectorbt as vbt

import market


# Price × share is not quite a tick: without this a touched target would be missed.
TOUCHED = 1 - 1e-9


def run(table):
    signal, leave = market.columns(table)
    # Filled at a row's open by what was known at the close of the row before.
    signal, leave = np.roll(signal, 1), np.roll(leave, 1)
    return vbt.Portfolio.from_signals(
        table["close"],
        entries=signal > 0,
        exits=leave,
        short_entries=signal < 0,
        short_exits=leave,
        price=table["open"],
        open=table["open"],
        high=table["high"],
        low=table["low"],
        sl_stop=TOUCHED * market.STOP / table["open"],
        tp_stop=TOUCHED * market.TARGET / table["open"],
        stop_entry_price="fillprice",
        upon_opposite_entry="ignore",
        size=1,
        init_cash=10_000_000,
        engine=ENGINE,
    ).trades.records


ENGINE = sys.argv[2]
table = market.bars(sys.argv[1])
# What it compiles on first use is not measured.
run(table.iloc[:50_000])
begun = time.perf_counter()
trades = run(table)
why = "a row that opens beyond the target fills it at the open, ours at the target; stop and target begin a row after the entry"
market.tell("vectorbt", len(table), begun, len(trades), trades["pnl"].sum(), why, ENGINE)
