//! What came of the laws of a day, as text for a person and as JSON for a program.

use std::fmt::Write as _;

use mes_core::time::{self, Ts};
use serde_json::{Value, json};

use super::laws::Law;

/// Faults of one law that a person is told; a program is told all.
const TOLD: usize = 5;

/// A line of a file, and when that was.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub file: String,
    pub line: usize,
    pub ts: Option<Ts>,
}

/// What breaks a law, and where.
#[derive(Clone, Debug)]
pub struct Fault {
    pub place: Place,
    pub words: String,
}

impl Fault {
    fn text(&self) -> String {
        let Place { file, line, ts } = &self.place;
        let ts = ts.map(|ts| format!(" ({})", time::format(ts))).unwrap_or_default();
        let line = if *line == 0 { String::new() } else { format!(": line {line}") };
        format!("{file}{line}{ts}: {}", self.words)
    }

    fn json(&self) -> Value {
        let Place { file, line, ts } = &self.place;
        json!({ "file": file, "line": (*line > 0).then_some(line), "ts": ts.map(time::format), "words": self.words })
    }
}

/// What came of a law.
#[derive(Clone, Debug)]
pub enum Finding {
    /// With what was measured, if anything.
    Held(String),
    Broken(Vec<Fault>),
    NotChecked(String),
}

impl Finding {
    /// Makes one of what was found: nothing is held.
    pub fn of(faults: Vec<Fault>, measured: impl Into<String>) -> Finding {
        if faults.is_empty() { Finding::Held(measured.into()) } else { Finding::Broken(faults) }
    }
}

/// What came of all of them.
pub struct Report(pub Vec<(Law, Finding)>);

impl Report {
    /// Returns the names of the laws that are broken.
    pub fn broken(&self) -> Vec<&'static str> {
        let broken = self.0.iter().filter(|(_, finding)| matches!(finding, Finding::Broken(_)));
        broken.map(|(law, _)| law.name).collect()
    }

    /// Returns it for a program.
    pub fn json(&self) -> Value {
        let laws = self.0.iter().map(|(law, finding)| {
            let (came, more) = match finding {
                Finding::Held(measured) => ("held", json!({ "measured": measured })),
                Finding::Broken(faults) => {
                    ("broken", json!({ "faults": faults.iter().map(Fault::json).collect::<Vec<_>>() }))
                }
                Finding::NotChecked(why) => ("not checked", json!({ "why": why })),
            };
            let mut record = json!({ "law": law.name, "says": law.says, "came": came });
            for (name, value) in more.as_object().into_iter().flatten().filter(|(_, value)| **value != "") {
                record[name] = value.clone();
            }
            record
        });
        let laws: Vec<_> = laws.collect();
        json!({ "kind": "day", "v": 1, "holds": self.broken().is_empty(), "laws": laws })
    }

    /// Returns it for a person.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (law, finding) in &self.0 {
            let (mark, more) = match finding {
                Finding::Held(measured) if measured.is_empty() => ("held", String::new()),
                Finding::Held(measured) => ("held", format!(" ({measured})")),
                Finding::Broken(faults) => ("BROKEN", told(faults)),
                Finding::NotChecked(why) => ("not checked", format!(" ({why})")),
            };
            let _ = writeln!(text, "{mark:<11}  {:<10} {}{more}", law.name, law.says);
        }
        let broken = self.broken();
        let _ = match broken.len() {
            0 => writeln!(text, "\nNothing broken."),
            count => writeln!(text, "\n{count} broken: {}", broken.join(", ")),
        };
        text
    }
}

fn told(faults: &[Fault]) -> String {
    let mut text: String = faults.iter().take(TOLD).map(|fault| format!("\n    {}", fault.text())).collect();
    if faults.len() > TOLD {
        let _ = write!(text, "\n    and {} more", faults.len() - TOLD);
    }
    text
}
