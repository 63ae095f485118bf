//! What the tests of an account begin with.

use mes_core::{
    bar::Bar,
    fills::{Fills, Latency, Model},
    order::{Action, Order, Signal},
    time::MILLI,
};
use mes_pipe::{Settings, SettingsArgs};

/// Returns what is built in.
pub fn settings() -> Settings {
    SettingsArgs::default().read().expect("the shipped settings")
}

/// Returns the same with other fills.
pub fn settings_of(model: Model, latency_ms: i64) -> Settings {
    let latency = Latency::constant(latency_ms * MILLI).expect("a latency");
    Settings { fills: Fills { model, latency }, ..settings() }
}

/// Makes an order that was decided on at this row.
pub fn order(bar: &Bar, id: u64, action: Action) -> Order {
    Order { ts: bar.ts, id, signal: Signal::Hold, contract: Default::default(), action }
}
