//! `mes-predict import`: a foreign ONNX file, checked and given the card that it lacks.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args as ClapArgs;
use mes_core::{
    interval::Interval,
    time::{self, Ts},
};
use mes_pipe::{Error, Result, limits, log::note, write};
use serde_json::{Value, json};
use tract_onnx::pb::{
    ModelProto,
    tensor_shape_proto::{Dimension, dimension::Value::DimValue},
    type_proto,
};

use crate::{
    eval::shares,
    model::{
        Model,
        card::{self, Calibration, Card, Hashes, Label, Output, Rows, Span},
        encode,
        plan::Plan,
        read,
    },
    samples::samples,
    scores::Report,
};

/// Take a foreign ONNX model: check it and write what it lacks into it
///
/// The graph maps features (f32, [batch, features] or [batch, window, features]) to logits or probabilities of the
/// classes 0 down, 1 flat, 2 up. It must run here: every operator is tried. What the file cannot say is asked for and
/// never guessed: what the features and the label are, and which span it was fitted on.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  mes-predict import net.onnx --features @names.txt --label horizon:30s:3 --interval 1s \\
      --fitted 2025-01-02T14:30:00Z,2025-06-30T20:00:00Z --mean-move=-4.9,0.1,4.8 --out models/net.onnx
  mes-predict inspect models/net.onnx

