//! What must be true of any backtest, found out by simulation: chance makes nothing before costs and loses its costs, a
//! planted edge is found and gone when it is turned off, and costs take exactly their sum.

use std::{fs, path::Path};

use mes_golden::shell;
use serde_json::Value;

/// Rules for an account that no limit stops, so that what is measured is the strategy.
const ENDLESS: &str = "sed -e 's/^capital_usd.*/capital_usd = 1000000.0/' \
    -e 's/^daily_loss_usd.*/daily_loss_usd = 900000.0/' -e 's/^daily_drawdown_usd.*/daily_drawdown_usd = 900000.0/' \
    -e 's/^account_drawdown_usd.*/account_drawdown_usd = 900000.0/' -e 's/^kill_loss_usd.*/kill_loss_usd = 900000.0/'";

fn summary(folder: &Path, flags: &str, rows: &str) -> Value {
    let line = format!("mes-bt -q --rules endless.toml {flags} {rows}");
    serde_json::from_slice(&shell::ok(folder, &line, b"")).expect("JSON")
}

fn usd(summary: &Value, key: &str) -> f64 {
    summary["costs"][key].as_f64().expect("an amount")
}

fn prepare(folder: &Path, edge: u32, sessions: u32) {
    let rules = shell::root().join("pipelines/rules/mes-1k.toml");
    shell::ok(folder, &format!("{ENDLESS} {} > endless.toml", rules.display()), b"");
    let line = format!(
        "mes-fetch synth -q --sessions {sessions} --seed 11 --edge {edge} --session rth |
         mes-bars -q --session rth --to parquet > bars.parquet"
    );
    shell::ok(folder, &line, b"");
}

#[test]
fn chance_makes_nothing_and_loses_its_costs() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, 0, 24);
    // Without quotes, which fills would cross, without pauses, and out after half a minute, whatever the bracket.
    let random = "sed -i 's/^stop_ticks.*/stop_ticks = 18/; s/^target_ticks.*/target_ticks = 72/;
                          s/^max_hold_s.*/max_hold_s = 30/; s/^losses = .*/losses = 0/;
                          s/^more_losses = .*/more_losses = 0/' endless.toml &&
                  mes-bars -q --to csv bars.parquet | cut -d, -f1-6 |
                  mes-bars -q --interval 1s --session rth --symbol MES |
                  mes-predict -q --rule random --seed 5 --rate 0.03 --to parquet > random.parquet";
    shell::ok(folder, random, b"");
    let quoted =
        "mes-predict -q --rule random --seed 5 --rate 0.03 --to parquet bars.parquet > quoted.parquet";
    shell::ok(folder, quoted, b"");
    let free = "sed -e 's/_ticks = .*/_ticks = 0/' -e 's/_cents = .*/_cents = 0/'";
    let costs = shell::root().join("pipelines/costs/owner.toml");
    shell::ok(folder, &format!("{free} {} > free.toml", costs.display()), b"");
    // Without costs and slippage the average trade is 0 within its interval.
    let gross = summary(folder, "--costs free.toml", "random.parquet");
    let trades = gross["trades"]["all"]["trades"].as_u64().expect("a count");
    assert!(trades > 300, "{trades} trades");
    let range = &gross["evidence"]["intervals"]["expectancy_usd"];
    let (low, high) = (range[0].as_f64().expect("low"), range[1].as_f64().expect("high"));
    assert!(low < 0.0 && 0.0 < high, "{low} to {high}");
    assert_eq!(usd(&gross, "total_usd"), 0.0);
    // On bars with quotes the same entries lose the spread and nothing else, and are as lucky as before.
    let crossed = summary(folder, "--costs free.toml", "quoted.parquet");
    assert!(usd(&crossed, "spread_usd") > 0.0);
    assert_eq!(usd(&crossed, "spread_usd"), usd(&crossed, "total_usd"));
    let lucky = |summary: &Value| {
        (usd(summary, "before_costs_usd"), summary["evidence"]["skill"]["p_value"].as_f64())
    };
    assert_eq!(lucky(&crossed), lucky(&gross));
    // With them it loses: what it makes before costs less their sum, to the cent; and it shows no skill.
    let net = summary(folder, "", "random.parquet");
    let cents = |value: f64| (value * 100.0).round() as i64;
    let left = cents(usd(&net, "before_costs_usd"))
        - cents(usd(&net, "spread_usd"))
        - cents(usd(&net, "slippage_usd"));
    assert_eq!(left - cents(usd(&net, "commission_usd")), cents(usd(&net, "net_usd")));
    assert_eq!(cents(usd(&net, "net_usd")), cents(net["account"]["net_usd"].as_f64().expect("a net")));
    let (contracts, commission) =
        (net["costs"]["contracts"].as_i64().expect("a count"), usd(&net, "commission_usd"));
    assert_eq!(cents(commission), 84 * contracts);
    assert!(net["evidence"]["intervals"]["net_usd"][1].as_f64() < Some(0.0), "{}", net["evidence"]);
    assert!(net["evidence"]["skill"]["p_value"].as_f64() > Some(0.01), "{}", net["evidence"]["skill"]);
}

#[test]
fn commission_takes_exactly_its_sum_and_changes_no_trade() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder, 1, 6);
    shell::ok(folder, "mes-predict -q --rule ema-cross --to parquet bars.parquet > rows.parquet", b"");
    let trades = |costs: &str, out: &str| -> (Vec<String>, i64, i64) {
        let summary = summary(folder, &format!("--costs {costs} --out {out}"), "rows.parquet");
        let csv = fs::read_to_string(folder.join(out).join("trades.csv")).expect("trades");
        // All but what commission changes: times, side, size, prices, gross.
        let fills = csv.lines().map(|line| line.split(',').take(7).collect::<Vec<_>>().join(",")).collect();
        let cents = |key| (usd(&summary, key) * 100.0).round() as i64;
        (fills, cents("net_usd"), cents("commission_usd"))
    };
    let (cheap, net, commission) = trades("owner", "a");
    let (dear, less, more) = trades("topstepx", "b");
    assert_eq!(cheap, dear);
    assert!(cheap.len() > 30 && more > commission);
    assert_eq!(net - less, more - commission);
}

/// The edge that mes-fetch plants lies in the flow; a model of it earns before costs, and none without it.
#[test]
fn a_planted_edge_is_found_and_gone_when_turned_off() {
    let before_costs = |edge: u32| {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        prepare(folder, edge, 16);
        let line = "mes-features -q --warm-within 24h --labels=horizon --to parquet bars.parquet > features.parquet &&
                    mes-train logistic -q --until 2026-11-13T00:00:00Z --out model.onnx features.parquet &&
                    mes-predict -q --model model.onnx --skip-in-sample --to parquet features.parquet > rows.parquet &&
                    sed -i 's/^confidence = .*/confidence = 0.5/; s/^from = 0.60/from = 0.50/' endless.toml";
        shell::ok(folder, line, b"");
        let found = summary(folder, "--from 2026-11-13T00:00:00Z", "rows.parquet");
        let trades = found["trades"]["all"]["trades"].as_u64().expect("a count");
        (trades, usd(&found, "before_costs_usd"), found["evidence"]["skill"]["p_value"].as_f64())
    };
    let (trades, made, p_value) = before_costs(1);
    assert!(trades > 20 && made > 0.0 && p_value < Some(0.05), "{trades} trades, {made}, {p_value:?}");
    let (trades, made, p_value) = before_costs(0);
    assert!(trades == 0 || p_value > Some(0.05), "{trades} trades, {made}, {p_value:?}");
}
