//! Commands that ask once and print a list.

use mes_core::time::{self, HOUR, MINUTE, Ts};
use mes_pipe::{Error, Result, answer::print, log};
use serde_json::{Value, json};

use super::{
    Context, OfAccount, Span,
    show::{Column, show},
};
use crate::wire::{
    Accounts, AvailableContracts, Order, OrderFilter, OrderStatus, Orders, OrdersOf, Positions, Stamp,
    Trades, Unit,
};

/// Rows of one page of orders: more are not given.
const PAGE: i64 = 100;
const DAY: i64 = 24 * HOUR;

const ACCOUNTS: [Column; 5] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("BALANCE", "balance"),
    ("CAN TRADE", "canTrade"),
    ("VISIBLE", "isVisible"),
];
const CONTRACTS: [Column; 5] = [
    ("NAME", "name"),
    ("ID", "id"),
    ("TICK", "tickSize"),
    ("TICK VALUE", "tickValue"),
    ("DESCRIPTION", "description"),
];
const POSITIONS: [Column; 5] = [
    ("CONTRACT", "contractId"),
    ("SIDE", "side"),
    ("SIZE", "size"),
    ("AVERAGE PRICE", "averagePrice"),
    ("SINCE", "creationTimestamp"),
];
const ORDERS: [Column; 9] = [
    ("ID", "id"),
    ("STATUS", "statusName"),
    ("KIND", "kindName"),
    ("SIDE", "sideName"),
    ("SIZE", "size"),
    ("FILLED", "fillVolume"),
    ("LIMIT", "limitPrice"),
    ("STOP", "stopPrice"),
    ("TAG", "customTag"),
];
const TRADES: [Column; 8] = [
    ("TIME", "creationTimestamp"),
    ("CONTRACT", "contractId"),
    ("SIDE", "sideName"),
    ("SIZE", "size"),
    ("PRICE", "price"),
    ("PROFIT", "profitAndLoss"),
    ("FEES", "fees"),
    ("ORDER", "orderId"),
];
const BAR: [Column; 6] =
    [("OPEN TIME", "t"), ("OPEN", "o"), ("HIGH", "h"), ("LOW", "l"), ("CLOSE", "c"), ("VOLUME", "v")];

/// Says that the key works, and what it opens.
pub(super) fn login(context: &Context) -> Result<()> {
    let accounts = context.ask(&Accounts { only_active_accounts: true })?;
    if context.json {
        return print(format!("{}\n", json!({"loggedIn": true, "accounts": accounts.len()})));
    }
    let practice = accounts.iter().filter(|account| account.name.starts_with("PRAC-")).count();
    print(format!(
        "logged in; this key opens {} active accounts, {practice} of them for practice: mes-projectx accounts\n",
        accounts.len()
    ))
}

pub(super) fn accounts(context: &Context, only_active_accounts: bool) -> Result<()> {
    show(&context.ask(&Accounts { only_active_accounts })?, &ACCOUNTS, context.json)
}

pub(super) fn contracts(context: &Context, text: Option<&str>) -> Result<()> {
    let mut contracts = context.ask(&AvailableContracts { live: false })?;
    if let Some(text) = text.map(str::to_uppercase) {
        contracts.retain(|contract| contract.name.contains(&text) || contract.id.contains(&text));
    }
    show(&contracts, &CONTRACTS, context.json)
}

pub(super) fn positions(context: &Context, of: &OfAccount) -> Result<()> {
    let positions =
        context.ask(&Positions { account_id: context.service.account(of.account.as_deref())?.id })?;
    let named = positions.iter().map(|position| with(position, &[("side", position.kind.to_string())]));
    show(&named.collect::<Vec<_>>(), &POSITIONS, context.json)
}

pub(super) fn orders(context: &Context, of: &OfAccount, span: &Span) -> Result<()> {
    let account_id = context.service.account(of.account.as_deref())?.id;
    let orders = match span.from {
        Some(from) => {
            let end_timestamp = span.until.map(Stamp::of);
            context.ask(&OrdersOf { account_id, start_timestamp: Stamp::of(from), end_timestamp })?
        }
        None if span.until.is_some() => return Err(Error::usage("--until needs --from")),
        None => alive(context, account_id)?,
    };
    let named = orders.iter().map(|order| {
        let names = [
            ("statusName", order.status.to_string()),
            ("kindName", order.kind.to_string()),
            ("sideName", side(order.side)),
        ];
        with(order, &names)
    });
    show(&named.collect::<Vec<_>>(), &ORDERS, context.json)
}

