//! Whatever has a journal has a report: `mes-bt report` says of a backtest's journal what the backtest said, of the pipe's the
//! same, and `mes-bt table` lays its records flat.

use std::{fs, path::Path, sync::OnceLock};

use mes_golden::{market, shell};
use serde_json::Value;
use tempfile::TempDir;

/// A backtest with its journal, and what the pipe keeps of the same rows: made once, in a folder of one's own.
fn traded() -> TempDir {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("rows.jsonl"), market::eventful(3)).expect("rows");
        let rules = shell::root().join(market::RULES);
        fs::copy(rules, folder.path().join("rules.toml")).expect("rules");
        let line = "mes-bt -q --rules rules.toml --out own --journal journal.jsonl rows.jsonl > own.json &&
             mes-risk --rules rules.toml < rows.jsonl | tee pipe.jsonl | mes-exec --rules rules.toml > /dev/null &&
             rm -r run && gzip -k journal.jsonl && zstd -q journal.jsonl";
        shell::ok(folder.path(), line, b"");
        folder
    });
    let folder = tempfile::tempdir().expect("a folder");
    shell::ok(folder.path(), &format!("cp -r {}/. .", made.path().display()), b"");
    folder
}

fn ok(folder: &Path, line: &str) -> String {
    String::from_utf8(shell::ok(folder, line, b"")).expect("text")
}

#[test]
fn the_report_of_a_journal_is_that_of_the_backtest() {
    let folder = traded();
    let folder = folder.path();
    for (name, line) in [
        ("file", "mes-bt report -q journal.jsonl"),
        ("pipe", "mes-bt report -q pipe.jsonl"),
        ("gzip", "mes-bt report -q journal.jsonl.gz"),
        ("zstd", "mes-bt report -q journal.jsonl.zst"),
        ("stdin", "cat journal.jsonl | mes-bt report -q"),
    ] {
        let printed = ok(folder, &format!("{line} --out {name}"));
        assert_eq!(printed, fs::read_to_string(folder.join("own.json")).expect("own"), "{name}");
        // A journal may come from anybody: what it says is not sealed as made here.
        let differ = ok(folder, &format!("diff -rq own {name} || true"));
        assert_eq!(differ, "Only in own: made-here\n", "{name}");
    }
    let summary: Value = serde_json::from_str(&ok(folder, "cat own/summary.json")).expect("JSON");
    assert!(summary["trades"]["all"]["trades"].as_u64().is_some_and(|trades| trades >= 20), "{summary}");
}

#[test]
fn what_a_journal_lacks_is_said() {
    let folder = traded();
    let folder = folder.path();
    for (cut, said) in [
        ("grep -v '\"kind\":\"end\"' journal.jsonl | head -n -1", "has no end record"),
        ("head -n -1 journal.jsonl", "the last statement is missing"),
        ("head -c -20 journal.jsonl", "the last line is cut off"),
    ] {
        let line = format!("{cut} > cut.jsonl; mes-bt report --out cut cut.jsonl 2> said && cat said >&2");
        let output = shell::run(folder, &line, b"");
        let (json, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && told.contains(said), "{cut}: {told}");
        let summary: Value = serde_json::from_str(&json).expect("JSON");
        let warnings = summary["warnings"].to_string();
        assert!(warnings.contains("the journal is not whole") && warnings.contains(said), "{warnings}");
    }
}

#[test]
fn a_journal_is_judged_by_its_own_calendar() {
    let folder = traded();
    let calendar = shell::root().join("data/cme_calendar.csv");
    let line = format!(
        "(cat {}; echo) > other.csv; mes-bt report --calendar other.csv journal.jsonl",
        calendar.display()
    );
    let output = shell::run(folder.path(), &line, b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("another calendar"), "{said}");
}

