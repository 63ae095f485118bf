//! What a contract's price may be at all. A scale that is wrong from the first row on (prices times ten, in cents, of
//! another instrument) moves like any market and shows only here.

use chrono::NaiveDate;

use crate::Error;

/// `data/price_ranges.csv`: columns `roots,from,low,high`. A line holds from its date until that of the next one with
/// the same roots; its bounds are half the lowest and twice the highest price of its time and the years beside it, so
/// that series joined at rolls by adding points fit too.
pub const SHIPPED: &str = include_str!("../../../data/price_ranges.csv");

#[derive(Clone, Debug, PartialEq)]
struct Line {
    roots: Vec<String>,
    from: NaiveDate,
    low: f64,
    high: f64,
}

/// The price ranges of some contracts, by rising date.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceRanges(Vec<Line>);

impl PriceRanges {
    /// Reads ranges in the form of [`SHIPPED`].
    ///
    /// # Errors
    ///
    /// [`Error::PriceRange`] with the number of a line that cannot be read.
    pub fn parse(text: &str) -> Result<PriceRanges, Error> {
        let lines = text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty());
        let mut ranges = Vec::new();
        for (index, line) in lines {
            let refused = || Error::PriceRange { line: index + 1, text: line.to_owned() };
            let read = Line::parse(line).ok_or_else(refused)?;
            if ranges.last().is_some_and(|before: &Line| before.from > read.from) {
                return Err(refused());
            }
            ranges.push(read);
        }
        Ok(PriceRanges(ranges))
    }

    /// Returns the ranges that ship with the tools.
    pub fn shipped() -> PriceRanges {
        Self::parse(SHIPPED).expect("the shipped ranges are tested")
    }

    /// Returns the lowest and highest price of a contract with this root on this day, where they are known.
    pub fn of(&self, root: &str, date: NaiveDate) -> Option<(f64, f64)> {
        let holds = |line: &&Line| line.from <= date && line.roots.iter().any(|name| name == root);
        self.0.iter().rev().find(holds).map(|line| (line.low, line.high))
    }
}

impl Line {
    fn parse(line: &str) -> Option<Line> {
        let mut fields = line.split(',').map(str::trim);
        let roots = fields.next()?.split_whitespace().map(str::to_owned).collect();
        let from = fields.next()?.parse().ok()?;
        let (low, high) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (0.0 < low && low < high).then_some(Line { roots, from, low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_ranges_hold_what_was_traded_and_no_other_scale() {
        let ranges = PriceRanges::shipped();
        // The year's lowest and highest price of the future, in round points.
        for (date, low, high) in [
            ("2009-03-06", 665, 1100),
            ("2013-12-31", 1400, 1850),
            ("2019-05-06", 2430, 3255),
            ("2020-03-23", 2174, 3760),
            ("2022-10-13", 3500, 4808),
            ("2025-04-07", 4830, 6950),
            ("2026-11-20", 5000, 7000),
        ] {
            let date = date.parse().expect("a date");
            for root in ["ES", "MES"] {
                let (least, most) = ranges.of(root, date).expect("a range");
                assert!(least < f64::from(low) && f64::from(high) < most, "{date}");
                assert!(f64::from(low) * 10.0 > most && f64::from(high) / 10.0 < least, "{date}");
            }
        }
        for (date, low, high) in [
            ("2008-11-20", 1019, 2100),
            ("2012-06-01", 2269, 2878),
            ("2016-06-27", 3888, 4994),
            ("2018-12-24", 5895, 7700),
            ("2020-03-23", 6629, 12970),
            ("2022-10-13", 10440, 16568),
            ("2024-08-05", 16249, 22133),
            ("2026-11-20", 16542, 30000),
        ] {
            let date = date.parse().expect("a date");
            for root in ["NQ", "MNQ"] {
                let (least, most) = ranges.of(root, date).expect("a range");
                assert!(least < f64::from(low) && f64::from(high) < most, "{date}");
                assert!(f64::from(low) * 10.0 > most && f64::from(high) / 10.0 < least, "{date}");
            }
        }
        assert_eq!(ranges.of("SPY", "2026-11-20".parse().expect("a date")), None);
        assert_eq!(ranges.of("ES", "1999-01-04".parse().expect("a date")), None);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for line in ["ES,2020-01-01,5", "ES,2020-13-01,5,6", "ES,2020-01-01,6,5", "ES,2020-01-01,-1,5"] {
            let error = PriceRanges::parse(&format!("roots,from,low,high\n{line}\n")).expect_err(line);
            assert_eq!(error, Error::PriceRange { line: 2, text: line.to_owned() });
        }
        let backwards = "roots,from,low,high\nES,2021-01-01,5,6\nES,2020-01-01,5,6\n";
        assert!(PriceRanges::parse(backwards).is_err());
    }
}
