//! A model on a stream: finds its features by name, guards its training span, predicts whole rows.

use arrow_array::{
    Array, Float32Array, Int64Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Int64Type},
};
use arrow_schema::Schema;
use mes_core::{interval::Interval, prediction::Prediction, time};
use mes_pipe::{Error, Meta, Result, columns::times};
use serde_json::{Value, json};

use crate::{
    InSample, Predictor,
    model::{Model, card::Label, head, plan::CLASSES},
    ring::Ring,
};

pub(crate) struct Served {
    model: Model,
    /// The stream's column of each feature, in the model's order.
    columns: Vec<usize>,
    vol: Option<Volatility>,
    in_sample: InSample,
    /// Of a sequence model: the rows before.
    ring: Option<Ring>,
}

impl Served {
    /// Fits a model to a stream. Errors when a feature is missing, or when the stream's rows or labels are not what
    /// the model was made for.
    ///
    /// # Errors
    ///
    /// `Usage`: the feature, the interval or the label rule that differs.
    pub fn new(model: Model, schema: &Schema, meta: &Meta, in_sample: InSample) -> Result<Served> {
        let columns = find(&model.card.features, schema)?;
        same_interval(model.card.interval.as_deref(), meta.interval)?;
        same_label(&model.card.label, schema, meta)?;
        let interval =
            meta.interval.map(Ok).or(model.card.interval.as_deref().map(str::parse)).transpose()?;
        let vol = Volatility::of(schema, interval, model.card.label.horizon_nanos()?);
        let window = model.card.window;
        let ring = (window > 1).then(|| Ring::new(window, columns.len()));
        Ok(Served { model, columns, vol, in_sample, ring })
    }

    /// Says of each row whether it may be scored; an error where one may not and should not be there.
    fn scored(&self, batch: &RecordBatch) -> Result<Vec<bool>> {
        let (span, times) = (&self.model.card.span, times(batch)?);
        if self.in_sample == InSample::Allow {
            return Ok(vec![true; times.len()]);
        }
        let scored: Vec<_> = times.iter().map(|ts| !span.contains(*ts)).collect();
        match scored.iter().position(|scored| !scored) {
            Some(row) if self.in_sample == InSample::Refuse => Err(Error::usage(format!(
                "row {} (of {} to {}) lies inside the model's training span {} to {}: give later rows, train with \
                 --until, pass such rows unscored with --skip-in-sample, or score them for nothing with \
                 --allow-in-sample",
                time::format(times[row]),
                time::format(times[0]),
                time::format(times[times.len() - 1]),
                time::format(span.first),
                time::format(span.last),
            ))),
            _ => Ok(scored),
        }
    }
}

impl Predictor for Served {
    fn predict(&mut self, batch: &RecordBatch) -> Result<Vec<Prediction>> {
        let wanted = self.scored(batch)?;
        let features: Vec<_> = self.columns.iter().map(|&index| floats(batch, index)).collect();
        let mut whole = vec![true; wanted.len()];
        for nulls in features.iter().filter_map(|column| column.nulls()) {
            whole.iter_mut().zip(nulls).for_each(|(whole, there)| *whole &= there);
        }
        let found = match &mut self.ring {
            None => {
                let both = wanted.iter().zip(&whole).map(|(wanted, whole)| *wanted && *whole);
                single(&self.model, &features, &both.collect::<Vec<_>>())?
            }
            Some(ring) => ring.probabilities(&self.model, &features, segments(batch)?, (&wanted, &whole))?,
        };
        let mut predictions = vec![Prediction::default(); wanted.len()];
        for (row, p) in found {
            let vol = self.vol.as_ref().and_then(|vol| vol.ticks(batch, row));
            predictions[row] = head::prediction(p, self.model.card.mean_move_ticks, vol);
        }
        Ok(predictions)
    }

    fn settings(&self) -> Value {
        let mut settings = json!({ "model": self.model.hash });
        match self.in_sample {
            InSample::Refuse => {}
            InSample::Skip => settings["in_sample"] = "skip".into(),
            InSample::Allow => settings["in_sample"] = "allow".into(),
        }
        settings
    }
}

