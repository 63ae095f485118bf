//! Whether a statement can be true: a position is the sum of its fills and has a stop over all of it, no further than the
//! rules place one, and cash is what the fills made of it.
//!
//! The first statement of a run may be flat whatever the ledger has: a position that a kill left was booked without us.
//! Every other one that is not the sum of its fills, or leaves contracts without a stop, is an alert, closes everything
//! and halts.

use std::fmt;

use mes_core::{
    ledger::Ledger,
    money::Cents,
    order::Side,
    rules::Exits,
    statement::{Role, Statement, Working},
    time::{MILLI, SECOND},
    verdict::Verdict,
};

use crate::stops;

/// How long a position may be without protection at a broker that says how long it has been.
const UNPROTECTED: i64 = SECOND;

/// What is wrong with a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub rule: &'static str,
    /// In contracts, dollars or ticks, as the rule's name says.
    pub found: f64,
    pub wanted: f64,
    /// The account is closed and halted until a person has looked.
    pub halts: bool,
    /// It stays true from row to row, and is said once.
    pub stays: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { rule, found, wanted, .. } = self;
        write!(
            f,
            "{rule}: the broker says {found}, and it should be {wanted}: look at the account at the broker"
        )
    }
}

/// Returns what is wrong with a statement that follows on what the ledger knows, the worst first. The first of a run may be
/// flat whatever was before: what a kill left open was closed without us, and brought cash that nobody told of.
/// A broker that bars entries says itself that something does not add up, and one that says what protects a position is
/// believed.
pub fn fault(statement: &Statement, ledger: &Ledger, first: bool, exits: &Exits) -> Option<Fault> {
    if statement.barred.is_some() {
        return None;
    }
    let position = statement.position;
    let filled = statement.fills.iter().map(|fill| fill.side.sign().saturating_mul(fill.contracts));
    let explained = filled.fold(ledger.position, i64::saturating_add);
    let missed = first && position == 0 && position != explained;
    if position != explained && !missed {
        let (found, wanted) = (position as f64, explained as f64);
        return Some(Fault { rule: "unexplained_position", found, wanted, halts: true, stays: false });
    }
    unprotected(statement).or_else(|| far_stop(statement, exits)).or_else(|| {
        let booked = statement.fills.iter().map(|fill| fill.gross_cents - fill.commission_cents);
        let known = Cents(ledger.balance_cents.0.saturating_add(statement.adjusted_cents.0));
        let explained = booked.fold(known, |sum, cash| Cents(sum.0.saturating_add(cash.0)));
        let (found, wanted) = (statement.balance_cents.usd(), explained.usd());
        (!missed && statement.balance_cents != explained).then_some(Fault {
            rule: "unexplained_balance_usd",
            found,
            wanted,
            halts: false,
            stays: false,
        })
    })
}

/// Returns the stops of the position.
fn stops_of(statement: &Statement) -> impl Iterator<Item = &Working> {
    let side = Side::of(statement.position).opposite();
    statement.working.iter().filter(move |order| order.role == Role::Stop && order.side == side)
}

fn unprotected(statement: &Statement) -> Option<Fault> {
    if statement.protection.is_some() {
        return None;
    }
    let protected = stops_of(statement).filter(|stop| stop.price.is_some()).map(|stop| stop.contracts);
    let protected = protected.fold(0, i64::saturating_add);
    let wanted = statement.position.saturating_abs();
    let (rule, found) = ("unprotected_position", protected as f64);
    (protected < wanted).then_some(Fault { rule, found, wanted: wanted as f64, halts: true, stays: true })
}

/// Says of a stop that it lies further from the entry than the rules place one.
fn far_stop(statement: &Statement, exits: &Exits) -> Option<Fault> {
    let entry = statement.entry()?;
    let side = Side::of(statement.position).sign();
    let away = stops_of(statement).filter_map(|stop| stop.price).map(|stop| side * (entry - stop));
    let furthest = away.max()?;
    let most = stops::widest_ticks(exits);
    let (rule, found, wanted) = ("far_stop_ticks", furthest as f64, most as f64);
    (furthest > most).then_some(Fault { rule, found, wanted, halts: false, stays: true })
}

/// Says once that a broker has known of no protection of the open position for longer than it takes.
pub fn bare(ledger: &mut Ledger, statement: &Statement, out: &mut Vec<Verdict>) {
    let bare = statement.unprotected().filter(|nanos| *nanos > UNPROTECTED);
    if let Some(nanos) = bare.filter(|_| !ledger.unprotected) {
        let (value, limit) = ((nanos / MILLI) as f64, (UNPROTECTED / MILLI) as f64);
        out.push(Verdict::Alert { ts: statement.ts, rule: "unprotected_ms".into(), value, limit });
    }
    ledger.unprotected = bare.is_some();
}

