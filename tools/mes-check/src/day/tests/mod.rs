//! A whole good day keeps every law, and each law finds what is planted against it, under its name.

mod script;

use mes_core::order::{Action as Wanted, ExitReason};
use serde_json::{Value, json};

use super::report::{Finding, Report};
use script::{Records, Script};

/// In New York 10:00.
const MORNING: &str = "2026-11-20T15:00:00Z";

/// Opens a position for ten seconds.
fn good(at: &str) -> Records {
    let mut script = Script::begin(at);
    script.enter(1);
    script.quiet(5_000);
    script.row();
    script.quiet(5_000);
    script.order(2, Wanted::Exit { reason: ExitReason::Signal });
    script.quiet(3_000);
    script.row();
    script.end()
}

fn broken(records: &Records) -> Vec<&'static str> {
    records.judge().broken()
}

fn not_checked(report: &Report) -> Vec<&'static str> {
    let unchecked = report.0.iter().filter(|(_, finding)| matches!(finding, Finding::NotChecked(_)));
    unchecked.map(|(law, _)| law.name).collect()
}

/// Plants something, and wants it found under a name.
fn planted(law: &str, plant: impl FnOnce(&mut Records)) {
    let mut records = good(MORNING);
    plant(&mut records);
    let report = records.judge();
    assert!(report.broken().contains(&law), "{law} is not found:\n{}", report.text());
}

fn statement(records: &mut Records, index: usize) -> &mut Value {
    let all = records.risk.iter_mut().filter(|record| record["kind"] == "statement");
    all.into_iter().nth(index).expect("a statement")
}

/// Takes the stop out of what mes-exec and the exchange tell, and has mes-exec look, in vain.
fn without_stop(records: &mut Records) {
    records.exchange.retain(|record| record["customTag"] != "mes.n.1-SL");
    let stop = |line: &Value| line.to_string().contains("mes.n.1-SL");
    records.exec.retain(|line| !stop(line) || line.to_string().contains("orders"));
    for line in &mut records.exec {
        if let Some(orders) = line.pointer_mut("/event/answer/orders").and_then(Value::as_array_mut) {
            orders.retain(|order| order["customTag"] != "mes.n.1-SL");
        }
    }
    let entered = records.exec_line("\"entry\":true");
    let asked = json!({"action": {"action": "call", "call": 900, "purpose": "look",
        "request": {"request": "positions", "account": 7}}});
    let answered = json!({"event": {"event": "answer", "call": 900, "answer": {"answer": "positions", "positions": []}}});
    let timer = json!({"event": {"event": "timer"}});
    let late = records.exec_line("\"exit\"");
    for (line, ms) in [(answered, 4_010), (asked, 4_000), (timer, 4_000)] {
        let mut whole = records.at(entered, ms);
        whole.as_object_mut().expect("a line").remove("action");
        for (name, value) in line.as_object().expect("a line") {
            whole[name] = value.clone();
        }
        records.exec.insert(late, whole);
    }
}

#[test]
fn a_good_day_keeps_every_law_and_nothing_is_left_unchecked() {
    let report = good(MORNING).judge();
    assert_eq!(report.broken(), [""; 0], "{}", report.text());
    let held = report.0.iter().filter(|(_, finding)| matches!(finding, Finding::Held(_))).count();
    assert_eq!(held, report.0.len(), "{}", report.text());
}

#[test]
fn what_only_the_exchange_knows_is_said_not_to_be_checked() {
    let mut records = good(MORNING);
    records.exchange.clear();
    let report = records.judge();
    assert_eq!(report.broken(), [""; 0], "{}", report.text());
    assert_eq!(not_checked(&report), ["naked", "position", "fills"]);
    assert_eq!(report.text().matches("--exchange").count(), 5, "{}", report.text());
}

/// As `mes-projectx orders` and `trades` print it: what came of each order, and fills without their commission.
#[test]
fn what_the_service_lists_is_checked_as_far_as_it_tells() {
    let mut records = good(MORNING);
    let (orders, mut trades): (Vec<_>, Vec<_>) = records
        .exchange
        .into_iter()
        .filter(|record| ["order", "trade"].iter().any(|kind| record["kind"] == *kind))
        .partition(|record| record["kind"] == "order");
    let last = |order: &Value| orders.iter().rfind(|other| other["id"] == order["id"]) == Some(order);
    let mut listed: Vec<Value> = orders.iter().filter(|order| last(order)).cloned().collect();
    for trade in &mut trades {
        trade["commissions"] = Value::Null;
    }
    listed.append(&mut trades);
    for record in &mut listed {
        let record = record.as_object_mut().expect("a record");
        record.remove("kind");
        record.remove("ts");
    }
    records.exchange = listed;
    let unchecked = ["naked", "position"];
    let report = records.judge();
    assert_eq!((report.broken(), not_checked(&report)), (vec![], unchecked.to_vec()), "{}", report.text());
    records.exchange.pop();
    assert_eq!(broken(&records), ["fills"]);
}

