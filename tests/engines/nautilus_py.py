"""nautilus_trader: its own means and bracket orders, a bar at a time. A market order fills at the close of its signal's bar,
where the book then stands."""

import sys
import time
from decimal import Decimal

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

import market

table = market.bars(sys.argv[1])
instrument = TestInstrumentProvider.es_future(2026, 12)
kind = BarType.from_str(f"{instrument.id}-1-SECOND-LAST-EXTERNAL")


class Bracket(Strategy):
    def __init__(self, ends):
        super().__init__()
        self.fast, self.slow = ExponentialMovingAverage(market.FAST), ExponentialMovingAverage(market.SLOW)
        self.ends = iter(ends)
        self.end = 0

    def on_start(self):
        self.register_indicator_for_bars(kind, self.fast)
        self.register_indicator_for_bars(kind, self.slow)
        self.subscribe_bars(kind)

    def on_bar(self, bar):
        if bar.ts_event > self.end:
            self.begin(bar)
        if self.slow.count <= market.SLOW:
            return
        gap = self.fast.value - self.slow.value
        side = 1 if gap > 0 else -1 if gap < 0 else self.side
        crossed, self.side = self.side != 0 and side != self.side, side
        if bar.ts_event >= self.end - market.FLAT.value:
            if not self.portfolio.is_flat(instrument.id):
                self.cancel_all_orders(instrument.id)
                self.close_all_positions(instrument.id)
        elif crossed and bar.ts_event < self.end - market.NO_ENTRY.value and self.portfolio.is_flat(instrument.id):
            self.enter(bar, side)

    def begin(self, bar):
        """Begins a session: the means have already seen its first bar, and forget all before it."""
        self.end = next(self.ends)
        self.side = 0
        for mean in (self.fast, self.slow):
            mean.reset()
            mean.handle_bar(bar)

    def enter(self, bar, side):
        close = bar.close.as_double()
        self.submit_order_list(
            self.order_factory.bracket(
                instrument_id=instrument.id,
                order_side=OrderSide.BUY if side > 0 else OrderSide.SELL,
                quantity=instrument.make_qty(1),
                sl_trigger_price=instrument.make_price(close - side * market.STOP),
                tp_price=instrument.make_price(close + side * market.TARGET),
                tp_post_only=False,
            )
        )


engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
engine.add_venue(
    venue=Venue("GLBX"),
    oms_type=OmsType.NETTING,
    account_type=AccountType.MARGIN,
    base_currency=USD,
    starting_balances=[Money(10_000_000, USD)],
    default_leverage=Decimal(1),
)
engine.add_instrument(instrument)
ohlcv = table.set_index("ts")[["open", "high", "low", "close", "volume"]].astype("float64")
engine.add_data(BarDataWrangler(kind, instrument).process(ohlcv))
engine.add_strategy(Bracket([end for _, _, end in market.segments(table)]))

begun = time.perf_counter()
engine.run()
cache = engine.cache
positions = [*cache.positions_closed(), *cache.position_snapshots()]
closed = [position for position in positions if position.is_closed]
points = sum(position.realized_pnl.as_double() for position in closed)
why = "it enters at the close of the signal's row, as our optimistic fills do"
market.tell("nautilus_trader", len(table), begun, len(closed), points, why)
