//! Reports that somebody else made: whatever they say, `mes-bt verify` writes nothing outside its own folder, starts no
//! program but the tools, and asks before it reads what they name.

use std::{collections::BTreeMap, fs, os::unix::fs::symlink, path::Path, sync::OnceLock};

use mes_golden::shell;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A backtest of labelled features, with its report, made once.
fn honest() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let line = "mkdir data &&
             mes-fetch synth -q --sessions 1 --seed 3 --session rth |
                 mes-features -q --labels=horizon --only ema --to parquet > data/features.parquet &&
             mes-predict -q --rule random --rate 0.003 --to parquet data/features.parquet > chance.parquet &&
             mes-bt -q --out run chance.parquet > /dev/null";
        shell::ok(folder.path(), line, b"");
        folder
    });
    folder.path()
}

fn summary() -> Value {
    serde_json::from_slice(&fs::read(honest().join("run/summary.json")).expect("a summary")).expect("JSON")
}

/// A person's folder with a `.bashrc`, the honest rows, and this report.
fn home(report: &Value) -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join(".bashrc"), "mine\n").expect("writes");
    fs::create_dir(home.path().join("data")).expect("a folder");
    for name in ["data/features.parquet", "chance.parquet"] {
        fs::copy(honest().join(name), home.path().join(name)).expect("copies");
    }
    fs::write(home.path().join("report.json"), report.to_string()).expect("writes");
    home
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("reads").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.display().to_string(), fs::read(&path).unwrap_or_default())),
        }
    }
    found
}

/// Verifies a report to the bottom and returns the exit code and what was said; nothing of the folder may have changed.
fn verify(report: &Value, flags: &str) -> (Option<i32>, String) {
    let home = home(report);
    let before = files(home.path());
    let output = shell::run(home.path(), &format!("mes-bt verify -q {flags} report.json"), b"");
    assert_eq!(files(home.path()), before, "{report}");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// The link that a tool added.
fn link<'a>(report: &'a mut Value, tool: &str) -> &'a mut Value {
    let links = report["lineage"].as_array_mut().expect("a chain");
    links.iter_mut().find(|link| link["tool"] == tool).expect("the tool")
}

#[test]
fn no_key_of_a_report_becomes_a_flag() {
    for key in
        ["lineage", "to", "out", "LINEAGE", "-", "calendar", "x y", "labels=barrier --lineage", "\u{1b}[2J"]
    {
        for value in
            [json!(".bashrc"), json!("../.bashrc"), json!("/tmp/out"), json!("--out=.bashrc"), json!(true)]
        {
            let mut report = summary();
            link(&mut report, "mes-features")["settings"]["labels"][key] = value;
            let (code, said) = verify(&report, "--yes --deep");
            assert_eq!(code, Some(1), "{key}: {said}");
            assert!(said.contains("cannot re-run: mes-features: the setting"), "{key}: {said}");
            assert!(!said.contains('\u{1b}'), "{said:?}");
        }
    }
    for tool in ["mes-fetch", "mes-features", "mes-predict"] {
        for key in ["out", "lineage", "to", "threads", "quiet", "-q"] {
            let mut report = summary();
            link(&mut report, tool)["settings"][key] = json!(".bashrc");
            let (code, said) = verify(&report, "--yes --deep");
            assert!(code == Some(1) && said.contains("is unknown"), "{tool} {key}: {said}");
        }
        let mut report = summary();
        link(&mut report, tool)["run"] = json!("sh -c 'echo > .bashrc'");
        let (code, said) = verify(&report, "--yes --deep");
        assert!(code == Some(1) && said.contains("the key run"), "{tool}: {said}");
    }
}

#[test]
fn a_value_is_what_its_setting_takes_or_nothing_runs() {
    let hostile = [
        "--out=.bashrc",
        "-",
        "../../.bashrc",
        "/tmp/x",
        "$(touch .bashrc)",
        "a;b",
        "a|b",
        "\n--to\ncsv",
        "",
    ];
    for (tool, key) in [
        ("mes-fetch", "seed"),
        ("mes-fetch", "edge"),
        ("mes-fetch", "session"),
        ("mes-fetch", "from"),
        ("mes-fetch", "until"),
        ("mes-fetch", "ticks"),
        ("mes-fetch", "calendar"),
        ("mes-features", "only"),
        ("mes-features", "set"),
        ("mes-predict", "rule"),
        ("mes-predict", "seed"),
        ("mes-predict", "model"),
        ("mes-predict", "script"),
        ("mes-predict", "in_sample"),
    ] {
        for value in
            hostile.map(|text| json!(text)).into_iter().chain([json!(["--to", ".bashrc"]), json!({"a": "b"})])
        {
            let mut report = summary();
            link(&mut report, tool)["settings"][key] = value.clone();
            let (code, said) = verify(&report, "--yes --deep");
            assert!(code == Some(1) && said.contains("cannot re-run"), "{tool} {key} {value}: {said}");
        }
    }
    for key in ["rules_blake3", "costs_blake3", "calendar_blake3", "ledger_blake3", "from", "fills"] {
        for value in hostile {
            let mut report = summary();
            report["settings"][key] = json!(value);
            let (code, said) = verify(&report, "--yes");
            assert!(code == Some(1) && said.contains("cannot re-run"), "{key} {value}: {said}");
        }
    }
}

#[test]
fn a_rule_of_a_report_reads_no_file_by_name() {
    let mut report = summary();
    link(&mut report, "mes-predict")["settings"]["rule"] = json!("script:.bashrc");
    let (code, said) = verify(&report, "--yes");
    assert!(code == Some(1) && said.contains("is not one that it takes"), "{said}");
    // A name like a flag is still a file's, and links are not followed.
    let home = home(&summary());
    let rename = "mv chance.parquet -- --journal=.bashrc.parquet && mkdir away && mv data/features.parquet away/x.parquet";
    shell::ok(home.path(), rename, b"");
    symlink("../away/x.parquet", home.path().join("data/features.parquet")).expect("a link");
    let before = files(home.path());
    let output = shell::run(home.path(), "mes-bt verify -q --yes report.json", b"");
    assert_eq!(files(home.path()), before);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(0) || said.contains("cannot re-run"), "{said}");
}

#[test]
fn a_report_from_elsewhere_is_asked_about() {
    // As it came: refused until a person agrees, and told what would be read.
    let (code, said) = verify(&summary(), "");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("not made here") && said.contains("data/features.parquet") && said.contains("--yes"),
        "{said}"
    );
    let (code, said) = verify(&summary(), "--yes");
    assert_eq!(code, Some(0), "{said}");
    // Here, where it was made, nobody is asked, until a byte of it changes.
    shell::ok(honest(), "mes-bt verify -q run", b"");
    let changed = "cp -r run other && jq '.account.net_usd += 1' run/summary.json > other/summary.json && mes-bt verify -q other";
    let output = shell::run(honest(), changed, b"");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("not made here"), "{said}");
    // A seal that somebody else brought along does not fit.
    let forged = "rm -rf other && cp -r run other && XDG_STATE_HOME=$PWD/elsewhere mes-bt -q --out other chance.parquet > /dev/null &&
         test -f other/made-here && mes-bt verify -q other";
    let output = shell::run(honest(), forged, b"");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
