//! What a run came to, under names that stay: the JSON summary. Units end a key's name; null is what cannot be known.

use mes_core::{fills::Model, limits::is_death, money::Cents, time, tz, vocabulary::short};
use mes_pipe::{Origin, journal::Missing};
use serde::Serialize;
use serde_json::Value;

use crate::{
    evidence::{Evidence, Rests},
    facts::Facts,
    incidents::{self, Counted},
    metrics::{Metrics, blocked::Blocked},
    reached::Reached,
    search::Search,
    terms::Terms,
    words,
};

/// Below this many trades every figure is mostly luck.
pub const FEW_TRADES: usize = 100;
/// Fewer days compounded to a year give a number without a meaning; the JSON has it all the same.
const QUARTER_DAYS: usize = 63;
/// So many days without a trade at the end are worth a word.
const QUIET_DAYS: usize = 5;

/// All figures of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub kind: &'static str,
    pub v: u32,
    /// Whether the data were made up; null where nobody knows.
    pub synthetic: Option<bool>,
    pub origin: Origin,
    pub account_died: Option<Reached>,
    /// How often it died: more than once only where a new account is opened after each death.
    pub deaths: usize,
    pub span: Span,
    pub account: AccountSummary,
    #[serde(flatten)]
    pub metrics: Metrics,
    /// How much of it may be luck.
    pub evidence: Evidence,
    pub limits: Vec<Reached>,
    /// What no plan has room for, by kind.
    pub incidents: Vec<Counted>,
    /// Orders that met a locked market and did not fill.
    pub locked: u64,
    /// Days that ended with a position still open; must be 0.
    pub days_not_flat: usize,
    pub settings: Settings,
    pub warnings: Vec<String>,
    pub lineage: Value,
}

/// What the rows covered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    pub first: Option<String>,
    pub last: Option<String>,
    pub days: usize,
    /// Days of the data after the account's death, which are no days of the result.
    pub days_dead: usize,
    pub rows: u64,
    pub interval: String,
    pub session: &'static str,
}

impl Span {
    /// Returns the dates, UTC, of the first and the last row.
    pub fn dates(&self) -> [&str; 2] {
        [&self.first, &self.last].map(|text| text.as_deref().and_then(|text| text.get(..10)).unwrap_or("-"))
    }
}

/// What the account began and ended with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountSummary {
    pub start_usd: f64,
    pub end_usd: f64,
    pub net_usd: f64,
    pub net_ratio: Option<f64>,
}

/// What the result depends on beside the rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Settings {
    #[serde(flatten)]
    pub terms: Terms,
    /// Rows before it only warmed up.
    pub from: Option<String>,
    pub broker: String,
    /// A new account was opened after every death.
    pub refill: bool,
    /// What the link of the chain that predicted says of its model.
    pub model: Option<Value>,
    /// The ledger of the search that this is the outcome of.
    pub ledger_blake3: Option<String>,
}

impl Summary {
    /// Sums up a run that is the outcome of no search.
    pub fn of(facts: &Facts) -> Summary {
        Summary::of_search(facts, &Search::default())
    }

    /// Sums up a run that is the outcome of a search.
    pub fn of_search(facts: &Facts, search: &Search) -> Summary {
        let metrics = Metrics::of(facts);
        let run = facts.run.as_ref();
        let start = facts.start();
        let net: Cents = facts.days.iter().map(|day| day.end_cents - day.start_cents).sum();
        let end = start + net;
        let lineage = run.map_or(Value::Null, |run| run.lineage.clone());
        let days_not_flat = facts.days.iter().filter(|day| day.overnight).count();
        let origin = Origin::of(&lineage);
        let mut summary = Summary {
            kind: "summary",
            v: 1,
            synthetic: origin.synthetic(),
            origin,
            account_died: facts.alerts.iter().find(|alert| is_death(&alert.rule)).map(Reached::of),
            deaths: facts.deaths,
            span: Span {
                first: facts.first.map(time::format),
                last: facts.last.map(time::format),
                days: if facts.rows == 0 { 0 } else { facts.days.len() },
                days_dead: facts.days_dead,
                rows: facts.rows,
                interval: run.map(|run| run.interval.clone()).unwrap_or_default(),
                session: run.map_or("all", |run| run.session.name()),
            },
            account: AccountSummary {
                start_usd: start.usd(),
                end_usd: end.usd(),
                net_usd: net.usd(),
                net_ratio: crate::metrics::ratio(net.usd(), start.usd()),
            },
            metrics,
            evidence: Evidence::of(facts, search),
            limits: facts.alerts.iter().map(Reached::of).collect(),
            incidents: incidents::of(facts),
            locked: facts.locked_exits + facts.refused.get("locked").copied().unwrap_or(0),
            days_not_flat,
            settings: settings(facts, search, &lineage),
            warnings: Vec::new(),
            lineage,
        };
        summary.warnings = summary.cautions(quiet_days(facts), facts.missing);
        summary
    }

