//! No row depends on a later one: every stage answers a row before it is given the next, and answers all rows at once
//! the same.

use std::{fs, path::Path, sync::OnceLock};

use mes_golden::{
    liveness::{check, same},
    market, shell,
};
use tempfile::TempDir;

const ROWS: usize = 3000;

/// Files of one synthetic cash session, and a model of the one before.
fn synthetic() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let line = "mes-fetch synth -q --until 2026-11-18 --sessions 1 --seed 3 --session rth |
                mes-features -q --labels=horizon > before.arrow &&
            mes-train logistic --out model.onnx before.arrow &&
            mes-train lstm --epochs 1 --hidden 8 --window 20 --out lstm.onnx before.arrow &&
            mes-fetch synth -q --until 2026-11-20 --sessions 1 --seed 4 --session rth --ticks --to arrow > ticks.arrow &&
            mes-bars -q --session rth --to arrow ticks.arrow > bars.arrow &&
            mes-features -q --to arrow bars.arrow > features.arrow &&
            mes-fetch synth -q --until 2026-11-20 --sessions 1 --seed 4 --session rth --ticks --to jsonl > ticks.jsonl &&
            mes-bars -q --session rth --to jsonl --header ticks.arrow > bars.jsonl &&
            mes-features -q --to jsonl --header bars.arrow > features.jsonl";
        shell::ok(folder.path(), line, b"");
        folder
    });
    folder.path()
}

fn head(text: &str, rows: usize) -> String {
    text.split_inclusive('\n').take(rows).collect()
}

/// Checks a stage on the first rows of a synthetic table, and that all of it as Arrow begins with the same answers:
/// so garbage after the rows changes nothing either.
fn proves(stage: &str, table: &str) {
    let rows = fs::read_to_string(synthetic().join(format!("{table}.jsonl"))).expect("rows");
    let rows = head(&rows, ROWS + 1);
    let command = format!("{stage} -q --to jsonl");
    let count = check(synthetic(), &command, &rows).unwrap_or_else(|error| panic!("{stage}: {error}"));
    assert!(count > 100, "{stage}: {count} answers prove little");
    let text =
        |line: &str, input: &[u8]| String::from_utf8(shell::ok(synthetic(), line, input)).expect("text");
    let arrow = text(&format!("{command} {table}.arrow"), b"");
    // The last interval may have been cut short.
    let whole = count - 1;
    same("Arrow", &head(&text(&command, rows.as_bytes()), whole), &head(&arrow, whole))
        .unwrap_or_else(|error| panic!("{stage}: {error}"));
}

/// Checks a stage on rows with holes, jumps, standing prices and session starts.
fn proves_on_eventful_rows(stage: &str) {
    let rows = head(&market::eventful(1), ROWS + 1);
    let command = format!("{stage} -q --to jsonl");
    let count = check(synthetic(), &command, &rows).unwrap_or_else(|error| panic!("{stage}: {error}"));
    assert_eq!(count, ROWS, "{stage}");
}

#[test]
fn bars_of_ticks() {
    proves("mes-bars --session rth", "ticks");
}

#[test]
fn bars_of_bars() {
    proves("mes-bars --session rth", "bars");
    proves("mes-bars --session rth --interval 5s", "bars");
}

#[test]
fn features() {
    proves("mes-features", "bars");
    proves_on_eventful_rows("mes-features");
}

#[test]
fn predictions_of_rules() {
    proves("mes-predict --rule ema-cross", "bars");
    proves("mes-predict --rule random", "bars");
}

#[test]
fn predictions_of_a_model() {
    proves("mes-predict --model model.onnx", "features");
    proves("mes-predict --model lstm.onnx", "features");
}

/// Stages that look ahead are caught, whether they wait for the next row or only look whether it is there.
#[test]
fn a_planted_look_ahead_is_caught() {
    let rows = head(&market::eventful(1), 40);
    let rows = rows.split_once('\n').expect("a header").1;
    let late = "awk 'NR > 1 { print last; fflush() } { last = $0 } END { print last }'";
    let error = check(synthetic(), late, rows).expect_err("a stage that waits for the next row");
    assert!(error.starts_with("row 1: no answer"), "{error}");
    let peeking = r#"while read -r row; do
            if read -r -t 0; then echo "${row%\}},\"more\":true}"; else echo "$row"; fi
        done"#;
    let error = check(synthetic(), peeking, rows).expect_err("a stage that peeks");
    assert!(error.contains("when dripped"), "{error}");
    assert_eq!(check(synthetic(), "cat", rows), Ok(39));
}
