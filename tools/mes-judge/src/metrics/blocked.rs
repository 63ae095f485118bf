//! Why trades were not made: from rows to signals to orders to entries, and what stood between.

use mes_core::vocabulary::short;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finite;
use crate::{
    facts::Facts,
    words::{self, or_dash},
};

/// From rows to trades, with what was lost on the way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    pub fn of(facts: &Facts) -> Blocked {
        Blocked {
            rows: facts.rows,
            predicted_rows: facts.predicted,
            directed_rows: facts.directed,
            confident_rows: facts.confident,
            signals: facts.signals,
            // Through text: 0.7 and not 0.699999988.
            highest_confidence: facts
                .highest_confidence
                .and_then(|confidence| confidence.to_string().parse().ok())
                .and_then(finite),
            orders: facts.orders,
            entries: facts.entries,
            denied: facts.denied.clone(),
            held: facts.held.clone(),
            refused: facts.refused.clone(),
        }
    }

    /// Explains why there was no trade, in sentences.
    pub fn why_no_trade(&self) -> Vec<String> {
        let rows = words::count(self.rows, "row");
        let mut lines = vec![if self.rows == 0 {
            "There were no rows.".to_owned()
        } else if self.predicted_rows == 0 {
            format!("None of {rows} had a prediction (p_dir and p_conf).")
        } else if self.directed_rows == 0 {
            format!("The model expected no move in any of {rows}.")
        } else if self.confident_rows == 0 {
            let highest = or_dash(self.highest_confidence, |value| format!("{value:.3}"));
            let directed = words::count(self.directed_rows, "row");
            format!("{directed} had a direction, none the confidence to enter; the highest was {highest}.")
        } else {
            let confident = words::count(self.confident_rows, "confident row");
            format!(
                "{} in {confident} led to {}.",
                words::count(self.signals, "signal"),
                words::count(self.orders, "order")
            )
        }];
        for (kind, counts) in [("denied", &self.denied), ("refused", &self.refused)] {
            for (name, times) in Blocked::ranked(counts) {
                lines.push(format!("{kind} {}: {}", words::count(times, "time"), short(name)));
            }
        }
        lines
    }

    /// Adds the counts of other rows.
    pub fn add(&mut self, other: &Blocked) {
        self.rows += other.rows;
        self.predicted_rows += other.predicted_rows;
        self.directed_rows += other.directed_rows;
        self.confident_rows += other.confident_rows;
        self.signals += other.signals;
        self.orders += other.orders;
        self.entries += other.entries;
        self.highest_confidence = match (self.highest_confidence, other.highest_confidence) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        let mut sum = |of: fn(&mut Blocked) -> &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>| {
            for (name, count) in counts {
                *of(self).entry(name.clone()).or_default() += count;
            }
        };
        sum(|blocked| &mut blocked.denied, &other.denied);
        sum(|blocked| &mut blocked.held, &other.held);
        sum(|blocked| &mut blocked.refused, &other.refused);
    }

    /// Returns the counts of one kind, the most frequent first.
    pub fn ranked(counts: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
        let mut ranked: Vec<_> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked
    }
}