#[test]
fn a_position_without_a_stop_is_found_on_both_sides() {
    planted("naked", without_stop);
    let mut records = good(MORNING);
    without_stop(&mut records);
    assert!(records.judge_faulty().broken().contains(&"protected"));
    // What a machine knew that is not this one, nobody knows.
    assert_eq!(not_checked(&records.judge()), ["protected", "flat"]);
}

#[test]
fn what_is_placed_twice_or_too_large_is_found() {
    let again = |records: &mut Records, tag: &str| {
        let place = records.exec_line("\"entry\":true");
        let mut line = records.exec[place].clone();
        line["action"]["request"]["place"]["customTag"] = json!(tag);
        records.exec.insert(place, line);
    };
    planted("tags", |records| again(records, "mes.n.1"));
    planted("once", |records| again(records, "mes.other.1"));
    planted("once", |records| again(records, "mes.n.1.m"));
    planted("once", |records| {
        let mut entry =
            records.exchange.iter().find(|record| record["customTag"] == "mes.n.1").cloned().expect("it");
        entry["id"] = json!(77);
        records.exchange.push(entry);
    });
    planted("size", |records| {
        let place = records.exec_line("\"entry\":true");
        records.exec[place]["action"]["request"]["place"]["size"] = json!(3);
    });
    planted("position", |records| {
        let open = records.exchange.iter_mut().find(|record| record["kind"] == "position").expect("it");
        open["size"] = json!(4);
    });
}

#[test]
fn an_entry_where_none_may_be_is_found() {
    let before_the_order = |records: &mut Records, event: Value| {
        let order = records.exec_line("\"enter\"");
        let mut line = records.exec[order].clone();
        line["event"] = event;
        records.exec.insert(order, line);
    };
    planted("halted", |records| before_the_order(records, json!({"event": "halt"})));
    planted("halted", |records| before_the_order(records, json!({"event": "logout"})));
    planted("halted", |records| {
        let person = json!({"kind": "person", "ts": MORNING, "says": "halt", "reason": "x", "by": "person"});
        records.risk.insert(1, person);
    });
    planted("account", |records| before_the_order(records, json!({"event": "down", "why": "x"})));
    planted("account", |records| before_the_order(records, json!({"event": "malformed", "what": "x"})));
    planted("quotes", |records| {
        let order = records.exec_line("\"enter\"");
        for line in &mut records.exec[order..] {
            for name in ["ts", "steady"] {
                line[name] = json!(line[name].as_i64().expect("a time") + 6_000_000_000);
            }
        }
    });
    planted("statements", |records| statement(records, 0)["connection"] = json!("lost"));
    planted("statements", |records| statement(records, 0)["barred"] = json!("reconcile"));
    planted("statements", |records| statement(records, 0)["known_as_of"] = json!("2026-11-20T14:59:00Z"));
    // In New York 16:04 and 15:55; flat-by of the rules is 16:08.
    assert!(broken(&good("2026-11-20T21:04:00Z")).contains(&"late"));
    assert!(broken(&good("2026-11-20T20:55:00Z")).contains(&"late"));
}

#[test]
fn what_is_open_at_the_end_is_found() {
    // A few seconds before 16:08.
    assert!(broken(&good("2026-11-20T21:07:50Z")).contains(&"flat"));
    planted("left", |records| {
        let leg =
            records.exchange.iter_mut().rfind(|record| record["customTag"] == "mes.n.1-SL").expect("it");
        leg["status"] = json!(1);
    });
}

#[test]
fn books_that_differ_are_found() {
    let filled = |records: &Records| {
        let all = records.risk.iter().filter(|record| record["kind"] == "statement");
        all.into_iter().position(|record| record["fills"] != json!([])).expect("a fill")
    };
    planted("fills", |records| {
        let at = filled(records);
        statement(records, at)["fills"] = json!([]);
    });
    planted("fills", |records| {
        let at = filled(records);
        statement(records, at)["fills"][0]["commission_cents"] = json!(100);
    });
    planted("cash", |records| {
        let at = filled(records);
        statement(records, at)["balance_cents"] = json!(1);
    });
    planted("cash", |records| {
        let account = records.exchange.iter_mut().rfind(|record| record["kind"] == "account").expect("it");
        account["balance"] = json!(1000.01);
    });
    planted("seen", |records| {
        let at = filled(records);
        statement(records, at)["seen"] = json!(0);
    });
}

#[test]
fn secrets_and_a_journal_that_comes_to_something_else_are_found() {
    planted("secret", |records| records.log = "GET /hubs/user?access_token=abc".into());
    let token = format!("token {}.{}.{}", "eyJhbGciOiJIUzI1", "eyJleHAiOjE3NjQz", "c2lnbmF0dXJlMTIz");
    planted("secret", |records| records.log = token);
    planted("replay", |records| {
        let call = records.exec_line("\"entry\":true");
        records.exec[call]["action"]["call"] = json!(999);
    });
}
