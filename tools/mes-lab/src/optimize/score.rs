//! What trials are ranked by.

use clap::ValueEnum;
use mes_core::money::Cents;

use crate::replay::tally::Tally;
use mes_judge::{metrics::returns::YEAR, stats::moments::Track};

/// What of a trial is to be great.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Objective {
    /// Annual Sharpe ratio of daily returns
    Sharpe,
    /// Net in dollars
    Net,
    /// Net per trade in dollars
    Expectancy,
    /// Won over lost
    ProfitFactor,
    /// Net over the deepest drawdown
    NetOverDrawdown,
}

impl Objective {
    /// Scores the first `days` days of a run; more is better. Absent where there is nothing to go by.
    pub fn of(self, tally: &Tally, days: usize) -> Option<f64> {
        let equity = tally.equity(days);
        let net = equity.iter().map(|(start, end)| *end - *start).sum::<Cents>().usd();
        let trades = &tally.trades;
        if trades.is_empty() {
            return None;
        }
        let score = match self {
            Objective::Sharpe => sharpe(&equity)? * YEAR.sqrt(),
            Objective::Net => net,
            Objective::Expectancy => net / trades.len() as f64,
            Objective::ProfitFactor => {
                let sum = |keep: fn(Cents) -> bool| {
                    trades.iter().map(|trade| trade.net_cents).filter(|net| keep(*net)).sum::<Cents>().usd()
                };
                sum(|net| net > Cents::ZERO) / -sum(|net| net < Cents::ZERO)
            }
            Objective::NetOverDrawdown => net / tally.drawdown.usd(),
        };
        score.is_finite().then_some(score)
    }

    /// Returns the name as in flags.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Returns the daily Sharpe ratio; absent without a spread or where a day began without equity.
pub fn sharpe(equity: &[(Cents, Cents)]) -> Option<f64> {
    let returns: Option<Vec<f64>> = equity
        .iter()
        .map(|(start, end)| (start.0 > 0).then(|| end.0 as f64 / start.0 as f64 - 1.0))
        .collect();
    Some(Track::of(&returns?)?.sharpe)
}
