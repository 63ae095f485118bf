//! The network changes no decision: a market over mes-sim, without faults and without delays, and the same rows on paper.
//! They part at the first fill that differs, since paper fills at the next row's open and an exchange at its quote; up to
//! there every row, prediction, statement and verdict is the same.

use std::{fs, thread::sleep, time::Duration};

use mes_golden::shell;
use mes_pipe::clock::Deadline;
use serde_json::Value;

use crate::{
    night::ENV,
    pipe::{Group, folder},
};

/// Of wall time, at ten times the pace.
const TRADED: Duration = Duration::from_secs(25);
const SIM: &str = "mes-fetch synth --sessions 1 --seed 5 --ticks --session rth > ticks.arrow; \
    exec mes-sim ticks.arrow --speed 10 --port 0 --run sim --account PRAC-NIGHT,balance=2000 --slippage 0..0 \
    --timing market-fill=0..0 --timing close-fill=0..0 --timing bracket=0..0 --timing working=0..0 --timing sibling=0..0";

/// Trades both and returns what differs first, in the words of `mes-bt diff`.
///
/// # Errors
///
/// What did not start or end, in words.
pub fn first_difference() -> Result<Value, String> {
    let (_kept, folder) = folder(1_000_000);
    let mut sim = Group::start(&folder, "sim", SIM);
    let patience = Deadline::after(Duration::from_secs(30));
    while !folder.join("sim/sim.json").exists() {
        if sim.is_over() || patience.left().is_zero() {
            return Err(fs::read_to_string(folder.join("sim.err")).unwrap_or_default());
        }
        sleep(Duration::from_millis(20));
    }
    let root = shell::root().display();
    let line = format!(
        "{ENV} MES_PREDICT='--rule random --seed 5 --rate 0.3' MES_WARM_UP=0 exec {root}/pipelines/live.sh \"$MES_ACCOUNT\" \
         {root}/tests/fixtures/night.toml"
    );
    let mut pipe = Group::start(&folder, "pipe", &line);
    sleep(TRADED);
    pipe.signal("INT");
    if !pipe.ends_within(Duration::from_secs(20)) {
        return Err("^C does not end the pipe".into());
    }
    let paper = format!(
        "journal=$(echo run/journals/*.jsonl); rules=\"--rules {root}/tests/fixtures/night.toml --costs topstepx\"; \
         grep '^{{\"kind\":\"row\"' $journal | mes-risk --interval 1s --session all --run paper $rules | tee paper.jsonl | \
         mes-exec --run paper $rules > /dev/null; mes-bt diff $journal paper.jsonl --json"
    );
    let output = shell::run(&folder, &paper, b"");
    serde_json::from_slice(&output.stdout).map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
}
