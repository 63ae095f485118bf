//! Why a search, or its best trial on days held out, made no trade: told of one trial as a backtest tells it.

use mes_pipe::Result;

use mes_judge::search::trials::Trial;

use super::{outcome::Outcome, study::Study};
use crate::replay::{self, Days};
use mes_judge::metrics::blocked::Blocked;

/// Explains by one trial why none made a trade, or why the best made none on days held out; empty if there was one.
///
/// # Errors
///
/// What the loop fails of on the rows of that trial.
pub fn why(study: &Study, trials: &[Trial], outcome: &Outcome, holdout: Days) -> Result<Vec<String>> {
    let idle = trials.iter().all(|trial| trial.trades == 0);
    let unseen = outcome.holdout.as_ref().filter(|held| held.trades == 0).map(|held| held.trial);
    let looked_at = |trial: &&Trial| match unseen {
        Some(number) if !idle => trial.trial == number,
        _ => idle && trial.refused.is_none(),
    };
    let Some(trial) = trials.iter().find(looked_at) else { return Ok(Vec::new()) };
    let (days, what) = match idle {
        true => (study.days, "no trial made a trade; of trial"),
        false => (holdout, "the best trial made no trade on days held out; of trial"),
    };
    let results = replay::recorded(study.columns, days, &study.settings(&trial.values)?)?;
    let mut lines = vec![format!("{what} {}:", trial.trial)];
    lines.extend(Blocked::of(&results).why_no_trade());
    Ok(lines)
}
