//! The two hubs: what happens on the account, what happens in the market.
//!
//! [`link`] is one connection as a pure machine, [`event`] what is said on it, [`socket`] the thread around both.

pub mod event;
pub mod link;
pub mod retry;
pub mod socket;

pub use event::{MarketEvent, UserEvent};
pub use socket::{Hub, HubEvent};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    User,
    Market,
}

impl Kind {
    /// Returns its path below the hubs' base.
    pub fn path(self) -> &'static str {
        match self {
            Kind::User => "hubs/user",
            Kind::Market => "hubs/market",
        }
    }
}

/// What is subscribed to: the name of a method, and its one argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    pub method: &'static str,
    pub argument: Option<serde_json::Value>,
}

impl Subscription {
    /// Returns all that the user hub has to say of one account.
    pub fn account(id: i64) -> Vec<Subscription> {
        let of = |method| Subscription { method, argument: Some(id.into()) };
        vec![
            Subscription { method: "SubscribeAccounts", argument: None },
            of("SubscribeOrders"),
            of("SubscribePositions"),
            of("SubscribeTrades"),
        ]
    }

    /// Returns quotes and trades of a contract, and its book where `depth` says so.
    pub fn contract(id: &str, depth: bool) -> Vec<Subscription> {
        let of = |method| Subscription { method, argument: Some(id.into()) };
        let depth = depth.then(|| of("SubscribeContractMarketDepth"));
        [of("SubscribeContractQuotes"), of("SubscribeContractTrades")].into_iter().chain(depth).collect()
    }
}
