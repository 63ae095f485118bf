//! projectx-client trades a whole order life at the practice exchange: login, account, contract, bars, both hubs, a bracket
//! with its entry filled in parts, a moved stop, a cancelled leg, a refused tag, a close. It decodes most strictly of all
//! clients: every record of both hubs has to come through its own types. Ends with a line of JSON for judge.py.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use projectx_client::{
    Account, AccountId, BarUnit, Bracket, CancelOrder, Client, CloseContract, ContractId, Credentials,
    Decimal, Endpoints, Error, HistoryRequest, Hub, MarketDepth, MarketQuote, MarketTrade, ModifyOrder,
    Order, OrderId, OrderQuery, OrderSearch, OrderStatus, OrderType, PlaceOrder, Position, RealtimeClient,
    RealtimeEvent, SearchContracts, Side, SignalRInvocation, Timestamp, Trade, TradeSearch,
};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What the hubs have sent, and what of it could not be read.
#[derive(Default)]
struct Seen {
    orders: BTreeMap<i64, Order>,
    trades: BTreeMap<i64, Trade>,
    positions: Vec<Position>,
    balance: Option<Decimal>,
    parts: usize,
    quotes: usize,
    prints: usize,
    levels: usize,
    wrong: Vec<String>,
}

impl Seen {
    fn take(&mut self, event: RealtimeEvent) {
        let called = match event {
            RealtimeEvent::Invocation(called) => called,
            RealtimeEvent::Connected | RealtimeEvent::Message(_) => return,
            other => return self.wrong.push(format!("{other:?}")),
        };
        let wrong = match called.target() {
            "GatewayQuote" => each(&called, |_: MarketQuote| self.quotes += 1),
            "GatewayTrade" => each(&called, |_: MarketTrade| self.prints += 1),
            "GatewayDepth" => each(&called, |_: MarketDepth| self.levels += 1),
            "GatewayUserAccount" => each(&called, |account: Account| self.balance = account.balance),
            "GatewayUserPosition" => each(&called, |position: Position| self.positions.push(position)),
            "GatewayUserTrade" => {
                each(&called, |trade: Trade| drop(self.trades.insert(trade.id.get(), trade)))
            }
            "GatewayUserOrder" => each(&called, |order: Order| {
                let filled = order.fill_volume.unwrap_or(0);
                self.parts +=
                    usize::from(order.status == OrderStatus::Open && 0 < filled && filled < order.size);
                self.orders.insert(order.id.get(), order);
            }),
            other => Err(format!("unknown target {other}")),
        };
        self.wrong.extend(wrong.err());
    }
}

fn each<T: serde::de::DeserializeOwned>(
    called: &SignalRInvocation,
    mut take: impl FnMut(T),
) -> Result<(), String> {
    for one in called.decode_batch::<T>() {
        take(one.map_err(|error| format!("{}: {error}: {}", called.target(), called.payload().get()))?);
    }
    Ok(())
}

async fn hub(client: &Client, which: Hub, seen: &Arc<Mutex<Seen>>) -> Outcome<RealtimeClient> {
    let hub = client.realtime(which);
    let mut events = hub.take_event_receiver().ok_or("the events are taken")?;
    let seen = Arc::clone(seen);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            seen.lock().unwrap().take(event);
        }
    });
    hub.connect().await?;
    Ok(hub)
}

