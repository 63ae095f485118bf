//! `verify`: takes the chain that a report prints, runs it again, and compares what comes out.

mod chain;
mod files;
mod typed;

use std::{
    fs::File,
    io::{IsTerminal, Read, stderr, stdin},
    path::{Path, PathBuf},
};

use clap::Args;
use mes_pipe::{AnswerArgs, Error, Result, log};
use serde::Serialize;
use serde_json::Value;

use chain::Plan;
use files::Files;

use mes_judge::{made, words};

/// A report with its summary and pictures is far shorter.
const MOST_BYTES: u64 = 64 << 20;

/// Run the chain of a report again and compare
///
/// Reads a report.html, a summary.json or the directory that holds them, looks for the inputs, models and settings by
/// their hashes, runs the same tools with the same settings, and compares every figure and the chain itself. A chain
/// that began in a pipe cannot be run again, and neither can one whose files are gone: both are said, with exit code 1.
///
/// Nothing of a report is run: commands are made anew from settings that the tools know, in a temporary folder that is all
/// they write into. A report that was not made here, by this person's tools, says first what would be read.
#[derive(Args)]
#[command(after_help = "Examples:
  mes-bt verify runs/backtest/report.html
  mes-bt verify runs/2026-11 --search /archive/mes
  mes-bt verify --yes from-a-friend/report.html")]
pub struct VerifyArgs {
    /// A report, a summary, or what mes-bt --out wrote
    #[arg(value_name = "REPORT|DIR")]
    report: PathBuf,
    /// Where to look for what the chain names, besides ., data and models; may be repeated
    #[arg(long, value_name = "DIR")]
    search: Vec<PathBuf>,
    /// Begin at the first link, not at the last file that is there
    #[arg(long)]
    deep: bool,
    /// Read the files that a report names which was not made here, without being asked
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// What a rerun showed.
#[derive(Serialize)]
struct Verified {
    kind: &'static str,
    command: String,
    figures: usize,
    differences: Vec<Difference>,
}

#[derive(Serialize)]
struct Difference {
    figure: String,
    reported: Value,
    rerun: Value,
}

/// Finds, runs, compares.
///
/// # Errors
///
/// `Failed` where what comes out differs or the chain cannot be run again, `Usage` where the report is not there or
/// nobody can be asked, `Data` where it is none, `Stopped` where a person does not agree.
pub fn run(args: &VerifyArgs) -> Result<()> {
    let mut reported = read(&args.report)?;
    let files = Files::search(&args.search)?;
    let plan = Plan::of(&reported, &files, args.deep)?;
    if !args.yes && !made::is_here(&folder(&args.report), &reported) {
        ask(&plan)?;
    }
    log::note(format!("running {}", plan.text()));
    let own = tempfile::tempdir()?;
    let mut rerun = plan.run(own.path())?;
    // What was a file between two links is a pipe now.
    for summary in [&mut reported, &mut rerun] {
        let links = summary["lineage"].as_array_mut().into_iter().flatten();
        links.skip(plan.first + 1).filter_map(Value::as_object_mut).for_each(|link| {
            link.remove("input");
        });
    }
    let mut verified = Verified { kind: "verify", command: plan.text(), figures: 0, differences: Vec::new() };
    compare("", &reported, &rerun, &mut verified);
    args.answer.give(&verified, || verified.text())?;
    match verified.differences.first() {
        None => Ok(()),
        Some(first) => Err(Error::failed(format!(
            "{} of {} figures differ, {} first: {} reported, {} now",
            verified.differences.len(),
            verified.figures,
            first.figure,
            first.reported,
            first.rerun
        ))),
    }
}

impl Verified {
    fn text(&self) -> String {
        if self.differences.is_empty() {
            return format!("all {} figures and the chain are the same\n", self.figures);
        }
        let line = |Difference { figure, reported, rerun }: &Difference| {
            format!("{figure:<40} {reported} reported, {rerun} now\n")
        };
        self.differences.iter().map(line).collect()
    }
}

/// Returns the directory of whatever was named.
fn folder(report: &Path) -> PathBuf {
    if report.is_dir() { report.to_owned() } else { report.parent().unwrap_or(Path::new("")).to_owned() }
}

/// Shows what a report that was not made here would have read, and asks.
fn ask(plan: &Plan) -> Result<()> {
    let files: Vec<String> = plan.reads.iter().map(|path| path.display().to_string()).collect();
    let would = match files.len() {
        0 => "it would read no file".to_owned(),
        count => format!("it would read {}: {}", words::count(count as u64, "file"), files.join(", ")),
    };
    if !(stdin().is_terminal() && stderr().is_terminal()) {
        let text = format!("this report was not made here, or was changed: {would}; --yes runs it");
        return Err(Error::usage(text));
    }
    log::error(format!("this report was not made here, or was changed: {would}"));
    log::error(format!("it would run {}", plan.text()));
    log::error("type yes to go on");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Error::stopped("not run")) }
}

/// Reads the summary out of whatever was named.
fn read(path: &Path) -> Result<Value> {
    let path = if path.is_dir() { path.join("summary.json") } else { path.to_owned() };
    let mut text = String::new();
    let file = File::open(&path).map_err(|error| Error::unread(&path, &error))?;
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| Error::unread(&path, &error))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(
            Error::data(format!("is longer than {MOST_BYTES} bytes: no report is")).at(path.display())
        );
    }
    let wrong = |what: String| Error::data(what).at(path.display());
    let json = match text.split_once(mes_judge::report::SUMMARY) {
        Some((_, rest)) => rest.split("</script>").next().unwrap_or_default(),
        None => text.as_str(),
    };
    let summary: Value =
        serde_json::from_str(json).map_err(|error| wrong(format!("holds no summary: {error}")))?;
    if summary["kind"] != "summary" || !summary["lineage"].is_array() {
        return Err(wrong("is no summary of mes-bt".into()));
    }
    Ok(summary)
}

/// Compares every value of two summaries, in the order of the reported one.
fn compare(name: &str, reported: &Value, rerun: &Value, verified: &mut Verified) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match (reported, rerun) {
        (Value::Object(one), Value::Object(other)) => {
            let more = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(more) {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                compare(&below(key), &of(one), &of(other), verified);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&below(&index.to_string()), one, other, verified);
            }
        }
        _ => {
            verified.figures += 1;
            let same = match (reported.as_f64(), rerun.as_f64()) {
                (Some(one), Some(other)) => one == other,
                _ => reported == rerun,
            };
            if !same {
                let (reported, rerun) = (reported.clone(), rerun.clone());
                // A key is a stranger's word too.
                let name: String = name.chars().flat_map(char::escape_debug).collect();
                verified.differences.push(Difference { figure: name, reported, rerun });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_figure_is_compared_and_every_difference_named() {
        let mut verified =
            Verified { kind: "verify", command: String::new(), figures: 0, differences: Vec::new() };
        let one = json!({"a": {"b": 1.5, "c": [1, 2]}, "gone": 3, "same": null});
        let other = json!({"a": {"b": 1.25, "c": [1, 3]}, "new": "x", "same": null});
        compare("", &one, &other, &mut verified);
        let named: Vec<&str> = verified.differences.iter().map(|differs| differs.figure.as_str()).collect();
        assert_eq!((named, verified.figures), (vec!["a.b", "a.c.1", "gone", "new"], 6));
    }
}
