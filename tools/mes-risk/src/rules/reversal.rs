//! Not too often from long to short and back: a position that is to be turned over is else only closed.
//!
//! The entry is sent on the row whose statement says flat, with the confidence of the prediction that turned the
//! position over, unless the model points back by then: one that speaks on single rows would otherwise never turn
//! anything over. All rules of entry but the cooldown judge it.

use mes_core::{
    ledger::Ledger,
    rules::Reversals,
    time::{SECOND, Ts},
};

use super::Denial;

/// Says why a position may not be turned over at `ts`, if it may not.
pub fn denial(reversals: &Reversals, ledger: &Ledger, ts: Ts) -> Option<Denial> {
    let passed = ledger.reversals.last.map(|last| ts - last);
    if let Some(passed) = passed.filter(|passed| *passed < reversals.cooldown_s * SECOND) {
        let (value, limit) = (passed as f64 / SECOND as f64, reversals.cooldown_s as f64);
        return Some(Denial { rule: "reversal_cooldown_s".into(), value, limit });
    }
    let (count, most) = (ledger.reversals.count, reversals.max_in_range);
    let (value, limit) = (f64::from(count), f64::from(most));
    (count >= most).then_some(Denial { rule: "reversals_in_range".into(), value, limit })
}
