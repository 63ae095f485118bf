//! Models from elsewhere and models of models: `import`, `ensemble`, `bench`. The files `foreign_*` are made by
//! `data/make.py`, which keeps onnxruntime's answers beside them.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use mes_predict::model::{Model, read_card};
use prost::Message;
use serde_json::Value;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TypeProto, ValueInfoProto,
    type_proto,
};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

fn tool(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mes-predict")).current_dir(folder).args(args).output().expect("runs")
}

fn ok(folder: &Path, args: &[&str]) -> String {
    let output = tool(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn refused(output: &Output, code: i32, what: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(code) && stderr.contains(what), "{:?} {stderr}", output.status);
}

/// Imports a file with this label and these features as `<name>.onnx`.
fn import(folder: &Path, name: &str, features: &str, flags: &[&str]) -> Output {
    let (file, out) = (format!("{DATA}/{name}.onnx"), format!("{name}.onnx"));
    let fixed = ["import", &file, "--features", features, "--mean-move=-5,0,5", "--out", &out];
    let spans = ["--fitted", "2023-11-14T22:13:20Z,2023-11-15T22:13:20Z"];
    tool(folder, &[&fixed[..], &spans, flags].concat())
}

const LABEL: [&str; 4] = ["--label", "horizon:1s:3", "--interval", "1s"];

/// Writes rows with these columns of features.
fn rows(folder: &Path, names: &[&str], rows: &[Vec<f64>]) -> PathBuf {
    let mut text = format!("ts,open,high,low,close,volume,seg,symbol,{}\n", names.join(","));
    for (second, row) in rows.iter().enumerate() {
        let values: Vec<String> = row.iter().map(|value| (*value as f32).to_string()).collect();
        let _ = writeln!(
            text,
            "2024-01-02T14:30:{:02}Z,5000,5000,5000,5000,1,1,MESH4,{}",
            second % 60,
            values.join(",")
        );
    }
    let path = folder.join("rows.csv");
    fs::write(&path, text).expect("writes");
    path
}

/// Predicts the rows and returns down, flat, up of each that has them.
fn predict(folder: &Path, model: &str, rows: &Path) -> Vec<[f64; 3]> {
    let rows = rows.to_string_lossy();
    let text = ok(folder, &["--model", model, "--interval", "1s", "--to", "csv", &rows]);
    let header: Vec<&str> = text.lines().next().expect("a header").split(',').collect();
    let first = header.iter().position(|name| *name == "p_down").expect("p_down");
    let p = |line: &str| -> Option<[f64; 3]> {
        let fields: Vec<f64> =
            line.split(',').skip(first).take(3).map_while(|one| one.parse().ok()).collect();
        fields.try_into().ok()
    };
    text.lines().skip(1).filter_map(p).collect()
}

fn near(found: &[[f64; 3]], wanted: &[[f64; 3]]) {
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        let far = (0..3).any(|k| (found[k] - wanted[k]).abs() > 1e-6);
        assert!(!far, "{found:?} is not {wanted:?}");
    }
}

/// Reads what onnxruntime said of which rows.
fn recorded(name: &str) -> (Vec<Vec<f64>>, Vec<[f64; 3]>) {
    let text = fs::read_to_string(format!("{DATA}/{name}.json")).expect("recorded");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let rows = serde_json::from_value(value["rows"].clone()).expect("rows");
    (rows, serde_json::from_value(value["p"].clone()).expect("probabilities"))
}

#[test]
fn other_exporters_files_run_as_onnxruntime_ran_them() {
    let folder = tempfile::tempdir().expect("folder");
    for name in ["foreign_logreg", "foreign_net"] {
        let output = import(folder.path(), name, "f_a,f_b,f_c", &LABEL);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (inputs, wanted) = recorded(name);
        // Another order than the model's: names decide.
        let turned: Vec<Vec<f64>> = inputs.iter().map(|row| vec![row[2], row[0], row[1]]).collect();
        let path = rows(folder.path(), &["f_c", "f_a", "f_b"], &turned);
        near(&predict(folder.path(), &format!("{name}.onnx"), &path), &wanted);
    }
    let card = read_card(&folder.path().join("foreign_net.onnx")).expect("a card");
    assert_eq!(
        (card.family.as_str(), card.features.len(), card.label.horizon.as_str()),
        ("foreign", 3, "1s")
    );
    let inspected = ok(folder.path(), &["inspect", "foreign_net.onnx"]);
    assert!(inspected.contains("hash ") && inspected.contains("Not judged yet"), "{inspected}");
}