#[test]
fn tables_hold_every_record_in_every_format() {
    let folder = traded();
    let folder = folder.path();
    let count = |what: &str| ok(folder, what).trim().parse::<u64>().expect("a number");
    for (what, records) in [
        ("fills", "jq -c 'select(.kind == \"statement\").fills[]' journal.jsonl | wc -l"),
        ("orders", "grep -c '\"kind\":\"order\"' journal.jsonl"),
        ("denials", "grep -c '\"kind\":\"deny\"' journal.jsonl"),
        ("statements", "grep -c '\"kind\":\"statement\"' journal.jsonl"),
    ] {
        let rows = count(&format!("mes-bt table {what} journal.jsonl --to csv | tail -n +2 | wc -l"));
        assert!(rows > 0 && rows == count(records), "{what}: {rows}");
        assert_eq!(count(&format!("mes-bt table {what} --to jsonl journal.jsonl.gz | wc -l")), rows);
        for (format, magic) in [("parquet", "PAR1"), ("arrow", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}")] {
            let bytes = shell::ok(folder, &format!("mes-bt table {what} --to {format} journal.jsonl"), b"");
            assert!(String::from_utf8_lossy(&bytes).starts_with(magic), "{what} as {format}");
        }
    }
    // To the cent: what all fills brought and cost is what the account made.
    let sum = "mes-bt table fills --to jsonl journal.jsonl | jq -s 'map((.gross_usd - .commission_usd) * 100) | add | round'";
    let net = ok(folder, sum).trim().parse::<f64>().expect("a number");
    let own: Value = serde_json::from_str(&ok(folder, "cat own.json")).expect("JSON");
    assert_eq!(own["account"]["net_usd"].as_f64().map(|net| (net * 100.0).round()), Some(net));
}

/// A day on paper replays to itself: what the session report says of it is what mes-bt diff says, and how it ended.
#[test]
fn a_day_has_its_session_report_however_it_ended() {
    let folder = traded();
    let folder = folder.path();
    for (name, make, ended, differs) in [
        ("whole", "cp pipe.jsonl whole.jsonl", "in order", false),
        ("packed", "head -n 400 pipe.jsonl | gzip > packed.jsonl", "it has no end record", true),
        ("cut", "head -c -20 pipe.jsonl > cut.jsonl", "the last line is cut off", true),
        ("killed", "head -n 400 pipe.jsonl > killed.jsonl", "it has no end record", true),
        ("begun", "head -n 1 pipe.jsonl > begun.jsonl", "it has no end record", false),
    ] {
        let line = format!(
            "{make}; mes-bt session -q {name}.jsonl --against own --out {name}; cat {name}/session.txt"
        );
        let printed = ok(folder, &line);
        let session: Value =
            serde_json::from_str(&ok(folder, &format!("cat {name}/session.json"))).expect("JSON");
        assert!(
            session["ended"].as_str().is_some_and(|said| said.contains(ended)),
            "{name}: {}",
            session["ended"]
        );
        assert!(printed.contains(ended) && printed.contains("commission"), "{name}: {printed}");
        let verdict = session["replay"]["verdict"].as_str();
        match name {
            "begun" => assert_eq!(session["replay"]["without"], "it has no row"),
            _ => assert_eq!(verdict != Some("nothing differs"), differs, "{name}: {verdict:?}"),
        }
        let page = fs::read_to_string(folder.join(name).join("session.html")).expect("a page");
        assert!(page.contains("class=\"candles\"") == (name != "begun"), "{name}");
    }
    let twice = "mes-bt session -q whole.jsonl --against own --out again > /dev/null; diff -r whole again";
    assert_eq!(ok(folder, twice), "");
    // Its trades are those of the backtest, so as much was to be expected, and it differs in nothing.
    let session: Value = serde_json::from_str(&ok(folder, "cat whole/session.json")).expect("JSON");
    assert_eq!(session["against"]["standing"]["z"], 0.0);
    assert_eq!(session["replay"]["difference_usd"], 0.0);
    assert_eq!(
        session["summary"],
        serde_json::from_str::<Value>(&ok(folder, "mes-bt report -q pipe.jsonl")).expect("JSON")
    );
}

