//! Whole tools, each as a shell line over files made for it.

use std::path::{Path, PathBuf};

use mes_golden::shell;

use crate::{
    Result, shell_line,
    table::{Case, Unit},
};

/// Sessions of about 83,000 rows each.
const SESSIONS: usize = 25;
/// Rows of the text cases and of the lock-step.
const TEXT_ROWS: usize = 300_000;
const LOCKSTEP_ROWS: usize = 200_000;

/// What the cases read.
pub struct Data {
    pub rows: usize,
    pub predictions: PathBuf,
    ticks: usize,
    model: Option<PathBuf>,
}

/// A case and the line that runs it.
pub struct Line {
    pub name: String,
    pub rows: usize,
    pub goal: Option<f64>,
    pub unit: Unit,
    pub line: String,
}

impl Data {
    /// Makes files of all formats in `folder`. A model is used where `make model` has left one.
    pub fn make(folder: &Path) -> Result<Data> {
        let model = shell::root().join("models/default.onnx");
        let model = model.exists().then_some(model);
        shell_line(
            folder,
            &format!(
                "mes-fetch synth -q --sessions {SESSIONS} | mes-bars -q > bars.arrow &&
                 mes-bars -q --to parquet bars.arrow > bars.parquet &&
                 mes-bars -q --to csv bars.arrow | cut -d, -f1-6 |
                     mes-bars -q --interval 1s --symbol MES > ohlcv.arrow &&
                 mes-bars -q --to jsonl --header bars.arrow | head -n {} > bars.jsonl &&
                 mes-fetch synth -q --sessions 1 --session rth --ticks --to csv > ticks.csv &&
                 mes-features -q bars.arrow > features.arrow &&
                 mes-predict -q --rule random --rate 0.02 --to parquet bars.arrow > predictions.parquet &&
                 mes-predict -q --rule random --rate 0.02 --to jsonl --header bars.arrow |
                     head -n {} > predictions.jsonl || [ $? = 141 ]",
                TEXT_ROWS + 1,
                LOCKSTEP_ROWS + 1,
            ),
        )?;
        let lines = |name: &str| -> Result<usize> {
            let bytes = std::fs::read(folder.join(name))?;
            Ok(bytes.iter().filter(|byte| **byte == b'\n').count() - 1)
        };
        let predictions = folder.join("predictions.parquet");
        let rows = crate::in_process::Held::read(&predictions)?.len();
        Ok(Data { rows, predictions, ticks: lines("ticks.csv")?, model })
    }
}

/// Returns the cases, the yardstick first.
pub fn cases(data: &Data) -> Vec<Line> {
    let rows = data.rows;
    let mut cases = vec![
        line(
            "Arrow: mes-bars 1s to 1s | cat, OHLCV",
            rows,
            Some(8e6),
            "mes-bars -q --to arrow ohlcv.arrow | cat > /dev/null",
        ),
        line(
            "Arrow: mes-bars 1s to 1s | cat, 16 columns",
            rows,
            Some(8e6),
            "mes-bars -q --to arrow bars.arrow | cat > /dev/null",
        ),
        line(
            "Arrow: cat | mes-bars 1s to 1s, 16 columns",
            rows,
            None,
            "cat bars.arrow | mes-bars -q --to arrow > /dev/null",
        ),
        line("Parquet: mes-bars 1s to 1s", rows, None, "mes-bars -q --to arrow bars.parquet > /dev/null"),
        line(
            "JSON lines: mes-bars 1s to 1s, in and out",
            TEXT_ROWS,
            Some(0.5e6),
            "cat bars.jsonl | mes-bars -q --to jsonl | cat > /dev/null",
        ),
        line("CSV ticks: mes-bars", data.ticks, None, "mes-bars -q --to arrow ticks.csv > /dev/null"),
        line(
            "mes-features, the whole set",
            rows,
            None,
            "mes-features -q --warm-within 24h --to arrow bars.arrow > /dev/null",
        ),
        line(
            "mes-predict --rule random",
            rows,
            None,
            "mes-predict -q --to arrow --rule random bars.arrow > /dev/null",
        ),
    ];
    if let Some(model) = &data.model {
        let model = model.display();
        let command =
            format!("mes-predict -q --to arrow --allow-in-sample --model {model} features.arrow > /dev/null");
        cases.push(line("mes-predict models/default.onnx", rows, None, &command));
    }
    cases.push(line("Parquet: mes-bt, whole", rows, None, "mes-bt -q predictions.parquet > /dev/null"));
    let lockstep = "mes-risk -q < predictions.jsonl | mes-exec -q > /dev/null";
    for (name, goal, command) in [
        ("lock-step: mes-risk | mes-exec, a row", Some(40.0), lockstep.to_owned()),
        // Without what it costs to wake another core, which on virtual machines is most of it.
        ("lock-step on one core", None, format!("taskset -cp 0 $$ > /dev/null && {lockstep}")),
    ] {
        cases.push(Line { unit: Unit::MicrosPerRow, ..line(name, LOCKSTEP_ROWS, goal, &command) });
    }
    cases
}

fn line(name: &str, rows: usize, goal: Option<f64>, command: &str) -> Line {
    let Case { name, rows, unit, .. } = Case::rows(name, rows);
    Line { name, rows, goal, unit, line: command.to_owned() }
}
