//! `validate`: may this trade real money? The go-live list, each line with its evidence.

mod drill;
mod given;
mod items;
mod paper;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;
use mes_core::rules::Rules;
use mes_pipe::{AnswerArgs, Error, Result, SettingsArgs, beside, limits, log};
use serde::Serialize;
use serde_json::{Value, json};

use drill::Drill;
use given::Given;
use items::{Finding, ITEMS};
use mes_judge::words;
use paper::Paper;

/// Go through the go-live list; exit code 1 unless every line is met
///
/// Each line stands with its evidence: the walk-forward, an evaluation of the model, a backtest, the journals of paper
/// trading, and what is tried on the spot: a drill in which every trade loses, the model's latency, the lookahead
/// proof. What there is no evidence of is not met, and neither is evidence that cannot be read. Synthetic or losing data
/// is never ready.
#[derive(Args)]
#[command(after_help = "Examples:
  mes-bt validate --walk-forward runs/walk --eval eval.json \\
      --backtest runs/backtest --model models/default.onnx
  mes-bt validate --paper runs --rules mes-1k-topstep")]
pub struct ValidateArgs {
    /// What mes-lab walk-forward --out wrote
    #[arg(long, value_name = "DIR")]
    walk_forward: Option<PathBuf>,
    /// What mes-predict eval printed as JSON
    #[arg(long, value_name = "FILE")]
    eval: Option<PathBuf>,
    /// What mes-bt --out wrote
    #[arg(long, value_name = "DIR")]
    backtest: Option<PathBuf>,
    /// The model that is to trade
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Where the journals of paper trading are
    #[arg(long, value_name = "DIR")]
    paper: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// All that the list is judged by.
pub struct Evidence {
    rules: Rules,
    /// What is to trade: rules, costs, calendar and, where it is known, model, each with its hash.
    hashes: Vec<(&'static str, String)>,
    walk: Given<Value>,
    eval: Given<Value>,
    backtest: Given<Value>,
    paper: Given<Paper>,
    drill: Drill,
    /// The 99th percentile of a live row, microseconds.
    inference_us: Given<f64>,
    /// What was checked, and what it failed by.
    lookahead: Given<(String, Option<String>)>,
    tested: Option<bool>,
}

#[derive(Serialize)]
struct Line {
    item: &'static str,
    verdict: &'static str,
    evidence: String,
}

/// Gathers the evidence, judges, tells.
///
/// # Errors
///
/// `Failed` where a line is open, `Usage` or `Data` where what is named cannot be read.
pub fn run(args: &ValidateArgs) -> Result<()> {
    let evidence = Evidence::gather(args)?;
    let lines: Vec<Line> = ITEMS
        .iter()
        .map(|(item, judge)| {
            let (verdict, evidence) = match judge(&evidence) {
                Finding::Met(text) => ("met", text),
                Finding::NotMet(text) => ("not met", text),
                Finding::NotShown(text) => ("not shown", text),
            };
            Line { item, verdict, evidence }
        })
        .collect();
    let open = lines.iter().filter(|line| line.verdict != "met").count();
    let words = |Line { item, verdict, evidence }: &Line| format!("  {verdict:<10} {item:<30} {evidence}\n");
    let all = json!({ "kind": "validate", "ready": open == 0, "lines": lines });
    args.answer.give(&all, || lines.iter().map(words).collect())?;
    if open == 0 {
        return Ok(());
    }
    let lines = words::count(lines.len() as u64, "line");
    Err(Error::failed(format!("NOT READY: {open} of {lines} are not met")))
}

impl Evidence {
    fn gather(args: &ValidateArgs) -> Result<Evidence> {
        let settings = args.settings.read()?;
        let mut hashes = vec![
            ("rules", settings.rules.blake3.clone()),
            ("costs", settings.costs.blake3.clone()),
            ("calendar", settings.calendar.blake3.clone()),
        ];
        let model = Given::of(args.model.as_deref(), |path| {
            let file = fs::File::open(path).and_then(mes_pipe::hash_of);
            hashes.push(("model", file.map_err(|error| Error::unread(path, &error))?));
            Ok(path)
        });
        log::note("a drill with these rules, in process");
        Ok(Evidence {
            drill: Drill::run(&settings)?,
            rules: settings.rules.value,
            walk: Given::of(args.walk_forward.as_ref(), |folder| read(&folder.join("walk-forward.json"))),
            eval: Given::of(args.eval.as_deref(), read),
            backtest: Given::of(args.backtest.as_ref(), |folder| read(&folder.join("summary.json"))),
            paper: Given::of(args.paper.as_deref(), |folder| Paper::read(folder, &hashes)),
            hashes,
            inference_us: model.and(|path| inference(path)),
            lookahead: model.and(|path| lookahead(path)),
            tested: tested(),
        })
    }

    /// Returns what was given of what other tools wrote.
    fn documents(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let all = [("walk-forward", &self.walk), ("evaluation", &self.eval), ("backtest", &self.backtest)];
        all.into_iter().filter_map(|(name, document)| Some((name, document.value()?)))
    }
}

fn read(path: &Path) -> Result<Value> {
    let text = limits::settings_text(path)?;
    serde_json::from_str(&text).map_err(|error| Error::data(error).at(path.display()))
}

/// Measures a live row of the model.
fn inference(model: &Path) -> Result<f64> {
    log::note("the latency of the model: mes-predict bench");
    let output = Command::new(beside("mes-predict"))
        .args(["bench", "--json"])
        .arg(model)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Error::from(error).at("mes-predict"))?;
    let speed: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    speed["live"]["p99_us"].as_f64().ok_or_else(|| Error::failed("mes-predict bench gave no latency"))
}

/// Runs the lookahead proof on the stages that the model needs.
fn lookahead(model: &Path) -> Result<(String, Option<String>)> {
    // The made-up rows may lie within the span that the model was fitted on; that matters to its scores, not to this.
    let stage = format!("mes-features -q | mes-predict -q --allow-in-sample --model {}", model.display());
    log::note("the lookahead proof: mes-check stage");
    let output = Command::new(beside("mes-check"))
        .args(["stage", "--as", "arrow", "--", "sh", "-c", &stage])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::from(error).at("mes-check"))?;
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Ok((stage, (!output.status.success()).then_some(why)))
}

/// Says whether the tests passed after this tool was built; `make test` leaves a mark beside it.
fn tested() -> Option<bool> {
    let built = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let own = std::env::current_exe().ok()?;
    let mark = own.parent()?.join("tested");
    Some(built(&mark)? >= built(&own)?)
}