#[cfg(test)]
mod tests {
    use mes_core::{
        price::Price,
        rules::{MES_1K, Rules},
        statement::Fill,
    };

    use super::*;

    fn statement(position: i64, fills: &[i64], stops: &[(Side, i64)]) -> Statement {
        let fill = |signed: &i64| Fill {
            ts: 0,
            order: Some(1),
            side: Side::of(*signed),
            contracts: signed.abs(),
            price: Price::nearest(5000.0),
            slippage_ticks: Some(0),
            spread_ticks: Some(0),
            commission_cents: Default::default(),
            gross_cents: Default::default(),
            exit: None,
            ambiguous: Some(false),
        };
        let level = Some(Price::nearest(4990.0));
        let stop = |(side, contracts): &(Side, i64)| Working::new(1, Role::Stop, *side, *contracts, level);
        let (fills, working) = (fills.iter().map(fill).collect(), stops.iter().map(stop).collect());
        Statement { position, fills, working, ..Statement::default() }
    }

    #[test]
    fn a_position_is_the_sum_of_its_fills_and_has_a_stop_over_all_of_it() {
        use Side::{Buy, Sell};
        let (unexplained, unprotected) = (Some("unexplained_position"), Some("unprotected_position"));
        for (position, before, fills, stops, first, fault) in [
            (0, 0, vec![], vec![], false, None),
            (2, 0, vec![2], vec![(Sell, 2)], false, None),
            (2, 2, vec![], vec![(Sell, 2)], false, None),
            (-1, 2, vec![-2, -1], vec![(Buy, 1)], false, None),
            (0, 2, vec![-2], vec![], false, None),
            (3, 2, vec![], vec![(Sell, 3)], false, unexplained),
            (0, 2, vec![], vec![], false, unexplained),
            (0, 2, vec![], vec![], true, None),
            (1, 0, vec![], vec![(Sell, 1)], true, unexplained),
            (1, 0, vec![i64::MAX, i64::MAX], vec![(Sell, 1)], false, unexplained),
            (2, 2, vec![], vec![], false, unprotected),
            (2, 2, vec![], vec![(Sell, 1)], false, unprotected),
            (2, 2, vec![], vec![(Buy, 2)], false, unprotected),
            (2, 2, vec![], vec![(Sell, 1), (Sell, 1)], false, None),
        ] {
            let ledger = Ledger { position: before, ..Ledger::new(Cents::ZERO) };
            let found = super::fault(&statement(position, &fills, &stops), &ledger, first, &exits());
            assert_eq!(found.map(|found| found.rule), fault, "{position} after {before} and {fills:?}");
        }
    }

    fn exits() -> Exits {
        Rules::parse(MES_1K).expect("rules").exits
    }

    #[test]
    fn a_stop_lies_no_further_than_the_rules_place_one() {
        for (position, entry, stop, far) in [
            (1, 5000.0, 4998.0, None),
            (1, 5000.0, 4900.0, Some(400.0)),
            (-1, 5000.0, 5100.0, Some(400.0)),
            // One that was moved beyond the entry protects a profit.
            (1, 5000.0, 5010.0, None),
        ] {
            let side = Side::of(position).opposite();
            let mut statement = statement(position, &[], &[(side, 1)]);
            (statement.entry_price, statement.working[0].price) = (Some(entry), Some(Price::nearest(stop)));
            let ledger = Ledger { position, ..Ledger::new(Cents::ZERO) };
            let fault = fault(&statement, &ledger, false, &exits());
            assert_eq!(fault.map(|fault| (fault.rule, fault.found)), far.map(|far| ("far_stop_ticks", far)));
        }
    }

    #[test]
    fn cash_that_the_broker_has_put_right_is_said_by_it() {
        let mut statement = statement(0, &[], &[]);
        (statement.balance_cents, statement.adjusted_cents) = (Cents(90), Cents(-10));
        let ledger = Ledger::new(Cents(100));
        assert_eq!(fault(&statement, &ledger, false, &exits()), None);
        statement.adjusted_cents = Cents::ZERO;
        let fault = fault(&statement, &ledger, false, &exits());
        assert_eq!(fault.map(|fault| fault.rule), Some("unexplained_balance_usd"));
    }

    #[test]
    fn cash_is_what_the_fills_made_of_it() {
        let mut statement = statement(0, &[1, -1], &[]);
        statement.fills[1].gross_cents = Cents(500);
        statement.fills[1].commission_cents = Cents(84);
        for (balance, held, wrong) in [(416, 0, false), (417, 0, true), (417, 2, false)] {
            statement.balance_cents = Cents(balance);
            let ledger = Ledger { position: held, ..Ledger::new(Cents::ZERO) };
            let fault = fault(&statement, &ledger, true, &exits());
            assert_eq!(
                fault.map(|fault| fault.rule),
                wrong.then_some("unexplained_balance_usd"),
                "{balance}"
            );
        }
    }
}
