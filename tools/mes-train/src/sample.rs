//! Reads labelled rows and keeps those that a model is fitted on: whole, in time, a stride apart.
//!
//! A sample of a sequence family is a window of rows of one segment. Windows are not made one by one: the rows are
//! kept once, and a sample names the last of its own.

use std::{collections::VecDeque, ops::Range};

use arrow_array::{
    Array, Float32Array, Int8Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Int8Type},
};
use arrow_schema::{DataType, Schema};
use mes_core::{
    price::TICK,
    time::{self, Ts},
};
use mes_pipe::{Bars, Error, Event, Input, Result, suggest};
use mes_predict::{labels as told, model::card::Label};

use crate::estimate::{Memory, beside, too_much};

/// Which rows to keep.
pub struct Choice<'a> {
    /// Names of features to leave out; a `*` at the end stands for any ending.
    pub without: &'a [String],
    /// Rows of a sample.
    pub window: usize,
    /// Nanoseconds between samples; 0 keeps all.
    pub stride: i64,
    /// How far labels look ahead, nanoseconds.
    pub horizon: i64,
    /// No label looks past this.
    pub until: Option<Ts>,
    /// The rule that labels are held against, where it is not the rows that say it.
    pub held: Option<&'a Label>,
    /// What the rows may take.
    pub max_memory: Memory,
}

/// Samples in memory. What is counted by sample: `ends times labels moves`.
#[derive(Default)]
pub struct Sample {
    pub features: Vec<String>,
    /// Rows of a sample.
    pub window: usize,
    /// Feature values, row by row.
    pub rows: Vec<f32>,
    /// The place in `rows` of a sample's last row; those before it are its window.
    pub ends: Vec<usize>,
    pub times: Vec<Ts>,
    /// 0 down, 1 flat, 2 up.
    pub labels: Vec<u8>,
    /// Ticks from the row to the label's horizon, where the stream shows them.
    pub moves: Vec<Option<f32>>,
    /// Rows read, rows that lacked a label or a feature, in themselves or in their window.
    pub read: usize,
    pub incomplete: usize,
    /// How often each feature was empty.
    pub empty: Vec<usize>,
}

/// Samples that follow each other in time.
#[derive(Clone, Copy)]
pub struct Slice<'a> {
    /// Features of a row.
    pub width: usize,
    /// Rows of a sample.
    pub window: usize,
    rows: &'a [f32],
    ends: &'a [usize],
    pub labels: &'a [u8],
    /// The place of the first one among all samples.
    first: usize,
}

impl<'a> Slice<'a> {
    /// Returns a range of samples: `width` values a row, `window` rows a sample, of which `ends` are the last.
    pub fn new(
        (width, window): (usize, usize),
        rows: &'a [f32],
        ends: &'a [usize],
        labels: &'a [u8],
        range: Range<usize>,
    ) -> Slice<'a> {
        let first = range.start;
        Slice { width, window, rows, ends: &ends[range.clone()], labels: &labels[range], first }
    }

    /// Returns the places of these among all samples.
    pub fn range(&self) -> Range<usize> {
        self.first..self.first + self.len()
    }

    /// Returns all rows, also those of other samples.
    pub fn rows(&self) -> &'a [f32] {
        self.rows
    }

    /// Returns the place of each sample's last row.
    pub fn ends(&self) -> &'a [usize] {
        self.ends
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns a sample's `window × width` values, row by row.
    pub fn values(&self, sample: usize) -> &'a [f32] {
        let end = self.ends[sample] + 1;
        &self.rows[(end - self.window) * self.width..end * self.width]
    }

    /// Goes over all samples, each of `window × width` values.
    pub fn iter(&self) -> impl Iterator<Item = &'a [f32]> + Clone {
        let slice = *self;
        (0..self.len()).map(move |sample| slice.values(sample))
    }
}

/// A kept sample whose horizon has not come yet.
struct Pending {
    index: usize,
    due: Ts,
    seg: i64,
    close: f64,
    /// The move that the rows tell, ticks.
    told: Option<f64>,
}

/// The last rows since a break, as many as a window has.
#[derive(Default)]
struct Recent {
    seg: i64,
    rows: VecDeque<f32>,
    /// Rows at the back that the sample does not hold yet.
    fresh: usize,
}

/// What is in a reader's head.
struct Reading<'a> {
    columns: Vec<usize>,
    choice: &'a Choice<'a>,
    pending: VecDeque<Pending>,
    recent: Recent,
}

