//! The judge alone, with statements that nobody could have made: it never enters where it must not, and a ledger that
//! was written down and taken up again goes on as if nothing had happened.

use mes_core::{
    bar::Bar,
    broker::{Hello, Kind},
    calendar::Calendar,
    interval::Interval,
    ledger::{Ledger, Sent},
    money::Cents,
    order::{Action, ExitReason, Side},
    price::Price,
    row::Row,
    run::{Run, VERSION},
    session::Filter,
    statement::{Barred, Fill, Progress, Protection, Role, Statement, Working},
    time::{self, SECOND},
    verdict::Verdict,
};
use mes_pipe::Settings;
use mes_risk::judge::Risk;
use proptest::prelude::*;

use crate::{
    ACCOUNTS, RulesOf, config,
    rows::{STARTS, Step, rows, step},
    settings,
};

/// What a statement says, whatever was ordered.
#[derive(Clone, Debug)]
struct Said {
    /// The position is the sum of the fills, and has its stop.
    honest: bool,
    position: i64,
    /// Cents since the statement before.
    change: i64,
    open: i64,
    working: Vec<Role>,
    /// Orders that it has not seen yet.
    behind: u64,
    fills: Vec<(bool, i64, i64, bool)>,
}

fn said() -> impl Strategy<Value = Said> {
    let position = (prop::bool::weighted(0.97), prop_oneof![4 => Just(0_i64), 1 => -3..4_i64]);
    let role = prop_oneof![Just(Role::Entry), Just(Role::Exit), Just(Role::Stop), Just(Role::Target)];
    let working = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(role, 1..4)];
    let behind = prop_oneof![9 => Just(0_u64), 1 => 1..3_u64];
    let fill = (any::<bool>(), 1..4_i64, -3000..3000_i64, any::<bool>());
    let fills = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(fill, 1..4)];
    let money = prop_oneof![3 => Just(0_i64), 1 => -1500..1500_i64];
    (position, money.clone(), money, working, behind, fills).prop_map(
        |((honest, position), change, open, working, behind, fills)| Said {
            honest,
            position,
            change,
            open,
            working,
            behind,
            fills,
        },
    )
}

fn start(settings: &Settings, ledger: Ledger) -> Risk {
    let balance_cents = settings.rules.value.capital();
    let hello = Hello { seen: ledger.order, ..Hello::new(Kind::Paper, "b", balance_cents) };
    let run = Run {
        v: VERSION,
        interval: "1s".into(),
        session: Filter::All,
        quotes: false,
        rules: settings.rules.clone(),
        costs: settings.costs.clone(),
        fills: settings.fills.clone(),
        calendar: settings.calendar.blake3.clone(),
        from: None,
        ledger,
        broker: hello,
        kept: None,
        lineage: serde_json::Value::Null,
    };
    Risk::new(&run, Calendar::shipped(), Interval::SECOND, None)
}

fn statement(row: &Row, said: &Said, before: i64, balance: Cents, last: u64) -> Statement {
    let filled = said.fills.iter().map(|(buy, contracts, ..)| if *buy { *contracts } else { -contracts });
    let position = if said.honest { before + filled.sum::<i64>() } else { said.position };
    let (side, price) = (Side::of(position).opposite(), row.bar.close);
    let working = |role: &Role| {
        let price = (*role != Role::Exit).then_some(price);
        Working::new(last, *role, side, position.abs().max(1), price)
    };
    let fill = |&(buy, contracts, gross, exit): &(bool, i64, i64, bool)| Fill {
        ts: row.bar.ts,
        order: Some(last),
        side: if buy { Side::Buy } else { Side::Sell },
        contracts,
        price,
        slippage_ticks: Some(0),
        spread_ticks: Some(0),
        commission_cents: Cents(42 * contracts),
        gross_cents: Cents(if exit { gross } else { 0 }),
        exit: exit.then_some(ExitReason::Stop),
        ambiguous: Some(false),
    };
    let stop = (said.honest && position != 0).then_some(Role::Stop);
    Statement {
        ts: row.bar.ts,
        seen: last.saturating_sub(said.behind),
        position,
        entry_price: (position != 0).then_some(price.points()),
        balance_cents: balance,
        equity_cents: balance + Cents(said.open),
        working: said.working.iter().chain(&stop).map(working).collect(),
        fills: said.fills.iter().map(fill).collect(),
        ..Statement::default()
    }
}

