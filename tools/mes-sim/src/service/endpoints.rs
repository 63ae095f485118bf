//! Every endpoint: what it asks of the exchange, and what it says.

use mes_projectx::wire::{
    Accounts, AvailableContracts, Bar, Bars, Cancel, Close, ContractById, Login, LookCode, Modify,
    OpenOrders, OrderById, OrderFilter as Asked, OrderLookCode, Orders, OrdersOf, PartialClose, Place,
    Positions, RetrieveCode, SearchContracts, Stamp, Trades, Unit,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Fault, Service,
    envelope::{Called, Said, bad, done, envelope, read, refused},
    speak,
};
use crate::exchange::{
    self, Bracket, Exchange, OrderFilter,
    bars::Length,
    order::Status,
    refusal::{Call, Refusal, Why},
};

/// Orders of one page, and contracts of one search, at most.
const PAGE: i64 = 100;
const SEARCHED: usize = 20;

impl Service {
    pub(super) fn dispatched(&mut self, path: &str, token: Option<&str>, body: &[u8]) -> Called {
        match path {
            "api/Status/ping" => Ok(Said { status: 200, body: Value::String("pong".to_owned()) }),
            "api/Auth/loginKey" => self.login(&read(body)?),
            "api/Auth/validate" => {
                let fresh = self.tokens.make(&self.user.clone(), self.now);
                Ok(done("newToken", fresh))
            }
            "api/Auth/logout" => {
                if let Some(token) = token {
                    self.tokens.void(token);
                }
                Ok(done("", ()))
            }
            "api/Account/search" => {
                let Accounts { only_active_accounts } = read(body)?;
                let accounts = self.exchange.accounts(only_active_accounts);
                Ok(done("accounts", accounts.iter().map(speak::account).collect::<Vec<_>>()))
            }
            _ if path.starts_with("api/Contract/") || path.starts_with("api/History/") => {
                self.market_call(path, body)
            }
            "api/Order/search" | "api/Order/searchOpen" | "api/Order/searchById" | "api/Order/v2/query" => {
                self.orders(path, body)
            }
            "api/Position/searchOpen" => {
                let Positions { account_id } = read(body)?;
                let positions = self.exchange.positions(account_id);
                let positions: Vec<_> = positions.iter().map(speak::position).collect();
                Ok(self.of(account_id, "positions", positions))
            }
            "api/Trade/search" => {
                let Trades { account_id, start_timestamp, end_timestamp } = read(body)?;
                let trades =
                    self.exchange.trades(account_id, start_timestamp.ts(), end_timestamp.map(Stamp::ts));
                let trades: Vec<_> = trades.map(speak::trade).collect();
                Ok(self.of(account_id, "trades", trades))
            }
            _ => self.act(path, body),
        }
    }

    /// Carries out what changes something. Where the outcome is not to be known, it is known to the exchange alone.
    fn act(&mut self, path: &str, body: &[u8]) -> Called {
        let mut said = match path {
            "api/Order/place" => envelope("orderId", self.exchange.place(&place(read(body)?)?)),
            "api/Order/modify" => {
                let Modify { account_id, order_id, size, limit_price, stop_price, trail_price } = read(body)?;
                let (account, order) = (account_id, order_id);
                let modify = exchange::Modify {
                    account,
                    order,
                    size,
                    limit: limit_price,
                    stop: stop_price,
                    trail: trail_price,
                };
                envelope("", self.exchange.modify(&modify))
            }
            "api/Order/cancel" => {
                let Cancel { account_id, order_id } = read(body)?;
                envelope("", self.exchange.cancel(account_id, order_id))
            }
            "api/Position/closeContract" => {
                let Close { account_id, contract_id } = read(body)?;
                envelope("", self.exchange.close(account_id, &contract_id))
            }
            "api/Position/partialCloseContract" => {
                let PartialClose { account_id, contract_id, size } = read(body)?;
                envelope("", self.exchange.partial_close(account_id, &contract_id, size))
            }
            _ => return Err(Said { status: 404, body: Value::String(String::new()) }),
        };
        self.tell();
        let open = match () {
            () if self.faults.acts(Fault::Pending) => Some(Why::Pending),
            () if self.faults.acts(Fault::UnknownError) => Some(Why::Unknown),
            () => None,
        };
        if let Some(why) = open.filter(|_| said.body["success"] == true) {
            said.body["success"] = false.into();
            said.body["errorCode"] = number(path, why).into();
        }
        Ok(said)
    }

    /// Gives a list of an account, where there is such an account.
    fn of(&self, account: i64, field: &str, list: impl Serialize) -> Said {
        match self.exchange.account(account) {
            Some(_) => done(field, list),
            None => refused(
                field,
                &Refusal { code: LookCode::AccountNotFound.number(), message: None, order: None },
            ),
        }
    }

    fn market_call(&mut self, path: &str, body: &[u8]) -> Called {
        let all =
            |exchange: &Exchange| exchange.contracts().into_iter().map(speak::contract).collect::<Vec<_>>();
        let refuse = |code: RetrieveCode| Refusal { code: code.number(), message: None, order: None };
        match path {
            "api/Contract/search" => {
                let SearchContracts { search_text, live } = read(body)?;
                let text = search_text.to_uppercase();
                let mut found = all(&self.exchange);
                found.retain(|contract| !live && contract.active_contract && contract.name.contains(&text));
                found.truncate(SEARCHED);
                Ok(done("contracts", found))
            }
            "api/Contract/available" => {
                let AvailableContracts { live } = read(body)?;
                let mut found = all(&self.exchange);
                // The simulation's subscription sees nothing of the live one.
                found.retain(|contract| !live && contract.active_contract);
                Ok(done("contracts", found))
            }
            "api/Contract/searchById" => {
                let ContractById { contract_id } = read(body)?;
                let found = all(&self.exchange).into_iter().find(|contract| contract.id == contract_id);
                Ok(envelope("contract", found.ok_or_else(|| refuse(RetrieveCode::ContractNotFound))))
            }
            "api/History/retrieveBars" => {
                let bars = self.bars(&read(body)?).map_err(refuse);
                Ok(envelope("bars", bars))
            }
            _ => Err(Said { status: 404, body: Value::String(String::new()) }),
        }
    }

