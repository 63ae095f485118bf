//! `mes-predict eval` from rows on stdin or in files to figures, page and exit code.

use std::{
    fmt::Write as _,
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use mes_core::{
    dice::Draw,
    time::{self, HOUR, SECOND},
};
use prost::Message;
use serde_json::Value;
use tract_onnx::pb::{ModelProto, StringStringEntryProto};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.onnx");

/// Writes rows of `sessions` sessions, each of 60 rows in two hours from 2024-01-02T15:00:01Z on. What happens follows
/// `truth`; what is stated are these shares moved by `lie` from down to up.
fn rows(sessions: i64, edge: f64, lie: f64) -> String {
    let mut draw = Draw::of(7);
    let mut text = String::from(
        "ts,open,high,low,close,volume,seg,symbol,p_down,p_flat,p_up,p_dir,p_conf,p_move,p_vol,y_dir,fold\n",
    );
    let start = time::parse("2024-01-02T15:00:01Z").expect("a time");
    for row in 0..sessions * 60 {
        let (session, place) = (row / 60, row % 60);
        let ts = start + session * 24 * HOUR + place / 30 * HOUR + place % 30 * SECOND;
        let lean = edge * (draw.unit() - 0.5);
        let truth = [0.3 - lean, 0.4, 0.3 + lean];
        let dice = draw.unit();
        let label = if dice < truth[0] { 0 } else { 1 + i32::from(dice >= truth[0] + 0.4) };
        let [down, flat, up] = [truth[0] - lie, truth[1], truth[2] + lie];
        let conf = down.max(flat).max(up);
        let (ts, fold) = (time::format(ts), session / 2);
        let _ = writeln!(
            text,
            "{ts},5000,5000,5000,5000,1,{session},MESH4,{down:.6},{flat:.6},{up:.6},0,{conf:.6},0,2,{label},{fold}"
        );
    }
    text
}

fn eval(folder: &Path, rows: &str, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mes-predict"));
    command.current_dir(folder).arg("eval").args(["--interval", "1s"]).args(flags);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let _ = child.stdin.take().expect("stdin").write_all(rows.as_bytes());
    child.wait_with_output().expect("ends")
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn refused(output: &Output, code: i32, what: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(code) && stderr.contains(what), "{:?} {stderr}", output.status);
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn skill_is_told_from_none_and_decides_the_exit_code() {
    let folder = tempfile::tempdir().expect("folder");
    let skilled = rows(30, 0.5, 0.0);
    let found = json(&eval(folder.path(), &skilled, &["--require-skill"]));
    assert_eq!(
        (&found["skill"], &found["sessions"], &found["rows"]),
        (&"direction".into(), &30.into(), &1800.into())
    );
    assert!(
        found["verdict"].as_str().expect("words").starts_with("SKILL in direction: up against down on the ")
    );
    assert!(number(&found["gain"]["interval"][0]) > 0.0 && number(&found["direction"]["interval"][0]) > 0.0);
    assert_eq!(found["prior"]["from"], "hindsight");

    let none = rows(30, 0.0, 0.0);
    let found = json(&eval(folder.path(), &none, &[]));
    let [low, high] = [0, 1].map(|end| number(&found["gain"]["interval"][end]));
    assert!(low <= 0.0 && found["skill"] == "none", "{low} {high}");
    refused(&eval(folder.path(), &none, &["--require-skill"]), 1, "NO SKILL shown");

    let one = rows(1, 0.5, 0.0);
    let found = json(&eval(folder.path(), &one, &[]));
    assert_eq!((&found["skill"], &found["gain"]["interval"]), (&"none".into(), &Value::Null));
    refused(&eval(folder.path(), &one, &["--require-skill"]), 1, "1 session is no sample");
}

/// Rows of which it is known how far they go, and nothing of which way: volatility clusters, so any model learns that.
#[test]
fn how_far_without_which_way_is_no_skill() {
    let folder = tempfile::tempdir().expect("folder");
    let mut draw = Draw::of(11);
    let mut side = |line: &str| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        let wild = draw.unit() < 0.5;
        let [down, flat, up] = if wild { ["0.42", "0.16", "0.42"] } else { ["0.08", "0.84", "0.08"] };
        (cells[8], cells[9], cells[10]) = (down.into(), flat.into(), up.into());
        let moved = draw.unit() < if wild { 0.84 } else { 0.16 };
        cells[15] = if moved { (draw.below(2) * 2).to_string() } else { "1".into() };
        cells.join(",") + "\n"
    };
    let text = rows(30, 0.0, 0.0);
    let (head, body) = text.split_once('\n').expect("a header");
    let far = format!("{head}\n{}", body.lines().map(&mut side).collect::<String>());
    let found = json(&eval(folder.path(), &far, &[]));
    assert!(number(&found["gain"]["interval"][0]) > 0.1, "{}", found["verdict"]);
    assert_eq!(found["skill"], "how far only");
    assert_eq!(number(&found["direction_right"]["value"]), 0.5);
    refused(&eval(folder.path(), &far, &["--require-skill"]), 1, "HOW FAR ONLY, no skill in direction");
}

/// A prior that is wrong about up and down, or a market that only rose, is beaten by any model: that is no skill.
#[test]
fn a_wrong_prior_is_no_skill_in_direction() {
    let folder = tempfile::tempdir().expect("folder");
    let found = json(&eval(folder.path(), &rows(30, 0.0, 0.0), &["--prior", "0.45,0.4,0.15"]));
    assert!(number(&found["gain"]["interval"][0]) > 0.0, "{}", found["verdict"]);
    assert_eq!(found["skill"], "how far only", "{}", found["verdict"]);
}

#[test]
fn says_what_lies_where() {
    let folder = tempfile::tempdir().expect("folder");
    let found = json(&eval(folder.path(), &rows(6, 0.4, 0.0), &["--prior", "0.3,0.4,0.3"]));
    let names = |list: &str| -> Vec<String> {
        found[list]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["name"].as_str().unwrap().into())
            .collect()
    };
    assert_eq!(names("hours"), ["10", "11"]);
    assert_eq!(names("by_session").first().map(String::as_str), Some("2024-01-02"));
    assert_eq!(
        (names("by_session").len(), names("months"), names("folds")),
        (6, vec!["2024-01".into()], vec!["0".into(), "1".into(), "2".into()])
    );
    assert_eq!(found["prior"]["from"], "flag");
    assert_eq!(found["baselines"]["flat"]["log_loss"], Value::Null);
    let rows = |list: &str| -> f64 {
        found[list].as_array().expect("a list").iter().map(|one| number(&one["rows"])).sum()
    };
    assert_eq!([rows("hours"), rows("by_session"), rows("folds"), rows("classes")], [360.0; 4]);
    let hour = &found["hours"][0];
    assert!(number(&hour["baselines"]["prior"]["log_loss"]) > 0.0);
    assert_eq!(hour["baselines"]["flat"]["log_loss"], Value::Null);
    // A session alone has no interval.
    assert_eq!(found["by_session"][0]["gain"]["interval"], Value::Null);
}

