//! Bars in, the same rows with features, and labels, out.

mod describe;
pub mod engine;
pub mod indicators;
pub mod labels;
mod lanes;
pub mod row;
pub mod set;
mod stream;

use arrow_schema::{DataType, Field};
use clap::{Parser, Subcommand, ValueEnum};
use mes_core::{bar, interval::Interval, time::SECOND};
use mes_pipe::{
    Ahead, CalendarArgs, Error, Input, InputArgs, Kind, Output, OutputArgs, Result, answer::print,
    columns::extend, log,
};
use serde_json::{Value, json};

use engine::{CheckedRows, Engine};
use labels::{
    Labeller,
    barrier::{Barrier, Barriers},
    horizon::Horizon,
};
use lanes::{Lane, Lanes};
use set::{Named, Set};
use stream::{Held, LabelColumns, Writer};

/// Add features, and for training labels, to bars.
///
/// Reads bars (ts open high low close volume seg symbol, and what else they carry) and writes every row with columns
/// f_* to its right: 32-bit numbers in [-1, 1] or [0, 1], empty until warm. Nothing is computed across a change of seg,
/// and no feature knows a later row. Features of the sides of volume and of quotes are there only where the bars carry
/// those columns, and features known later than --warm-within after the open only when asked for. With --labels columns
/// y_* follow; a row is then written as soon as its label is known. y_dir and y_barrier count classes from 0: 0 down, 1
/// flat, 2 up. A prediction's p_dir has a sign instead: -1, 0, 1.
///
/// `mes-features list` prints every feature with its formula, range and warm-up, and which are not made by default.
#[derive(Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  mes-bars ticks.csv.gz | mes-features | mes-predict
  mes-features --labels --horizon 30s --without quotes,ofi bars.parquet --to parquet > train.parquet

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    input: InputArgs,
    /// The set to choose from
    #[arg(long, value_enum, value_name = "NAME", default_value_t)]
    set: Named,
    /// Only these features or groups of features
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    only: Vec<String>,
    /// All but these features or groups
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    without: Vec<String>,
    /// Only what is surely known within this time after a segment's first row [default: 300s, or 61 rows where that is
    /// longer; no limit with --only]
    ///
    /// A model that needs a feature can predict nothing until it is known: what takes half an hour to be known costs the
    /// half hour after the open. A model made with it needs it given again: --warm-within 24h makes all.
    #[arg(long, value_name = "TIME")]
    warm_within: Option<Interval>,
    /// Add labels: where the price stands after --horizon (y_dir, y_move), or whether an entry meets --target or
    /// --stop first (y_barrier)
    #[arg(long, value_enum, value_name = "RULE", num_args = 0..=1, require_equals = true,
          default_missing_value = "horizon")]
    labels: Option<Rule>,
    /// How far ahead the horizon label looks
    #[arg(long, value_name = "TIME", default_value = "30s")]
    horizon: Interval,
    /// Ticks that a move must exceed to be down or up
    #[arg(long, value_name = "TICKS", default_value_t = 3, value_parser = clap::value_parser!(u16).range(0..=400))]
    threshold: u16,
    /// Stop of the barrier label
    #[arg(long, value_name = "TICKS", default_value_t = 8, value_parser = clap::value_parser!(i64).range(1..=400))]
    stop: i64,
    /// Target of the barrier label
    #[arg(long, value_name = "TICKS", default_value_t = 12, value_parser = clap::value_parser!(i64).range(1..=400))]
    target: i64,
    /// How long the barrier label holds a position
    #[arg(long, value_name = "TIME", default_value = "5m")]
    timeout: Interval,
    /// Slippage of the barrier label's entry
    #[arg(long, value_name = "TICKS", default_value_t = 1, value_parser = clap::value_parser!(i64).range(0..=40))]
    slippage: i64,
    /// Threads that compute; all cores without it. The bytes are the same with any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: Option<u16>,
    #[command(flatten)]
    calendar: CalendarArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Print every feature with its group, range, warm-up and formula
    #[command(after_help = "Example: mes-features list --json | jq -r .name")]
    List {
        /// As JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Print what the features of a table are like: nulls, range, correlation, class balance, importance
    #[command(after_help = "Example: mes-features --labels bars.parquet | mes-features describe")]
    Describe(describe::Args),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rule {
    Horizon,
    Barrier,
}

/// More are kept waiting by the one that writes.
const MOST_THREADS: usize = 8;

/// Lists the features, or adds them to a stream.
///
/// # Errors
///
/// `Usage` for flags or names that do not fit the rows, `Data` for rows that cannot be, `Failed` where nothing can be read
/// or written, `Stopped` by a person.
pub fn main(args: Args) -> Result<()> {
    match args.command {
        Some(Command::List { json }) => list(json),
        Some(Command::Describe(args)) => describe::describe(&args),
        None => add(&args),
    }
}

fn list(json: bool) -> Result<()> {
    let lines = || set::list_json().into_iter().map(|feature| format!("{feature}\n")).collect();
    print(if json { lines() } else { set::list() })
}

fn add(args: &Args) -> Result<()> {
    let calendar = args.calendar.read()?;
    let mut input = Input::open(&args.input, &[Kind::Bar])?;
    let interval = input.interval()?;
    let input = Ahead::of(input)?;
    let names = input.schema().fields().iter().map(|field| field.name().as_str());
    let columns: bar::Columns = names.collect();
    let set = chosen(args, interval, columns)?;
    if set.is_empty() && args.labels.is_none() {
        log::note("no feature is left: rows pass as they are");
    }
    let mut settings = json!({ "set": set.hash(), "calendar": calendar.blake3 });
    for (key, names) in [("only", &args.only), ("without", &args.without)] {
        if !names.is_empty() {
            settings[key] = json!(names);
        }
    }
    if args.set == Named::Live {
        settings["named"] = json!("live");
    }
    if let Some(limit) = args.warm_within {
        settings["warm_within"] = json!(limit.to_string());
    }
    let schema = extend(input.schema(), stream::feature_fields(&set))?;
    let mut held = None;
    if let Some(rule) = args.labels {
        let Labels { fields, columns, setting, .. } = labels(args, rule, interval)?;
        settings["labels"] = setting;
        held = Some(Held::new(columns, extend(&schema, fields)?));
    }
    let lane = || {
        let labels = args.labels.map(|rule| labels(args, rule, interval)).transpose()?;
        Ok(Lane {
            rows: CheckedRows::new(interval, calendar.value.clone()),
            engine: Engine::new(&set, interval),
            labeller: labels.map(|labels| labels.labeller),
            taken: Vec::new(),
        })
    };
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS));
    let threads = args.threads.map_or_else(cores, usize::from);
    let lanes = Lanes::start((0..threads).map(|_| lane()).collect::<Result<_>>()?)?;
    let meta = input.meta().stage("mes-features", Kind::Feature, settings);
    let written = held.as_ref().map_or(&schema, Held::schema).clone();
    let output = Output::create(&args.output, written, &meta)?;
    stream::run(input, lanes, Writer { schema, output, held })
}

