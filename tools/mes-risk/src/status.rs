//! Where an account stands: position, the day's profit or loss, what is left under every limit, streaks, pauses, halts and
//! how each is lifted. Reads only, so it can be asked while the pipeline runs.

use std::fmt::Write as _;

use clap::Args;
use mes_core::{
    ledger::Ledger,
    limits::{LimitFacts, Limits, Used},
    money::Cents,
    order::Side,
    person::Person,
    price::Price,
    rules::Rules,
    time::{self, Ts},
    tz,
};
use mes_pipe::{AnswerArgs, Error, Result, answer::print};
use serde::Serialize;

use crate::{
    place::Place,
    say::lifted_by,
    state::{Folder, Glance, Snapshot, Waiting},
};

#[derive(Args, Clone, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// An account as of its last row.
#[derive(Debug, Serialize)]
pub struct Status {
    pub account: String,
    pub running: bool,
    pub rules: String,
    /// The last row judged.
    pub ts: Option<String>,
    pub day: Option<String>,
    pub position: i64,
    #[serde(flatten)]
    pub glance: Glance,
    pub balance_cents: Cents,
    pub equity_cents: Cents,
    pub day_pnl_cents: Cents,
    pub limits: Vec<Left>,
    pub losses_in_a_row: u32,
    pub stops: Vec<Stop>,
    /// What was said and waits for the next row.
    pub unheard: Vec<Person>,
    #[serde(skip)]
    at: Option<Ts>,
}

/// A limit and what of it is left.
#[derive(Clone, Debug, Serialize)]
pub struct Left {
    pub rule: String,
    pub limit_cents: Cents,
    pub used_cents: Cents,
    pub left_cents: Cents,
}

/// Something that keeps entries away, and what ends it.
#[derive(Clone, Debug, Serialize)]
pub struct Stop {
    pub rule: String,
    pub why: String,
    pub until: Option<String>,
    pub lifted_by: String,
}

/// Prints every account found: tables for a person, JSON lines when piped.
///
/// # Errors
///
/// What [`Status::of`] says, `Usage` where no account is found, `Failed` where stdout cannot be written.
pub fn run(args: &StatusArgs) -> Result<()> {
    let mut text = String::new();
    let json = args.answer.is_json();
    for folder in args.place.find()? {
        let status = Status::of(&folder)?;
        if json {
            text += &serde_json::to_string(&status).map_err(Error::failed)?;
            text.push('\n');
        } else {
            text += &status.table();
        }
    }
    print(text)
}

impl Status {
    /// Reads the status of an account.
    ///
    /// # Errors
    ///
    /// `Usage` where nothing has traded there, and what [`Folder::read`] refuses.
    pub fn of(folder: &Folder) -> Result<Status> {
        let running = folder.traded();
        let Some(snapshot) = folder.read()? else {
            return Err(Error::usage(format!("{}: nothing has traded there yet", folder.0.display())));
        };
        let unheard = folder.unheard(snapshot.told)?;
        Ok(Status::new(folder.name(), running, &snapshot, unheard))
    }

    fn new(account: String, running: bool, snapshot: &Snapshot, unheard: Vec<Person>) -> Status {
        let Snapshot { rules, ledger, glance, .. } = snapshot;
        let limits = left(&Limits::of(&rules.value), &LimitFacts::of(ledger));
        Status {
            account,
            running,
            rules: rules.value.name.clone(),
            ts: ledger.ts.map(time::format),
            day: ledger.day.map(|day| day.label.to_string()),
            position: ledger.position,
            glance: *glance,
            balance_cents: ledger.balance_cents,
            equity_cents: ledger.equity_cents,
            day_pnl_cents: ledger.day.map_or(Cents::ZERO, |day| ledger.equity_cents - day.start_cents),
            stops: stops(ledger, &rules.value, &limits),
            limits,
            losses_in_a_row: ledger.losses,
            unheard,
            at: ledger.ts,
        }
    }

