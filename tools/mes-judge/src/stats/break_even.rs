//! How often a bracket must win to cost nothing.

/// Returns the share of wins at which a trade of `risk` against `reward` breaks even when each costs `cost`, all in
/// one unit: (risk + cost)/(risk + reward).
pub fn win_ratio(risk: f64, reward: f64, cost: f64) -> f64 {
    (risk + cost) / (risk + reward)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    /// MES at $1.25 a tick; $2.09 is $0.84 and a tick of slippage.
    #[test]
    fn of_the_usual_brackets() {
        for (target, plain, slipped) in [
            (8.0, 0.542, 0.6045),
            (12.0, 0.4336, 0.4836),
            (16.0, 0.361_333_333, 0.403),
            (24.0, 0.271, 0.302_25),
        ] {
            close("$0.84", win_ratio(10.0, target * 1.25, 0.84), plain, 1e-9);
            close("$2.09", win_ratio(10.0, target * 1.25, 2.09), slipped, 1e-9);
        }
    }

    /// The bracket is measured from the entry's fill and the target has no slippage, so only a stop pays a tick more:
    /// risk 9 ticks.
    #[test]
    fn of_the_fills_of_a_backtest() {
        for (target, percent) in [(8.0, 56.9), (12.0, 46.1), (16.0, 38.7), (24.0, 29.3)] {
            close("percent", 100.0 * win_ratio(11.25, target * 1.25, 0.84), percent, 0.05);
        }
    }
}
