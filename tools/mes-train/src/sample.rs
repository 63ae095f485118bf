//! Reads labelled rows and keeps those that a model is fitted on: whole, in time, a stride apart.

use std::collections::VecDeque;

use arrow_array::{
    Array, Float32Array, Int8Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Int8Type},
};
use arrow_schema::{DataType, Schema};
use mes_core::{
    contract::TICK,
    time::{self, Ts},
};
use mes_pipe::{Bars, Error, Event, Input, Result};

/// Which rows to keep.
pub struct Choice<'a> {
    /// Names of features to leave out; a `*` at the end stands for any ending.
    pub without: &'a [String],
    /// Nanoseconds between rows; 0 keeps all.
    pub stride: i64,
    /// How far labels look ahead, nanoseconds.
    pub horizon: i64,
    /// No label looks past this.
    pub until: Option<Ts>,
}

/// Rows in memory.
#[derive(Default)]
pub struct Sample {
    pub features: Vec<String>,
    /// Feature values, row by row.
    pub rows: Vec<f32>,
    pub times: Vec<Ts>,
    /// 0 down, 1 flat, 2 up.
    pub labels: Vec<u8>,
    /// Ticks from the row to the label's horizon, where the stream shows them.
    pub moves: Vec<Option<f32>>,
    /// Rows read, rows that lacked a label or a feature.
    pub read: usize,
    pub incomplete: usize,
    /// How often each feature was empty.
    pub empty: Vec<usize>,
}

/// A kept row whose horizon has not come yet.
struct Pending {
    index: usize,
    due: Ts,
    seg: i64,
    close: f64,
}

impl Sample {
    /// Reads the whole stream.
    pub fn read(input: &mut Input, choice: &Choice) -> Result<Sample> {
        let (features, columns) = select(input.schema(), choice.without)?;
        let mut sample = Sample { empty: vec![0; features.len()], features, ..Sample::default() };
        let mut pending = VecDeque::new();
        loop {
            match input.next()? {
                Event::Batch(batch) => sample.take(&batch, &columns, choice, &mut pending)?,
                Event::Idle => {}
                Event::End => return Ok(sample),
            }
        }
    }

    fn take(
        &mut self,
        batch: &RecordBatch,
        columns: &[usize],
        choice: &Choice,
        pending: &mut VecDeque<Pending>,
    ) -> Result<()> {
        let bars = Bars::of(batch)?;
        let features: Vec<_> =
            columns.iter().map(|&index| batch.column(index).as_primitive::<Float32Type>()).collect();
        let labels = labels(batch)?;
        for row in 0..batch.num_rows() {
            let bar = bars.get(row);
            while let Some(first) = pending.pop_front_if(|first| first.due <= bar.ts) {
                let there = first.due == bar.ts && first.seg == bar.seg;
                self.moves[first.index] = there.then(|| ((bar.close - first.close) / TICK) as f32);
            }
            self.read += 1;
            let due = bar.ts + choice.horizon;
            if choice.until.is_some_and(|until| due > until) || !self.whole(&features, labels, row) {
                continue;
            }
            if self.times.last().is_some_and(|last| bar.ts < last + choice.stride) {
                continue;
            }
            pending.push_back(Pending { index: self.moves.len(), due, seg: bar.seg, close: bar.close });
            self.keep(bar.ts, &features, labels.value(row), row)?;
        }
        Ok(())
    }

    /// Says whether a row has its label and all its features, and counts what it lacks.
    fn whole(&mut self, features: &[&Float32Array], labels: &Int8Array, row: usize) -> bool {
        let mut whole = labels.is_valid(row);
        for (column, empty) in features.iter().zip(&mut self.empty) {
            if column.is_null(row) {
                *empty += 1;
                whole = false;
            }
        }
        self.incomplete += usize::from(!whole);
        whole
    }

    fn keep(&mut self, ts: Ts, features: &[&Float32Array], label: i8, row: usize) -> Result<()> {
        let label = u8::try_from(label).ok().filter(|label| *label <= 2).ok_or_else(|| {
            Error::data(format!("row {}: y_dir {label} is not 0, 1 or 2", time::format(ts)))
        })?;
        self.rows.extend(features.iter().map(|column| column.value(row)));
        self.times.push(ts);
        self.labels.push(label);
        self.moves.push(None);
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.times.len()
    }

    pub fn width(&self) -> usize {
        self.features.len()
    }

    /// Returns the BLAKE3 of all that a fit depends on.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for name in &self.features {
            hasher.update(name.as_bytes()).update(b"\n");
        }
        let mut bytes = Vec::new();
        for (row, values) in self.rows.chunks(self.width()).enumerate() {
            bytes.clear();
            bytes.extend(self.times[row].to_le_bytes());
            bytes.push(self.labels[row]);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            hasher.update(&bytes);
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Returns the names and places of the features to train on.
fn select(schema: &Schema, without: &[String]) -> Result<(Vec<String>, Vec<usize>)> {
    let matches = |pattern: &String, name: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    let all = || schema.fields().iter().enumerate().filter(|(_, field)| field.name().starts_with("f_"));
    if let Some(pattern) =
        without.iter().find(|pattern| !all().any(|(_, field)| matches(pattern, field.name())))
    {
        return Err(Error::usage(format!("--without {pattern}: there is no such feature")));
    }
    let chosen = all().filter(|(_, field)| *field.data_type() == DataType::Float32);
    let chosen = chosen.filter(|(_, field)| !without.iter().any(|pattern| matches(pattern, field.name())));
    let (columns, names): (Vec<_>, Vec<_>) =
        chosen.map(|(index, field)| (index, field.name().clone())).unzip();
    if names.is_empty() {
        return Err(Error::data("no f_* columns to learn from: run mes-features first"));
    }
    Ok((names, columns))
}

fn labels(batch: &RecordBatch) -> Result<&Int8Array> {
    batch
        .column_by_name("y_dir")
        .and_then(|column| column.as_primitive_opt::<Int8Type>())
        .ok_or_else(|| Error::data("no column \"y_dir\" to learn: run mes-features with --labels"))
}
