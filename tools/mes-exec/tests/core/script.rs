//! The machine and an exchange of a few lines: what is told and what questions are answered by is written down by the test.

use mes_core::{
    order::{Action as Wanted, ExitReason, Order, Side, Signal},
    price::Price,
    time::{MILLI, Now},
};
use mes_exec::topstepx::{
    core::{Core, Setup},
    event::{Action, Answer, Event, Request, Why},
};
use mes_projectx::hub::UserEvent;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Calls that are no questions, with their numbers.
pub type Asked = Vec<(u64, Request)>;

pub struct Script {
    pub core: Core,
    now: Now,
    /// What the exchange says to questions: contracts, what they were paid with, orders that may fill, fills.
    pub position: i64,
    pub paid: f64,
    pub alive: Vec<Value>,
    pub recent: Vec<Value>,
    /// Orders are not to be had.
    pub silent: bool,
    trades: Vec<Value>,
    pub alerts: Vec<String>,
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("of the wire")
}

/// Puts over an order what all of them have.
fn order(value: &Value) -> Value {
    let mut whole =
        json!({"accountId": 7, "contractId": "C", "creationTimestamp": "2026-11-20T15:00:00Z", "size": 2});
    whole.as_object_mut().expect("an order").extend(value.as_object().expect("an order").clone());
    whole
}

impl Script {
    /// Begins with a position that is there already; nothing was looked at yet.
    pub fn over(position: i64, change: &Value) -> Script {
        let mut setup = json!({"account": 7, "contract": "C", "nonce": "n", "own_oco": false, "tick_value": 125, "side_cost": 61,
            "lifetime": 2_000_000_000_i64, "widest_ticks": 18, "seen": 0, "balance": 100_000});
        setup.as_object_mut().expect("a setup").extend(change.as_object().expect("a change").clone());
        let now = Now { utc: 0, steady: 0 };
        let (core, paid) = (Core::new(read::<Setup>(setup), now), 6_750.0);
        let (alive, recent, silent) = (Vec::new(), Vec::new(), false);
        let (trades, alerts) = (Vec::new(), Vec::new());
        Script { core, now, position, paid, alive, recent, silent, trades, alerts }
    }

    /// Begins flat; the exchange was looked at, the hub is up, a quote and a row have come.
    pub fn begin(change: &Value) -> Script {
        let mut script = Script::over(0, change);
        script.start();
        script
    }

    /// Has asked to buy, and heard of the legs: waiting (8) or working (1).
    pub fn entering(contracts: i64, legs: i64) -> Script {
        let mut script = Script::begin(&json!({}));
        script.enter(contracts);
        script.legs(contracts, legs);
        script
    }

    /// Is long what one entry bought, stop and target working.
    pub fn long(contracts: i64) -> Script {
        let mut script = Script::entering(contracts, 1);
        script.filled(10, 0, contracts);
        script.pass(500);
        script
    }

    /// Lets the exchange be looked at; returns what was asked for besides.
    pub fn start(&mut self) -> Asked {
        let mut asked = self.hear(Event::Timer);
        asked.extend(self.hear(Event::Up { gap: false }));
        asked.extend(
            self.hear(Event::Quote { bid: Price::from_ticks(27_000), ask: Price::from_ticks(27_001) }),
        );
        asked.extend(self.hear(Event::Row { close: Price::from_ticks(27_000) }));
        asked.extend(self.pass(3_000));
        asked
    }

    fn answered(&self, request: &Request) -> Option<Answer> {
        let account = json!({"id": 7, "name": "A", "balance": 1000, "canTrade": true, "isVisible": true, "simulated": true});
        let position = json!({"id": 1, "accountId": 7, "contractId": "C", "creationTimestamp": "2026-11-20T15:00:00Z",
            "type": if self.position > 0 { 1 } else { 2 }, "size": self.position.abs(), "averagePrice": self.paid});
        let positions = if self.position == 0 { vec![] } else { vec![read(position)] };
        Some(match request {
            Request::Positions { .. } => Answer::Positions { positions },
            Request::Alive { .. } | Request::Recent { .. } if self.silent => {
                Answer::Unknown { text: "503".into() }
            }
            Request::Alive { .. } => {
                Answer::Orders { orders: self.alive.iter().map(|one| read(order(one))).collect() }
            }
            Request::Recent { .. } => {
                Answer::Orders { orders: self.recent.iter().map(|one| read(order(one))).collect() }
            }
            Request::Trades { .. } => {
                Answer::Trades { trades: self.trades.iter().cloned().map(read).collect() }
            }
            Request::Account { .. } => Answer::Account { account: read(account) },
            _ => return None,
        })
    }