/// Judges rows and statements, taking the ledger up again from text after `restart` rows, with a person's halt in it
/// if one `halts`.
fn judge(account: RulesOf, rows: &[Row], said: &[Said], restart: usize, halts: bool) -> Vec<Verdict> {
    let mut position = 0;
    let settings = settings(account);
    let mut balance = settings.rules.value.capital();
    let mut risk = start(&settings, Ledger::new(balance));
    let (mut last, mut all, mut verdicts) = (0, Vec::new(), Vec::new());
    for (index, (row, said)) in rows.iter().zip(said).enumerate() {
        if index == restart {
            let text = serde_json::to_string(risk.ledger()).expect("text");
            let mut ledger: Ledger = serde_json::from_str(&text).expect("a ledger");
            if halts {
                ledger.halted = Some("a test".to_owned());
            }
            risk = start(&settings, ledger);
        }
        balance += Cents(said.change);
        let statement = statement(row, said, position, balance, last);
        position = statement.position;
        verdicts.clear();
        let sent = risk.ledger().sent;
        risk.judge(row, &statement, &mut verdicts);
        check(&statement, risk.ledger(), (last, sent), &verdicts);
        for verdict in &verdicts {
            if let Verdict::Order(order) = verdict {
                assert!(order.id > last, "an id used again");
                last = order.id;
            }
        }
        all.append(&mut verdicts);
    }
    all
}

fn check(statement: &Statement, ledger: &Ledger, (last, sent): (u64, Option<Sent>), verdicts: &[Verdict]) {
    let orders = verdicts.iter().filter_map(|verdict| match verdict {
        Verdict::Order(order) => Some(order),
        _ => None,
    });
    let orders: Vec<_> = orders.collect();
    assert!(orders.len() <= 1, "two orders on a row");
    let Some(order) = orders.first() else { return };
    let on_its_way = sent.filter(|_| statement.seen < last);
    match (on_its_way, &order.action) {
        (Some(Sent::Exit), _) => panic!("an order while an exit is on its way"),
        (Some(_), Action::Enter { .. } | Action::MoveStop { .. }) => {
            panic!("an order while one is on its way")
        }
        (Some(_), Action::Exit { .. }) | (None, _) => {}
    }
    let waiting = on_its_way == Some(Sent::Entry) || statement.working.iter().any(|w| w.role == Role::Entry);
    let in_trade = statement.position != 0 || waiting;
    match order.action {
        Action::Enter { contracts, stop_ticks, target_ticks, .. } => {
            assert!(statement.position == 0 && statement.working.is_empty(), "an entry in a trade");
            assert!(ledger.stopped.is_none() && ledger.halted.is_none(), "an entry after a limit");
            assert!(contracts > 0 && (4..=18).contains(&stop_ticks) && target_ticks > 0);
        }
        Action::Exit { .. } => assert!(in_trade, "an exit of nothing"),
        Action::MoveStop { .. } => assert!(statement.position != 0, "a stop of nothing"),
    }
}