/// Chooses the features that bars of these columns get.
fn chosen(args: &Args, interval: Interval, columns: bar::Columns) -> Result<Set> {
    let set = Set::choose(interval, columns, &args.only, &args.without)?.within(args.set);
    // Whoever names features wants them, however late they are known.
    let limited = args.only.is_empty() || args.warm_within.is_some();
    Ok(if limited { set.warm_within(interval, args.warm_within) } else { set })
}

/// A label rule, its columns, and how the lineage says it.
struct Labels {
    labeller: Box<dyn Labeller + Send>,
    fields: Vec<Field>,
    columns: LabelColumns,
    setting: Value,
}

fn labels(args: &Args, rule: Rule, interval: Interval) -> Result<Labels> {
    let class = |name: &str| Field::new(name, DataType::Int8, true);
    Ok(match rule {
        Rule::Horizon => {
            let nanos = args.horizon.nanos();
            if nanos % interval.nanos() != 0 {
                return Err(Error::usage(format!(
                    "--horizon {}: not a whole number of rows of {interval}",
                    args.horizon
                )));
            }
            Labels {
                labeller: Box::new(Horizon::new(nanos, f64::from(args.threshold))),
                fields: vec![class("y_dir"), Field::new("y_move", DataType::Float32, true)],
                columns: stream::dir_and_move,
                setting: json!({
                    "kind": "horizon",
                    "horizon": args.horizon.to_string(),
                    "threshold_ticks": args.threshold,
                }),
            }
        }
        Rule::Barrier => {
            let barriers = Barriers {
                stop_ticks: args.stop,
                target_ticks: args.target,
                timeout_ns: args.timeout.nanos(),
                slippage_ticks: args.slippage,
            };
            Labels {
                labeller: Box::new(Barrier::new(barriers)),
                fields: vec![class("y_barrier")],
                columns: stream::barrier,
                setting: json!({
                    "kind": "barrier",
                    "stop_ticks": args.stop,
                    "target_ticks": args.target,
                    "timeout_s": args.timeout.nanos() / SECOND,
                    "slippage_ticks": args.slippage,
                }),
            }
        }
    })
}
