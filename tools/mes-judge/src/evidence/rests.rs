//! What a Sharpe ratio rests on, in words. Whoever shows one, shows it by this.

use super::{FEWEST_SESSIONS, Intervals, Range, SharpeEvidence};
use crate::{
    metrics::returns::Returns,
    words::{count, or_dash, percent, two},
};

/// A yearly Sharpe ratio and all that says how much to think of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rests {
    pub sharpe: Option<f64>,
    pub days: usize,
    pub interval: Range,
    /// Plain standard error.
    pub error: Option<f64>,
    pub psr: Option<f64>,
    pub dsr: Option<f64>,
    /// Trials of the search that it comes from, as far as that is known.
    pub trials: Option<usize>,
    pub pbo: Option<f64>,
}

impl Rests {
    /// Puts together what was found out about the same days.
    pub fn of(returns: &Returns, intervals: Option<&Intervals>, evidence: Option<&SharpeEvidence>) -> Rests {
        Rests {
            sharpe: returns.sharpe,
            days: returns.days,
            interval: intervals.and_then(|intervals| intervals.sharpe),
            error: returns.sharpe_se,
            psr: evidence.and_then(|evidence| evidence.psr),
            dsr: evidence.and_then(|evidence| evidence.dsr),
            trials: evidence.and_then(|evidence| evidence.searched).map(|searched| searched.trials),
            pbo: None,
        }
    }

    /// Says the ratio and what it rests on: `1.20 (95 % from -0.80 to 3.10, 120 days; PSR 88.0 %)`.
    pub fn sentence(&self) -> String {
        format!("{} {}", or_dash(self.sharpe, two), self.note())
    }

    /// Says what it rests on.
    pub fn note(&self) -> String {
        let days = count(self.days as u64, "day");
        if self.sharpe.is_none() {
            return format!("(needs at least two days that differ; {days})");
        }
        let mut text = match (self.interval, self.error) {
            (Some((low, high)), _) => format!("(95 % from {low:.2} to {high:.2}, {days}"),
            (None, Some(error)) => format!("(± {error:.2}, standard error over {days}"),
            (None, None) => format!("({days}"),
        };
        if self.days < FEWEST_SESSIONS {
            text += ", too few for an interval";
        }
        text += &format!("; PSR {}", or_dash(self.psr, percent));
        if let Some(trials) = self.trials {
            text += &format!(", DSR {} after {}", or_dash(self.dsr, percent), count(trials as u64, "trial"));
        }
        if let Some(pbo) = self.pbo {
            text += &format!(", PBO {}", percent(pbo));
        }
        text + ")"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_never_alone() {
        let few =
            Rests { sharpe: Some(9.5), days: 4, error: Some(8.25), psr: Some(0.875), ..Rests::default() };
        assert_eq!(
            few.sentence(),
            "9.50 (± 8.25, standard error over 4 days, too few for an interval; PSR 87.5 %)"
        );
        let searched = Rests {
            sharpe: Some(1.5),
            days: 120,
            interval: Some((-0.5, 3.25)),
            dsr: Some(0.25),
            trials: Some(96),
            pbo: Some(0.5),
            ..few.clone()
        };
        assert_eq!(
            searched.sentence(),
            "1.50 (95 % from -0.50 to 3.25, 120 days; PSR 87.5 %, DSR 25.0 % after 96 trials, PBO 50.0 %)"
        );
        let none = Rests { sharpe: None, days: 1, ..few };
        assert_eq!(none.sentence(), "- (needs at least two days that differ; 1 day)");
    }
}
