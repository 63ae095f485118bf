//! `diff`: two journals of the same rows, a live one and its backtest say. Where they part first, and what the fills of
//! one cost against those of the other.

mod journal;
mod slippage;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use mes_pipe::{AnswerArgs, Error, Result, log::note};
use serde::Serialize;
use serde_json::Value;

use journal::{Journal, Moment};
use mes_judge::words;
use slippage::{Hour, Pairs};

/// Compare two journals: where they part first, and how their fills differ
///
/// Reads the journals of mes-risk or mes-bt (JSON lines), row by row: what the row was (bars), what was predicted
/// (predictions), what the account said (fills), what risk decided (risk). The first of these that differs is the one
/// to look at; what comes after may only follow from it. Exit code 0 when they are the same, 1 when not.
#[derive(Args)]
#[command(after_help = "Examples:
  mes-bt diff runs/today/journal.jsonl backtest.jsonl
  mes-bt --journal - predictions.parquet | mes-bt diff runs/today/journal.jsonl -")]
pub struct DiffArgs {
    /// A journal
    #[arg(value_name = "JOURNAL")]
    one: PathBuf,
    /// Another one; - is stdin
    #[arg(value_name = "OTHER")]
    other: PathBuf,
    #[command(flatten)]
    answer: AnswerArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// What comparing showed.
#[derive(Debug, Default, Serialize)]
pub struct Compared {
    pub kind: &'static str,
    /// Keys of the first record that differ: rules, costs, the broker and the like.
    pub settings: Vec<Differs>,
    pub rows: u64,
    /// Rows that only one of them has.
    pub only_one: u64,
    pub only_other: u64,
    /// Rows that differ, by stage.
    pub differing_rows: BTreeMap<&'static str, u64>,
    pub first: Option<First>,
    /// Fills that both have; positive ticks were worse in the first journal.
    pub slippage: Vec<Hour>,
}

/// Where two journals part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct First {
    pub ts: String,
    pub stage: &'static str,
    pub what: Differs,
}

/// A setting that is not the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Differs {
    pub key: String,
    pub one: Value,
    pub other: Value,
}

/// What a row goes through, in its order.
const STAGES: [&str; 4] = ["bars", "predictions", "fills", "risk"];

/// Reads both, compares, tells.
///
/// # Errors
///
/// `Failed` where they differ, `Usage` where one is not there, `Data` where one is no journal.
pub fn run(args: &DiffArgs) -> Result<()> {
    let (mut one, mut other) = (Journal::open(&args.one)?, Journal::open(&args.other)?);
    let compared = compare(&mut one, &mut other)?;
    for (journal, path) in [(&one, &args.one), (&other, &args.other)] {
        journal.missing().iter().for_each(|missing| note(format!("{}: {}", path.display(), missing.words())));
    }
    args.answer.give(&compared, || compared.text())?;
    match compared.verdict() {
        None => Ok(()),
        Some(verdict) => Err(Error::failed(verdict)),
    }
}

/// Compares the journals of two files.
///
/// # Errors
///
/// `Usage` where one is not there, `Data` where one is no journal.
pub fn files(one: &Path, other: &Path) -> Result<Compared> {
    compare(&mut Journal::open(one)?, &mut Journal::open(other)?)
}

/// Compares two journals moment by moment; rows that one lacks are counted and passed over.
fn compare(one: &mut Journal, other: &mut Journal) -> Result<Compared> {
    let differing_rows = STAGES.map(|stage| (stage, 0)).into();
    let mut compared = Compared { kind: "diff", differing_rows, ..Compared::default() };
    each_key(&one.run, &other.run, &mut |differs| compared.settings.push(differs));
    let mut pairs = Pairs::default();
    let (mut left, mut right) = (one.next()?, other.next()?);
    loop {
        match (&left, &right) {
            (None, None) => break,
            (Some(mine), Some(theirs)) if mine.ts == theirs.ts => {
                compared.rows += u64::from(!mine.is_end());
                compared.moment(mine, theirs);
                pairs.take(mine, theirs);
                (left, right) = (one.next()?, other.next()?);
            }
            (Some(mine), theirs) if theirs.as_ref().is_none_or(|theirs| mine.ts < theirs.ts) => {
                compared.only_one += 1;
                compared.alone(mine, true);
                left = one.next()?;
            }
            (_, Some(theirs)) => {
                compared.only_other += 1;
                compared.alone(theirs, false);
                right = other.next()?;
            }
            (Some(_), None) => break,
        }
    }
    compared.slippage = pairs.hours();
    Ok(compared)
}