    /// Returns what the link of a chain that predicted says of its model.
    pub fn model(lineage: &Value) -> Option<Value> {
        let mut links = lineage.as_array().into_iter().flatten().rev();
        links.find(|link| link["tool"] == "mes-predict").map(|link| link["settings"].clone())
    }

    /// Says what happened to the money, in a clause: `lost $12.34 in 20 days`.
    pub fn verdict(&self) -> String {
        let days = words::count(self.span.days as u64, "trading day");
        let net = Cents::from_usd(self.account.net_usd);
        match net.0 {
            0 if self.metrics.trades.all.trades == 0 => format!("made no trade in {days}"),
            0 => format!("broke even over {days}"),
            cents if cents > 0 => format!("made {net} in {days}"),
            _ => format!("lost {} in {days}", -net),
        }
    }

    /// Says when and why the account died, if it did.
    pub fn death(&self) -> Option<String> {
        let reached = self.account_died.as_ref()?;
        let mut text = format!("account died on day {}: {}", reached.day, reached.sentence());
        if self.settings.refill {
            let (deaths, days) = (words::count(self.deaths as u64, "death"), self.span.days);
            text += &format!("; a new account after each, {deaths} in {}", words::count(days as u64, "day"));
        } else if self.span.days_dead > 0 {
            text += &format!(
                "; {} of data after it count for nothing",
                words::count(self.span.days_dead as u64, "day")
            );
        }
        Some(text)
    }

    /// Returns the Sharpe ratio with what it rests on: its interval, how likely it is above 0, what a search left of it.
    pub fn sharpe(&self) -> Rests {
        let Evidence { intervals, sharpe, overfitting, .. } = &self.evidence;
        let rests = Rests::of(&self.metrics.returns, intervals.as_ref(), sharpe.as_ref());
        Rests { pbo: overfitting.as_ref().map(|found| found.pbo), ..rests }
    }

    /// Says the Calmar ratio, once there are days enough to speak of a year.
    pub fn calmar(&self) -> String {
        match self.metrics.returns.days {
            days if days < QUARTER_DAYS => format!("- (from {QUARTER_DAYS} days on)"),
            _ => words::or_dash(self.metrics.returns.calmar, words::two),
        }
    }

    /// Explains why there was no trade, in sentences; empty if there was one.
    pub fn why_no_trade(&self) -> Vec<String> {
        if self.metrics.trades.all.trades > 0 { Vec::new() } else { self.metrics.blocked.why_no_trade() }
    }

    fn cautions(&self, quiet_days: usize, missing: Option<Missing>) -> Vec<String> {
        let trades = self.metrics.trades.all.trades;
        let mut warnings = Vec::new();
        warnings.extend(self.origin.caution().map(str::to_owned));
        if self.settings.terms.fills.model == Model::Optimistic {
            warnings.push("fills optimistic: a bound from above, not a forecast".to_owned());
        }
        if trades > 0 && trades < FEW_TRADES {
            let trades = words::count(trades as u64, "trade");
            warnings.push(format!("{trades}: below {FEW_TRADES} most of this is luck"));
        }
        if trades > 0 && quiet_days >= QUIET_DAYS && self.account_died.is_none() {
            let denied = Blocked::ranked(&self.metrics.blocked.denied);
            let why = denied.first().map_or("nothing".to_owned(), |(rule, _)| short(rule));
            warnings.push(format!("no trade in the last {quiet_days} days; denied most often: {why}"));
        }
        warnings.extend(missing.map(|missing| format!("the journal is not whole: {}", missing.words())));
        if self.days_not_flat > 0 {
            let days = words::count(self.days_not_flat as u64, "day");
            warnings.push(format!("{days} ended with an open position: this must never be"));
        }
        warnings.extend(self.incidents.iter().map(Counted::sentence));
        warnings.extend(incidents::locked(self.locked));
        warnings
    }
}

