//! Reads rows with predictions and labels and keeps sums: one tally for each hour of each session of each fold. A
//! stream of years takes no more memory than that.

use std::collections::BTreeMap;

use arrow_array::{
    Array, Float32Array, Int8Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Int8Type, Int64Type},
};
use arrow_schema::{DataType, Schema};
use chrono::{NaiveDate, TimeDelta, Timelike};
use mes_core::{
    prediction::Prediction,
    time::{self, HOUR, Ts},
    tz,
};
use mes_pipe::{Error, Result, columns::times};

use crate::{
    labels::{contradiction, moves, ticks},
    model::card::{Conformal, Label},
    scores::tally::Tally,
};

/// Where a row belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The value of the column `fold`; empty without one.
    pub fold: String,
    /// The date on which the Globex day ends.
    pub session: NaiveDate,
    /// New York, 0 to 23.
    pub hour: u32,
}

/// All rows, summed.
#[derive(Debug, Default)]
pub struct LabelledRows {
    pub tallies: BTreeMap<Place, Tally>,
    /// Rows without a prediction, and rows with one but without a label: warm-up, and the ends of sessions.
    pub unpredicted: u64,
    pub unlabelled: u64,
    pub first: Option<Ts>,
    pub last: Option<Ts>,
    /// What sets of classes are made by, where the model knows.
    pub conformal: Option<Conformal>,
    /// The rule that labels are held against where the rows do not say theirs, and how many were.
    pub rule: Option<Label>,
    pub held: u64,
    clock: Clock,
}

impl LabelledRows {
    /// Begins with what the model knows of its sets, and the rule that labels are to be held against.
    pub fn of(conformal: Option<Conformal>, rule: Option<Label>) -> LabelledRows {
        LabelledRows { conformal, rule, ..LabelledRows::default() }
    }

    /// Takes rows of a table that holds `p_*`.
    ///
    /// # Errors
    ///
    /// `Data` for probabilities, labels or times that cannot be, with the row.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let [down, flat, up] = ["p_down", "p_flat", "p_up"].map(|name| floats(batch, name));
        let columns = [down?, flat?, up?];
        let value = |column: &Float32Array, row| column.is_valid(row).then(|| column.value(row));
        self.take(batch, |row| {
            let [down, flat, up] = columns;
            Some([value(down, row)?, value(flat, row)?, value(up, row)?])
        })
    }

    /// Takes rows that were predicted just now.
    ///
    /// # Errors
    ///
    /// `Data` for labels or times that cannot be, with the row.
    pub fn add_predicted(&mut self, batch: &RecordBatch, predictions: &[Prediction]) -> Result<()> {
        self.take(batch, |row| {
            let Prediction { down, flat, up, .. } = predictions[row];
            Some([down?, flat?, up?])
        })
    }

    fn take(&mut self, batch: &RecordBatch, p: impl Fn(usize) -> Option<[f32; 3]>) -> Result<()> {
        let labels = labels(batch)?;
        let moves = moves(batch);
        let folds = Folds::of(batch)?;
        for (row, &ts) in times(batch)?.iter().enumerate() {
            let Some(p) = p(row) else {
                self.unpredicted += 1;
                continue;
            };
            if labels.is_null(row) {
                self.unlabelled += 1;
                continue;
            }
            let p = checked(p).map_err(|error| error.at(format!("row {}", time::format(ts))))?;
            let label =
                u8::try_from(labels.value(row)).ok().filter(|label| *label <= 2).ok_or_else(|| {
                    let what = format!("y_dir {} is not 0, 1 or 2", labels.value(row));
                    Error::data(what).at(format!("row {}", time::format(ts)))
                })?;
            if let Some((rule, ticks)) = self.rule.as_ref().zip(ticks(moves, row)) {
                contradiction(rule, label, ticks)
                    .map_err(|error| error.at(format!("row {}", time::format(ts))))?;
                self.held += 1;
            }
            let (session, hour) = self.clock.of_bar(ts);
            let place = Place { fold: folds.get(row), session, hour };
            let tally = self.tallies.entry(place).or_default();
            tally.add(p, label);
            if let Some(conformal) = self.conformal {
                tally.add_set(conformal.set(p), label);
            }
            self.first.get_or_insert(ts);
            self.last = Some(ts);
        }
        Ok(())
    }

    /// Errors when nothing can be judged, and says why.
    ///
    /// # Errors
    ///
    /// `Data`, with how many rows lack what.
    pub fn some(&self) -> Result<()> {
        if !self.tallies.is_empty() {
            return Ok(());
        }
        let LabelledRows { unpredicted, unlabelled, .. } = self;
        Err(Error::data(format!(
            "no row has both p_down p_flat p_up and y_dir ({unpredicted} lack a prediction, {unlabelled} a label): \
             predictions of a rule have no probabilities; labels come from mes-features --labels"
        )))
    }
}

