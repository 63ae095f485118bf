//! The contracts that can be traded, as a table, and the names they go by.

use std::fmt;

use chrono::{Datelike, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    calendar::{Calendar, Status},
    money::Cents,
    session::clock,
    time::Ts,
    tz,
};

/// A contract that can be traded. All of them have quarterly months: H, M, U, Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Contract {
    #[default]
    Mes,
    Es,
    Mnq,
    Nq,
}

/// What is known of a contract.
struct Line {
    contract: Contract,
    /// The exchange's code, which symbols begin with: `MES` of `MESZ6` and `MES.v.0`.
    root: &'static str,
    /// What TopstepX calls it: `EP` of `CON.F.US.EP.Z26`.
    product: &'static str,
    name: &'static str,
    /// What one tick of one contract is worth.
    tick_value: Cents,
}

/// CME's contract specifications, and the products of TopstepX. A line is found by its contract's place in [`Contract`].
const TABLE: [Line; 4] = [
    Line {
        contract: Contract::Mes,
        root: "MES",
        product: "MES",
        name: "Micro E-mini S&P 500",
        tick_value: Cents(125),
    },
    Line {
        contract: Contract::Es,
        root: "ES",
        product: "EP",
        name: "E-mini S&P 500",
        tick_value: Cents(1250),
    },
    Line {
        contract: Contract::Mnq,
        root: "MNQ",
        product: "MNQ",
        name: "Micro E-mini Nasdaq-100",
        tick_value: Cents(50),
    },
    Line {
        contract: Contract::Nq,
        root: "NQ",
        product: "ENQ",
        name: "E-mini Nasdaq-100",
        tick_value: Cents(500),
    },
];

impl Contract {
    /// Lists all contracts that can be traded.
    pub fn all() -> impl Iterator<Item = Contract> {
        TABLE.iter().map(|line| line.contract)
    }

    /// Finds a contract by its root: `MES`.
    pub fn of(root: &str) -> Option<Contract> {
        TABLE.iter().find(|line| line.root == root).map(|line| line.contract)
    }

    fn line(self) -> &'static Line {
        &TABLE[self as usize]
    }

    /// Returns the exchange's code: `MES`.
    pub fn root(self) -> &'static str {
        self.line().root
    }

    /// Returns what TopstepX calls it: `EP` of `CON.F.US.EP.Z26`.
    pub fn product(self) -> &'static str {
        self.line().product
    }

    /// Returns its name in words.
    pub fn name(self) -> &'static str {
        self.line().name
    }

    /// Returns what one tick of one contract is worth.
    pub fn tick_value(self) -> Cents {
        self.line().tick_value
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.root())
    }
}

/// A quarterly contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry {
    pub year: i32,
    /// 3, 6, 9 or 12.
    pub month: u32,
}

/// What a symbol names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// The product alone: `MES`.
    Root(String),
    /// One contract: `MESZ6`, `MESZ26`, `CON.F.US.MES.Z26`.
    Contract(String, Expiry),
    /// A continuous series: `MES.v.0`, as Databento names it.
    Continuous(String),
}

impl Name {
    /// Reads a symbol. The year of `MESZ6` recurs every ten years and is taken as the one nearest to `near`.
    ///
    /// # Errors
    ///
    /// `Symbol` where it has none of the four forms.
    pub fn parse(symbol: &str, near: NaiveDate) -> Result<Name, Error> {
        let refused =
            || Error::Symbol(format!("{symbol:?} is neither MES, MESZ6, CON.F.US.MES.Z26 nor MES.v.0"));
        let is_root =
            |root: &str| (2..=4).contains(&root.len()) && root.bytes().all(|b| b.is_ascii_uppercase());
        if let Some(rest) = symbol.strip_prefix("CON.F.US.") {
            let (root, code) = rest.split_once('.').ok_or_else(refused)?;
            let expiry = expiry(code, near).ok_or_else(refused)?;
            let ours = TABLE.iter().find(|line| line.product == root);
            return Ok(Name::Contract(ours.map_or(root, |line| line.root).to_owned(), expiry));
        }
        if let Some((root, rule)) = symbol.split_once('.') {
            let known =
                matches!(rule.split_once('.'), Some(("c" | "n" | "v", rank)) if rank.parse::<u8>().is_ok());
            return if is_root(root) && known {
                Ok(Name::Continuous(root.to_owned()))
            } else {
                Err(refused())
            };
        }
        if let Some(digits) = symbol.find(|c: char| c.is_ascii_digit())
            && digits >= 3
        {
            let (root, code) = symbol.split_at(digits - 1);
            let expiry = expiry(code, near).ok_or_else(refused)?;
            return if is_root(root) { Ok(Name::Contract(root.to_owned(), expiry)) } else { Err(refused()) };
        }
        if is_root(symbol) { Ok(Name::Root(symbol.to_owned())) } else { Err(refused()) }
    }

    /// Returns the product, such as `MES`.
    pub fn root(&self) -> &str {
        match self {
            Name::Root(root) | Name::Contract(root, _) | Name::Continuous(root) => root,
        }
    }
}

