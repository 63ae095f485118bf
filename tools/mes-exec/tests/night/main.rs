//! Nights that are survived: the core of mes-exec against the exchange of mes-sim, in virtual time. Of each the plan
//! follows from its seed, and a failure is one line that replays it: `NIGHT=<seed>`.

mod night;
mod world;

use mes_core::time;
use mes_pipe::{Settings, SettingsArgs};
use mes_sim::service::{Fault, Schedule};
use night::{Night, Plan, TRADED};

fn settings() -> Settings {
    let args =
        SettingsArgs { rules: "mes-1k-topstep".into(), costs: "topstepx".into(), ..SettingsArgs::default() };
    args.read().expect("the shipped settings")
}

fn plan(seed: u64) -> Plan {
    let within = u64::try_from(TRADED / time::MILLI).expect("positive");
    let late = seed % 7 == 6;
    let start = if late { "2026-11-20T21:07:00Z" } else { "2026-11-20T15:00:00Z" };
    Plan {
        schedule: Schedule::draw(seed, (seed % 6) as usize, within, Fault::ALL),
        start: time::parse(start).expect("a time"),
        kills: seed % 3 == 2,
        clicks: seed % 11 == 10,
    }
}

#[test]
fn nights_are_survived() {
    let one = std::env::var("NIGHT").ok().and_then(|seed| seed.parse().ok());
    let count = std::env::var("NIGHTS").ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let settings = settings();
    let (mut fills, mut entries, mut restarts) = (0, 0, 0);
    let mut failed = Vec::new();
    for seed in one.map_or(0..count, |seed| seed..seed + 1) {
        let plan = plan(seed);
        let mut night = Night::new(&plan, &settings);
        if let Err(why) = night.play() {
            failed.push(format!("NIGHT={seed}: {why}"));
        }
        if one.is_some() {
            eprintln!("{}", plan.schedule.line());
            night.keep();
            night.journal().iter().for_each(|line| eprintln!("{line}"));
            night.alerts.iter().for_each(|alert| eprintln!("alert: {alert}"));
        }
        fills += night.fills;
        entries += night.entries;
        restarts += night.restarts;
    }
    eprintln!("{entries} entries, {fills} fills, {restarts} restarts; {} failed", failed.len());
    assert!(failed.is_empty(), "{}", failed.iter().take(40).cloned().collect::<Vec<_>>().join("\n"));
}