    /// Returns the status as a person reads it, times as New York has them.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let running = if self.running { "trading now" } else { "not running" };
        let _ = writeln!(text, "{}  rules {}, {running}", self.account, self.rules);
        let line = |text: &mut String, name: &str, value: &str| {
            let _ = writeln!(text, "  {name:<26} {value}");
        };
        line(&mut text, "as of", &self.at.map_or("no row yet".into(), new_york));
        line(&mut text, "position", &self.position());
        line(&mut text, "equity, balance", &format!("{}, {}", self.equity_cents, self.balance_cents));
        line(&mut text, "today", &self.day_pnl_cents.to_string());
        line(&mut text, "losing trades in a row", &self.losses_in_a_row.to_string());
        for limit in &self.limits {
            let name = limit.rule.trim_end_matches("_usd").replace('_', " ");
            let Left { left_cents, limit_cents, .. } = limit;
            line(&mut text, &name, &format!("{left_cents} left of {limit_cents}"));
        }
        for stop in &self.stops {
            line(&mut text, "STOPPED", &format!("{}; {}", stop.why, stop.lifted_by));
        }
        for person in &self.unheard {
            let said = format!("{} ({}), on the next row", person.says.name(), person.reason);
            line(&mut text, "said", &said);
        }
        text
    }

    fn position(&self) -> String {
        if let (0, Some(Waiting { side, contracts, price })) = (self.position, self.glance.waiting) {
            let side = if side == Side::Buy { "buy" } else { "sell" };
            return format!("flat, waits to {side} {contracts} at {:.2} or better", price.points());
        }
        if self.position == 0 {
            return "flat".into();
        }
        let side = if self.position > 0 { "long" } else { "short" };
        let level = |name: &str, points: Option<f64>| {
            points.map_or_else(String::new, |points| format!(", {name} {points:.2}"))
        };
        let Glance { entry_price, stop, target, .. } = self.glance;
        let [stop, target] = [stop, target].map(|price| price.map(Price::points));
        let (from, stop, target) = (level("from", entry_price), level("stop", stop), level("target", target));
        format!("{} {side}{from}{stop}{target}", self.position.abs())
    }
}

/// Returns each limit and what of it is left, never below nothing.
pub fn left(limits: &Limits, facts: &LimitFacts) -> Vec<Left> {
    let left = |used: Used| Left {
        rule: used.rule.into(),
        limit_cents: used.amount_cents,
        used_cents: used.used_cents.max(Cents::ZERO),
        left_cents: (used.amount_cents - used.used_cents).max(Cents::ZERO),
    };
    limits.used(facts).map(left).collect()
}

/// Collects what keeps entries away as of the last row; the limits are those of now.
pub fn stops(ledger: &Ledger, rules: &Rules, limits: &[Left]) -> Vec<Stop> {
    let mut stops = Vec::new();
    let mut stop = |rule: &str, why: String, until: Option<Ts>, lifted_by: String| {
        stops.push(Stop { rule: rule.into(), why, until: until.map(time::format), lifted_by });
    };
    if let Some(reason) = &ledger.halted {
        stop("halted", format!("halted ({reason})"), None, "mes-risk resume lifts that".into());
    }
    if let Some(stopped) = &ledger.stopped {
        let (value, limit) = (stopped.value_cents, stopped.limit_cents);
        let rest = if value < limit { ", and no trade fits into the rest" } else { "" };
        // The rules may be others since: a limit that fired fired at its amount of then.
        let now = limits.iter().find(|now| now.rule == stopped.rule).map(|now| now.limit_cents);
        let then = match now {
            Some(now) if now == limit => String::new(),
            Some(now) => format!(", its limit then; by the rules of now it is {now}"),
            None => ", its limit then; the rules of now have none".into(),
        };
        let why = format!("{}: {value} of {limit}{then}{rest}", stopped.rule);
        stop(&stopped.rule, why, None, lifted_by(stopped.lasts).into());
    }
    let now = ledger.ts.unwrap_or(Ts::MIN);
    if let Some(pause) = ledger.pause.filter(|pause| pause.until > now) {
        let why = format!("pause after {} losing trades in a row", ledger.losses);
        stop("losses_pause_s", why, Some(pause.until), format!("over at {}", new_york(pause.until)));
    }
    let cooldown = ledger.last_exit.map(|exit| exit + rules.entries.cooldown_s * time::SECOND);
    if let Some(until) = cooldown.filter(|until| *until > now) {
        stop("cooldown_s", "pause after an exit".into(), Some(until), format!("over at {}", new_york(until)));
    }
    if ledger.wide_spread {
        let resume = rules.breakers.spread_resume_ticks;
        let lifted = format!("over when it is {resume} ticks or less");
        stop("spread_ticks", "the spread is too wide".into(), None, lifted);
    }
    stops
}

/// Writes an instant as New York has it.
pub(crate) fn new_york(ts: Ts) -> String {
    tz::new_york(ts).format("%Y-%m-%d %H:%M:%S New York").to_string()
}

#[cfg(test)]
mod tests {
    use mes_core::{
        interval::Interval,
        ledger::{Day, Lasts, Pause, Stopped},
        person::Says,
        rules::MES_1K,
        run::Named,
    };