/// Computes the probabilities of the rows that are `wanted`, each with its place.
fn single(
    model: &Model,
    features: &[&Float32Array],
    wanted: &[bool],
) -> Result<Vec<(usize, [f64; CLASSES])>> {
    let rows: Vec<usize> = (0..wanted.len()).filter(|&row| wanted[row]).collect();
    let mut packed = vec![0.0; rows.len() * features.len()];
    for (place, column) in features.iter().enumerate() {
        let values = column.values();
        for (cells, &row) in packed.chunks_exact_mut(features.len()).zip(&rows) {
            cells[place] = values[row];
        }
    }
    Ok(rows.into_iter().zip(model.probabilities(&packed)?).collect())
}

/// Finds the columns of `features`; the stream may have more.
fn find(features: &[String], schema: &Schema) -> Result<Vec<usize>> {
    let (mut columns, mut missing) = (Vec::new(), Vec::new());
    for name in features {
        match schema.column_with_name(name) {
            Some((index, field)) if *field.data_type() == arrow_schema::DataType::Float32 => {
                columns.push(index)
            }
            _ => missing.push(name.as_str()),
        }
    }
    if missing.is_empty() {
        return Ok(columns);
    }
    let (count, names) = (missing.len(), missing.join(" "));
    Err(Error::usage(format!(
        "the rows lack {count} of the model's features: {names}: add them in mes-features (--warm-within 24h makes \
         those that are known late), or train without them (mes-train --without NAME)"
    )))
}

fn same_interval(trained: Option<&str>, found: Option<Interval>) -> Result<()> {
    match (trained, found.map(|interval| interval.to_string())) {
        (Some(trained), Some(found)) if trained != found => {
            Err(Error::usage(format!("the model was trained on rows of {trained}, these are of {found}")))
        }
        _ => Ok(()),
    }
}

/// Compares the label rules when the stream carries labels of any kind.
fn same_label(trained: &Label, schema: &Schema, meta: &Meta) -> Result<()> {
    let labelled = schema.fields().iter().any(|field| field.name().starts_with("y_"));
    let rule = meta.lineage.settings("mes-features").map(|settings| &settings["labels"]);
    let Some(rule) = rule.filter(|rule| rule.is_object() && labelled) else { return Ok(()) };
    let same = rule["kind"] == trained.kind.as_str()
        && rule["horizon"] == trained.horizon.as_str()
        && rule["threshold_ticks"].as_f64() == Some(trained.threshold_ticks);
    if same {
        return Ok(());
    }
    let words = trained.words();
    Err(Error::usage(format!("the rows are labelled by {rule}, the model by {words}: label them alike")))
}

fn segments(batch: &RecordBatch) -> Result<&Int64Array> {
    let column = batch.column_by_name("seg").and_then(|column| column.as_primitive_opt::<Int64Type>());
    column
        .ok_or_else(|| Error::data("no column \"seg\", which a model of sequences needs: run mes-bars first"))
}

fn floats(batch: &RecordBatch, index: usize) -> &Float32Array {
    batch.column(index).as_primitive::<Float32Type>()
}

/// Reads σ back from `f_sigma` = σ/(σ + 4) and scales it to the horizon.
pub(crate) struct Volatility {
    column: usize,
    /// √(rows in the horizon).
    root: f64,
}

impl Volatility {
    /// Returns `None` when the stream has no `f_sigma` or its rows no length in time.
    pub fn of(schema: &Schema, interval: Option<Interval>, horizon_nanos: i64) -> Option<Volatility> {
        let (column, _) = schema.column_with_name("f_sigma")?;
        let rows = horizon_nanos as f64 / interval?.nanos() as f64;
        Some(Volatility { column, root: rows.sqrt() })
    }

    /// Returns σ√horizon in ticks.
    pub fn ticks(&self, batch: &RecordBatch, row: usize) -> Option<f32> {
        let column = floats(batch, self.column);
        let level = column.is_valid(row).then(|| f64::from(column.value(row)))?;
        (0.0..1.0).contains(&level).then(|| (4.0 * level / (1.0 - level) * self.root) as f32)
    }
}

#[cfg(test)]
mod tests;
