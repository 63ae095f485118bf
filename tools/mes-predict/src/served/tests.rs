//! What a model does to a stream: cuts, gaps, refusals, sequences.

use std::sync::Arc;

use arrow_array::{ArrayRef, TimestampNanosecondArray};
use arrow_schema::{DataType, Field};
use mes_core::{prediction::OURS, session::Filter};
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
    let fields = ["f_sigma", "f_a", "f_more", "f_b"].map(|name| Field::new(name, DataType::Float32, true));
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

fn bits(predictions: &[Prediction]) -> Vec<[Option<u32>; 8]> {
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
    let served =
        || Served::new(model(), &batch.schema(), &meta("1s", Value::Null), InSample::Refuse).expect("fits");
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
        assert!(
            one.values()[..OURS].iter().all(|value| value.is_some() == (row % 7 != 0)),
            "row {row}: {one:?}"
        );
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
    refused(&schema.project(&[0, 1, 3, 5]).expect("fewer"), &meta("1s", Value::Null), "features: f_a f_b:");
    refused(&schema, &meta("5s", Value::Null), "rows of 1s, these are of 5s");
    let labelled = [&schema.fields()[..], &[Arc::new(Field::new("y_dir", DataType::Int8, true))]].concat();
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
