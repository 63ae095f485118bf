//! Rows left out change nothing: all rows, those that matter, and the backtest itself come to the same.

use mes_core::{
    bar::Bar,
    dice::Draw,
    fills::{Latency, Model},
    interval::Interval,
    limits::is_death,
    prediction::Prediction,
    price::Price,
    row::Row,
    rules::{Breakers, EntryBy, StopBy},
    session::Filter,
    symbol::Symbol,
    time::{HOUR, MILLI, MINUTE, SECOND, Ts},
};
use mes_pipe::{Lineage, Settings, SettingsArgs, journal::Journal};
use mes_risk::trade::{Next, Rows, Stream, trade};
use proptest::prelude::*;

use super::{columns::Columns, walk::Skip, *};
use mes_judge::{facts::Facts, recorder::Recorder};

/// 2026-11-02T14:31:00Z, a Monday.
const START: Ts = 1_793_629_860 * SECOND;

/// Days of stretches of seconds around noon, at night and over the day's end, with holes, empty seconds, bursts.
fn market(seed: u64, days: i64) -> Vec<Row> {
    let mut draw = Draw::new(seed, 0);
    let (mut rows, mut price, mut seg) = (Vec::new(), 20_000_i64, 0);
    let mut percent = 100;
    let mut symbols: [Symbol; 2] = ["MESZ6", "MESH7"].map(|name| name.parse().expect("a symbol"));
    // In a calm market trades last until the day's end and over holes.
    let calm = if seed.is_multiple_of(2) { 0.97 } else { 0.0 };
    for day in 0..days {
        // On even days the rows go on over flat-by, on odd ones they break off before it.
        let late = if day % 2 == 0 { 1200 } else { 0 };
        for (hour, seconds) in [(-9, 200), (0, 600), (2, 400), (5, 2700), (6, late), (8, 900)] {
            seg += 1;
            let mut ts = START + day * 24 * HOUR + hour * HOUR + 50 * MINUTE;
            for _ in 0..seconds {
                if draw.unit() < 0.002 {
                    ts += 400 * SECOND;
                    seg += 1;
                }
                ts += SECOND;
                let wide = match draw.unit() {
                    unit if unit < calm => 0,
                    unit if unit < 0.98 => 2,
                    _ => 12 - (10.0 * calm) as usize,
                };
                let moved = |draw: &mut Draw| draw.below(2 * wide + 1) as i64 - wide as i64;
                let (open, close) = (price + moved(&mut draw), price + moved(&mut draw));
                let (high, low) =
                    (open.max(close) + draw.below(3) as i64, open.min(close) - draw.below(3) as i64);
                price = close;
                // Prices that no market makes, for a row or from here on, and another contract.
                match draw.unit() {
                    unit if unit < 0.00005 => percent = 215 - percent,
                    unit if unit < 0.0003 => symbols.swap(0, 1),
                    _ => {}
                }
                let percent = if draw.unit() < 0.001 { 215 - percent } else { percent };
                let price_of = |ticks: i64| Price::from_ticks(ticks * percent / 100);
                let quoted = draw.unit() < 0.9;
                rows.push(Row {
                    bar: Bar {
                        ts,
                        open: price_of(open),
                        high: price_of(high),
                        low: price_of(low),
                        close: price_of(close),
                        volume: draw.below(4) as i64,
                        bid: quoted.then(|| price_of(close)),
                        ask: quoted.then(|| price_of(close + 1)),
                        age_ms: (draw.unit() < 0.7).then(|| draw.below(9000) as i64),
                        seg,
                        symbol: symbols[0],
                        ..Bar::default()
                    },
                    prediction: prediction(&mut draw),
                });
            }
        }
    }
    rows
}

fn prediction(draw: &mut Draw) -> Prediction {
    let kind = draw.unit();
    if kind < 0.1 {
        return Prediction::default();
    }
    let dir = if kind < 0.9 {
        0.0
    } else if kind < 0.95 {
        1.0
    } else {
        -1.0
    };
    let conf = 0.5 + 0.5 * draw.unit() as f32;
    let size = (draw.unit() < 0.2).then(|| draw.below(3) as f32 / 2.0 + 0.5);
    Prediction { dir: Some(dir), conf: Some(conf), size, ..Prediction::default() }
}

