//! The tool from labelled rows to a model that mes-predict runs.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use mes_golden::labelled::{SECOND, START, card, rows};
use mes_predict::model::Model;

fn train(folder: &Path, name: &str, text: &str, flags: &[&str]) -> (PathBuf, Output) {
    mes_golden::labelled::train(folder, "logistic", name, text, flags)
}

#[test]
fn finds_a_planted_edge_and_none_in_noise() {
    let folder = tempfile::tempdir().expect("folder");
    let (model, output) = train(folder.path(), "edge", &rows(6000, 0.8, 1), &[]);
    let found = card(&model, &output);
    assert!(found.scores.skill() && found.scores.gain.nats > 0.05, "{:?}", found.scores);
    assert!(found.scores.model.mcc > 0.1 && found.scores.flat.mcc == 0.0);
    assert_eq!(found.features, ["f_edge", "f_noise", "f_late"]);
    assert_eq!((found.rows.train, found.rows.calibration, found.rows.test), (4185, 897, 897));
    // 20 rows warm up, the last one has no label.
    assert_eq!(found.span.first, START + 20 * SECOND);
    assert_eq!(found.span.last, START + (20 + 4185 + 897) * SECOND);
    let [down, flat, up] = found.mean_move_ticks;
    assert!(down < -3.0 && flat.abs() < 1.0 && up > 3.0, "{:?}", found.mean_move_ticks);
    let p =
        Model::load(&model).expect("loads").probabilities(&[0.9, 0.0, 0.5, -0.9, 0.0, 0.5]).expect("runs");
    assert!(p[0][2] > 0.5 && p[1][0] > 0.5, "{p:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("SKILL: it foretells"));
    assert!(fs::read_to_string(model.with_extension("md")).expect("card").contains("A logistic model"));

    let (model, output) = train(folder.path(), "noise", &rows(6000, 0.0, 2), &[]);
    let found = card(&model, &output);
    assert!(!found.scores.skill(), "{:?}", found.scores);
    assert!(String::from_utf8_lossy(&output.stderr).contains("NO SKILL"));
}

#[test]
fn same_rows_and_seed_give_the_same_bytes_and_others_do_not() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(1500, 0.5, 3);
    let (first, output) = train(folder.path(), "first", &text, &[]);
    assert!(output.status.success());
    let bytes = fs::read(&first).expect("model");
    let (second, _) = train(folder.path(), "second", &text, &["--quiet"]);
    assert_eq!(bytes, fs::read(second).expect("model"));
    let (other, _) = train(folder.path(), "other", &text, &["--balanced"]);
    assert_ne!(bytes, fs::read(other).expect("model"));
    let parts: Vec<_> =
        fs::read_dir(folder.path()).expect("folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(parts.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{parts:?}");
}

#[test]
fn until_stride_and_without_choose_what_is_learnt() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(4000, 0.8, 4);
    let until = mes_core::time::format(START + 3000 * SECOND);
    let (model, output) =
        train(folder.path(), "m", &text, &["--until", &until, "--stride", "2s", "--without", "f_n*,f_late"]);
    let found = card(&model, &output);
    assert_eq!(found.features, ["f_edge"]);
    assert_eq!(found.rows.train + found.rows.calibration + found.rows.test, 1500);
    assert!(found.span.last < START + 3000 * SECOND);
}

