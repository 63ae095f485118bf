//! What an `errorCode` means: something else at every endpoint, so each has a type of its own.

use super::open_enum::open_enum;

/// A code of one endpoint.
pub trait Code: Copy + std::fmt::Debug + std::fmt::Display + PartialEq + Send + Sync + 'static {
    /// Returns what a number above 0 means here.
    fn of(number: i64) -> Self;

    /// Says whether what was asked may have been done, or may be done yet. A number nobody has documented says nothing.
    fn leaves_open(self) -> bool;
}

/// Declares the codes of an endpoint, and after `open` those that do not say what became of the call.
macro_rules! codes {
    ($(#[$about:meta])* $name:ident { $($variant:ident = $number:literal,)+ } open { $($open:ident),* }) => {
        open_enum! {
            $(#[$about])*
            $name { $($variant = $number,)+ }
        }

        impl Code for $name {
            fn of(number: i64) -> Self {
                $name::of(number)
            }

            fn leaves_open(self) -> bool {
                matches!(self, $($name::$open |)* $name::Other(_))
            }
        }
    };
}

codes! {
    /// Of `Auth/loginKey`.
    AuthCode {
        UserNotFound = 1,
        PasswordVerificationFailed = 2,
        InvalidCredentials = 3,
        AppNotFound = 4,
        AppVerificationFailed = 5,
        InvalidDevice = 6,
        AgreementsNotSigned = 7,
        UnknownError = 8,
        ApiSubscriptionNotFound = 9,
        ApiKeyAuthenticationDisabled = 10,
    } open { UnknownError }
}

codes! {
    /// Of `Auth/validate`.
    ValidateCode {
        InvalidSession = 1,
        SessionNotFound = 2,
        ExpiredToken = 3,
        UnknownError = 4,
    } open { UnknownError }
}

codes! {
    /// Of `Auth/logout`.
    LogoutCode {
        InvalidSession = 1,
        UnknownError = 2,
    } open { UnknownError }
}

codes! {
    /// Of the questions about accounts, positions, trades and lists of orders.
    LookCode {
        AccountNotFound = 1,
    } open {}
}

codes! {
    /// Of `Order/searchById`.
    OrderLookCode {
        OrderNotFound = 1,
    } open {}
}

codes! {
    /// Of `Contract/*` and `History/retrieveBars`.
    RetrieveCode {
        ContractNotFound = 1,
        UnitInvalid = 2,
        UnitNumberInvalid = 3,
        LimitInvalid = 4,
    } open {}
}

codes! {
    /// Of `Order/place`.
    PlaceCode {
        AccountNotFound = 1,
        OrderRejected = 2,
        InsufficientFunds = 3,
        AccountViolation = 4,
        OutsideTradingHours = 5,
        OrderPending = 6,
        UnknownError = 7,
        ContractNotFound = 8,
        ContractNotActive = 9,
        AccountRejected = 10,
    } open { OrderPending, UnknownError }
}

codes! {
    /// Of `Order/modify`.
    ModifyCode {
        AccountNotFound = 1,
        OrderNotFound = 2,
        Rejected = 3,
        Pending = 4,
        UnknownError = 5,
        AccountRejected = 6,
        ContractNotFound = 7,
    } open { Pending, UnknownError }
}

codes! {
    /// Of `Order/cancel`. One that is filled or cancelled already was seen to answer 5.
    CancelCode {
        AccountNotFound = 1,
        OrderNotFound = 2,
        Rejected = 3,
        Pending = 4,
        UnknownError = 5,
        AccountRejected = 6,
    } open { Pending, UnknownError }
}

codes! {
    /// Of `Position/closeContract`.
    CloseCode {
        AccountNotFound = 1,
        PositionNotFound = 2,
        ContractNotFound = 3,
        ContractNotActive = 4,
        OrderRejected = 5,
        OrderPending = 6,
        UnknownError = 7,
        AccountRejected = 8,
    } open { OrderPending, UnknownError }
}

codes! {
    /// Of `Position/partialCloseContract`: from 5 on not those of closeContract.
    PartialCloseCode {
        AccountNotFound = 1,
        PositionNotFound = 2,
        ContractNotFound = 3,
        ContractNotActive = 4,
        InvalidCloseSize = 5,
        OrderRejected = 6,
        OrderPending = 7,
        UnknownError = 8,
        AccountRejected = 9,
    } open { OrderPending, UnknownError }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_means_something_else_at_every_endpoint() {
        assert_eq!(PlaceCode::of(5), PlaceCode::OutsideTradingHours);
        assert_eq!(CloseCode::of(5), CloseCode::OrderRejected);
        assert_eq!(PartialCloseCode::of(5), PartialCloseCode::InvalidCloseSize);
        assert_eq!(ModifyCode::of(5), ModifyCode::UnknownError);
        assert!(PlaceCode::of(6).leaves_open() && PlaceCode::of(7).leaves_open());
        assert!(!PlaceCode::of(2).leaves_open() && PlaceCode::of(99).leaves_open());
        assert_eq!(PlaceCode::of(99).to_string(), "99");
        assert_eq!(serde_json::from_str::<PlaceCode>("\"2\"").ok(), Some(PlaceCode::OrderRejected));
    }
}
