//! How far the market went against a trade and for it while it was open: its maximum adverse and favourable excursion.
//! Sweeney (1996), "Maximum Adverse Excursion: Analyzing Price Fluctuations for Trading Management".
//!
//! Both are measured from the mean entry price and are never below 0. Within a bar the order of prices is not known, so
//! what hurts counts and what helps does not: of the bar of the entry its whole range counts against the trade and only
//! its close for it; of the bar of the exit only its open counts for it, and against it the fill, or where that was the
//! target its whole range. Bars in between count whole. Bars in which nobody traded say nothing.

use mes_core::{
    bar::Bar,
    money::Cents,
    order::{Action, ExitReason, Order, Side},
    price::{Price, TICK},
    round_trip::{RoundTrip, Shares},
    statement::{Fill, Role, Working},
    time::Ts,
};

/// What a trade went through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Excursion {
    /// Ticks against it and for it; between two ticks where several fills made the entry.
    pub mae_ticks: f64,
    pub mfe_ticks: f64,
    /// The same in money, of all its contracts.
    pub mae_cents: Cents,
    pub mfe_cents: Cents,
    /// Where its stop lay, and from when on.
    pub stops: Vec<(Ts, Price)>,
    /// Where its target lay last.
    pub target: Option<Price>,
}

/// Follows the open trade from bar to bar.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    /// The last bar in which somebody traded: open, high, low, close.
    bar: Option<[Price; 4]>,
    /// The last entry that was asked for: its id, and its stop and target in ticks.
    asked: Option<(u64, i64, i64)>,
    open: Option<Open>,
}

/// The open trade; prices are ticks, negative where it is short, so that more is better.
#[derive(Clone, Debug)]
struct Open {
    sign: i64,
    worst: i64,
    best: i64,
    /// No bar after the one of the entry has come.
    fresh: bool,
    stops: Vec<(Ts, Price)>,
    target: Option<Price>,
}

impl Follower {
    /// Remembers what an entry was asked with.
    pub fn order(&mut self, order: &Order) {
        if let Action::Enter { stop_ticks, target_ticks, .. } = order.action {
            self.asked = Some((order.id, stop_ticks, target_ticks));
        }
    }

    /// Takes the bar that the next statement answers.
    #[inline]
    pub fn row(&mut self, bar: &Bar) {
        if bar.volume > 0 {
            self.bar = Some([bar.open, bar.high, bar.low, bar.close]);
        }
    }

    /// Takes a fill at a position of so many contracts; `ended` is the round trip that it closed.
    pub fn fill(
        &mut self,
        position: i64,
        fill: &Fill,
        ended: Option<&RoundTrip>,
        tick: Cents,
    ) -> Option<Excursion> {
        let excursion = ended.map(|trip| {
            self.open.take().map(|open| open.end(self.bar, fill, trip, tick)).unwrap_or_default()
        });
        if Shares::of(position, fill).opened.is_some() && self.open.is_none() {
            self.open = Some(Open::new(fill, self.asked));
        }
        excursion
    }

    /// Takes what works beside the position after the bar; without a position nothing is open.
    pub fn bar(&mut self, position: i64, ts: Ts, working: &[Working]) {
        if position == 0 {
            self.open = None;
            return;
        }
        let Some(open) = &mut self.open else { return };
        if let Some(bar) = self.bar {
            open.bar(bar);
        }
        let price = |role| working.iter().find(|order| order.role == role).and_then(|order| order.price);
        if let Some(stop) =
            price(Role::Stop).filter(|stop| open.stops.last().is_none_or(|last| last.1 != *stop))
        {
            open.stops.push((ts, stop));
        }
        open.target = price(Role::Target).or(open.target);
    }
}

impl Open {
    fn new(fill: &Fill, asked: Option<(u64, i64, i64)>) -> Open {
        let (sign, at) = (fill.side.sign(), fill.price.ticks());
        // Brackets are measured from the fill.
        let asked = asked.filter(|(id, ..)| fill.order == Some(*id));
        let stops = asked.map(|(_, stop, _)| (fill.ts, Price::from_ticks(at - sign * stop)));
        let target =
            asked.filter(|asked| asked.2 > 0).map(|(.., target)| Price::from_ticks(at + sign * target));
        let stops = stops.into_iter().collect();
        Open { sign, worst: sign * at, best: sign * at, fresh: true, stops, target }
    }

    /// Returns the best and the worst price of a bar.
    fn range(&self, [_, high, low, _]: [Price; 4]) -> (i64, i64) {
        let (one, other) = (self.sign * high.ticks(), self.sign * low.ticks());
        (one.max(other), one.min(other))
    }

    fn bar(&mut self, bar: [Price; 4]) {
        let (best, worst) = self.range(bar);
        let best = if self.fresh { self.sign * bar[3].ticks() } else { best };
        (self.best, self.worst) = (self.best.max(best), self.worst.min(worst));
        self.fresh = false;
    }

