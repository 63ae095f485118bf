//! The exchange's nouns in the words of the wire.

use mes_core::{order::Side as Way, time::Ts};
use mes_projectx::{
    hub::{MarketEvent, UserEvent},
    wire::{
        Account, Bar, Contract, Decimal, Depth, DepthKind, Order, OrderKind, OrderStatus, Position,
        PositionKind, Print, Quote, Stamp, Trade,
    },
};
use serde_json::{Value, json};

use crate::exchange::{
    ContractView,
    account::AccountView,
    bars,
    event::{self, Event, PositionView},
    instrument::Instrument,
    market::Market,
    order,
};

/// Levels of the book on either side: with all of them a snapshot is larger than 16 kB, at which some clients break.
const LEVELS: i64 = 80;

/// What is told of something that happened, besides the journal.
pub enum Said {
    User { account: i64, action: i64, event: UserEvent },
    Market(MarketEvent),
}

/// Writes an account.
pub fn account(view: &AccountView) -> Account {
    Account {
        id: view.id,
        name: view.name.clone(),
        balance: Decimal::of_cents(view.balance),
        can_trade: view.can_trade,
        is_visible: true,
        simulated: true,
    }
}

/// Writes a contract.
pub fn contract(view: ContractView) -> Contract {
    let ContractView { instrument, active } = view;
    Contract {
        id: instrument.id(),
        name: instrument.name(),
        description: instrument.description(),
        tick_size: Decimal::of_ticks(1),
        tick_value: Decimal::of_cents(instrument.contract.tick_value()),
        active_contract: active,
        symbol_id: instrument.symbol_id(),
    }
}

/// Writes an order.
pub fn order(order: &order::Order) -> Order {
    let leg = match order.role {
        order::Role::Leg { parent, ticks, sibling } => Some((parent, ticks, sibling)),
        _ => None,
    };
    let works = order.status != order::Status::Suspended;
    let price = |ticks: Option<i64>| ticks.filter(|_| works).map(Decimal::of_ticks);
    let distance = leg.map(|(_, ticks, _)| ticks).or(order.trail);
    Order {
        id: order.id,
        account_id: order.account,
        contract_id: order.instrument.id(),
        symbol_id: Some(order.instrument.symbol_id()),
        creation_timestamp: Stamp::of(order.created),
        update_timestamp: Some(Stamp::of(order.updated)),
        status: OrderStatus::of(order.status as i64),
        kind: OrderKind::of(order.kind as i64),
        side: order.side.into(),
        size: order.size,
        limit_price: price(order.limit),
        stop_price: price(order.stop),
        fill_volume: Some(order.filled),
        filled_price: (order.filled > 0).then(|| Decimal::average(order.paid, order.filled)),
        custom_tag: order.tag.as_deref().map(str::to_owned),
        trail_distance: distance,
        trail_price: distance.map(Decimal::of_ticks),
        parent_order_id: leg.map(|(parent, _, _)| parent),
        // Only the target names its stop.
        linked_order_id: leg.filter(|_| order.kind == order::Kind::Limit).and_then(|(_, _, sibling)| sibling),
    }
}

/// Writes a position.
pub fn position(view: &PositionView) -> Position {
    let kind = match (view.size, view.side) {
        (0, _) => PositionKind::Undefined,
        (_, Way::Buy) => PositionKind::Long,
        (_, Way::Sell) => PositionKind::Short,
    };
    Position {
        id: view.id,
        account_id: view.account,
        contract_id: view.instrument.id(),
        contract_display_name: Some(view.instrument.display_name()),
        creation_timestamp: Stamp::of(view.created),
        kind,
        size: view.size,
        average_price: Decimal::average(view.paid, view.contracts),
    }
}

/// Writes a fill.
pub fn trade(trade: &event::Trade) -> Trade {
    Trade {
        id: trade.id,
        account_id: trade.account,
        contract_id: trade.instrument.id(),
        creation_timestamp: Stamp::of(trade.ts),
        price: Decimal::of_ticks(trade.price),
        profit_and_loss: trade.profit.map(Decimal::of_cents),
        fees: Some(Decimal::of_cents(trade.fees)),
        commissions: Some(Decimal::of_cents(trade.commissions)),
        side: trade.side.into(),
        size: trade.size,
        voided: false,
        order_id: trade.order,
    }
}

/// Writes a bar.
pub fn bar(bar: &bars::Bar) -> Bar {
    let [o, h, l, c] = [bar.open, bar.high, bar.low, bar.close].map(Decimal::of_ticks);
    Bar { t: Stamp::of(bar.ts), o, h, l, c, v: bar.volume }
}

