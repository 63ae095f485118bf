//! Journals of a folder, read one after the other.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use mes_core::{calendar::Calendar, run::Named, session::Sessions, tz};
use mes_pipe::{Error, Result};
use serde_json::Value;

use super::{Day, Diary, Drift, KINDS, LeftOut, Net};
use crate::{
    conduct::{Conduct, Execution, How},
    expectation::Expectation,
    facts::Facts,
    journal,
    recorder::Recorder,
    session::word,
    summary::Summary,
    terms::Terms,
};

/// What a journal is named by; `.gz` and `.zst` may follow.
const ENDINGS: [&str; 3] = [".jsonl", ".jsonl.gz", ".jsonl.zst"];

/// One journal that was read.
struct Page {
    days: Vec<Day>,
    nets: Vec<Net>,
    terms: Terms,
    model: Option<Value>,
}

/// Reads every journal of a folder by name; one that cannot be read is left out, and that is said. `kind` is the kind of
/// account to follow (the most real one found, if none is named), and false alarms of the chart are to be `apart` trades
/// apart.
///
/// # Errors
///
/// `Usage` where the folder cannot be read or has no journal.
pub fn read(
    folder: &Path,
    calendar: &Named<Calendar>,
    kind: Option<&str>,
    expectation: Option<Expectation>,
    apart: f64,
) -> Result<Diary> {
    let (mut pages, mut left_out) = (Vec::new(), Vec::new());
    for path in journals(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match page(&path, &name, calendar) {
            Ok(page) => pages.push(page),
            Err(error) => left_out.push(LeftOut { journal: name, why: error.to_string() }),
        }
    }
    let rank = |day: &Day| KINDS.iter().position(|kind| *kind == day.account_kind);
    let most = pages.iter().flat_map(|page| &page.days).filter_map(rank).max().unwrap_or_default();
    let named = kind.and_then(|kind| KINDS.into_iter().find(|known| *known == kind));
    let followed = named.unwrap_or(KINDS[most]);
    let of_kind = |page: &&Page| page.days.first().is_some_and(|day| day.account_kind == followed);
    // A journal is named by when it began; the last is the one whose days end last.
    let last = pages.iter().filter(of_kind).max_by_key(|page| page.days.last().map(|day| day.date));
    let last = last.map(|page| (page.terms.clone(), page.model.clone()));
    let mut diary = Diary {
        kind: "days",
        v: 1,
        followed,
        terms: last.as_ref().map(|(terms, _)| terms.clone()),
        model: last.as_ref().and_then(|(_, model)| model.clone()),
        days: Vec::new(),
        left_out,
        expectation,
        drift: None,
        nets: Vec::new(),
    };
    for mut page in pages {
        let alike = last.as_ref().is_some_and(|(terms, model)| {
            terms.rules_blake3 == page.terms.rules_blake3 && *model == page.model
        });
        page.days.iter_mut().for_each(|day| day.alike = alike || day.account_kind != followed);
        if alike && of_kind(&&page) {
            diary.nets.append(&mut page.nets);
        }
        diary.days.append(&mut page.days);
    }
    diary.days.sort_by(|one, other| (one.date, &one.journal).cmp(&(other.date, &other.journal)));
    diary.nets.sort_by_key(|net| net.ts);
    diary.drift = diary.expectation.as_ref().and_then(|expected| Drift::of(&diary.nets, expected, apart));
    Ok(diary)
}

fn journals(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| Error::unread(folder, &error))?;
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The link to the last journal would count it twice.
        !path.is_symlink() && ENDINGS.iter().any(|ending| name.ends_with(ending))
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(named).collect();
    paths.sort();
    if paths.is_empty() {
        return Err(Error::usage(
            "no journal (*.jsonl) lies here: paper.sh and live.sh keep them in run/journals",
        )
        .at(folder.display()));
    }
    Ok(paths)
}

fn page(path: &Path, name: &str, calendar: &Named<Calendar>) -> Result<Page> {
    let mut conduct = Conduct::new(calendar.value.clone());
    let recorder = Recorder::new(calendar.value.clone(), None);
    let facts = journal::heard(path, calendar, recorder, &mut [&mut conduct])?;
    let run = facts.run.as_ref().ok_or_else(|| Error::data("no run record"))?;
    let nets =
        facts.trades.iter().map(|trade| Net { ts: trade.exited, usd: trade.net_cents.usd() }).collect();
    let (terms, model) = (Terms::of_run(run), Summary::model(&run.lineage));
    Ok(Page { days: days(&facts, &conduct, name, calendar), nets, terms, model })
}

/// Makes the days of a journal; what went wrong counts on the last one where nobody says when it was.
fn days(facts: &Facts, conduct: &Conduct, name: &str, calendar: &Named<Calendar>) -> Vec<Day> {
    let mut sessions = Sessions::new(calendar.value.clone());
    let mut label = |ts| sessions.day_of_bar(ts).map_or_else(|| tz::new_york(ts).date(), |day| day.label);
    let mut trades: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    for trade in &facts.trades {
        *trades.entry(label(trade.exited)).or_default() += 1;
    }
    let mut fills: BTreeMap<NaiveDate, Vec<Execution>> = BTreeMap::new();
    for execution in &conduct.executions {
        fills.entry(label(execution.ts)).or_default().push(*execution);
    }
    let wrong = facts.incidents.iter().map(|incident| incident.times).sum::<u64>()
        + facts.refused.values().sum::<u64>()
        + conduct.lost
        + conduct.unprotected;
    let account = conduct.hello.as_ref().map(|hello| hello.account.clone()).unwrap_or_default();
    let count = facts.days.len();
    let day = |(index, day): (usize, &crate::facts::DayResult)| {
        let (slippage_ticks, expected_ticks) =
            slips(fills.get(&day.date).map(Vec::as_slice).unwrap_or_default());
        Day {
            date: day.date,
            journal: name.to_owned(),
            account_kind: word(conduct.kind()),
            account: account.clone(),
            trades: trades.get(&day.date).copied().unwrap_or_default(),
            net_usd: (day.end_cents - day.start_cents).usd(),
            end_usd: day.end_cents.usd(),
            slippage_ticks,
            expected_ticks,
            limits: facts.alerts.iter().filter(|alert| alert.day == index + 1).count(),
            errors: if index + 1 == count { wrong } else { 0 },
            whole: facts.missing.is_none() || index + 1 < count,
            alike: true,
        }
    };
    facts.days.iter().enumerate().map(day).collect()
}

/// Returns the mean slippage of what may slip, and that of the costs file.
fn slips(executions: &[Execution]) -> (Option<f64>, Option<f64>) {
    let slips = |execution: &&Execution| {
        matches!(execution.how, How::Entry | How::Exit | How::Stop) && execution.slippage_ticks.is_some()
    };
    let (mut contracts, mut ticks, mut expected) = (0, 0, 0);
    for execution in executions.iter().filter(slips) {
        contracts += execution.contracts;
        ticks += execution.slippage_ticks.unwrap_or_default() * execution.contracts;
        expected += execution.expected_ticks * execution.contracts;
    }
    let mean = |sum: i64| (contracts > 0).then(|| sum as f64 / contracts as f64);
    (mean(ticks), mean(expected))
}