    /// Lets something happen; questions are answered at once. Returns what else is asked for.
    pub fn hear(&mut self, event: Event) -> Asked {
        let mut rest = Vec::new();
        for action in self.core.on(event, self.now) {
            match action {
                Action::Alert { text } => self.alerts.push(text),
                Action::Call { call, request, .. } => match self.answered(&request) {
                    Some(answer) => rest.extend(self.hear(Event::Answer { call, answer })),
                    None => rest.push((call, request)),
                },
            }
        }
        rest
    }

    /// Lets time pass, and the machine look at its clock every 50 ms.
    pub fn pass(&mut self, ms: i64) -> Asked {
        let mut asked = Vec::new();
        for _ in 0..ms / 50 {
            self.now = Now { utc: self.now.utc + 50 * MILLI, steady: self.now.steady + 50 * MILLI };
            asked.extend(
                self.hear(Event::Quote { bid: Price::from_ticks(27_000), ask: Price::from_ticks(27_001) }),
            );
            asked.extend(self.hear(Event::Timer));
        }
        asked
    }

    /// Has the user hub tell of an order.
    pub fn told(&mut self, value: &Value) -> Asked {
        self.hear(Event::User { user: UserEvent::Order(read(order(value))) })
    }

    /// Has the user hub tell of a fill of an order, which the exchange then has.
    pub fn filled(&mut self, order: i64, side: i64, size: i64) -> Asked {
        let id = self.trades.len() as i64 + 1;
        let trade = json!({"id": id, "accountId": 7, "contractId": "C", "creationTimestamp": "2026-11-20T15:00:00Z",
            "price": self.paid, "fees": 0.36, "side": side, "size": size, "orderId": order});
        self.trades.push(trade.clone());
        self.position += if side == 0 { size } else { -size };
        self.hear(Event::User { user: UserEvent::Trade(read(trade)) })
    }

    pub fn answer(&mut self, call: u64, answer: Answer) -> Asked {
        self.hear(Event::Answer { call, answer })
    }

    /// Answers that a call never came to be judged.
    pub fn later(&mut self, call: u64) -> Asked {
        self.answer(call, Answer::Refused { why: Why::Later { ms: 500 }, text: "too many calls".into() })
    }

    pub fn flatten(&mut self) -> Asked {
        self.hear(Event::Flatten { reason: ExitReason::Person })
    }

    /// Has risk want something of order `id`.
    pub fn order(&mut self, id: u64, action: Wanted) -> Asked {
        let (ts, signal) = (self.now.utc, Signal::LongEntry);
        self.hear(Event::Order { order: Order { ts, id, signal, contract: Default::default(), action } })
    }

    /// Has risk buy; its order is number 10 at the exchange once it is answered.
    pub fn enter(&mut self, contracts: i64) {
        let enter = Wanted::Enter {
            side: Side::Buy,
            contracts,
            stop_ticks: 8,
            target_ticks: 16,
            confidence: 0.9,
            limit: None,
        };
        let placed = self.order(1, enter);
        let [(call, Request::Place { .. })] = &placed[..] else { panic!("{placed:?}") };
        self.answer(*call, Answer::Placed { id: 10 });
    }

    /// Has the exchange tell of the legs of order 10, waiting (8) or working (1), and keep them.
    pub fn legs(&mut self, size: i64, status: i64) {
        for (id, kind, end, at) in [(11, 4, "-SL", "stopPrice"), (12, 1, "-TP", "limitPrice")] {
            let price = self.paid + if kind == 4 { -2.0 } else { 4.0 };
            let leg = json!({"id": id, "type": kind, "side": 1, "status": status, "size": size, at: price,
                "customTag": format!("mes.n.1{end}"), "parentOrderId": 10});
            self.alive.retain(|one| one["id"] != leg["id"]);
            self.alive.push(leg.clone());
            self.told(&leg);
        }
    }
}
