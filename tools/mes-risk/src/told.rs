//! What the things said do to the ledger.

use mes_core::{
    ledger::{Lasts, Ledger},
    person::{Person, Says},
};

/// Takes in what was said.
pub fn told(ledger: &mut Ledger, person: &Person) {
    match person.says {
        Says::Halt => ledger.halted = Some(person.reason.clone()),
        Says::Resume => ledger.halted = None,
        // Without a new peak or start the limit would be reached again on the next row.
        Says::Review => {
            ledger.peak_cents = ledger.equity_cents;
            lift(ledger, Lasts::Review);
        }
        Says::Reset => {
            ledger.peak_cents = ledger.equity_cents;
            ledger.start_cents = ledger.equity_cents;
            lift(ledger, Lasts::Halt);
        }
        // The day ends, and what is remembered of it stays.
        Says::Stop => {}
    }
}

/// Ends a stop that lasts no longer than this. What only a new day lifts stays until then.
fn lift(ledger: &mut Ledger, lasts: Lasts) {
    ledger.stopped =
        ledger.stopped.take().filter(|stopped| stopped.lasts == Lasts::Day || stopped.lasts > lasts);
}

#[cfg(test)]
mod tests {
    use mes_core::{ledger::Stopped, money::Cents};

    use super::*;

    fn person(says: Says) -> Person {
        Person { ts: 0, says, reason: "looked".into(), by: "person".into(), rules: None }
    }

    fn stopped(lasts: Lasts) -> Ledger {
        let mut ledger = Ledger::new(Cents(100_000));
        (ledger.peak_cents, ledger.equity_cents) = (Cents(110_000), Cents(90_000));
        let (value_cents, limit_cents) = (Cents(20_000), Cents(20_000));
        ledger.stopped =
            Some(Stopped { rule: "a_limit_usd".into(), lasts, value_cents, limit_cents, settled: true });
        ledger
    }

    /// What stopped, what is said, whether it still stops, start and peak after it.
    #[test]
    fn each_lifts_what_it_is_for() {
        use Says::{Halt, Reset, Resume, Review};
        for (lasts, says, stops, start, peak) in [
            (Lasts::Day, Resume, true, 100_000, 110_000),
            (Lasts::Day, Review, true, 100_000, 90_000),
            (Lasts::Day, Reset, true, 90_000, 90_000),
            (Lasts::Review, Resume, true, 100_000, 110_000),
            (Lasts::Review, Review, false, 100_000, 90_000),
            (Lasts::Review, Reset, false, 90_000, 90_000),
            (Lasts::Halt, Review, true, 100_000, 90_000),
            (Lasts::Halt, Reset, false, 90_000, 90_000),
            (Lasts::Halt, Halt, true, 100_000, 110_000),
        ] {
            let mut ledger = stopped(lasts);
            told(&mut ledger, &person(says));
            let found = (ledger.stopped.is_some(), ledger.start_cents, ledger.peak_cents);
            assert_eq!(found, (stops, Cents(start), Cents(peak)), "{lasts:?} {says:?}");
        }
    }

    #[test]
    fn a_halt_lasts_until_it_is_resumed() {
        let mut ledger = Ledger::new(Cents(100_000));
        for (says, halted) in
            [(Says::Halt, true), (Says::Reset, true), (Says::Review, true), (Says::Resume, false)]
        {
            told(&mut ledger, &person(says));
            assert_eq!(ledger.halted.is_some(), halted, "{says:?}");
        }
    }
}
