//! No row depends on a later one: what `mes-check stage` says of our stages, of stages in other languages, and of
//! stages with bugs planted in them.

use std::{fs, path::Path, sync::OnceLock, thread};

use mes_golden::{shell, soak};
use serde_json::Value;
use tempfile::TempDir;

/// Bugs and the law that each of them breaks; one of each law in every test run, all in `make soak`.
const BUGS: [(&str, &str); 39] = [
    ("centred-window", "future"),
    ("future-close", "future"),
    ("unlagged-minute", "future"),
    ("day-normalised", "future"),
    ("min-max", "future"),
    ("bfill", "future"),
    ("label-leak", "future"),
    ("peek", "future"),
    ("batch-state", "batch"),
    ("late", "flush"),
    ("buffered", "flush"),
    ("state-over-sessions", "segments"),
    ("state-over-holes", "segments"),
    ("dst-hour", "clocks"),
    ("local-hour", "same"),
    ("clock", "same"),
    ("dice", "same"),
    ("changed-close", "columns"),
    ("rounded", "columns"),
    ("dropped-column", "columns"),
    ("nulls-for-zero", "columns"),
    ("skips-empty-rows", "rows"),
    ("duplicate", "rows"),
    ("reordered", "rows"),
    ("sorted-by-volume", "rows"),
    ("rounded-time", "rows"),
    ("out-of-range", "range"),
    ("against-the-largest", "predictions"),
    ("too-confident", "predictions"),
    ("shares-of-100", "predictions"),
    ("last-row-lost", "end"),
    ("silent", "end"),
    ("new-key", "runs"),
    ("dies", "runs"),
    ("hangs", "runs"),
    ("endless", "runs"),
    ("chatty", "runs"),
    ("nan", "runs"),
    ("cut-off", "runs"),
];

/// Runs the check and returns what it says and its exit code.
fn check(folder: &Path, stage: &str) -> (Value, Option<i32>) {
    let output = shell::run(folder, &format!("mes-check stage {stage}"), b"");
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{stage}: {error}: {text} {}", String::from_utf8_lossy(&output.stderr))
    });
    (report, output.status.code())
}

fn broken(report: &Value) -> Vec<(&str, &Value)> {
    let laws = report["laws"].as_array().expect("laws").iter();
    let broken = laws.filter(|law| law["holds"] == false);
    broken.map(|law| (law["law"].as_str().expect("a name"), &law["fault"])).collect()
}

/// Checks a stage that is in order; all laws but those named must have been judged.
fn passes(folder: &Path, stage: &str, not_judged: &[&str]) -> Value {
    let (report, code) = check(folder, stage);
    assert_eq!(broken(&report), [], "{stage}");
    assert_eq!(code, Some(0), "{stage}");
    for law in report["laws"].as_array().expect("laws") {
        let name = law["law"].as_str().expect("a name");
        assert_eq!(law["holds"] == true, !not_judged.contains(&name), "{stage}: {law}");
    }
    report
}

/// Runs `job` on every case, some at a time.
fn side_by_side<T: Sync>(cases: &[T], job: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(6)) {
            scope.spawn(|| part.iter().for_each(&job));
        }
    });
}

#[test]
fn planted_bugs_are_caught_under_their_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = |at: usize| BUGS[..at].iter().all(|(_, law)| *law != BUGS[at].1);
    let bugs: Vec<_> =
        (0..BUGS.len()).filter(|at| soak().is_some() || first(*at)).map(|at| BUGS[at]).collect();
    side_by_side(&bugs, |&(bug, law)| {
        let (report, code) = check(folder.path(), &format!("--as jsonl --horizon 30s -- mes-planted {bug}"));
        let found = broken(&report);
        let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, [law], "{bug}: {found:?}");
        assert_eq!(code, Some(1), "{bug}");
        if ["future", "segments", "clocks", "same"].contains(&law) {
            let fault = found[0].1;
            let told = ["row", "ts", "column", "words"].iter().all(|key| !fault[key].is_null());
            assert!(told && fault["wanted"] != fault["found"], "{bug}: {fault}");
        }
    });
}

#[test]
fn stages_without_a_bug_raise_no_alarm() {
    let folder = tempfile::tempdir().expect("a folder");
    passes(folder.path(), "--as jsonl -- mes-planted clean", &[]);
    passes(folder.path(), "--as jsonl -- mes-planted clean-predictions", &["clocks"]);
    let report = passes(folder.path(), "--as jsonl --horizon 30s -- mes-planted clean-labels", &[]);
    assert_eq!(report["warm_up"]["rows"]["f_body"], 0);
}

#[test]
fn any_program_can_be_a_stage() {
    let stages = shell::root().join("tests/stages");
    for (program, line) in [("python3", "momentum.py"), ("awk", "range.awk")] {
        if shell::run(&stages, &format!("command -v {program}"), b"").status.success() {
            let arguments = if program == "awk" { "-W interactive -f " } else { "" };
            let report = passes(&stages, &format!("-- {program} {arguments}{line}"), &[]);
            // Of the close 20 rows back nothing remains; of the highest price so far, all.
            let warm_up = &report["warm_up"]["rows"];
            assert!(warm_up["f_momentum"] == 20 || warm_up.get("f_range").is_some_and(Value::is_null));
        } else {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "skipped: no {program}");
        }
    }
}