#[test]
fn says_what_is_missing() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(200, 0.5, 5);
    let run = |text: &str, flags: &[&str]| {
        let (model, output) = train(folder.path(), "x", text, flags);
        assert!(!model.exists());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let unlabelled = text.replace("y_dir", "y_other");
    for (text, flags, code, what) in [
        (unlabelled.as_str(), &[][..], 3, "no column \"y_dir\""),
        (&text, &["--without", "f_x"], 2, "--without f_x"),
        (&text, &["--without", "f_*"], 3, "no f_* columns"),
        (&text, &["--until", "2001-01-01T00:00:00Z"], 3, "no row to learn from"),
        (&text.replace("2\n", "1\n"), &[], 3, "each must occur"),
        (&text, &["--hidden", "8"], 2, "unexpected argument '--hidden'"),
        (&text, &["--resume"], 2, "--resume: logistic has no epochs"),
        (&text, &["--max-memory", "2K"], 2, "2.0K allowed"),
        (&text, &["--embargo", "1h"], 3, "too few: none is left to train"),
    ] {
        let (found, stderr) = run(text, flags);
        assert!(found == Some(code) && stderr.contains(what), "{found:?} {stderr}");
    }
    let csv = folder.path().join("x.csv");
    let output =
        Command::new(env!("CARGO_BIN_EXE_mes-train")).arg("logistic").arg(csv).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--horizon and --threshold"));
}

/// Adds to the rows the moves that their labels are made of.
fn told(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let close = |line: &str| -> f64 { line.split(',').nth(4).expect("a close").parse().expect("a number") };
    let mut told = format!("{},y_move\n", lines[0]);
    for (at, line) in lines.iter().enumerate().skip(1) {
        let moved = lines.get(at + 1).map(|next| ((close(next) - close(line)) * 4.0).to_string());
        let _ = writeln!(told, "{line},{}", moved.unwrap_or_default());
    }
    told
}

/// Trains on rows that were labelled as the flags say and returns the exit code and what was said.
fn labelled(folder: &Path, text: &str, flags: &[&str]) -> (Option<i32>, String) {
    fs::write(folder.join("x.csv"), text).expect("writes");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mes-train"));
    command.current_dir(folder).args(["logistic", "--interval", "1s", "x.csv"]).args(flags);
    let output = command.output().expect("runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Text carries no label rule, so what the command line says is held against the rows.
#[test]
fn labels_that_are_not_those_that_were_named_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let text = told(&rows(1500, 3.0, 6));
    let run = |horizon: &str, threshold: &str, out: &str| {
        let threshold = format!("--threshold={threshold}");
        labelled(folder.path(), &text, &["--horizon", horizon, &threshold, "--out", out])
    };
    let (code, stderr) = run("1s", "3", "m.onnx");
    assert_eq!(code, Some(0), "{stderr}");
    for (horizon, threshold, out, wanted, what) in [
        ("1s", "5", "m.onnx", 3, "no label of horizon 1s over 5 ticks"),
        ("2s", "3", "m.onnx", 3, "2s later the close is"),
        ("1s", "nan", "m.onnx", 2, "no number of ticks from 0 up"),
        ("1s", "-3", "m.onnx", 2, "no number of ticks from 0 up"),
        ("1s", "3", "x.csv/m.onnx", 1, "x.csv/m.onnx: cannot be written"),
        ("1s", "3", ".", 2, "a folder"),
    ] {
        let (code, stderr) = run(horizon, threshold, out);
        assert!(
            code == Some(wanted) && stderr.contains(what) && !stderr.contains(".part"),
            "{code:?} {stderr}"
        );
        assert!(!stderr.contains("fitting"), "{stderr}");
    }
}

#[test]
fn overlapping_labels_widen_the_error() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(3000, 0.8, 7);
    let scores = |horizon: &str| {
        let flags = ["--horizon", horizon, "--threshold", "3", "--stride", "1s", "--out", "m.onnx"];
        let (code, stderr) = labelled(folder.path(), &text, &flags);
        assert_eq!(code, Some(0), "{stderr}");
        (mes_predict::model::read_card(&folder.path().join("m.onnx")).expect("a card").scores, stderr)
    };
    let (apart, said) = scores("1s");
    assert!((apart.overlap - 1.0).abs() < 1e-9 && !said.contains("as wide"), "{said}");
    let (overlapping, said) = scores("9s");
    assert!((overlapping.overlap - 9.0).abs() < 0.3 && said.contains("3.0 times as wide"), "{said}");
    assert!(overlapping.direction.error > 2.5 * apart.direction.error, "{overlapping:?}");
}
