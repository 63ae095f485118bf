"""backtesting.py. An order's bracket must be a price before its fill is known: it is measured from the close, and set right
once the fill is seen."""

import sys
import time

import pandas as pd
from backtesting import Backtest, Strategy

import market

table = market.bars(sys.argv[1])
begun = time.perf_counter()
signal, leave = market.columns(table)
names = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
table = table.rename(columns=names).set_index("ts").drop(columns="seg")


class Bracket(Strategy):
    def init(self):
        # Plain arrays, so that a row costs no more than an index.
        self.signal, self.leave, self.close = signal, leave, table["Close"].to_numpy()
        self.seen = None

    def next(self):
        row = len(self.data) - 1
        if self.trades:
            trade = self.trades[0]
            if trade is not self.seen:
                self.seen = trade
                sign = 1 if trade.is_long else -1
                trade.tp = trade.entry_price + sign * market.TARGET
                trade.sl = trade.entry_price - sign * market.STOP
            if self.leave[row]:
                trade.close()
        elif self.signal[row]:
            sign, close = self.signal[row], self.close[row]
            enter = self.buy if sign > 0 else self.sell
            enter(size=1, sl=close - sign * market.STOP, tp=close + sign * market.TARGET)


trades = Backtest(table, Bracket, cash=10_000_000, finalize_trades=True).run()["_trades"]
why = "a row that opens beyond the target fills it at the open, ours at the target; in the row of the entry the bracket is measured from the close before it"
market.tell("backtesting", len(table), begun, len(trades), trades["PnL"].sum(), why)
