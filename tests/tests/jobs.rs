//! Jobs: run anywhere, in any order, twice at once, they come to the bytes of one process; what is missing, changed or of
//! other bytes is refused by name. `make cluster` does the same with schedulers and kills.

use std::{fs, path::Path, sync::OnceLock};

use mes_golden::shell;
use serde_json::Value;
use tempfile::TempDir;

const WALK: &str = "mes-lab walk-forward -q --train 6sessions --validate 2sessions --test 2sessions --step 2sessions \
                    --family logistic,boosted --train-args='--without f_delta_30,f_spread,f_queue,f_micro' features.parquet";
const SEARCH: &str = "mes-lab optimize -q --tpe 26 --prune --vary exits.stop_ticks=4..16 --vary exits.target_ticks=8..24/4 \
                      --min-trades 1 predictions.parquet";

/// Days of minutes, made once, and what one process makes of them.
fn lab() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let line = format!(
            "mes-fetch synth -q --sessions 12 --seed 3 --session rth | mes-bars -q --session rth --interval 1m > bars.arrow &&
             mes-features -q --labels=horizon --horizon 5m --to parquet bars.arrow > features.parquet &&
             mes-predict -q --rule ema-cross --to parquet bars.arrow > predictions.parquet &&
             {WALK} --out one > one.json && {SEARCH} --batch 13 --out searched > searched.json"
        );
        shell::ok(folder.path(), &line, b"");
        folder
    });
    folder.path()
}

