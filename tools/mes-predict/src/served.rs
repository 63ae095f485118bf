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
    let Label { kind, horizon, threshold_ticks } = trained;
    Err(Error::usage(format!(
        "the rows are labelled by {rule}, the model by {kind} {horizon} over {threshold_ticks} ticks: label them alike"
    )))
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
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, TimestampNanosecondArray};
    use arrow_schema::{DataType, Field};
    use mes_core::session::Filter;
    use mes_pipe::Kind;

    use super::*;
    use crate::model::{
        card::{Card, tests::card},
        plan::{
            Plan,
            tests::{net, over_windows},
        },
    };

    const FEATURES: [&str; 3] = ["f_a", "f_b", "f_sigma"];

    fn model() -> Model {
        let plan = Plan::compile(net(3), 3).expect("compiles");
        Model::of(card(&FEATURES), plan, "hash")
    }

    fn sequence_model() -> Model {
        let plan = Plan::of_windows(over_windows(4, 3), 3, 4).expect("compiles");
        Model::of(Card { window: 4, ..card(&FEATURES) }, plan, "hash")
    }

    /// Rows at seconds 3, 4, …: after the span of the card. Every seventh lacks `f_a`.
    fn rows(count: usize) -> RecordBatch {
        let ts = (0..count).map(|row| (3 + row as i64) * time::SECOND);
        let ts = TimestampNanosecondArray::from_iter_values(ts).with_timezone("UTC");
        let value = |row: usize, column: usize| ((row * 31 + column * 17) % 97) as f32 / 97.0;
        let column = |column: usize| -> ArrayRef {
            let values = (0..count).map(|row| (column > 0 || row % 7 != 0).then(|| value(row, column)));
            Arc::new(values.collect::<Float32Array>())
        };
        // Another order than the model's: names decide.
        let fields =
            ["f_sigma", "f_a", "f_more", "f_b"].map(|name| Field::new(name, DataType::Float32, true));
        let seg = Field::new("seg", DataType::Int64, false);
        let fields =
            [vec![Field::new("ts", mes_pipe::schema::instant(), false)], fields.to_vec(), vec![seg]].concat();
        let seg = Arc::new((0..count).map(|row| row as i64 / 60).collect::<Int64Array>());
        let arrays = vec![Arc::new(ts) as ArrayRef, column(2), column(0), column(3), column(1), seg];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("a table")
    }

    fn meta(interval: &str, settings: Value) -> Meta {
        let interval = Some(interval.parse().expect("interval"));
        Meta::source("mes-features", Kind::Feature, interval, Filter::All, settings)
    }

    fn served(batch: &RecordBatch, in_sample: InSample) -> Served {
        Served::new(model(), &batch.schema(), &meta("1s", Value::Null), in_sample).expect("fits")
    }

    fn bits(predictions: &[Prediction]) -> Vec<[Option<u32>; 7]> {
        predictions.iter().map(|one| one.values().map(|value| value.map(f32::to_bits))).collect()
    }

    #[test]
    fn any_cut_of_the_stream_gives_the_same_bits() {
        let batch = rows(200);
        for model in [model, sequence_model] {
            holds_for_any_cut(&batch, model);
        }
    }

    fn holds_for_any_cut(batch: &RecordBatch, model: fn() -> Model) {
        let served = || {
            Served::new(model(), &batch.schema(), &meta("1s", Value::Null), InSample::Refuse).expect("fits")
        };
        let whole = bits(&served().predict(batch).expect("predicts"));
        for size in [1, 2, 7, 31, 32, 33, 64, 199] {
            let (mut served, mut parts) = (served(), Vec::new());
            for from in (0..200).step_by(size) {
                let part = batch.slice(from, size.min(200 - from));
                parts.extend(bits(&served.predict(&part).expect("predicts")));
            }
            assert_eq!(parts, whole, "in batches of {size}");
        }
    }

    #[test]
    fn a_row_that_lacks_a_feature_has_no_prediction_and_the_others_have_all_of_it() {
        let batch = rows(50);
        let predictions = served(&batch, InSample::Refuse).predict(&batch).expect("predicts");
        for (row, one) in predictions.iter().enumerate() {
            assert!(one.values().iter().all(|value| value.is_some() == (row % 7 != 0)), "row {row}: {one:?}");
        }
        let one = predictions[1];
        let (down, flat, up) = (one.down.expect("p"), one.flat.expect("p"), one.up.expect("p"));
        assert!((down + flat + up - 1.0).abs() < 1e-6);
        assert_eq!(one.conf, Some(down.max(flat).max(up)));
        let level = f64::from((31 + 2 * 17) as f32 / 97.0);
        let vol = 4.0 * level / (1.0 - level) * 30.0_f64.sqrt();
        assert!((f64::from(one.vol.expect("vol")) - vol).abs() < 1e-4, "{:?} is not {vol}", one.vol);
    }

    /// Rows 0, 7, 14, … lack a feature, segments are of 60 rows, windows of 4.
    #[test]
    fn a_sequence_has_no_prediction_until_its_window_is_full() {
        let batch = rows(200);
        let mut served =
            Served::new(sequence_model(), &batch.schema(), &meta("1s", Value::Null), InSample::Refuse)
                .expect("fits");
        let predictions = served.predict(&batch).expect("predicts");
        let mut run = 0;
        for (row, one) in predictions.iter().enumerate() {
            run = if row % 7 == 0 {
                0
            } else if row % 60 == 0 {
                1
            } else {
                run + 1
            };
            assert_eq!(one.dir.is_some(), run >= 4, "row {row}");
        }
        // The window's rows, in the model's order of features.
        let value = |row: usize, column: usize| ((row * 31 + column * 17) % 97) as f32 / 97.0;
        let window: Vec<_> = (2..6).flat_map(|row| [value(row, 0), value(row, 1), value(row, 2)]).collect();
        let p = served.model.probabilities(&window).expect("runs")[0];
        assert_eq!(predictions[5].up, Some(p[2] as f32));
    }

    #[test]
    fn rows_that_are_not_scored_are_seen_all_the_same() {
        let batch = rows(7);
        let mut trained = sequence_model();
        (trained.card.span.first, trained.card.span.last) = (3 * time::SECOND, 6 * time::SECOND);
        let mut skipping =
            Served::new(trained, &batch.schema(), &meta("1s", Value::Null), InSample::Skip).expect("fits");
        let predictions = skipping.predict(&batch).expect("predicts");
        let there: Vec<_> = predictions.iter().map(|one| one.dir.is_some()).collect();
        assert_eq!(there, [false, false, false, false, true, true, true]);
    }

    #[test]
    fn refuses_a_stream_that_it_was_not_made_for() {
        let batch = rows(5);
        let refused = |schema: &Schema, meta: &Meta, what: &str| {
            let error = Served::new(model(), schema, meta, InSample::Refuse).err().expect(what);
            assert!(error.code() == 2 && error.to_string().contains(what), "{error}");
        };
        let schema = batch.schema();
        refused(
            &schema.project(&[0, 1, 3, 5]).expect("fewer"),
            &meta("1s", Value::Null),
            "features: f_a f_b:",
        );
        refused(&schema, &meta("5s", Value::Null), "rows of 1s, these are of 5s");
        let labelled =
            [&schema.fields()[..], &[Arc::new(Field::new("y_dir", DataType::Int8, true))]].concat();
        let labels =
            |horizon| json!({ "labels": { "kind": "horizon", "horizon": horizon, "threshold_ticks": 3 } });
        refused(&Schema::new(labelled.clone()), &meta("1s", labels("60s")), "label them alike");
        let (same, meta) = (Schema::new(labelled), meta("1s", labels("30s")));
        assert!(Served::new(model(), &same, &meta, InSample::Refuse).is_ok());
    }

    #[test]
    fn does_not_score_what_it_was_fitted_on_unless_told() {
        let mut trained = model();
        // Seconds 5 to 6 of rows at 3, 4, …
        (trained.card.span.first, trained.card.span.last) = (5 * time::SECOND, 6 * time::SECOND);
        let batch = rows(6);
        let mut served =
            Served::new(trained, &batch.schema(), &meta("1s", Value::Null), InSample::Refuse).expect("fits");
        let error = served.predict(&batch).expect_err("in sample");
        let text = error.to_string();
        assert_eq!(error.code(), 2);
        assert!(
            text.contains("row 1970-01-01T00:00:05Z") && text.contains("00:00:05Z to 1970-01-01T00:00:06Z"),
            "{text}"
        );
        assert!(served.predict(&batch.slice(0, 2)).is_ok() && served.predict(&batch.slice(4, 2)).is_ok());

        let there = |served: &mut Served| -> Vec<bool> {
            served.predict(&batch).expect("predicts").iter().map(|one| one.dir.is_some()).collect()
        };
        served.in_sample = InSample::Skip;
        assert_eq!(there(&mut served), [false, true, false, false, true, true]);
        assert_eq!(served.settings(), json!({ "model": "hash", "in_sample": "skip" }));
        served.in_sample = InSample::Allow;
        assert_eq!(there(&mut served), [false, true, true, true, true, true]);
        assert_eq!(served.settings()["in_sample"], "allow");
    }
}
