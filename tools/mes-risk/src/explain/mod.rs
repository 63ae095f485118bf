//! Why this trade, this size, or why not. A journal holds the run record, the rows, the statements and what was said, so
//! its decisions are made again by the very code that made them, and this time every rule says what it thought.

mod words;

use std::path::{Path, PathBuf};

use clap::Args;
use mes_core::{
    interval::Interval,
    money::Cents,
    order::{Action, Order},
    record::Record,
    row::Row,
    run::Run,
    statement::{Fill, Statement},
    time::{self, Ts},
    verdict::Verdict,
};
use mes_pipe::{
    CalendarArgs, Error, Result,
    answer::print,
    journal::{Missing, Reader},
    log,
};
use serde::Serialize;

pub use words::said;

use crate::{
    judge::Risk,
    rules::{self, Opinion, View},
};

#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The journal: what mes-risk wrote; journal.jsonl in the run directory if not given
    journal: Option<PathBuf>,
    /// The decision that is this order
    #[arg(value_name = "ORDER", conflicts_with_all = ["at", "all_trades"])]
    order: Option<u64>,
    /// What was decided on the last row up to this instant
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with = "all_trades")]
    at: Option<Ts>,
    /// The last order or denial; so without any other wish
    #[arg(long, conflicts_with_all = ["at", "order", "all_trades"])]
    last: bool,
    /// Every entry
    #[arg(long)]
    all_trades: bool,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    calendar: CalendarArgs,
    /// Run directory to look for the journal in
    #[arg(long, value_name = "DIR", env = "MES_RUN", default_value = "run")]
    run: PathBuf,
}

/// One row and what was decided on it.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    #[serde(with = "time::text")]
    pub ts: Ts,
    pub direction: Option<f32>,
    pub confidence: Option<f32>,
    pub position: i64,
    pub verdicts: Vec<Verdict>,
    /// The last hold or denial, where the row has none of its own: it still holds.
    pub still: Option<Verdict>,
    /// What an entry here is judged by; absent where the prediction asks for none.
    pub entry: Option<Entry>,
    /// The fills of this order, as far as the journal goes.
    pub fills: Vec<Fill>,
}

/// What an entry was judged by.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub balance_cents: Cents,
    pub stop_ticks: i64,
    /// What one contract loses at its stop, with slippage and the round turn.
    pub risk_cents: Cents,
    /// Percent of the balance by the tier, times by confidence, times near the day's end.
    pub tier_percent: Option<f64>,
    pub confidence_multiplier: f64,
    pub day_end_multiplier: f64,
    pub rules: Vec<Thought>,
}

/// What one rule thought of it.
#[derive(Clone, Debug, Serialize)]
pub struct Thought {
    pub rule: &'static str,
    #[serde(flatten)]
    pub opinion: Opinion,
}

/// Prints the decisions that are asked for, in words or as JSON lines.
///
/// # Errors
///
/// `Usage` where nothing is found or the file is not there, `Data` where it is no journal, `Failed` where stdout cannot
/// be written.
pub fn run(args: &ExplainArgs) -> Result<()> {
    let path = args.journal.clone().unwrap_or_else(|| args.run.join("journal.jsonl"));
    if args.journal.is_none() && !path.exists() {
        return Err(Error::usage("no such file: name the one that tee wrote").at(path.display()));
    }
    let decisions = decisions(args, &path)?;
    if decisions.is_empty() {
        let what = match (args.order, args.at) {
            (Some(order), _) => format!("no order {order}"),
            (_, Some(at)) => format!("no row up to {}", time::format(at)),
            _ if args.all_trades => "no entry".into(),
            _ => "neither an order nor a denial".into(),
        };
        return Err(Error::usage(format!("{}: {what}", path.display())));
    }
    let mut text = String::new();
    for decision in &decisions {
        if args.json {
            text += &(serde_json::to_string(decision).map_err(Error::failed)? + "\n");
        } else {
            text += &words::text(decision);
        }
    }
    print(text)
}

/// Makes the decisions of a journal again and returns those that are asked for.
fn decisions(args: &ExplainArgs, path: &Path) -> Result<Vec<Decision>> {
    let mut journal = Reader::open(path)?;
    let run = journal.run()?;
    let mut again = begin(&run, &args.calendar).map_err(|error| journal.here(error))?;
    let mut kept: Vec<Decision> = Vec::new();
    while let Some(record) = journal.next()? {
        let decision = again.record(record);
        if let Some(decision) = decision.filter(|decision| wanted(args, decision)) {
            // Of --at and --last only the newest is wanted.
            if args.order.is_none() && !args.all_trades {
                kept.clear();
            }
            kept.push(decision);
        }
        again.booked(&mut kept);
    }
    if let Some(missing @ Missing::Line) = journal.missing() {
        let said = journal.here(Error::data(missing.words()));
        log::note(format!("{said}; explained is what comes before it"));
    }
    Ok(kept)
}

