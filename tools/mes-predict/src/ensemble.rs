//! `mes-predict ensemble`: several models as one file, whose probabilities are the mean of theirs.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use mes_pipe::{Error, Result, log::note, write};
use serde_json::json;

use crate::{
    model::{
        Model,
        card::{self, Calibration, Card, Hashes, Member, Output, Rows, Span},
        encode, join,
        plan::Plan,
        read,
    },
    samples::samples,
    scores::Report,
};

/// Make one model of several: its probabilities are the mean of their calibrated ones
///
/// The members must be of one label rule and one length of row; their features are united by name. The new file stands
/// alone, and its card names the members' hashes. Its scores are those of nobody yet: mes-predict eval judges it.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  mes-predict ensemble models/boosted.onnx models/net.onnx --out models/both.onnx
  mes-predict eval --model models/both.onnx --skip-in-sample data/features.parquet

Exit codes: 0 done, 1 failed, 2 members that do not fit together.")]
pub struct EnsembleArgs {
    /// The members, two or more
    #[arg(value_name = "MODEL", required = true, num_args = 2..)]
    members: Vec<PathBuf>,
    /// The model to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// How far the joint file's probabilities may lie from the members' mean.
const TOLERANCE: f64 = 1e-6;

/// Writes one model that is the mean of others.
///
/// # Errors
///
/// `Usage` for members that do not fit each other, `Data` for one that is too large or newer, `Failed` where the written model does not give their mean, or cannot be
/// written.
pub fn run(args: &EnsembleArgs) -> Result<()> {
    let mut bytes = Vec::new();
    let mut members = Vec::new();
    for path in &args.members {
        let file = read(path).map_err(|error| error.at(path.display()))?;
        members.push(Model::parse(&file).map_err(|error| error.at(path.display()))?);
        bytes.push(file);
    }
    let card = joint_card(&members, &args.members)?;
    if members.iter().any(|member| member.card.conformal.is_some()) {
        note("conformal sets of members are left out: they are of a member's probabilities, not of the mean");
    }
    let parts = bytes.iter().zip(&members).map(|(bytes, member)| {
        let own = &member.card;
        let place = |name: &String| card.features.iter().position(|other| other == name);
        let places = own.features.iter().filter_map(place).collect();
        Ok(join::Part { proto: Plan::decode(bytes)?, places, window: own.window })
    });
    let proto = join::join(parts.collect::<Result<_>>()?, card.features.len())?;
    let file = encode(proto, &card)?;
    write::atomically(&args.out, &file, |written| agrees(&Model::parse(written)?, &members))?;
    write::whole(&args.out.with_extension("md"), &card.to_markdown())?;
    let (count, features) = (members.len(), card.features.len());
    note(format!(
        "{}: {count} members, {features} features; judge it with mes-predict eval",
        args.out.display()
    ));
    Ok(())
}

/// Says what the members have in common; an error where they do not fit together.
fn joint_card(members: &[Model], paths: &[PathBuf]) -> Result<Card> {
    let (first, others) = members.split_first().ok_or_else(|| Error::usage("an ensemble without members"))?;
    for (other, path) in others.iter().zip(&paths[1..]) {
        alike(&first.card, &other.card).map_err(|error| error.at(path.display()))?;
    }
    if let Some(nested) = members.iter().position(|member| !member.card.members.is_empty()) {
        let path = paths[nested].display();
        return Err(Error::usage(format!("{path}: an ensemble already: name its members instead")));
    }
    let cards = || members.iter().map(|member| &member.card);
    let mut features: Vec<String> = Vec::new();
    for name in cards().flat_map(|card| &card.features) {
        if !features.contains(name) {
            features.push(name.clone());
        }
    }
    let count = members.len() as f64;
    let mean = |of: &dyn Fn(&Card) -> [f64; 3]| {
        std::array::from_fn(|class| cards().map(|card| of(card)[class]).sum::<f64>() / count)
    };
    let priors = cards().all(|card| card.prior.is_some());
    let hashes: Vec<&str> = members.iter().map(|member| member.hash.as_str()).collect();
    let joint = |of: &dyn Fn(&Card) -> &str| {
        mes_pipe::hash(cards().map(of).collect::<Vec<_>>().join("\n").as_bytes())
    };
    let settings = json!({ "members": hashes });
    Ok(Card {
        v: card::VERSION,
        family: "ensemble".into(),
        features_hash: Some(card::features_hash(&features)),
        features,
        window: cards().map(|card| card.window).max().unwrap_or(1),
        output: Output::Logits,
        label: first.card.label.clone(),
        interval: first.card.interval.clone(),
        span: Span {
            first: cards().map(|card| card.span.first).min().unwrap_or_default(),
            last: cards().map(|card| card.span.last).max().unwrap_or_default(),
        },
        rows: Rows { train: 0, validation: 0, calibration: 0, test: 0 },
        seed: 0,
        calibration: Calibration::Temperature { t: 1.0 },
        conformal: None,
        members: members.iter().map(member).collect(),
        mean_move_ticks: mean(&|card| card.mean_move_ticks),
        prior: priors.then(|| mean(&|card| card.prior.unwrap_or_default())),
        scores: Report::default(),
        hashes: Hashes {
            data: joint(&|card| &card.hashes.data),
            config: mes_pipe::hash(settings.to_string().as_bytes()),
            code: card::code_hash(&[env!("MES_CODE")]),
        },
        lineage: json!([{ "tool": "mes-predict ensemble", "settings": settings }]),
    })
}

fn member(model: &Model) -> Member {
    let Card { family, output, calibration, .. } = &model.card;
    Member {
        family: family.clone(),
        blake3: model.hash.clone(),
        output: *output,
        calibration: calibration.clone(),
    }
}

/// Errors unless two models say the same thing of the same rows.
fn alike(one: &Card, other: &Card) -> Result<()> {
    if one.label != other.label {
        let (one, other) = (one.label.words(), other.label.words());
        return Err(Error::usage(format!(
            "labelled by {other}, the first member by {one}: train them alike"
        )));
    }
    if one.interval != other.interval {
        let [one, other] = [one, other].map(|card| card.interval.as_deref().unwrap_or("unknown length"));
        return Err(Error::usage(format!("trained on rows of {other}, the first member on rows of {one}")));
    }
    Ok(())
}

/// Compares the joint file with the mean of its members on made-up samples.
fn agrees(joint: &Model, members: &[Model]) -> Result<()> {
    const SAMPLES: usize = 40;
    let (width, window) = (joint.card.features.len(), joint.card.window);
    let samples = samples(SAMPLES, joint.values());
    let found = joint.probabilities(&samples)?;
    let mut wanted = vec![[0.0; 3]; SAMPLES];
    for member in members {
        let own = &member.card;
        let places: Vec<usize> = own
            .features
            .iter()
            .filter_map(|name| joint.card.features.iter().position(|other| other == name))
            .collect();
        let rows = samples.chunks(width * window).flat_map(|sample| {
            sample
                .chunks(width)
                .skip(window - own.window)
                .flat_map(|row| places.iter().map(|&place| row[place]))
        });
        for (sum, p) in wanted.iter_mut().zip(member.probabilities(&rows.collect::<Vec<_>>())?) {
            sum.iter_mut().zip(p).for_each(|(sum, p)| *sum += p / members.len() as f64);
        }
    }
    let far = |found: &[f64; 3], wanted: &[f64; 3]| (0..3).any(|k| (found[k] - wanted[k]).abs() > TOLERANCE);
    match found.iter().zip(&wanted).find(|(found, wanted)| far(found, wanted)) {
        None => Ok(()),
        Some((found, wanted)) => Err(Error::failed(format!(
            "not written: the joint graph gives {found:?}, its members {wanted:?}"
        ))),
    }
}
