//! No text makes a parser of the core panic: rules, costs, calendars, latencies, times, symbols, the records of risk and
//! exec; valid ones, mutated. `SOAK=n` looks n times as long, from another seed.

use mes_core::{
    broker::{Hello, Kind},
    calendar::{self, Calendar},
    contract,
    costs::{self, Costs},
    fills::{Fills, Latency, Model},
    interval::Interval,
    kept::{Book, Memory},
    ledger::Ledger,
    money::Cents,
    order::{Action, ExitReason, Order, Side, Signal},
    person::{Person, Says},
    price::Price,
    row::Row,
    rules::{self, Rules},
    run::{Named, Run, VERSION},
    session::Filter,
    statement::{Fill, Refusal, Role, Statement, Working},
    symbol::Symbol,
    time,
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

/// Something that reads a text and goes on with what it read.
type Reader = fn(&str);

fn order() -> Order {
    let action = Action::Enter {
        side: Side::Buy,
        contracts: 2,
        stop_ticks: 8,
        target_ticks: 16,
        confidence: 0.75,
        limit: None,
    };
    Order {
        ts: 1_763_994_600_000_000_000,
        id: 7,
        signal: Signal::LongEntry,
        contract: Symbol::default(),
        action,
    }
}

fn statement() -> Statement {
    let fill = Fill {
        ts: 1_763_994_600_000_000_000,
        order: Some(7),
        side: Side::Sell,
        contracts: 2,
        price: Price::nearest(5000.25),
        slippage_ticks: Some(1),
        spread_ticks: Some(0),
        commission_cents: Cents(84),
        gross_cents: Cents(-250),
        exit: Some(ExitReason::Stop),
        ambiguous: Some(true),
    };
    let working = Working::new(7, Role::Stop, Side::Sell, 2, Some(Price::nearest(4998.25)));
    Statement {
        ts: 1_763_994_600_000_000_000,
        seen: 7,
        position: 2,
        entry_price: Some(5000.25),
        balance_cents: Cents(100_000),
        equity_cents: Cents(99_900),
        working: vec![working],
        fills: vec![fill],
        refused: vec![Refusal { order: 6, reason: "guard_rate".into() }],
        locked: true,
        ..Statement::default()
    }
}

fn run() -> Run {
    let named = |text: &str| text.to_owned();
    Run {
        v: VERSION,
        interval: "1s".into(),
        session: Filter::All,
        quotes: true,
        rules: Named { blake3: named("a"), value: Rules::parse(rules::MES_1K).expect("the shipped rules") },
        costs: Named { blake3: named("b"), value: Costs::parse(costs::OWNER).expect("the shipped costs") },
        fills: Fills { model: Model::Conservative, latency: Latency::constant(5).expect("a latency") },
        calendar: "c".into(),
        from: Some(1_763_994_600_000_000_000),
        ledger: Ledger::new(Cents(100_000)),
        broker: Hello {
            seen: 7,
            kept: Some(Book { id: named("id"), past: Some(named("p")), next: named("n"), order: 7 }),
            ..Hello::new(Kind::Paper, "paper", Cents(100_000))
        },
        kept: Some(Memory { id: Some(named("id")), pasts: vec![None, Some(named("p"))], order: 7 }),
        lineage: serde_json::json!([]),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("writes")
}

/// Texts that are read without an error, and who reads them.
fn seeds() -> Vec<(&'static str, String, Reader)> {
    let person = Person {
        ts: 1_763_994_600_000_000_000,
        says: Says::Halt,
        reason: "news".into(),
        by: "person".into(),
        rules: None,
    };
    let row = r#"{"kind":"row","ts":"2025-11-24T14:30:01Z","open":5000.25,"high":5000.5,"low":5000.0,"close":5000.25,"volume":7,"bid":5000.0,"ask":5000.25,"age_ms":3,"seg":1,"symbol":"MESZ5","p_dir":1.0,"p_conf":0.75}"#;
    let latency = "req,exch\n100,200\n300,500\n";
    let mut seeds: Vec<(&str, String, Reader)> = vec![
        ("calendar", calendar::SHIPPED.into(), |text| drop(Calendar::parse(text))),
        ("latency", latency.into(), |text| {
            if let Ok(latency) = Latency::parse(text) {
                let _ = (latency.of(u64::MAX, i64::MAX), latency.to_string());
            }
        }),
        ("time", "2026-11-20T14:30:00.123456789Z".into(), |text| {
            if let Ok(ts) = time::parse(text) {
                assert_eq!(time::parse(&time::format(ts)), Ok(ts));
            }
        }),
        ("interval", "500ms".into(), |text| {
            if let Ok(interval) = text.parse::<Interval>() {
                let _ = (interval.rows_in(i64::MAX), interval.to_string());
            }
        }),
        ("symbol", "CON.F.US.MES.Z26".into(), |text| {
            let _ = (text.parse::<Symbol>(), contract::Name::parse(text, Default::default()));
        }),
        ("order", json(&order()), |text| drop(serde_json::from_str::<Order>(text))),
        ("statement", json(&statement()), |text| drop(serde_json::from_str::<Statement>(text))),
        ("run", json(&run()), |text| drop(serde_json::from_str::<Run>(text))),
        ("person", json(&person), |text| drop(serde_json::from_str::<Person>(text))),
        ("row", row.into(), |text| drop(serde_json::from_str::<Row>(text))),
    ];
    let costs: Reader = |text| {
        if let Ok(costs) = Costs::parse(text) {
            let _ = costs.rate(Default::default()).side() * 1000;
        }
    };
    seeds.extend([costs::OWNER, costs::TOPSTEPX].map(|text| ("costs", text.to_owned(), costs)));
    let rules: Reader = |text| {
        if let Ok(rules) = Rules::parse(text) {
            let _ = (rules.capital(), rules.prop.as_ref().map(|prop| prop.floor(rules.capital(), Cents(1))));
        }
    };
    seeds.extend(rules::SHIPPED.map(|(_, text)| ("rules", text.to_owned(), rules)));
    seeds
}

/// What may stand where a number or a word stood.
const ODD: [&str; 14] = [
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
    "-1e-320",
    "nan",
    "null",
    "[]",
    "{}",
    "\"\"",
    "2262-04-11T23:47:16.9Z",
    "\u{1b}é\0",
];

/// Puts something odd in the place of a word, drops or doubles a line, or cuts or changes a character.
fn mutated(text: &str, changes: &[(u8, usize, usize)]) -> String {
    let mut text = text.to_owned();
    for &(what, place, with) in changes {
        let mut at = place % (text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let word = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
        let end = at + text[at..].find(|c| !word(c)).unwrap_or(text.len() - at);
        let begin = text[..at]
            .rfind(|c| !word(c))
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        match what % 6 {
            0..3 => text.replace_range(begin..end, ODD[with % ODD.len()]),
            3 => text.truncate(at),
            4 => {
                let line = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
                let doubled = text[at..line].to_owned();
                text.insert_str(at, &doubled);
            }
            _ => text.insert(at, char::from((with % 128) as u8)),
        }
    }
    text
}

#[test]
fn mutated_settings_and_records_never_panic() {
    let seeds = seeds();
    for (_, text, read) in &seeds {
        read(text);
    }
    let soak = std::env::var("SOAK").ok().and_then(|times| times.parse::<u32>().ok());
    let rng_seed = if soak.is_some() { RngSeed::Random } else { RngSeed::Fixed(12) };
    let cases = 8000 * soak.unwrap_or(1);
    let config = ProptestConfig { cases, failure_persistence: None, rng_seed, ..ProptestConfig::default() };
    let strategy = (0..seeds.len(), vec((any::<u8>(), any::<usize>(), any::<usize>()), 1..5));
    let result = TestRunner::new(config).run(&strategy, |(seed, changes)| {
        let (name, text, read) = &seeds[seed];
        let text = mutated(text, &changes);
        prop_assert!(std::panic::catch_unwind(|| read(&text)).is_ok(), "{} panics on {:?}", name, text);
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.expect_err("a failure"));
}

#[test]
fn records_come_back_as_they_were_written() {
    assert_eq!(serde_json::from_str::<Order>(&json(&order())).expect("reads"), order());
    assert_eq!(serde_json::from_str::<Statement>(&json(&statement())).expect("reads"), statement());
    assert_eq!(serde_json::from_str::<Run>(&json(&run())).expect("reads"), run());
}

#[test]
fn what_no_account_can_have_is_refused_where_it_enters() {
    let stands = |text: String, from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        text.replacen(from, to, 1)
    };
    for (from, to) in [
        ("\"id\":7", "\"id\":9223372036854775808"),
        ("\"contracts\":2", "\"contracts\":4611686018427387904"),
        ("\"stop_ticks\":8", "\"stop_ticks\":-9223372036854775808"),
        ("\"target_ticks\":16", "\"target_ticks\":9223372036854775807"),
        ("\"confidence\":0.75", "\"confidence\":1e39"),
        ("2025-11-24T14:30:00Z", "2262-04-11T23:47:16Z"),
    ] {
        assert!(serde_json::from_str::<Order>(&stands(json(&order()), from, to)).is_err(), "{to}");
    }
    for (from, to) in [
        ("\"seen\":7", "\"seen\":9223372036854775807"),
        ("\"position\":2", "\"position\":-9223372036854775808"),
        ("\"entry_price\":5000.25", "\"entry_price\":-1e300"),
        ("\"balance_cents\":100000", "\"balance_cents\":9223372036854775807"),
        ("\"gross_cents\":-250", "\"gross_cents\":-9223372036854775808"),
        ("\"slippage_ticks\":1", "\"slippage_ticks\":9223372036854775807"),
        ("\"price\":4998.25", "\"price\":1e308"),
    ] {
        assert!(serde_json::from_str::<Statement>(&stands(json(&statement()), from, to)).is_err(), "{to}");
    }
    for (from, to) in [
        ("\"ranges_sum\":0", "\"ranges_sum\":9223372036854775807"),
        ("\"recent_volume\":0", "\"recent_volume\":9223372036854775807"),
        ("\"losses\":0", "\"losses\":4294967295"),
        ("\"flat_by\":\"16:30\"", "\"flat_by\":\"nine\""),
        ("\"kill_loss_usd\":300.0", "\"kill_loss_usd\":-1.0"),
    ] {
        assert!(serde_json::from_str::<Run>(&stands(json(&run()), from, to)).is_err(), "{to}");
    }
}
