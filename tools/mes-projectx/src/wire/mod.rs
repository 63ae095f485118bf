//! What the bytes at TopstepX say: the one place that knows names of fields, numbers of codes and dialects.
//!
//! Read leniently, written as the service itself writes: a number may come as text, a null may be absent, an enum may have a
//! value that nobody has documented ([`Side::Other`]). What money depends on is never guessed: an absent list is no empty
//! list, a success with an error code is no success.

mod account;
mod code;
mod decimal;
mod endpoint;
mod lenient;
mod market;
mod open_enum;
mod order;
pub mod signalr;
mod stamp;

pub use account::{Account, Contract, Position, Trade};
pub use code::{
    AuthCode, CancelCode, CloseCode, Code, LogoutCode, LookCode, ModifyCode, OrderLookCode, PartialCloseCode,
    PlaceCode, RetrieveCode, ValidateCode,
};
pub use decimal::Decimal;
pub use endpoint::{
    Absent, Accounts, AvailableContracts, Bars, Cancel, Close, ContractById, Endpoint, Envelope, Login,
    Logout, Modify, OpenOrders, OrderById, OrderFilter, Orders, OrdersOf, PartialClose, Place, Positions,
    SearchContracts, Trades, Validate,
};
pub use market::{Bar, Depth, DepthKind, Print, Quote, Unit};
pub use order::{Bracket, Order, OrderKind, OrderStatus, PositionKind, Side};
pub use stamp::Stamp;