/// Returns all orders that may still fill, page by page.
fn alive(context: &Context, account_id: i64) -> Result<Vec<Order>> {
    let mut orders: Vec<Order> = Vec::new();
    loop {
        let page = context.ask(&Orders {
            filter: OrderFilter {
                account_id,
                statuses: Some(OrderStatus::ALIVE.to_vec()),
                created_after: None,
                created_before: None,
            },
            page_size: Some(PAGE),
            page_offset: Some(orders.len() as i64),
            sort_by: Some(1),
            sort_direction: Some(0),
            include_total_count: false,
        })?;
        let whole = page.len() as i64 >= PAGE;
        // Another may come between two pages; one that was told already is told once.
        orders.extend(
            page.into_iter()
                .filter(|order| orders.iter().all(|known| known.id != order.id))
                .collect::<Vec<_>>(),
        );
        if !whole {
            return Ok(orders);
        }
    }
}

pub(super) fn trades(context: &Context, of: &OfAccount, span: &Span) -> Result<()> {
    let from = span.from.unwrap_or_else(|| context.service.now().utc - DAY);
    let question = Trades {
        account_id: context.service.account(of.account.as_deref())?.id,
        start_timestamp: Stamp::of(from),
        end_timestamp: span.until.map(Stamp::of),
    };
    let mut trades = context.ask(&question)?;
    trades.sort_by_key(|trade| (trade.creation_timestamp, trade.id));
    let named = trades.iter().map(|trade| with(trade, &[("sideName", side(trade.side))]));
    show(&named.collect::<Vec<_>>(), &TRADES, context.json)
}

#[derive(clap::Args)]
pub(super) struct BarArgs {
    /// MES (the one that can be traded now), MESZ6 or CON.F.US.MES.Z26
    contract: String,
    /// Length of a bar: 1s, 1min, 5min, 1h
    #[arg(long, value_name = "TIME", default_value = "1min", value_parser = length)]
    interval: (Unit, i64),
    /// Bars that begin from here on [default: the last two hours]
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    from: Option<Ts>,
    /// And before this [default: now]
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    until: Option<Ts>,
}

fn length(text: &str) -> std::result::Result<(Unit, i64), String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "s" => Unit::Second,
        "min" | "m" => Unit::Minute,
        "h" => Unit::Hour,
        "d" => Unit::Day,
        _ => return Err("a bar lasts 1s, 1min or 1m, 5min, 1h, 1d".to_owned()),
    };
    match text[..digits].parse() {
        Ok(number) if number > 0 => Ok((unit, number)),
        _ => Err("a bar lasts 1s, 1min or 1m, 5min, 1h, 1d".to_owned()),
    }
}

pub(super) fn bars(context: &Context, args: &BarArgs) -> Result<()> {
    let until = args.until.unwrap_or_else(|| context.service.now().utc);
    let from = args.from.unwrap_or(until - 2 * HOUR);
    if from >= until {
        return Err(Error::usage("--from is not before --until"));
    }
    let contract = contract(context, &args.contract)?;
    let bars = context.service.bars(&contract, args.interval, [from, until])?;
    if let Some(first) = bars.first().filter(|first| first.t.ts() > from + 5 * MINUTE) {
        log::note(format!(
            "the first bar begins at {}: nothing older is kept, or nothing traded",
            first.t.text()
        ));
    }
    show(&bars, &BAR, context.json)
}

/// Finds the contract that is meant.
pub(super) fn contract(context: &Context, text: &str) -> Result<String> {
    if text.starts_with("CON.") {
        return Ok(text.to_owned());
    }
    let found = context.service.contracts(text)?.into_iter().next();
    found.map(|contract| contract.id).ok_or_else(|| {
        Error::usage(format!(
            "no contract {text:?} can be traded now: mes-projectx contracts lists those that can"
        ))
    })
}

fn side(side: crate::wire::Side) -> String {
    side.known()
        .map_or_else(|| side.to_string(), |side| if side.sign() > 0 { "buy" } else { "sell" }.to_owned())
}

/// Adds names for numbers that a person cannot read.
fn with(record: &impl serde::Serialize, names: &[(&str, String)]) -> Value {
    let mut value = serde_json::to_value(record).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.extend(names.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into())));
    }
    value
}
