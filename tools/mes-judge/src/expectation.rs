//! What a backtest lets expect of a trade, and how far what came lies from it.

use std::path::Path;

use mes_core::{calendar::Calendar, run::Named};
use mes_pipe::{Error, Result};
use serde::Serialize;

use crate::{files, journal, stats::normal, words};

/// So many trades say something of what to expect.
const FEWEST: usize = 20;
/// The normal quantile of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// What trades of a backtest made, after costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expectation {
    pub trades: usize,
    pub mean_usd: f64,
    /// Of a sample.
    pub sd_usd: f64,
    /// Where the true mean lies, 95 %: mean ± 1.96·sd/√trades.
    pub low_usd: f64,
    pub high_usd: f64,
}

/// Trades beside what was to be expected of as many.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    pub trades: usize,
    pub net_usd: f64,
    pub expected_usd: f64,
    /// (mean here − mean expected)/(sd·√(1/trades here + 1/trades of the backtest)).
    pub z: f64,
    /// The chance of so little, or less, if nothing has changed; normal.
    pub chance: f64,
}

impl Expectation {
    /// Takes the nets of trades; nothing of fewer than 20, or where all are the same.
    pub fn of(nets: &[f64]) -> Option<Expectation> {
        let count = nets.len() as f64;
        let mean = nets.iter().sum::<f64>() / count;
        let sd = (nets.iter().map(|net| (net - mean) * (net - mean)).sum::<f64>() / (count - 1.0)).sqrt();
        let off = Z * sd / count.sqrt();
        (nets.len() >= FEWEST && sd > 0.0).then_some(Expectation {
            trades: nets.len(),
            mean_usd: mean,
            sd_usd: sd,
            low_usd: mean - off,
            high_usd: mean + off,
        })
    }

    /// Reads it from a run folder (its trades.csv) or a journal.
    ///
    /// # Errors
    ///
    /// `Usage` where there is neither, `Data` where it is none, or has too few trades to expect anything of.
    pub fn read(path: &Path, calendar: &Named<Calendar>) -> Result<Expectation> {
        let nets = nets(path, calendar)?;
        Expectation::of(&nets).ok_or_else(|| {
            let trades = words::count(nets.len() as u64, "trade");
            let text =
                format!("{trades}: from {FEWEST} that differ on something is to be expected of the next one");
            Error::data(text).at(path.display())
        })
    }

    /// Compares trades with it; nothing without one.
    pub fn judge(&self, nets: &[f64]) -> Option<Standing> {
        let count = nets.len() as f64;
        let net: f64 = nets.iter().sum();
        let error = self.sd_usd * (1.0 / count + 1.0 / self.trades as f64).sqrt();
        let z = (net / count - self.mean_usd) / error;
        z.is_finite().then(|| Standing {
            trades: nets.len(),
            net_usd: net,
            expected_usd: self.mean_usd * count,
            z,
            chance: normal::cdf(z),
        })
    }

    /// Says it: `+$1.20 a trade (95 % from -$0.40 to +$2.80, 312 trades)`.
    pub fn sentence(&self) -> String {
        format!(
            "{} a trade (95 % from {} to {}, {})",
            words::signed_usd(self.mean_usd),
            words::signed_usd(self.low_usd),
            words::signed_usd(self.high_usd),
            words::count(self.trades as u64, "trade")
        )
    }
}

impl Standing {
    /// Says it, and what it means.
    pub fn sentence(&self) -> String {
        let Standing { trades, net_usd, expected_usd, z, chance } = self;
        let meant = match *z {
            z if z < -Z => "worse than chance explains",
            z if z > Z => "better than chance explains",
            _ => "as chance has it",
        };
        format!(
            "{} in {}, {} expected: z {z:+.2}, so little or less in {} of such cases, {meant}",
            words::signed_usd(*net_usd),
            words::count(*trades as u64, "trade"),
            words::signed_usd(*expected_usd),
            words::chance(*chance)
        )
    }
}

/// Reads the nets of the trades of a run folder or a journal, in dollars.
fn nets(path: &Path, calendar: &Named<Calendar>) -> Result<Vec<f64>> {
    if path.is_dir() {
        return files::nets(&path.join("trades.csv"));
    }
    let facts = journal::facts(path, calendar, None)?;
    Ok(facts.trades.iter().map(|trade| trade.net_cents.usd()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Ten of +$3 and ten of -$1: mean 1, sd √(80/19).
        let nets: Vec<f64> = (0..20).map(|index| if index % 2 == 0 { 3.0 } else { -1.0 }).collect();
        let expects = Expectation::of(&nets).expect("enough");
        assert!(
            (expects.mean_usd - 1.0).abs() < 1e-12
                && (expects.sd_usd - (80.0_f64 / 19.0).sqrt()).abs() < 1e-12
        );
        let standing = expects.judge(&[-1.0; 5]).expect("trades");
        // (−1 − 1)/(2.05196·√(1/5 + 1/20)).
        assert!((standing.z + 1.949_359).abs() < 1e-5, "{standing:?}");
        assert!(standing.sentence().contains("as chance has it"), "{}", standing.sentence());
        assert!(expects.judge(&[-5.0; 9]).expect("trades").sentence().contains("worse than chance"));
        assert_eq!(expects.judge(&[]), None);
        assert_eq!((Expectation::of(&nets[..19]), Expectation::of(&[1.0; 40])), (None, None));
    }
}
