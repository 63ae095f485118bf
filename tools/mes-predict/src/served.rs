//! A model on a stream: finds its features by name, guards its training span, predicts whole rows.

use arrow_array::{Array, Float32Array, RecordBatch, cast::AsArray, types::Float32Type};
use arrow_schema::Schema;
use mes_core::{interval::Interval, prediction::Prediction, time};
use mes_pipe::{Error, Meta, Result, columns::times};
use serde_json::{Value, json};

use crate::{
    Predictor,
    model::{Model, card::Label, head},
};

pub(crate) struct Served {
    model: Model,
    /// The stream's column of each feature, in the model's order.
    columns: Vec<usize>,
    vol: Option<Volatility>,
    allow_in_sample: bool,
}

impl Served {
    /// Fits a model to a stream. Errors when a feature is missing, or when the stream's rows or labels are not what
    /// the model was made for.
    pub fn new(model: Model, schema: &Schema, meta: &Meta, allow_in_sample: bool) -> Result<Served> {
        let columns = find(&model.card.features, schema)?;
        same_interval(model.card.interval.as_deref(), meta.interval)?;
        same_label(&model.card.label, schema, meta)?;
        let interval =
            meta.interval.map(Ok).or(model.card.interval.as_deref().map(str::parse)).transpose()?;
        let vol = Volatility::of(schema, interval, model.card.label.horizon_nanos()?);
        Ok(Served { model, columns, vol, allow_in_sample })
    }

    /// Errors at the first row that the model was fitted on.
    fn out_of_sample(&self, batch: &RecordBatch) -> Result<()> {
        let (span, times) = (&self.model.card.span, times(batch)?);
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else { return Ok(()) };
        let Some(&row) = times.iter().find(|ts| span.contains(**ts)).filter(|_| !self.allow_in_sample) else {
            return Ok(());
        };
        Err(Error::usage(format!(
            "row {} (of rows {} to {}) lies inside the model's training span {} to {}: give later rows, train with \
             --until, or take the row's score for nothing with --allow-in-sample",
            time::format(row),
            time::format(first),
            time::format(last),
            time::format(span.first),
            time::format(span.last),
        )))
    }
}

impl Predictor for Served {
    fn predict(&mut self, batch: &RecordBatch) -> Result<Vec<Prediction>> {
        self.out_of_sample(batch)?;
        let features: Vec<_> = self.columns.iter().map(|&index| floats(batch, index)).collect();
        let rows = batch.num_rows();
        let whole: Vec<usize> =
            (0..rows).filter(|&row| features.iter().all(|column| column.is_valid(row))).collect();
        let mut packed = Vec::with_capacity(whole.len() * features.len());
        for &row in &whole {
            packed.extend(features.iter().map(|column| column.value(row)));
        }
        let mut predictions = vec![Prediction::default(); rows];
        for (&row, p) in whole.iter().zip(self.model.probabilities(&packed)?) {
            let vol = self.vol.as_ref().and_then(|vol| vol.ticks(batch, row));
            predictions[row] = head::prediction(p, self.model.card.mean_move_ticks, vol);
        }
        Ok(predictions)
    }

    fn settings(&self) -> Value {
        let mut settings = json!({ "model": self.model.hash });
        if self.allow_in_sample {
            settings["allow_in_sample"] = true.into();
        }
        settings
    }
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
        "the rows lack {count} of the model's features: {names}: add them in mes-features, or train without them \
         (mes-train --without NAME)"
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

/// Compares the label rules when the stream carries labels.
fn same_label(trained: &Label, schema: &Schema, meta: &Meta) -> Result<()> {
    let rule = meta.lineage.settings("mes-features").map(|settings| &settings["labels"]);
    let Some(rule) = rule.filter(|rule| rule.is_object() && schema.column_with_name("y_dir").is_some())
    else {
        return Ok(());
    };
    let same = rule["kind"] == trained.kind.as_str()
        && rule["horizon"] == trained.horizon.as_str()
        && rule["threshold_ticks"].as_f64() == Some(trained.threshold_ticks);
    if same {
        return Ok(());
    }
    let Label { kind, horizon, threshold_ticks } = trained;
    Err(Error::usage(format!(
        "the rows are labelled by {rule}, the model by {kind} {horizon} over {threshold_ticks} ticks: label them alike"
    )))
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
