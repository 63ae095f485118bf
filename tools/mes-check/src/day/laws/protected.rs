//! A position has a stop.

use std::collections::BTreeMap;

use mes_core::{
    order::Side,
    time::{MILLI, SECOND, Ts},
};
use mes_exec::topstepx::event::{Answer, Event, Why};
use mes_projectx::wire::{OrderKind, OrderStatus};

use crate::day::{
    Day,
    exchange::{Exchange, Told},
    exec::{Looked, Looking, Run},
    laws::{all_of_the_exchange, does_not_replay, no_exec},
    report::{Fault, Finding},
};

/// The longest without a stop while REST answers.
const BARE: i64 = SECOND;
/// A close that was sent so lately works still: it is repeated by itself no sooner.
const CLOSING: i64 = 4 * SECOND;
/// What a step of mes-exec may take on top.
const STEP: i64 = 500 * MILLI;
/// It hears of a row each second; what is silent for longer was stopped, or lives on a busy machine.
const PAUSE: i64 = 1_500 * MILLI;
/// How long it may not know, where nothing fails: news that do not come are asked for.
const UNSEEN: i64 = SECOND;
/// After a failed call or a lost hub it has so long to find out what it missed.
const MENDED: i64 = 5 * SECOND;

/// Judges what mes-exec knew, on its clock.
pub fn known(day: &Day) -> Finding {
    if day.exec.is_empty() {
        return no_exec();
    }
    if let Some(finding) = does_not_replay(day) {
        return finding;
    }
    let (mut faults, mut longest) = (Vec::new(), 0);
    for run in &day.exec {
        known_by(run, &mut faults, &mut longest);
    }
    Finding::of(faults, format!("longest without: {}", seconds(longest)))
}

fn known_by(run: &Run, faults: &mut Vec<Fault>, longest: &mut i64) {
    let mut looking = Looking::default();
    let (mut bare, mut closed, mut stopped) = (None, i64::MIN / 2, i64::MIN / 2);
    let mut told = false;
    for step in &run.steps {
        let now = step.now.steady;
        let looked = looking.step(step);
        let view = step.view;
        // What is asked for on the step that shows it counts.
        if step.closes() {
            closed = now;
        }
        if step.stops() {
            stopped = now;
        }
        if view.starting || view.exposure == 0 || view.protected {
            if let Some(since) = bare.take() {
                *longest = (*longest).max(now - since);
            }
            told = false;
            continue;
        }
        let since = *bare.get_or_insert(now);
        *longest = (*longest).max(now - since);
        let seen = looked.is_some_and(|look| look.asked.steady >= since);
        let acts = now - closed < CLOSING || now - stopped <= BARE;
        if seen && !acts && !told && now - since > BARE {
            let words = format!(
                "{} contracts without a stop for {}, REST answers, and no close is asked for",
                view.exposure,
                seconds(now - since)
            );
            faults.push(run.fault(step.line, step.now, words));
            told = true;
        }
    }
}

/// A stretch in which something was open without a stop at the exchange.
struct Stretch<'a> {
    at: &'a Told,
    contracts: i64,
    until: Ts,
}

/// Judges what was so at the exchange: the time between a fill and its stop.
pub fn naked(day: &Day) -> Finding {
    let (exchange, account, contract) = match all_of_the_exchange(day) {
        Ok(found) => found,
        Err(finding) => return finding,
    };
    let stretches = stretches(exchange, account, contract);
    let longest = stretches.iter().map(|stretch| stretch.until - stretch.at.ts).max().unwrap_or(0);
    let looks: Vec<Vec<(Ts, Looked)>> = day.exec.iter().map(looks).collect();
    let mut faults = Vec::new();
    for stretch in stretches.iter().filter(|stretch| stretch.until - stretch.at.ts > BARE) {
        for (run, looks) in day.exec.iter().zip(&looks) {
            if let Some(words) = neglected(run, looks, stretch) {
                faults.push(exchange.fault(stretch.at, words));
            }
        }
    }
    Finding::of(faults, format!("longest without: {}", seconds(longest)))
}

