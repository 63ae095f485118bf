//! What a trade costs, from a dated file: rates change, and a backtest of 2022 pays those of 2022.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{Error, money::Cents};

/// The owner's figures, $0.84 a round turn.
pub const OWNER: &str = include_str!("../../../pipelines/costs/owner.toml");
/// What TopstepX charges, $1.22 a round turn.
pub const TOPSTEPX: &str = include_str!("../../../pipelines/costs/topstepx.toml");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    pub name: String,
    pub slippage: Slippage,
    /// By rising date.
    #[serde(rename = "rate")]
    rates: Vec<Rate>,
}

/// Ticks by which a market order or a stop fills worse than its reference price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slippage {
    pub rth_ticks: i64,
    pub eth_ticks: i64,
}

/// Cents per contract and side from a date on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub from: NaiveDate,
    pub commission_cents: Cents,
    pub fee_cents: Cents,
}

impl Rate {
    /// Returns what one side of one contract costs.
    pub fn side(self) -> Cents {
        self.commission_cents + self.fee_cents
    }
}

impl Costs {
    /// Reads a costs file.
    pub fn parse(text: &str) -> Result<Costs, Error> {
        let costs: Costs =
            toml::from_str(text).map_err(|error| Error::Costs(error.to_string().trim_end().to_owned()))?;
        if costs.rates.is_empty() {
            return Err(Error::Costs("no [[rate]]".into()));
        }
        if !costs.rates.is_sorted_by(|a, b| a.from < b.from) {
            return Err(Error::Costs("the dates of [[rate]] do not rise".into()));
        }
        let slippage = costs.slippage;
        let negative = costs
            .rates
            .iter()
            .any(|rate| rate.commission_cents < Cents::ZERO || rate.fee_cents < Cents::ZERO);
        if negative || slippage.rth_ticks < 0 || slippage.eth_ticks < 0 {
            return Err(Error::Costs("a cost below 0".into()));
        }
        Ok(costs)
    }

    /// Returns the rate in force on `date`; before the first one, that one.
    pub fn rate(&self, date: NaiveDate) -> Rate {
        let index = self.rates.partition_point(|rate| rate.from <= date);
        self.rates[index.saturating_sub(1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_say_what_the_docs_say() {
        let today = "2026-11-21".parse().expect("a date");
        let round_turn = |text| Costs::parse(text).map(|costs| costs.rate(today).side() * 2);
        assert_eq!(round_turn(OWNER), Ok(Cents(84)));
        assert_eq!(round_turn(TOPSTEPX), Ok(Cents(122)));
    }

    #[test]
    fn a_rate_holds_from_its_date() {
        let rate = |from: &str, cents: i64| {
            format!("[[rate]]\nfrom = \"{from}\"\ncommission_cents = {cents}\nfee_cents = 0\n")
        };
        let head = "name = \"t\"\n[slippage]\nrth_ticks = 1\neth_ticks = 2\n";
        let costs = Costs::parse(&format!("{head}{}{}", rate("2020-01-01", 10), rate("2021-01-01", 20)))
            .expect("reads");
        for (date, cents) in [("2019-06-01", 10), ("2020-12-31", 10), ("2021-01-01", 20)] {
            assert_eq!(costs.rate(date.parse().expect("a date")).side(), Cents(cents));
        }
        for bad in [
            head.to_owned(),
            format!("{head}{}{}", rate("2021-01-01", 1), rate("2020-01-01", 1)),
            format!("{head}{}", rate("2020-01-01", -1)),
            format!("x = 1\n{head}"),
        ] {
            assert!(Costs::parse(&bad).is_err());
        }
    }
}
