//! Why trades were not made: from rows to signals to orders to entries, and what stood between.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finite;
use crate::recorder::Results;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Blocked {
    pub rows: u64,
    pub predicted_rows: u64,
    /// Rows with a direction.
    pub directed_rows: u64,
    /// Rows with a direction and the confidence that an entry needs.
    pub confident_rows: u64,
    /// Stretches of confident rows in one direction.
    pub signals: u64,
    pub highest_confidence: Option<f64>,
    /// Entries asked for, and filled.
    pub orders: u64,
    pub entries: u64,
    /// How often a signal was denied by each rule; rows on end by the same rule count once.
    pub denied: BTreeMap<String, u64>,
    /// How often there was nothing to do for each reason; rows on end for the same reason count once.
    pub held: BTreeMap<String, u64>,
    /// Orders that the broker's side refused.
    pub refused: BTreeMap<String, u64>,
}

impl Blocked {
    /// Reads what the recorder counted.
    pub fn of(results: &Results) -> Blocked {
        Blocked {
            rows: results.rows,
            predicted_rows: results.predicted,
            directed_rows: results.directed,
            confident_rows: results.confident,
            signals: results.signals,
            // Through text: 0.7 and not 0.699999988.
            highest_confidence: results
                .highest_confidence
                .and_then(|confidence| confidence.to_string().parse().ok())
                .and_then(finite),
            orders: results.orders,
            entries: results.entries,
            denied: results.denied.clone(),
            held: results.held.clone(),
            refused: results.refused.clone(),
        }
    }

    /// Returns the counts of one kind, the most frequent first.
    pub fn ranked(counts: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
        let mut ranked: Vec<_> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked
    }
}
