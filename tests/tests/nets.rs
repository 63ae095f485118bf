//! Nets find what was planted and nothing else, and the same bytes come of the same rows, settings and seed, whether
//! or not something stopped them on the way.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use mes_golden::{
    labelled::{card, command, rows, rows_after, train},
    shell,
};

const SMALL: [&str; 6] = ["--epochs", "6", "--batch", "64", "--hidden", "12"];

/// The families, and how many rows before the last one their edge lies: a sequence finds what a row does not show.
const FAMILIES: [(&str, usize); 4] = [("mlp", 0), ("lstm", 2), ("hybrid", 2), ("transformer", 2)];

fn flags(family: &str) -> Vec<&'static str> {
    let window = if family == "mlp" { &[][..] } else { &["--window", "4"] };
    [&SMALL[..], window].concat()
}

#[test]
fn each_finds_a_planted_edge_and_none_in_noise() {
    let folder = tempfile::tempdir().expect("folder");
    for (family, before) in FAMILIES {
        let (model, output) =
            train(folder.path(), family, "edge", &rows_after(8000, 0.8, 1, before), &flags(family));
        let found = card(&model, &output);
        assert!(found.scores.skill() && found.scores.gain.nats > 0.03, "{family}: {:?}", found.scores);
        assert_eq!(found.window, if family == "mlp" { 1 } else { 4 });
        assert!(found.rows.validation > 0 && !model.with_extension("onnx.checkpoint").exists());

        let (model, output) = train(folder.path(), family, "noise", &rows(8000, 0.0, 2), &flags(family));
        let found = card(&model, &output);
        assert!(!found.scores.skill(), "{family}: {:?}", found.scores);
    }
    // What a row does not show, a net of rows does not find.
    let (model, output) = train(folder.path(), "mlp", "before", &rows_after(8000, 0.8, 1, 2), &flags("mlp"));
    assert!(!card(&model, &output).scores.skill());
}

#[test]
fn a_balanced_fit_keeps_the_odds_of_the_market() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(8000, 0.8, 3);
    let mean = |name: &str, more: &[&str]| {
        let flags = [&flags("mlp")[..], more].concat();
        let (model, output) = train(folder.path(), "mlp", name, &text, &flags);
        card(&model, &output).scores.model.log_loss.expect("finite")
    };
    let (plain, balanced) = (mean("plain", &[]), mean("balanced", &["--balanced"]));
    assert!((plain - balanced).abs() < 0.02, "{plain} {balanced}");
}

#[test]
fn same_rows_and_seed_give_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(1500, 0.5, 3);
    for (family, _) in FAMILIES {
        let run = |name: &str, more: &[&str], threads: &str| {
            let flags = [&flags(family)[..], more].concat();
            let (model, mut command) = command(folder.path(), family, name, &text, &flags);
            let output = command.env("RAYON_NUM_THREADS", threads).output().expect("runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            fs::read(model).expect("model")
        };
        let first = run("first", &[], "1");
        assert!(first == run("second", &["--threads", "7"], "4"), "{family}");
        assert!(first != run("other", &["--seed", "2"], "1"), "{family}");
    }
}

/// Kills a training at its first checkpoint and goes on: nobody can tell.
#[test]
fn a_killed_training_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(3000, 0.5, 4);
    // Epochs enough to be caught at.
    for (family, epochs) in [("mlp", "60"), ("transformer", "9")] {
        let flags = [&flags(family)[2..], &["--epochs", epochs, "--patience", epochs]].concat();
        let (whole, output) = train(folder.path(), family, "whole", &text, &flags);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

        let (model, mut command) = command(folder.path(), family, &format!("{family}-killed"), &text, &flags);
        let mut child = command.stderr(Stdio::null()).spawn().expect("runs");
        let checkpoint = model.with_extension("onnx.checkpoint");
        let mut waited = None;
        while !checkpoint.exists() && waited.is_none() {
            sleep(Duration::from_millis(1));
            waited = child.try_wait().expect("waits");
        }
        child.kill().expect("kills");
        child.wait().expect("ends");
        let state = (checkpoint.exists(), model.exists(), waited);
        assert_eq!(state, (true, false, None), "{family}: it was over before it could be killed");
        let output = command.arg("--resume").stderr(Stdio::piped()).output().expect("runs");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && stderr.contains("going on after epoch"), "{stderr}");
        assert!(fs::read(&whole).expect("whole") == fs::read(&model).expect("resumed"), "{family}");
        assert!(!checkpoint.exists());
    }
}

