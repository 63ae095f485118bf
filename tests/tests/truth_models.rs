//! Models on made markets whose last prices do not bounce: they find the planted edge on sessions that they have not
//! seen, and no direction where none is planted. `make truth` asks more families, on more sessions, for how much.

use std::path::Path;

use mes_golden::shell;
use serde_json::Value;

const FIT: &str = "--until 2026-09-30 --sessions 40";
const UNSEEN: &str = "--from 2026-10-01 --sessions 12";

/// Makes labelled rows of 5 s and writes them to `file`.
fn rows(folder: &Path, edge: u8, span: &str, file: &str) {
    let line = format!(
        "mes-fetch synth -q --seed 8 --edge {edge} --no-bounce --session rth {span} |
         mes-bars -q --session rth --interval 5s | mes-features -q --warm-within 24h --labels=horizon --to parquet > {file}"
    );
    shell::ok(folder, &line, b"");
}

/// Trains on a market's first sessions, and returns what `mes-predict eval` says of the others.
fn judged(folder: &Path, family: &str, edge: u8) -> Value {
    let line = format!(
        "mes-train {family} -q --out m.onnx fit-{edge}.parquet &&
         mes-predict eval -q --model m.onnx unseen-{edge}.parquet"
    );
    serde_json::from_slice(&shell::ok(folder, &line, b"")).expect("an evaluation")
}

fn number(judged: &Value, path: &str) -> f64 {
    judged.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| unreachable!("{path} in {judged}"))
}

#[test]
fn models_find_the_planted_edge_and_none_where_there_is_none() {
    let folder = tempfile::tempdir().expect("folder");
    for edge in [0, 1] {
        rows(folder.path(), edge, FIT, &format!("fit-{edge}.parquet"));
        rows(folder.path(), edge, UNSEEN, &format!("unseen-{edge}.parquet"));
    }
    for family in ["logistic", "boosted", "forest --trees 30", "mlp"] {
        let found = judged(folder.path(), family, 1);
        let verdict = &found["verdict"];
        assert!(number(&found, "/gain/interval/0") > 0.03, "{family}: {verdict}");
        assert!(number(&found, "/direction/interval/0") > 0.03, "{family}: {verdict}");

        // How far the market moves can be foretold all the same, and the verdict says that this is not direction.
        let nothing = judged(folder.path(), family, 0);
        let verdict = nothing["verdict"].as_str().unwrap_or_default();
        assert!(number(&nothing, "/direction/interval/0") <= 0.0, "{family}: {verdict}");
        assert!(
            nothing["skill"] == "how far only" && verdict.starts_with("HOW FAR ONLY"),
            "{family}: {verdict}"
        );
        assert!(number(&nothing, "/calls/rows") == 0.0, "{family}: {nothing}");
    }
}
