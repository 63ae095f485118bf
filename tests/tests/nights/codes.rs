//! What the pipe of live.sh ends with, which decides whether a unit starts it again; what is looked at before; how a day
//! ends by itself.

use std::{fs, path::Path, process::Stdio};

use mes_golden::shell;

use crate::pipe::{CASH, code, exchange, folder, live, trades, until};

/// Returns the exit codes after which the unit stays down.
fn kept_down(folder: &Path) -> Vec<i32> {
    let unit = shell::ok(folder, "mes-exec service --account PRAC-A --env env", b"");
    let unit = String::from_utf8(unit).expect("text");
    assert!(unit.contains("\nRestart=on-failure\n"), "{unit}");
    let codes = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus=")).expect("codes");
    codes.split(' ').map(|code| code.parse().expect("a code")).chain([0]).collect()
}

#[test]
fn a_pipe_is_started_again_only_where_that_doubles_nothing() {
    let (_kept, folder) = folder(1_000_001);
    let _sim = exchange(&folder, CASH, "2026-11-20T15:00:00Z", 5);
    let down = kept_down(&folder);
    let start = |name: &'static str, account: &str, first: &str| (name, live(&folder, name, account, first));
    // Whether it is started again: what nobody has to look at first.
    let mut pipes = [
        (start("killed", "PRAC-A", ""), Some(137), true),
        (start("upstream-died", "PRAC-B", ""), Some(4), false),
        (start("stopped", "PRAC-C", ""), Some(4), false),
        (start("no-key", "PRAC-A", "export TOPSTEPX_API_KEY=;"), Some(2), false),
        (start("no-account", "PRAC-NONE", ""), Some(2), false),
        (start("no-rules", "PRAC-A", "RULES=nowhere.toml;"), Some(2), false),
        (start("away", "PRAC-A", "export TOPSTEPX_API_URL=http://127.0.0.1:1;"), Some(1), true),
    ];
    for ((name, _), ..) in &pipes[..3] {
        trades(&folder, name);
    }
    let of = |index: usize| &pipes[index].0.1;
    assert!(of(0).signal_one("KILL", "mes-exec") && of(1).signal_one("KILL", "mes-fetch"));
    of(2).signal("INT");
    for ((name, pipe), wanted, again) in &mut pipes {
        let code = code(&folder, name, pipe);
        assert_eq!(code, *wanted, "{name}");
        assert_eq!(!down.contains(&code.unwrap_or(0)), *again, "{name}");
    }
    // What was killed goes on with the account, and what is in its run directory keeps nobody out.
    let journal = || fs::read_link(folder.join("run-killed/journal.jsonl")).ok();
    let before = journal();
    let mut again = live(&folder, "killed", "PRAC-A", "");
    until(|| journal() != before, "the second start begins no journal");
    trades(&folder, "killed");
    again.signal("INT");
    assert_eq!(code(&folder, "killed", &mut again), Some(4));
}

#[test]
fn a_day_ends_by_itself_as_the_market_closes() {
    let (_kept, folder) = folder(1_000_002);
    shell::ok(&folder, "mes-fetch synth -q --sessions 1 --seed 5 --ticks --session all > ticks.arrow", b"");
    // 16:59 in New York.
    let _sim = exchange(&folder, "ticks.arrow", "2026-11-20T21:59:00Z", 10);
    let mut pipe = live(&folder, "day", "PRAC-A", "");
    assert_eq!(code(&folder, "day", &mut pipe), Some(0));
    let journal = fs::read_to_string(folder.join("run-day/journal.jsonl")).expect("a journal");
    let kinds: Vec<_> = journal.lines().rev().take(2).collect();
    assert!(kinds[0].contains("\"statement\"") && kinds[1].contains("\"end\""), "{kinds:?}");
    // Nothing to do any more, and no failure of the unit.
    let due =
        shell::bash(&folder, "eval \"$(mes-sim env --run sim)\"; mes-exec due").stdin(Stdio::null()).output();
    let due = due.expect("mes-exec");
    let said = String::from_utf8_lossy(&due.stderr);
    assert_eq!((due.status.code(), said.contains("that of 2026-11-23")), (Some(1), true), "{said}");
}

#[test]
fn what_is_not_fit_for_a_day_is_found_before_it() {
    let (_kept, folder) = folder(1_000_003);
    let _sim = exchange(&folder, CASH, "2026-11-20T15:00:00Z", 5);
    let rule = "export MES_PREDICT='--rule random' HOME=$PWD MES_ACCOUNT=PRAC-A";
    let doctor = |before: &str, flags: &str| {
        let line =
            format!("eval \"$(mes-sim env --run sim)\"; {rule}; {before} mes-exec doctor --login {flags}");
        let output = shell::run(&folder, &line, b"");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, said) = doctor("", "");
    assert_eq!((code, said.contains("FAIL")), (Some(0), false), "{said}");
    assert!(said.contains("ok    account     account PRAC-A: an exercise"), "{said}");
    fs::write(folder.join("env"), "TOPSTEPX_USERNAME=someone\nTOPSTEPX_API_KEY=hunter2\n").expect("a file");
    fs::create_dir_all(folder.join("state/topstepx-1")).expect("a folder");
    let shifted = "export MES_CLOCK=${MES_CLOCK/T15:00:00/T15:01:35};";
    let cut = "printf '{\"kind\":\"row\"' > run/journal.jsonl;";
    for (before, flags, code, found) in [
        ("export TOPSTEPX_API_KEY=;", "", 2, "FAIL  key "),
        ("chmod 644 env;", "--env env", 2, "FAIL  key         others can read env (mode 644): chmod 600 env"),
        ("chmod 600 env;", "--env env", 0, "ok    key "),
        (
            "",
            "--rules mes-1k",
            2,
            "FAIL  rules       the rules mes-1k are flat by 16:30, and TopstepX closes at 16:10",
        ),
        ("", "--costs owner", 0, "warn  costs "),
        ("", "--calendar none.csv", 2, "FAIL  rules "),
        (shifted, "", 2, "FAIL  offset      this clock is 9"),
        ("mes-sim fault --run sim clock-ahead --for 600 > one.json;", "", 0, "warn  offset "),
        (
            "export TOPSTEPX_API_URL=http://127.0.0.1:1;",
            "",
            1,
            "FAIL  service     http://127.0.0.1:1 does not answer",
        ),
        ("export MES_PREDICT='--rule nonsense';", "", 2, "FAIL  model "),
        ("mkdir -p run; chmod 777 run;", "", 2, "FAIL  run         run: others may look in (mode 777)"),
        ("chmod 700 run; trap '' XFSZ; ulimit -f 0;", "", 2, "FAIL  disk        run takes nothing"),
        (cut, "", 0, "warn  journal     the last day was cut off"),
        ("touch state/topstepx-1/exec.halt;", "--state state", 2, "FAIL  halts       account 1 was killed"),
    ] {
        let (came, said) = doctor(before, flags);
        assert_eq!((came, said.contains(found)), (Some(code), true), "{before} {flags}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    // JSON, and what nobody is asked.
    let (_, said) = doctor("", "--json");
    let checks: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&checks[0]["check"], &checks[0]["came"]), (&"key".into(), &"ok".into()));
}
