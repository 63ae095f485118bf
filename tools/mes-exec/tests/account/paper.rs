//! Whatever rows and orders come, the paper account keeps its books and fills nothing that a market would not.

use std::collections::{BTreeMap, BTreeSet};

use mes_core::{
    bar::Bar,
    broker::Broker,
    calendar::Calendar,
    money::Cents,
    order::{Action, ExitReason, Order, Side, Signal},
    price::Price,
    schedule::Schedule,
    session::Filter,
    statement::{Fill, Role, Statement},
    time::{self, SECOND, Ts},
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::{Settings, clock::Clock};
use proptest::{prelude::*, test_runner::RngSeed};

use crate::desk::settings;

/// One row as it follows from the one before, and what is ordered after it.
#[derive(Clone, Debug)]
struct Step {
    seconds: i64,
    breaks: bool,
    open: i64,
    up: i64,
    down: i64,
    close: i64,
    volume: i64,
    order: Option<Ordered>,
}

#[derive(Clone, Copy, Debug)]
enum Ordered {
    Enter {
        buy: bool,
        contracts: i64,
        stop_ticks: i64,
        target_ticks: i64,
    },
    Exit,
    /// So many ticks from the close.
    MoveStop(i64),
}

fn ordered() -> impl Strategy<Value = Option<Ordered>> {
    let enter = (any::<bool>(), -1..8_i64, 0..22_i64, 0..30_i64).prop_map(
        |(buy, contracts, stop_ticks, target_ticks)| {
            Some(Ordered::Enter { buy, contracts, stop_ticks, target_ticks })
        },
    );
    prop_oneof![
        4 => Just(None),
        4 => enter,
        1 => Just(Some(Ordered::Exit)),
        1 => (-15..15_i64).prop_map(|ticks| Some(Ordered::MoveStop(ticks))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    // Seconds, minutes, hours, a night, a weekend.
    let seconds = prop_oneof![20 => Just(1_i64), 3 => 2..400_i64, 1 => 400..8000_i64, 1 => Just(60_000), 1 => Just(200_000)];
    let shape = (-3..4_i64, 0..7_i64, 0..7_i64, 0..100_i64, prop_oneof![1 => Just(0_i64), 3 => 1..50_i64]);
    let gap = prop_oneof![20 => Just(0_i64), 1 => -40..40_i64];
    (seconds, 0..40_u8, gap, shape, ordered()).prop_map(
        |(seconds, breaks, gap, (open, up, down, close, volume), order)| Step {
            seconds,
            breaks: breaks == 0 || seconds > 300,
            open: open + gap,
            up,
            down,
            close,
            volume,
            order,
        },
    )
}

/// New York's morning, the minutes around 16:30, an early close, a summer with a pause, a Sunday evening.
const STARTS: [&str; 7] = [
    "2026-11-20T15:00:00Z",
    "2026-11-20T21:24:30Z",
    "2026-11-20T21:28:50Z",
    "2026-11-27T17:50:00Z",
    "2021-06-24T19:55:00Z",
    "2026-11-22T23:00:00Z",
    "2026-11-19T21:59:50Z",
];

fn bars(start: usize, steps: &[Step]) -> Vec<Bar> {
    let mut ts = time::parse(STARTS[start]).expect("a time");
    let (mut ticks, mut seg) = (20_000, 0);
    let mut bars = Vec::new();
    for step in steps {
        ts += step.seconds * SECOND;
        seg += i64::from(step.breaks);
        // A row without trades stands at the last close.
        let (open, up, down) =
            if step.volume == 0 { (ticks, 0, 0) } else { (ticks + step.open, step.up, step.down) };
        let (high, low) = (open + up, open - down);
        let close = low + step.close * (high - low) / 99;
        ticks = close;
        let [open, high, low, close] = [open, high, low, close].map(Price::from_ticks);
        bars.push(Bar { ts, open, high, low, close, volume: step.volume, seg, ..Bar::default() });
    }
    bars
}

/// An order that waits, and the row after which it came.
#[derive(Clone, Copy, Debug)]
struct Sent {
    row: usize,
    action: Ordered,
}

/// The books that we keep ourselves.
struct Books {
    balance: Cents,
    position: i64,
    entry: Option<Fill>,
    /// Where the stop stood before the row, and where the target.
    stop: Option<Price>,
    target: Option<Price>,
    moved: bool,
    sent: BTreeMap<u64, Sent>,
    refused: BTreeSet<u64>,
    filled: BTreeSet<u64>,
    schedule: Schedule,
    flat_at: Option<Ts>,
}

const SIDE_COST: Cents = Cents(42);

fn cents(ticks: i64, contracts: i64) -> Cents {
    Cents(ticks * 125 * contracts)
}

impl Books {
    fn new(settings: &Settings) -> Self {
        let flat_by = settings.rules.value.day_end.flat_by;
        Books {
            balance: settings.rules.value.capital(),
            position: 0,
            entry: None,
            stop: None,
            target: None,
            moved: false,
            sent: BTreeMap::new(),
            refused: BTreeSet::new(),
            filled: BTreeSet::new(),
            schedule: Schedule::new(Calendar::shipped(), flat_by, None, Filter::All),
            flat_at: None,
        }
    }

    /// Checks the statement of `bars[row]` against everything known before it.
    fn check(&mut self, bars: &[Bar], row: usize, statement: &Statement) {
        let bar = &bars[row];
        assert_eq!(statement.ts, bar.ts);
        for refusal in &statement.refused {
            self.refused.insert(refusal.order);
        }
        for fill in &statement.fills {
            match fill.exit {
                None => self.entered(bars, row, fill),
                Some(reason) => self.left(bars, row, fill, reason),
            }
        }
        assert!(self.refused.is_disjoint(&self.filled), "a refused order filled");
        self.books_agree(statement, bar.close);
        // Flat by the day's end, and by what comes after it if no row came in time.
        if let Some(flat_at) = self.flat_at
            && flat_at <= bar.ts
        {
            assert_eq!(statement.position, 0, "in a position at {}", time::format(bar.ts));
        }
        self.flat_at = self.schedule.of_bar(bar.ts).map(|today| today.end.flat).filter(|flat| bar.ts < *flat);
    }

    fn entered(&mut self, bars: &[Bar], row: usize, fill: &Fill) {
        let bar = &bars[row];
        let sent = self.sent[&fill.order.expect("of an order")];
        let Ordered::Enter { contracts, stop_ticks, target_ticks, .. } = sent.action else {
            panic!("{fill:?} of no entry")
        };
        assert!(bar.volume > 0 && fill.ts == bar.ts && fill.contracts == contracts);
        let first = (sent.row + 1..bars.len()).find(|row| bars[*row].volume > 0);
        assert_eq!(first, Some(row), "filled in another row than the first that traded");
        assert!(bars[sent.row..=row].iter().all(|other| other.seg == bar.seg), "filled over a break");
        assert!(bar.ts - SECOND <= bars[sent.row].ts + 2 * SECOND, "filled after its lifetime");
        let sign = fill.side.sign();
        assert_eq!(fill.price, bar.open + sign * slippage(fill));
        assert!(slippage(fill) > 0 && self.position == 0);
        assert!(contracts <= 5 && stop_ticks <= 18, "the guard let {contracts} with {stop_ticks} pass");
        self.stop = Some(fill.price - sign * stop_ticks);
        self.target = Some(fill.price + sign * target_ticks);
        self.moved = false;
        self.book(fill);
        self.entry = Some(fill.clone());
    }

    fn left(&mut self, bars: &[Bar], row: usize, fill: &Fill, reason: ExitReason) {
        let bar = &bars[row];
        let entry = self.entry.take().expect("an exit without an entry");
        let sign = entry.side.sign();
        assert_eq!((fill.side, fill.contracts), (entry.side.opposite(), entry.contracts));
        assert_eq!(fill.gross_cents, cents(sign * (fill.price - entry.price), entry.contracts));
        let slipped = sign * slippage(fill);
        let (stop, target) = (self.stop.take().expect("a stop"), self.target.take().expect("a target"));
        let worst = if sign > 0 { bar.low } else { bar.high };
        let best = if sign > 0 { bar.high } else { bar.low };
        let through = sign * (best - target) > 0;
        match reason {
            ExitReason::DataGap | ExitReason::SessionEnd => {
                let before = &bars[row - 1];
                assert_eq!((fill.ts, fill.price), (before.ts, before.close - slipped));
                assert!(slippage(fill) >= 2);
            }
            ExitReason::Target => {
                assert!(bar.volume > 0 && through, "a target that was only touched");
                assert_eq!((fill.price, slippage(fill)), (target, 0));
            }
            // A bracket that acts in its price's own time.
            ExitReason::Stop | ExitReason::Trail if fill.order == entry.order => {
                assert!(bar.volume > 0 && sign * (stop - worst) >= 0, "a stop that was not touched");
                let reached = if sign * (stop - bar.open) >= 0 { bar.open } else { stop };
                assert_eq!(fill.price, reached - slipped);
                assert_eq!(fill.ambiguous, Some(reached == stop && bar.open != stop && through));
                assert_eq!(reason == ExitReason::Trail, self.moved);
            }
            _ => {
                assert!(bar.volume > 0 && fill.ts == bar.ts);
                assert_eq!(fill.price, bar.open - slipped, "{reason:?}");
            }
        }
        self.book(fill);
    }

    fn book(&mut self, fill: &Fill) {
        self.filled.insert(fill.order.expect("of an order"));
        self.position += fill.side.sign() * fill.contracts;
        assert_eq!(fill.commission_cents, SIDE_COST * fill.contracts);
        self.balance += fill.gross_cents - fill.commission_cents;
    }

    fn books_agree(&self, statement: &Statement, close: Price) {
        assert_eq!((statement.position, statement.balance_cents), (self.position, self.balance));
        let open = self.entry.as_ref().map_or(Cents::ZERO, |entry| {
            let ticks = entry.side.sign() * (close - entry.price);
            cents(ticks, entry.contracts) - SIDE_COST * entry.contracts
        });
        assert_eq!(statement.equity_cents, self.balance + open);
        let stop = statement.working.iter().find(|order| order.role == Role::Stop);
        match stop {
            Some(stop) => assert_eq!((stop.contracts, stop.price), (self.position.abs(), self.stop)),
            None => assert_eq!(self.position, 0, "a position without a stop"),
        }
    }

    /// Says whether the guard lets the stop of the position move there: never back, never further than a new one.
    fn may_move(&self, stop: Price) -> bool {
        let (Some(entry), Some(present)) = (&self.entry, self.stop) else { return false };
        let sign = entry.side.sign();
        sign * (stop - present) >= 0 && sign * (stop - entry.price) >= -18
    }

    /// Turns what the step orders into an order.
    fn order(&mut self, id: u64, row: usize, bar: &Bar, action: Ordered) -> Order {
        self.sent.insert(id, Sent { row, action });
        let action = match action {
            Ordered::Enter { buy, contracts, stop_ticks, target_ticks } => {
                let side = if buy { Side::Buy } else { Side::Sell };
                Action::Enter { side, contracts, stop_ticks, target_ticks, confidence: 0.7, limit: None }
            }
            Ordered::Exit => Action::Exit { reason: ExitReason::Signal },
            Ordered::MoveStop(ticks) => {
                let stop = bar.close + ticks;
                if self.may_move(stop) {
                    (self.stop, self.moved) = (Some(stop), true);
                }
                Action::MoveStop { stop }
            }
        };
        Order { ts: bar.ts, id, signal: Signal::Hold, contract: Default::default(), action }
    }
}

fn run(start: usize, steps: &[Step]) -> usize {
    let (settings, bars) = (settings(), bars(start, steps));
    let mut broker = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
    let mut books = Books::new(&settings);
    for (row, step) in steps.iter().enumerate() {
        let statement = broker.on_bar(&bars[row]).expect("a statement").clone();
        books.check(&bars, row, &statement);
        if let Some(action) = step.order {
            let order = books.order(row as u64 + 1, row, &bars[row], action);
            broker.submit(&order).expect("submitted");
        }
    }
    let statement = broker.end().expect("a statement");
    assert_eq!(statement.position, 0);
    let last: Cents = statement.fills.iter().map(|fill| fill.gross_cents - fill.commission_cents).sum();
    assert_eq!(statement.balance_cents, books.balance + last);
    assert_eq!(statement.equity_cents, statement.balance_cents);
    books.filled.len()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3000, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_books_agree_for_any_rows_and_orders(
        start in 0..STARTS.len(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        run(start, &steps);
    }
}

/// The rows above trade at all: most runs of them fill some order.
#[test]
fn the_rows_trade() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(step(), 100);
    let trading =
        (0..100).filter(|_| run(0, &strategy.new_tree(&mut runner).expect("steps").current()) >= 3).count();
    assert!(trading > 80, "{trading} of 100");
}

fn slippage(fill: &Fill) -> i64 {
    fill.slippage_ticks.expect("paper says it")
}
