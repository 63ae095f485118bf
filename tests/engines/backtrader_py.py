"""backtrader: stop and target are sent when the entry has filled, since they are measured from the fill."""

import sys
import time

import backtrader as bt

import market

table = market.bars(sys.argv[1])
begun = time.perf_counter()
table["signal"], table["leave"] = market.columns(table)
table["ts"] = table["ts"].dt.tz_localize(None)


class Feed(bt.feeds.PandasData):
    lines = ("signal", "leave")
    params = (("datetime", "ts"), ("openinterest", -1), ("signal", "signal"), ("leave", "leave"))


class Bracket(bt.Strategy):
    def __init__(self):
        self.entry = self.guard = None
        self.closed = self.points = 0

    def notify_order(self, order):
        # What is told is a copy.
        if order.status == order.Completed and self.entry is not None and order.ref == self.entry.ref:
            sign = 1 if order.isbuy() else -1
            price, leave = order.executed.price, self.sell if sign > 0 else self.buy
            self.guard = leave(exectype=bt.Order.Stop, price=price - sign * market.STOP, size=1)
            leave(exectype=bt.Order.Limit, price=price + sign * market.TARGET, size=1, oco=self.guard)

    def notify_trade(self, trade):
        if trade.isclosed:
            self.closed += 1
            self.points += trade.pnl
            self.entry = self.guard = None

    def next(self):
        if self.guard is not None:
            if self.data.leave[0]:
                # Takes the target with it.
                self.cancel(self.guard)
                self.guard = None
                self.close()
        elif self.data.signal[0] and self.entry is None:
            self.entry = (self.buy if self.data.signal[0] > 0 else self.sell)(size=1)


cerebro = bt.Cerebro(stdstats=False)
cerebro.broker.setcash(10_000_000)
cerebro.adddata(Feed(dataname=table))
cerebro.addstrategy(Bracket)
(strategy,) = cerebro.run()
why = "a row that opens beyond the target fills it at the open, ours at the target; stop and target begin a row after the entry"
market.tell("backtrader", len(table), begun, strategy.closed, strategy.points, why)
