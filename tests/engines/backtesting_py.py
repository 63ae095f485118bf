"""backtesting.py. Its brackets are prices given before the fill is known, so they are set on the row after the entry."""

import sys
import time

import backtesting
from backtesting import Backtest, Strategy

import market

table = market.bars(sys.argv[1])
begun = time.perf_counter()
names = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
table = table.rename(columns=names).set_index("ts")
table["signal"] = market.crossings(table.rename(columns={"Close": "close"}).reset_index())


class Bracket(Strategy):
    def init(self):
        pass

    def next(self):
        data = self.data
        if self.position:
            for trade in self.trades:
                if trade.sl is None:
                    sign = 1 if trade.is_long else -1
                    stop, target = trade.entry_price - sign * market.STOP, trade.entry_price + sign * market.TARGET
                    if sign * (data.Close[-1] - stop) > 0:
                        trade.sl = stop
                    else:
                        trade.close()
                    if sign * (target - data.Close[-1]) > 0:
                        trade.tp = target
            if data.leave[-1]:
                self.position.close()
        elif data.signal[-1] and not self.orders:
            (self.buy if data.signal[-1] > 0 else self.sell)(size=1)


test = Backtest(table, Bracket, cash=10_000_000, commission=0, exclusive_orders=False, finalize_trades=True)
trades = test.run()["_trades"]
market.tell("backtesting.py", backtesting.__version__, len(table), begun, len(trades), trades["PnL"].sum())
