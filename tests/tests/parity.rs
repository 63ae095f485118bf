//! What mes-bt writes, mes-risk writes: the same journal from the same rows, byte for byte.

use std::{collections::BTreeMap, fs};

use mes_core::order::ExitReason;
use mes_golden::{market, shell};
use serde_json::Value;

const SEEDS: u64 = 20;
/// How orders fill, in turns.
const FILLS: [&str; 4] =
    ["", "--fills realistic --latency 85", "--latency latency.csv", "--fills optimistic"];
const LATENCY: &str = "req,exch,resp\n0,40000000,0\n0,90000000,0\n0,250000000,0\n0,1900000000,0\n";

/// Counts entries and exits of a journal.
fn exits(journal: &str) -> (usize, BTreeMap<String, usize>) {
    let (mut entries, mut exits) = (0, BTreeMap::new());
    for line in journal.lines().filter(|line| line.starts_with("{\"kind\":\"statement\"")) {
        let statement: Value = serde_json::from_str(line).expect("a statement");
        for fill in statement["fills"].as_array().expect("fills") {
            match fill["exit"].as_str() {
                Some(reason) => *exits.entry(reason.to_owned()).or_default() += 1,
                None => entries += 1,
            }
        }
    }
    (entries, exits)
}

#[test]
fn journals_of_all_seeds_are_equal() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = shell::root().join(market::RULES);
    fs::write(folder.path().join("latency.csv"), LATENCY).expect("latencies");
    for seed in 1..=SEEDS {
        let with = format!("--rules {} {}", rules.display(), FILLS[seed as usize % FILLS.len()]);
        fs::write(folder.path().join("rows.jsonl"), market::eventful(seed)).expect("rows");
        let line = format!(
            "mes-bt -q {with} --journal bt.jsonl rows.jsonl > summary.json &&
             mes-risk {with} < rows.jsonl | tee pipe.jsonl | mes-exec {with} > statements.jsonl &&
             cmp bt.jsonl pipe.jsonl &&
             grep -E '\"kind\":\"(run|row)\"' bt.jsonl | mes-risk {with} | tee again.jsonl |
                 mes-exec {with} > /dev/null &&
             cmp bt.jsonl again.jsonl &&
             mes-risk {with} --account pipe.jsonl rows.jsonl > recorded.jsonl &&
             cmp bt.jsonl recorded.jsonl &&
             grep '\"kind\":\"statement\"' bt.jsonl | cmp - statements.jsonl"
        );
        shell::ok(folder.path(), &line, b"");
        let journal = fs::read_to_string(folder.path().join("bt.jsonl")).expect("the journal");
        let (entries, exits) = exits(&journal);
        assert!(entries >= 50, "seed {seed}: {entries} entries prove little");
        for reason in ExitReason::ALL {
            assert!(
                exits.contains_key(reason.name()),
                "seed {seed}: no exit by {}: {exits:?}",
                reason.name()
            );
        }
    }
}
