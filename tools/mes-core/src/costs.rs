//! What a trade costs, from a dated file: rates change, and a backtest of 2022 pays those of 2022.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{Error, contract::Contract, minutes::Minutes, money::Cents, session::Part, within};

/// The owner's figures, $0.84 a round turn.
pub const OWNER: &str = include_str!("../../../pipelines/costs/owner.toml");
/// What TopstepX charges for micros, $1.22 a round turn.
pub const TOPSTEPX: &str = include_str!("../../../pipelines/costs/topstepx.toml");

/// Names and texts of the costs that are built in.
pub const SHIPPED: [(&str, &str); 3] = [
    ("owner", OWNER),
    ("topstepx", TOPSTEPX),
    ("topstepx-mini", include_str!("../../../pipelines/costs/topstepx-mini.toml")),
];

/// A costs file: what is paid in commission, fees and slippage, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    pub name: String,
    /// What it may be charged for; a file without it means MES.
    #[serde(default = "mes")]
    pub contracts: Vec<Contract>,
    pub slippage: Slippage,
    /// By rising date.
    #[serde(rename = "rate")]
    rates: Vec<Rate>,
}

fn mes() -> Vec<Contract> {
    vec![Contract::Mes]
}

/// Ticks by which a market order or a stop fills worse than its reference price. Limits fill at their price.
///
/// ```text
/// calm = rth_ticks in the cash session; eth_ticks outside, and in a minute of less than thin_share of the usual volume
/// wild = ⌊ATR / normal ATR⌋, at most wild_ticks            ATR of 1-minute bars, see [`crate::minutes`]
/// slippage = max(calm, wild)
/// ```
///
/// So a market that moves twice its normal costs 2 ticks, three times 3. Until it is known what is normal, calm counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slippage {
    pub rth_ticks: i64,
    pub eth_ticks: i64,
    /// 0 leaves volume out of it.
    #[serde(default)]
    pub thin_share: f64,
    /// 0 leaves the ATR out of it.
    #[serde(default)]
    pub wild_ticks: i64,
}

impl Slippage {
    /// Returns the slippage in a market that is neither thin nor wild.
    pub fn calm_ticks(&self, part: Part) -> i64 {
        if part == Part::Rth { self.rth_ticks } else { self.eth_ticks }
    }

    /// Returns the slippage in the market that these minutes show.
    pub fn ticks(&self, part: Part, minutes: &Minutes) -> i64 {
        let thin = minutes.last_volume().zip(minutes.volume_normal());
        let thin = thin.is_some_and(|(volume, normal)| (volume as f64) < self.thin_share * normal);
        let calm = if thin { self.eth_ticks } else { self.calm_ticks(part) };
        let wild = minutes.atr_ticks().zip(minutes.atr_normal_ticks());
        // A market that never moved has a normal of 0: a ratio without a value is 0, one beyond all bounds the most.
        let wild = wild.map_or(0, |(atr, normal)| (atr / normal) as i64);
        calm.max(wild.min(self.wild_ticks))
    }
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
    ///
    /// # Errors
    ///
    /// `Costs` names the key that is unknown, missing, or says what cannot be.
    pub fn parse(text: &str) -> Result<Costs, Error> {
        let costs: Costs =
            toml::from_str(text).map_err(|error| Error::Costs(error.to_string().trim_end().to_owned()))?;
        costs.check().map_err(Error::Costs)?;
        Ok(costs)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        within::settings(self)?;
        if self.rates.is_empty() {
            return Err("no [[rate]]".into());
        }
        if !self.rates.is_sorted_by(|a, b| a.from < b.from) {
            return Err("the dates of [[rate]] do not rise".into());
        }
        let slippage = self.slippage;
        let negative =
            self.rates.iter().any(|rate| rate.commission_cents < Cents::ZERO || rate.fee_cents < Cents::ZERO);
        let slippages = [slippage.rth_ticks, slippage.eth_ticks, slippage.wild_ticks];
        if negative || slippages.iter().any(|ticks| *ticks < 0) {
            return Err("a cost below 0".into());
        }
        if !(0.0..=1.0).contains(&slippage.thin_share) {
            return Err("thin_share is not between 0 and 1".into());
        }
        Ok(())
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
    use crate::{bar::Bar, price::Price, time::MINUTE};

    #[test]
    fn the_shipped_files_say_what_the_docs_say() {
        let today = "2026-11-21".parse().expect("a date");
        let round_turn = |text| Costs::parse(text).map(|costs| costs.rate(today).side() * 2);
        for (name, text) in SHIPPED {
            assert_eq!(Costs::parse(text).map(|costs| costs.name), Ok(name.to_owned()));
        }
        assert_eq!(round_turn(OWNER), Ok(Cents(84)));
        assert_eq!(round_turn(SHIPPED[2].1), Ok(Cents(378)));
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
            format!("{head}wild_ticks = -1\n{}", rate("2021-01-01", 1)),
            format!("{head}thin_share = nan\n{}", rate("2021-01-01", 1)),
        ] {
            assert!(Costs::parse(&bad).is_err());
        }
    }

    /// Minutes of these ranges and volumes; the averages of the first 44 say what is normal.
    fn minutes(of: &[(i64, i64)]) -> Minutes {
        let mut minutes = Minutes::default();
        for (minute, &(range, volume)) in (1..).zip(of) {
            let [low, high] = [20_000, 20_000 + range].map(Price::from_ticks);
            let bar = Bar { ts: minute * MINUTE, open: low, high, low, close: low, volume, ..Bar::default() };
            minutes.push(&bar, MINUTE);
        }
        minutes
    }

    #[test]
    fn slippage_grows_with_the_atr_and_in_thin_minutes() {
        let slippage = Costs::parse(OWNER).expect("reads").slippage;
        let calm = vec![(4, 100); 60];
        let then = |more: &[(i64, i64)]| minutes(&[calm.as_slice(), more].concat());
        let ticks = |minutes: &Minutes| [Part::Rth, Part::Evening].map(|part| slippage.ticks(part, minutes));
        assert_eq!(ticks(&Minutes::default()), [1, 2]);
        assert_eq!(ticks(&then(&[])), [1, 2]);
        // One minute of 4 + 14·n ticks lifts the average of 14 by n.
        for (range, wanted) in [(56, [1, 2]), (74, [2, 2]), (140, [3, 3]), (204, [4, 4]), (2000, [4, 4])] {
            let market = then(&[(range, 100)]);
            let ratio = market.atr_ticks().zip(market.atr_normal_ticks()).map(|(atr, normal)| atr / normal);
            assert_eq!(ticks(&market), wanted, "{range} ticks, {ratio:?} times the normal");
        }
        assert_eq!(ticks(&then(&[(4, 10)])), [1, 2]);
        assert_eq!(ticks(&then(&[(4, 9)])), [2, 2]);
        let plain = Slippage { thin_share: 0.0, wild_ticks: 0, ..slippage };
        assert_eq!(plain.ticks(Part::Rth, &then(&[(2000, 1)])), 1);
    }
}
