//! Everything that a start does, said line by line; nothing is placed, but for the probe that a person asks for.

use std::{
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use mes_core::{broker::Kind, price::Price, time::Ts};
use mes_pipe::{Error, Result, answer::print, clock::Deadline};
use mes_projectx::{
    Client, Purpose,
    hub::{Hub, HubEvent, Kind as HubKind, MarketEvent, Subscription},
    wire::{Bracket, Cancel, Decimal, OrderKind, OrderStatus, Place, Quote, Side},
};

use super::{
    event::{Answer, Request, Why},
    open::Found,
    perform::perform,
};

/// For the hubs to subscribe, and for the first quote.
const PATIENCE: Duration = Duration::from_secs(15);
/// How far from the market the probe lies: nothing moves so far while it does.
const FAR_TICKS: i64 = 200;

/// Looks at all that a day needs.
///
/// # Errors
///
/// What a start would fail of.
pub fn check(found: &Found, probe: bool) -> Result<()> {
    print(format!("{}\n", found.says()))?;
    let client = found.service.client.clone().within(Duration::from_secs(10));
    let open = open(&client, found)?;
    print(format!("{open}\n"))?;
    let (told, heard) = channel();
    let user = told.clone();
    let account = Subscription::account(found.account.id);
    let _user = Hub::listen(found.service.door(HubKind::User), account, move |_, event| {
        let _ = user.send((HubKind::User, event));
    })?;
    let contract = Subscription::contract(&found.contract.id, false);
    let _market = Hub::listen(found.service.door(HubKind::Market), contract, move |_, event| {
        let _ = told.send((HubKind::Market, event));
    })?;
    let (bid, ask) = hear(&heard)?;
    print(format!("user hub and market hub: subscribed; {} {bid} to {ask}\n", found.contract.name))?;
    if probe {
        let mode = probe_mode(&client, found, bid)?;
        print(format!("{mode}\n"))?;
    }
    print("a start would go on from here; nothing is open or working that was not before\n")
}

/// Says what is open and working.
fn open(client: &Client, found: &Found) -> Result<String> {
    let account = found.account.id;
    let positions = match perform(client, Purpose::Look, Request::Positions { account }) {
        Answer::Positions { positions } => positions,
        other => return Err(Error::failed(format!("positions: {other:?}"))),
    };
    let orders = match perform(client, Purpose::Look, Request::Alive { account }) {
        Answer::Orders { orders } => orders,
        other => return Err(Error::failed(format!("orders: {other:?}"))),
    };
    let held: Vec<String> = positions
        .iter()
        .filter(|position| position.size != 0)
        .map(|position| format!("{} {}", position.contracts().unwrap_or(0), position.contract_id))
        .collect();
    let held = if held.is_empty() { "flat".to_owned() } else { format!("open: {}", held.join(", ")) };
    Ok(format!("{held}; {} orders work", orders.len()))
}

/// Waits until both hubs are subscribed and a quote came.
fn hear(heard: &Receiver<(HubKind, HubEvent)>) -> Result<(Price, Price)> {
    let patience = Deadline::after(PATIENCE);
    let (mut user, mut market, mut quote, mut why) = (false, false, Quote::default(), String::new());
    loop {
        let price = |decimal: Option<Decimal>| decimal?.ticks().map(Price::from_ticks);
        if let (true, true, Some(bid), Some(ask)) =
            (user, market, price(quote.best_bid), price(quote.best_ask))
        {
            return Ok((bid, ask));
        }
        match heard.recv_timeout(patience.left()) {
            Ok((HubKind::User, HubEvent::Up { .. })) => user = true,
            Ok((HubKind::Market, HubEvent::Up { .. })) => market = true,
            Ok((_, HubEvent::Market(MarketEvent::Quote { change, .. }))) => quote.merge(&change),
            Ok((_, HubEvent::Down { why: down })) => why = format!(": {down}"),
            Ok(_) => {}
            Err(_) => {
                let what = match (user, market) {
                    (false, _) => "the user hub is not subscribed",
                    (_, false) => "the market hub is not subscribed",
                    _ => "no quote came: the market may be closed",
                };
                return Err(Error::failed(format!("{what} after {} s{why}", PATIENCE.as_secs())));
            }
        }
    }
}

/// Places a limit far below the market with a bracket, looks at what became of it, and cancels it.
fn probe_mode(client: &Client, found: &Found, bid: Price) -> Result<String> {
    if !matches!(found.kind, Kind::Practice | Kind::Exercise) {
        return Err(Error::usage("--probe is for practice accounts"));
    }
    let tag = super::tag::entry(&mes_pipe::account::nonce(), 0, false);
    let price = bid - FAR_TICKS;
    let place = Place {
        kind: OrderKind::Limit,
        limit_price: Some(Decimal::of_ticks(price.ticks())),
        stop_loss_bracket: Some(Bracket { ticks: -8, kind: OrderKind::Stop }),
        take_profit_bracket: Some(Bracket { ticks: 8, kind: OrderKind::Limit }),
        ..Place::market(found.account.id, &found.contract.id, Side::Bid, 1, tag)
    };
    let asked: Ts = found.service.now().utc;
    let request = Request::Place { place: Box::new(place), entry: false };
    let id = match perform(client, Purpose::Trade, request) {
        Answer::Placed { id } => id,
        Answer::Refused { why: Why::Brackets, text } => {
            return Ok(format!(
                "probe: {text}: tick Auto OCO Brackets in the account's Risk Settings, or give --own-oco"
            ));
        }
        other => {
            return Err(Error::failed(format!(
                "probe: {other:?}: look at the orders of {}",
                found.account.name
            )));
        }
    };
    thread::sleep(Duration::from_millis(500));
    let account = found.account.id;
    let legs = match perform(client, Purpose::Look, Request::Alive { account }) {
        Answer::Orders { orders } => {
            let legs = orders.iter().filter(|order| order.parent_order_id == Some(id));
            Ok(legs.filter(|order| order.status == OrderStatus::Suspended).count())
        }
        other => Err(Error::failed(format!("probe: {other:?}"))),
    };
    let cancel = Cancel { account_id: account, order_id: id };
    let cancelled = perform(client, Purpose::Exit, Request::Cancel { cancel });
    let ms = (found.service.now().utc - asked) / mes_core::time::MILLI;
    match cancelled {
        Answer::Done => Ok(format!(
            "probe: a limit at {price} was taken, {} legs waited for it, and it was cancelled ({ms} ms): brackets work",
            legs?
        )),
        other => Err(Error::failed(format!("probe: order {id} at {price} may still work: {other:?}"))),
    }
}