/// An entry of which nobody knows whether it arrived, while a person's halt wants all closed: one exit, at once, and no
/// other while it is on its way or works.
#[test]
fn an_exit_waits_for_no_entry_whose_fate_is_unknown() {
    let settings = settings(ACCOUNTS[0]);
    let balance = settings.rules.value.capital();
    let entry = || Working { state: Progress::Unknown, ..Working::new(7, Role::Entry, Side::Buy, 1, None) };
    for (seen, working) in [(7, vec![entry()]), (6, vec![entry()]), (6, Vec::new())] {
        let mut ledger = Ledger { order: 7, sent: Some(Sent::Entry), ..Ledger::new(balance) };
        ledger.halted = Some("a test".to_owned());
        let mut risk = start(&settings, ledger);
        let ts = time::parse("2026-11-20T15:00:00Z").expect("a time");
        let price = Price::nearest(5000.0);
        let bar = Bar { ts, open: price, high: price, low: price, close: price, volume: 1, ..Bar::default() };
        let mut row = Row { bar, ..Row::default() };
        let mut asked = |seen: u64, working: &[Working]| {
            row.bar.ts += SECOND;
            let (ts, working) = (row.bar.ts, working.to_vec());
            let (balance_cents, equity_cents) = (balance, balance);
            let statement =
                Statement { ts, seen, working, balance_cents, equity_cents, ..Statement::default() };
            let mut verdicts = Vec::new();
            risk.judge(&row, &statement, &mut verdicts);
            let orders = verdicts.into_iter().filter_map(|verdict| match verdict {
                Verdict::Order(order) => Some((order.id, order.action)),
                _ => None,
            });
            orders.collect::<Vec<_>>()
        };
        let exit = |id| vec![(id, Action::Exit { reason: ExitReason::Limit })];
        assert_eq!(asked(seen, &working), exit(8), "{seen} {working:?}");
        // On its way, then at work.
        assert_eq!(asked(seen, &working), []);
        let close = Working::new(8, Role::Exit, Side::Sell, 1, None);
        assert_eq!(asked(8, &[entry(), close]), []);
        // The broker has dropped it, and the entry may still come.
        assert_eq!(asked(8, &[entry()]), exit(9));
    }
}

/// A broker that says what protects a position is alerted about once it is nothing for over a second, and is not told to
/// close: it knows better. What bars entries is no reason to close either.
#[test]
fn what_the_broker_says_of_its_protection_is_an_alert_and_no_halt() {
    let settings = settings(ACCOUNTS[0]);
    let balance = settings.rules.value.capital();
    let mut risk = start(&settings, Ledger { position: 1, ..Ledger::new(balance) });
    let begun = time::parse("2026-11-20T15:00:00Z").expect("a time");
    let close = Price::nearest(5000.0);
    for (second, protection, barred, alerts) in [
        (1, Protection::Native, None, 0),
        (2, Protection::None { since: begun + 2 * SECOND }, None, 0),
        (3, Protection::None { since: begun + 2 * SECOND - 1 }, None, 1),
        (4, Protection::None { since: begun + 2 * SECOND - 1 }, None, 0),
        (5, Protection::Own, None, 0),
        (6, Protection::Own, Some(Barred::Outside), 0),
    ] {
        let ts = begun + second * SECOND;
        let bar = Bar { ts, open: close, high: close, low: close, close, volume: 1, ..Bar::default() };
        let statement = Statement {
            ts,
            // Contracts that no fill of ours explains, once a person has clicked.
            position: if barred.is_some() { 3 } else { 1 },
            entry_price: Some(close.points()),
            balance_cents: balance,
            equity_cents: balance,
            protection: Some(protection),
            barred,
            ..Statement::default()
        };
        let mut verdicts = Vec::new();
        risk.judge(&Row { bar, ..Row::default() }, &statement, &mut verdicts);
        let unprotected =
            |verdict: &&Verdict| matches!(verdict, Verdict::Alert { rule, .. } if rule == "unprotected_ms");
        assert_eq!(verdicts.iter().filter(unprotected).count(), alerts, "{second}: {verdicts:?}");
        assert!(
            !verdicts.iter().any(|verdict| matches!(verdict, Verdict::Order(_))),
            "{second}: {verdicts:?}"
        );
        assert_eq!(risk.ledger().halted, None, "{second}");
    }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn nothing_is_entered_on_any_statement_that_forbids_it_and_a_restart_changes_nothing(
        begin in 0..STARTS.len(),
        account in prop::sample::select(ACCOUNTS.to_vec()),
        steps in prop::collection::vec((step(), said()), 1..80),
        restart in 0..80_usize,
    ) {
        let (steps, mut said): (Vec<Step>, Vec<Said>) = steps.into_iter().unzip();
        let rows = rows(begin, &steps);
        let restart = restart % said.len();
        // The first statement of a run may be flat whatever was before it.
        said[restart].honest = true;
        let whole = judge(account, &rows, &said, usize::MAX, false);
        prop_assert_eq!(whole, judge(account, &rows, &said, restart, false));
        judge(account, &rows, &said, restart, true);
    }
}
