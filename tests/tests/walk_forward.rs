//! Walk-forward with the real tools on a few made-up sessions: resumed, in parallel, job by job, and failing.

use std::{fs, path::Path};

use mes_golden::shell;
use serde_json::Value;

const WALK: &str = "mes-lab walk-forward -q --train 3sessions --validate 1sessions --test 1sessions --step 1sessions \
                    --train-args='--without f_delta_30,f_spread,f_queue,f_micro' features.parquet";

fn features(folder: &Path) {
    let line = "mes-fetch synth -q --sessions 7 --seed 3 --session rth | mes-bars -q --session rth |
                mes-features -q --labels=horizon --to parquet > features.parquet";
    shell::ok(folder, line, b"");
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn folds_are_kept_and_the_same_however_they_are_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    features(folder);
    let first = shell::ok(folder, &format!("{WALK} --jobs 2 --out a"), b"");
    let outcome: Value = serde_json::from_slice(&first).expect("JSON");
    assert_eq!(outcome["folds"].as_array().map(Vec::len), Some(3));
    assert_eq!(outcome["out_of_sample"]["days"], 3);
    for fold in outcome["folds"].as_array().expect("folds") {
        assert!(fold["fold"]["until"].as_str() < fold["fold"]["test"]["from"].as_str());
        assert_eq!(fold["in_sample"]["days"], 3);
    }
    for name in ["walk-forward.json", "walk-forward.txt", "folds.csv", "equity.csv"] {
        assert!(!read(folder, &format!("a/{name}")).is_empty());
    }
    // One job a process, in any order; then all. A fold that was cut short is done again.
    shell::ok(folder, &format!("{WALK} --out b --plan > jobs.jsonl"), b"");
    for line in [3, 2] {
        shell::ok(folder, &format!("mes-lab job -q --line {line} jobs.jsonl"), b"");
    }
    fs::create_dir(folder.join("b/fold-001.0123.part")).expect("what a kill leaves");
    let model = folder.join("b/fold-003/model.onnx");
    let written = fs::metadata(&model).and_then(|data| data.modified()).expect("a model");
    assert_eq!(shell::ok(folder, &format!("{WALK} --jobs 1 --out b"), b""), first);
    assert_eq!(fs::metadata(&model).and_then(|data| data.modified()).expect("kept"), written);
    // Other costs are other folds.
    let dearer = shell::ok(folder, &format!("{WALK} --costs topstepx --out b"), b"");
    let keys = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("JSON")["folds"][0]["key"].clone();
    assert_ne!(keys(&dearer), keys(&first));
}

#[test]
fn failures_are_passed_on_with_their_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    features(folder);
    let code = |line: &str| {
        let output = shell::run(folder, line, b"");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (exit, said) = code(&format!("{WALK} --out a --family oracle"));
    assert_eq!(exit, Some(2), "{said}");
    let (exit, said) = code(&format!("{WALK} --out a --plan --family logistc"));
    assert!(exit == Some(2) && said.contains("is logistic meant?"), "{exit:?} {said}");
    let (exit, said) = code("mes-lab walk-forward -q --out a features.parquet");
    assert_eq!(exit, Some(2), "{said}");
    assert!(said.contains("not one fold fits"), "{said}");
    let (exit, said) = code("mes-lab job -q '{}'");
    assert_eq!((exit, said.lines().count()), (Some(2), 1), "{said}");
    let (exit, said) = code("mes-lab walk-forward -q --out a < features.parquet");
    assert_eq!(exit, Some(2), "{said}");
    // Rows without labels: what mes-train said is what is said.
    shell::ok(
        folder,
        "mes-fetch synth -q --sessions 7 --session rth | mes-features -q --to parquet > bare.parquet",
        b"",
    );
    let (exit, said) = code(&format!("{WALK} --out a").replace("features.parquet", "bare.parquet"));
    assert!(matches!(exit, Some(2 | 3)) && said.contains("a/fold-001: mes-train: "), "{exit:?} {said}");
}
