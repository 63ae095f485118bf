//! Fill models and latencies, to the tick, worked out by hand.

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello},
    fills::Model,
    ledger::Ledger,
    market::Market,
    money::Cents,
    order::{Action, ExitReason, Order, Side, Signal},
    price::Price,
    run::{Run, VERSION},
    session::Filter,
    statement::Fill,
    time::{self, MINUTE},
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::{Settings, SettingsArgs, clock::Clock};

use crate::desk::settings_of;

/// A second of the cash session: open, high, low, close.
fn bar(second: i64, prices: [f64; 4], volume: i64) -> Bar {
    let [open, high, low, close] = prices.map(Price::nearest);
    let start = time::parse("2026-11-20T15:00:00Z").expect("a time");
    let ts = start + second * time::SECOND;
    Bar { ts, open, high, low, close, volume, seg: 1, ..Bar::default() }
}

fn enter(side: Side) -> Action {
    Action::Enter { side, contracts: 1, stop_ticks: 8, target_ticks: 16, confidence: 0.9, limit: None }
}

/// Sends seconds 1, 2, 3 … of these prices, each with what is ordered after it, and returns the fills.
fn fills(model: Model, latency_ms: i64, rows: &[([f64; 4], Option<Action>)]) -> Vec<Fill> {
    let mut paper = Paper::new(&settings_of(model, latency_ms));
    let mut fills = Vec::new();
    for (second, (prices, action)) in (1..).zip(rows) {
        let bar = bar(second, *prices, 5);
        fills.extend(paper.on_bar(&bar).expect("a statement").fills.iter().cloned());
        if let Some(action) = action.clone() {
            let order = Order {
                ts: bar.ts,
                id: second as u64,
                signal: Signal::Hold,
                contract: Default::default(),
                action,
            };
            paper.submit(&order).expect("submitted");
        }
    }
    fills
}

/// Second of the run and price of a fill.
fn place(fill: &Fill) -> (i64, f64) {
    ((fill.ts - bar(0, [0.0; 4], 0).ts) / time::SECOND, fill.price.points())
}

const DECIDED: [f64; 4] = [5000.0; 4];
const UP: [f64; 4] = [5001.0, 5002.0, 4999.0, 5001.5];
const LATER: [f64; 4] = [5003.0, 5003.0, 5002.5, 5002.5];

#[test]
fn an_entry_fills_where_its_model_and_latency_say() {
    use Model::{Conservative, Optimistic, Realistic};
    for (model, latency_ms, bought, sold) in [
        // The open of the next row and a tick.
        (Conservative, 0, (2, 5001.25), (2, 5000.75)),
        (Realistic, 0, (2, 5001.25), (2, 5000.75)),
        // The close that decided.
        (Optimistic, 0, (1, 5000.0), (1, 5000.0)),
        // Within the next row: the worse of its open and close.
        (Conservative, 300, (2, 5001.75), (2, 5000.75)),
        (Conservative, 999, (2, 5001.75), (2, 5000.75)),
        // At its end: the open after it.
        (Conservative, 1000, (3, 5003.25), (3, 5002.75)),
        (Conservative, 1500, (3, 5003.25), (3, 5002.25)),
    ] {
        for (side, wanted) in [(Side::Buy, bought), (Side::Sell, sold)] {
            let rows = [(DECIDED, Some(enter(side))), (UP, None), (LATER, None)];
            let found = fills(model, latency_ms, &rows);
            assert_eq!(found.first().map(place), Some(wanted), "{model:?} {latency_ms} ms {side:?}");
        }
    }
}

#[test]
fn a_touched_target_fills_but_conservatively_and_in_doubt_the_stop_does() {
    use Model::{Conservative, Optimistic, Realistic};
    // Bought at the open of the second row: 5000.25, or 5000 at the signal.
    let after = |model, prices| {
        let found = fills(model, 0, &[(DECIDED, Some(enter(Side::Buy))), (DECIDED, None), (prices, None)]);
        found
            .get(1)
            .map(|fill| (fill.exit.expect("a reason"), fill.price.points(), fill.ambiguous == Some(true)))
    };
    let touched = |high| [5000.0, high, 5000.0, 5001.0];
    assert_eq!(after(Conservative, touched(5004.25)), None);
    assert_eq!(after(Conservative, touched(5004.5)), Some((ExitReason::Target, 5004.25, false)));
    assert_eq!(after(Realistic, touched(5004.25)), Some((ExitReason::Target, 5004.25, false)));
    assert_eq!(after(Realistic, touched(5004.0)), None);
    assert_eq!(after(Optimistic, touched(5004.0)), Some((ExitReason::Target, 5004.0, false)));
    let both = [5000.0, 5006.0, 4990.0, 5000.0];
    assert_eq!(after(Conservative, both), Some((ExitReason::Stop, 4998.0, true)));
    assert_eq!(after(Realistic, both), Some((ExitReason::Stop, 4998.0, true)));
    assert_eq!(after(Optimistic, both), Some((ExitReason::Target, 5004.0, true)));
}

#[test]
fn an_exit_asked_for_again_does_not_begin_its_way_anew() {
    let exit = Some(Action::Exit { reason: ExitReason::EodFlatten });
    let mut rows = vec![(DECIDED, Some(enter(Side::Buy))), (DECIDED, None), (DECIDED, None), (DECIDED, None)];
    rows.extend((0..5).map(|_| (DECIDED, exit.clone())));
    // Bought in the fourth row; asked to leave after the fifth, so it arrives within the eighth.
    let found = fills(Model::Conservative, 2500, &rows);
    assert_eq!(found.iter().map(place).collect::<Vec<_>>(), [(4, 5000.25), (8, 4999.75)]);
}

