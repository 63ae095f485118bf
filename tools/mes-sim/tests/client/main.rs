//! The client against the exchange, in one process and virtual time, while things go wrong: under every single fault and
//! under seeded schedules of them. A failure says its seed: `SEED=n cargo test -p mes-sim --test client` runs that one
//! alone, `SOAK=n` n times as many.

mod bytes;
mod trader;
mod world;

use std::{
    env,
    fmt::Write,
    num::NonZero,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use mes_sim::service::{Fault, Planned, Schedule};
use trader::Trader;
use world::World;

/// Seeds of one run of the tests.
const SCHEDULES: u64 = 10_000;
/// Of a day here, in milliseconds.
const DAY_MS: u64 = 20_000;

fn run(schedule: &Schedule) -> Result<(), String> {
    let world = World::new(schedule);
    Trader::new(&world, schedule.seed).day(DAY_MS)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_is_repeated_invented_or_left_open_under_any_schedule() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..SCHEDULES * number("SOAK").unwrap_or(1),
    };
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut failed = String::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return failed;
            }
            let schedule = Schedule::draw(seed, 4, DAY_MS, Fault::ALL);
            if let Err(why) = run(&schedule) {
                let _ = writeln!(failed, "SEED={seed}: {why}\n  {}", schedule.line());
            }
        }
    };
    let failed: String = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker")).collect()
    });
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn every_fault_alone_is_survived() {
    for fault in Fault::ALL {
        for seed in 0..20 {
            let for_ms = if fault.lasts() == 0 { 0 } else { 15_000 };
            let faults = vec![Planned { at_ms: 2_000 + 700 * seed, fault: *fault, for_ms }];
            let schedule = Schedule { seed, faults };
            assert_eq!(run(&schedule), Ok(()), "{}", schedule.line());
        }
    }
}

/// A harness that sees nothing passes everything.
#[test]
fn a_quiet_day_has_trades_and_a_bad_one_has_unknowns() {
    let quiet = World::new(&Schedule::default());
    let mut trader = Trader::new(&quiet, 3);
    assert_eq!(trader.day(DAY_MS), Ok(()));
    assert!(
        trader.done > 1 && trader.unknown == 0 && quiet.heard() > 10,
        "{} {}",
        trader.done,
        quiet.heard()
    );
    let (mut unknown, mut refused, mut cuts) = (0, 0, 0);
    for seed in 0..200 {
        let world = World::new(&Schedule::draw(seed, 4, DAY_MS, Fault::ALL));
        let mut trader = Trader::new(&world, seed);
        assert_eq!(trader.day(DAY_MS), Ok(()));
        unknown += trader.unknown;
        refused += trader.refused;
        cuts += world.cuts();
    }
    assert!(unknown > 20 && refused > 50 && cuts > 50, "{unknown} unknown, {refused} refused, {cuts} cuts");
}