#[test]
fn a_model_that_lies_is_seen_in_its_calibration() {
    let folder = tempfile::tempdir().expect("folder");
    let ece = |lie| number(&json(&eval(folder.path(), &rows(60, 0.0, lie), &[]))["model"]["ece"]["value"]);
    assert!(ece(0.0) < 0.03 && ece(0.25) > 0.2, "{} {}", ece(0.0), ece(0.25));
}

#[test]
fn the_same_again_byte_for_byte_and_the_page_is_whole() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(4, 0.4, 0.0);
    let first = eval(folder.path(), &text, &["--html", "a.html"]);
    let second = eval(folder.path(), &text, &["--html", "b.html", "--quiet"]);
    assert_eq!(json(&first), json(&second));
    assert_eq!(first.stdout, second.stdout);
    assert_ne!(first.stdout, eval(folder.path(), &text, &["--seed", "2"]).stdout);
    let [a, b] =
        ["a.html", "b.html"].map(|name| fs::read_to_string(folder.path().join(name)).expect("a page"));
    assert_eq!(mes_page::flaw(&a), None);
    assert!(a == b, "two pages of the same rows");
    assert!(second.stderr.is_empty() && !first.stderr.is_empty());
    refused(&eval(folder.path(), &text, &["--html", "no/where.html"]), 1, "no/where.html");
}

#[test]
fn says_what_it_lacks() {
    let folder = tempfile::tempdir().expect("folder");
    let text = rows(2, 0.4, 0.0);
    refused(&eval(folder.path(), &text.replace("y_dir", "other"), &[]), 3, "mes-features --labels");
    refused(&eval(folder.path(), &text.replace("p_flat", "q_flat"), &[]), 3, "no column \"p_flat\"");
    refused(&eval(folder.path(), "", &[]), 3, "");
    let header = text.lines().next().expect("a header").to_owned() + "\n";
    refused(&eval(folder.path(), &header, &[]), 3, "no row has both");
    refused(&eval(folder.path(), &text.replacen("0.4", "0.9", 1), &[]), 3, ", not 1");
    refused(&eval(folder.path(), &text, &["--prior", "0.5,0.5"]), 2, "give three");
    refused(&eval(folder.path(), &text, &["--prior", "0,0.5,0.5"]), 2, "gives down no chance");
    refused(&eval(folder.path(), &text, &["--skip-in-sample"]), 2, "--model");
    refused(&eval(folder.path(), &text, &["--model", MODEL]), 2, "f_edge");
}

