//! Why the exchange says no: a code, which means something else at every call, and sometimes the literal words.

/// The calls whose codes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Place,
    Modify,
    Cancel,
    Close,
    PartialClose,
}

/// Why something was refused, whatever the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    NoAccount,
    /// No such order, or no position.
    NotFound,
    /// What was asked for is not valid.
    Invalid,
    Funds,
    Violation,
    Hours,
    Pending,
    Unknown,
    NoContract,
    NotActive,
    AccountRejected,
    CloseSize,
}

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: i64,
    pub message: Option<String>,
    /// A rejected order has an id all the same.
    pub order: Option<i64>,
}

impl Call {
    /// Returns the code of a reason at this call, by the tables of the reference.
    pub fn code(self, why: Why) -> i64 {
        let codes: [(Why, [i64; 5]); 12] = [
            (Why::NoAccount, [1, 1, 1, 1, 1]),
            (Why::NotFound, [7, 2, 2, 2, 2]),
            (Why::Invalid, [2, 3, 3, 5, 6]),
            (Why::Funds, [3, 3, 3, 5, 6]),
            (Why::Violation, [4, 3, 3, 5, 6]),
            (Why::Hours, [5, 3, 3, 5, 6]),
            (Why::Pending, [6, 4, 4, 6, 7]),
            (Why::Unknown, [7, 5, 5, 7, 8]),
            (Why::NoContract, [8, 7, 5, 3, 3]),
            (Why::NotActive, [9, 3, 3, 4, 4]),
            (Why::AccountRejected, [10, 6, 6, 8, 9]),
            (Why::CloseSize, [2, 3, 3, 5, 5]),
        ];
        let row = codes.into_iter().find(|(reason, _)| *reason == why);
        row.map_or(7, |(_, codes)| codes[self as usize])
    }

    /// Makes a refusal without words, as most are.
    pub fn refuse(self, why: Why) -> Refusal {
        Refusal { code: self.code(why), message: None, order: None }
    }

    /// Makes one with the words of the exchange.
    pub fn because(self, why: Why, message: impl Into<String>) -> Refusal {
        Refusal { message: Some(message.into()), ..self.refuse(why) }
    }
}

/// What is said in so many words by TopstepX.
pub mod words {
    /// A tag was used before.
    pub const TAG: &str = "Specified custom tag is already in use";
    /// A bracket is asked for where the platform adds its own.
    pub const MODE: &str =
        "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets.";
    /// A price is too far away, or on the wrong side.
    pub const RANGE: &str = "Invalid price. Price is outside allowed range.";
    /// A price lies between two ticks.
    pub const ALIGNED: &str = "Invalid price. Price is not aligned to tick size.";
    /// The market is closed or halted.
    pub const STATUS: &str =
        "Trading is currently unavailable. The instrument is not in an active trading status.";
    /// A size is none, or less than is filled.
    pub const SIZE: &str = "Invalid order size.";
    /// A trailing stop without its distance.
    pub const NO_TRAIL: &str = "Trail Distance not set.";
    /// A trailing price lies between two ticks.
    pub const TRAIL_ALIGNED: &str = "Invalid trail price. Price is not aligned to tick size.";
    /// Nothing was traded yet to trail.
    pub const NO_LAST: &str = "Cannot trail without a last price";
    /// A trailing stop too far away.
    pub const FAR_TRAIL: &str = "Trail Distance exceeds maximum (1000)";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_shift_between_the_two_ways_to_close() {
        let of = |why| [Call::Close, Call::PartialClose].map(|call| call.code(why));
        assert_eq!(of(Why::Invalid), [5, 6]);
        assert_eq!(of(Why::Pending), [6, 7]);
        assert_eq!(of(Why::AccountRejected), [8, 9]);
        assert_eq!(Call::PartialClose.code(Why::CloseSize), 5);
        assert_eq!(Call::Place.code(Why::Hours), 5);
        assert_eq!(Call::Modify.code(Why::Unknown), 5);
    }
}
