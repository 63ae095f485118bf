//! `docs/schema.md` names exactly the columns and keys that the tools write.

use std::{collections::BTreeSet, fs::File, path::Path};

use mes_core::{
    money::Cents,
    order::{Action, ExitReason, Limit, Order, Side, Signal},
    person::{Person, Says},
    price::Price,
    record::Line,
    statement::{Barred, Connection, Fill, Progress, Protection, Refusal, Role, Statement, Working},
    symbol::Symbol,
    verdict::Verdict,
};
use mes_golden::shell;
use mes_pipe::open_parquet;
use serde_json::Value;

/// The first two cells of each row of the table below a heading: name and type.
fn told(heading: &str) -> Vec<[String; 2]> {
    let page = std::fs::read_to_string(shell::root().join("docs/schema.md")).expect("the page");
    let below = page.lines().skip_while(|line| *line != heading).skip(1);
    let rows = below.take_while(|line| !line.starts_with('#')).filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned());
        [cells.next().expect("a name"), cells.next().expect("a type")]
    })
    .collect()
}

fn names(told: &[[String; 2]]) -> Vec<&str> {
    told.iter().map(|[name, _]| name.as_str()).collect()
}

/// Compares a table on disk with what the page tells of it.
fn is_told(path: &Path, heading: &str) {
    let file = open_parquet(File::open(path).expect("the table"), "table", |_| true).expect("Parquet");
    let found = file.schema.fields().iter().map(|field| {
        let kind = match field.data_type().to_string() {
            kind if kind.starts_with("Timestamp") => "instant",
            kind if kind.starts_with("Utf8") => "text",
            kind if kind == "Float64" => "f64",
            kind if kind == "Float32" => "f32",
            kind if kind == "Int64" => "i64",
            kind if kind == "Boolean" => "bool",
            kind => panic!("{}: {kind}", field.name()),
        };
        [field.name().clone(), kind.to_owned()]
    });
    assert_eq!(told(heading), found.collect::<Vec<_>>(), "{heading}");
}

#[test]
fn tables_have_the_columns_that_the_page_tells() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "mes-fetch synth -q --sessions 1 --seed 3 --session rth | mes-predict -q --rule random --rate 0.01 |
                mes-bt -q --out out --journal j > /dev/null
                for what in fills orders denials statements; do mes-bt table -q $what j -o $what.parquet; done";
    shell::ok(folder.path(), line, b"");
    for what in ["fills", "orders", "denials", "statements"] {
        is_told(&folder.path().join(format!("{what}.parquet")), &format!("### `{what}`"));
    }
    for what in ["trades", "equity"] {
        is_told(&folder.path().join(format!("out/{what}.parquet")), &format!("### `{what}`"));
    }
    for what in ["trades", "days"] {
        let text = std::fs::read_to_string(folder.path().join(format!("out/{what}.csv"))).expect("text");
        assert_eq!(text.lines().next(), Some(&*names(&told(&format!("### `{what}`"))).join(",")));
    }
    let journal = std::fs::read_to_string(folder.path().join("j")).expect("the journal");
    let run: Value = serde_json::from_str(journal.lines().next().expect("a line")).expect("JSON");
    let mut keys = keys(&run);
    keys.extend(["kept".to_owned()]);
    assert_eq!(told_keys("run"), keys);
}

/// What the page tells of a record, with the kind that every line has.
fn told_keys(record: &str) -> BTreeSet<String> {
    told(&format!("### record `{record}`")).into_iter().map(|[name, _]| name).collect()
}

fn keys(record: &Value) -> BTreeSet<String> {
    let names = record.as_object().expect("an object").keys();
    names.filter(|name| *name != "kind").cloned().collect()
}

fn written(line: Line) -> Value {
    serde_json::to_value(line).expect("a line")
}

/// A statement in which nothing is left out.
fn statement() -> Statement {
    let working = Working {
        state: Progress::Sent,
        filled: 1,
        ..Working::new(1, Role::Stop, Side::Sell, 2, Some(Price::nearest(5000.0)))
    };
    let fill = Fill {
        ts: 1,
        order: Some(1),
        side: Side::Buy,
        contracts: 1,
        price: Price::nearest(5000.0),
        slippage_ticks: Some(1),
        spread_ticks: Some(1),
        commission_cents: Cents(42),
        gross_cents: Cents(100),
        exit: Some(ExitReason::Target),
        ambiguous: Some(true),
    };
    Statement {
        told_at: Some(1),
        known_as_of: Some(1),
        working: vec![working],
        fills: vec![fill],
        refused: vec![Refusal { order: 1, reason: "no".into() }],
        adjusted_cents: Cents(1),
        locked: true,
        protection: Some(Protection::Own),
        connection: Connection::Lost,
        barred: Some(Barred::Outside),
        ..Statement::default()
    }
}

#[test]
fn records_have_the_keys_that_the_page_tells() {
    let statement = written(Line::Statement(&statement()));
    assert_eq!(told_keys("statement"), keys(&statement));
    assert_eq!(told_keys("working"), keys(&statement["working"][0]));
    assert_eq!(told_keys("fill"), keys(&statement["fills"][0]));

    let side = Side::Buy;
    let limit = Some(Limit { price: Price::nearest(5000.0), lifetime_ms: 1 });
    let enter = Action::Enter { side, contracts: 1, stop_ticks: 8, target_ticks: 16, confidence: 0.5, limit };
    let reason = ExitReason::Signal;
    let actions = [enter, Action::Exit { reason }, Action::MoveStop { stop: Price::nearest(5000.0) }];
    let contract: Symbol = "MESZ6".parse().expect("a symbol");
    let order = |action| Order { ts: 1, id: 1, signal: Signal::LongEntry, contract, action };
    let orders = actions.map(|action| keys(&written(Line::Verdict(&Verdict::Order(order(action))))));
    assert_eq!(told_keys("order"), orders.into_iter().flatten().collect());

    let (signal, rule, value, limit) = (Signal::Hold, "a_usd".to_owned(), 1.0, 2.0);
    for (name, verdict) in [
        ("deny", Verdict::Deny { ts: 1, signal, rule: rule.clone(), value, limit }),
        ("hold", Verdict::Hold { ts: 1, reason: "why".into() }),
        ("alert", Verdict::Alert { ts: 1, rule, value, limit }),
    ] {
        assert_eq!(told_keys(name), keys(&written(Line::Verdict(&verdict))), "{name}");
    }
    let rules = Some("hash".into());
    let person = Person { ts: 1, says: Says::Halt, reason: "why".into(), by: "person".into(), rules };
    assert_eq!(told_keys("person"), keys(&written(Line::Person(&person))));
    assert_eq!(told_keys("end"), keys(&written(Line::End)));
}

#[test]
fn every_exit_is_told() {
    let words = told("## Words");
    let exits: Vec<&str> = ExitReason::ALL.iter().map(|exit| exit.name()).collect();
    assert_eq!(names(&words), exits);
}
