//! Entries at a limit: where they are sent, what they keep from happening while they wait, and what ends that.

use mes_core::{
    order::{Action, ExitReason, Limit},
    rules::{EntryBy, EntrySession, Rules},
    statement::Role,
    time,
    verdict::Verdict,
};

use crate::{
    MORNING, owned, plain,
    play::{Book, Tape, at, settings},
};

/// One tick better than the near quote or the close, for ten seconds.
fn patient(rules: &mut Rules) {
    plain(rules);
    let entries = &mut rules.entries;
    (entries.entry, entries.limit_offset_ticks, entries.limit_lifetime_ms) = (EntryBy::Limit, 1, 10_000);
}

/// Returns the limits of the entries, in ticks from 5000, and how long they wait.
fn limits(book: &Book) -> Vec<(i64, u32)> {
    let limit = |action: &Action| match action {
        Action::Enter { limit: Some(Limit { price, lifetime_ms }), .. } => {
            Some((*price - at(0), *lifetime_ms))
        }
        _ => None,
    };
    book.orders().filter_map(|order| limit(&order.action)).collect()
}

/// Returns what was refused, in order.
fn refused(book: &Book) -> Vec<String> {
    let refusals = book.statements.iter().flat_map(|statement| &statement.refused);
    refusals.map(|refusal| refusal.reason.clone()).collect()
}

fn holds(book: &Book) -> Vec<String> {
    let reason = |verdict: &Verdict| match verdict {
        Verdict::Hold { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    book.verdicts.iter().filter_map(reason).collect()
}

#[test]
fn a_limit_lies_by_the_near_quote_or_the_close() {
    let settings = settings("mes-1k", patient);
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75).row([0, 0, -2, 0]);
    assert_eq!(limits(&tape.play(&settings)), [(-1, 10_000)]);
    for (dir, limit) in [(1.0, -2), (-1.0, 3)] {
        let mut tape = Tape::quoted(MORNING);
        tape.still(0).quote(-1, 2).signal(dir, 0.75).still(0).quote(-1, 2);
        assert_eq!(limits(&tape.play(&settings)), [(limit, 10_000)], "{dir}");
    }
}

/// As large as an entry at market, since its stop slips all the same; the stop and the target are measured from the fill.
#[test]
fn it_waits_alone_until_it_fills() {
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75);
    tape.still(0).signal(1.0, 0.95).still(0).row([0, 0, -2, 0]).still(0);
    let book = tape.play(&settings("mes-1k", patient));
    assert_eq!(book.signals(), ["LONG_ENTRY enter"]);
    assert_eq!(holds(&book), owned(&["entry_waits", "in_trade"]));
    let levels = |index: usize| {
        let working = book.statements[index].working.iter();
        working.map(|order| (order.role, order.price.map(|price| price - at(0)))).collect::<Vec<_>>()
    };
    assert_eq!(levels(2), [(Role::Entry, Some(-1))]);
    assert_eq!(levels(4), [(Role::Stop, Some(-9)), (Role::Target, Some(15))]);
    let market = tape.play(&settings("mes-1k", plain));
    let contracts = |book: &Book| match book.orders().next().map(|order| order.action.clone()) {
        Some(Action::Enter { contracts, .. }) => contracts,
        other => panic!("{other:?}"),
    };
    assert_eq!(contracts(&book), contracts(&market));
}

#[test]
fn one_that_expired_is_over_and_another_may_follow() {
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75);
    for _ in 0..11 {
        tape.still(0);
    }
    tape.still(0).still(4).signal(1.0, 0.75).row([4, 4, 2, 4]);
    let book = tape.play(&settings("mes-1k", patient));
    assert_eq!((limits(&book), refused(&book)), (vec![(-1, 10_000), (3, 10_000)], owned(&["expired"])));
    assert_eq!(book.statements.iter().flat_map(|statement| &statement.fills).count(), 2);
}

#[test]
fn the_opposite_signal_cancels_it() {
    for (conf, leaves, signals) in [
        (0.75, true, vec!["LONG_ENTRY enter", "EXIT_LONG exit"]),
        (0.75, false, vec!["LONG_ENTRY enter"]),
        (0.55, true, vec!["LONG_ENTRY enter"]),
    ] {
        let settings = settings("mes-1k", |rules| {
            patient(rules);
            rules.exits.on_opposite_signal = leaves;
        });
        let mut tape = Tape::new(MORNING);
        tape.still(0).signal(1.0, 0.75).still(0).still(0).signal(-1.0, conf).still(0);
        let book = tape.play(&settings);
        assert_eq!(book.signals(), signals, "{conf} {leaves}");
        let wanted = if signals.len() == 2 { "cancelled" } else { "end_of_data" };
        assert_eq!(refused(&book), [wanted]);
        // Nothing of it was ever open.
        assert!(book.statements.iter().all(|statement| statement.fills.is_empty()));
    }
}

/// No fill of it may be an entry that would have been denied: it ends before the cash session does, where entries are for
/// that, and before the last quarter of an hour to flat-by.
#[test]
fn it_ends_with_the_hours_of_entries() {
    for (session, start, lifetime_ms) in [
        (EntrySession::All, "2026-11-20T21:14:50Z", 8_999),
        (EntrySession::Rth, "2026-11-20T20:59:55Z", 3_999),
        (EntrySession::All, "2026-11-20T20:59:55Z", 10_000),
    ] {
        let settings = settings("mes-1k", |rules| {
            patient(rules);
            rules.entries.session = session;
        });
        let mut tape = Tape::new(start);
        tape.still(0).signal(1.0, 0.95).still(0);
        assert_eq!(limits(&tape.play(&settings)), [(-1, lifetime_ms)], "{session:?} {start}");
    }
}

/// Seven contracts are too many from ten seconds before the firm's five minutes around the price index on, also where they
/// only wait.
#[test]
fn an_announcement_cancels_it() {
    let mut tape = Tape::new("2026-12-10T13:24:45Z");
    tape.still(0).signal(1.0, 0.95);
    for _ in 0..8 {
        tape.still(0);
    }
    let book = tape.play(&settings("topstep-50k", patient));
    let exit = book.orders().last().expect("an order");
    assert_eq!(exit.action, Action::Exit { reason: ExitReason::Limit });
    assert_eq!(
        (refused(&book), time::format(exit.ts)),
        (owned(&["cancelled"]), "2026-12-10T13:24:50Z".into())
    );
}
