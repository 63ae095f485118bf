//! Statistics that say how much of a result is luck. Pure functions, one method one file, each with its formula, its
//! source and the check values of published packages. Sharpe ratios here are per period and never annualised, unless
//! a name says so; kurtosis is raw (3 for a normal).

pub mod block_length;
pub mod bootstrap;
pub mod break_even;
pub mod cusum;
pub mod deflated;
pub mod interval;
#[cfg(test)]
mod lcg;
pub mod moments;
pub mod normal;
pub mod overfitting;
pub mod probabilistic;
pub mod purge;
pub mod ruin;
pub mod sharpe_error;
pub mod track_record;

/// Fails where `got` is further from `want` than `within`.
#[cfg(test)]
fn close(name: &str, got: f64, want: f64, within: f64) {
    assert!((got - want).abs() <= within, "{name}: {got}, not {want}");
}
