//! Nights of the whole pipeline: `live.sh` against `mes-sim`, ten times as fast as the clock, while calls, hubs and processes
//! fail by a schedule that a seed gives; a person restarts what died and ends it with ^C. What came of it is judged by
//! `mes-check day` over all records. The schedule repeats by its seed; what it meets is as the machine has it.
//!
//! A night takes some 25 s, whatever the machine: four of them, two side by side, a minute; twenty four minutes; 500, three
//! side by side, an hour and ten minutes.
//!
//! `NIGHT=7` runs one night, `WHOLE_NIGHTS=500` so many from `FIRST_NIGHT` on, `NIGHTS_AT_ONCE=3` side by side; `NIGHT_KEEP=DIR` keeps all files.

mod codes;
mod kill;
mod network;
mod night;
mod pipe;
mod plan;
mod told;

use std::{
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use plan::Plan;

/// Nights of a test run.
const NIGHTS: u64 = 4;
/// Side by side: each has eight processes, most of which wait.
const AT_ONCE: u64 = 4;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Says something at once: a run of many takes hours.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

#[test]
fn whatever_fails_a_night_keeps_every_law() {
    let (first, count) = match number("NIGHT") {
        Some(seed) => (seed, 1),
        None => (number("FIRST_NIGHT").unwrap_or(0), number("WHOLE_NIGHTS").unwrap_or(NIGHTS)),
    };
    let (next, failed) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..number("NIGHTS_AT_ONCE").unwrap_or(AT_ONCE).min(count) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let plan = Plan::draw(seed);
                    match night::night(&plan) {
                        Ok(came) => say(&format!("night {seed}: {came}")),
                        Err(why) => {
                            say(&format!("NIGHT={seed}: {why}"));
                            failed.lock().expect("a list").push(format!("NIGHT={seed}: {plan}\n{why}"));
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("a list");
    assert!(failed.is_empty(), "{} of {count}:\n{}", failed.len(), failed.join("\n\n"));
}

#[test]
fn the_network_changes_no_decision_before_a_fill_differs() {
    let report = network::first_difference().expect("two journals");
    say(&format!("network: {}", report["first"]));
    for stage in ["bars", "predictions"] {
        assert_eq!(report["differing_rows"][stage], 0, "{report}");
    }
    assert!(report["rows"].as_u64() > Some(100), "{report}");
    assert_eq!((&report["only_one"], &report["only_other"]), (&0.into(), &0.into()), "{report}");
    let first = &report["first"];
    // A price that is not the same, and what follows from it; and not a decision.
    assert_eq!(first["stage"], "fills", "{first}");
    assert!(first["what"]["key"].as_str().is_some_and(|key| key.starts_with("statement.")), "{first}");
}