#[test]
fn a_stage_that_hangs_is_gone_afterwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().display().to_string();
    let line = format!("--as jsonl --patience 1s -- bash -c 'sleep 3600 & mes-planted hangs {mark}; wait'");
    let (report, code) = check(folder.path(), &line);
    assert_eq!((broken(&report)[0].0, code), ("runs", Some(1)));
    let words = report["laws"][0]["fault"]["words"].as_str().expect("words");
    assert!(words.starts_with("it hangs: silent after 7280 rows"), "{words}");
    let left = fs::read_dir("/proc").expect("processes").flatten().filter(|process| {
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(&mark)
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn what_cannot_be_checked_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, code, words) in [
        ("-- no-such-program", 2, "no-such-program: no such program"),
        ("-- mes-features --labels", 2, "say with --horizon how far ahead they look"),
        ("--rows /dev/null -- cat", 3, "/dev/null"),
        ("--rows no-such-file -- cat", 2, "no-such-file: no such file"),
    ] {
        let output = shell::run(folder.path(), &format!("mes-check stage {arguments}"), b"");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && said.contains(words), "{arguments}: {said}");
    }
}

/// Files of one synthetic cash session, and a model of the one before.
fn synthetic() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let line = "mes-fetch synth -q --until 2026-11-18 --sessions 1 --seed 3 --session rth |
                mes-features -q --labels=horizon > before.arrow &&
            mes-train logistic --out model.onnx before.arrow &&
            mes-train lstm --epochs 1 --hidden 8 --window 20 --out lstm.onnx before.arrow &&
            mes-fetch synth -q --until 2026-11-20 --sessions 1 --seed 4 --session rth --ticks --to csv |
                head -n 20000 > ticks.csv &&
            mes-bars -q --session rth --to csv ticks.csv | head -n 3000 > bars.csv &&
            mes-bars -q --session rth ticks.csv | mes-features -q > features.arrow";
        shell::ok(folder.path(), line, b"");
        folder
    });
    folder.path()
}

const OWN_ROWS: [&str; 3] = ["columns", "segments", "clocks"];

#[test]
fn bars() {
    let stages = [
        "--ticks --resamples -- mes-bars -q",
        "--ticks --resamples -- mes-bars -q --interval 5s --session rth",
        "--ticks --resamples --as jsonl -- mes-bars -q --to jsonl --by volume --size 500",
        "--resamples -- mes-bars -q --interval 1m",
        "--rows ticks.csv --resamples -- mes-bars -q --session rth",
    ];
    side_by_side(&stages, |stage| drop(passes(synthetic(), stage, &OWN_ROWS)));
}

#[test]
fn features() {
    let folder = synthetic();
    let report = passes(folder, "-- mes-features -q --warm-within 24h", &[]);
    let warm_up = &report["warm_up"]["rows"];
    for (name, rows) in [("f_day", 0), ("f_vol_z_30", 29), ("f_stoch_k", 13), ("f_rv_60", 60)] {
        assert_eq!(warm_up[name], rows, "{name}");
    }
    assert!(warm_up["f_ret_60"].is_u64(), "an average that forgets must come to agree: {warm_up}");
    let stages = [
        "--as jsonl --header -- mes-features -q --warm-within 24h --to jsonl",
        "--horizon 30s -- mes-features -q --warm-within 24h --labels",
        "--horizon 6m -- mes-features -q --labels=barrier --only candle,returns",
        "--rows bars.csv --interval 1s -- mes-features -q --warm-within 24h",
    ];
    side_by_side(&stages, |stage| {
        let real = stage.starts_with("--rows");
        drop(passes(folder, stage, if real { &["segments"] } else { &[] }));
    });
}

#[test]
fn predictions() {
    let stages = [
        "-- mes-predict -q --rule ema-cross",
        "-- mes-predict -q --rule random --rate 0.1",
        "--rows features.arrow -- mes-predict -q --model model.onnx",
        "--rows features.arrow -- mes-predict -q --model lstm.onnx",
    ];
    side_by_side(&stages, |stage| {
        let model = stage.starts_with("--rows");
        drop(passes(synthetic(), stage, if model { &["segments", "clocks"] } else { &["clocks"] }));
    });
}

/// The same on a real day of ES, where the folder of market data lies beside the repository.
#[test]
fn a_real_day() {
    let Some(data) = shell::shared_data() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let ticks = data.join("es-1s-2019-12-16/ESH0_20191216_ticks.csv.gz");
    // The hour around its only break; the whole day in `make soak`.
    let from = if soak().is_some() { 2 } else { 400_000 };
    let line = format!(
        "zcat {0} | sed -n '1p;{from},$p' | mes-bars -q --symbol ES > bars.arrow &&
         zcat {0} | sed -n '1p;60000,90000p' > ticks.csv",
        ticks.display()
    );
    shell::ok(folder.path(), &line, b"");
    let stages = [
        ("--rows bars.arrow -- mes-features -q --warm-within 24h", &[][..]),
        ("--rows bars.arrow --horizon 30s -- mes-features -q --warm-within 24h --labels", &[]),
        ("--rows bars.arrow -- mes-predict -q --rule ema-cross", &["clocks"]),
        ("--rows ticks.csv --resamples -- mes-bars -q --symbol ES", &OWN_ROWS),
    ];
    side_by_side(&stages, |(stage, not_judged)| drop(passes(folder.path(), stage, not_judged)));
}
