//! Days one after the other: what each came to, and when the chart says that the model is to be trusted no more.

use mes_core::{calendar::Calendar, record::Record, run::Named, time::SECOND};

use super::*;
use crate::sample;

/// Writes the journal of a day with one trade that makes so much, in cents.
fn journal(
    folder: &std::path::Path,
    name: &str,
    day: i64,
    net: i64,
    change: impl Fn(&mut mes_core::run::Run),
) {
    let mut run = sample::run();
    run.calendar = "cal".into();
    change(&mut run);
    let at = sample::START + day * 86_400 * SECOND;
    let mut row = mes_core::row::Row::default();
    (row.bar.ts, row.bar.volume) = (at, 1);
    [row.bar.open, row.bar.high, row.bar.low, row.bar.close] =
        [20_000; 4].map(mes_core::price::Price::from_ticks);
    let entry = sample::fill(at, 1, mes_core::order::Side::Buy, 1, 0, 1);
    let mut exit = sample::fill(at, 1, mes_core::order::Side::Sell, 1, 4, 1);
    (exit.exit, exit.gross_cents) =
        (Some(mes_core::order::ExitReason::Signal), mes_core::money::Cents(net + 84));
    let state = sample::state(at, mes_core::money::Cents(100_000 + net), vec![entry, exit]);
    let records = [
        Record::Run(Box::new(run)),
        Record::Row(row, Default::default()),
        Record::Statement(state.clone()),
        Record::End,
        Record::Statement(mes_core::statement::Statement { fills: Vec::new(), ..state }),
    ];
    let lines = records.iter().map(|record| serde_json::to_string(&record.line()).expect("writes") + "\n");
    std::fs::write(folder.join(name), lines.collect::<String>()).expect("writes");
}

fn calendar() -> Named<Calendar> {
    Named { blake3: "cal".into(), value: Calendar::shipped() }
}

fn expects() -> Expectation {
    let nets: Vec<f64> = (0..60).map(|index| if index % 2 == 0 { 20.0 } else { -12.0 }).collect();
    Expectation::of(&nets).expect("enough")
}

#[test]
fn the_most_real_account_is_followed_and_what_is_unlike_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let practice = |run: &mut mes_core::run::Run| run.broker.kind = mes_core::broker::Kind::Practice;
    journal(path, "a.jsonl", 0, 1000, |_| ());
    journal(path, "b.jsonl", 1, -500, |run| {
        practice(run);
        run.rules.blake3 = "other".into();
    });
    journal(path, "c.jsonl", 2, 700, practice);
    std::fs::write(path.join("d.jsonl"), "no journal\n").expect("writes");
    std::fs::write(path.join("notes.txt"), "").expect("writes");
    let diary = read(path, &calendar(), None, Some(expects()), 1000.0).expect("reads");
    assert_eq!((diary.followed, diary.days.len(), diary.left_out.len()), ("practice", 3, 1));
    assert_eq!(diary.dates().iter().map(|date| date.1).collect::<Vec<_>>(), [-5.0, 7.0]);
    // Only the day that is alike is charted.
    assert_eq!(diary.nets.iter().map(|net| net.usd).collect::<Vec<_>>(), [7.0]);
    let warnings = diary.warnings().join("\n");
    assert!(
        warnings.contains("d.jsonl left out") && warnings.contains("1 day traded by another rules file"),
        "{warnings}"
    );
    let paper = read(path, &calendar(), Some("paper"), None, 1000.0).expect("reads");
    assert_eq!((paper.followed, paper.dates().len(), paper.drift), ("paper", 1, None));
    let text = terminal::text(&diary);
    assert!(
        text.contains("other rules or model") && text.contains("nothing says that the model has changed"),
        "{text}"
    );
}

#[test]
fn a_model_that_lost_its_edge_is_found_and_the_page_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    for day in 0..18 {
        journal(folder.path(), &format!("{day:02}.jsonl"), day + day / 5 * 2, -1300, |_| ());
    }
    let diary = read(folder.path(), &calendar(), None, Some(expects()), 1000.0).expect("reads");
    let drift = diary.drift.as_ref().expect("a chart");
    let signalled = drift.signalled.as_ref().expect("signals").0;
    // (4 + 13)/16.1 − 0.25 a trade: 0.81 each, up to h.
    assert_eq!(
        signalled as f64,
        (drift.h / ((4.0 + 13.0) / diary.expectation.as_ref().expect("expects").sd_usd - 0.25)).ceil()
    );
    assert!((drift.false_alarm_trades - 1000.0).abs() < 0.01, "{drift:?}");
    let page = page::page(&diary);
    assert_eq!(mes_page::flaw(&page), None);
    for part in ["STOP TRUSTING THE MODEL", "class=\"lost\"", "November 2026", "Siegmund"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_folder_without_a_journal_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = read(folder.path(), &calendar(), None, None, 1000.0).expect_err("nothing");
    assert!(error.code() == 2 && error.to_string().contains("no journal"), "{error}");
}