/// Returns what the hubs tell of an event; of some only the journal knows.
pub fn said(ts: Ts, event: &Event, market: Option<&Market>) -> Vec<Said> {
    let user = |account, action, event| vec![Said::User { account, action, event }];
    match event {
        Event::Order(of) => user(of.account, 1, UserEvent::Order(Box::new(order(of)))),
        Event::Trade(of) => user(of.account, 0, UserEvent::Trade(trade(of))),
        Event::Position(of) => {
            user(of.account, if of.size == 0 { 2 } else { 1 }, UserEvent::Position(position(of)))
        }
        Event::Account(of) => user(of.id, 1, UserEvent::Account(account(of))),
        Event::Quote { instrument, bid, ask } => {
            let price = |side: &Option<i64>| side.map(Decimal::of_ticks);
            let change = Quote { best_bid: price(bid), best_ask: price(ask), ..quote(*instrument, ts) };
            let contract = instrument.id();
            let moved = [(*bid, DepthKind::Bid), (*ask, DepthKind::Ask)];
            let changes: Vec<Depth> =
                moved.iter().filter_map(|(at, kind)| Some(level(ts, *kind, (*at)?, 0))).collect();
            vec![
                Said::Market(MarketEvent::Quote { contract: contract.clone(), change }),
                Said::Market(MarketEvent::Depth { contract, changes }),
            ]
        }
        Event::Print { instrument, print } => {
            let contract = instrument.id();
            let last_price = Some(Decimal::of_ticks(print.price));
            let volume = market.map(|market| market.volume);
            let change = Quote { last_price, volume, ..quote(*instrument, ts) };
            let print = Print {
                symbol_id: Some(instrument.symbol_id()),
                price: Decimal::of_ticks(print.price),
                timestamp: Stamp::of(ts),
                side: print.side.into(),
                volume: print.size,
            };
            vec![
                Said::Market(MarketEvent::Print { contract: contract.clone(), print }),
                Said::Market(MarketEvent::Quote { contract, change }),
            ]
        }
        Event::Refused { .. } | Event::House { .. } => Vec::new(),
    }
}

fn quote(instrument: Instrument, ts: Ts) -> Quote {
    let (symbol, stamp) = (Some(instrument.symbol_id()), Some(Stamp::of(ts)));
    Quote { symbol, last_updated: stamp, timestamp: stamp, ..Quote::default() }
}

/// Returns the whole book, which is made up around the quote; `None` without one.
pub fn depth(market: &Market, ts: Ts) -> Option<MarketEvent> {
    let (bid, ask) = (market.bid?, market.ask?);
    let levels = (0..LEVELS).flat_map(|away| {
        [level(ts, DepthKind::Bid, bid - away, away), level(ts, DepthKind::Ask, ask + away, away)]
    });
    Some(MarketEvent::Depth { contract: market.instrument.id(), changes: levels.collect() })
}

/// Makes a level up: the farther, the larger.
fn level(ts: Ts, kind: DepthKind, ticks: i64, away: i64) -> Depth {
    let volume = 5 + 3 * away + (ticks * 7 + away * 13).rem_euclid(11);
    let price = Decimal::of_ticks(ticks);
    Depth { timestamp: Stamp::of(ts), kind, price, volume, current_volume: Some(volume) }
}

/// Returns what the journal keeps of an event, in the words of the wire; of the market nothing.
pub fn kept(ts: Ts, event: &Event) -> Option<Value> {
    let (kind, data) = match event {
        Event::Order(of) => ("order", json!(order(of))),
        Event::Trade(of) => ("trade", json!(trade(of))),
        Event::Position(of) => ("position", json!(position(of))),
        Event::Account(of) => ("account", json!(account(of))),
        Event::Refused { call, account, code, message, tag } => (
            "refused",
            json!({"call": format!("{call:?}"), "accountId": account, "errorCode": code, "errorMessage": message, "customTag": tag}),
        ),
        Event::House { account, what } => ("house", json!({"accountId": account, "what": what})),
        Event::Quote { .. } | Event::Print { .. } => return None,
    };
    let mut record = json!({"ts": mes_core::time::format(ts), "kind": kind});
    // The kind of an order is `type` in the words of the wire, so none is lost.
    for (name, value) in data.as_object().into_iter().flatten() {
        record[name] = value.clone();
    }
    Some(record)
}
