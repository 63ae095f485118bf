//! No entry where none may be.

use mes_core::{
    order::Action as Wanted,
    person::Says,
    schedule::Schedule,
    statement::Connection,
    time::{MILLI, SECOND, Ts},
};
use mes_exec::topstepx::event::{Answer, Event};

use crate::day::{
    Day,
    exec::{Looking, Run},
    laws::{no_exec, no_risk},
    report::{Fault, Finding},
    risk::{self, Journal},
};

/// The oldest quote that may be entered on.
const QUOTE_AGE: i64 = 5 * SECOND;

/// After a halt, a flatten that ends the day, or a session that was thrown out, nothing is entered until a person resumes.
pub fn halted(day: &Day) -> Finding {
    if day.exec.is_empty() && day.risk.is_empty() {
        return no_exec();
    }
    let mut faults = Vec::new();
    for run in &day.exec {
        let mut since: Option<(usize, Ts)> = None;
        let mut entries = run.entries().peekable();
        for (index, step) in run.steps.iter().enumerate() {
            match &step.event {
                Event::Halt | Event::Logout => since = since.or(Some((step.line, step.now.utc))),
                Event::Resume => since = None,
                _ => {}
            }
            while let Some(entered) = entries.next_if(|entered| entered.step == index) {
                if let Some((line, _)) = since {
                    let words = format!("{} is entered after the halt of line {line}", entered.tag());
                    faults.push(run.fault(entered.line, entered.now, words));
                }
            }
        }
    }
    day.risk.iter().for_each(|journal| ordered_after_halts(journal, &mut faults));
    Finding::of(faults, "")
}

fn ordered_after_halts(journal: &Journal, faults: &mut Vec<Fault>) {
    let halted = |line: usize| {
        let before = journal.persons.iter().filter(|(at, _)| *at < line);
        let words = before.rev().map(|(at, person)| (at, person.says));
        words
            .take_while(|(_, says)| !matches!(says, Says::Resume))
            .find(|(_, says)| matches!(says, Says::Halt | Says::Stop))
            .map(|(at, _)| *at)
    };
    for (line, order, _) in &journal.orders {
        if let (Wanted::Enter { .. }, Some(at)) = (&order.action, halted(*line)) {
            let words = format!("order {} enters after the halt of line {at}", order.id);
            faults.push(journal.fault(*line, order.ts, words));
        }
    }
}

/// Risk enters nothing from F−15 min on, mes-exec nothing from F−5.
pub fn late(day: &Day) -> Finding {
    let Some(first) = day.risk.first() else { return no_risk() };
    let mut schedule = match schedule(day, first) {
        Ok(schedule) => schedule,
        Err(finding) => return finding,
    };
    let mut faults = Vec::new();
    for run in &day.exec {
        for entered in run.entries() {
            let today = schedule.of_bar(entered.now.utc);
            if today.is_none_or(|today| entered.now.utc >= today.end.exit) {
                let words = format!("{} is entered when the day is to be closed", entered.tag());
                faults.push(run.fault(entered.line, entered.now, words));
            }
        }
    }
    for journal in &day.risk {
        for (line, order, _) in &journal.orders {
            let today = schedule.of_bar(order.ts);
            let late = today.is_none_or(|today| order.ts >= today.end.no_entry);
            if matches!(order.action, Wanted::Enter { .. }) && late {
                let words = format!("order {} enters within 15 minutes of flat-by", order.id);
                faults.push(journal.fault(*line, order.ts, words));
            }
        }
    }
    Finding::of(faults, "")
}

/// Returns the days of an account as its rules and broker end them.
///
/// # Errors
///
/// That it was traded by another calendar, as what is found.
pub fn schedule(day: &Day, journal: &Journal) -> Result<Schedule, Finding> {
    let run = &journal.run;
    if run.calendar != day.calendar.blake3 {
        return Err(Finding::NotChecked(format!(
            "{} was traded by another calendar: --calendar",
            journal.name
        )));
    }
    let (calendar, flat_by) = (day.calendar.value.clone(), run.rules.value.day_end.flat_by);
    Ok(Schedule::new(calendar, flat_by, run.broker.cut, run.session))
}