impl Compared {
    fn moment(&mut self, one: &Moment, other: &Moment) {
        for (stage, (mine, theirs)) in STAGES.iter().zip(one.parts.iter().zip(&other.parts)) {
            let mut first = None;
            each_key(mine, theirs, &mut |differs| first = first.take().or(Some(differs)));
            let Some(what) = first else { continue };
            *self.differing_rows.entry(stage).or_default() += 1;
            self.first.get_or_insert(First { ts: one.when(), stage, what });
        }
    }

    /// Notes a row that only one has.
    fn alone(&mut self, moment: &Moment, mine: bool) {
        let (here, gone) = (Value::Bool(true), Value::Null);
        let (one, other) = if mine { (here, gone) } else { (gone, here) };
        let what = Differs { key: "row".into(), one, other };
        self.first.get_or_insert(First { ts: moment.when(), stage: "bars", what });
    }

    /// Says in a line what differs, if anything.
    pub fn verdict(&self) -> Option<String> {
        if let Some(first) = &self.first {
            let Differs { key, one, other } = &first.what;
            return Some(format!(
                "they part at {} in {}: {key} {} here, {} there",
                first.ts,
                first.stage,
                shown(one),
                shown(other)
            ));
        }
        let names: Vec<&str> = self.settings.iter().map(|differs| differs.key.as_str()).collect();
        (!names.is_empty()).then(|| format!("the same rows by other settings: {}", names.join(", ")))
    }

    fn text(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::new();
        for Differs { key, one, other } in &self.settings {
            let _ = writeln!(out, "{key:<24} {} here, {} there", shown(one), shown(other));
        }
        let rows = words::count(self.rows, "row");
        let _ = writeln!(out, "{rows} of both; {} only here, {} only there", self.only_one, self.only_other);
        for stage in STAGES {
            let count = self.differing_rows.get(stage).copied().unwrap_or_default();
            let _ = writeln!(out, "  {stage:<14} differ in {}", words::count(count, "row"));
        }
        let _ = writeln!(out, "{}", self.verdict().unwrap_or_else(|| "nothing differs".into()));
        if !self.slippage.is_empty() {
            let _ = writeln!(out, "\n  New York   fills   ticks worse here");
            for hour in &self.slippage {
                let Hour { hour_new_york, fills, mean_ticks, worst_ticks } = hour;
                let _ = writeln!(
                    out,
                    "  {hour_new_york:>5}:00   {fills:>5}   {mean_ticks:+.2} on average, {worst_ticks:+} at worst"
                );
            }
        }
        out
    }
}

/// Writes a value short enough for a line.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        text
    } else {
        format!("{}…", text.chars().take(59).collect::<String>())
    }
}

/// Calls for every key whose values differ, with its path.
fn each_key(one: &Value, other: &Value, tell: &mut dyn FnMut(Differs)) {
    fn walk(path: &str, one: &Value, other: &Value, tell: &mut dyn FnMut(Differs)) {
        if let (Value::Object(mine), Value::Object(theirs)) = (one, other) {
            let more = theirs.keys().filter(|key| !mine.contains_key(*key));
            for key in mine.keys().chain(more) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                walk(&path, &of(mine), &of(theirs), tell);
            }
        } else if one != other {
            tell(Differs { key: path.to_owned(), one: one.clone(), other: other.clone() });
        }
    }
    walk("", one, other, tell);
}