    use super::*;

    /// After `resume --rules` the list has the limits of now; the stop says at which one it fired.
    #[test]
    fn a_limit_that_fired_under_other_rules_has_one_figure() {
        let mut ledger = Ledger::new(Cents(100_000));
        let (value_cents, limit_cents) = (Cents(3_000), Cents(3_000));
        let (rule, lasts) = ("daily_loss_usd".into(), Lasts::Day);
        ledger.stopped = Some(Stopped { rule, lasts, value_cents, limit_cents, settled: true });
        let rules = Named { blake3: String::new(), value: Rules::parse(MES_1K).expect("rules") };
        let glance = Glance::default();
        let snapshot = Snapshot { interval: Interval::SECOND, rules, ledger, told: 0, glance };
        let text = Status::new("paper-paper".into(), false, &snapshot, Vec::new()).table();
        let wanted =
            "daily_loss_usd: $30.00 of $30.00, its limit then; by the rules of now it is $50.00; the next";
        assert!(text.contains(wanted) && text.contains("left of $50.00"), "{text}");
    }

    #[test]
    fn an_entry_that_waits_is_seen() {
        let rules = Named { blake3: String::new(), value: Rules::parse(MES_1K).expect("rules") };
        let (side, contracts, price) = (Side::Sell, 2, Price::nearest(5000.25));
        let glance = Glance { waiting: Some(Waiting { side, contracts, price }), ..Glance::default() };
        let ledger = Ledger::new(Cents(100_000));
        let snapshot = Snapshot { interval: Interval::SECOND, rules, ledger, told: 0, glance };
        let status = Status::new("paper-paper".into(), true, &snapshot, Vec::new());
        assert!(
            status.table().contains("  flat, waits to sell 2 at 5000.25 or better\n"),
            "{}",
            status.table()
        );
        let text = serde_json::to_value(&status).expect("a record");
        assert_eq!(text["waiting"]["price"], 5000.25);
    }

    #[test]
    fn reads_as_a_trader_asks() {
        let at = |text: &str| time::parse(text).expect("a time");
        let mut ledger = Ledger::new(Cents(100_000));
        ledger.ts = Some(at("2026-11-20T15:00:10Z"));
        (ledger.peak_cents, ledger.equity_cents, ledger.balance_cents) =
            (Cents(102_000), Cents(95_500), Cents(96_000));
        (ledger.position, ledger.losses) = (-2, 3);
        let label = "2026-11-20".parse().expect("a date");
        let (start_cents, peak_cents) = (Cents(100_500), Cents(101_000));
        ledger.day = Some(Day { label, start_cents, balance_cents: start_cents, peak_cents });
        let (value_cents, limit_cents) = (Cents(5_000), Cents(5_000));
        let (rule, lasts) = ("daily_loss_usd".into(), Lasts::Day);
        ledger.stopped = Some(Stopped { rule, lasts, value_cents, limit_cents, settled: false });
        ledger.halted = Some("the news".into());
        ledger.pause = Some(Pause { from: at("2026-11-20T15:00:00Z"), until: at("2026-11-20T15:15:00Z") });
        let rules = Named { blake3: String::new(), value: Rules::parse(MES_1K).expect("rules") };
        let glance = Glance {
            entry_price: Some(5000.25),
            stop: Some(Price::nearest(5002.25)),
            target: None,
            waiting: None,
        };
        let snapshot = Snapshot { interval: Interval::SECOND, rules, ledger, told: 0, glance };
        let (says, by) = (Says::Resume, "person".to_owned());
        let unheard = vec![Person { ts: 0, says, reason: "it is over".into(), by, rules: None }];
        let text = Status::new("paper-paper".into(), true, &snapshot, unheard).table();
        let wanted = "\
paper-paper  rules mes-1k, trading now
  as of                      2026-11-20 10:00:10 New York
  position                   2 short, from 5000.25, stop 5002.25
  equity, balance            $955.00, $960.00
  today                      -$50.00
  losing trades in a row     3
  kill loss                  $255.00 left of $300.00
  account drawdown           $135.00 left of $200.00
  daily drawdown             $20.00 left of $75.00
  daily loss                 $0.00 left of $50.00
  STOPPED                    halted (the news); mes-risk resume lifts that
  STOPPED                    daily_loss_usd: $50.00 of $50.00; the next trading day lifts that
  STOPPED                    pause after 3 losing trades in a row; over at 2026-11-20 10:15:00 New York
  said                       resume (it is over), on the next row
";
        assert_eq!(text, wanted);
    }
}
