//! A session of any end: fills against the costs, what was expected of it, and what went wrong.

use mes_core::{
    calendar::Calendar,
    order::{ExitReason, Side},
    person::{Person, Says},
    price::Price,
    row::Row,
    statement::{Connection, Role, Statement, Working},
    time::{SECOND, Ts},
    verdict::Verdict,
};
use mes_pipe::journal::{Journal, Missing};

use super::*;
use crate::{conduct::How, sample};

fn bar(second: i64, open: i64) -> Row {
    let mut row = Row::default();
    row.bar.ts = sample::START + second * SECOND;
    [row.bar.open, row.bar.high, row.bar.low, row.bar.close] =
        [0, 2, -1, 1].map(|more| Price::from_ticks(20_000 + open + more));
    row.bar.volume = 1;
    row
}

/// Hears a trade at a broker: entered 2 ticks worse than the open, 300 ms after its row; stopped 3 ticks beyond the stop.
fn heard() -> Conduct {
    let mut conduct = Conduct::new(Calendar::shipped());
    let mut run = sample::run();
    run.broker.kind = Kind::Practice;
    conduct.run(&run).expect("hears");
    let at = |second: i64| sample::START + second * SECOND;
    let state = |conduct: &mut Conduct, second: i64, position, fills, connection| {
        conduct.row(&bar(second, second)).expect("hears");
        let stop = Price::from_ticks(19_990);
        let working = Working::new(1, Role::Stop, Side::Sell, 1, Some(stop));
        let working = if position == 0 { Vec::new() } else { vec![working] };
        let state = sample::state(at(second), mes_core::money::Cents(100_000), fills);
        conduct.statement(&Statement { position, working, connection, ..state }).expect("hears");
    };
    state(&mut conduct, 1, 0, vec![], Connection::Up);
    conduct.verdict(&Verdict::Order(sample::enter(at(1), 1, Side::Buy))).expect("hears");
    let entry = sample::fill(at(1) + 300_000_000, 1, Side::Buy, 1, 4, 0);
    state(&mut conduct, 2, 1, vec![entry], Connection::Lost);
    state(&mut conduct, 5, 1, vec![], Connection::Up);
    let mut exit = sample::fill(at(5) + 1, 1, Side::Sell, 1, -13, 0);
    exit.exit = Some(ExitReason::Stop);
    state(&mut conduct, 6, 0, vec![exit], Connection::Up);
    conduct
}

#[test]
fn fills_are_measured_against_their_reference_and_the_costs_file() {
    let conduct = heard();
    let measured: Vec<_> = conduct
        .executions
        .iter()
        .map(|made| (made.how, made.slippage_ticks, made.expected_ticks, made.latency_ms))
        .collect();
    assert_eq!(measured, [(How::Entry, Some(2), 1, Some(300)), (How::Stop, Some(3), 1, None)]);
    assert_eq!(
        (conduct.lost, conduct.lost_s, conduct.paid, conduct.by_file),
        (1, 3, conduct.by_file, conduct.paid)
    );
    let paid = Paid::of(&conduct.executions, mes_core::money::Cents(125));
    assert_eq!(paid.iter().map(|paid| paid.beyond_usd).collect::<Vec<_>>(), [1.25, 2.5]);
    let said = paid[1].sentence();
    assert_eq!(
        said,
        "1 fill, +3.00 ticks on average, +3 at worst; the costs file takes 1.00: cost $2.50 beyond it"
    );
}

fn session(facts: &Facts, conduct: &Conduct) -> Session {
    let nets: Vec<f64> = (0..40).map(|index| if index % 2 == 0 { 3.0 } else { -1.0 }).collect();
    let expectation = Expectation::of(&nets).expect("enough");
    let standing =
        expectation.judge(&facts.trades.iter().map(|trade| trade.net_cents.usd()).collect::<Vec<_>>());
    let against = Against { source: "runs/<b>".into(), expectation, standing };
    let replay = Replay { without: Some("it was read from stdin".into()), ..Replay::default() };
    Session::of(facts, conduct, Some(against), replay)
}

#[test]
fn a_page_is_whole_of_an_empty_day_and_of_many_trades_and_runs_nothing_it_is_told() {
    for nets in [&[][..], &[0], &[-1200, 1900, 50], &[7; 200]] {
        let mut conduct = heard();
        conduct.hello.as_mut().expect("said hello").name = "</script><script>alert(1)</script>".into();
        let person = Person {
            ts: sample::START,
            says: Says::Halt,
            reason: "<img>".into(),
            by: "person".into(),
            rules: None,
        };
        conduct.persons.push(person);
        let mut facts = sample::facts(nets);
        facts.missing = Some(Missing::Line);
        let session = session(&facts, &conduct);
        let page = page::page(&session, &facts);
        assert_eq!(mes_page::flaw(&page), None, "with {nets:?}");
        assert!(!page.contains("<script>alert") && !page.contains("<img>"), "runs what it was told");
        let text = terminal::text(&session, &facts);
        for said in
            ["not in order: the last line is cut off", "lost 1 time, 3 s in all", "halt by person: <img>"]
        {
            assert!(text.contains(said), "{said} in {text}");
        }
    }
}

#[test]
fn what_stopped_the_day_stands_under_alerts() {
    let mut facts = sample::facts(&[-6000]);
    let alert =
        |ts: Ts, rule: &str| crate::facts::Alert { ts, day: 1, rule: rule.into(), value: 60.0, limit: 50.0 };
    facts.alerts.push(alert(sample::START + SECOND, "daily_loss_usd"));
    let session = session(&facts, &heard());
    assert_eq!(session.alerts[0].text, "daily loss $60.00, limit $50.00");
    assert!(session.against.expect("compared").standing.expect("a trade").z < -10.0);
}