/// Writes labelled features of three sessions, which the model has not seen; with `y_move` where that is wanted.
fn features(moves: bool) -> String {
    let mut draw = Draw::of(9);
    let more = if moves { ",y_move" } else { "" };
    let mut text = format!("ts,open,high,low,close,volume,seg,symbol,f_edge,f_noise,f_sigma,y_dir{more}\n");
    let start = time::parse("2024-01-02T15:00:01Z").expect("a time");
    for row in 0..300 {
        let ts = time::format(start + row / 100 * 24 * HOUR + row % 100 * SECOND);
        let [edge, noise] = [draw.unit(), draw.unit()].map(|one| (2.0 * one - 1.0) as f32);
        let label = (draw.unit() * 3.0) as u8;
        let moved = if moves { format!(",{}", f64::from(label) * 4.0 - 4.0) } else { String::new() };
        let _ = writeln!(text, "{ts},5000,5000,5000,5000,1,1,MESH4,{edge},{noise},0.2,{label}{moved}");
    }
    text
}

/// Text carries no label rule: it is the model's where `y_move` bears that out, else nobody's.
#[test]
fn labels_of_text_are_held_against_the_model() {
    let folder = tempfile::tempdir().expect("folder");
    let judge = |text: &str| eval(folder.path(), text, &["--model", MODEL]);
    let fits = judge(&features(true));
    assert_eq!(json(&fits)["label"]["threshold_ticks"], 3.0);
    assert!(String::from_utf8_lossy(&fits.stderr).contains("y_dir and y_move fit the model's"));
    let unknown = judge(&features(false));
    assert_eq!(json(&unknown)["label"], Value::Null);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("have no y_move to tell by"));
    refused(&judge(&features(true).replacen(",2,4\n", ",2,2\n", 1)), 3, "y_dir is 2 where y_move is 2 ticks");
}

#[test]
fn conformal_sets_are_judged_where_the_model_has_them() {
    let folder = tempfile::tempdir().expect("folder");
    let mut model = ModelProto::decode(&fs::read(MODEL).expect("a model")[..]).expect("decodes");
    let value = r#"{"alpha":0.2,"quantile":0.7,"covered":null,"single":null}"#.into();
    model.metadata_props.push(StringStringEntryProto { key: "mes.conformal".into(), value });
    fs::write(folder.path().join("sets.onnx"), model.encode_to_vec()).expect("writes");
    let found = json(&eval(folder.path(), &features(false), &["--model", "sets.onnx", "--html", "a.html"]));
    let sets = &found["sets"];
    let [coverage, size] = ["coverage", "mean_size"].map(|name| number(&sets[name]["value"]));
    // Counted elsewhere, from the p_* of these rows: 554 classes named, what happened among them 149 times of 300.
    let far = (coverage - 149.0 / 300.0).abs() > 1e-12 || (size - 554.0 / 300.0).abs() > 1e-12;
    assert!(!far, "{sets}");
    assert!(number(&sets["coverage"]["interval"][0]) <= coverage && sets["alpha"] == 0.2);
    assert!(
        fs::read_to_string(folder.path().join("a.html")).expect("a page").contains("sets that may miss 20")
    );
    assert!(json(&eval(folder.path(), &features(false), &["--model", MODEL])).get("sets").is_none());
}

/// Rows without predictions, which the model then makes, are judged as those of `mes-predict` are.
#[test]
fn a_model_judged_at_once_is_the_model_judged_later() {
    let folder = tempfile::tempdir().expect("folder");
    let text = features(false);
    let at_once = json(&eval(folder.path(), &text, &["--model", MODEL]));
    fs::write(folder.path().join("rows.csv"), &text).expect("writes");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mes-predict"));
    let predicted = command
        .current_dir(folder.path())
        .args(["--interval", "1s", "--to", "csv", "--model", MODEL, "rows.csv"])
        .output()
        .expect("runs");
    assert!(predicted.status.success());
    let later = json(&eval(folder.path(), &String::from_utf8(predicted.stdout).expect("text"), &[]));
    for part in ["model", "classes", "confusion", "calibration", "first", "last"] {
        assert_eq!(at_once[part], later[part], "{part}");
    }
    assert_eq!(at_once["model_file"]["family"], "logistic");
    let trained = text.replace("2024-01-02", "2023-11-14").replace("T15:00", "T22:14");
    refused(&eval(folder.path(), &trained, &["--model", MODEL]), 2, "training span");
}
