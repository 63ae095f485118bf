//! Whatever a journal can hold is read to what was written, and written to the same bytes again.

use mes_core::{
    broker::{Hello, Kind},
    costs::{Costs, OWNER},
    fills::Fills,
    ledger::Ledger,
    money::Cents,
    record::{Record, kind},
    rules::{MES_1K, Rules},
    run::{Named, Run, VERSION},
    session::Filter,
    statement::{Fill, Statement},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A run record, with what a test does not look at left as it ships.
fn run() -> Run {
    let named = |value| Named { blake3: "b3".into(), value };
    Run {
        v: VERSION,
        interval: "1s".into(),
        session: Filter::Rth,
        quotes: true,
        rules: named(Rules::parse(MES_1K).expect("rules")),
        costs: Named { blake3: "b3".into(), value: Costs::parse(OWNER).expect("costs") },
        fills: Fills::default(),
        calendar: "b3".into(),
        from: None,
        ledger: Ledger::new(Cents(100_000)),
        broker: Hello::new(Kind::Paper, "paper", Cents(100_000)),
        kept: None,
        lineage: json!({}),
    }
}

/// A price on the grid.
fn price() -> impl Strategy<Value = f64> {
    (4_000_i64..80_000).prop_map(|ticks| ticks as f64 * 0.25)
}

fn row() -> impl Strategy<Value = Value> {
    (price(), 0_i64..9, proptest::option::of(0.0_f32..=1.0), any::<[bool; 3]>()).prop_map(
        |(close, up, conf, [quotes, sizes, predicted])| {
            let mut row = json!({
                "kind": "row", "ts": "2026-11-20T15:00:01Z", "open": close, "high": close + up as f64, "low": close,
                "close": close, "volume": up, "seg": 3, "symbol": "MESZ6",
            });
            if quotes {
                (row["bid"], row["ask"]) = (json!(close), Value::Null);
            }
            if sizes {
                row["trades"] = json!(up);
            }
            if predicted {
                (row["p_dir"], row["p_conf"]) = (conf.map_or(Value::Null, |_| json!(1.0)), json!(conf));
            }
            row
        },
    )
}

fn statement() -> impl Strategy<Value = Value> {
    (price(), -5_i64..5, any::<bool>(), 0_u64..1 << 50).prop_map(|(price, position, locked, order)| {
        let (exit, target) = (if locked { json!("stop") } else { Value::Null }, if locked { json!(price) } else { Value::Null });
        json!({
            "kind": "statement", "ts": "2026-11-20T15:00:01Z", "seen": order, "position": position,
            "entry_price": target, "balance_cents": 100_000 + position, "equity_cents": 99_000, "locked": locked,
            "working": [{ "order": order, "role": "stop", "side": "sell", "contracts": 2, "price": price }],
            "fills": [{
                "ts": "2026-11-20T15:00:00.5Z", "order": order, "side": "buy", "contracts": 1, "price": price,
                "slippage_ticks": 1, "spread_ticks": 2, "commission_cents": 42, "gross_cents": position, "exit": exit,
                "ambiguous": locked,
            }],
            "refused": [{ "order": order, "reason": "expired" }],
        })
    })
}

/// What only a broker with an exchange behind it says.
fn live() -> impl Strategy<Value = Value> {
    let now = "2026-11-20T15:00:01.25Z";
    let protection =
        prop_oneof![Just(json!("native")), Just(json!("own")), Just(json!({ "none": { "since": now } }))];
    let (barred, state) = (prop_oneof!["outside", "broker", "reconcile"], prop_oneof!["sent", "unknown"]);
    (protection, barred, state, price()).prop_map(move |(protection, barred, state, price)| {
        json!({
            "kind": "statement", "ts": "2026-11-20T15:00:01Z", "told_at": now, "known_as_of": now, "seen": 7, "position": 2,
            "entry_price": price, "balance_cents": 100_000, "equity_cents": 99_000, "protection": protection,
            "connection": "lost", "barred": barred, "refused": [],
            "working": [{ "order": 7, "role": "entry", "side": "buy", "contracts": 3, "price": price, "state": state, "filled": 1 }],
            "fills": [{
                "ts": now, "side": "buy", "contracts": 1, "price": price, "commission_cents": 42, "gross_cents": 0,
                "exit": barred.replace("reconcile", "stop"),
            }],
        })
    })
}

fn verdict() -> impl Strategy<Value = Value> {
    let ts = "2026-11-20T15:00:01Z";
    (0_u8..6, 1_i64..9, 0.0_f32..=1.0, price()).prop_map(move |(which, ticks, share, price)| match which {
        0 => json!({
            "kind": "order", "ts": ts, "id": ticks, "signal": "LONG_ENTRY", "action": "enter", "side": "buy",
            "contracts": ticks, "stop_ticks": ticks, "target_ticks": 2 * ticks, "confidence": share, "contract": "MESZ6",
            "limit": { "price": price, "lifetime_ms": 2_000 },
        }),
        1 => json!({ "kind": "order", "ts": ts, "id": 3, "signal": "FLATTEN", "action": "exit", "reason": "limit" }),
        2 => json!({ "kind": "order", "ts": ts, "id": 4, "signal": "HOLD", "action": "move_stop", "stop": price }),
        3 => json!({ "kind": "deny", "ts": ts, "signal": "LONG_ENTRY", "rule": "stale_ms", "value": price, "limit": 1.5 }),
        4 => json!({ "kind": "hold", "ts": ts, "reason": "in_trade" }),
        _ => json!({ "kind": "alert", "ts": ts, "rule": "daily_loss_usd", "value": price, "limit": 50.0 }),
    })
}

fn other() -> impl Strategy<Value = Value> {
    let person = json!({
        "kind": "person", "ts": "2026-11-20T15:00:01Z", "says": "halt", "reason": "a \"reason\"\n\u{1}é", "by": "person",
    });
    prop_oneof![Just(person), Just(json!({ "kind": "end" }))]
}

proptest! {
    #[test]
    fn a_record_is_read_to_what_was_written(value in prop_oneof![row(), statement(), live(), verdict(), other()]) {
        let record = Record::read(value.to_string().as_bytes()).expect("reads");
        let written = serde_json::to_vec(&record.line()).expect("writes");
        prop_assert_eq!(Some(&*kind(&written).expect("a kind")), value["kind"].as_str());
        let again = Record::read(&written).expect("reads what was written");
        prop_assert_eq!(&again, &record);
        prop_assert_eq!(serde_json::to_vec(&again.line()).expect("writes"), &written[..]);
        // Nothing was lost: every key is there again, but those that are absent where they are false.
        let back: Value = serde_json::from_slice(&written).expect("JSON");
        for (key, value) in value.as_object().expect("an object") {
            prop_assert!(back.get(key).is_some() || value == &json!(false), "{key} of {back}");
        }
    }
}

#[test]
fn a_run_record_is_read_to_what_was_written() {
    let record = Record::Run(Box::new(run()));
    let written = serde_json::to_vec(&record.line()).expect("writes");
    let again = Record::read(&written).expect("reads");
    assert_eq!(again, record);
    assert_eq!(serde_json::to_vec(&again.line()).expect("writes"), written);
}

/// What paper has nothing to say of is not there, so that journals stay small; what is absent is no zero.
#[test]
fn what_says_nothing_is_not_written() {
    let paper = serde_json::to_value(Statement::default()).expect("writes");
    for key in ["told_at", "known_as_of", "protection", "connection", "barred", "locked"] {
        assert!(paper.get(key).is_none(), "{key}");
    }
    let fill = r#"{"ts":"2026-11-20T15:00:01Z","side":"buy","contracts":1,"price":1.0,"commission_cents":42,"gross_cents":0,"exit":null}"#;
    let read: Fill = serde_json::from_str(fill).expect("reads");
    assert_eq!((read.order, read.slippage_ticks, read.ambiguous), (None, None, None));
    assert_eq!(serde_json::to_string(&read).expect("writes"), fill);
}

#[test]
fn a_run_of_another_version_is_refused_before_anything_else_of_it() {
    for (v, age) in [(VERSION - 1, "an older"), (VERSION + 1, "a newer")] {
        let text = format!(r#"{{"kind":"run","v":{v},"what":"it has become"}}"#);
        let error = Record::read(text.as_bytes()).expect_err("refused").to_string();
        assert!(error.contains(&format!("written by {age} mes (records v{v};")), "{error}");
    }
}

#[test]
fn what_is_no_record_is_refused() {
    for (text, why) in [
        ("", "EOF"),
        ("[]", "invalid"),
        (r#"{"ts":1}"#, "missing field `kind`"),
        (r#"{"kind":"end","kind":"end"}"#, "duplicate field `kind`"),
        (r#"{"kind":"fill"}"#, "a record of unknown kind \"fill\""),
        (r#"{"kind":"hold","ts":"2026-11-20T15:00:01Z","reason":7}"#, "invalid type"),
        (r#"{"kind":"hold","ts":"2026-11-20T15:00:01Z","reason":"a","reason":"a"}"#, "duplicate field"),
        (r#"{"kind":"row","ts":"2026-11-20T15:00:01Z"}"#, "no \"open\""),
        (
            r#"{"kind":"order","ts":"2026-11-20T15:00:01Z","id":9007199254740993,"signal":"HOLD","action":"move_stop","stop":1.0}"#,
            "more orders than an account can have",
        ),
    ] {
        let error = Record::read(text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    // A later mes may say more.
    assert_eq!(Record::read(br#"{"kind":"end","why":"later"}"#).expect("reads"), Record::End);
}
