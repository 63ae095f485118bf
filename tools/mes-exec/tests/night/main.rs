//! Nights that are survived: the core of mes-exec against the exchange of mes-sim, in virtual time. Of each the plan
//! follows from its seed, and a failure is one line that replays it: `NIGHT=<seed>`.
//!
//! What is judged is what the exchange has, at every instant: no position without a stop for longer than can be helped, no
//! more contracts than were asked for, no order filled twice, no entry after a halt, on old quotes or at the day's end;
//! flat by then whatever is dead; in the end nothing open, nothing working, and the same cash to the cent.

mod bugs;
mod night;
mod world;

use std::thread;

use bugs::Bug;
use mes_core::time;
use mes_pipe::{Settings, SettingsArgs};
use mes_sim::service::{Fault, Schedule};
use night::{Night, Plan, TRADED};

/// In CI; `NIGHTS` gives another number.
const NIGHTS: u64 = 10_000;
/// Of these a bug has to be caught in one.
const CATCH: u64 = 1_500;

fn settings() -> Settings {
    let args =
        SettingsArgs { rules: "mes-1k-topstep".into(), costs: "topstepx".into(), ..SettingsArgs::default() };
    args.read().expect("the shipped settings")
}

fn plan(seed: u64, bug: Option<Bug>) -> Plan {
    let within = u64::try_from(TRADED / time::MILLI).expect("positive");
    let late = seed % 7 == 6;
    let start = if late { "2026-11-20T21:02:30Z" } else { "2026-11-20T15:00:00Z" };
    Plan {
        schedule: Schedule::draw(seed, (seed % 6) as usize, within, Fault::ALL),
        start: time::parse(start).expect("a time"),
        kills: seed % 3 == 2,
        clicks: seed % 11 == 10,
        late,
        rows_stop: seed.is_multiple_of(2),
        own_oco: seed % 4 == 3,
        bug,
    }
}

#[derive(Default)]
struct Sum {
    failed: Vec<String>,
    fills: usize,
    entries: usize,
    restarts: usize,
}

fn play(seeds: impl Iterator<Item = u64>, settings: &Settings, loud: bool) -> Sum {
    let mut sum = Sum::default();
    for seed in seeds {
        let plan = plan(seed, None);
        let mut night = Night::new(&plan, settings);
        if let Err(why) = night.play() {
            sum.failed.push(format!("NIGHT={seed}: {why}"));
        }
        if loud {
            eprintln!("{}", plan.schedule.line());
            night.keep();
            night.journal().iter().for_each(|line| eprintln!("{line}"));
            night.alerts.iter().for_each(|alert| eprintln!("alert: {alert}"));
        }
        sum.fills += night.fills;
        sum.entries += night.entries;
        sum.restarts += night.restarts;
    }
    sum
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn nights_are_survived() {
    let settings = settings();
    if let Some(seed) = number("NIGHT") {
        let sum = play(seed..seed + 1, &settings, true);
        return assert!(sum.failed.is_empty(), "{:?}", sum.failed);
    }
    let count = number("NIGHTS").unwrap_or(NIGHTS);
    let sums: Vec<Sum> = thread::scope(|scope| {
        let half = |part| {
            let settings = &settings;
            scope.spawn(move || play((part..count).step_by(2), settings, false))
        };
        let halves = [half(0), half(1)];
        halves.map(|half| half.join().expect("no night panics")).into()
    });
    let failed: Vec<&String> = sums.iter().flat_map(|sum| &sum.failed).collect();
    let all = |of: fn(&Sum) -> usize| sums.iter().map(of).sum::<usize>();
    let (entries, fills, restarts) = (all(|sum| sum.entries), all(|sum| sum.fills), all(|sum| sum.restarts));
    eprintln!(
        "{count} nights: {entries} entries, {fills} fills, {restarts} restarts; {} failed",
        failed.len()
    );
    let first: Vec<String> = failed.iter().take(40).map(|line| line.to_string()).collect();
    assert!(first.is_empty(), "{} failed:\n{}", failed.len(), first.join("\n"));
    assert!(entries as u64 > 5 * count && fills as u64 > 4 * count, "{entries} entries, {fills} fills");
}

#[test]
fn every_planted_bug_is_caught_by_the_invariant_it_breaks() {
    let settings = settings();
    let mut missed = Vec::new();
    for (bug, invariant) in Bug::ALL {
        let mut others = Vec::new();
        let caught = (0..CATCH).find(|seed| {
            let plan = plan(*seed, Some(bug));
            match Night::new(&plan, &settings).play() {
                Err(why) if why.contains(invariant) => true,
                Err(why) => {
                    others.push(format!("{seed}: {why}"));
                    false
                }
                Ok(()) => false,
            }
        });
        eprintln!("{bug:?}: caught in night {caught:?}, after {} other breaches", others.len());
        if caught.is_none() {
            others.truncate(3);
            missed.push(format!("{bug:?} was not caught by {invariant:?}: {others:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