/// Counts the days after the last trade.
fn quiet_days(facts: &Facts) -> usize {
    let last = facts.trades.last().map(|trade| tz::new_york(trade.exited).date());
    facts.days.iter().filter(|day| last.is_none_or(|last| day.date > last)).count()
}

fn settings(facts: &Facts, search: &Search, lineage: &Value) -> Settings {
    let Some(run) = &facts.run else { return Settings::default() };
    Settings {
        terms: Terms::of_run(run),
        from: run.from.map(time::format),
        broker: run.broker.broker.clone(),
        refill: facts.refill,
        model: Summary::model(lineage),
        ledger_blake3: search.ledger_blake3.clone(),
    }
}

#[cfg(test)]
mod tests {
    use mes_core::verdict::Verdict;
    use mes_pipe::journal::Journal;

    use super::*;
    use crate::{facts::Alert, sample};

    #[test]
    fn no_trade_is_explained_and_no_number_is_invented() {
        let summary = Summary::of(&sample::facts(&[]));
        assert_eq!(summary.verdict(), "made no trade in 0 trading days");
        assert_eq!(summary.why_no_trade(), ["There were no rows."]);
        let text = serde_json::to_string(&summary).expect("writes");
        let value: Value = serde_json::from_str(&text).expect("reads");
        for key in ["sharpe", "sharpe_se", "sortino", "calmar", "total_ratio"] {
            assert!(value["returns"][key].is_null(), "{key}");
        }
        assert!(value["trades"]["all"]["win_ratio"].is_null());
        assert_eq!(value["account"]["net_usd"], 0.0);
        assert_eq!(value["trades"]["all"]["trades"], 0);
    }

    #[test]
    fn a_lasting_limit_is_a_death_and_a_daily_one_is_not() {
        let mut facts = sample::facts(&[-1000, -1000]);
        let alert = |rule: &str, day| Alert { ts: 0, day, rule: rule.into(), value: 200.0, limit: 200.0 };
        facts.alerts.push(alert("daily_loss_usd", 1));
        assert_eq!(Summary::of(&facts).death(), None);
        facts.alerts.push(alert("account_drawdown_usd", 2));
        facts.alerts.push(alert("kill_loss_usd", 3));
        let summary = Summary::of(&facts);
        assert_eq!(
            summary.death().expect("dead"),
            "account died on day 2: account drawdown $200.00, limit $200.00"
        );
        assert_eq!(summary.limits.len(), 3);
    }

    #[test]
    fn the_recorder_numbers_the_day_of_an_alert() {
        let mut recorder = sample::recorder();
        for day in 0..3 {
            recorder
                .statement(&sample::state(
                    sample::START + day * 86_400_000_000_000,
                    Cents(100_000),
                    Vec::new(),
                ))
                .expect("records");
        }
        let (rule, ts) = ("kill_loss_usd".to_owned(), sample::START + 2 * 86_400_000_000_000);
        recorder.verdict(&Verdict::Alert { ts, rule, value: 300.0, limit: 300.0 }).expect("records");
        let died = Summary::of(&recorder.finish().expect("finishes")).account_died.expect("dead");
        assert_eq!((died.day, died.ts.as_str()), (3, "2026-11-04T14:31:00Z"));
    }

    #[test]
    fn synthetic_wherever_in_the_chain() {
        let mut facts = sample::facts(&[100]);
        assert_eq!(Summary::of(&facts).synthetic, Some(true));
        let mut of = |lineage| {
            facts.run.as_mut().expect("a run").lineage = lineage;
            let summary = Summary::of(&facts);
            (summary.synthetic, summary.warnings.iter().any(|warning| warning.contains("origin unknown")))
        };
        let bars = serde_json::json!({"tool": "mes-bars", "settings": {"synthetic": false}, "input": "pipe"});
        assert_eq!(
            of(serde_json::json!([{"tool": "mes-fetch", "settings": {}}, bars])),
            (Some(false), false)
        );
        // What came through text is not known to be real.
        assert_eq!(of(serde_json::json!([bars])), (None, true));
    }
}
