//! Stops and targets: where they lie, and how a stop moves.

use mes_core::rules::StopBy;

use crate::{
    MORNING, plain,
    play::{Tape, settings},
};

/// Whole minutes of a range, and the stop that 1.5 times their ATR gives, rounded up and clamped.
#[test]
fn a_stop_by_atr() {
    for (minutes, range, stop) in
        [(13, 7, 8), (14, 7, 11), (14, 6, 9), (14, 8, 12), (14, 1, 4), (14, 12, 18), (14, 40, 18)]
    {
        let settings = settings("mes-1k", |rules| {
            plain(rules);
            (rules.exits.stop, rules.exits.reward_risk) = (StopBy::Atr, 1.5);
        });
        let mut tape = Tape::new(MORNING);
        // The stream begins with the last second of a minute, which no whole minute holds.
        tape.ts -= 1_000_000_000;
        tape.still(0).minutes(minutes, range).still(0).signal(1.0, 0.95).still(0);
        let target = (stop as f64 * 1.5).round() as i64;
        let entries = tape.play(&settings).entries();
        assert_eq!((entries[0].1, entries[0].2), (stop, target), "{minutes} minutes of {range}");
    }
}

/// A break forgets the ATR: the fixed stop holds again.
#[test]
fn a_break_forgets() {
    let settings = settings("mes-1k", |rules| {
        plain(rules);
        rules.exits.stop = StopBy::Atr;
    });
    let mut tape = Tape::new("2026-11-20T14:59:59Z");
    tape.still(0).minutes(20, 4).resume("2026-11-20T15:40:00Z").still(0).signal(1.0, 0.95).still(0);
    assert_eq!(tape.play(&settings).entries()[0].1, 8);
}

/// A tick beyond the low of the last two minutes for a purchase, beyond the high for a sale.
#[test]
fn a_stop_by_structure() {
    let with = |minutes| {
        settings("mes-1k", |rules| {
            plain(rules);
            (rules.exits.stop, rules.exits.swing_minutes) = (StopBy::Structure, minutes);
        })
    };
    let mut tape = Tape::new("2026-11-20T14:59:59Z");
    tape.still(0).later(60, [0, 3, -12, 0]).later(60, [0, 10, -5, 0]).later(60, [0, 9, -6, 0]);
    let stop = |tape: &Tape, minutes| tape.play(&with(minutes)).entries()[0].1;
    for (dir, minutes, expected) in [
        (1.0, 1, 7),
        (1.0, 2, 7),
        (1.0, 3, 13),
        (-1.0, 1, 10),
        (-1.0, 3, 11),
        // Not known for so long.
        (1.0, 4, 8),
    ] {
        tape.still(0).signal(dir, 0.95);
        assert_eq!(stop(&tape, minutes), expected, "{dir} {minutes}");
        tape.signal(0.0, 0.95);
    }
    // The minute being made counts too, and nothing is nearer than 4 ticks.
    tape.row([0, 0, -17, -1]).signal(1.0, 0.95);
    assert_eq!(stop(&tape, 1), 17);
    let mut tape = Tape::new("2026-11-20T14:59:59Z");
    tape.still(0).minutes(3, 1).still(0).signal(1.0, 0.95);
    assert_eq!(stop(&tape, 2), 4);
}

/// Bought at 1: break-even from a close of 5 on, at 2. The row that moves the stop has been below it, and only the
/// next one is stopped.
#[test]
fn break_even_acts_from_the_next_row_on() {
    let settings = settings("mes-1k", |rules| {
        plain(rules);
        (rules.exits.break_even_after_ticks, rules.exits.break_even_ticks) = (4, 1);
    });
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(1.0, 0.75).still(0).still(4).row([4, 5, -3, 5]).still(6).row([6, 6, 2, 6]).still(6);
    let book = tape.play(&settings);
    assert_eq!(book.moves(), [2]);
    assert_eq!(book.exits(), [("2026-11-20T15:00:06Z".into(), 1, "trail")]);
}

/// Sold at -1: trails by 3 ticks from 5 ahead, never back.
#[test]
fn a_trailing_stop_never_goes_back() {
    let settings = settings("mes-1k", |rules| {
        plain(rules);
        (rules.exits.trail_after_ticks, rules.exits.trail_ticks) = (5, 3);
    });
    let mut tape = Tape::new(MORNING);
    tape.still(0).signal(-1.0, 0.75).still(0);
    for close in [-5, -6, -5, -8, -7, -6, -8, -10] {
        tape.still(close);
    }
    assert_eq!(tape.play(&settings).moves(), [-3, -5, -7]);
}

/// From 16:00 on with flat-by at 16:30 the stop follows two ticks behind.
#[test]
fn a_stop_tightens_near_the_days_end() {
    let settings = settings("mes-1k", |rules| {
        plain(rules);
        rules.exits.tighten_ticks = 2;
    });
    let mut tape = Tape::new("2026-11-20T20:59:50Z");
    tape.still(0).signal(1.0, 0.95);
    for _ in 0..8 {
        tape.still(0);
    }
    assert!(tape.play(&settings).moves().is_empty());
    tape.still(0).still(1).still(0).still(3);
    assert_eq!(tape.play(&settings).moves(), [-2, -1, 1]);
    let exits = tape.row([3, 3, 1, 2]).play(&settings).exits();
    // Two ticks of slippage in the evening.
    assert_eq!((exits[0].1, exits[0].2), (-1, "trail"));
}