async fn until(what: &str, seen: &Mutex<Seen>, mut good: impl FnMut(&Seen) -> bool) -> Outcome<()> {
    for _ in 0..400 {
        if good(&seen.lock().unwrap()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("never came: {what}").into())
}

fn leg(seen: &Mutex<Seen>, entry: OrderId, kind: OrderType) -> Outcome<Order> {
    let seen = seen.lock().unwrap();
    let mut legs =
        seen.orders.values().filter(|order| order.parent_order_id == Some(entry) && order.order_type == kind);
    legs.next().cloned().ok_or_else(|| "no such leg".into())
}

fn row(order: &Order) -> Value {
    json!({
        "id": order.id, "status": order.status, "type": order.order_type, "side": order.side, "size": order.size,
        "limitPrice": order.limit_price, "stopPrice": order.stop_price, "fillVolume": order.fill_volume,
        "filledPrice": order.filled_price, "customTag": order.custom_tag, "parentOrderId": order.parent_order_id,
    })
}

fn fill(trade: &Trade) -> Value {
    json!({
        "id": trade.id, "orderId": trade.order_id, "price": trade.price, "side": trade.side, "size": trade.size,
        "profitAndLoss": trade.profit_and_loss, "fees": trade.fees, "commissions": trade.commissions,
    })
}

fn var(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}

fn client(hubs: &str) -> Outcome<Client> {
    let credentials = Credentials::new(var("TOPSTEPX_USERNAME")?, var("TOPSTEPX_API_KEY")?)?;
    Ok(Client::builder(credentials).endpoints(Endpoints::custom(&var("TOPSTEPX_API_URL")?, hubs)?).build()?)
}

/// Prints what is heard on hubs that play what was recorded, for frames.py to compare.
async fn frames(hubs: &str) -> Outcome<()> {
    let client = client(hubs)?;
    client.authenticate().await?;
    let me = AccountId::new(7)?;
    let contract = ContractId::new("CON.F.US.MES.Z26")?;
    for which in [Hub::User, Hub::Market] {
        let hub = client.realtime(which);
        let mut events = hub.take_event_receiver().ok_or("the events are taken")?;
        hub.connect().await?;
        if matches!(which, Hub::User) {
            hub.subscribe_accounts().await?;
            hub.subscribe_orders(me).await?;
            hub.subscribe_positions(me).await?;
            hub.subscribe_trades(me).await?;
        } else {
            hub.subscribe_contract_quotes(&contract).await?;
            hub.subscribe_contract_trades(&contract).await?;
            hub.subscribe_contract_depth(&contract).await?;
        }
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(2), events.recv()).await {
            let RealtimeEvent::Invocation(called) = event else { continue };
            let told = match called.target() {
                "GatewayQuote" => each(&called, |quote: MarketQuote| {
                    let (last, bid, ask) = (quote.last_price, quote.best_bid, quote.best_ask);
                    tell(
                        "quote",
                        json!({"lastPrice": last, "bestBid": bid, "bestAsk": ask, "volume": quote.volume}),
                    );
                }),
                "GatewayTrade" => each(&called, |print: MarketTrade| {
                    let (side, price, volume) = (print.trade_type, print.price, print.volume);
                    tell("print", json!({"type": side, "price": price, "volume": volume}));
                }),
                "GatewayDepth" => each(&called, |level: MarketDepth| {
                    let (kind, price, volume) = (level.depth_type, level.price, level.volume);
                    tell("depth", json!({"type": kind, "price": price, "volume": volume}));
                }),
                "GatewayUserAccount" => each(&called, |account: Account| {
                    let (id, balance, can_trade) = (account.id, account.balance, account.can_trade);
                    tell("account", json!({"id": id, "balance": balance, "canTrade": can_trade}));
                }),
                "GatewayUserPosition" => each(&called, |position: Position| {
                    let (id, kind, size) = (position.id, position.position_type, position.size);
                    tell(
                        "position",
                        json!({"id": id, "type": kind, "size": size, "averagePrice": position.average_price}),
                    );
                }),
                "GatewayUserTrade" => each(&called, |trade: Trade| tell("trade", fill(&trade))),
                "GatewayUserOrder" => each(&called, |order: Order| tell("order", row(&order))),
                other => Err(format!("unknown target {other}")),
            };
            told?;
        }
    }
    Ok(())
}

