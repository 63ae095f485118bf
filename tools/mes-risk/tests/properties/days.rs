//! Every day from 2014 to 2030: no entry from fifteen minutes before flat-by, flat at flat-by, and on every day a trade
//! that had to be closed for it.

use chrono::{Datelike, Days, NaiveDate};
use mes_core::{
    bar::Bar,
    calendar::Calendar,
    interval::Interval,
    order::{Action, ExitReason},
    prediction::Prediction,
    price::Price,
    row::Row,
    rules::{Breakers, EntrySession},
    schedule::{Schedule, Today},
    session::{Day, Filter, Part},
    statement::Statement,
    time::{self, MINUTE, SECOND, Ts},
    verdict::Verdict,
};
use mes_exec::{guard::Guard, paper::Paper};
use mes_pipe::journal::Journal;
use mes_pipe::{Lineage, Result, Settings, SettingsArgs, clock::Clock};
use mes_risk::trade::{Stream, trade};

use crate::rows::Walk;

/// Returns shipped rules that no limit stops and that enter whenever a day allows.
fn settings(name: &str) -> Settings {
    let args = SettingsArgs { rules: name.into(), ..SettingsArgs::default() };
    let mut settings = args.read().expect("shipped settings");
    let rules = &mut settings.rules.value;
    rules.capital_usd = 1e6;
    rules.entries.session = EntrySession::All;
    rules.entries.cooldown_s = 0;
    rules.breakers = Breakers::off();
    (rules.exits.stop_ticks, rules.exits.target_ticks) = (18, 40);
    let limits = &mut rules.limits;
    (limits.daily_loss_usd, limits.daily_drawdown_usd) = (1e5, 1e5);
    (limits.account_drawdown_usd, limits.kill_loss_usd) = (1e6, 1e6);
    // An entry of the night costs a tick more.
    limits.per_trade_usd = 100.0;
    if let Some(prop) = &mut rules.prop {
        (prop.max_loss_usd, prop.target_usd) = (1e6, 1e6);
        prop.ladder[0].from_usd = -1e6;
    }
    settings
}

fn schedule(settings: &Settings, filter: Filter) -> Schedule {
    Schedule::new(Calendar::shipped(), settings.rules.value.day_end.flat_by, None, filter)
}

/// A row of a market that hardly moves, with a signal on every one.
fn row(ts: Ts, seg: i64) -> Row {
    let ticks = 20_000 + ts / SECOND % 3;
    let [open, high, low, close] = [ticks, ticks + 1, ticks - 1, ticks].map(Price::from_ticks);
    let bar = Bar { ts, open, high, low, close, volume: 3, seg, ..Bar::default() };
    Row { bar, prediction: Prediction { dir: Some(1.0), conf: Some(0.95), ..Prediction::default() } }
}

/// The minutes around the day's end, each step to the second, of every day that the stream has.
fn rows(settings: &Settings, filter: Filter) -> Vec<Row> {
    let mut schedule = schedule(settings, filter);
    let mut rows = Vec::new();
    let mut label = NaiveDate::from_ymd_opt(2014, 1, 1).expect("a date");
    while label.year() <= 2030 {
        if let Some(day) = Day::labelled(label, &Calendar::shipped())
            && let Some(end) = schedule.of_bar(day.open + SECOND).map(|today| today.end)
        {
            let mut stamps: Vec<Ts> = (-45..=25).map(|minute| end.flat + minute * MINUTE).collect();
            for step in [end.half_size, end.no_entry, end.exit, end.flat] {
                stamps.extend([step - SECOND, step, step + SECOND]);
            }
            stamps.sort_unstable();
            stamps.dedup();
            let open = |ts: &Ts| {
                let part = day.part(ts - 1);
                filter.keeps(part) && !matches!(part, Part::Closed | Part::Pause)
            };
            rows.extend(
                stamps.into_iter().filter(open).map(|ts| row(ts, i64::from(label.num_days_from_ce()))),
            );
        }
        label = label + Days::new(1);
    }
    rows
}

/// Holds every day to its end.
struct Watch {
    schedule: Schedule,
    today: Option<Today>,
    position: i64,
    days: usize,
    entries: usize,
    closed: usize,
    larger: i64,
}

impl Journal for Watch {
    fn row(&mut self, row: &Row) -> Result<()> {
        let today = self.schedule.of_bar(row.bar.ts).copied();
        if today.map(|today| today.label()) != self.today.map(|today| today.label()) {
            assert_eq!(self.position, 0, "a position overnight before {}", time::format(row.bar.ts));
            self.days += 1;
            self.larger = 0;
        }
        self.today = today;
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        let end = self.today.expect("a day").end;
        self.position = statement.position;
        self.closed += statement.fills.iter().filter(|f| f.exit == Some(ExitReason::EodFlatten)).count();
        let at = time::format(statement.ts);
        assert!(statement.ts < end.flat || statement.position == 0, "in a position at {at}");
        assert!(statement.ts < end.flat || statement.working.is_empty(), "orders at {at}");
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        let Verdict::Order(order) = verdict else { return Ok(()) };
        let end = self.today.expect("a day").end;
        if let Action::Enter { contracts, .. } = order.action {
            self.entries += 1;
            assert!(order.ts < end.no_entry, "an entry at {}", time::format(order.ts));
            if order.ts < end.half_size {
                self.larger = contracts;
            } else {
                assert!(self.larger == 0 || contracts <= self.larger);
            }
        }
        Ok(())
    }
}

#[test]
fn flat_by_flat_by_on_every_day() {
    for (name, filter) in [
        ("mes-1k", Filter::All),
        ("mes-1k", Filter::Rth),
        ("mes-1k-topstep", Filter::All),
        ("topstep-50k", Filter::All),
        ("topstep-150k", Filter::Rth),
    ] {
        let settings = settings(name);
        let rows = rows(&settings, filter);
        let mut broker = Guard::new(Paper::new(&settings), &settings, Clock::machine()).expect("a guard");
        let mut watch = Watch {
            schedule: schedule(&settings, filter),
            today: None,
            position: 0,
            days: 0,
            entries: 0,
            closed: 0,
            larger: 0,
        };
        let stream = Stream::new(Interval::SECOND, filter, Lineage::default());
        trade(&mut Walk(&rows), &mut broker, &mut watch, &settings, &stream, None).expect("traded");
        let Watch { days, entries, closed, .. } = watch;
        // About 252 cash sessions a year, and some nine holidays of the cash session on which the futures trade.
        assert!((4_250..4_420).contains(&days), "{name}: {days} days");
        assert!(entries >= days, "{name}: {entries} entries on {days} days");
        assert!(
            closed >= days * 99 / 100,
            "{name}: {closed} positions closed for the day's end on {days} days"
        );
    }
}
