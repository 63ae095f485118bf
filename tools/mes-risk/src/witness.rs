//! Whether a statement can be true: a position is the sum of its fills, and has a stop over all of it.

use std::fmt;

use mes_core::{
    ledger::Ledger,
    order::Side,
    statement::{Role, Statement},
    time::{MILLI, SECOND, Ts},
    verdict::Verdict,
};

/// How long a position may be without protection at a broker that says how long it has been.
const UNPROTECTED: i64 = SECOND;

/// What is wrong with a statement, in contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub rule: &'static str,
    pub found: i64,
    pub wanted: i64,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { rule, found, wanted } = self;
        write!(
            f,
            "{rule}: the broker says {found}, and it should be {wanted}: look at the account at the broker"
        )
    }
}

/// Returns what is wrong with a statement after a position of `before`. The first of a run may be flat whatever was
/// before: what a kill left open was closed without us. A broker that bars entries says itself that something does not add
/// up, and one that says what protects a position is believed.
pub fn fault(statement: &Statement, before: i64, first: bool) -> Option<Fault> {
    if statement.barred.is_some() {
        return None;
    }
    let position = statement.position;
    let filled = statement.fills.iter().map(|fill| fill.side.sign().saturating_mul(fill.contracts));
    let explained = filled.fold(before, i64::saturating_add);
    if position != explained && !(first && position == 0) {
        return Some(Fault { rule: "unexplained_position", found: position, wanted: explained });
    }
    if statement.protection.is_some() {
        return None;
    }
    let side = Side::of(position).opposite();
    let stops = statement.working.iter().filter(|order| order.role == Role::Stop && order.side == side);
    let protected = stops.filter(|stop| stop.price.is_some()).map(|stop| stop.contracts);
    let protected = protected.fold(0, i64::saturating_add);
    let wanted = position.saturating_abs();
    (protected < wanted).then_some(Fault { rule: "unprotected_position", found: protected, wanted })
}

/// Says once that a broker has known of no protection of the open position for longer than it takes.
pub fn unprotected(ledger: &mut Ledger, ts: Ts, statement: &Statement, out: &mut Vec<Verdict>) {
    let bare = statement.unprotected().filter(|nanos| *nanos > UNPROTECTED);
    if let Some(nanos) = bare.filter(|_| !ledger.unprotected) {
        let (value, limit) = ((nanos / MILLI) as f64, (UNPROTECTED / MILLI) as f64);
        out.push(Verdict::Alert { ts, rule: "unprotected_ms".into(), value, limit });
    }
    ledger.unprotected = bare.is_some();
}

#[cfg(test)]
mod tests {
    use mes_core::statement::{Fill, Working};

    use super::*;

    fn statement(position: i64, fills: &[i64], stops: &[(Side, i64)]) -> Statement {
        let fill = |signed: &i64| Fill {
            ts: 0,
            order: Some(1),
            side: Side::of(*signed),
            contracts: signed.abs(),
            price: 5000.0,
            slippage_ticks: Some(0),
            spread_ticks: Some(0),
            commission_cents: Default::default(),
            gross_cents: Default::default(),
            exit: None,
            ambiguous: Some(false),
        };
        let stop =
            |(side, contracts): &(Side, i64)| Working::new(1, Role::Stop, *side, *contracts, Some(4990.0));
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
            let found = super::fault(&statement(position, &fills, &stops), before, first);
            assert_eq!(found.map(|found| found.rule), fault, "{position} after {before} and {fills:?}");
        }
    }
}
