//! What choosing the best trial is worth: the probability of overfitting over the trials that could have been chosen.
//! Those with too few trades, and those given up, never could.

use std::collections::{BTreeMap, BTreeSet};

use super::trials::{Line, Trial};
use crate::{
    stats::overfitting::{Overfitting, cscv},
    words::{count, grouped, percent, two},
};

/// The most blocks that days are cut into, and the fewest days of one.
const BLOCKS: usize = 16;
const BLOCK_DAYS: usize = 4;

/// Works on the daily results of ranked trials, all of the same days.
pub fn of(ranked: &[&Trial]) -> Option<Overfitting> {
    let of = |trial: &&Trial| trial.days_cents.iter().map(|net| net.usd()).collect::<Vec<f64>>();
    let days: Vec<Vec<f64>> = ranked.iter().map(of).collect();
    let blocks = (days.first()?.len() / BLOCK_DAYS).min(BLOCKS);
    cscv(&days, blocks - blocks % 2)
}

/// Works on a ledger. Searches over other rows, or over more days, cannot be set beside each other: the largest
/// group of trials of the same days is taken.
pub fn of_ledger(lines: &[Line]) -> Option<Overfitting> {
    let mut groups: BTreeMap<(&str, usize), Vec<&Trial>> = BTreeMap::new();
    let mut tried = BTreeSet::new();
    for line in lines {
        if let Line::Trial(trial) = line
            && trial.is_ranked()
            && tried.insert((&trial.study, trial.trial))
        {
            groups.entry((&trial.data, trial.days_cents.len())).or_default().push(trial);
        }
    }
    // Of equals the first, so that the order of the lines decides nothing.
    let most = groups.values().map(Vec::len).max()?;
    of(groups.values().find(|group| group.len() == most)?)
}

impl Overfitting {
    /// Says what the probability is of, and over what.
    pub fn sentence(&self) -> String {
        format!(
            "chance that the best of one half of the days is no better than the median in the other; {} ways to halve \
             them, {}, by the Sharpe ratio of daily facts; {} of the best then lose",
            grouped(self.splits as u64),
            count(self.trials as u64, "ranked trial"),
            percent(self.probability_of_loss)
        )
    }

    /// Says what a better score within was worth without.
    pub fn decay(&self) -> String {
        format!(
            "of 1 more in the Sharpe ratio of the half it was chosen on, the best trial has {} in the other",
            two(self.slope)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::trials::tests::trial;

    fn days(seed: i64) -> Vec<i64> {
        (0..40).map(|day| (day * 7919 + seed * 104_729) % 2001 - 1000).collect()
    }

    #[test]
    fn what_could_not_be_chosen_does_not_count() {
        let mut trials: Vec<Trial> =
            (1..=6).map(|number| trial("s", number, &[], 0.1, &days(number as i64))).collect();
        let all = of(&trials.iter().collect::<Vec<_>>()).expect("enough");
        assert_eq!((all.trials, all.blocks), (6, 10));
        trials[0].score = None;
        trials[1].pruned_after = Some(12);
        trials[1].days_cents.truncate(12);
        let mut lines: Vec<Line> = trials.into_iter().map(|trial| Line::Trial(Box::new(trial))).collect();
        lines.push(lines[3].clone());
        let mut elsewhere = trial("t", 1, &[], 0.1, &days(9));
        elsewhere.data = "other rows".into();
        lines.push(Line::Trial(Box::new(elsewhere)));
        let found = of_ledger(&lines).expect("enough");
        assert_eq!(found.trials, 4);
        assert!(found.sentence().contains("4 ranked trials, by the Sharpe ratio"), "{}", found.sentence());
        assert_eq!(of_ledger(&lines[..1]), None);
    }
}