#[test]
fn a_moved_stop_acts_when_it_has_arrived() {
    let moved = |latency_ms| {
        let rows = [
            (DECIDED, Some(enter(Side::Buy))),
            (DECIDED, None),
            (DECIDED, None),
            ([5002.0; 4], Some(Action::MoveStop { stop: Price::nearest(5001.0) })),
            ([5002.0, 5002.0, 5000.5, 5002.0], None),
            ([5002.0, 5002.0, 5000.5, 5002.0], None),
        ];
        fills(Model::Conservative, latency_ms, &rows).get(1).map(place)
    };
    assert_eq!(moved(0), Some((5, 5000.75)));
    assert_eq!(moved(1000), Some((6, 5000.75)));
    assert_eq!(moved(2000), None);
}

#[test]
fn a_stop_asked_for_again_does_not_begin_its_way_anew() {
    let mut rows = vec![(DECIDED, Some(enter(Side::Buy))), (DECIDED, None), (DECIDED, None)];
    let ask = Some(Action::MoveStop { stop: Price::nearest(5001.0) });
    rows.extend((0..3).map(|_| ([5002.0; 4], ask.clone())));
    rows.push(([5002.0, 5002.0, 5000.5, 5002.0], None));
    // Asked for after the fourth row, so it arrives within the sixth and acts from the seventh on.
    assert_eq!(fills(Model::Conservative, 1500, &rows).get(1).map(place), Some((7, 5000.75)));
}

#[test]
fn what_is_given_as_latency_is_read_or_refused() {
    let args = |fills, latency: &str| SettingsArgs {
        rules: "mes-1k".into(),
        costs: "owner".into(),
        fills,
        latency: latency.into(),
        ..SettingsArgs::default()
    };
    use mes_pipe::settings::FillModel::{Conservative, Optimistic};
    let read = args(Conservative, "85.5").read().expect("reads");
    assert_eq!(read.fills.latency.of(1, 1), 85_500_000);
    for (fills, latency, code) in [
        (Conservative, "-1", 2),
        (Conservative, "nan", 2),
        (Conservative, "60001", 2),
        (Conservative, "no/such/file.csv", 2),
        (Optimistic, "1", 2),
    ] {
        assert_eq!(args(fills, latency).read().expect_err(latency).code(), code, "{latency}");
    }
}

/// An hour of minutes that move 4 ticks, then one that moves `range`; an entry in the minute after pays by it.
#[test]
fn a_wild_market_costs_more_and_what_was_wild_is_in_the_run_record() {
    let minute = |number: i64, range: i64| {
        let high = 5000.0 + range as f64 * 0.25;
        let prices = [5000.0, high, 5000.0, 5000.0];
        Bar { ts: bar(number * 60, prices, 50).ts, ..bar(0, prices, 50) }
    };
    for (range, slippage_ticks) in [(4, 1), (140, 3), (900, 4)] {
        let mut rows: Vec<Bar> = (1..=60).map(|number| minute(number, 4)).collect();
        rows.push(minute(61, range));
        let settings = settings_of(Model::Conservative, 0);
        // One account lives through the hour, another takes it up from what risk remembers of it.
        let mut market = Market::default();
        for row in &rows {
            market.push(row, MINUTE);
        }
        let ledger = Ledger { market, ts: Some(minute(61, 4).ts), ..Ledger::new(Cents(100_000)) };
        for (ledger, rows) in [(Ledger::new(Cents(100_000)), rows.as_slice()), (ledger, &rows[60..])] {
            let mut paper = Paper::new(&settings);
            let hello = paper.hello().expect("a name");
            paper.begin(&run(&settings, hello, ledger)).expect("begins");
            for row in rows {
                paper.on_bar(row).expect("a statement");
            }
            let order = Order {
                ts: minute(61, 4).ts,
                id: 1,
                signal: Signal::Hold,
                contract: Default::default(),
                action: enter(Side::Buy),
            };
            paper.submit(&order).expect("submitted");
            let fills = &paper.on_bar(&minute(62, 4)).expect("a statement").fills;
            assert_eq!(
                fills.first().and_then(|fill| fill.slippage_ticks),
                Some(slippage_ticks),
                "{range} ticks"
            );
        }
    }
}

#[test]
fn a_row_beyond_the_calendar_is_an_error_of_the_data() {
    let settings = settings_of(Model::Conservative, 0);
    let mut guard = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
    let row = |ts: &str| Bar { ts: time::parse(ts).expect("a time"), ..bar(0, [5000.0; 4], 1) };
    assert!(guard.on_bar(&row("2030-12-31T15:00:00Z")).is_ok());
    let refused = guard.on_bar(&row("2031-01-02T15:00:00Z")).expect_err("refused");
    assert!(matches!(&refused, BrokerError::Data(what) if what.contains("beyond the calendar")), "{refused}");
}

/// The record of a run of minutes that begins with this ledger.
fn run(settings: &Settings, broker: Hello, ledger: Ledger) -> Run {
    Run {
        v: VERSION,
        interval: "1m".into(),
        session: Filter::All,
        quotes: false,
        rules: settings.rules.clone(),
        costs: settings.costs.clone(),
        fills: settings.fills.clone(),
        calendar: settings.calendar.blake3.clone(),
        from: None,
        ledger,
        broker,
        kept: None,
        lineage: serde_json::Value::Null,
    }
}
