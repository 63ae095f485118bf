//! `alerts.sh` beside `live.sh`: a person is told of the day as it is, from the records of risk and of mes-exec alike, and
//! whatever becomes of the teller, trading goes on.

use std::fs;

use serde_json::Value;

use crate::pipe::{CASH, Group, code, exchange, folder, live, trades, until};

#[test]
fn a_person_is_told_of_the_day_and_trading_never_waits_for_it() {
    let (_kept, folder) = folder(1_000_004);
    let _sim = exchange(&folder, CASH, "2026-11-20T15:00:00Z", 5);
    let mut pipe = live(&folder, "told", "PRAC-A", "");
    trades(&folder, "told");
    let teller = |name: &str| {
        let script = mes_golden::shell::root().join("pipelines/alerts.sh");
        let line = format!("eval \"$(mes-sim env --run sim)\"; MES_RUN=run-told exec {}", script.display());
        Group::start(&folder, name, &line)
    };
    let records = || fs::read_to_string(folder.join("run-told/alerts/alerts.jsonl")).unwrap_or_default();
    let told = |kind: &str| {
        let lines = records();
        let due = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        due.filter(|line| line["due"]["alert"]["kind"] == kind).count()
    };
    let mut first = teller("first");
    until(|| told("entry") > 0 && told("exit") > 0, "no trade is told");

    // What mes-exec keeps is read by a few fields: these are they.
    let cut = "mes-sim fault line-cut --run sim > cut.json";
    mes_golden::shell::ok(&folder, cut, b"");
    until(|| told("connection") > 0 && told("reconnected") > 0, "a lost line is not told");

    // One that hangs, and then one that dies.
    let statements = || {
        let journal = fs::read_to_string(folder.join("run-told/journal.jsonl")).unwrap_or_default();
        journal.matches("\"kind\":\"statement\"").count()
    };
    first.signal("STOP");
    let before = statements();
    until(|| statements() > before + 30, "trading waits for who tells of it");
    first.signal("KILL");
    assert!(first.ends_within(std::time::Duration::from_secs(5)));
    let mut second = teller("second");

    pipe.signal("INT");
    assert_eq!(code(&folder, "told", &mut pipe), Some(4));
    until(|| told("end") == 1, "the end is not told");
    assert_eq!((told("damaged"), told("start")), (0, 1), "{}", records());
    second.signal("INT");
    let _ = code(&folder, "second", &mut second);
}
