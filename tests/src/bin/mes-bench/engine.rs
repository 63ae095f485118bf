//! `mes-bench engine PREDICTIONS RULES COSTS`: our loop on given rows, for the table of tests/engines. One line of JSON.

use std::{
    io::{Write, stdout},
    path::Path,
};

use mes_pipe::{SettingsArgs, settings::FillModel};
use serde_json::json;

use crate::{Result, in_process::Held, timed};

/// Times the loop once, from rows in memory to the last statement, with realistic fills, and prints what it came to.
pub fn print(predictions: &str, rules: &str, costs: &str) -> Result<()> {
    let named = |name: &str| name.to_owned();
    let args = SettingsArgs {
        rules: named(rules),
        costs: named(costs),
        fills: FillModel::Realistic,
        ..SettingsArgs::default()
    };
    let settings = args.read()?;
    let held = Held::read(Path::new(predictions))?;
    let mut sum = None;
    let took = timed(&mut || {
        sum = Some(held.trade_by(&settings, None)?);
        Ok(())
    })?;
    let (trades, gross_usd) = sum.map_or((0, 0.0), |sum| (sum.exits, sum.gross.usd()));
    let line = json!({
        "rows": held.len(), "seconds": took.as_secs_f64(), "trades": trades, "gross_usd": gross_usd
    });
    Ok(writeln!(stdout().lock(), "{line}")?)
}