/// Lists the looks that were answered, and when.
fn looks(run: &Run) -> Vec<(Ts, Looked)> {
    let mut looking = Looking::default();
    run.steps.iter().filter_map(|step| Some((step.now.utc, looking.step(step)?))).collect()
}

/// Says what a run did not do about a stretch: once the exchange was looked at, there is a stop or a close within a second;
/// where all is well with the line, it is not long before it is looked at.
fn neglected(run: &Run, looks: &[(Ts, Looked)], stretch: &Stretch) -> Option<String> {
    let from = stretch.at.ts;
    let seen = looks.iter().find(|(at, look)| look.asked.utc >= from && *at < stretch.until);
    let due = match seen {
        Some((at, _)) => at + BARE + STEP,
        None if is_well(run, from, stretch.until) => from + BARE + UNSEEN,
        None => return None,
    };
    if stretch.until <= due || run.last() <= due {
        return None;
    }
    let mut steps = run.steps.iter().filter(|step| (from - CLOSING..=due).contains(&step.now.utc));
    let acts = steps.any(|step| step.closes() || step.stops() && step.now.utc >= from);
    let did = match seen {
        Some((at, _)) => format!("looked after {} and did nothing within a second", seconds(at - from)),
        None => "never looked, though nothing failed".to_owned(),
    };
    (!acts).then(|| {
        let (contracts, time) = (stretch.contracts, seconds(stretch.until - from));
        format!("{contracts} contracts without a stop for {time}; mes-exec {did}")
    })
}

/// Says whether a run went on in a stretch of time without a pause, a failed call or a lost hub.
fn is_well(run: &Run, from: Ts, until: Ts) -> bool {
    let mut before = run.begun.utc;
    let (mut up, mut well) = (false, before < from);
    for step in run.steps.iter().take_while(|step| step.now.utc <= until) {
        match &step.event {
            Event::Up { .. } => up = true,
            Event::Down { .. } => up = false,
            _ => {}
        }
        let failed = matches!(
            &step.event,
            Event::Answer {
                answer: Answer::Unknown { .. } | Answer::Refused { why: Why::Later { .. }, .. },
                ..
            }
        );
        // What failed just before is not mended yet.
        if step.now.utc > from - MENDED {
            well &= up && !failed && step.now.utc - before <= PAUSE;
        }
        before = step.now.utc;
    }
    well && until - before <= PAUSE
}

fn stretches<'a>(exchange: &'a Exchange, account: i64, contract: &str) -> Vec<Stretch<'a>> {
    let mut stops: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    let (mut open, mut position) = (None, 0);
    let mut found = Vec::new();
    let mut changes: Vec<(&Told, Option<i64>)> =
        exchange.positions(account, contract).map(|(told, contracts)| (told, Some(contracts))).collect();
    changes.extend(exchange.orders(account).map(|(told, _)| (told, None)));
    changes.sort_by_key(|(told, _)| told.line);
    for (told, contracts) in changes {
        match (contracts, &told.what) {
            (Some(contracts), _) => position = contracts,
            (None, crate::day::exchange::What::Order(order)) if order.contract_id == contract => {
                let is_stop =
                    matches!(order.kind, OrderKind::Stop | OrderKind::TrailingStop | OrderKind::StopLimit);
                let works =
                    OrderStatus::ALIVE.contains(&order.status) && order.status != OrderStatus::Suspended;
                let sign = order.side.known().map_or(0, Side::sign);
                stops.remove(&order.id);
                if is_stop && works {
                    stops.insert(order.id, (sign, order.size - order.filled()));
                }
            }
            _ => {}
        }
        let covered: i64 =
            stops.values().filter(|(sign, _)| *sign == -position.signum()).map(|(_, rest)| rest).sum();
        let bare = position.abs() - covered;
        match (bare > 0, open.take()) {
            (true, since) => open = Some(since.unwrap_or((told, bare))),
            (false, Some((at, contracts))) => found.push(Stretch { at, contracts, until: told.ts }),
            (false, None) => {}
        }
    }
    let end = exchange.records.last().map_or(0, |told| told.ts);
    found.extend(open.map(|(at, contracts)| Stretch { at, contracts, until: end }));
    found
}

fn seconds(nanos: i64) -> String {
    format!("{:.2} s", nanos as f64 / SECOND as f64)
}