/// Errors early when a table lacks what is judged.
///
/// # Errors
///
/// `Data`: the column, and which tool makes it.
pub fn check(schema: &Schema, predicted: bool) -> Result<()> {
    let names: &[&str] = if predicted { &["p_down", "p_flat", "p_up", "y_dir"] } else { &["y_dir"] };
    match names.iter().find(|name| schema.column_with_name(name).is_none()) {
        None => Ok(()),
        Some(name @ &"y_dir") => Err(Error::data(format!(
            "no column {name:?} to judge by: label the rows first (mes-features --labels)"
        ))),
        Some(name) => Err(Error::data(format!(
            "no column {name:?}: run mes-predict first, or give the model with --model"
        ))),
    }
}

fn checked(p: [f32; 3]) -> Result<[f64; 3]> {
    let [down, flat, up] = p.map(Some);
    Prediction { down, flat, up, ..Prediction::default() }.check().map_err(Error::data)?;
    Ok(p.map(f64::from))
}

fn floats<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Float32Array> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Float32Type>());
    column.ok_or_else(|| Error::data(format!("no column {name:?}")))
}

fn labels(batch: &RecordBatch) -> Result<&Int8Array> {
    let column = batch.column_by_name("y_dir").and_then(|column| column.as_primitive_opt::<Int8Type>());
    column.ok_or_else(|| Error::data("no column \"y_dir\""))
}

/// The column `fold`, as text.
enum Folds<'a> {
    None,
    Numbers(&'a arrow_array::Int64Array),
    Floats(&'a arrow_array::Float64Array),
    Names(&'a arrow_array::StringArray),
}

impl<'a> Folds<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Folds<'a>> {
        let Some(column) = batch.column_by_name("fold") else { return Ok(Folds::None) };
        match column.data_type() {
            DataType::Int64 => Ok(Folds::Numbers(column.as_primitive::<Int64Type>())),
            DataType::Float64 => Ok(Folds::Floats(column.as_primitive())),
            DataType::Utf8 => Ok(Folds::Names(column.as_string())),
            other => Err(Error::data(format!("column \"fold\" is {other}, neither whole numbers nor text"))),
        }
    }

    fn get(&self, row: usize) -> String {
        match self {
            Folds::None => String::new(),
            Folds::Numbers(column) if column.is_valid(row) => column.value(row).to_string(),
            Folds::Floats(column) if column.is_valid(row) => column.value(row).to_string(),
            Folds::Names(column) if column.is_valid(row) => column.value(row).to_owned(),
            _ => "none".into(),
        }
    }
}

/// Tells session and hour of a bar; looks a zone's offset up once an hour.
#[derive(Debug, Default)]
struct Clock {
    /// The UTC hour looked up last, and what it is in New York. Offsets change on the hour.
    last: Option<(i64, (NaiveDate, u32))>,
}

impl Clock {
    /// Returns the date on which the Globex day of the bar's interval ends, and the New York hour it lies in.
    fn of_bar(&mut self, ts: Ts) -> (NaiveDate, u32) {
        let hour = (ts - 1).div_euclid(HOUR);
        if let Some((last, found)) = self.last
            && last == hour
        {
            return found;
        }
        let wall = tz::new_york(ts - 1);
        let found = ((wall + TimeDelta::hours(6)).date(), wall.hour());
        self.last = Some((hour, found));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_of_the_hour_and_session_of_its_interval() {
        let mut clock = Clock::default();
        for (ts, session, hour) in [
            // 09:30:01, the last second of 15:00, and of the day; the evening belongs to the next day.
            ("2026-11-20T14:30:01Z", "2026-11-20", 9),
            ("2026-11-20T21:00:00Z", "2026-11-20", 15),
            ("2026-11-20T22:00:00Z", "2026-11-20", 16),
            ("2026-11-19T23:00:01Z", "2026-11-20", 18),
            // Summer time.
            ("2026-07-01T13:30:01Z", "2026-07-01", 9),
            ("2026-07-01T22:00:01Z", "2026-07-02", 18),
        ] {
            let (found, at) = clock.of_bar(time::parse(ts).expect("a time"));
            assert_eq!((found.to_string().as_str(), at), (session, hour), "{ts}");
        }
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert!(checked([0.2, 0.5, 0.3]).is_ok());
        for p in [[0.2, 0.5, 0.4], [-0.1, 0.8, 0.3], [1.2, -0.1, -0.1], [0.0; 3]] {
            assert_eq!(checked(p).expect_err("no shares").code(), 3);
        }
    }
}
