//! Answers against what was asked, and against other answers: where they first differ.

use mes_core::prediction::{COLUMNS, Prediction};

use crate::{
    report::Fault,
    runs::Answers,
    table::{Cell, Given, instant, same},
};

/// What the stage promises, beside what all do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Promise {
    /// It makes rows of its own, as mes-bars does.
    pub resamples: bool,
    /// How far ahead its `y_` columns look, in nanoseconds.
    pub horizon: Option<i64>,
}

/// The answers that all others are compared with.
pub struct Base {
    pub answers: Answers,
    /// The columns that the stage makes itself.
    pub made: Vec<String>,
    /// Of every answer: when it is known, by itself.
    ts: Vec<i64>,
    promise: Promise,
}

/// Tells whether a column of this name is a label.
pub fn is_label(name: &str) -> bool {
    name.starts_with("y_")
}

impl Base {
    /// Takes the answers of the first run.
    pub fn of(answers: Answers, given: &Given, promise: Promise) -> Base {
        let there: Vec<&str> = given.names().collect();
        let made = answers.names.iter().filter(|name| promise.resamples || !there.contains(&name.as_str()));
        let made = made.cloned().collect();
        let place = answers.place("ts");
        let ts = answers.rows.iter().map(|row| place.map_or(0, |place| instant(&row[place]))).collect();
        Base { answers, made, ts, promise }
    }

    /// Returns how many answers must have come, by how many rows were given.
    pub fn due(&self, given: &Given) -> Vec<usize> {
        let mut due = vec![0];
        let mut count = 0;
        for row in 0..given.rows.len() {
            while count < self.ts.len() && self.is_due(given, count, row) {
                count += 1;
            }
            due.push(count);
        }
        due
    }

    /// Says whether the answer is due when `row` has been given.
    fn is_due(&self, given: &Given, answer: usize, row: usize) -> bool {
        if self.promise.resamples {
            // What is open at the end is answered at the end.
            let open = self.ts[answer] >= given.ts(given.rows.len() - 1);
            return !open && self.ts[answer] <= given.ts(row);
        }
        let looks_ahead = self.promise.horizon.filter(|_| self.made.iter().any(|name| is_label(name)));
        answer <= row
            && looks_ahead.is_none_or(|horizon| {
                given.ts(answer) + horizon <= given.ts(row) || given.seg(answer) != given.seg(row)
            })
    }

    /// Says whether an answer, or its label, depends on no row after `cut`.
    pub fn settled(&self, given: &Given, answer: usize, cut: usize, label: bool) -> bool {
        if self.promise.resamples {
            return self.ts[answer] <= given.ts(cut);
        }
        answer <= cut && (!label || self.is_due(given, answer, cut))
    }

    /// Finds the first difference to other answers. `at` says which answer here one there stands for, if any; `judged`
    /// whether an answer counts, or its label.
    pub fn differs(
        &self,
        other: &Answers,
        at: impl Fn(usize) -> Option<usize>,
        judged: impl Fn(usize, bool) -> bool,
        words: &str,
    ) -> Option<Fault> {
        let new = other.names.iter().filter(|name| !self.answers.names.contains(name));
        let names: Vec<&str> = self.answers.names.iter().chain(new).map(String::as_str).collect();
        self.differs_in(&names, other, at, judged, words)
    }

    /// Compares some columns alone.
    pub fn differs_in(
        &self,
        names: &[&str],
        other: &Answers,
        at: impl Fn(usize) -> Option<usize>,
        judged: impl Fn(usize, bool) -> bool,
        words: &str,
    ) -> Option<Fault> {
        let places: Vec<_> = names.iter().map(|name| (self.answers.place(name), other.place(name))).collect();
        for (there, row) in other.rows.iter().enumerate() {
            let Some(here) = at(there) else { continue };
            let Some(mine) = self.answers.rows.get(here) else { break };
            for (name, (wanted, found)) in names.iter().zip(&places) {
                let cell = |row: &[Cell], place: &Option<usize>| {
                    place.map_or(Cell::Null, |place| row[place].clone())
                };
                let (wanted, found) = (cell(mine, wanted), cell(row, found));
                if !same(&wanted, &found) && judged(here, is_label(name)) {
                    return Some(Fault {
                        row: Some(here),
                        ts: self.ts.get(here).copied(),
                        column: Some((*name).to_owned()),
                        wanted: Some(wanted),
                        found: Some(found),
                        words: words.to_owned(),
                    });
                }
            }
        }
        None
    }