    fn bars(&mut self, asked: &Bars) -> Result<Vec<Bar>, RetrieveCode> {
        let count =
            Some(asked.unit_number).filter(|count| *count > 0).ok_or(RetrieveCode::UnitNumberInvalid)?;
        let length = match asked.unit {
            Unit::Second => Length::Seconds(count),
            Unit::Minute => Length::Minutes(count),
            Unit::Hour => Length::Hours(count),
            Unit::Day => Length::Days(count),
            _ => return Err(RetrieveCode::UnitInvalid),
        };
        let most = usize::try_from(asked.limit).ok().filter(|most| (1..=20_000).contains(most));
        let most = most.ok_or(RetrieveCode::LimitInvalid)?;
        let span = [asked.start_time.ts(), asked.end_time.ts()];
        let bars = self.exchange.bars(&asked.contract_id, span, length, most, asked.include_partial_bar);
        let bars = bars.filter(|_| !asked.live).ok_or(RetrieveCode::ContractNotFound)?;
        Ok(bars.iter().map(speak::bar).collect())
    }

    fn orders(&mut self, path: &str, body: &[u8]) -> Called {
        match path {
            "api/Order/search" => {
                let OrdersOf { account_id, start_timestamp, end_timestamp } = read(body)?;
                let filter = OrderFilter {
                    created_from: Some(start_timestamp.ts()),
                    created_until: end_timestamp.map(Stamp::ts),
                    ..OrderFilter::default()
                };
                // Legs that wait for their entry are not among them.
                let seen = self
                    .exchange
                    .orders(account_id, &filter)
                    .filter(|order| order.status != Status::Suspended);
                let seen: Vec<_> = seen.map(speak::order).collect();
                Ok(self.of(account_id, "orders", seen))
            }
            "api/Order/searchOpen" => {
                let OpenOrders { account_id } = read(body)?;
                let open: Vec<_> = self.exchange.open_orders(account_id).map(speak::order).collect();
                Ok(self.of(account_id, "orders", open))
            }
            "api/Order/searchById" => {
                let OrderById { account_id, order_id } = read(body)?;
                let none =
                    Refusal { code: OrderLookCode::OrderNotFound.number(), message: None, order: None };
                let order = self.exchange.order(account_id, order_id).map(speak::order);
                Ok(envelope("order", order.ok_or(none)))
            }
            _ => Ok(self.queried(&read(body)?)),
        }
    }

    fn queried(&self, asked: &Orders) -> Said {
        let Asked { account_id, statuses, created_after, created_before } = &asked.filter;
        let filter = OrderFilter {
            statuses: statuses
                .as_ref()
                .map(|statuses| statuses.iter().map(|status| status.number()).collect()),
            created_from: created_after.map(Stamp::ts),
            created_until: created_before.map(Stamp::ts),
        };
        let found = self.exchange.orders(*account_id, &filter);
        // By id is by the time of creation.
        let mut found: Vec<_> = found.collect();
        if asked.sort_direction == Some(1) {
            found.reverse();
        }
        let total = found.len();
        let size = asked.page_size.unwrap_or(PAGE).clamp(1, PAGE) as usize;
        let offset = usize::try_from(asked.page_offset.unwrap_or(0)).unwrap_or(0);
        let page: Vec<_> = found.into_iter().skip(offset).take(size).map(speak::order).collect();
        let mut said = self.of(*account_id, "orders", page);
        said.body["totalCount"] = asked.include_total_count.then_some(total).into();
        said
    }

    fn login(&mut self, login: &Login) -> Called {
        let good = login.user_name.eq_ignore_ascii_case(&self.user) && login.api_key == self.key;
        self.note(json!({"kind": "login", "good": good}));
        if !good {
            let body = json!({"token": null, "success": false, "errorCode": 3, "errorMessage": null});
            return Ok(Said { status: 200, body });
        }
        Ok(done("token", self.tokens.make(&self.user.clone(), self.now)))
    }
}

/// Returns the code of an outcome that is not to be known, at a call.
fn number(path: &str, why: Why) -> i64 {
    let call = match path {
        "api/Order/place" => Call::Place,
        "api/Order/modify" => Call::Modify,
        "api/Order/cancel" => Call::Cancel,
        "api/Position/closeContract" => Call::Close,
        _ => Call::PartialClose,
    };
    call.code(why)
}

/// Makes of a request what the exchange takes; a side that is none is 400.
fn place(asked: Place) -> Result<exchange::Place, Said> {
    let bracket = |leg: mes_projectx::wire::Bracket| Bracket { ticks: leg.ticks, kind: leg.kind.number() };
    Ok(exchange::Place {
        account: asked.account_id,
        contract: asked.contract_id,
        kind: asked.kind.number(),
        side: asked
            .side
            .known()
            .ok_or_else(|| bad("The JSON value could not be converted. Path: $.side."))?,
        size: asked.size,
        limit: asked.limit_price,
        stop: asked.stop_price,
        trail: asked.trail_price,
        tag: asked.custom_tag,
        stop_loss: asked.stop_loss_bracket.map(bracket),
        take_profit: asked.take_profit_bracket.map(bracket),
    })
}
