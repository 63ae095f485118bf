//! What the lines of a ledger come to, and what a row adds to them.

use std::path::Path;

use mes_core::{bar::Bar, interval::Interval, kept::Memory, ledger::Ledger, run, within};
use mes_pipe::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use super::Snapshot;

/// Returns what they keep from run to run; `order` is the last one's id.
pub fn remembered(records: &[Value], order: u64) -> Memory {
    let start = records.iter().rposition(|record| record["kind"] == "start");
    let account = start.map_or(&Value::Null, |start| &records[start]["account"]);
    let text = |key: &str| account[key].as_str().map(str::to_owned);
    // A run without rows may have ended before the broker heard of it.
    let rows = start.is_some_and(|start| start + 1 < records.len());
    let pasts = if rows || account.is_null() { vec![text("run")] } else { vec![text("run"), text("past")] };
    Memory { id: text("id"), pasts, order }
}

/// Returns the fields of a ledger that are not as before.
///
/// # Errors
///
/// `Failed` where it has no JSON.
pub fn changes(before: &Ledger, now: &Ledger) -> Result<Value> {
    let fields = |ledger: &Ledger| serde_json::to_value(ledger).map_err(Error::failed);
    let (before, mut now) = (fields(before)?, fields(now)?);
    if let Some(now) = now.as_object_mut() {
        let gone = before.as_object().into_iter().flatten().map(|(name, _)| name);
        let gone: Vec<String> = gone.filter(|name| !now.contains_key(*name)).cloned().collect();
        now.retain(|name, value| before[name.as_str()] != *value);
        now.extend(gone.into_iter().map(|name| (name, Value::Null)));
    }
    Ok(now)
}

/// Brings them together, from the last start on; `None` where there is none.
///
/// # Errors
///
/// `Stopped` where they cannot be understood.
pub fn fold(path: &Path, records: &[Value]) -> Result<Option<Snapshot>> {
    let Some(start) = records.iter().rposition(|record| record["kind"] == "start") else { return Ok(None) };
    let mut whole = records[start].clone();
    let mut bars = Vec::new();
    for record in &records[start + 1..] {
        for (name, value) in record["ledger"].as_object().into_iter().flatten() {
            whole["ledger"][name] = value.clone();
        }
        for name in ["told", "glance"] {
            if let Some(value) = record.get(name) {
                whole[name] = value.clone();
            }
        }
        bars.extend(record.get("bar"));
    }
    read(&whole, &bars).map(Some).map_err(|error| {
        Error::stopped(format!("{}: cannot be understood: {error}: which mes wrote it?", path.display()))
    })
}

fn read(whole: &Value, bars: &[&Value]) -> std::result::Result<Snapshot, serde_json::Error> {
    let interval: String = Deserialize::deserialize(&whole["interval"])?;
    let interval: Interval = interval.parse().map_err(serde::de::Error::custom)?;
    let mut ledger = Ledger::deserialize(&whole["ledger"])?;
    for bar in bars {
        let (ts, high, low, close, volume, seg) = Deserialize::deserialize(*bar)?;
        let bar = Bar { ts, open: close, high, low, close, volume, seg, ..Bar::default() };
        let bar = within::bar(&bar).map_err(serde::de::Error::custom)?;
        ledger.market.push(&bar, interval.nanos());
        ledger.ts = Some(ts);
    }
    Ok(Snapshot {
        interval,
        rules: run::checked_rules(&whole["rules"])?,
        ledger,
        told: Deserialize::deserialize(&whole["told"])?,
        glance: Deserialize::deserialize(&whole["glance"])?,
    })
}

#[cfg(test)]
mod tests {
    use mes_core::{ledger::Ledger, money::Cents};

    use super::*;

    #[test]
    fn what_is_left_out_again_can_be_read() {
        let said = Ledger { unprotected: true, astray: true, ended_flat: true, ..Ledger::new(Cents(7)) };
        let mut whole = serde_json::to_value(&said).expect("JSON");
        let changes = changes(&said, &Ledger::new(Cents(7))).expect("JSON");
        let changes = changes.as_object().expect("fields");
        assert_eq!(changes.len(), 3, "{changes:?}");
        whole.as_object_mut().expect("fields").extend(changes.clone());
        assert_eq!(Ledger::deserialize(&whole).expect("a ledger"), Ledger::new(Cents(7)));
    }
}