/// Reads `Z6` or `Z26`.
fn expiry(code: &str, near: NaiveDate) -> Option<Expiry> {
    let month = match code.as_bytes().first()? {
        b'H' => 3,
        b'M' => 6,
        b'U' => 9,
        b'Z' => 12,
        _ => return None,
    };
    let digits = &code[1..];
    let year: i32 = digits.parse().ok()?;
    let span = match digits.len() {
        1 => 10,
        2 => 100,
        _ => return None,
    };
    let base = near.year().div_euclid(span) * span + year;
    let year = [base - span, base, base + span].into_iter().min_by_key(|year| (year - near.year()).abs())?;
    Some(Expiry { year, month })
}

impl Expiry {
    /// Returns the instant at which trading ends: the third Friday 09:30 New York, or the day before when the
    /// exchange is closed on that Friday.
    pub fn ends(self, calendar: &Calendar) -> Ts {
        let friday = self.third_friday();
        let closed = calendar.status(friday) == Some(Status::Closed);
        tz::instant(if closed { friday - TimeDelta::days(1) } else { friday }, clock(9, 30))
    }

    /// Returns the third Friday of its month.
    pub fn third_friday(self) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default();
        let to_friday = (11 - first.weekday().num_days_from_monday()) % 7;
        first + TimeDelta::days(i64::from(to_friday) + 14)
    }

    /// Returns the letter and last digit of the year: `Z6`.
    pub fn code(self) -> String {
        let letter = match self.month {
            3 => 'H',
            6 => 'M',
            9 => 'U',
            _ => 'Z',
        };
        format!("{letter}{}", self.year % 10)
    }

    /// Returns the contract that is nearest to its end at `ts` and still trades.
    pub fn front(ts: Ts, calendar: &Calendar) -> Expiry {
        let today = tz::new_york(ts).date();
        let quarters = (today.year()..=today.year() + 1)
            .flat_map(|year| [3, 6, 9, 12].map(|month| Expiry { year, month }));
        quarters
            .into_iter()
            .find(|expiry| expiry.ends(calendar) > ts)
            .unwrap_or(Expiry { year: today.year() + 1, month: 3 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::TICK;

    fn near() -> NaiveDate {
        "2026-11-20".parse().expect("a date")
    }

    #[test]
    fn reads_the_names_of_one_contract() {
        let december = Name::Contract("MES".into(), Expiry { year: 2026, month: 12 });
        for symbol in ["MESZ6", "MESZ26", "CON.F.US.MES.Z26"] {
            assert_eq!(Name::parse(symbol, near()), Ok(december.clone()), "{symbol}");
        }
        assert_eq!(
            Name::parse("ESH0", "2019-12-16".parse().expect("a date")),
            Ok(Name::Contract("ES".into(), Expiry { year: 2020, month: 3 }))
        );
        assert_eq!(Name::parse("MES.v.0", near()), Ok(Name::Continuous("MES".into())));
        assert_eq!(Name::parse("MES", near()), Ok(Name::Root("MES".into())));
        for symbol in ["", "MESX6", "MES.FUT", "12345", "mesz6", "MESZ6-MESH7", "MESZ126", "Z6"] {
            assert!(Name::parse(symbol, near()).is_err(), "{symbol}");
        }
    }

    #[test]
    fn the_table_is_what_the_exchange_says() {
        // Points in dollars, as CME states them.
        for (root, usd, product) in
            [("MES", 5, "MES"), ("ES", 50, "EP"), ("MNQ", 2, "MNQ"), ("NQ", 20, "ENQ")]
        {
            let contract = Contract::of(root).expect(root);
            assert_eq!(contract.tick_value() * (1.0 / TICK) as i64, Cents(usd * 100), "{root}");
            assert_eq!((contract.root(), contract.to_string().as_str()), (root, root));
            let symbol = format!("CON.F.US.{product}.Z26");
            let december = Name::Contract(root.into(), Expiry { year: 2026, month: 12 });
            assert_eq!(Name::parse(&symbol, near()), Ok(december));
        }
        assert!(Contract::all().enumerate().all(|(place, contract)| contract as usize == place));
        assert_eq!(Contract::of("EP"), None);
    }

    #[test]
    fn ends_on_the_third_friday() {
        let calendar = Calendar::shipped();
        let ends = |year, month| tz::new_york(Expiry { year, month }.ends(&calendar)).to_string();
        assert_eq!(ends(2026, 12), "2026-12-18 09:30:00");
        assert_eq!(ends(2024, 3), "2024-03-15 09:30:00");
        // Juneteenth 2026 is an early close, not a closed day.
        assert_eq!(ends(2026, 6), "2026-06-19 09:30:00");
        let at = |text: &str| Expiry::front(crate::time::parse(text).expect("a time"), &calendar).code();
        assert_eq!(at("2026-12-18T14:29:59Z"), "Z6");
        assert_eq!(at("2026-12-18T14:30:00Z"), "H7");
    }
}
