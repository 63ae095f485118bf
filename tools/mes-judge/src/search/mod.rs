//! What a search was: the trials it made, and what choosing the best of them is worth.

pub mod overfit;
pub mod trials;

use std::{fs::File, path::Path};

use mes_pipe::{Error, Result};
use serde::Serialize;

use crate::stats::overfitting::Overfitting;

/// What is known of the search that a result is the outcome of; nothing by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search {
    pub searched: Option<Searched>,
    /// The hash of the ledger that says so.
    pub ledger_blake3: Option<String>,
    /// How often the best of its trials was no better than the rest, on other days.
    pub overfitting: Option<Overfitting>,
}

impl Search {
    /// Reads a ledger of trials (`trials.jsonl` of `mes-lab optimize`): all that were made, of all rows.
    ///
    /// # Errors
    ///
    /// Exit code 1 or 2 where the file cannot be read, 3 where it is no ledger or holds no trial.
    pub fn read(path: &Path) -> Result<Search> {
        let hash = File::open(path).and_then(mes_pipe::hash_of);
        let hash = hash.map_err(|error| Error::from(error).at(path.display()))?;
        let lines = trials::TrialLedger::read(path)?;
        Ok(Search {
            searched: trials::searched(&lines, None),
            ledger_blake3: Some(hash),
            overfitting: overfit::of_ledger(&lines),
        })
    }
}

/// A search that a result is the best of, from a ledger of trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Searched {
    pub trials: usize,
    /// Of the trials' daily Sharpe ratios.
    pub sharpe_variance: f64,
    /// How often rows held out were looked at.
    pub holdout_looks: usize,
}
