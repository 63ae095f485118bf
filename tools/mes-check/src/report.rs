//! What the check found: law by law, as text for a person and as JSON for a program.

use std::fmt::Write as _;

use mes_core::time::{self, Ts};
use serde_json::{Value, json};

use crate::table::Cell;

/// Every law, by name and in words.
pub const LAWS: [(&str, &str); 12] = [
    ("runs", "reads to the end of its input, writes rows, exits 0"),
    ("rows", "one row out for every row in, in order"),
    ("end", "at the end of its input it writes what it still holds"),
    ("columns", "passes on every column, known or not, to the last digit"),
    ("range", "f_* lie in [-1, 1]; nothing is NaN or infinite"),
    (
        "predictions",
        "p_dir is -1, 0 or 1 and not against the largest probability; shares lie in [0, 1] and sum to 1",
    ),
    ("same", "equal rows give equal answers: no clock, no dice, no locale"),
    ("future", "no row depends on a later one"),
    ("flush", "answers a row before it is given the next"),
    ("batch", "how rows are split and batched changes nothing"),
    ("segments", "nothing is carried over a change of seg"),
    ("clocks", "f_* are the same on both sides of a clock change"),
];

/// What breaks a law.
#[derive(Clone, Debug, Default)]
pub struct Fault {
    /// The row of the answers, from 0, and its time.
    pub row: Option<usize>,
    pub ts: Option<Ts>,
    pub column: Option<String>,
    pub wanted: Option<Cell>,
    pub found: Option<Cell>,
    /// What was done, or what happened.
    pub words: String,
}

impl Fault {
    /// Makes one of words alone.
    pub fn new(words: impl Into<String>) -> Fault {
        Fault { words: words.into(), ..Fault::default() }
    }

    /// Says it in one line.
    pub fn line(&self) -> String {
        let mut text = String::new();
        if let Some(row) = self.row {
            let _ = write!(text, "row {}", row + 1);
            if let Some(ts) = self.ts {
                let _ = write!(text, " ({})", time::format(ts));
            }
            if let Some(column) = &self.column {
                let _ = write!(text, ", {column}");
            }
            text += ": ";
        }
        if let (Some(wanted), Some(found)) = (&self.wanted, &self.found) {
            let _ = write!(text, "{wanted}, but {found} ");
        }
        text + &self.words
    }

    fn json(&self) -> Value {
        json!({
            "row": self.row.map(|row| row + 1),
            "ts": self.ts.map(time::format),
            "column": self.column,
            "wanted": self.wanted.as_ref().map(Cell::json),
            "found": self.found.as_ref().map(Cell::json),
            "words": self.words,
        })
    }
}

/// What came of a law.
#[derive(Clone, Debug)]
pub enum Finding {
    Holds,
    Broken(Fault),
    NotJudged(String),
}

/// From which row on a column agrees with a longer history.
pub struct WarmUp {
    pub column: String,
    /// Rows needed; `None` when it did not come to agree.
    pub rows: Option<usize>,
}

/// What came of all laws.
pub struct Report {
    pub stage: String,
    pub rows: usize,
    pub segments: usize,
    findings: Vec<Option<Finding>>,
    /// How many rows of a shorter history were looked at, and what came of it.
    pub warm_up: Option<(usize, Vec<WarmUp>)>,
}

impl Report {
    /// Makes one in which no law was judged yet.
    pub fn new(stage: String, rows: usize, segments: usize) -> Report {
        Report { stage, rows, segments, findings: vec![None; LAWS.len()], warm_up: None }
    }

    /// Writes down what was found of a law; the first thing that breaks it stays.
    pub fn found(&mut self, law: &str, finding: Finding) {
        if let Some(place) = LAWS.iter().position(|(name, _)| *name == law)
            && !self.is_broken(law)
        {
            self.findings[place] = Some(finding);
        }
    }

    /// Says that a law is broken.
    pub fn broken(&mut self, law: &str, fault: Fault) {
        self.found(law, Finding::Broken(fault));
    }

    /// Writes down that a law holds, or what breaks it.
    pub fn judged(&mut self, law: &str, fault: Option<Fault>) {
        self.found(law, fault.map_or(Finding::Holds, Finding::Broken));
    }

    /// Tells whether a law was found broken.
    pub fn is_broken(&self, law: &str) -> bool {
        let place = LAWS.iter().position(|(name, _)| *name == law);
        place.is_some_and(|place| matches!(self.findings[place], Some(Finding::Broken(_))))
    }

    /// Says why the laws not judged yet are not.
    pub fn close(&mut self, why: &str) {
        for finding in self.findings.iter_mut().filter(|finding| finding.is_none()) {
            *finding = Some(Finding::NotJudged(why.to_owned()));
        }
    }

    /// Returns the names of the laws that are broken.
    pub fn faults(&self) -> Vec<&'static str> {
        let found = LAWS.iter().zip(&self.findings);
        found
            .filter(|(_, finding)| matches!(finding, Some(Finding::Broken(_))))
            .map(|(law, _)| law.0)
            .collect()
    }

    /// Returns it for a program.
    pub fn json(&self) -> Value {
        let laws = LAWS.iter().zip(&self.findings).map(|((law, says), finding)| match finding {
            Some(Finding::Holds) => json!({ "law": law, "says": says, "holds": true }),
            Some(Finding::Broken(fault)) => {
                json!({ "law": law, "says": says, "holds": false, "fault": fault.json() })
            }
            Some(Finding::NotJudged(why)) => json!({ "law": law, "says": says, "holds": null, "why": why }),
            None => json!({ "law": law, "says": says, "holds": null }),
        });
        let warm_up = self.warm_up.as_ref().map(|(within, columns)| {
            let columns = columns.iter().map(|one| (one.column.clone(), json!(one.rows)));
            json!({ "within": within, "rows": columns.collect::<serde_json::Map<_, _>>() })
        });
        json!({
            "kind": "check", "v": 1, "stage": self.stage, "rows": self.rows, "segments": self.segments,
            "holds": self.faults().is_empty(), "laws": laws.collect::<Vec<_>>(), "warm_up": warm_up,
        })
    }

    /// Returns it for a person.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{} rows in {} segments\n\n", self.stage, self.rows, self.segments);
        for ((law, says), finding) in LAWS.iter().zip(&self.findings) {
            let (mark, more) = match finding {
                Some(Finding::Holds) => ("holds ", String::new()),
                Some(Finding::Broken(fault)) => ("BROKEN", format!("\n          {}", fault.line())),
                Some(Finding::NotJudged(why)) => ("-     ", format!(" (not judged: {why})")),
                None => ("-     ", String::new()),
            };
            let _ = writeln!(text, "{mark}  {law:<9} {says}{more}");
        }
        if let Some((within, columns)) = &self.warm_up {
            let _ = writeln!(text, "\nAgrees with a longer history, to the last bit, from this row on:");
            for WarmUp { column, rows } in columns {
                let rows = rows.map_or(format!("not within {within}"), |rows| (rows + 1).to_string());
                let _ = writeln!(text, "  {column:<18} {rows}");
            }
        }
        let faults = self.faults();
        let _ = match faults.len() {
            0 => writeln!(text, "\nNothing broken."),
            count => writeln!(text, "\n{count} broken: {}", faults.join(", ")),
        };
        text
    }
}