#[cfg(test)]
mod tests {
    use mes_core::time;

    use super::*;

    /// Its first line is a run record of today.
    const GOLDEN: &str = include_str!("../../../../tests/golden/mes-bt/journal/out");

    fn rows(count: i64, with: impl Fn(i64) -> [String; 3]) -> String {
        let mut text = format!("{}\n", GOLDEN.lines().next().expect("a run record"));
        let state = |ts: &str, fills: &str| {
            let account =
                r#""seen":0,"position":0,"entry_price":null,"balance_cents":100000,"equity_cents":100000"#;
            format!(
                "{{\"kind\":\"statement\",\"ts\":\"{ts}\",{account},\"working\":[],\"fills\":[{fills}],\"refused\":[]}}\n"
            )
        };
        for second in 0..count {
            let ts = time::format(1_793_629_860_000_000_000 + second * time::SECOND);
            let [close, dir, fill] = with(second);
            let bar = format!(
                "\"open\":5000.0,\"high\":5001.0,\"low\":5000.0,\"close\":{close},\"volume\":1,\"seg\":0"
            );
            text += &format!("{{\"kind\":\"row\",\"ts\":\"{ts}\",{bar},\"p_dir\":{dir}}}\n");
            text += &state(&ts, &fill);
        }
        text + "{\"kind\":\"end\"}\n" + &state("2026-11-02T14:35:00Z", "")
    }

    const FILL: &str = r#"{"ts":"2026-11-02T14:31:00Z","order":1,"side":"buy","contracts":1,"price":5000.0,"commission_cents":42,"gross_cents":0,"exit":null}"#;

    fn plain(_: i64) -> [String; 3] {
        ["5000.0".into(), "0.0".into(), String::new()]
    }

    fn of(one: &str, other: &str) -> Compared {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            Journal::open(&path).expect("opens")
        };
        compare(&mut open("one", one), &mut open("other", other)).expect("compares")
    }

    #[test]
    fn the_same_is_the_same() {
        let one = rows(5, plain);
        let compared = of(&one, &one);
        assert_eq!((compared.rows, compared.verdict()), (5, None));
    }

    #[test]
    fn the_first_stage_that_differs_is_named() {
        let one = rows(9, plain);
        let second = |wanted: i64, index: usize, value: &str| {
            let value = value.to_owned();
            rows(9, move |second| {
                let mut row = plain(second);
                if second >= wanted {
                    row[index] = value.clone();
                }
                row
            })
        };
        for (other, ts, stage, key) in [
            (second(3, 0, "5000.25"), "2026-11-02T14:31:03Z", "bars", "close"),
            (second(4, 1, "1.0"), "2026-11-02T14:31:04Z", "predictions", "p_dir"),
            (second(5, 2, FILL), "2026-11-02T14:31:05Z", "fills", "statement.fills"),
            (rows(7, plain), "2026-11-02T14:31:07Z", "bars", "row"),
        ] {
            let first = of(&one, &other).first.expect(stage);
            assert_eq!((first.ts.as_str(), first.stage, first.what.key.as_str()), (ts, stage, key));
        }
        let other = one.replace("\"broker\":\"paper\"", "\"broker\":\"other\"");
        let compared = of(&one, &other);
        assert_eq!(compared.settings[0].key, "broker.broker");
        assert!(compared.first.is_none() && compared.verdict().is_some());
    }

    #[test]
    fn a_verdict_that_differs_is_risks() {
        let one = rows(3, plain);
        let hold = "{\"kind\":\"hold\",\"ts\":\"2026-11-02T14:31:01Z\",\"reason\":\"flat\"}";
        let (head, tail) =
            one.split_at(one.find("{\"kind\":\"row\",\"ts\":\"2026-11-02T14:31:02Z").expect("a row"));
        let first = of(&one, &format!("{head}{hold}\n{tail}")).first.expect("differs");
        assert_eq!((first.stage, first.ts.as_str()), ("risk", "2026-11-02T14:31:01Z"));
    }
}
