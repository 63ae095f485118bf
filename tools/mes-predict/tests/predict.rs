//! The tool from rows on stdin to rows on stdout. `data/tiny.onnx` is a logistic model of three features.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.onnx");

const BARS: &str = "ts,open,high,low,close,volume,seg,symbol\n\
    2024-01-02T14:30:01Z,5000,5000,5000,5000,3,1,MESH4\n\
    2024-01-02T14:30:02Z,5000,5000.25,5000,5000.25,2,1,MESH4\n\
    2024-01-02T14:30:03Z,5000.25,5000.25,5000,5000,9,1,MESH4\n";

const FEATURES: &str = "ts,open,high,low,close,volume,seg,symbol,f_noise,f_sigma,f_edge,f_other\n\
    2024-01-02T14:30:01Z,5000,5000,5000,5000,3,1,MESH4,0.1,,0.5,1\n\
    2024-01-02T14:30:02Z,5000,5000,5000,5000,3,1,MESH4,0.1,0.2,0.9,1\n\
    2024-01-02T14:30:03Z,5000,5000,5000,5000,3,1,MESH4,-0.3,0.25,-0.9,\n";

fn predict(rows: &str, flags: &[&str], model: Option<&str>) -> Output {
    let folder = tempfile::tempdir().expect("folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mes-predict"));
    command
        .current_dir(folder.path())
        .env_remove("MES_MODEL")
        .args(["--interval", "1s", "--to", "csv"])
        .args(flags);
    if let Some(model) = model {
        command.env("MES_MODEL", model);
    }
    let pipes = || Stdio::piped();
    let mut child = command.stdin(pipes()).stdout(pipes()).stderr(pipes()).spawn().expect("runs");
    // A tool that refuses its arguments does not read.
    let _ = child.stdin.take().expect("stdin").write_all(rows.as_bytes());
    child.wait_with_output().expect("ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn refused(output: &Output, code: i32, what: &str) {
    let stderr = text(&output.stderr);
    assert!(output.status.code() == Some(code) && stderr.contains(what), "{:?} {stderr}", output.status);
}

/// Returns the last seven columns of each row.
fn predictions(output: &Output) -> Vec<Vec<Option<f64>>> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    let number = |field: &str| (!field.is_empty()).then(|| field.parse().expect("a number"));
    let columns = |line: &str| line.split(',').skip(line.split(',').count() - 7).map(number).collect();
    text(&output.stdout).lines().skip(1).map(columns).collect()
}

#[test]
fn adds_its_columns_to_the_right_and_leaves_the_rest() {
    let output = predict(FEATURES, &[], Some(MODEL));
    let found = predictions(&output);
    let lines: Vec<_> = FEATURES.lines().zip(text(&output.stdout).lines().map(str::to_owned)).collect();
    assert!(lines[0].1.ends_with(",f_other,p_down,p_flat,p_up,p_dir,p_conf,p_move,p_vol"), "{}", lines[0].1);
    assert!(lines[1].1.ends_with(",1.0,,,,,,,") || lines[1].1.ends_with(",1,,,,,,,"), "{}", lines[1].1);
    // As onnxruntime 1.31.1 has them, after temperature and softmax.
    for (row, wanted) in [(1, WANTED[0]), (2, WANTED[1])] {
        for (found, wanted) in found[row].iter().zip(wanted) {
            assert!((found.expect("there") - wanted).abs() < 1e-6, "{:?} is not {wanted:?}", found);
        }
    }
    assert_eq!((found[1][3], found[2][3]), (Some(1.0), Some(-1.0)));
}

const WANTED: [[f64; 3]; 2] = [
    [0.057_263_722_8, 0.314_400_091_6, 0.628_336_185_6],
    [0.624_830_998_8, 0.315_765_349_9, 0.059_403_651_3],
];

#[test]
fn the_model_comes_from_the_flag_the_environment_or_the_usual_place() {
    refused(&predict(FEATURES, &[], None), 2, "no model models/default.onnx: mes-train makes one");
    refused(&predict(FEATURES, &["--model", "nowhere.onnx"], Some(MODEL)), 2, "no model nowhere.onnx");
    assert!(predict(FEATURES, &["--model", MODEL], Some("nowhere.onnx")).status.success());
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    refused(&predict(FEATURES, &["--model", &readme.to_string_lossy()], None), 2, "not an ONNX file");
    refused(&predict(FEATURES, &["--model", MODEL, "--rule", "random"], None), 2, "cannot be used with");
}

#[test]
fn a_missing_feature_is_named_and_nan_is_bad_data() {
    refused(&predict(&FEATURES.replace("f_edge", "f_ridge"), &[], Some(MODEL)), 2, "features: f_edge:");
    refused(&predict(&FEATURES.replace("0.9,1", "NaN,1"), &[], Some(MODEL)), 3, "f_edge");
    refused(
        &predict(&FEATURES.replace("2024", "2023").replace("01-02T14:30", "11-14T22:14"), &[], Some(MODEL)),
        2,
        "training span",
    );
    let twice = text(&predict(FEATURES, &[], Some(MODEL)).stdout);
    refused(&predict(&twice, &[], Some(MODEL)), 3, "p_down");
}

#[test]
fn rules_need_bars_only() {
    let random = ["--rule", "random", "--rate", "1"];
    let found = predictions(&predict(BARS, &random, None));
    assert_eq!(found.len(), 3);
    for row in &found {
        assert!(row[3].is_some_and(|dir| dir.abs() == 1.0) && row[4].is_some_and(|conf| conf >= 0.65));
        assert_eq!((&row[..3], row[6]), (&[None; 3][..], None));
    }
    let other = predictions(&predict(BARS, &["--rule", "random", "--rate", "1", "--seed", "2"], None));
    assert_ne!(found, other);
    assert!(predictions(&predict(BARS, &["--rule", "ema-cross"], None)).iter().all(|row| row[3].is_none()));
    refused(&predict(BARS, &["--rule", "hope"], None), 2, "the rules are ema-cross");
    refused(&predict(BARS, &["--rule", "random", "--rate", "2"], None), 2, "--rate 2");

    let folder = tempfile::tempdir().expect("folder");
    let script = folder.path().join("script.csv");
    let rule = format!("script:{}", script.display());
    fs::write(&script, "ts,p_dir,p_conf\n2024-01-02T14:30:02Z,-1,0.85\n").expect("writes");
    let found = predictions(&predict(BARS, &["--rule", &rule], None));
    let decided: Vec<_> = found.iter().map(|row| (row[3], row[4])).collect();
    assert_eq!(decided, [(Some(0.0), Some(0.0)), (Some(-1.0), Some(0.85)), (Some(0.0), Some(0.0))]);
    fs::write(&script, "ts,p_dir,p_conf\n2024-01-02T14:30:09Z,-1,0.85\n").expect("writes");
    refused(&predict(BARS, &["--rule", &rule], None), 3, "line 2: no row is stamped 2024-01-02T14:30:09Z");
}

#[test]
fn inspect_prints_the_card() {
    let inspect = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mes-predict"));
        let output = command.arg("inspect").args(flags).arg(MODEL).output().expect("runs");
        assert!(output.status.success());
        text(&output.stdout)
    };
    assert!(inspect(&[]).contains("| fitted on | 2023-11-14T22:13:25Z to "));
    let json: serde_json::Value = serde_json::from_str(&inspect(&["--json"])).expect("JSON");
    assert_eq!((&json["v"], &json["features"][0]), (&1.into(), &"f_edge".into()));
}