/// Prints an event as a line of JSON.
fn tell(kind: &str, mut data: Value) {
    data["kind"] = kind.into();
    writeln!(std::io::stdout().lock(), "{data}").expect("stdout");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    if let Some(hubs) = std::env::args().nth(1) {
        return frames(&hubs).await;
    }
    let client = client(&var("TOPSTEPX_HUBS_URL")?)?;
    client.ping().await?;
    client.authenticate().await?;
    client.validate_session().await?;
    let accounts = client.search_active_accounts().await?.into_listed().ok_or("no accounts")?;
    let me: AccountId = accounts.first().ok_or("no account")?.id;

    let found = SearchContracts { live: false, search_text: "MES".to_owned() };
    let found = client.search_contracts(&found).await?.into_listed().ok_or("no contracts")?;
    let mes = found.iter().find(|contract| contract.symbol_id.as_str() == "F.US.MES").ok_or("no MES")?;
    assert_eq!(&client.contract_by_id(&mes.id).await?, mes);
    assert!(client.available_contracts(false).await?.unwrap_or_empty().contains(mes), "MES is not available");
    let contract: ContractId = mes.id.clone();

    let seen = Arc::new(Mutex::new(Seen::default()));
    let user = hub(&client, Hub::User, &seen).await?;
    user.subscribe_accounts().await?;
    user.subscribe_orders(me).await?;
    user.subscribe_positions(me).await?;
    user.subscribe_trades(me).await?;
    let market = hub(&client, Hub::Market, &seen).await?;
    market.subscribe_contract_quotes(&contract).await?;
    market.subscribe_contract_trades(&contract).await?;
    market.subscribe_contract_depth(&contract).await?;
    until("quotes, trades and depth", &seen, |seen| seen.quotes > 5 && seen.prints > 0 && seen.levels > 50)
        .await?;

    let (begin, end) = (Timestamp::new("2026-11-20T00:00:00Z")?, Timestamp::new("2026-11-21T00:00:00Z")?);
    let asked = HistoryRequest::builder(contract.clone(), false, begin, end, BarUnit::Second).limit(100);
    let bars = client
        .retrieve_bars(&asked.include_partial_bar(true).build()?)
        .await?
        .into_listed()
        .ok_or("no bars")?;
    assert!(!bars.is_empty() && bars.is_sorted_by(|newer, older| newer.t > older.t), "bars: {bars:?}");
    assert!(
        bars.iter().all(|bar| bar.l <= bar.o.min(bar.c) && bar.h >= bar.o.max(bar.c) && bar.v > 0),
        "bars: {bars:?}"
    );

    let faulty = Command::new("mes-sim")
        .args(["fault", "partial-entries", "--for", "15", "--run", &var("RUN")?])
        .output()?;
    assert!(faulty.status.success(), "{faulty:?}");
    let bracket = |tag: &str| {
        PlaceOrder::builder(me, contract.clone(), OrderType::Market, Side::Bid, 2)
            .stop_loss_bracket(Bracket::new(-60, OrderType::Stop).unwrap())
            .take_profit_bracket(Bracket::new(60, OrderType::Limit).unwrap())
            .custom_tag(tag)
            .build()
    };
    let entry = client.place_order(&bracket("oracle-rust")?).await?.order_id;
    until("the entry in parts and its legs", &seen, |seen| {
        let legs = seen.orders.values().filter(|order| order.parent_order_id == Some(entry));
        let working = legs.filter(|leg| leg.status == OrderStatus::Open && leg.size == 2).count();
        seen.parts > 0 && working == 2 && seen.orders[&entry.get()].status == OrderStatus::Filled
    })
    .await?;
    let refused = match client.place_order(&bracket("oracle-rust")?).await {
        Err(Error::Provider(refused)) => refused,
        other => return Err(format!("a tag used twice: {other:?}").into()),
    };

    let (stop, target) = (leg(&seen, entry, OrderType::Stop)?, leg(&seen, entry, OrderType::Limit)?);
    let moved = stop.stop_price.ok_or("a stop without a price")? - Decimal::from(2);
    client.modify_order(&ModifyOrder::builder(me, stop.id).stop_price(moved).build()?).await?;
    until("the moved stop", &seen, |seen| seen.orders[&stop.id.get()].stop_price == Some(moved)).await?;
    let open = client.search_open_positions(me).await?.unwrap_or_empty();
    assert!(open.len() == 1 && open[0].size == 2, "position: {open:?}");
    client.cancel_order(&CancelOrder { account_id: me, order_id: target.id }).await?;
    until("the cancelled leg", &seen, |seen| seen.orders[&target.id.get()].status == OrderStatus::Cancelled)
        .await?;
    client.close_contract(&CloseContract { account_id: me, contract_id: contract.clone() }).await?;
    until("flat", &seen, |seen| seen.positions.last().is_some_and(|last| last.size == 0)).await?;

    let working =
        [OrderStatus::Open, OrderStatus::Pending, OrderStatus::PendingCancellation, OrderStatus::Suspended];
    let working = OrderQuery::builder(me).statuses(working).build()?;
    for left in client.query_orders(&working).await?.orders.unwrap_or_empty() {
        client.cancel_order(&CancelOrder { account_id: me, order_id: left.id }).await?;
    }
    assert!(client.search_open_positions(me).await?.is_explicitly_empty(), "not flat");
    assert!(client.search_open_orders(me).await?.is_explicitly_empty(), "orders are left");
    tokio::time::sleep(Duration::from_secs(1)).await;

    let orders = client.search_orders(&OrderSearch::new(me, begin, Some(end))?).await?.unwrap_or_empty();
    let trades = client.search_trades(&TradeSearch::new(me, begin, Some(end))?).await?.unwrap_or_empty();
    let balance = client.search_active_accounts().await?.unwrap_or_empty()[0].balance;
    let (gone_user, gone_market) = (user.disconnect().await, market.disconnect().await);
    let mut seen = seen.lock().unwrap();
    seen.wrong.retain(|what| what != "Disconnected");
    assert!(seen.wrong.is_empty(), "{:#?}", seen.wrong);
    assert_eq!(seen.balance, balance);
    let said = json!({
        "client": "projectx-client 8.0.0",
        "checked": format!(
            "{} bars, {} quotes, {} prints, {} levels, a signed bracket filled in parts, stop moved, leg cancelled, closed",
            bars.len(), seen.quotes, seen.prints, seen.levels
        ),
        "orders": orders.iter().map(row).collect::<Vec<_>>(),
        "hub_orders": seen.orders.values().map(row).collect::<Vec<_>>(),
        "trades": trades.iter().map(fill).collect::<Vec<_>>(),
        "hub_trades": seen.trades.values().map(fill).collect::<Vec<_>>(),
        "balance": balance, "refused": [refused.untrusted_message()], "parts": true,
    });
    writeln!(std::io::stdout().lock(), "{said}")?;
    // Both ends have to say good-bye.
    gone_user.and(gone_market).map_err(|error| format!("disconnect: {error}").into())
}
