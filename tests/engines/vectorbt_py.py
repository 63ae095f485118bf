"""vectorbt, vectorised; its stops begin on the row after the entry and are shares of the entry's price."""

import sys
import time

import pandas as pd
import vectorbt as vbt

import market

table = market.bars(sys.argv[1])
# Its loops are compiled on first use; that is not what is measured.
for warm in (True, False):
    part = table.iloc[:20_000] if warm else table
    begun = time.perf_counter()
    signal = pd.Series(market.crossings(part), index=part.index).shift(fill_value=0)
    leave = part["leave"].shift(fill_value=False)
    entered = part["open"]
    held = vbt.Portfolio.from_signals(
        part["close"],
        entries=(signal > 0) & ~leave,
        exits=leave,
        short_entries=(signal < 0) & ~leave,
        short_exits=leave,
        price=part["open"],
        open=part["open"],
        high=part["high"],
        low=part["low"],
        sl_stop=market.STOP / entered,
        tp_stop=market.TARGET / entered,
        upon_opposite_entry="ignore",
        accumulate=False,
        size=1,
        init_cash=10_000_000,
        freq="1s",
    )
    trades = held.trades.records
market.tell("vectorbt", vbt.__version__, len(table), begun, len(trades), trades["pnl"].sum())