/// The owner's rules and costs with some of them moved about.
fn settings(draw: &mut Draw) -> Settings {
    let args = SettingsArgs::default();
    let mut settings = args.read().expect("settings");
    settings.fills.model = [Model::Conservative, Model::Realistic, Model::Optimistic][draw.below(3)];
    if settings.fills.model != Model::Optimistic {
        settings.fills.latency = Latency::constant([0, 300, 2500][draw.below(3)] * MILLI).expect("a latency");
    }
    let rules = &mut settings.rules.value;
    let mut pick = |values: &[i64]| values[draw.below(values.len())];
    rules.exits.stop_ticks = pick(&[4, 8, 16]);
    rules.exits.target_ticks = pick(&[4, 16, 60]);
    rules.exits.trail_after_ticks = pick(&[0, 0, 6]);
    rules.exits.max_hold_s = pick(&[0, 0, 45]);
    rules.exits.on_opposite_signal = pick(&[0, 1]) == 1;
    rules.entries.cooldown_s = pick(&[0, 30, 300]);
    rules.entries.confidence = pick(&[50, 60, 75]) as f32 / 100.0;
    rules.exits.stop = [StopBy::Ticks, StopBy::Atr, StopBy::Structure][pick(&[0, 1, 2]) as usize];
    rules.reversals.enabled = pick(&[0, 1]) == 1;
    if pick(&[0, 1]) == 1 {
        rules.breakers = Breakers::off();
    }
    if pick(&[0, 1]) == 1 {
        rules.entries.session = mes_core::rules::EntrySession::All;
    }
    let scale = pick(&[1, 1, 4, 1000]);
    rules.entries.entry = [EntryBy::Market, EntryBy::Limit][pick(&[0, 0, 1]) as usize];
    rules.entries.limit_offset_ticks = pick(&[-2, 0, 2]);
    rules.entries.limit_lifetime_ms = pick(&[1_000, 30_000, 600_000]);
    rules.capital_usd *= scale as f64;
    for limit in [
        &mut rules.limits.daily_loss_usd,
        &mut rules.limits.daily_drawdown_usd,
        &mut rules.limits.account_drawdown_usd,
        &mut rules.limits.kill_loss_usd,
        &mut rules.limits.per_trade_usd,
    ] {
        *limit *= scale as f64;
    }
    settings
}

struct Given<'a>(std::slice::Iter<'a, Row>);

impl Rows for Given<'_> {
    fn next(&mut self) -> Result<Next<'_>> {
        Ok(self.0.next().map_or(Next::End, Next::Row))
    }
}

/// Half of the markets have columns of bid and ask.
fn stream(seed: u64) -> Stream {
    let quotes = seed % 4 < 2;
    Stream { quotes, ..Stream::new(Interval::SECOND, Filter::All, Lineage::default()) }
}

fn backtest(rows: &[Row], settings: &Settings, seed: u64) -> Facts {
    let mut broker = mes_exec::paper(settings).expect("a broker");
    let mut recorder = Recorder::new(settings.calendar.value.clone(), None);
    let listener: &mut dyn Journal = &mut recorder;
    trade(&mut Given(rows.iter()), &mut broker, &mut Boxed(listener), settings, &stream(seed), None)
        .expect("trades");
    recorder.finish().expect("finishes")
}

/// Lends a journal to the loop.
struct Boxed<'a>(&'a mut dyn Journal);

impl Journal for Boxed<'_> {
    fn run(&mut self, run: &mes_core::run::Run) -> Result<()> {
        self.0.run(run)
    }
    fn row(&mut self, row: &Row) -> Result<()> {
        self.0.row(row)
    }
    fn statement(&mut self, statement: &mes_core::statement::Statement) -> Result<()> {
        self.0.statement(statement)
    }
    fn verdict(&mut self, verdict: &mes_core::verdict::Verdict) -> Result<()> {
        self.0.verdict(verdict)
    }
    fn person(&mut self, person: &mes_core::person::Person) -> Result<()> {
        self.0.person(person)
    }
    fn end(&mut self) -> Result<()> {
        self.0.end()
    }
    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