fn begin(run: &Run, calendar: &CalendarArgs) -> Result<Again> {
    let calendar = calendar.read()?;
    if calendar.blake3 != run.calendar {
        return Err(Error::usage("decided by another calendar: give its file with --calendar"));
    }
    let interval: Interval = run.interval.parse()?;
    Ok(Again {
        risk: Risk::new(run, calendar.value, interval, None),
        row: None,
        still: None,
        verdicts: Vec::new(),
        fills: Vec::new(),
    })
}

fn wanted(args: &ExplainArgs, decision: &Decision) -> bool {
    let order = |order: &Order| args.order.is_none_or(|id| id == order.id);
    let entry = |order: &Order| matches!(order.action, Action::Enter { .. });
    if let Some(at) = args.at {
        return decision.ts <= at;
    }
    decision.verdicts.iter().any(|verdict| match verdict {
        Verdict::Order(found) => order(found) && (!args.all_trades || entry(found)),
        Verdict::Deny { .. } => args.order.is_none() && !args.all_trades,
        _ => false,
    })
}

/// A judge that goes through a journal.
struct Again {
    risk: Risk,
    row: Option<Row>,
    still: Option<Verdict>,
    verdicts: Vec<Verdict>,
    /// Those of the statement before last, for the decisions that asked for them.
    fills: Vec<Fill>,
}

impl Again {
    /// Takes in a record; a statement makes a decision of the row before it.
    fn record(&mut self, record: Record) -> Option<Decision> {
        match record {
            Record::Row(row, _) => self.row = Some(row),
            Record::Person(person) => self.risk.told(&person),
            Record::Statement(statement) => {
                self.fills.clone_from(&statement.fills);
                return self.row.take().and_then(|row| self.judge(&row, &statement));
            }
            Record::Run(_) | Record::Verdict(_) | Record::End => {}
        }
        None
    }

    fn judge(&mut self, row: &Row, statement: &Statement) -> Option<Decision> {
        if self.risk.knows(row) {
            return None;
        }
        // Only where the model asks for an entry, and the account is free for one.
        let free = statement.position == 0 && statement.working.is_empty();
        let entry = if free { self.risk.considered(row, statement, Entry::of) } else { None };
        self.verdicts.clear();
        self.risk.judge(row, statement, &mut self.verdicts);
        let idle = |verdict: &&Verdict| matches!(verdict, Verdict::Hold { .. } | Verdict::Deny { .. });
        let own = self.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Order(_)) || idle(&verdict));
        let still = if own { None } else { self.still.clone() };
        if own {
            self.still = self.verdicts.iter().rfind(idle).cloned();
        }
        Some(Decision {
            ts: row.bar.ts,
            direction: row.prediction.dir,
            confidence: row.prediction.conf,
            position: statement.position,
            verdicts: self.verdicts.clone(),
            still,
            entry,
            fills: Vec::new(),
        })
    }

    /// Books the fills of the last statement with the decisions that asked for them.
    fn booked(&mut self, kept: &mut [Decision]) {
        for fill in self.fills.drain(..) {
            for decision in kept.iter_mut().rev() {
                let asked = |verdict: &Verdict| matches!(verdict, Verdict::Order(order) if Some(order.id) == fill.order);
                let open: i64 = decision.fills.iter().map(|fill| fill.side.sign() * fill.contracts).sum();
                // What closes the trade belongs to its entry, whoever asked for it.
                if decision.verdicts.iter().any(asked) || (open != 0 && fill.exit.is_some()) {
                    decision.fills.push(fill.clone());
                }
            }
        }
    }
}

impl Entry {
    fn of(view: &View, stop_ticks: i64) -> Entry {
        let band = view.rules.multipliers.iter().rev().find(|band| view.confidence >= band.from);
        let late = view.row.bar.ts >= view.today.end.half_size;
        let thoughts = rules::opinions(view).into_iter().map(|(rule, opinion)| Thought { rule, opinion });
        Entry {
            balance_cents: view.balance,
            stop_ticks,
            risk_cents: view.risk,
            tier_percent: rules::tier::of(view).map(|tier| tier.risk_percent),
            confidence_multiplier: band.map_or(0.0, |band| band.multiplier),
            day_end_multiplier: if late { view.rules.day_end.size_multiplier } else { 1.0 },
            rules: thoughts.collect(),
        }
    }
}
