//! What mes-bt writes, mes-risk writes: the same journal from the same rows, byte for byte.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::RangeInclusive,
};

use mes_core::order::ExitReason;
use mes_golden::{market, shell};
use serde_json::Value;

/// How orders fill, in turns.
const FILLS: [&str; 4] =
    ["", "--fills realistic --latency 85", "--latency latency.csv", "--fills optimistic"];
const LATENCY: &str = "req,exch,resp\n0,40000000,0\n0,90000000,0\n0,250000000,0\n0,1900000000,0\n";

/// Writes the journals of a seed under these rules by mes-bt, by mes-risk | mes-exec, by a replay and with recorded
/// statements, compares them all, and returns it.
fn journal(rules: &str, seed: u64) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = shell::root().join(rules);
    let with = format!("--rules {} {}", rules.display(), FILLS[seed as usize % FILLS.len()]);
    fs::write(folder.path().join("latency.csv"), LATENCY).expect("latencies");
    fs::write(folder.path().join("rows.jsonl"), market::eventful(seed)).expect("rows");
    let line = format!(
        "mes-bt -q {with} --journal bt.jsonl rows.jsonl > summary.json &&
         mes-risk {with} < rows.jsonl | tee pipe.jsonl | mes-exec {with} > statements.jsonl &&
         cmp bt.jsonl pipe.jsonl &&
         grep -E '\"kind\":\"(run|row|person)\"' bt.jsonl | mes-risk {with} | tee again.jsonl |
             mes-exec {with} > /dev/null &&
         cmp bt.jsonl again.jsonl &&
         mes-risk {with} --account pipe.jsonl rows.jsonl > recorded.jsonl &&
         cmp bt.jsonl recorded.jsonl &&
         grep '\"kind\":\"statement\"' bt.jsonl | cmp - statements.jsonl"
    );
    shell::ok(folder.path(), &line, b"");
    fs::read_to_string(folder.path().join("bt.jsonl")).expect("the journal")
}

fn records<'a>(journal: &'a str, kind: &'a str) -> impl Iterator<Item = Value> + 'a {
    let begin = format!("{{\"kind\":\"{kind}\"");
    let lines = journal.lines().filter(move |line| line.starts_with(&begin));
    lines.map(|line| serde_json::from_str(line).expect("a record"))
}

/// Counts entries and exits of a journal.
fn exits(journal: &str) -> (usize, BTreeMap<String, usize>) {
    let (mut entries, mut exits) = (0, BTreeMap::new());
    for statement in records(journal, "statement") {
        for fill in statement["fills"].as_array().expect("fills") {
            match fill["exit"].as_str() {
                Some(reason) => *exits.entry(reason.to_owned()).or_default() += 1,
                None => entries += 1,
            }
        }
    }
    (entries, exits)
}

/// Every way to fill; twenty seeds and more in `make soak`.
fn seeds() -> RangeInclusive<u64> {
    1..=mes_golden::soak().map_or(4, |times| 20 * times as u64)
}

#[test]
fn journals_of_all_seeds_are_equal() {
    for seed in seeds() {
        let journal = journal(market::RULES, seed);
        let (entries, exits) = exits(&journal);
        assert!(entries >= 50, "seed {seed}: {entries} entries prove little");
        // A person's stop is in tests/tests/stop.rs; the others are those of a real broker.
        let others = [ExitReason::Person, ExitReason::Outside, ExitReason::Broker];
        for reason in ExitReason::ALL.into_iter().filter(|reason| !others.contains(reason)) {
            assert!(
                exits.contains_key(reason.name()),
                "seed {seed}: no exit by {}: {exits:?}",
                reason.name()
            );
        }
    }
}

/// Stops by ATR that go to break-even, trail and tighten; targets by reward:risk; reversals; breakers.
#[test]
fn journals_of_moving_stops_and_reversals_are_equal() {
    let (mut signals, mut rules) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    let mut stops = BTreeSet::new();
    for seed in 21..=25 {
        let journal = journal("tests/fixtures/nimble.toml", seed);
        assert!(exits(&journal).0 >= 50, "seed {seed}: {} entries", exits(&journal).0);
        for order in records(&journal, "order") {
            let word = |key: &str| order[key].as_str().expect("a word").to_owned();
            *signals.entry(format!("{} {}", word("signal"), word("action"))).or_default() += 1;
            if let Some(stop) = order["stop_ticks"].as_i64() {
                stops.insert(stop);
                assert_eq!(order["target_ticks"].as_f64(), Some((stop as f64 * 1.5).round()), "{order}");
            }
        }
        rules.extend(records(&journal, "deny").map(|deny| deny["rule"].as_str().expect("a rule").to_owned()));
    }
    for signal in [
        "LONG_ENTRY enter",
        "SHORT_ENTRY enter",
        "EXIT_LONG exit",
        "EXIT_SHORT exit",
        "REVERSE_TO_LONG exit",
        "REVERSE_TO_LONG enter",
        "REVERSE_TO_SHORT exit",
        "REVERSE_TO_SHORT enter",
        "FLATTEN exit",
        "HOLD move_stop",
    ] {
        assert!(signals.get(signal).is_some_and(|count| *count >= 5), "{signal}: {signals:?}");
    }
    for rule in ["reversal_cooldown_s", "reversals_in_range", "losses_pause_s", "cooldown_s"] {
        assert!(rules.contains(rule), "{rule}: {rules:?}");
    }
    assert!(stops.len() >= 4, "{stops:?}");
}

/// Entries that wait at a limit: filled after a while or at once, expired, cancelled by the opposite signal, the day's end
/// or a break.
#[test]
fn journals_of_entries_at_a_limit_are_equal() {
    let (mut refusals, mut waits, mut cancels) = (BTreeMap::<String, usize>::new(), 0, BTreeSet::new());
    for seed in 31..=32 {
        let journal = journal("tests/fixtures/patient.toml", seed);
        assert!(exits(&journal).0 >= 30, "seed {seed}: {} entries", exits(&journal).0);
        for order in records(&journal, "order") {
            let word = |key: &str| order[key].as_str().unwrap_or_default().to_owned();
            assert_eq!(word("action") == "enter", order["limit"].is_object(), "{order}");
            if word("action") == "exit" {
                cancels.insert(word("reason"));
            }
        }
        for statement in records(&journal, "statement") {
            let working = statement["working"].as_array().expect("orders");
            waits += usize::from(working.iter().any(|order| order["role"] == "entry"));
            for refusal in statement["refused"].as_array().expect("refusals") {
                *refusals.entry(refusal["reason"].as_str().expect("a reason").into()).or_default() += 1;
            }
        }
    }
    for reason in ["expired", "cancelled"] {
        assert!(refusals.get(reason).is_some_and(|count| *count >= 5), "{reason}: {refusals:?}");
    }
    assert!(waits > 500 && cancels.contains("signal"), "{waits} {cancels:?}");
}
