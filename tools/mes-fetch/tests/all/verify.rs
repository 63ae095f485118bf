//! What `verify` has to see.

use serde_json::Value;

use super::{fetch, text};

/// Returns the report on a text.
fn verified(flags: &str, rows: &str) -> Value {
    let done = fetch(&format!("verify --json {flags}"), &[], rows.as_bytes());
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

fn count(report: &Value, check: &str) -> i64 {
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().find(|found| found["check"] == check).expect("a check");
    found["count"].as_i64().expect("a count")
}

/// Bars of one minute at these times, with these opens and closes.
fn bars(rows: impl IntoIterator<Item = (String, f64, f64)>) -> String {
    let mut text = "ts,open,high,low,close,volume,symbol\n".to_owned();
    for (ts, open, close) in rows {
        let (high, low) = (open.max(close), open.min(close));
        text.push_str(&format!("{ts},{open},{high},{low},{close},5,MES\n"));
    }
    text
}

#[test]
fn ticks_without_size_are_unfit_since_mes_bars_refuses_them() {
    let rows = "ts,price,symbol\n2026-11-20T15:00:00Z,6800,MESZ6\n2026-11-20T15:00:01Z,6800.25,MESZ6\n";
    let report = verified("", rows);
    assert_eq!((&report["fit"], count(&report, "sizes")), (&Value::Bool(false), 2));
    // A quote needs none.
    let rows = "ts,price,size,bid,ask,symbol\n2026-11-20T15:00:00Z,,,6800,6800.25,MESZ6\n";
    assert_eq!(verified("", rows)["fit"], true);
}

#[test]
fn between_two_ticks_nothing_is_missing_until_a_minute_is() {
    let mut rows = "ts,price,size,symbol\n".to_owned();
    for second in [0, 1, 3, 10, 50, 115] {
        rows.push_str(&format!("2026-11-20T15:{:02}:{:02}.5Z,6800,1,MESZ6\n", second / 60, second % 60));
    }
    let gaps = verified("", &rows)["gaps"].clone();
    assert_eq!((&gaps["expected"]["count"], &gaps["expected"]["rows"]), (&1.into(), &65.into()));
}

#[test]
fn a_quote_that_is_bid_equal_ask_throughout_is_a_dummy() {
    let rows = |locked: usize| {
        let row = |second: usize| {
            let ask = if second < locked { "6800" } else { "6800.25" };
            format!("2026-11-20T15:00:{second:02}Z,6800,1,6800,{ask},MESZ6\n")
        };
        "ts,price,size,bid,ask,symbol\n".to_owned() + &(0..30).map(row).collect::<String>()
    };
    let report = verified("", &rows(30));
    assert_eq!((&report["fit"], count(&report, "dummies")), (&Value::Bool(false), 1));
    // A market that locks now and then is a market.
    assert_eq!(verified("", &rows(10))["fit"], true);
}

/// Two weeks of days that open two points from where they closed; one opens 0.6 % away, and no symbol says why.
#[test]
fn a_roll_of_less_than_one_percent_is_shown() {
    let days = |jump: f64| {
        let day = move |number: u32| {
            let (open, rolled) = (5002.0, number == 18);
            let open = if rolled { 5000.0 + jump } else { open };
            let label = 5 + number;
            [
                (format!("2025-03-{label:02}T22:01:00Z"), open, open),
                (format!("2025-03-{:02}T20:59:00Z", label + 1), open, 5000.0),
            ]
        };
        bars((5..20).flat_map(day))
    };
    let report = verified("--interval 1m", &days(30.0));
    assert_eq!((count(&report, "seams"), count(&report, "jumps")), (1, 0), "{report}");
    assert_eq!(count(&verified("--interval 1m", &days(2.0)), "seams"), 0);
}

/// Chicago read as New York: every day lacks the hour before the break and has one within it.
#[test]
fn holes_that_recur_at_one_hour_raise_the_question_of_the_zone() {
    let rows = (0..4).flat_map(|day| {
        (0..23 * 60).map(move |minute| {
            let hour = 21 + minute / 60;
            (
                format!("2025-11-{:02}T{:02}:{:02}:00Z", 3 + day + hour / 24, hour % 24, minute % 60),
                6800.0,
                6800.0,
            )
        })
    });
    let report = verified("--interval 1m", &bars(rows));
    let hint = report["hints"][0].as_str().expect("a hint");
    assert!(hint.contains("holes begin between") && hint.contains("is the zone off"), "{hint}");
    let fine = verified("--interval 1m", &bars([("2025-11-03T15:00:00Z".to_owned(), 6800.0, 6800.0)]));
    assert_eq!(fine["hints"], Value::Array(vec![]));
}

#[test]
fn rows_beyond_the_calendar_are_told_so() {
    let rows =
        bars(["2013-12-02T15:00:00Z", "2013-12-03T15:00:00Z"].map(|ts| (ts.to_owned(), 1800.0, 1800.0)));
    let report = verified("--interval 1m", &rows);
    assert_eq!(
        (count(&report, "beyond"), count(&report, "outside"), &report["fit"]),
        (2, 0, &Value::Bool(true))
    );
    assert_eq!(report["gaps"]["known"][0]["why"], "beyond the calendar");
}

#[test]
fn an_outage_is_a_known_gap() {
    let rows =
        bars(["2025-11-28T02:44:00Z", "2025-11-28T13:31:00Z"].map(|ts| (ts.to_owned(), 6800.0, 6800.0)));
    let report = verified("--interval 1m", &rows);
    assert_eq!((&report["fit"], &report["gaps"]["known"][0]["why"]), (&Value::Bool(true), &"outage".into()));
}
