//! Trees on made markets: they find the planted edge, and nothing where there is nothing to find.
//!
//! Where the edge is 0, last prices still bounce between bid and ask, and trees find that: about a tenth of what the
//! edge gives, too little for a single entry. So nothing at all is only where labels are those of other rows.

use std::path::Path;

use mes_golden::shell;
use serde_json::Value;

/// Cash sessions, rows of 5 s; the models see one row in six, a label's horizon apart.
const SESSIONS: usize = 40;

/// Makes labelled rows 30 s apart and returns them as CSV.
fn rows(folder: &Path, edge: u8) -> String {
    let line = format!(
        "mes-fetch synth -q --sessions {SESSIONS} --until 2026-11-17 --seed 8 --edge {edge} --session rth |
         mes-bars -q --session rth --interval 5s | mes-features -q --labels=horizon --to csv |
         awk 'NR == 1 || NR % 6 == 2'"
    );
    String::from_utf8(shell::ok(folder, &line, b"")).expect("text")
}

/// Gives every row the label of the row half of all rows later, around the end.
fn relabelled(csv: &str) -> String {
    let (head, rest) = csv.split_once('\n').expect("a header");
    let place = head.split(',').position(|name| name == "y_dir").expect("y_dir");
    let rows: Vec<Vec<&str>> = rest.lines().map(|line| line.split(',').collect()).collect();
    let mut text = format!("{head}\n");
    for (at, row) in rows.iter().enumerate() {
        let mut fields = row.clone();
        fields[place] = rows[(at + rows.len() / 2) % rows.len()][place];
        text += &fields.join(",");
        text.push('\n');
    }
    text
}

/// Trains on rows and returns the model's scores on the last of them.
fn scores(folder: &Path, family: &str, csv: &str) -> Value {
    std::fs::write(folder.join("rows.csv"), csv).expect("writes");
    let line = format!(
        "mes-train {family} -q --interval 5s --horizon 30s --threshold 3 --out m.onnx rows.csv &&
         mes-predict inspect --json m.onnx"
    );
    let card: Value = serde_json::from_slice(&shell::ok(folder, &line, b"")).expect("a card");
    card["scores"].clone()
}

fn number(scores: &Value, path: &str) -> f64 {
    scores.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| unreachable!("{path} in {scores}"))
}

#[test]
fn trees_find_the_planted_edge_and_nothing_where_there_is_none() {
    let folder = tempfile::tempdir().expect("folder");
    let with_edge = rows(folder.path(), 1);
    let without = rows(folder.path(), 0);
    let mixed = relabelled(&without);
    for family in ["boosted", "forest --trees 30"] {
        let [found, bounce, nothing] =
            [&with_edge, &without, &mixed].map(|csv| scores(folder.path(), family, csv));
        let (direction, error) = (number(&found, "/direction/nats"), number(&found, "/direction/error"));
        assert!(direction > 0.03 && direction > 3.0 * error, "{family}: {found}");
        let (model, prior) = (number(&found, "/model/log_loss"), number(&found, "/prior/log_loss"));
        assert!(model < prior - 0.03, "{family}: {found}");

        let less = number(&bounce, "/direction/nats");
        assert!(less < direction / 2.0 && number(&bounce, "/calls") == 0.0, "{family}: {bounce}");

        let (none, error) = (number(&nothing, "/direction/nats"), number(&nothing, "/direction/error"));
        assert!(none < 2.0 * error && number(&nothing, "/calls") == 0.0, "{family}: {nothing}");
    }
}