#[test]
fn a_foreign_sequence_runs_over_every_window_and_beside_rows() {
    let folder = tempfile::tempdir().expect("folder");
    let flags = [&LABEL[..], &["--window", "4"]].concat();
    assert!(import(folder.path(), "foreign_sequence", "f_a,f_b,f_c", &flags).status.success());
    let (inputs, wanted) = recorded("foreign_sequence");
    let path = rows(folder.path(), &["f_a", "f_b", "f_c"], &inputs);
    let alone = predict(folder.path(), "foreign_sequence.onnx", &path);
    near(&alone, &wanted);

    assert!(import(folder.path(), "foreign_net", "f_c,f_a,f_b", &LABEL).status.success());
    ok(folder.path(), &["ensemble", "foreign_net.onnx", "foreign_sequence.onnx", "--out", "both.onnx"]);
    let row = predict(folder.path(), "foreign_net.onnx", &path);
    let mean = |at: usize| std::array::from_fn(|k| (row[at + 3][k] + alone[at][k]) / 2.0);
    near(&predict(folder.path(), "both.onnx", &path), &(0..alone.len()).map(mean).collect::<Vec<_>>());
}

/// Writes `trees.onnx`: a tree of one branch for each of three features, as exporters write them, labels first.
fn trees(folder: &Path, transform: &str) {
    let list = |name: &str| AttributeProto { name: name.into(), ..AttributeProto::default() };
    let ints = |name: &str, ints: &[i64]| AttributeProto { r#type: 7, ints: ints.to_vec(), ..list(name) };
    let floats =
        |name: &str, floats: &[f32]| AttributeProto { r#type: 6, floats: floats.to_vec(), ..list(name) };
    let modes = ["BRANCH_LEQ", "LEAF", "LEAF"].map(|mode| mode.as_bytes().to_vec());
    let attribute = vec![
        ints("classlabels_int64s", &[0, 1, 2]),
        ints("nodes_treeids", &[0, 0, 0, 1, 1, 1, 2, 2, 2]),
        ints("nodes_nodeids", &[0, 1, 2, 0, 1, 2, 0, 1, 2]),
        ints("nodes_featureids", &[0, 0, 0, 1, 0, 0, 2, 0, 0]),
        ints("nodes_truenodeids", &[1, 0, 0, 1, 0, 0, 1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0, 2, 0, 0, 2, 0, 0]),
        floats("nodes_values", &[0.1, 0.0, 0.0, -0.2, 0.0, 0.0, 0.05, 0.0, 0.0]),
        AttributeProto { r#type: 8, strings: [&modes[..]; 3].concat(), ..list("nodes_modes") },
        ints("class_treeids", &[0, 0, 1, 1, 2, 2]),
        ints("class_nodeids", &[1, 2, 1, 2, 1, 2]),
        ints("class_ids", &[0, 2, 1, 1, 2, 0]),
        floats("class_weights", &[0.6, 0.8, 0.3, -0.4, 0.7, 0.2]),
        AttributeProto { r#type: 3, s: transform.into(), ..list("post_transform") },
    ];
    let floats = type_proto::Value::TensorType(type_proto::Tensor { elem_type: 1, shape: None });
    let value = |name: &str| ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value: Some(floats.clone()), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    };
    let node = NodeProto {
        op_type: "TreeEnsembleClassifier".into(),
        domain: "ai.onnx.ml".into(),
        input: vec!["x".into()],
        output: vec!["label".into(), "scores".into()],
        attribute,
        ..NodeProto::default()
    };
    let graph = GraphProto {
        node: vec![node],
        input: vec![value("x")],
        output: vec![value("label"), value("scores")],
        ..GraphProto::default()
    };
    let opset = |domain: &str, version| OperatorSetIdProto { domain: domain.into(), version };
    let opset_import = vec![opset("", 17), opset("ai.onnx.ml", 3)];
    let model = ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..ModelProto::default() };
    fs::write(folder.join("bare.onnx"), model.encode_to_vec()).expect("writes");
    let features = ["--features", "f_edge,f_more,f_noise", "--mean-move=-5,0,5", "--out", "trees.onnx"];
    let spans = ["--fitted", "2023-11-14T22:13:20Z,2023-11-15T22:13:20Z"];
    ok(folder, &[&["import", "bare.onnx"], &features[..], &spans, &LABEL].concat());
}

/// In the joint file trees keep the output of their labels, without which they are no ONNX.
#[test]
fn trees_run_beside_rows_and_sequences() {
    let folder = tempfile::tempdir().expect("folder");
    let tiny = format!("{DATA}/tiny.onnx");
    let names = ["f_late", "f_more", "f_noise", "f_sigma", "f_edge"];
    let value = |row: usize, column: usize| ((row * 31 + column * 17) % 97) as f64 / 97.0 - 0.5;
    let inputs: Vec<Vec<f64>> =
        (0..50).map(|row| (0..5).map(|column| value(row, column)).collect()).collect();
    let path = rows(folder.path(), &names, &inputs);
    let sequence = [&LABEL[..], &["--window", "4"]].concat();
    assert!(import(folder.path(), "foreign_sequence", "f_edge,f_late,f_noise", &sequence).status.success());
    for (transform, others) in
        [("SOFTMAX", [&tiny, "trees.onnx"]), ("NONE", [&tiny, "foreign_sequence.onnx"])]
    {
        trees(folder.path(), transform);
        let members = [&["trees.onnx"], &others[..]].concat();
        ok(folder.path(), &[&["ensemble"], &members[..], &["--out", "all.onnx"]].concat());
        let each: Vec<_> = members.iter().map(|member| predict(folder.path(), member, &path)).collect();
        // A sequence has no prediction of the rows before its first window.
        let rows = each.iter().map(Vec::len).min().expect("members");
        let mean = |row: usize| {
            std::array::from_fn(|k| each.iter().map(|p| p[row + p.len() - rows][k]).sum::<f64>() / 3.0)
        };
        near(&predict(folder.path(), "all.onnx", &path), &(0..rows).map(mean).collect::<Vec<_>>());
        let joint = Model::load(&folder.path().join("all.onnx")).expect("loads");
        assert_eq!(joint.card.members.len(), 3);
    }
}

#[test]
fn import_asks_for_what_it_cannot_know_and_tries_the_rest() {
    let folder = tempfile::tempdir().expect("folder");
    let import = |features: &str, flags: &[&str]| import(folder.path(), "foreign_net", features, flags);
    refused(&import("f_a,f_b", &LABEL), 2, "its input is [batch, 3], which does not fit 2 features");
    refused(&import("f_a,f_b,f_a", &LABEL), 2, "f_a is named twice");
    refused(&import("f_a,f_b,close", &LABEL), 2, "\"close\" is no feature");
    refused(&import("@nowhere", &LABEL), 2, "nowhere");
    refused(&import("f_a,f_b,f_c", &[]), 2, "--label");
    refused(&import("f_a,f_b,f_c", &["--label", "barrier:30s:3"]), 2, "horizon:30s:3");
    refused(&import("f_a,f_b,f_c", &[&LABEL[..], &["--temperature", "0"]].concat()), 2, "not above 0");
    refused(&import("f_a,f_b,f_c", &[&LABEL[..], &["--window", "5"]].concat()), 2, "does not fit --window 5");
    for ticks in ["-3", "nan", "inf", "x"] {
        let rule = format!("horizon:30s:{ticks}");
        refused(&import("f_a,f_b,f_c", &["--label", &rule]), 2, "no number of ticks from 0 up");
    }
    let sequence = |window: &str| {
        let flags = [&LABEL[..], &["--window", window]].concat();
        self::import(folder.path(), "foreign_sequence", "f_a,f_b,f_c", &flags)
    };
    refused(&sequence("3"), 2, "its input is [batch, 4, 3], which does not fit --window 3 and 3 features");
    assert!(!folder.path().join("foreign_net.onnx").exists());
    fs::write(folder.path().join("names"), "f_a\nf_b f_c\n").expect("writes");
    assert!(import("@names", &LABEL).status.success());
    let again =
        ["import", "foreign_net.onnx", "--features", "f_a,f_b,f_c", "--mean-move=0,0,0", "--out", "x.onnx"];
    let rest = ["--fitted", "2023-11-14T22:13:20Z,2023-11-15T22:13:20Z", "--label", "horizon:1s:3"];
    refused(&tool(folder.path(), &[&again[..], &rest].concat()), 2, "it has a card already");
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let broken = ["import", text, "--features", "f_a", "--mean-move=0,0,0", "--out", "x.onnx"];
    refused(&tool(folder.path(), &[&broken[..], &rest].concat()), 2, "not an ONNX file");
}

#[test]
fn an_ensemble_is_the_mean_of_its_members() {
    let folder = tempfile::tempdir().expect("folder");
    let tiny = format!("{DATA}/tiny.onnx");
    for (name, features) in
        [("foreign_logreg", "f_edge,f_more,f_noise"), ("foreign_net", "f_noise,f_late,f_edge")]
    {
        let flags = [&LABEL[..], &["--prior", "0.2,0.6,0.2"]].concat();
        assert!(import(folder.path(), name, features, &flags).status.success());
    }
    let members = [tiny.as_str(), "foreign_logreg.onnx", "foreign_net.onnx"];
    ok(folder.path(), &[&["ensemble"], &members[..], &["--out", "all.onnx"]].concat());

    let names = ["f_late", "f_more", "f_noise", "f_sigma", "f_edge"];
    let value = |row: usize, column: usize| ((row * 31 + column * 17) % 97) as f64 / 97.0 - 0.5;
    let inputs: Vec<Vec<f64>> =
        (0..50).map(|row| (0..5).map(|column| value(row, column)).collect()).collect();
    let path = rows(folder.path(), &names, &inputs);
    let each = members.map(|member| predict(folder.path(), member, &path));
    let mean = |row: usize| std::array::from_fn(|k| each.iter().map(|p| p[row][k]).sum::<f64>() / 3.0);
    near(&predict(folder.path(), "all.onnx", &path), &(0..50).map(mean).collect::<Vec<_>>());

    let card = read_card(&folder.path().join("all.onnx")).expect("a card");
    assert_eq!(card.features[..3], read_card(Path::new(&tiny)).expect("a card").features[..]);
    let hash = |member: &str| Model::load(&folder.path().join(member)).expect("loads").hash;
    let named: Vec<String> = card.members.iter().map(|member| member.blake3.clone()).collect();
    assert_eq!(named, members.map(hash));
    assert!(ok(folder.path(), &["inspect", "all.onnx"]).contains(&named[2]));
    // The same members make the same bytes.
    ok(folder.path(), &[&["ensemble"], &members[..], &["--out", "again.onnx", "--quiet"]].concat());
    let bytes = |name: &str| fs::read(folder.path().join(name)).expect("a model");
    assert!(bytes("all.onnx") == bytes("again.onnx"));
}

#[test]
fn members_that_mean_something_else_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let tiny = format!("{DATA}/tiny.onnx");
    let ensemble =
        |members: &[&str]| tool(folder.path(), &[&["ensemble"], members, &["--out", "all.onnx"]].concat());
    let import =
        |flags: &[&str]| assert!(import(folder.path(), "foreign_net", "f_a,f_b,f_c", flags).status.success());
    import(&["--label", "horizon:5s:3", "--interval", "1s"]);
    refused(&ensemble(&[&tiny, "foreign_net.onnx"]), 2, "foreign_net.onnx: labelled by horizon 5s");
    import(&["--label", "horizon:1s:3", "--interval", "5s"]);
    refused(&ensemble(&[&tiny, "foreign_net.onnx"]), 2, "rows of 5s");
    refused(&ensemble(&[&tiny]), 2, "");
    refused(&ensemble(&[&tiny, "nowhere.onnx"]), 2, "nowhere.onnx");
    assert!(!folder.path().join("all.onnx").exists());
    assert!(ensemble(&[&tiny, &tiny]).status.success());
    refused(&ensemble(&["all.onnx", &tiny]), 2, "an ensemble already");
}

#[test]
fn bench_says_how_fast() {
    let folder = tempfile::tempdir().expect("folder");
    let text = ok(folder.path(), &["bench", "--rows", "200", &format!("{DATA}/tiny.onnx")]);
    let found: Value = serde_json::from_str(&text).expect("JSON");
    let number = |value: &Value| value.as_f64().expect("a number");
    assert!(number(&found["live"]["p99_us"]) >= number(&found["live"]["p50_us"]));
    assert!(number(&found["batch_rows_per_s"]) > 0.0 && found["rows"] == 200);
    refused(&tool(folder.path(), &["bench", "nowhere.onnx"]), 2, "nowhere.onnx");
}
