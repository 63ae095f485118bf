//! What is known of a made-up day, and when.

use mes_core::{
    broker::Kind,
    limits::{LimitFacts, Limits},
    person::{Person, Says},
    time::SECOND,
};

use super::*;
use crate::{
    chart::{Piece, Wanted},
    sample::{self, START, flat, records, row, taken},
    snapshot::Snapshot,
};

#[test]
fn a_row_knows_what_was_known_then_and_no_more() {
    let day = taken(records(Kind::Paper, "", 120, &[10, 60]));
    assert_eq!((day.moments.len(), day.trades.len(), day.marks.len()), (120, 2, 4));
    let at = |row| Snapshot::of(&day, row);
    let before = at(9);
    let now = before.now.as_ref().expect("figures");
    assert_eq!((now.position.as_str(), now.day.text.as_str(), before.decisions.len()), ("flat", "$0.00", 0));
    let held = at(11);
    let now = held.now.as_ref().expect("figures");
    assert_eq!((now.position.as_str(), now.entry.as_deref()), ("long 1", Some("6002.50")));
    assert_eq!((now.stop.as_deref(), now.target.as_deref()), (Some("6000.50"), Some("6006.50")));
    assert_eq!((now.day.cents, now.open.cents, now.realised.cents), (-342, -300, -42));
    let said: Vec<&str> = held.decisions.iter().map(|line| line.text.as_str()).collect();
    assert!(said[0].starts_with("bought 1 at 6002.5"), "{said:?}");
    assert!(said[1].starts_with("order 1: buy 1 at market, stop 8 ticks"), "{said:?}");
    assert_eq!(held.latencies[0].text, "300 ms from decision to fill");
    let after = at(21);
    assert_eq!(after.result.text, "1 trade, 0 won, net -$5.84 after $0.84 of commission");
    assert_eq!(at(usize::MAX).result.trades, 2);
}

#[test]
fn limits_are_those_of_the_judge() {
    let day = taken(records(Kind::Paper, "", 30, &[5]));
    let book = day.book.as_ref().expect("a book");
    let shown = Snapshot::of(&day, usize::MAX).limits;
    let facts = LimitFacts::of(day.ledger().expect("a ledger"));
    let judged: Vec<_> = Limits::of(book.rules()).used(&facts).collect();
    assert_eq!(shown.len(), judged.len());
    for (bar, used) in shown.iter().zip(judged) {
        assert_eq!((bar.rule.as_str(), bar.used.clone()), (used.rule, used.used_cents.to_string()));
    }
    let loss = shown.iter().find(|bar| bar.rule == "daily_loss_usd").expect("a limit");
    assert_eq!((loss.used.as_str(), loss.left.as_str(), loss.limit.as_str()), ("$5.84", "$44.16", "$50.00"));
}

#[test]
fn what_keeps_entries_away_is_said_with_its_beginning() {
    let mut day = taken(records(Kind::Paper, "", 40, &[5]));
    let shown = Snapshot::of(&day, 20);
    let gate = shown.gates.iter().find(|gate| gate.rule == "cooldown_s").expect("a pause after an exit");
    assert_eq!((gate.state, gate.since.as_str()), ("no entries", "09:31:16"));
    let (says, reason, by) = (Says::Halt, "news\u{1b}[2J <script>".to_owned(), "person".to_owned());
    day.take(Record::Person(Person { ts: START, says, reason, by, rules: None })).expect("heard");
    for second in 40..42 {
        day.take(row(START + second * SECOND)).expect("a row");
        day.take(Record::Statement(flat(START + second * SECOND, 99_416))).expect("a statement");
    }
    let shown = Snapshot::of(&day, usize::MAX);
    assert!(
        shown.stops.iter().any(|stop| stop.why.contains("halted (news·[2J <script>)")),
        "{:?}",
        shown.stops
    );
    assert_eq!(shown.alerts[0].word, "STOP");
    assert!(Snapshot::of(&day, 39).stops.iter().all(|stop| !stop.why.contains("halted")));
}

#[test]
fn another_day_takes_the_place_of_the_one_before() {
    let next = |second: i64| START + (3 * 86_400 + second) * SECOND;
    let mut two = records(Kind::Paper, "", 30, &[5]);
    for second in 0..3 {
        two.extend([row(next(second)), Record::Statement(flat(next(second), 99_416))]);
    }
    let day = taken(two.clone());
    assert_eq!((day.days, day.moments.len(), day.trades.len()), (2, 3, 0));
    assert_eq!(day.label.map(|label| label.to_string()).as_deref(), Some("2026-11-23"));
    let mut first = sample::day();
    first.wanted = Some("2026-11-20".parse().expect("a date"));
    for record in two {
        first.take(record).expect("a journal");
    }
    assert_eq!((first.days, first.moments.len(), first.trades.len()), (2, 30, 1));
}

#[test]
fn a_journal_of_another_calendar_or_without_its_beginning_is_refused() {
    let mut other = sample::run(Kind::Paper, "");
    other.calendar = "another".into();
    let mut day = sample::day();
    assert_eq!(day.take(row(START)).expect_err("refused").code(), 3);
    assert_eq!(day.take(Record::Run(Box::new(other))).expect_err("refused").code(), 2);
}

#[test]
fn a_chart_is_no_finer_than_asked_for_and_loses_no_extreme() {
    let day = taken(records(Kind::Paper, "", 3000, &[100, 2000]));
    let piece =
        Piece::of(&day, Wanted { points: 100, until: usize::MAX, ..Wanted::default() }).expect("rows");
    assert!(
        piece.candles.len() <= 101 && piece.step_s == 30,
        "{} of {} s",
        piece.candles.len(),
        piece.step_s
    );
    let high = piece.candles.iter().map(|candle| candle.2).fold(f64::MIN, f64::max);
    assert_eq!(high, 6010.0);
    assert_eq!((piece.marks.len(), piece.levels.len()), (4, 6));
    let until = Piece::of(&day, Wanted { points: 100, until: 1500, ..Wanted::default() }).expect("rows");
    assert_eq!((until.marks.len(), until.last), (2, (START + 1500 * SECOND) / 1_000_000));
    let (from, to) = (Some(START + 90 * SECOND), Some(START + 130 * SECOND));
    let near = Piece::of(&day, Wanted { from, to, points: 100, until: usize::MAX }).expect("rows");
    assert_eq!((near.step_s, near.candles.len(), near.marks.len()), (1, 41, 2));
    assert!(Piece::of(&sample::day(), Wanted::default()).is_none());
}
