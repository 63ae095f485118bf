//! Prices that no market makes, contracts that change, markets that stand at their limit: what fills, and at what price.

use mes_core::{
    bar::Bar,
    broker::Broker,
    fills::Model,
    money::Cents,
    order::{Action, ExitReason, Order, Side, Signal},
    price::Price,
    statement::{Role, Statement},
    time::{self, SECOND, Ts},
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::{Settings, clock::Clock};

use crate::desk::settings;

/// An account that is told seconds of one price each.
struct Day {
    paper: Paper,
    bar: Bar,
    order: u64,
    statement: Statement,
}

impl Day {
    /// Begins at this instant, at 5000.
    fn new(settings: &Settings, start: &str) -> Day {
        let symbol = "MESZ6".parse().expect("a symbol");
        let bar = Bar { ts: at(start), volume: 5, symbol, ..Bar::default() };
        let mut day = Day { paper: Paper::new(settings), bar, order: 0, statement: Statement::default() };
        day.second(5000.0);
        day
    }

    fn second(&mut self, price: f64) -> &Statement {
        self.row([price; 4])
    }

    /// Tells a second: open, high, low, close.
    fn row(&mut self, prices: [f64; 4]) -> &Statement {
        let [open, high, low, close] = prices.map(Price::nearest);
        self.bar = Bar { ts: self.bar.ts + SECOND, open, high, low, close, ..self.bar };
        self.statement = self.paper.on_bar(&self.bar).expect("a statement").clone();
        &self.statement
    }

    fn order(&mut self, action: Action) -> u64 {
        self.order += 1;
        let order = Order {
            ts: self.bar.ts,
            id: self.order,
            signal: Signal::Hold,
            contract: Default::default(),
            action,
        };
        self.paper.submit(&order).expect("submitted");
        self.order
    }

    fn enter(&mut self, side: Side) -> u64 {
        self.order(Action::Enter {
            side,
            contracts: 1,
            stop_ticks: 8,
            target_ticks: 16,
            confidence: 0.9,
            limit: None,
        })
    }

    fn exit(&mut self, reason: ExitReason) {
        self.order(Action::Exit { reason });
    }

    /// Returns the way out that the last statement tells of: why, at which price, for how much.
    fn left(&self) -> Option<(ExitReason, f64, i64)> {
        let fill = self.statement.fills.iter().find(|fill| fill.exit.is_some())?;
        Some((fill.exit?, fill.price.points(), fill.gross_cents.0))
    }

    fn refused(&self) -> Vec<(u64, &str)> {
        self.statement.refused.iter().map(|refusal| (refusal.order, refusal.reason.as_str())).collect()
    }
}

fn at(text: &str) -> Ts {
    time::parse(text).expect("a time")
}

const MORNING: &str = "2026-11-20T15:00:00Z";

#[test]
fn nothing_fills_at_a_price_that_no_market_makes() {
    for wrong in [50_000.0, 500.0, 5250.25, -5000.0] {
        let mut day = Day::new(&settings(), MORNING);
        day.enter(Side::Buy);
        day.second(5000.0);
        day.exit(ExitReason::Signal);
        // Through stop and target, with an exit on its way: the account stands where it stood.
        for _ in 0..9 {
            day.second(wrong);
            assert_eq!((day.left(), day.statement.position), (None, 1), "{wrong}");
            assert_eq!(day.statement.equity_cents, Cents(100_000 - 84 - 125), "{wrong}");
        }
        day.second(5001.0);
        assert_eq!(day.left(), Some((ExitReason::Signal, 5000.75, 250)), "{wrong}");
    }
}

#[test]
fn an_entry_never_waits_for_a_price_to_be_believed() {
    let mut day = Day::new(&settings(), MORNING);
    let entry = day.enter(Side::Buy);
    day.second(50_000.0);
    assert_eq!(day.refused(), [(entry, "price_jump")]);
    assert_eq!(day.second(5000.0).position, 0);
}

#[test]
fn a_confirmed_jump_closes_at_the_last_plausible_price() {
    for (side, gross) in [(Side::Buy, -375), (Side::Sell, -375)] {
        let mut day = Day::new(&settings(), MORNING);
        day.enter(side);
        day.second(5000.0);
        for _ in 0..9 {
            day.second(50_000.0);
            assert_eq!(day.left(), None);
        }
        day.second(50_000.0);
        let price = 5000.0 - side.sign() as f64 * 0.5;
        assert_eq!(day.left(), Some((ExitReason::PriceJump, price, gross)));
        assert_eq!(day.statement.balance_cents, Cents(100_000 + gross - 84));
        // From here on that is the price.
        day.enter(side);
        day.second(50_000.25);
        assert_eq!(day.statement.position, side.sign());
    }
}

#[test]
fn the_days_end_and_a_person_close_while_nothing_fills() {
    for reason in [ExitReason::EodFlatten, ExitReason::Limit] {
        let mut day = Day::new(&settings(), MORNING);
        day.enter(Side::Buy);
        day.second(5000.0);
        day.second(50_000.0);
        day.exit(reason);
        day.second(50_000.0);
        assert_eq!(day.left(), Some((reason, 4999.5, -375)));
    }
    // Nobody asks; the guard closes before flat-by, 21:30 UTC, and slippage is 2 ticks there, doubled.
    let settings = settings();
    let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
    let mut bar = Bar { ts: at("2026-11-20T21:20:00Z"), volume: 5, ..Bar::default() };
    let mut last = Statement::default();
    for second in 0..601 {
        bar.ts += SECOND;
        // Too wild to be confirmed.
        let price = Price::nearest(if second < 3 { 5000.0 } else { 50_000.0 * (1 + second % 3) as f64 });
        (bar.open, bar.high, bar.low, bar.close) = (price, price, price, price);
        last = guard.on_bar(&bar).expect("a statement").clone();
        if second == 0 {
            let action = Action::Enter {
                side: Side::Buy,
                contracts: 1,
                stop_ticks: 8,
                target_ticks: 16,
                confidence: 0.9,
                limit: None,
            };
            guard
                .submit(&Order {
                    ts: bar.ts,
                    id: 1,
                    signal: Signal::LongEntry,
                    contract: Default::default(),
                    action,
                })
                .expect("submitted");
        }
    }
    assert_eq!((last.position, last.balance_cents), (0, Cents(100_000 - 84 - 750)));
}

#[test]
fn another_contract_closes_at_the_last_price_of_the_old_one() {
    let mut day = Day::new(&settings(), MORNING);
    day.enter(Side::Buy);
    day.second(5000.0);
    // 60 points more, which is no gain of anybody's.
    day.bar.symbol = "MESH7".parse().expect("a symbol");
    day.second(5060.0);
    assert_eq!(day.left(), Some((ExitReason::Roll, 4999.5, -375)));
    assert_eq!(day.statement.balance_cents, Cents(100_000 - 375 - 84));
    let entry = day.enter(Side::Buy);
    day.bar.symbol = "MESM7".parse().expect("a symbol");
    day.second(5100.0);
    assert_eq!((day.refused(), day.statement.position), (vec![(entry, "roll")], 0));
}

#[test]
fn a_one_sided_or_far_quote_has_no_say_in_a_fill() {
    for (bid, ask) in [(None, Some(5500.0)), (Some(4000.0), Some(5500.0)), (Some(5000.25), Some(5000.0))] {
        let mut day = Day::new(&settings(), MORNING);
        (day.bar.bid, day.bar.ask) = (bid.map(Price::nearest), ask.map(Price::nearest));
        day.second(5000.0);
        day.enter(Side::Buy);
        day.second(5000.0);
        let fill = &day.statement.fills[0];
        assert_eq!((fill.price.points(), fill.spread_ticks), (5000.25, Some(0)), "{bid:?} {ask:?}");
    }
}

/// An account at 10:00 after a day that closed at 5000, with this many seconds at one price behind it.
fn locked(settings: &Settings, price: f64, seconds: usize) -> Day {
    let mut day = Day::new(settings, "2026-11-19T20:00:00Z");
    (day.bar.ts, day.bar.seg) = (at(MORNING), 1);
    for _ in 0..seconds {
        day.second(price);
    }
    day
}

#[test]
fn a_market_locked_below_fills_no_sells_and_above_no_buys() {
    let mut settings = settings();
    for model in [Model::Conservative, Model::Realistic, Model::Optimistic] {
        settings.fills.model = model;
        for (price, blocked) in [(4800.0, Side::Sell), (5200.0, Side::Buy)] {
            let mut day = locked(&settings, price, 60);
            let entry = day.enter(blocked);
            day.second(price);
            assert_eq!((day.refused(), day.statement.position), (vec![(entry, "locked")], 0), "{model:?}");
            day.enter(blocked.opposite());
            day.second(price);
            day.second(price);
            assert_eq!(day.statement.position, blocked.opposite().sign(), "the other side fills");
        }
    }
}

#[test]
fn an_exit_waits_in_a_locked_market_until_it_trades_elsewhere() {
    let settings = settings();
    let mut day = locked(&settings, 4800.0, 10);
    day.enter(Side::Buy);
    for _ in 0..60 {
        day.second(4800.0);
    }
    assert_eq!(day.statement.position, 1);
    day.exit(ExitReason::Signal);
    for _ in 0..100 {
        day.second(4800.0);
        assert_eq!((day.statement.position, day.statement.locked), (1, true));
    }
    day.row([4790.0, 4791.0, 4789.0, 4790.0]);
    assert_eq!((day.left(), day.statement.locked), (Some((ExitReason::Signal, 4789.75, -5250)), false));
}

#[test]
fn a_stop_that_is_touched_in_a_locked_market_leaves_when_the_lock_ends() {
    let settings = settings();
    let mut day = locked(&settings, 4800.0, 10);
    day.enter(Side::Buy);
    for _ in 0..60 {
        day.second(4800.0);
    }
    // Moved to where the price stands: it would sell, and nobody buys.
    day.order(Action::MoveStop { stop: Price::nearest(4799.75) });
    day.second(4800.0);
    day.order(Action::MoveStop { stop: Price::nearest(4800.0) });
    day.second(4800.0);
    let waits = day.statement.working.iter().any(|order| order.role == Role::Exit);
    assert!(waits && day.statement.position == 1 && day.statement.locked);
    day.row([4801.0, 4801.0, 4800.0, 4800.5]);
    assert_eq!(day.left().map(|(reason, price, _)| (reason, price)), Some((ExitReason::Trail, 4800.75)));
}
