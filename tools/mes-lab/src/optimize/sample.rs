//! A made-up trial for tests.

use mes_core::money::Cents;
use mes_judge::search::trials::Trial;
use serde_json::Value;

/// Returns a trial with these daily nets in cents.
pub fn trial(study: &str, trial: usize, values: &[(&str, Value)], sharpe: f64, days: &[i64]) -> Trial {
    let days_cents: Vec<Cents> = days.iter().copied().map(Cents).collect();
    Trial {
        v: 1,
        study: study.into(),
        data: "rows".into(),
        trial,
        values: values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        score: Some(sharpe),
        sharpe: Some(sharpe),
        trades: 40,
        wins: 20,
        net_cents: days_cents.iter().copied().sum(),
        drawdown_cents: Cents(100),
        days_cents,
        checkpoints: vec![Some(0.1), None],
        ..Trial::default()
    }
}