    fn end(self, bar: Option<[Price; 4]>, fill: &Fill, trip: &RoundTrip, tick: Cents) -> Excursion {
        let filled = self.sign * fill.price.ticks();
        let (mut best, mut worst) = (self.best.max(filled), self.worst.min(filled));
        if let Some(bar) = bar {
            best = if self.fresh { best } else { best.max(self.sign * bar[0].ticks()) };
            let by_target = fill.exit == Some(ExitReason::Target);
            worst = if by_target { worst.min(self.range(bar).1) } else { worst };
        }
        let sign = if trip.side == Side::Buy { 1.0 } else { -1.0 };
        let entry = sign * trip.entry_price / TICK;
        let (mae_ticks, mfe_ticks) = ((entry - worst as f64).max(0.0), (best as f64 - entry).max(0.0));
        let cents = |ticks: f64| Cents((ticks * (tick * trip.contracts).0 as f64).round() as i64);
        let (stops, target) = (self.stops, self.target);
        Excursion {
            mae_ticks,
            mfe_ticks,
            mae_cents: cents(mae_ticks),
            mfe_cents: cents(mfe_ticks),
            stops,
            target,
        }
    }
}

#[cfg(test)]
mod tests {
    use mes_core::{order::Signal, row::Row, statement::Statement, time::SECOND, verdict::Verdict};
    use mes_pipe::journal::Journal;

    use super::*;
    use crate::{facts::Facts, sample};

    /// Open, high, low and close in ticks, and a fill with its price and what it closes by.
    type Second = ([i64; 4], Option<(Side, i64, Option<ExitReason>)>);

    /// Bars of (open, high, low, close) in ticks above 20,000, and what fills in each.
    fn traded(side: Side, bars: &[Second]) -> Facts {
        let mut recorder = sample::recorder();
        let action = Action::Enter {
            side,
            contracts: 2,
            stop_ticks: 8,
            target_ticks: 16,
            confidence: 0.7,
            limit: None,
        };
        let signal = Signal::LongEntry;
        let order = Order { ts: sample::START, id: 1, signal, contract: Default::default(), action };
        recorder.verdict(&Verdict::Order(order)).expect("records");
        let mut position = 0;
        for (second, (prices, filled)) in bars.iter().enumerate() {
            let ts = sample::START + second as i64 * SECOND;
            let [open, high, low, close] = prices.map(|ticks| Price::from_ticks(20_000 + ticks));
            let bar = Bar { ts, open, high, low, close, volume: 1, ..Bar::default() };
            recorder.row(&Row { bar, ..Row::default() }).expect("records");
            let fills = filled.map(|(side, ticks, exit)| {
                position += 2 * side.sign();
                let mut fill = sample::fill(ts, 1, side, 2, ticks, 0);
                fill.exit = exit;
                fill
            });
            let state = sample::state(ts, Cents(100_000), fills.into_iter().collect());
            recorder.statement(&Statement { position, ..state }).expect("records");
        }
        recorder.finish().expect("finishes")
    }

    #[test]
    fn what_hurts_counts_and_what_helps_does_not() {
        let enter = Some((Side::Buy, 0, None));
        let exit = |ticks, why| Some((Side::Sell, ticks, Some(why)));
        for (name, bars, mae, mfe) in [
            // The high of the entry's bar may have come before it, its low counts; the stop fills, and no more counts.
            (
                "stop",
                vec![
                    ([0, 9, -3, 1], enter),
                    ([1, 4, -2, 2], None),
                    ([2, 20, -30, 0], exit(-8, ExitReason::Stop)),
                ],
                8.0,
                4.0,
            ),
            // On the way to its target it may have gone down first.
            (
                "target",
                vec![([0, 1, 0, 1], enter), ([1, 30, -5, 9], exit(16, ExitReason::Target))],
                5.0,
                16.0,
            ),
            // Opened for it, and was closed lower.
            ("signal", vec![([0, 1, -1, 1], enter), ([6, 9, -7, 2], exit(2, ExitReason::Signal))], 1.0, 6.0),
        ] {
            let facts = traded(Side::Buy, &bars);
            let found = &facts.excursions[0];
            assert_eq!((found.mae_ticks, found.mfe_ticks), (mae, mfe), "{name}");
            assert_eq!(found.mae_cents, Cents(mae as i64 * 250), "{name}: two contracts, $1.25 a tick");
            assert_eq!((facts.trades.len(), facts.excursions.len()), (1, 1));
        }
    }

    #[test]
    fn a_short_trade_is_the_mirror_and_knows_its_bracket() {
        let bars = [
            ([0, 3, -9, -1], Some((Side::Sell, 0, None))),
            ([-1, 2, -4, -2], None),
            ([-2, 30, -20, 0], Some((Side::Buy, 8, Some(ExitReason::Stop)))),
        ];
        let facts = traded(Side::Sell, &bars);
        let found = &facts.excursions[0];
        assert_eq!((found.mae_ticks, found.mfe_ticks), (8.0, 4.0));
        assert_eq!(found.stops, [(sample::START, Price::from_ticks(20_008))]);
        assert_eq!(found.target, Some(Price::from_ticks(19_984)));
    }
}
