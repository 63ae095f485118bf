//! What judges a backtest: run again from its report, set against another journal, drawn anew, and asked whether it may
//! trade real money. On synthetic data the last answer is no.

use std::{fs, path::Path, sync::OnceLock};

use mes_golden::shell;
use serde_json::Value;
use tempfile::TempDir;

/// A backtest with its model, report and journal, made once.
fn backtest() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let line = "mkdir data &&
             mes-fetch synth -q --sessions 4 --seed 3 --session rth |
                 mes-features -q --labels=horizon --to parquet > data/features.parquet &&
             mes-train logistic -q --out model.onnx --until 2026-11-19T00:00:00Z data/features.parquet 2> train.txt &&
             mes-predict -q --model model.onnx --skip-in-sample --to parquet data/features.parquet > model.parquet &&
             mes-predict -q --rule random --rate 0.003 --to parquet data/features.parquet > chance.parquet &&
             mes-bt -q --out run --journal journal.jsonl chance.parquet > /dev/null";
        shell::ok(folder.path(), line, b"");
        folder
    });
    folder.path()
}

fn json(line: &str) -> Value {
    serde_json::from_slice(&shell::ok(backtest(), line, b"")).expect("JSON")
}

/// Runs a line that has to end with 1 and returns what it says.
fn refused(line: &str) -> String {
    let text = shell::ok(backtest(), &format!("{{ {line} 2>&1; test $? = 1; }}"), b"");
    String::from_utf8(text).expect("text")
}

#[test]
fn a_report_runs_again_to_the_same_figures() {
    for from in ["run/report.html", "run", "run/summary.json"] {
        let verified = json(&format!("mes-bt verify -q {from}"));
        assert!(verified["figures"].as_u64() > Some(100), "{verified}");
        assert_eq!(verified["differences"], Value::Array(Vec::new()));
        assert!(verified["command"].as_str().is_some_and(|command| command.starts_with("mes-predict")));
    }
    let ledger = "mes-lab optimize -q --grid --vary exits.stop_ticks=6,8 --min-trades 1 --holdout 0 --out search \
         chance.parquet > /dev/null && mes-bt -q --ledger search/trials.jsonl --out best chance.parquet > /dev/null";
    shell::ok(backtest(), ledger, b"");
    let verified = json("mes-bt verify -q --search search best");
    assert!(verified["command"].as_str().is_some_and(|command| command.contains("--ledger")), "{verified}");
    let deep = json("mes-bt verify -q --deep run");
    assert!(deep["command"].as_str().is_some_and(|command| command.starts_with("mes-fetch synth")), "{deep}");
}

#[test]
fn a_report_that_was_changed_is_found_out() {
    let changed =
        "jq '.account.net_usd += 1' run/summary.json > better.json && mes-bt verify -q --yes better.json";
    let text = refused(changed);
    assert!(text.contains("1 of ") && text.contains("account.net_usd first"), "{text}");
    // Random entries on synthetic data can be made from nothing; a model has to be there.
    let elsewhere = "mes-bt -q --out of-model model.parquet > /dev/null && mkdir -p empty && cd empty &&
         mes-bt verify -q ../of-model";
    assert!(refused(elsewhere).contains("cannot re-run: mes-predict: model"));
    let piped = "mes-predict -q --rule ema-cross --to jsonl data/features.parquet | mes-bt -q --interval 1s --session rth > p.json &&
         mes-bt verify -q p.json";
    assert!(refused(piped).contains("cannot re-run"));
}

#[test]
fn two_journals_part_where_their_settings_say() {
    let same = json("mes-bt diff -q journal.jsonl journal.jsonl");
    assert!(same["first"].is_null() && same["rows"].as_u64() > Some(20_000), "{same}");
    let text = refused("mes-bt -q --latency 700 --journal - chance.parquet | mes-bt diff -q journal.jsonl -");
    assert!(text.contains("they part at 2026-") && text.contains("in fills"), "{text}");
    let text = refused("mes-bt -q --journal - model.parquet | mes-bt diff -q journal.jsonl -");
    assert!(text.contains("in predictions"), "{text}");
}

#[test]
fn sessions_drawn_anew_keep_within_the_limits() {
    let lives = json("mes-lab montecarlo -q --runs 500 --days 60 run --html lives.html");
    let again = json("mes-lab montecarlo -q --runs 500 --days 60 run");
    assert_eq!(lives, again);
    let drawdowns = lives["drawdown_usd"].as_array().expect("shares");
    // $200 end an account; one more trade may pass it.
    assert!(drawdowns.iter().all(|usd| usd.as_f64() < Some(226.0)), "{drawdowns:?}");
    let page = fs::read_to_string(backtest().join("lives.html")).expect("the page");
    assert!(page.ends_with("</html>\n"), "the page is cut");
}

