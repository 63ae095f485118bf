//! The loop: rows in, the same rows with `p_*` columns out.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{ArrayRef, Float32Array, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use mes_core::{
    prediction::{COLUMNS, OURS, Prediction},
    time,
};
use mes_pipe::{
    Error, Event, Input, Kind, Output, Result,
    columns::{append, extend, times},
};

use crate::{InSample, Predictor, StageArgs, model::Model, rules, served::Served};

const DEFAULT_MODEL: &str = "models/default.onnx";

/// Adds the predictions of a model or a rule to a stream.
///
/// # Errors
///
/// `Usage` for a model or a rule that does not fit the rows, `Data` for rows that cannot be, `Failed` where nothing can be
/// read or written.
pub(crate) fn run(args: StageArgs) -> Result<()> {
    let kind = if args.rule.is_some() { Kind::Bar } else { Kind::Feature };
    let in_sample = InSample::asked(args.allow_in_sample, args.skip_in_sample);
    // Before the input: a wrong model is found without waiting for the first row.
    let model = if args.rule.is_none() { Some(model(args.model)?) } else { None };
    let mut input = Input::open(&args.input, &[kind])?;
    let mut predictor: Box<dyn Predictor> = match (args.rule, model) {
        (Some(name), _) => rules::make(name, args.seed, args.rate, &input)?,
        (None, Some(model)) => Box::new(Served::new(model, input.schema(), input.meta(), in_sample)?),
        (None, None) => return Err(Error::usage("neither a model nor a rule")),
    };
    let schema = predicted(input.schema())?;
    let meta = input.meta().stage("mes-predict", Kind::Prediction, predictor.settings());
    let mut output = Output::create(&args.output, Arc::clone(&schema), &meta)?;
    loop {
        match input.next()? {
            Event::Batch(batch) => {
                let predictions = predictor.predict(&batch)?;
                lawful(&batch, &predictions)?;
                output.write(&with(&batch, &schema, &predictions)?)?;
            }
            Event::Idle => output.flush()?,
            Event::End => {
                predictor.end()?;
                return output.finish();
            }
        }
    }
}

/// Loads the model that was asked for: by flag, by environment, by default.
fn model(flag: Option<PathBuf>) -> Result<Model> {
    let asked = flag.or_else(|| env::var_os("MES_MODEL").filter(|path| !path.is_empty()).map(PathBuf::from));
    let path = asked.unwrap_or_else(|| DEFAULT_MODEL.into());
    if !path.exists() {
        return Err(Error::usage(format!(
            "no model {}: mes-train makes one, --rule ema-cross needs none{}",
            path.display(),
            beside(&path)
        )));
    }
    Model::load(&path)
}

/// Names the models in the folder where none of that name is.
fn beside(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut models: Vec<String> = names.filter(|name| name.ends_with(".onnx")).collect();
    models.sort();
    if models.is_empty() { String::new() } else { format!(" (there are {})", models.join(" ")) }
}

/// Keeps a prediction that the next tool would refuse from being written.
fn lawful(batch: &RecordBatch, predictions: &[Prediction]) -> Result<()> {
    let fault = predictions.iter().enumerate().find_map(|(row, one)| Some((row, one.check().err()?)));
    let Some((row, fault)) = fault else { return Ok(()) };
    Err(Error::data(fault).at(format!("the prediction of row {}", time::format(times(batch)?[row]))))
}

/// Returns the schema of rows with predictions.
fn predicted(schema: &SchemaRef) -> Result<SchemaRef> {
    extend(schema, COLUMNS[..OURS].iter().map(|name| Field::new(*name, DataType::Float32, true)).collect())
}

/// Adds the predictions of a batch as columns.
fn with(batch: &RecordBatch, schema: &SchemaRef, predictions: &[Prediction]) -> Result<RecordBatch> {
    let column = |index: usize| -> ArrayRef {
        Arc::new(predictions.iter().map(|prediction| prediction.values()[index]).collect::<Float32Array>())
    };
    append(batch, schema, (0..OURS).map(column).collect())
}
