//! An entry that fills in parts keeps its legs whole: the rest may be filled before it is heard of.

use mes_core::{
    money::Cents,
    order::{Action as Wanted, Order, Side, Signal},
    price::Price,
    time::{MILLI, Now},
};
use mes_exec::topstepx::{
    core::{Core, Setup},
    event::{Action, Answer, Event, Request},
};
use mes_projectx::hub::UserEvent;
use serde_json::{Value, json};

const SETUP: &str = r#"{"account": 7, "contract": "C", "nonce": "n", "own_oco": false, "tick_value": 125, "side_cost": 61,
    "lifetime": 2000000000, "widest_ticks": 18, "seen": 0, "balance": 100000}"#;

/// An exchange on which nothing is, in answers.
fn nothing(request: &Request) -> Option<Answer> {
    let account = json!({"id": 7, "name": "A", "balance": 1000, "canTrade": true, "isVisible": true, "simulated": true});
    Some(match request {
        Request::Positions { .. } => Answer::Positions { positions: vec![] },
        Request::Alive { .. } | Request::Recent { .. } => Answer::Orders { orders: vec![] },
        Request::Trades { .. } => Answer::Trades { trades: vec![] },
        Request::Account { .. } => Answer::Account { account: serde_json::from_value(account).ok() },
        _ => return None,
    })
}

struct Script {
    core: Core,
    now: Now,
}

impl Script {
    /// Lets something happen; questions are answered at once. Returns what else is asked for.
    fn hear(&mut self, event: Event) -> Vec<(u64, Request)> {
        let mut rest = Vec::new();
        for action in self.core.on(event, self.now) {
            let Action::Call { call, request, .. } = action else { continue };
            match nothing(&request) {
                Some(answer) => rest.extend(self.hear(Event::Answer { call, answer })),
                None => rest.push((call, request)),
            }
        }
        rest
    }

    fn told(&mut self, order: Value) -> Vec<(u64, Request)> {
        let mut whole = json!({"accountId": 7, "contractId": "C", "creationTimestamp": "2026-11-20T15:00:00Z", "size": 2});
        whole.as_object_mut().expect("an order").extend(order.as_object().expect("an order").clone());
        self.hear(Event::User { user: UserEvent::Order(serde_json::from_value(whole).expect("an order")) })
    }
}

#[test]
fn legs_of_an_entry_that_fills_in_parts_stay_whole() {
    let setup: Setup = serde_json::from_str(SETUP).expect("a setup");
    let now = Now { utc: 0, steady: 0 };
    assert_eq!(setup.tick_value, Cents(125));
    let mut script = Script { core: Core::new(setup, now), now };
    script.hear(Event::Timer);
    script.hear(Event::Up { gap: false });
    for _ in 0..3 {
        script.now.steady += 1_000 * MILLI;
        script.hear(Event::Timer);
    }
    script.hear(Event::Quote { bid: Price::from_ticks(27_000), ask: Price::from_ticks(27_001) });
    script.hear(Event::Row { close: Price::from_ticks(27_000) });
    let action = Wanted::Enter {
        side: Side::Buy,
        contracts: 2,
        stop_ticks: 8,
        target_ticks: 16,
        confidence: 0.9,
        limit: None,
    };
    let order = Order { ts: 0, id: 1, signal: Signal::LongEntry, contract: Default::default(), action };
    let placed = script.hear(Event::Order { order });
    let [(call, Request::Place { .. })] = &placed[..] else { panic!("{placed:?}") };
    script.hear(Event::Answer { call: *call, answer: Answer::Placed { id: 10 } });
    for (id, kind, end) in [(11, 4, "-SL"), (12, 1, "-TP")] {
        let tag = format!("mes.n.1{end}");
        script.told(
            json!({"id": id, "type": kind, "side": 1, "status": 8, "customTag": tag, "parentOrderId": 10}),
        );
    }
    let entry = json!({"id": 10, "type": 2, "side": 0, "status": 1, "fillVolume": 1, "customTag": "mes.n.1"});
    script.told(entry);
    assert_eq!(script.core.exposure(), 1);
    script.now.steady += 400 * MILLI;
    let asked = script.hear(Event::Timer);
    assert!(!asked.iter().any(|(_, request)| matches!(request, Request::Modify { .. })), "{asked:?}");
}
