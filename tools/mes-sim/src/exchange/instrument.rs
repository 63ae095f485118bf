//! One contract month, by all the names that TopstepX has for it.

use chrono::NaiveDate;
use mes_core::contract::{Contract, Expiry, Name};

/// A contract of one month: `CON.F.US.MES.Z26`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instrument {
    pub contract: Contract,
    pub expiry: Expiry,
}

const MONTHS: [(u32, char, &str); 4] =
    [(3, 'H', "March"), (6, 'M', "June"), (9, 'U', "September"), (12, 'Z', "December")];

impl Instrument {
    /// Reads an id as clients send it; `None` for what names no contract month of the table.
    pub fn parse(id: &str, near: NaiveDate) -> Option<Instrument> {
        if !id.starts_with("CON.F.US.") {
            return None;
        }
        match Name::parse(id, near).ok()? {
            Name::Contract(root, expiry) => {
                let instrument = Instrument { contract: Contract::of(&root)?, expiry };
                // The exchange knows each by one id alone.
                (instrument.id() == id).then_some(instrument)
            }
            _ => None,
        }
    }

    fn month(self) -> (u32, char, &'static str) {
        MONTHS.into_iter().find(|(month, ..)| *month == self.expiry.month).unwrap_or(MONTHS[3])
    }

    /// Returns `CON.F.US.MES.Z26`.
    pub fn id(self) -> String {
        format!("CON.{}.{}{:02}", self.symbol_id(), self.month().1, self.expiry.year % 100)
    }

    /// Returns `MESZ6`.
    pub fn name(self) -> String {
        format!("{}{}", self.contract.root(), self.expiry.code())
    }

    /// Returns the form that positions bear: `MESZ26`.
    pub fn display_name(self) -> String {
        format!("{}{}{:02}", self.contract.root(), self.month().1, self.expiry.year % 100)
    }

    /// Returns the product: `F.US.MES`.
    pub fn symbol_id(self) -> String {
        format!("F.US.{}", self.contract.product())
    }

    /// Returns `Micro E-mini S&P 500: December 2026`.
    pub fn description(self) -> String {
        format!("{}: {} {}", self.contract.name(), self.month().2, self.expiry.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_by_the_names_that_topstepx_has() {
        let near = "2026-11-20".parse().expect("a date");
        let mes = Instrument::parse("CON.F.US.MES.Z26", near).expect("known");
        assert_eq!(mes.id(), "CON.F.US.MES.Z26");
        assert_eq!((mes.name().as_str(), mes.display_name().as_str()), ("MESZ6", "MESZ26"));
        assert_eq!(mes.description(), "Micro E-mini S&P 500: December 2026");
        let es = Instrument::parse("CON.F.US.EP.H27", near).expect("known");
        assert_eq!((es.symbol_id().as_str(), es.name().as_str()), ("F.US.EP", "ESH7"));
        for other in ["MESZ6", "CON.F.US.MES.Z6", "CON.F.US.CLE.Z26", "CON.F.US.ES.Z26", "", "CON.F.US."] {
            assert_eq!(Instrument::parse(other, near), None, "{other}");
        }
    }
}