fn replayed(columns: &Columns, settings: &Settings, skip: Skip) -> Tally {
    let days = Days { from: 0, to: columns.days().len() };
    let never = |_: usize, _: &Tally| false;
    run(columns, days, settings, &Checkpoints { days: &[1, 2], stop: &never }, skip).expect("trades")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_out_changes_nothing(seed in any::<u64>()) {
        let rows = market(seed, 4);
        let settings = settings(&mut Draw::new(seed, 1));
        let columns = Columns::of_rows(&rows, stream(seed), &settings).expect("fits");
        let (all, few) = (replayed(&columns, &settings, Skip::No), replayed(&columns, &settings, Skip::Yes));
        let results = backtest(&rows, &settings, seed);
        let count = columns.days().len();
        prop_assert_eq!(&all.trades, &few.trades);
        prop_assert_eq!(&all.trades, &results.trades);
        prop_assert_eq!(all.equity(count), few.equity(count));
        let days: Vec<_> = results.days.iter().map(|day| (day.start_cents, day.end_cents)).collect();
        prop_assert_eq!(few.equity(count), days);
        prop_assert_eq!((all.drawdown, all.died, &all.death), (few.drawdown, few.died, &few.death));
        let death = results.alerts.iter().find(|alert| is_death(&alert.rule));
        prop_assert_eq!(few.death.as_ref(), death);
        prop_assert_eq!(few.drawdown, results.drawdown_cents);
        prop_assert!(results.days.len() + results.days_dead >= 4);
        prop_assert!(few.died || results.days_dead == 0);
    }
}

/// The markets above are worth testing on: they trade, leave by many ways, reach limits, and die.
#[test]
fn the_markets_exercise_the_rules() {
    let (mut trades, mut exits, mut died, mut alerts) = (0, std::collections::BTreeSet::new(), 0, 0);
    for seed in 0..40 {
        let results = backtest(&market(seed, 4), &settings(&mut Draw::new(seed, 1)), seed);
        trades += results.trades.len();
        exits.extend(results.trades.iter().map(|trade| trade.exit.name()));
        alerts += results.alerts.len();
        died += usize::from(results.alerts.iter().any(|alert| is_death(&alert.rule)));
    }
    assert!(
        trades > 500 && exits.len() >= 6 && died >= 2 && alerts > died,
        "{trades} {exits:?} {died} {alerts}"
    );
}

#[test]
fn rows_come_out_as_they_went_in() {
    let rows = market(5, 1);
    let settings = settings(&mut Draw::new(5, 1));
    let columns = Columns::of_rows(&rows, stream(5), &settings).expect("fits");
    assert_eq!(columns.len(), rows.len());
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(columns.row(index), *row, "{index}");
    }
}

/// A trial given up has what it had, and nothing more.
#[test]
fn a_checkpoint_stops_where_it_stands() {
    let rows = market(7, 4);
    let settings = settings(&mut Draw::new(1, 1));
    let columns = Columns::of_rows(&rows, stream(7), &settings).expect("fits");
    let days = Days { from: 0, to: columns.days().len() };
    let stop = |checkpoint: usize, _: &Tally| checkpoint == 1;
    let cut = run(&columns, days, &settings, &Checkpoints { days: &[1, 2, 3], stop: &stop }, Skip::Yes)
        .expect("trades");
    let whole = replayed(&columns, &settings, Skip::Yes);
    assert_eq!(cut.stopped_at, Some(1));
    assert_eq!(cut.equity(2), whole.equity(2));
    let until = columns.row(columns.start_of(2)).bar.ts;
    let early = whole.trades.iter().filter(|trade| trade.exited < until).count();
    assert_eq!(cut.trades, whole.trades[..early]);
}
