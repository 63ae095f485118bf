//! Commands that print what happens, as it happens.

use std::sync::mpsc;

use clap::Subcommand;
use mes_core::time::{self, Now, Ts};
use mes_pipe::{Error, Result, log};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Context, OfAccount, lists::contract, show::line};
use crate::hub::{Hub, HubEvent, Kind, MarketEvent, Subscription, UserEvent};

/// Happenings that may wait to be printed; whoever reads more slowly holds up its own socket.
const WAITING: usize = 4096;

#[derive(Subcommand)]
pub(super) enum Watch {
    /// Quotes and trades of a contract
    #[command(after_help = "Example: mes-projectx watch quotes MES --depth")]
    Quotes {
        /// MES (the one that can be traded now), MESZ6 or CON.F.US.MES.Z26
        contract: String,
        /// The book as well
        #[arg(long)]
        depth: bool,
    },
    /// What happens on an account: its balance, orders, positions and fills
    #[command(after_help = "Example: mes-projectx watch user")]
    User(OfAccount),
}

impl Watch {
    /// Prints until somebody stops it, or nobody reads any more.
    ///
    /// # Errors
    ///
    /// A contract or an account that is not there; a stdout that cannot be written.
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let (kind, subscriptions) = match self {
            Watch::Quotes { contract: text, depth } => {
                (Kind::Market, Subscription::contract(&contract(context, text)?, *depth))
            }
            Watch::User(of) => {
                (Kind::User, Subscription::account(context.service.account(of.account.as_deref())?.id))
            }
        };
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let _hub = Hub::listen(context.service.door(kind), subscriptions, move |now, event| {
            // Nobody listens any more once the printing has failed.
            let _ = sender.send((now, event));
        })?;
        for (now, event) in receiver {
            tell(now, event)?;
        }
        Err(Error::failed("the hub's thread has ended"))
    }
}

/// One happening with the instant at which it was heard here.
fn tell(now: Now, event: HubEvent) -> Result<()> {
    match event {
        HubEvent::Up { gap: None } => log::note("listening"),
        HubEvent::Up { gap: Some((from, to)) } => {
            log::note(format!(
                "listening again; nothing was heard from {} to {}",
                time::format(from),
                time::format(to)
            ));
            line(&record(now.utc, "gap", &json!({"from": time::format(from), "to": time::format(to)})))?;
        }
        HubEvent::Down { why } => log::note(format!("the connection is lost, trying again: {why}")),
        HubEvent::Logout => log::error("the session was thrown out: somebody has logged in elsewhere"),
        HubEvent::Malformed(what) => log::error(format!("something that makes no sense: {what}")),
        HubEvent::User(event) => {
            let (kind, data) = match &event {
                UserEvent::Account(data) => ("account", value(data)),
                UserEvent::Order(data) => ("order", value(data)),
                UserEvent::Position(data) => ("position", value(data)),
                UserEvent::Trade(data) => ("trade", value(data)),
            };
            line(&record(now.utc, kind, &data))?;
        }
        HubEvent::Market(event) => {
            let (kind, contract, data) = match &event {
                MarketEvent::Quote { contract, change } => ("quote", contract, value(change)),
                MarketEvent::Print { contract, print } => ("print", contract, value(print)),
                MarketEvent::Depth { contract, changes } => ("depth", contract, value(changes)),
            };
            let mut record = record(now.utc, kind, &data);
            record["contract"] = contract.as_str().into();
            line(&record)?;
        }
    }
    Ok(())
}

fn record(heard: Ts, kind: &str, data: &Value) -> Value {
    json!({"heard": time::format(heard), "kind": kind, "data": data})
}

fn value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}