impl Sample {
    /// Reads the whole stream.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] for rows without labels, features or sense, [`Error::Usage`] for more memory than allowed.
    pub fn read(input: &mut Input, choice: &Choice) -> Result<Sample> {
        let (features, columns) = select(input.schema(), choice.without)?;
        let empty = vec![0; features.len()];
        let mut sample = Sample { features, window: choice.window, empty, ..Sample::default() };
        let (pending, recent) = (VecDeque::new(), Recent::default());
        let mut reading = Reading { columns, choice, pending, recent };
        loop {
            match input.next()? {
                Event::Batch(batch) => sample.take(&batch, &mut reading)?,
                Event::Idle => {}
                Event::End => return Ok(sample),
            }
        }
    }

    fn take(&mut self, batch: &RecordBatch, reading: &mut Reading) -> Result<()> {
        let Reading { columns, choice, pending, recent } = reading;
        let bars = Bars::of(batch)?;
        let features: Vec<_> =
            columns.iter().map(|&index| batch.column(index).as_primitive::<Float32Type>()).collect();
        let labels = labels(batch)?;
        let moves = choice.held.and_then(|_| told::moves(batch));
        for row in 0..batch.num_rows() {
            let bar = bars.get(row);
            while let Some(first) = pending.pop_front_if(|first| first.due <= bar.ts) {
                let there = first.due == bar.ts && first.seg == bar.seg;
                let moved = there.then(|| (bar.close - first.close) / TICK);
                self.moves[first.index] = moved.map(|ticks| ticks as f32);
                if let (Some(told), Some(moved), Some(rule)) = (first.told, moved, choice.held) {
                    looks_ahead(rule, told, moved)
                        .map_err(|error| error.at(row_at(first.due - choice.horizon)))?;
                }
            }
            self.read += 1;
            if self.whole(&features, row) {
                recent.push(bar.seg, features.iter().map(|column| column.value(row)), choice.window);
            } else {
                recent.clear();
            }
            let due = bar.ts + choice.horizon;
            if choice.until.is_some_and(|until| due > until) {
                continue;
            }
            if labels.is_null(row) || recent.rows.len() < choice.window * features.len() {
                self.incomplete += 1;
                continue;
            }
            if self.times.last().is_some_and(|last| bar.ts < last + choice.stride) {
                continue;
            }
            let told = told::ticks(moves, row);
            pending.push_back(Pending { index: self.moves.len(), due, seg: bar.seg, close: bar.close, told });
            self.keep(bar.ts, recent, labels.value(row))?;
            if let (Some(rule), Some(ticks), Some(&label)) = (choice.held, told, self.labels.last()) {
                told::contradiction(rule, label, ticks).map_err(|error| error.at(row_at(bar.ts)))?;
            }
        }
        let taken = beside(self.bytes());
        if taken > choice.max_memory { Err(too_much(taken, choice.max_memory)) } else { Ok(()) }
    }

    /// Says whether a row has all its features, and counts what it lacks.
    fn whole(&mut self, features: &[&Float32Array], row: usize) -> bool {
        let mut whole = true;
        for (column, empty) in features.iter().zip(&mut self.empty) {
            if column.is_null(row) {
                *empty += 1;
                whole = false;
            }
        }
        whole
    }

    fn keep(&mut self, ts: Ts, recent: &mut Recent, label: i8) -> Result<()> {
        let label = u8::try_from(label)
            .ok()
            .filter(|label| *label <= 2)
            .ok_or_else(|| Error::data(format!("{}: y_dir {label} is not 0, 1 or 2", row_at(ts))))?;
        let held = recent.rows.len() - recent.fresh * self.width();
        self.rows.extend(recent.rows.range(held..));
        recent.fresh = 0;
        self.ends.push(self.rows.len() / self.width() - 1);
        self.times.push(ts);
        self.labels.push(label);
        self.moves.push(None);
        Ok(())
    }

    /// Returns how many samples there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Returns how many features a row has.
    pub fn width(&self) -> usize {
        self.features.len()
    }

    /// Returns what it takes in memory.
    pub fn bytes(&self) -> u64 {
        let each = size_of::<usize>() + size_of::<Ts>() + size_of::<u8>() + size_of::<Option<f32>>();
        (self.rows.capacity() * size_of::<f32>() + self.times.capacity() * each) as u64
    }

