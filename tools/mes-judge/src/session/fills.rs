//! What fills cost and how long they took, summed up.

use mes_core::money::Cents;
use serde::Serialize;

use crate::{
    conduct::{Execution, How},
    stats::interval::percentile,
    words,
};

/// Fills of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paid {
    #[serde(serialize_with = "by_words")]
    pub how: How,
    pub fills: usize,
    pub contracts: i64,
    /// By contracts, worse than the reference; absent where nothing could be measured.
    pub mean_ticks: Option<f64>,
    pub worst_ticks: Option<i64>,
    /// What the costs file takes in a calm market.
    pub expected_ticks: f64,
    /// What was measured beyond that, in money.
    pub beyond_usd: f64,
}

fn by_words<S: serde::Serializer>(how: &How, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(how.words())
}

impl Paid {
    /// Sums up executions by kind; `tick` is the value of a tick.
    pub fn of(executions: &[Execution], tick: Cents) -> Vec<Paid> {
        let kinds = [How::Entry, How::LimitEntry, How::Exit, How::Stop, How::Target];
        kinds.into_iter().filter_map(|how| Paid::kind(executions, how, tick)).collect()
    }

    fn kind(executions: &[Execution], how: How, tick: Cents) -> Option<Paid> {
        let all: Vec<&Execution> = executions.iter().filter(|execution| execution.how == how).collect();
        let contracts: i64 = all.iter().map(|execution| execution.contracts).sum();
        let measured: Vec<(i64, &Execution)> =
            all.iter().filter_map(|execution| Some((execution.slippage_ticks?, *execution))).collect();
        let weight: i64 = measured.iter().map(|(_, execution)| execution.contracts).sum();
        let ticks: i64 = measured.iter().map(|(ticks, execution)| ticks * execution.contracts).sum();
        let beyond: i64 = measured
            .iter()
            .map(|(ticks, execution)| (ticks - execution.expected_ticks) * execution.contracts)
            .sum();
        let expected: i64 = all.iter().map(|execution| execution.expected_ticks * execution.contracts).sum();
        (!all.is_empty()).then(|| Paid {
            how,
            fills: all.len(),
            contracts,
            mean_ticks: (weight > 0).then(|| ticks as f64 / weight as f64),
            worst_ticks: measured.iter().map(|(ticks, _)| *ticks).max(),
            expected_ticks: expected as f64 / contracts.max(1) as f64,
            beyond_usd: (tick * beyond).usd(),
        })
    }

    /// Says it: `12 fills, +1.20 ticks worse on average, +3 at worst; the costs file takes 1.00: cost $3.00 beyond it`.
    pub fn sentence(&self) -> String {
        let fills = words::count(self.fills as u64, "fill");
        let (Some(mean), Some(worst)) = (self.mean_ticks, self.worst_ticks) else {
            return format!("{fills}, with nothing to measure them by");
        };
        let beyond = match self.beyond_usd {
            beyond if beyond > 0.0 => format!("cost {} beyond it", words::usd(beyond)),
            beyond if beyond < 0.0 => format!("spared {} of it", words::usd(-beyond)),
            _ => "just that".to_owned(),
        };
        format!(
            "{fills}, {mean:+.2} ticks on average, {worst:+} at worst; the costs file takes {:.2}: {beyond}",
            self.expected_ticks
        )
    }
}

/// How long orders at market took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waited {
    pub fills: usize,
    pub median_ms: f64,
    pub p95_ms: f64,
    pub worst_ms: f64,
}

impl Waited {
    /// Measures executions; nothing without one.
    pub fn of(executions: &[Execution]) -> Option<Waited> {
        let mut waited: Vec<f64> =
            executions.iter().filter_map(|execution| execution.latency_ms).map(|ms| ms as f64).collect();
        waited.sort_by(f64::total_cmp);
        let at = |share| percentile(&waited, share);
        Some(Waited { fills: waited.len(), median_ms: at(0.5)?, p95_ms: at(0.95)?, worst_ms: at(1.0)? })
    }

    /// Says it.
    pub fn sentence(&self) -> String {
        let Waited { fills, median_ms, p95_ms, worst_ms } = self;
        format!(
            "{}: {median_ms:.0} ms in the middle, {p95_ms:.0} ms for 95 %, {worst_ms:.0} ms at worst",
            words::count(*fills as u64, "fill")
        )
    }
}