Exit codes: 0 done, 1 failed, 2 wrong arguments, or a graph that does not fit them.")]
pub struct ImportArgs {
    /// The file to take
    #[arg(value_name = "ONNX")]
    model: PathBuf,
    /// The features in the order of the graph's input, or @FILE with their names
    #[arg(long, value_name = "NAMES")]
    features: Names,
    /// What its classes mean, as KIND:HORIZON:TICKS
    #[arg(long, value_name = "RULE", value_parser = label)]
    label: Label,
    /// The first and the last instant that the fit has seen, its labels' horizon included
    #[arg(long, value_name = "FROM,TO", value_parser = span)]
    fitted: Span,
    /// Mean ticks that down, flat, up moved in training
    #[arg(long, value_name = "D,F,U", value_parser = three, allow_hyphen_values = true)]
    mean_move: [f64; 3],
    /// Shares of down, flat, up in training
    #[arg(long, value_name = "D,F,U", value_parser = shares)]
    prior: Option<[f64; 3]>,
    /// Length of a row it was trained on
    #[arg(long, value_name = "INTERVAL")]
    interval: Option<Interval>,
    /// Rows that one prediction looks at
    #[arg(long, value_name = "ROWS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    window: u32,
    /// What divides its logits to calibrate them
    #[arg(long, value_name = "T", default_value_t = 1.0)]
    temperature: f64,
    /// What kind of model it is, for the card
    #[arg(long, value_name = "NAME", default_value = "foreign")]
    family: String,
    /// The model to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// Samples that a graph is tried on.
const TRIALS: usize = 64;

/// How far three numbers may be from 1 in sum to be probabilities.
const SUM_TOLERANCE: f32 = 1e-3;

/// Names of features.
#[derive(Clone, Debug)]
struct Names(Vec<String>);

/// Gives a model of others the card it needs to run here.
///
/// # Errors
///
/// `Usage` for a graph that does not end in logits or shares of three, or does not run; `Data` for a file that is too
/// large, `Failed` where none can be written.
pub fn run(args: &ImportArgs) -> Result<()> {
    let bytes = read(&args.model).map_err(|error| error.at(args.model.display()))?;
    let (file, card) = imported(args, &bytes).map_err(|error| error.at(args.model.display()))?;
    write::atomically(&args.out, &file, |written| {
        let model = Model::parse(written)?;
        // What does not give three shares of 1 was caught before: this is the file as it will be read.
        model.probabilities(&samples(TRIALS, model.values())).map(drop)
    })?;
    write::whole(&args.out.with_extension("md"), &card.to_markdown())?;
    let ends = match card.output {
        Output::Logits => "logits",
        Output::Probabilities => "probabilities",
    };
    note(format!(
        "{}: {} features to {ends}; judge it with mes-predict eval",
        args.out.display(),
        card.features.len()
    ));
    Ok(())
}

/// Checks a file and returns it with a card.
fn imported(args: &ImportArgs, bytes: &[u8]) -> Result<(Vec<u8>, Card)> {
    let proto = Plan::decode(bytes)?;
    if proto.metadata_props.iter().any(|pair| pair.key == format!("{}v", card::PREFIX)) {
        return Err(Error::usage("it has a card already: mes-predict --model takes it as it is"));
    }
    if !(args.temperature > 0.0 && args.temperature.is_finite()) {
        return Err(Error::usage(format!("--temperature {}: not above 0", args.temperature)));
    }
    let Names(features) = args.features.clone();
    declared(&proto, args.window as usize, features.len())?;
    let settings = json!({ "onnx": mes_pipe::hash(bytes), "temperature": args.temperature });
    let mut card = Card {
        v: card::VERSION,
        family: args.family.clone(),
        features_hash: Some(card::features_hash(&features)),
        features,
        window: args.window as usize,
        output: Output::Logits,
        label: args.label.clone(),
        interval: args.interval.map(|interval| interval.to_string()),
        span: args.fitted,
        rows: Rows { train: 0, validation: 0, calibration: 0, test: 0 },
        seed: 0,
        calibration: Calibration::Temperature { t: args.temperature },
        conformal: None,
        members: Vec::new(),
        mean_move_ticks: args.mean_move,
        prior: args.prior,
        scores: Report::default(),
        hashes: Hashes { config: mes_pipe::hash(settings.to_string().as_bytes()), ..Hashes::default() },
        lineage: Value::Array(vec![json!({ "tool": "mes-predict import", "settings": settings })]),
    };
    let model = Model::parse(&encode(proto.clone(), &card)?)?;
    card.output = output(&model)?;
    Ok((encode(proto, &card)?, card))
}

/// Errors where the sizes that a file gives its input are not those asked for. Many graphs run on other sizes than they
/// were made for, and what comes of it means nothing.
fn declared(proto: &ModelProto, window: usize, features: usize) -> Result<()> {
    let graph = proto.graph.as_ref().ok_or_else(|| Error::usage("an ONNX file without a graph"))?;
    // Old exporters list constants among the inputs.
    let mut inputs =
        graph.input.iter().filter(|input| graph.initializer.iter().all(|one| one.name != input.name));
    let kind = inputs.next().and_then(|input| input.r#type.as_ref()?.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = kind else { return Ok(()) };
    // The first is how many samples there are, which is ours to choose.
    let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim).get(1..).unwrap_or_default();
    let fixed = |dim: &Dimension| match dim.value {
        Some(DimValue(size)) => usize::try_from(size).ok().filter(|size| *size > 0),
        _ => None,
    };
    let wanted: &[usize] = if window == 1 { &[features] } else { &[window, features] };
    let other = |(dim, wanted): (&Dimension, &usize)| fixed(dim).is_some_and(|size| size != *wanted);
    if dims.is_empty() || dims.len() == wanted.len() && !dims.iter().zip(wanted).any(other) {
        return Ok(());
    }
    let said: Vec<String> =
        dims.iter().map(|dim| fixed(dim).map_or("any".into(), |size| size.to_string())).collect();
    let rows = if window == 1 { String::new() } else { format!("--window {window} and ") };
    Err(Error::usage(format!(
        "its input is [batch, {}], which does not fit {rows}{features} features",
        said.join(", ")
    )))
}

/// Tells by trying whether a graph ends at logits or at probabilities; an error when it gives the same for all.
fn output(model: &Model) -> Result<Output> {
    let found = model.plan.logits(&samples(TRIALS, model.values()))?;
    if found.windows(2).all(|two| two[0] == two[1]) {
        return Err(Error::usage("the graph gives the same for all rows: its input is not its features"));
    }
    let shares = found.iter().all(|three| {
        three.iter().all(|one| (0.0..=1.0).contains(one))
            && (three.iter().sum::<f32>() - 1.0).abs() < SUM_TOLERANCE
    });
    Ok(if shares { Output::Probabilities } else { Output::Logits })
}

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Names, String> {
        let read = match text.strip_prefix('@') {
            Some(path) => limits::settings_text(Path::new(path)).map_err(|error| error.to_string())?,
            None => text.to_owned(),
        };
        let names = read.split(|letter: char| letter == ',' || letter.is_whitespace());
        let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if let Some(name) = names.iter().find(|name| !name.starts_with("f_")) {
            return Err(format!("{name:?} is no feature: their names begin with f_ (mes-features list)"));
        }
        match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            Some((_, twice)) => Err(format!("{twice} is named twice")),
            None if names.is_empty() => Err("no names".into()),
            None => Ok(Names(names)),
        }
    }
}

fn label(text: &str) -> std::result::Result<Label, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let [kind @ "horizon", horizon, threshold] = parts[..] else {
        return Err("give it as horizon:30s:3 (kind, how far ahead, more ticks than this are a move)".into());
    };
    let horizon: Interval = horizon.parse().map_err(|error: mes_core::Error| error.to_string())?;
    let threshold_ticks = card::ticks(threshold)?;
    Ok(Label { kind: kind.into(), horizon: horizon.to_string(), threshold_ticks })
}

fn span(text: &str) -> std::result::Result<Span, String> {
    let (first, last) = text.split_once(',').ok_or("give two instants: FROM,TO")?;
    let instant = |text: &str| -> std::result::Result<Ts, String> {
        time::parse(text.trim()).map_err(|error| error.to_string())
    };
    let span = Span { first: instant(first)?, last: instant(last)? };
    if span.first <= span.last { Ok(span) } else { Err("the end lies before the beginning".into()) }
}

fn three(text: &str) -> std::result::Result<[f64; 3], String> {
    let number = |one: &str| one.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let numbers: Option<Vec<f64>> = text.split(',').map(number).collect();
    numbers
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| "give three numbers: down,flat,up".into())
}