    /// Returns the samples of a range.
    pub fn slice(&self, range: Range<usize>) -> Slice<'_> {
        Slice::new((self.width(), self.window), &self.rows, &self.ends, &self.labels, range)
    }

    /// Returns the BLAKE3 of all that a fit depends on.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for name in &self.features {
            hasher.update(name.as_bytes()).update(b"\n");
        }
        hasher.update(&self.window.to_le_bytes());
        for sample in 0..self.len() {
            hasher.update(&self.times[sample].to_le_bytes());
            hasher.update(&self.ends[sample].to_le_bytes()).update(&[self.labels[sample]]);
        }
        let mut bytes = Vec::new();
        for values in self.rows.chunks(1 << 14) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            hasher.update(&bytes);
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Recent {
    /// Adds a row and lets go of the one that no window reaches any more; another segment begins anew.
    fn push(&mut self, seg: i64, values: impl ExactSizeIterator<Item = f32>, window: usize) {
        if seg != self.seg {
            self.clear();
            self.seg = seg;
        }
        let width = values.len();
        if self.rows.len() == window * width {
            self.rows.drain(..width);
        }
        self.rows.extend(values);
        self.fresh = (self.fresh + 1).min(window);
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.fresh = 0;
    }
}

/// Returns the names and places of the features to train on.
fn select(schema: &Schema, without: &[String]) -> Result<(Vec<String>, Vec<usize>)> {
    let matches = |pattern: &String, name: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    let all = || schema.fields().iter().enumerate().filter(|(_, field)| field.name().starts_with("f_"));
    let unknown = |pattern: &&String| !all().any(|(_, field)| matches(pattern, field.name()));
    if let Some(pattern) = without.iter().find(unknown) {
        let meant = suggest::meant(pattern, all().map(|(_, field)| field.name().as_str()));
        return Err(Error::usage(format!("--without {pattern}: there is no such feature{meant}")));
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

fn row_at(ts: Ts) -> String {
    format!("row {}", time::format(ts))
}

/// Errors where the move that the rows tell is not that of their closes a horizon apart.
fn looks_ahead(rule: &Label, told: f64, moved: f64) -> Result<()> {
    if (told - moved).abs() < 0.01 {
        return Ok(());
    }
    let Label { horizon, .. } = rule;
    Err(Error::data(format!(
        "y_move is {told} ticks, and {horizon} later the close is {moved} from here: the labels look another way ahead"
    )))
}

fn labels(batch: &RecordBatch) -> Result<&Int8Array> {
    batch
        .column_by_name("y_dir")
        .and_then(|column| column.as_primitive_opt::<Int8Type>())
        .ok_or_else(|| Error::data(crate::label::UNLABELLED))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Makes samples of one row each, a second apart.
    pub fn sample(width: usize, rows: &[f32], labels: &[u8]) -> Sample {
        let count = labels.len();
        assert_eq!(rows.len(), count * width);
        Sample {
            features: (0..width).map(|index| format!("f_{index}")).collect(),
            window: 1,
            rows: rows.to_vec(),
            ends: (0..count).collect(),
            times: (0..count).map(|row| row as i64 * time::SECOND).collect(),
            labels: labels.to_vec(),
            moves: (0..count).map(|row| Some(f32::from(labels[row]) * 4.0 - 4.0)).collect(),
            ..Sample::default()
        }
    }

    /// Rows whose one feature is their number, in segments of 10, one row of each without the feature; every window is
    /// looked up as a naive reader would have it.
    #[test]
    fn a_window_is_the_last_rows_of_one_unbroken_run() {
        for (window, stride) in [(1, 1), (3, 1), (3, 2), (3, 7), (5, 3), (5, 11)] {
            let mut sample = Sample { features: vec!["f".into()], window, ..Sample::default() };
            let mut recent = Recent::default();
            let (mut naive, mut run) = (Vec::new(), Vec::new());
            for row in 0..100_i64 {
                if row % 10 == 0 || row % 10 == 4 {
                    run.clear();
                }
                if row % 10 == 4 {
                    recent.clear();
                    continue;
                }
                run.push(row as f32);
                recent.push(row / 10, [row as f32].into_iter(), window);
                if row % stride == 0 && run.len() >= window {
                    naive.push(run[run.len() - window..].to_vec());
                    sample.keep(row, &mut recent, 1).expect("keeps");
                }
            }
            let slice = sample.slice(0..sample.len());
            let found: Vec<_> = slice.iter().map(<[f32]>::to_vec).collect();
            assert!(found == naive && !naive.is_empty(), "{window} {stride}");
            assert!(sample.rows.len() <= 90, "a row is held once");
            assert!(sample.rows.is_sorted());
        }
    }
}
