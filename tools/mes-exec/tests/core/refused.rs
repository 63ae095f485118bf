//! What the guard refuses never comes to the core, and is in its journal all the same: the order book is kept by that.

use mes_core::{
    broker::{Broker, BrokerError, Hello, Kind},
    money::Cents,
    order::{Action as Wanted, Order, Side, Signal},
    run::Run,
    time::Now,
};
use mes_exec::{
    guard::Guard,
    topstepx::{
        event::{Action, Event},
        venue::{Shell, Venue},
    },
};
use mes_pipe::{SettingsArgs, clock::Clock};
use serde_json::json;

use crate::script::Script;

#[derive(Default)]
struct Heard(Vec<Event>);

impl Shell for Heard {
    fn record(&mut self, _now: Now, event: &Event) {
        self.0.push(event.clone());
    }

    fn act(&mut self, _now: Now, _action: Action) {}

    fn begin(&mut self, _run: &Run) -> Result<(), BrokerError> {
        Ok(())
    }
}

#[test]
fn an_order_that_the_guard_refuses_is_used_up() {
    let settings = SettingsArgs::default().read().expect("what is built in");
    let clock = Clock::by_hand(0);
    let hello = Hello::new(Kind::Exercise, "topstepx", Cents(100_000));
    let core = Script::begin(&json!({})).core;
    let venue = Venue::new(core, Heard::default(), clock.clone(), hello, 0.02);
    let mut guard = Guard::new(venue, &settings, clock).expect("a guard");
    let contracts = settings.rules.value.guard.max_contracts + 1;
    let (side, stop_ticks, target_ticks) = (Side::Buy, 8, 16);
    let action = Wanted::Enter { side, contracts, stop_ticks, target_ticks, confidence: 0.9, limit: None };
    let (id, signal, contract) = (7, Signal::LongEntry, Default::default());
    guard.submit(&Order { ts: 0, id, signal, contract, action }).expect("refused in words");
    assert_eq!(guard.broker().shell.0, [Event::Used { order: 7 }]);
}
