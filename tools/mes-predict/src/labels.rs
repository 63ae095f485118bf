//! Holds labels against a rule: text carries none, and who trains or judges by another one is wrong without knowing.

use arrow_array::{Array, Float32Array, RecordBatch, cast::AsArray, types::Float32Type};
use mes_pipe::{Error, Result};

use crate::model::card::Label;

/// Returns the moves that labels were made of, where the table holds them.
pub fn moves(batch: &RecordBatch) -> Option<&Float32Array> {
    batch.column_by_name("y_move").and_then(|column| column.as_primitive_opt::<Float32Type>())
}

/// Returns a row's move in ticks.
pub fn ticks(moves: Option<&Float32Array>, row: usize) -> Option<f64> {
    moves.filter(|moves| moves.is_valid(row)).map(|moves| f64::from(moves.value(row)))
}

/// Errors where a rule calls a move of so many ticks something else than the label does.
///
/// # Errors
///
/// `Data`: label, move and rule.
pub fn contradiction(rule: &Label, label: u8, ticks: f64) -> Result<()> {
    if rule.class(ticks) == label {
        return Ok(());
    }
    let words = rule.words();
    Err(Error::data(format!("y_dir is {label} where y_move is {ticks} ticks: no label of {words}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_the_move_does_not_bear_out_is_an_error() {
        let rule = Label { kind: "horizon".into(), horizon: "30s".into(), threshold_ticks: 3.0 };
        for (label, ticks) in [(0, -4.0), (1, -3.0), (1, 0.0), (1, 3.0), (2, 4.0)] {
            assert!(contradiction(&rule, label, ticks).is_ok(), "{label} {ticks}");
        }
        for (label, ticks) in [(0, -3.0), (2, 3.0), (1, 4.0), (2, -9.0)] {
            let error = contradiction(&rule, label, ticks).expect_err("contradicted");
            assert!(error.code() == 3 && error.to_string().contains("y_move"), "{error}");
        }
    }
}