/// An entry goes out on a quote that is young, also where it is the second try.
pub fn quotes(day: &Day) -> Finding {
    if day.exec.is_empty() {
        return no_exec();
    }
    let (mut faults, mut oldest) = (Vec::new(), 0);
    for run in &day.exec {
        for entered in run.entries() {
            let before = run.steps[..=entered.step].iter().rev();
            let quote = before.into_iter().find(|step| matches!(step.event, Event::Quote { .. }));
            let age = quote.map(|step| entered.now.steady - step.now.steady);
            oldest = oldest.max(age.unwrap_or(0));
            if age.is_none_or(|age| age > QUOTE_AGE) {
                let age = age.map_or("no quote".into(), |age| format!("a quote of {} ms", age / MILLI));
                let words = format!("{} is entered on {age}", entered.tag());
                faults.push(run.fault(entered.line, entered.now, words));
            }
        }
    }
    Finding::of(faults, format!("oldest: {} ms", oldest / MILLI))
}

/// Nothing is entered while the hub is down, or before a look has said what came of a gap, a message without sense or a
/// call that nobody knows the fate of.
pub fn account(day: &Day) -> Finding {
    if day.exec.is_empty() {
        return no_exec();
    }
    let mut faults = Vec::new();
    day.exec.iter().for_each(|run| account_of(run, &mut faults));
    Finding::of(faults, "")
}

fn account_of(run: &Run, faults: &mut Vec<Fault>) {
    let mut looking = Looking::default();
    let (mut up, mut doubt) = (false, Some((0, run.begun.steady, "the start")));
    let mut acts = std::collections::BTreeSet::new();
    let mut entries = run.entries().peekable();
    for (index, step) in run.steps.iter().enumerate() {
        let why = match &step.event {
            Event::Up { .. } => {
                up = true;
                Some("the hub came up")
            }
            Event::Down { .. } => {
                up = false;
                Some("the hub went down")
            }
            Event::Malformed { .. } => Some("something without sense came"),
            Event::Answer { call, answer: Answer::Unknown { .. } } if acts.contains(call) => {
                Some("nobody knows what became of a call")
            }
            _ => None,
        };
        if let Some(why) = why {
            doubt = Some((step.line, step.now.steady, why));
        }
        let looked = looking.step(step).filter(|look| look.past);
        if doubt.is_some_and(|(_, since, _)| looked.is_some_and(|look| look.asked.steady >= since)) {
            doubt = None;
        }
        while let Some(entered) = entries.next_if(|entered| entered.step == index) {
            let words = match doubt {
                _ if !up => "while the hub is down".to_owned(),
                Some((line, _, why)) => format!("before a look after line {line}, where {why}"),
                None => continue,
            };
            faults.push(run.fault(
                entered.line,
                entered.now,
                format!("{} is entered {words}", entered.tag()),
            ));
        }
        acts.extend(step.calls().filter(|(_, request)| !request.is_question()).map(|(call, _)| call));
    }
}

/// Risk enters on a statement that is young, of an account that is connected and not barred.
pub fn statements(day: &Day) -> Finding {
    if day.risk.is_empty() {
        return no_risk();
    }
    let mut faults = Vec::new();
    for journal in &day.risk {
        let most = journal.run.rules.value.entries.account_stale_ms * MILLI;
        for (line, order, on) in &journal.orders {
            let Some((_, statement)) = on.and_then(|on| journal.statements.get(on)) else { continue };
            if !matches!(order.action, Wanted::Enter { .. }) {
                continue;
            }
            let age = statement.known_as_of.map_or(0, |known| risk::told(statement) - known);
            let words = match () {
                () if age > most => format!("on an account of {} ms ago", age / MILLI),
                () if statement.connection == Connection::Lost => "while the account's line is lost".into(),
                () if statement.barred.is_some() => {
                    format!("though barred: {}", statement.barred.map_or("", |barred| barred.name()))
                }
                () => continue,
            };
            faults.push(journal.fault(*line, order.ts, format!("order {} enters {words}", order.id)));
        }
    }
    Finding::of(faults, "")
}