/// Returns the one process that another has started, once it is there.
fn child_of(parent: u32) -> String {
    loop {
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("it runs");
        match children.split_whitespace().next() {
            Some(child) => return child.into(),
            None => sleep(Duration::from_millis(1)),
        }
    }
}

fn kill(process: &str) {
    assert!(Command::new("kill").args(["-9", process]).status().expect("kill").success());
}

#[test]
fn neither_program_outlives_the_other() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(3000, 0.5, 6);
    let flags = [&flags("mlp")[2..], &["--epochs", "9999", "--patience", "9999"]].concat();
    let begin = |name: &str| {
        let (model, mut command) = command(folder.path(), "mlp", name, &text, &flags);
        let train = command.stderr(Stdio::piped()).spawn().expect("runs");
        let nets = child_of(train.id());
        let checkpoint = model.with_extension("onnx.checkpoint");
        while !checkpoint.exists() {
            sleep(Duration::from_millis(1));
        }
        (model, checkpoint, train, nets)
    };

    let (model, checkpoint, train, nets) = begin("orphan");
    kill(&nets);
    let output = train.wait_with_output().expect("ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1) && stderr.contains("mes-nets: ended without an answer (signal: 9"),
        "{stderr}"
    );
    assert!(checkpoint.exists() && !model.exists());

    let (_, _, mut train, nets) = begin("widow");
    train.kill().expect("kills");
    train.wait().expect("ends");
    // Whoever inherits it may let it lie dead.
    let state =
        || fs::read_to_string(format!("/proc/{nets}/stat")).ok().filter(|stat| !stat.contains(") Z "));
    let waited = (0..2000).take_while(|_| state().is_some()).map(|_| sleep(Duration::from_millis(5))).count();
    assert!(waited < 2000, "mes-nets is still there");
}

#[test]
fn says_what_is_missing_where_nothing_fits_nets() {
    let folder = tempfile::tempdir().expect("folder");
    let alone = folder.path().join("mes-train");
    fs::copy(shell::tools().join("mes-train"), &alone).expect("copies");
    let (model, with_nets) = command(folder.path(), "mlp", "x", &rows(1500, 0.5, 7), &flags("mlp"));
    let output = Command::new(alone).args(with_nets.get_args()).env("PATH", "").output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && stderr.contains("mes-nets: not there"), "{stderr}");
    assert!(!model.exists());
}

#[test]
fn says_why_it_stops() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(1500, 0.5, 5);
    let refused = |family: &str, more: &[&str], code: i32, what: &str| {
        let flags = [&flags(family)[..], more].concat();
        let (model, output) = train(folder.path(), family, "x", &text, &flags);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && stderr.contains(what), "{:?} {stderr}", output.status);
        assert!(!model.exists());
    };
    refused("mlp", &["--learning-rate", "1e30"], 1, "try a smaller --learning-rate than 1e30");
    refused("mlp", &["--window", "4"], 2, "unexpected argument '--window'");
    refused("mlp", &["--learning-rate", "0"], 2, "not a number above 0");
    refused("lstm", &["--max-memory", "10K"], 2, "allowed");
    fs::write(folder.path().join("x.onnx.checkpoint"), "{").expect("writes");
    refused("mlp", &["--resume"], 3, "not a whole checkpoint");
    assert!(Path::new(&folder.path().join("x.onnx.checkpoint")).exists());
    // A fresh start says what it writes over.
    let (_, output) = train(folder.path(), "mlp", "x", &text, &flags("mlp"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("x.onnx.checkpoint: no whole checkpoint"), "{stderr}");
}
