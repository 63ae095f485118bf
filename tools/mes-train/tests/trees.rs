//! Trees find what was planted and nothing else, the same bytes come of the same rows, settings and seed, and their
//! calibrations are in the card.

use std::fs;

use mes_golden::labelled::{card, rows, train};
use mes_predict::model::card::{Calibration, Output};

const FAMILIES: [(&str, &[&str]); 2] = [
    ("boosted", &["--rounds", "60", "--learning-rate", "0.1"]),
    ("forest", &["--trees", "30", "--depth", "4"]),
];

#[test]
fn each_finds_a_planted_edge_and_none_in_noise() {
    let folder = tempfile::tempdir().expect("folder");
    for (family, flags) in FAMILIES {
        let (model, output) = train(folder.path(), family, "edge", &rows(8000, 0.8, 1), flags);
        let found = card(&model, &output);
        assert!(found.scores.skill() && found.scores.gain.nats > 0.05, "{family}: {:?}", found.scores);
        assert_eq!(found.rows.validation > 0, family == "boosted");
        assert_eq!(found.output == Output::Probabilities, family == "forest");
        let (model, output) = train(folder.path(), family, "noise", &rows(8000, 0.0, 2), flags);
        let found = card(&model, &output);
        // Not "no skill": a model that is sure of nothing can be luckier than a prior that was off by chance.
        let scores = &found.scores;
        assert!(scores.direction.nats < 0.01 && scores.calls == 0, "{family}: {scores:?}");
    }
}

#[test]
fn a_balanced_fit_keeps_the_odds_of_the_market() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(8000, 0.8, 3);
    for (family, flags) in FAMILIES {
        let loss = |name: &str, more: &[&str]| {
            let (model, output) = train(folder.path(), family, name, &text, &[flags, more].concat());
            card(&model, &output).scores.model.log_loss.expect("finite")
        };
        let (plain, balanced) = (loss("plain", &[]), loss("balanced", &["--balanced"]));
        assert!((plain - balanced).abs() < 0.02, "{family}: {plain} {balanced}");
    }
}

#[test]
fn same_rows_and_seed_give_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(3000, 0.5, 3);
    for (family, flags) in FAMILIES {
        let run = |more: &[&str]| {
            let (model, output) = train(folder.path(), family, "m", &text, &[flags, more].concat());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            fs::read(model).expect("a model")
        };
        let one = run(&["--threads", "1"]);
        assert!(one == run(&["--threads", "2"]) && one == run(&["--threads", "7"]), "{family}");
        assert_ne!(one, run(&["--seed", "2"]), "{family}");
    }
}

#[test]
fn calibrations_and_sets_are_in_the_card_and_other_families_options_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(8000, 0.8, 4);
    let (family, flags) = FAMILIES[0];
    let run = |more: &[&str]| train(folder.path(), family, "m", &text, &[flags, more].concat());
    let (model, output) = run(&["--calibrate", "isotonic", "--conformal", "0.2"]);
    let found = card(&model, &output);
    assert!(matches!(found.calibration, Calibration::Isotonic { .. }), "{:?}", found.calibration);
    assert!(found.scores.skill(), "{:?}", found.scores);
    let sets = found.conformal.expect("sets");
    let covered = sets.covered.expect("tested");
    assert!((covered - 0.8).abs() < 0.05 && sets.quantile > 0.2 && sets.quantile < 1.0, "{sets:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("to miss in 20.00 %"));

    let (model, output) = run(&["--calibrate", "none"]);
    assert_eq!(card(&model, &output).calibration, Calibration::Temperature { t: 1.0 });

    fs::remove_file(&model).expect("removes");
    for (flags, what) in [
        (&["--trees", "5"][..], "unexpected argument '--trees'"),
        (&["--row-share", "1.5"], "not a share"),
        (&["--conformal", "1"], "not a share between 0 and 1"),
        (&["--max-memory", "1K"], "1.0K allowed"),
    ] {
        let (model, output) = run(flags);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(what) && !model.exists(), "{stderr}");
    }
}