fn code(line: &str) -> (Option<i32>, String) {
    let output = shell::run(lab(), line, b"");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn ok(line: &str) -> Vec<u8> {
    shell::ok(lab(), line, b"")
}

fn same(one: &str, other: &str) {
    let read = |name: &str| fs::read(lab().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(read(one) == read(other), "{one} and {other} differ");
}

#[test]
fn jobs_in_any_order_and_twice_at_once_are_one_process() {
    ok(&format!("{WALK} --out a --plan > a.jsonl"));
    let lines = fs::read_to_string(lab().join("a.jsonl")).expect("jobs").lines().count();
    assert_eq!(lines, 4);
    let (exit, said) = code("mes-lab collect -q --out a a.jsonl");
    assert!(
        exit == Some(3) && said.contains("4 of 4 results are missing: a/logistic/fold-001, "),
        "{exit:?} {said}"
    );
    // The last job first, each of them twice at once: each of both ends well.
    for line in (2..=lines).rev() {
        ok(&format!(
            "mes-lab job -q --line {line} a.jsonl & mes-lab job -q --line {line} --threads 1 a.jsonl && wait $!"
        ));
    }
    let (exit, said) = code("mes-lab collect -q --out a a.jsonl");
    assert!(
        exit == Some(3) && said.contains("1 of 4 results are missing: a/logistic/fold-001;"),
        "{exit:?} {said}"
    );
    assert!(!lab().join("a/logistic/fold-001").exists(), "collect has run a job");
    ok("mes-lab job -q \"$(head -n 1 a.jsonl)\"");
    let status: Value = serde_json::from_slice(&ok("mes-lab status a.jsonl")).expect("JSON");
    assert_eq!((&status["done"], &status["begun"], &status["waiting"]), (&4.into(), &0.into(), &0.into()));
    // What is done is done: its bytes keep their times.
    let model = lab().join("a/boosted/fold-001/model.onnx");
    let written = fs::metadata(&model).and_then(|data| data.modified()).expect("a model");
    ok("mes-lab job -q --line 3 a.jsonl");
    assert_eq!(fs::metadata(&model).and_then(|data| data.modified()).expect("kept"), written);
    assert_eq!(ok("mes-lab collect -q --out a a.jsonl"), fs::read(lab().join("one.json")).expect("JSON"));
    for family in ["logistic", "boosted"] {
        for name in ["walk-forward.json", "walk-forward.txt", "report.html", "folds.csv", "equity.csv"] {
            same(&format!("one/{family}/{name}"), &format!("a/{family}/{name}"));
        }
    }
    // A list that lost a fold is no plan.
    let (exit, said) = code("head -n 1 a.jsonl > cut.jsonl; mes-lab collect -q --out a cut.jsonl");
    assert!(exit == Some(3) && said.contains("not in the list: fold 2; give"), "{exit:?} {said}");
    // A byte of a result that falls over is found, and mended by its job.
    ok("sed -i 's/\"net_usd\": /\"net_usd\": 1/' a/logistic/fold-001/fold.json");
    let (exit, said) = code("mes-lab collect -q --out a a.jsonl");
    let damaged = "1 of 4 results are damaged: a/logistic/fold-001/fold.json;";
    assert!(exit == Some(3) && said.contains(damaged), "{exit:?} {said}");
    let status: Value = serde_json::from_slice(&ok("mes-lab status a.jsonl")).expect("JSON");
    assert_eq!((&status["done"], &status["waiting"]), (&3.into(), &1.into()));
    ok("mes-lab job -q --line 1 a.jsonl && mes-lab collect -q --out a a.jsonl > mended.json");
    same("one.json", "mended.json");
}

#[test]
fn other_bytes_settings_and_lines_are_refused() {
    ok("cp features.parquet rows.parquet");
    let plan = WALK.replace("features.parquet", "rows.parquet").replace("logistic,boosted", "logistic");
    ok(&format!("{plan} --out b --plan > b.jsonl"));
    ok("printf '\\377' | dd of=rows.parquet bs=1 seek=9999 conv=notrunc status=none");
    let (exit, said) = code("mes-lab job -q --line 1 b.jsonl");
    assert!(exit == Some(3) && said.contains("rows.parquet: its bytes are not those"), "{exit:?} {said}");
    let status: Value = serde_json::from_slice(&ok("mes-lab status b.jsonl")).expect("JSON");
    assert_eq!((&status["failed"], &status["failures"][0]["code"]), (&1.into(), &3.into()));
    ok("cp features.parquet rows.parquet");
    let (exit, said) =
        code("mes-lab job -q \"$(head -n 1 b.jsonl | sed 's/\"refill\":false/\"refill\":true/')\"");
    assert!(exit == Some(2) && said.contains("the line was changed"), "{exit:?} {said}");
    let rules = shell::root().join("pipelines/rules/mes-1k.toml");
    fs::copy(rules, lab().join("mes-1k-mine.toml")).expect("rules");
    ok(&format!(
        "{plan} --rules mes-1k-mine.toml --out b --plan > mine.jsonl && echo '# mine' >> mes-1k-mine.toml"
    ));
    let (exit, said) = code("mes-lab job -q --line 1 mine.jsonl");
    assert!(exit == Some(2) && said.contains("not what was planned"), "{exit:?} {said}");
    // Another build: a copy of the tools in which one has a byte more.
    ok(
        "mkdir other && for tool in lab train predict bt nets; do cp \"$(command -v mes-$tool)\" other/; done && echo >> other/mes-bt",
    );
    let (exit, said) = code("other/mes-lab job -q --line 1 b.jsonl");
    assert!(exit == Some(2) && said.contains("another build of the tools"), "{exit:?} {said}");
    let (exit, said) = code("mes-lab collect -q --out b b.jsonl one.json");
    assert!(exit == Some(2) && said.contains("one.json: line 1: no job"), "{exit:?} {said}");
    let (exit, said) = code("mes-lab job -q --line 9 b.jsonl");
    assert!(exit == Some(2) && said.contains("line 9"), "{exit:?} {said}");
}

#[test]
fn a_search_in_rounds_is_the_search() {
    ok(&format!(
        "while {SEARCH} --out rounds --ask 13 --per-job 5 > round.jsonl && [ -s round.jsonl ]; do
             {SEARCH} --out rounds --tell round.jsonl 2> early.txt && exit 9
             tac round.jsonl | while read -r job; do mes-lab job -q \"$job\" || exit 8; done
             {SEARCH} --out rounds --tell round.jsonl > told.json
             cp round.jsonl last.jsonl
         done
         {SEARCH} --batch 13 --out rounds > rounds.json
         {SEARCH} --out rounds --tell last.jsonl > again.json
         grep -q 'results are missing' early.txt && jq -e '.told == 0 and .trials == 26' again.json"
    ));
    same("searched/trials.jsonl", "rounds/trials.jsonl");
    same("searched.json", "rounds.json");
    // Rounds of another size are another search; it does not take this one's trials.
    ok(&format!("{SEARCH} --out rounds --ask 7 > seven.jsonl"));
    let asked = ok("head -n 1 seven.jsonl | jq -c '[.task.batch, (.task.trials | map(.trial))]'");
    assert_eq!(String::from_utf8_lossy(&asked).trim(), "[7,[1]]");
    let before = fs::read(lab().join("rounds/trials.jsonl")).expect("a ledger");
    let (exit, said) = code(&format!("{SEARCH} --seed 8 --out rounds --tell seven.jsonl"));
    assert!(exit == Some(2) && said.contains("another search"), "{exit:?} {said}");
    assert!(fs::read(lab().join("rounds/trials.jsonl")).expect("a ledger") == before, "told all the same");
    ok(&format!("mkdir -p fresh && : > fresh/trials.jsonl && {SEARCH} --out fresh --ask 7 | grep -q trials"));
}

#[test]
fn sessions_for_themselves_are_one_run() {
    ok("mkdir days && mes-fetch synth -q --sessions 3 --seed 5 --ticks --session rth --to parquet > ticks.parquet &&
        mes-bars -q --session rth ticks.parquet | mes-features -q --labels=horizon --to parquet > whole.parquet");
    // Cut where no session ends, so that sessions share files.
    ok("mes-lab slice -q --until 2026-11-19T17:00:00Z --to parquet ticks.parquet > days/1.parquet &&
        mes-lab slice -q --after 2026-11-19T17:00:00Z --to parquet ticks.parquet > days/2.parquet &&
        mes-bars -q --session rth days | mes-features -q --labels=horizon --to parquet > joined.parquet");
    let features = "mes-lab features -q --bars-args='--session rth' --features-args='--labels=horizon'";
    for (files, whole, out) in [("ticks.parquet", "whole", "s"), ("days", "joined", "d")] {
        ok(&format!("{features} --plan --out {out} {files} > {out}.jsonl"));
        let (exit, said) = code(&format!("mes-lab collect -q --out {out} {out}.jsonl"));
        assert!(exit == Some(3) && said.contains("3 of 3 results are missing"), "{exit:?} {said}");
        ok(&format!(
            "for line in 3 1 2; do mes-lab job -q --line $line {out}.jsonl; done; tac {out}.jsonl | mes-lab collect -q --out {out} /dev/stdin"
        ));
        same(&format!("{whole}.parquet"), &format!("{out}/features.parquet"));
    }
    let (exit, said) = code("tail -n 2 s.jsonl > two.jsonl; mes-lab join -q two.jsonl > none.arrow");
    assert!(exit == Some(3) && said.contains("not in the list: job 1; give"), "{exit:?} {said}");
    // A file in a text of arguments is hashed by nobody.
    let (exit, said) = code("mes-lab features -q --plan --out f --bars-args=--x=ticks.parquet ticks.parquet");
    assert!(exit == Some(2) && said.contains("--bars-args: --x=ticks.parquet"), "{exit:?} {said}");
    ok(&format!("cp ticks.parquet ./-ticks.parquet && {features} --out dash -- -ticks.parquet"));
    same("whole.parquet", "dash/features.parquet");
    ok(&format!("{features} --out here ticks.parquet"));
    same("whole.parquet", "here/features.parquet");
}
