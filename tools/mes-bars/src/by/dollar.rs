//! Dollar bars: so much value traded (López de Prado, "Advances in Financial Machine Learning", 2.3.1.4).

use mes_core::{
    contract::{Contract, Name},
    price::TICK,
    symbol::Symbol,
    time::Ts,
    tz,
};

use crate::by::{
    open::{Open, PARTS},
    trades::{Rule, Trade},
};

/// Completes a bar with the trade that brings Σ price × dollars a point × size to n dollars or beyond. A point of a contract
/// that is not in the house's table counts as one of MES, $5. Sums are whole numbers.
#[derive(Clone, Copy, Debug)]
pub struct DollarRule {
    dollars: i64,
    /// The symbol that `value` is for.
    symbol: Symbol,
    /// Σ price × size to reach, in parts of a point.
    value: i64,
}

impl DollarRule {
    /// Closes a bar once so many dollars were traded within it.
    pub fn new(dollars: i64) -> Self {
        DollarRule { dollars, symbol: Symbol::default(), value: value(dollars, Contract::Mes) }
    }

    #[cold]
    fn change(&mut self, symbol: Symbol, ts: Ts) {
        let name = Name::parse(symbol.as_str(), tz::new_york(ts).date());
        let contract = name.ok().and_then(|name| Contract::of(name.root())).unwrap_or_default();
        (self.symbol, self.value) = (symbol, value(self.dollars, contract));
    }
}

fn value(dollars: i64, contract: Contract) -> i64 {
    let cents_per_point = (contract.tick_value().0 as f64 / TICK) as i64;
    let cents = i128::from(dollars) * 100 * i128::from(PARTS);
    i64::try_from(cents / i128::from(cents_per_point)).unwrap_or(i64::MAX)
}

impl Rule for DollarRule {
    fn completes(&mut self, _: &Trade, open: &Open) -> bool {
        if open.bar.symbol != self.symbol {
            self.change(open.bar.symbol, open.bar.ts);
        }
        open.value >= self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_worth_what_the_contract_says() {
        let mut rule = DollarRule::new(1_000_000);
        let mut points = |symbol: &str| {
            rule.change(symbol.parse().expect("a symbol"), 0);
            rule.value / PARTS
        };
        let found = ["MESZ6", "ESZ6", "MNQ.v.0", "NQ", "CON.F.US.ENQ.Z26", "MESH7"].map(&mut points);
        assert_eq!(found, [200_000, 20_000, 500_000, 50_000, 50_000, 200_000]);
    }
}
