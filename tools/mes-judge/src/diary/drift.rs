//! Whether trades still are what the backtest let expect: a control chart of their nets.

use mes_core::time;
use serde::Serialize;

use super::Net;
use crate::{
    expectation::{Expectation, Standing},
    stats::cusum::{run_length, sums, threshold},
    words,
};

/// Half of what is to be found soonest: a fall of the mean by half a standard deviation of a trade.
const K: f64 = 0.25;

/// The chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// Of standardised nets: slack, and the sum at which it signals.
    pub k: f64,
    pub h: f64,
    /// Trades between false alarms, on average, and until a mean that fell by 2k standard deviations is found.
    pub false_alarm_trades: f64,
    pub found_after_trades: f64,
    /// The sum after each trade.
    pub sums: Vec<f64>,
    /// Number of the trade that made it signal, from 1, and when that was.
    pub signalled: Option<(usize, String)>,
    /// All of them beside as many of the backtest.
    pub standing: Option<Standing>,
}

impl Drift {
    /// Charts nets against what is expected of them; false alarms are to be `apart` trades apart.
    pub fn of(nets: &[Net], expected: &Expectation, apart: f64) -> Option<Drift> {
        let values: Vec<f64> = nets.iter().map(|net| net.usd).collect();
        let h = threshold(K, apart);
        let sums = sums(&values, expected.mean_usd, expected.sd_usd, K);
        let first = sums.iter().position(|sum| *sum >= h);
        (!nets.is_empty()).then(|| Drift {
            k: K,
            h,
            false_alarm_trades: run_length(K, h, 0.0),
            found_after_trades: run_length(K, h, 2.0 * K),
            signalled: first.map(|index| (index + 1, time::format(nets[index].ts))),
            standing: expected.judge(&values),
            sums,
        })
    }

    /// Says what to do.
    pub fn sentence(&self) -> String {
        let now = self.sums.last().copied().unwrap_or_default();
        match &self.signalled {
            Some((trade, ts)) => format!(
                "STOP TRUSTING THE MODEL: since trade {trade} ({ts}) its results have fallen further behind the backtest than \
                 chance explains. Stop trading it, look at mes-bt diff and at slippage, and fit and test anew before it trades \
                 again"
            ),
            None => format!(
                "nothing says that the model has changed: the sum stands at {now:.2}, it signals at {:.2}. That is no proof \
                 that it works",
                self.h
            ),
        }
    }

    /// Says how the chart is made.
    pub fn method(&self) -> String {
        format!(
            "CUSUM (Page 1954) of each trade's net after costs: S ← max(0, S + (mean − net)/sd − {}), mean and sd those of the \
             backtest's trades, signal at S ≥ {:.2}. By Siegmund (1985) a false alarm comes every {:.0} trades on average, and \
             a mean that fell by half a standard deviation is found after {:.0}; of results about normal, and as far as the \
             backtest's mean is true. After a signal it is not begun anew.",
            self.k, self.h, self.false_alarm_trades, self.found_after_trades
        )
    }

    /// Says how far the results lie from the backtest, all together.
    pub fn standing(&self) -> String {
        words::capital(
            &self.standing.as_ref().map_or_else(|| "nothing to compare".to_owned(), Standing::sentence),
        )
    }
}