#[test]
fn a_session_that_cannot_be_read_or_kept_is_one_line() {
    let folder = traded();
    for (line, code, said) in [
        ("mes-bt session none.jsonl", 2, "none.jsonl"),
        ("mes-bt session rows.jsonl", 3, "unknown kind"),
        ("mes-bt session < /dev/null", 3, "empty"),
        ("mes-bt session pipe.jsonl > /dev/full", 1, "No space left"),
        ("mes-bt session pipe.jsonl --against .", 2, "trades.csv"),
        ("mes-bt days .  --against own --apart 3", 2, "apart"),
        ("mes-bt days none", 2, "none"),
        ("mes-bt compare own", 2, "RUN"),
        ("mes-bt compare own none", 2, "none"),
    ] {
        let output = shell::run(folder.path(), line, b"");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(code) && told.contains(said),
            "{line}: {:?} {told}",
            output.status
        );
    }
}

#[test]
fn days_say_when_the_model_is_to_be_stopped_and_runs_stand_beside_each_other() {
    let folder = traded();
    let folder = folder.path();
    // The same days are no drift; a backtest that promised more is.
    let line = "mkdir days && cp pipe.jsonl days/a.jsonl && ln -s a.jsonl days/last.jsonl && echo broken > days/b.jsonl &&
         mes-bt days -q days --against own --check --html days.html > days.json; echo $?;
         mkdir rich && awk -F, -v OFS=, 'NR > 1 { $10 += 100 } 1' own/trades.csv > rich/trades.csv &&
         mes-bt days -q days --against rich --check > rich.json 2> said; echo $?";
    assert_eq!(ok(folder, line), "0\n4\n");
    let said = fs::read_to_string(folder.join("said")).expect("said");
    assert!(said.contains("STOP TRUSTING THE MODEL"), "{said}");
    let read =
        |name: &str| -> Value { serde_json::from_str(&ok(folder, &format!("cat {name}"))).expect("JSON") };
    let (same, rich) = (read("days.json"), read("rich.json"));
    assert_eq!((same["drift"]["signalled"].is_null(), rich["drift"]["signalled"][0].is_u64()), (true, true));
    assert_eq!(
        (same["followed"].as_str(), same["left_out"][0]["journal"].as_str()),
        (Some("paper"), Some("b.jsonl"))
    );
    let trades = |days: &Value| {
        days["days"].as_array().expect("days").iter().map(|day| day["trades"].as_u64()).sum::<Option<u64>>()
    };
    let own = read("own.json");
    assert_eq!(trades(&same), own["trades"]["all"]["trades"].as_u64());

    let compared = "mes-bt --rules rules.toml --fills optimistic -q --out other rows.jsonl > /dev/null;
         mes-bt compare -q own other pipe.jsonl --html compare.html";
    let compared: Value = serde_json::from_str(&ok(folder, compared)).expect("JSON");
    let differs: Vec<_> =
        compared["differs"].as_array().expect("keys").iter().filter_map(|key| key["key"].as_str()).collect();
    assert_eq!(differs, ["fills.model"]);
    assert_eq!(compared["paired"][1]["mean_usd"], 0.0, "a run less its own journal");
    assert_ne!(compared["paired"][0]["mean_usd"], 0.0);
}

#[test]
fn a_day_that_was_killed_gets_its_report_afterwards() {
    let folder = traded();
    let folder = folder.path();
    ok(
        folder,
        "mkdir -p run/journals && head -n 900 journal.jsonl > run/journals/whole.jsonl && : > run/journals/never.jsonl",
    );
    ok(folder, "head -n 400 journal.jsonl | head -c -9 > run/journals/killed.jsonl");
    let session = format!("{}/pipelines/session.sh", shell::root().display());
    let written = |line: &str| ok(folder, &format!("{line} 2>&1 | sed -n 's/^report in //p'"));
    assert_eq!(written(&session), "run/sessions/killed/session.html\nrun/sessions/whole/session.html\n");
    assert_eq!(written(&session), "", "they are there");
    ok(folder, "touch -d '+1 minute' run/journals/whole.jsonl");
    assert_eq!(written(&session), "run/sessions/whole/session.html\n", "the day went on");
    assert_eq!(
        written(&format!("{session} run/journals/killed.jsonl")),
        "run/sessions/killed/session.html\n"
    );

    ok(folder, "rm -r run/sessions && echo '{' > run/journals/broken.jsonl");
    let failed = shell::run(folder, &session, b"");
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert!(folder.join("run/sessions/whole/session.html").exists(), "the others are written all the same");
}
