//! Where days begin and end: changes of the clock, early closes, holidays, midnight, Sundays.

use mes_core::rules::EntrySession;

use crate::{
    plain,
    play::{Tape, settings},
};

/// Loses the day's limit at the first instant, and has signals around the second: when the first entry is.
fn resumes(session: EntrySession, lost: &str, around: &str) -> String {
    let settings = settings("mes-1k", |rules| {
        plain(rules);
        rules.entries.session = session;
    });
    let mut tape = Tape::new(lost);
    tape.still(0).signal(1.0, 0.95).still(0).still(-60).still(-60).signal(1.0, 0.95);
    tape.resume(around);
    tape.ts -= 5_000_000_000;
    for _ in 0..10 {
        tape.still(-60).signal(1.0, 0.75);
    }
    let book = tape.play(&settings);
    assert_eq!(book.alerts()[1].0, "daily_drawdown_usd");
    let entries = book.entries();
    assert!(entries.len() == 2 || entries.len() == 1, "{entries:?}");
    entries.get(1).map_or_else(|| "never".into(), |entry| entry.0.clone())
}

/// When a stopped account trades again. Rows are stamped at their end: the first of a session a second after it opens.
#[test]
fn a_stopped_day_ends_with_its_session() {
    use EntrySession::{All, Rth};
    for (session, lost, around, first) in [
        // Monday to Tuesday: at 18:00, or with the cash session at 09:30.
        (All, "2026-11-16T15:00:00Z", "2026-11-16T23:00:00Z", "2026-11-16T23:00:01Z"),
        (Rth, "2026-11-16T15:00:00Z", "2026-11-17T14:30:00Z", "2026-11-17T14:30:01Z"),
        // Midnight is nothing, neither in New York nor in Greenwich.
        (All, "2026-11-16T23:30:00Z", "2026-11-17T05:00:00Z", "never"),
        (All, "2026-11-16T23:30:00Z", "2026-11-17T00:00:00Z", "never"),
        // Friday to Sunday evening, with the clock changed between them: 18:00 is 22:00, then 23:00.
        (All, "2026-10-30T15:00:00Z", "2026-11-01T23:00:00Z", "2026-11-01T23:00:01Z"),
        (All, "2026-10-30T15:00:00Z", "2026-11-01T22:00:00Z", "never"),
        (Rth, "2026-10-30T15:00:00Z", "2026-11-02T14:30:00Z", "2026-11-02T14:30:01Z"),
        (All, "2026-03-06T16:00:00Z", "2026-03-08T22:00:00Z", "2026-03-08T22:00:01Z"),
        (Rth, "2026-03-06T16:00:00Z", "2026-03-09T13:30:00Z", "2026-03-09T13:30:01Z"),
        // Thanksgiving has no cash session of its own: the futures close at 13:00, and 18:00 begins Friday.
        (All, "2026-11-26T15:00:00Z", "2026-11-26T23:00:00Z", "2026-11-26T23:00:01Z"),
        // Christmas is closed: Thursday evening belongs to no day, Sunday evening to Monday.
        (All, "2026-12-24T15:00:00Z", "2026-12-24T23:00:00Z", "never"),
        (All, "2026-12-24T15:00:00Z", "2026-12-27T23:00:00Z", "2026-12-27T23:00:01Z"),
    ] {
        assert_eq!(resumes(session, lost, around), first, "{session:?} {lost} {around}");
    }
}

/// The last second of an entry and the first of an exit at market, on days that end early and on one with a pause.
#[test]
fn the_days_end_moves_with_the_calendar() {
    for (name, date, flat) in [
        ("mes-1k", "2026-11-20", "21:30"),
        ("mes-1k", "2026-07-10", "20:30"),
        ("mes-1k", "2026-11-27", "18:00"),
        ("mes-1k", "2021-06-24", "20:00"),
        ("mes-1k-topstep", "2026-11-20", "21:08"),
        ("topstep-100k", "2026-07-10", "20:08"),
        ("topstep-100k", "2026-11-27", "18:00"),
    ] {
        let settings = settings(name, plain);
        let flat = format!("{date}T{flat}:00Z");
        let at = |minutes: i64, seconds: i64| {
            let ts = mes_core::time::parse(&flat).expect("a time");
            ts - minutes * mes_core::time::MINUTE + seconds * mes_core::time::SECOND
        };
        let mut tape = Tape::new(&flat);
        tape.ts = at(15, -3);
        // The first signal comes two seconds before the time for entries ends; a trade it makes is open at F-5.
        for _ in 0..2 {
            tape.still(0);
        }
        tape.signal(1.0, 0.95).still(0).signal(1.0, 0.95);
        tape.ts = at(5, -2);
        tape.still(0).still(0).still(0);
        let book = tape.play(&settings);
        let entries: Vec<_> = book.entries().into_iter().map(|entry| entry.0).collect();
        assert_eq!(entries, [mes_core::time::format(at(15, -1))], "{name} {date}");
        let exits = book.exits();
        let exit = (mes_core::time::format(at(5, 1)), "eod_flatten");
        assert_eq!((exits[0].0.clone(), exits[0].2), exit, "{name} {date}");

        // A second later there is none.
        let mut tape = Tape::new(&flat);
        tape.ts = at(15, -1);
        tape.still(0).signal(1.0, 0.95).still(0).signal(1.0, 0.95);
        let book = tape.play(&settings);
        assert_eq!((book.entries().len(), book.denied()[0].1.as_str()), (0, "day_end_s"), "{name} {date}");
    }
}

/// Seven contracts are too many from ten seconds before the firm's five minutes around the price index on.
#[test]
fn a_position_is_closed_for_an_announcement() {
    let settings = settings("topstep-50k", plain);
    let mut tape = Tape::new("2026-12-10T13:24:45Z");
    tape.still(0).signal(1.0, 0.95);
    for _ in 0..10 {
        tape.still(0);
    }
    tape.still(0).signal(1.0, 0.95).still(0);
    let book = tape.play(&settings);
    let held: Vec<_> = book.statements.iter().map(|statement| statement.position).collect();
    assert_eq!(held[..7], [0, 7, 7, 7, 7, 0, 0]);
    assert_eq!(book.exits()[0].2, "limit");
    assert_eq!(held[11..13], [0, 1], "one is allowed");
}

/// Losing trades are counted within a day: two in the evening of one and one on the next do not pause.
#[test]
fn a_streak_ends_with_its_day() {
    let settings = settings("mes-1k", |rules| {
        rules.entries.cooldown_s = 0;
        rules.limits.daily_loss_usd = 100.0;
        rules.limits.daily_drawdown_usd = 100.0;
    });
    let mut tape = Tape::new("2026-11-19T15:00:00Z");
    let lose = |tape: &mut Tape| {
        tape.still(0).signal(1.0, 0.95).still(0).row([0, 0, -20, 0]);
    };
    lose(&mut tape);
    lose(&mut tape);
    tape.resume("2026-11-19T23:00:00Z");
    lose(&mut tape);
    lose(&mut tape);
    tape.still(0).signal(1.0, 0.95).still(0);
    let book = tape.play(&settings);
    assert_eq!((book.entries().len(), book.denied()), (5, vec![]));
}
