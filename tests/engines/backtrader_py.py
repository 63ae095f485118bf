"""backtrader, with its default event loop; exits are OCO orders sent when the entry has filled."""

import sys
import time

import backtrader as bt

import market

table = market.bars(sys.argv[1])
begun = time.perf_counter()
table["ts"] = table["ts"].dt.tz_localize(None)


class Feed(bt.feeds.PandasData):
    lines = ("seg", "late", "leave")
    params = (("datetime", "ts"), ("openinterest", -1), ("seg", "seg"), ("late", "late"), ("leave", "leave"))


class Bracket(bt.Strategy):
    def __init__(self):
        self.cross = market.Cross()
        self.entry = None
        self.exits = []
        self.trades = self.points = 0

    def notify_order(self, order):
        if order.status == order.Completed and order is self.entry:
            sign = 1 if order.isbuy() else -1
            price = order.executed.price
            leave = self.sell if sign > 0 else self.buy
            stop = leave(exectype=bt.Order.Stop, price=price - sign * market.STOP, size=1)
            leave(exectype=bt.Order.Limit, price=price + sign * market.TARGET, size=1, oco=stop)
            self.exits = [stop]

    def notify_trade(self, trade):
        if trade.isclosed:
            self.trades += 1
            self.points += trade.pnl
            self.entry = None

    def next(self):
        data = self.data
        signal = self.cross(data.seg[0], data.close[0])
        if self.position:
            if data.leave[0] and self.exits:
                self.cancel(self.exits.pop())
                self.close()
        elif signal and not data.late[0] and self.entry is None:
            self.entry = (self.buy if signal > 0 else self.sell)(size=1)


cerebro = bt.Cerebro(stdstats=False)
cerebro.broker.setcash(10_000_000)
cerebro.adddata(Feed(dataname=table))
cerebro.addstrategy(Bracket)
strategy = cerebro.run()[0]
market.tell("backtrader", bt.__version__, len(table), begun, strategy.trades, strategy.points)