#[test]
fn synthetic_data_is_never_ready() {
    let line = "mes-predict eval --model model.onnx --skip-in-sample data/features.parquet > eval.json &&
         mes-bt validate -q --eval eval.json --backtest run --model model.onnx";
    let text = refused(line);
    assert!(text.contains("NOT READY"), "{text}");
    let (json, _) = text.rsplit_once("mes-bt:").expect("a verdict after the list");
    let list: Value = serde_json::from_str(json).expect("JSON");
    let verdict = |item: &str| {
        let lines = list["lines"].as_array().expect("lines");
        let line = lines.iter().find(|line| line["item"] == item).expect("an item");
        (line["verdict"].as_str().expect("a verdict").to_owned(), line["evidence"].to_string())
    };
    let met = [
        "limits hold",
        "flat by day's end",
        "inference under 10 ms",
        "no lookahead",
        "breakers",
        "kill switch",
    ];
    for met in met {
        assert_eq!(verdict(met).0, "met", "{met}: {}", verdict(met).1);
    }
    // The backtest is of chance, the model of the evaluation another one.
    let (setup, why) = verdict("evidence of one setup");
    assert!(setup == "not met" && why.contains("the backtest is of another model"), "{why}");
    assert_eq!(verdict("skill in direction").0, "not met");
    assert_eq!(verdict("real data").0, "not shown");
    assert_eq!(verdict("reconnects").0, "not shown");
}

/// Rows that went through text are of unknown origin, unless a side file goes around it: never "not synthetic".
#[test]
fn a_text_stage_leaves_synthetic_synthetic_or_unknown() {
    let origin = |lineage: &str, out: &str| {
        let line = format!(
            "mes-predict -q --rule random --rate 0.003 --to jsonl {lineage} data/features.parquet | awk '{{ print }}' |
             mes-bt -q --interval 1s --session rth {lineage} --out {out}"
        );
        let summary = json(&line);
        let page = fs::read_to_string(backtest().join(out).join("report.html")).expect("the page");
        (summary["synthetic"].clone(), summary["origin"].clone(), page)
    };
    let (synthetic, unknown, page) = origin("", "bare");
    assert_eq!((synthetic, unknown), (Value::Null, "unknown".into()));
    assert!(page.contains("badge made\">Origin unknown<"), "no badge");
    let (synthetic, known, page) = origin("--lineage side.json", "carried");
    assert_eq!((synthetic, known), (Value::Bool(true), "synthetic".into()));
    assert!(page.contains("badge made\">Synthetic data<"), "no badge");
}

/// Evidence that is named and is not there, or is none, is not met: that is an answer, not a mistake of the caller.
#[test]
fn a_missing_file_is_not_met() {
    let text = refused(
        "echo '{' > cut.json; mes-bt validate -q --walk-forward no/walk --eval cut.json --backtest no/run \
         --model no/model.onnx --paper no/paper",
    );
    assert!(text.contains("NOT READY"), "{text}");
    let (json, _) = text.rsplit_once("mes-bt:").expect("a verdict after the list");
    let list: Value = serde_json::from_str(json).expect("JSON");
    for (item, why) in [
        ("real data", "no/walk/walk-forward.json"),
        ("enough trades", "no/walk/walk-forward.json"),
        ("skill in direction", "cut.json"),
        ("flat by day's end", "no/run/summary.json"),
        ("inference under 10 ms", "no/model.onnx"),
        ("no lookahead", "no/model.onnx"),
        ("two weeks of paper", "no/paper"),
    ] {
        let lines = list["lines"].as_array().expect("lines");
        let line = lines.iter().find(|line| line["item"] == item).expect("an item");
        let evidence = line["evidence"].as_str().unwrap_or_default();
        assert!(line["verdict"] == "not met" && evidence.contains(why), "{item}: {line}");
    }
}

/// The journal of a backtest is that of paper trading, but for where its rows came from: only the feed itself counts.
#[test]
fn only_what_came_live_is_paper() {
    let live = "sed -e '1s/\"lineage\":\\[.*\\]}$/\"lineage\":[{\"tool\":\"mes-fetch live\",\"settings\":{\"replay\":false}}]}/'";
    let paper = |make: &str| {
        let line = format!(
            "rm -rf paper && mkdir -p paper/1 && {make} > paper/1/journal.jsonl &&
             mes-bt validate -q --paper paper"
        );
        let text = refused(&line);
        let (json, _) = text.rsplit_once("mes-bt:").expect("a verdict after the list");
        let list: Value = serde_json::from_str(json).expect("JSON");
        let lines = list["lines"].as_array().expect("lines");
        lines.iter().find(|line| line["item"] == "two weeks of paper").expect("an item")["evidence"]
            .to_string()
    };
    assert!(paper("cat journal.jsonl").contains("0 days, 0 fills; 1 journal of synthetic data"));
    let text = "mes-predict -q --rule ema-cross --to jsonl data/features.parquet |
         mes-bt -q --interval 1s --session rth --journal -";
    assert!(paper(text).contains("1 journal whose rows did not come live"));
    let found = paper(&format!("{live} journal.jsonl"));
    assert!(found.contains("4 days, ") && !found.contains("0 fills"), "{found}");
    let other = format!("mes-bt -q --rules mes-1k-topstep --journal - chance.parquet | {live}");
    assert!(paper(&other).contains("1 journal of other rules"));
}
