//! The tool as a shell sees it.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
};

use mes_core::time;
use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mes-features");

/// Returns JSON lines of bars a second apart with a column of somebody else's.
fn lines(rows: i64) -> Vec<String> {
    let start = time::parse("2026-06-15T14:00:00Z").expect("a time");
    let line = |k: i64| {
        let ts = time::format(start + (k + 1) * time::SECOND);
        let price = 4000.0 + (k * k % 7) as f64 * 0.25;
        format!(
            r#"{{"ts":"{ts}","open":{price:?},"high":{price:?},"low":{price:?},"close":{price:?},"volume":{k},"seg":{},"symbol":"MES","theirs":"x{k}"}}"#,
            k / 100
        )
    };
    (0..rows).map(line).collect()
}

fn run(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(TOOL)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    // A tool that refuses its arguments does not read; one that works writes meanwhile.
    let (mut stdin, input) = (child.stdin.take().expect("stdin"), input.to_owned());
    let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("the tool ends");
    feeder.join().expect("the feeder ends");
    output
}

fn rows(output: &Output) -> Vec<Value> {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn refusal(args: &[&str], input: &str) -> (Option<i32>, String) {
    let output = run(args, input);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn columns_grow_to_the_right_and_rows_stay() {
    let input = lines(150);
    let out =
        rows(&run(&["--interval", "1s", "--to", "jsonl", "--labels", "--horizon", "10s"], &input.join("\n")));
    assert_eq!(out.len(), 150);
    let names: Vec<_> = out[0].as_object().expect("an object").keys().cloned().collect();
    assert_eq!(names[..8], ["ts", "open", "high", "low", "close", "volume", "seg", "symbol"]);
    assert_eq!((names[8].as_str(), names[9].as_str()), ("theirs", "f_ret_1"));
    assert_eq!(names[names.len() - 2..], ["y_dir", "y_move"]);
    assert!(!names.iter().any(|name| ["f_delta_30", "f_spread", "f_ofi_30"].contains(&name.as_str())));
    for (k, (row, line)) in out.iter().zip(&input).enumerate() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert!(line.as_object().expect("an object").iter().all(|(name, value)| row[name] == *value));
        // Known to the last ten rows of a segment: nothing.
        assert_eq!(row["y_move"].is_null(), k % 100 >= 90 || k >= 140, "row {k}");
        assert_eq!(row["f_sigma"].is_null(), k % 100 < 60, "row {k}");
    }
}

#[test]
fn only_and_without_choose_by_feature_and_by_group() {
    let input = lines(2).join("\n");
    let names = |args: &[&str]| -> Vec<String> {
        let out = rows(&run(&[&["--interval", "1s", "--to", "jsonl"], args].concat(), &input));
        let names = out[0].as_object().expect("an object").keys().filter(|name| name.starts_with("f_"));
        names.cloned().collect()
    };
    assert_eq!(names(&["--only", "f_day,candle"]), ["f_dir", "f_body", "f_wick_up", "f_wick_down", "f_day"]);
    assert_eq!(names(&["--only", "candle", "--without", "f_dir,f_body"]), ["f_wick_up", "f_wick_down"]);
    assert_eq!(names(&["--warm-within", "24h"]).len(), 40);
    assert_eq!(names(&["--only", "f_m5_momentum"]), ["f_m5_momentum"]);
}

/// The open is the best half hour: nothing that is made unasked keeps a model from it.
#[test]
fn default_features_are_known_five_minutes_after_the_open() {
    let input: Vec<_> =
        lines(600).iter().map(|line| line.replacen("\"seg\":", "\"seg\":0,\"was\":", 1)).collect();
    let known = |args: &[&str]| -> Vec<(String, Option<usize>)> {
        let out = rows(&run(&[&["--to", "jsonl"], args].concat(), &input.join("\n")));
        let names =
            out[0].as_object().expect("an object").keys().filter(|name| name.starts_with("f_")).cloned();
        names.map(|name| (name.clone(), out.iter().position(|row| !row[&name].is_null()))).collect()
    };
    let of =
        |features: &[(String, Option<usize>)], name: &str| features.iter().any(|(known, _)| known == name);
    let default = known(&["--interval", "1s"]);
    assert!(default.iter().all(|(_, row)| row.is_some_and(|row| row < 300)), "{default:?}");
    let latest = default.iter().map(|(_, row)| *row).max();
    assert_eq!(latest, Some(Some(199)), "f_ema_200");
    // Of a session whose first second has no trade the first whole 5 minutes end at 09:40.
    assert!(!of(&default, "f_m5_trend") && !of(&default, "f_m1_momentum") && of(&default, "f_m1_trend"));
    let all = known(&["--interval", "1s", "--warm-within", "24h"]);
    assert!(of(&all, "f_m5_momentum") && of(&all, "f_m1_momentum"));
    let early = known(&["--interval", "1s", "--warm-within", "1m"]);
    assert!(early.len() > 5 && early.iter().all(|(_, row)| row.is_some_and(|row| row < 60)), "{early:?}");
    // Rows of a minute are slow to know anything: the limit is then where sigma is known.
    let slow: Vec<_> = (0..70)
        .map(|k| {
            let ts = time::parse("2026-06-15T14:00:00Z").expect("a time") + (k + 1) * time::MINUTE;
            lines(70)[k as usize].replacen(
                &time::format(time::parse("2026-06-15T14:00:00Z").expect("a time") + (k + 1) * time::SECOND),
                &time::format(ts),
                1,
            )
        })
        .collect();
    let header = &rows(&run(&["--interval", "1m", "--to", "jsonl"], &slow.join("\n")))[0];
    assert!(header.get("f_sigma").is_some() && header.get("f_ema_200").is_none(), "{header}");
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    // Segments of 100 rows, of which many go to a lane, then one that is longer than a lane's share.
    let mut input = lines(15_000);
    for line in &mut input[9_000..] {
        *line = line.replacen(",\"seg\":", ",\"seg\":9", 1);
        let seg = line.find("\"seg\":").expect("a segment") + 6;
        let end = seg + line[seg..].find(',').expect("more columns");
        line.replace_range(seg..end, "7");
    }
    let input = input.join("\n");
    for format in ["jsonl", "csv", "parquet"] {
        let with = |threads: &str| {
            let args =
                ["--interval", "1s", "--to", format, "--labels", "--horizon", "5s", "--threads", threads];
            let output = run(&args, &input);
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let one = with("1");
        assert!(["2", "3", "7"].iter().all(|threads| with(threads) == one), "{format}");
    }
}

#[test]
fn rows_before_a_bad_one_are_written_with_any_number_of_threads() {
    let mut input = lines(10_000);
    input[9_500] = input[9_500].replace("\"close\":4000", "\"close\":9000");
    let input = input.join("\n");
    let with = |threads: &str| {
        let output =
            run(&["--interval", "1s", "--to", "jsonl", "--only", "candle", "--threads", threads], &input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(3) && said.contains("line 9501"), "{said}");
        output.stdout
    };
    let one = with("1");
    assert_eq!(one.iter().filter(|byte| **byte == b'\n').count(), 9_500);
    assert!(["2", "5"].iter().all(|threads| with(threads) == one));
}

#[test]
fn errors_say_where_and_what_to_do() {
    let input = lines(5);
    let text = input.join("\n");
    // Two rows tell one gap, which may be any.
    let (code, said) = refusal(&["--to", "jsonl"], &lines(2).join("\n"));
    assert!(code == Some(2) && said.contains("--interval 1s"), "{said}");
    let (code, said) = refusal(&["--interval", "1s", "--only", "f_rett"], &text);
    assert!(code == Some(2) && said.contains("mes-features list"), "{said}");
    let (code, said) = refusal(&["--interval", "1s", "--only", "delta"], &text);
    assert!(code == Some(2) && said.contains("buy_volume sell_volume"), "{said}");
    let (code, said) = refusal(&["--interval", "5s", "--only", "f_ret_1"], &text);
    assert!(code == Some(2) && said.contains("5s"), "{said}");
    let (code, said) = refusal(&["--interval", "5s", "--labels", "--horizon", "12s"], &text);
    assert!(code == Some(2) && said.contains("whole number of rows"), "{said}");

    // A file after the bare flag is a file.
    let (code, said) = refusal(&["--labels", "nowhere.arrow"], "");
    assert!(code == Some(2) && said.contains("nowhere.arrow: no such file"), "{said}");

    let mut broken = input.clone();
    broken[3] = broken[3].replace(r#""high":4000.5"#, r#""high":4000.75"#);
    broken[3] = broken[3].replace(r#""close":4000.5"#, r#""close":4000.6"#);
    assert_ne!(broken, input);
    let (code, said) = refusal(&["--interval", "1s"], &broken.join("\n"));
    assert!(code == Some(3) && said.contains("line ") && said.contains("4000.6 is off"), "{said}");
    let (code, said) =
        refusal(&["--interval", "1s"], &text.replace("theirs", "f_ret_1").replace("\"x", "\""));
    assert_eq!(code, Some(3), "{said}");
    let (code, said) = refusal(&["--interval", "1s"], "{\"ts\":\"2026-06-15T14:00:00Z\",\"close\":1}\n");
    assert_eq!(code, Some(3), "{said}");
}

#[test]
fn every_row_is_answered_before_the_next_is_sent() {
    let mut child = Command::new(TOOL)
        .args(["--interval", "1s", "--to", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let (mut stdin, stdout) = (child.stdin.take().expect("stdin"), child.stdout.take().expect("stdout"));
    let mut answers = BufReader::new(stdout).lines();
    let input = lines(130);
    let mut dripped = Vec::new();
    for line in &input {
        writeln!(stdin, "{line}").expect("written");
        dripped.push(answers.next().expect("an answer").expect("text"));
    }
    drop(stdin);
    assert!(answers.next().is_none());
    assert!(child.wait().expect("ended").success());
    let whole = run(&["--interval", "1s", "--to", "jsonl"], &input.join("\n"));
    assert_eq!(String::from_utf8_lossy(&whole.stdout).lines().collect::<Vec<_>>(), dripped);
}

#[test]
fn labelled_rows_leave_as_soon_as_their_label_is_known() {
    let mut child = Command::new(TOOL)
        .args(["--interval", "1s", "--to", "jsonl", "--labels", "--horizon", "5s", "--only", "candle"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let (mut stdin, stdout) = (child.stdin.take().expect("stdin"), child.stdout.take().expect("stdout"));
    let mut answers = BufReader::new(stdout).lines();
    for (k, line) in lines(20).iter().enumerate() {
        writeln!(stdin, "{line}").expect("written");
        if k >= 5 {
            let answer = answers.next().expect("an answer").expect("text");
            let row: Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!(row["theirs"], format!("x{}", k - 5));
            assert!(row["y_dir"].is_number());
        }
    }
    drop(stdin);
    let rest: Vec<Value> =
        answers.map(|line| serde_json::from_str(&line.expect("text")).expect("JSON")).collect();
    assert_eq!(rest.len(), 5);
    assert!(rest.iter().all(|row| row["y_dir"].is_null() && row["y_move"].is_null()));
    assert!(child.wait().expect("ended").success());
}

#[test]
fn a_reader_that_is_gone_ends_the_tool_although_no_row_comes() {
    let mut child = Command::new(TOOL)
        .args(["--interval", "1s", "--to", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let (mut stdin, stdout) = (child.stdin.take().expect("stdin"), child.stdout.take().expect("stdout"));
    drop(stdout);
    writeln!(stdin, "{}", lines(1)[0]).expect("written");
    // The input stays open all the while.
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    drop(stdin);
}

#[test]
fn the_list_names_every_feature() {
    let text = String::from_utf8(run(&["list"], "").stdout).expect("text");
    let objects = rows(&run(&["list", "--json"], ""));
    assert_eq!(text.lines().count(), objects.len() + 3);
    assert!(
        text.lines().any(|line| line.starts_with("f_m5_momentum") && line.contains("2099 s* ")),
        "{text}"
    );
    let late: Vec<_> =
        objects.iter().filter(|object| object["default"] == false).map(|one| &one["name"]).collect();
    assert_eq!(late, ["f_m1_momentum", "f_m5_trend", "f_m5_momentum", "f_m5_range"]);
    for object in objects {
        let name = object["name"].as_str().expect("a name");
        assert!(text.contains(&format!("{name} ")));
        assert!(object["formula"].is_string() && object["range"].is_string() && object["warmup"].is_string());
    }
}

#[test]
fn the_lineage_says_what_was_made() {
    let args = ["--interval", "1s", "--to", "jsonl", "--header", "--labels", "--without", "time"];
    let header = &rows(&run(&args, &lines(3).join("\n")))[0];
    assert_eq!(header["kind"], "feature");
    let settings = &header["lineage"][0]["settings"];
    assert_eq!(settings["set"].as_str().map(str::len), Some(64));
    assert_eq!(settings["without"][0], "time");
    let wanted = serde_json::json!({ "kind": "horizon", "horizon": "30s", "threshold_ticks": 3 });
    assert_eq!(settings["labels"], wanted);
}

#[test]
fn describe_counts_what_is_there() {
    let made =
        run(&["--interval", "1s", "--to", "jsonl", "--labels", "--horizon", "5s"], &lines(200).join("\n"));
    let text = String::from_utf8(made.stdout).expect("text");
    let found = &rows(&run(&["describe", "--json"], &text))[0];
    assert_eq!(found["rows"], 200);
    assert_eq!(found["labels"][0]["null"], 10);
    let features = found["features"].as_array().expect("features");
    let index = |name: &str| features.iter().position(|f| f["name"] == name).expect("the feature");
    let sigma = &features[index("f_sigma")];
    assert_eq!(sigma["nulls"], 120);
    // Against the plain two-pass formula, over what the first run printed.
    let only = run(&["describe", "--json"], &strip(&text));
    let found = &rows(&only)[0];
    let pairs: Vec<(f64, f64)> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter_map(|row| Some((row["f_bb_20"].as_f64()?, row["y_move"].as_f64()?)))
        .collect();
    let n = pairs.len() as f64;
    let (x, y) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let moment = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|p| f(p.0 - x, p.1 - y)).sum::<f64>();
    let wanted = moment(&|x, y| x * y) / (moment(&|x, _| x * x) * moment(&|_, y| y * y)).sqrt();
    let correlation = found["features"][0]["correlation_with_move"].as_f64().expect("a number");
    assert_eq!(found["complete_rows"], n);
    assert!((correlation - wanted).abs() < 1e-5, "{correlation} for {wanted}");
}

#[test]
fn describe_draws_a_page_that_needs_nothing_else() {
    let args = ["--interval", "1s", "--to", "jsonl", "--labels", "--horizon", "5s"];
    let made = run(&args, &lines(300).join("\n"));
    let text = String::from_utf8(made.stdout).expect("text").replace("f_queue", "f_<script>");
    let text = text.replace("\"f_day\"", "\"f_<b>\"");
    let path = std::env::temp_dir().join(format!("describe-{}.html", std::process::id()));
    let said = run(&["describe", "--html", &path.display().to_string()], &text);
    assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
    let page = std::fs::read_to_string(&path).expect("the page");
    std::fs::remove_file(&path).expect("the page goes");
    for part in [
        "Class balance",
        "<td>Flat</td>",
        "Importance",
        "Distributions",
        "Correlation",
        "f_ret_60",
        "prefers-color-scheme",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("f_&lt;b&gt;") && !page.contains("f_<b>"), "a name that is not escaped");
    assert_eq!(mes_page::flaw(&page), None);
    let refused = run(&["describe", "--html", "/no/such/folder/x.html"], &text);
    assert!(refused.status.code() == Some(1), "{}", String::from_utf8_lossy(&refused.stderr));
}

/// Keeps of each row the bar, one feature and the labels.
fn strip(text: &str) -> String {
    let row = |line: &str| {
        let mut row: serde_json::Map<String, Value> = serde_json::from_str(line).expect("JSON");
        row.retain(|name, _| !name.starts_with("f_") || name == "f_bb_20");
        Value::Object(row).to_string() + "\n"
    };
    text.lines().map(row).collect()
}