    /// Finds whether all answers came, and then the first difference.
    pub fn all_differ(&self, other: &Answers, words: &str) -> Option<Fault> {
        self.differs(other, Some, |_, _| true, words).or_else(|| {
            let (all, got) = (self.answers.rows.len(), other.rows.len());
            (got != all).then(|| Fault::new(format!("{got} rows, not {all}, {words}")))
        })
    }
}

/// Finds where rows out are not rows in. Rows that are missing at the end alone are another matter.
pub fn rows_fault(given: &Given, whole: &Answers) -> Option<Fault> {
    let Some(place) = whole.place("ts") else {
        return (!whole.rows.is_empty()).then(|| Fault::new("its rows have no column \"ts\""));
    };
    for (row, cells) in whole.rows.iter().enumerate().take(given.rows.len()) {
        if instant(&cells[place]) != given.ts(row) {
            let before = row > 0 && instant(&cells[place]) <= given.ts(row - 1);
            let words = if before { "(a time that has been)" } else { "" };
            return Some(Fault {
                row: Some(row),
                ts: Some(given.ts(row)),
                column: Some("ts".into()),
                wanted: Some(Cell::Instant(given.ts(row))),
                found: Some(cells[place].clone()),
                words: words.into(),
            });
        }
    }
    let (all, got) = (given.rows.len(), whole.rows.len());
    (got > all).then(|| Fault::new(format!("{got} rows out for {all} in")))
}

/// Finds a time that goes back.
pub fn backwards(whole: &Answers) -> Option<Fault> {
    let Some(place) = whole.place("ts") else { return Some(Fault::new("its rows have no column \"ts\"")) };
    let times: Vec<i64> = whole.rows.iter().map(|row| instant(&row[place])).collect();
    let row = times.windows(2).position(|pair| pair[1] < pair[0])? + 1;
    Some(Fault {
        row: Some(row),
        column: Some("ts".into()),
        wanted: Some(Cell::Instant(times[row - 1])),
        found: Some(Cell::Instant(times[row])),
        words: "after it: time goes back".into(),
        ..Fault::default()
    })
}

/// Finds a column that was given and did not come out as it was.
pub fn columns_fault(given: &Given, whole: &Answers) -> Option<Fault> {
    for (column, name) in given.names().enumerate() {
        let Some(place) = whole.place(name) else {
            return Some(Fault {
                column: Some(name.to_owned()),
                ..Fault::new(format!("the column {name:?} is gone"))
            });
        };
        for (row, cells) in whole.rows.iter().enumerate() {
            let wanted = &given.rows[row][column];
            if !same(wanted, &cells[place]) {
                return Some(Fault {
                    row: Some(row),
                    ts: Some(given.ts(row)),
                    column: Some(name.to_owned()),
                    wanted: Some(wanted.clone()),
                    found: Some(cells[place].clone()),
                    words: "came out".into(),
                });
            }
        }
    }
    None
}

/// Finds a value that no table may hold, or a feature out of its range.
pub fn range_fault(whole: &Answers) -> Option<Fault> {
    for (row, cells) in whole.rows.iter().enumerate() {
        for (name, cell) in whole.names.iter().zip(cells) {
            let feature = name.starts_with("f_");
            let fine = match cell {
                Cell::Float(value) => value.is_finite() && (!feature || value.abs() <= 1.0),
                Cell::Int(value) => !feature || value.abs() <= 1,
                Cell::Text(_) | Cell::Bool(_) => !feature,
                Cell::Null | Cell::Instant(_) => true,
            };
            if !fine {
                let ts = whole.place("ts").map(|place| instant(&cells[place]));
                let (column, found) = (Some(name.clone()), Some(cell.clone()));
                let words = format!("{cell} is out of range");
                return Some(Fault { row: Some(row), ts, column, found, ..Fault::new(words) });
            }
        }
    }
    None
}

/// Finds a prediction that means nothing.
pub fn predictions_fault(whole: &Answers) -> Option<Fault> {
    let places = COLUMNS.map(|name| whole.place(name));
    let number = |cells: &[Cell], place: Option<usize>| cells[place?].number().map(|value| value as f32);
    whole.rows.iter().enumerate().find_map(|(row, cells)| {
        let fault = Prediction::from_values(places.map(|place| number(cells, place))).check().err()?;
        let found = whole.place(fault.column).map(|place| cells[place].clone());
        let ts = whole.place("ts").map(|place| instant(&cells[place]));
        let column = Some(fault.column.to_owned());
        Some(Fault { row: Some(row), ts, column, found, ..Fault::new(fault.what) })
    })
}
