//! Prices with what was traded on them, and the trades as a table that leads to each.

use mes_core::{
    price::TICK,
    round_trip::RoundTrip,
    time::{self, MILLI, SECOND},
    vocabulary::short,
};
use mes_page::sortable::{Column, Value, sortable};
use serde_json::{Value as Json, json};

use super::html::{paragraph, section};
use crate::{
    candles::{Candle, Candles},
    excursion::Excursion,
    facts::Facts,
    words::{self, signed_usd},
};

/// More trades than this no page lists; all of them are in trades.csv.
const SHOWN: usize = 2_000;
/// Where the page's script finds the prices.
const ID: &str = "prices";

/// Draws the prices; nothing where they were not kept, or there were none.
pub fn prices(facts: &Facts) -> String {
    let Some(candles) = facts.candles.as_ref().filter(|candles| !candles.coarse().0.is_empty()) else {
        return String::new();
    };
    let shown = shown(facts);
    let label = format!("Prices and {}", words::count(shown.len() as u64, "trade"));
    let data = json!({
        "tick": TICK,
        "coarse": rows(candles.coarse().0, candles.coarse().1),
        "fine": fine(candles),
        "before": facts.trades.len() - shown.len(),
        "trades": shown.iter().map(|(_, trade, went)| trade_of(trade, went)).collect::<Vec<_>>(),
    });
    let text = "Triangles are entries, squares exits, dashes stop and target. Drag to move, + and − or Ctrl and the wheel to \
                zoom; a click on a trade below shows it here.";
    let mut body = mes_page::candles(ID, &label) + &caption(text) + &caption(&kept(candles));
    body += &mes_page::data(ID, &data.to_string());
    section("Prices and trades", &body)
}

fn caption(text: &str) -> String {
    paragraph(text).replacen("<p>", "<p class=\"caption\">", 1)
}

/// Says what can be seen how closely.
fn kept(candles: &Candles) -> String {
    let lasts =
        |ms: i64| words::lasted(ms / 1000).trim_end_matches(" 0 s").trim_end_matches(" 0 min").to_owned();
    let (coarse, fine) = (lasts(candles.coarse().1), lasts(candles.fine().1));
    let around = match candles.left_out() {
        0 => "two minutes around every trade".to_owned(),
        left_out => format!("two minutes around the last trades, not the first {left_out}"),
    };
    match candles.is_whole() {
        true => format!("Times are New York's. Every bar of {fine} that traded is here."),
        false => format!("Times are New York's. Candles of {coarse} throughout, of {fine} from {around}."),
    }
}

fn fine(candles: &Candles) -> Json {
    let (candles_fine, length) = candles.fine();
    let mut fine = rows(&candles_fine, length);
    fine["whole"] = candles.is_whole().into();
    fine
}

/// Writes candles as differences: how much later, the open from the close before, the close from the open, how far high
/// and low lie beyond the two, and the volume.
fn rows(candles: &[Candle], length: i64) -> Json {
    let first = candles.first().map_or(0, |candle| candle.end_ms);
    let (mut end, mut close) = (first, 0);
    let mut rows: Vec<i64> = Vec::with_capacity(candles.len() * 6);
    for candle in candles {
        let (top, bottom) = (candle.open.max(candle.close), candle.open.min(candle.close));
        let (later, moved) = (candle.end_ms - end, candle.open - close);
        rows.extend([
            later,
            moved,
            candle.close - candle.open,
            candle.high - top,
            bottom - candle.low,
            candle.volume,
        ]);
        (end, close) = (candle.end_ms, candle.close);
    }
    json!({ "first": first, "every": length, "rows": rows })
}

/// Returns the trades that the page shows, with their numbers from 0.
fn shown(facts: &Facts) -> Vec<(usize, &RoundTrip, &Excursion)> {
    let all = facts.trades.iter().zip(&facts.excursions).enumerate();
    let trades = all.map(|(number, (trade, went))| (number, trade, went));
    trades.skip(facts.trades.len().saturating_sub(SHOWN)).collect()
}

fn trade_of(trade: &RoundTrip, went: &Excursion) -> Json {
    json!({
        "entered": trade.entered.div_euclid(MILLI),
        "exited": trade.exited.div_euclid(MILLI),
        "side": trade.side.sign(),
        "contracts": trade.contracts,
        "entry": trade.entry_price,
        "exit": trade.exit_price,
        "net": trade.net_cents.0,
        "why": short(trade.exit.name()),
        "mae": went.mae_ticks,
        "mfe": went.mfe_ticks,
        "stops": went.stops.iter().map(|(ts, stop)| (ts.div_euclid(MILLI), stop.ticks())).collect::<Vec<_>>(),
        "target": went.target.map(|target| target.ticks()),
    })
}

const COLUMNS: [Column; 12] = [
    Column::text("New York"),
    Column::choice("Side"),
    Column::number("Net"),
    Column::choice("Ended by"),
    Column::number("Held"),
    Column::number("Size"),
    Column::number("Entry"),
    Column::number("Exit"),
    Column::number("MAE, ticks"),
    Column::number("MFE, ticks"),
    Column::number("MAE"),
    Column::number("Confidence"),
];

/// Lists the trades, the last one first; nothing where there is none.
pub fn trades(facts: &Facts) -> String {
    let shown = shown(facts);
    if shown.is_empty() {
        return String::new();
    }
    let rows: Vec<(usize, Vec<Value>)> =
        shown.iter().rev().map(|(number, trade, went)| (*number, cells(trade, went))).collect();
    let mut text = String::from(
        "MAE and MFE: how far the market went against a trade and for it, from its entry to its exit, by bars; within the \
         bars of entry and exit what hurts counts and what helps does not (Sweeney 1996).",
    );
    if shown.len() < facts.trades.len() {
        text += &format!(" The last {} of {}; all are in trades.csv.", shown.len(), facts.trades.len());
    }
    let table = sortable("Trades", &COLUMNS, &rows, facts.candles.is_some());
    section("Trades", &(table + &caption(&text)))
}

fn cells(trade: &RoundTrip, went: &Excursion) -> Vec<Value> {
    let (net, mae) = (trade.net_cents.usd(), -went.mae_cents.usd());
    let held = (trade.exited - trade.entered) / SECOND;
    let price = |points: f64| Value::number(points, format!("{points:.2}"));
    let ticks = |ticks: f64| Value::number(ticks, format!("{:.1}", ticks).trim_end_matches(".0"));
    let entered = (trade.entered / time::MILLI) as f64;
    vec![
        Value::number(entered, words::new_york_second(trade.entered)),
        Value::text(trade.side()),
        Value::signed(net, signed_usd(net)),
        Value::text(short(trade.exit.name())),
        Value::number(held as f64, words::lasted(held)),
        Value::number(trade.contracts as f64, trade.contracts.to_string()),
        price(trade.entry_price),
        price(trade.exit_price),
        ticks(went.mae_ticks),
        ticks(went.mfe_ticks),
        Value::number(mae, words::usd(mae)),
        Value::number(f64::from(trade.confidence), format!("{:.2}", trade.confidence)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn differences_lead_back_to_the_prices() {
        let candle = |end_ms, open, high, low, close| Candle { end_ms, open, high, low, close, volume: 3 };
        let candles =
            [candle(60_000, 20_000, 20_004, 19_998, 20_001), candle(120_000, 20_002, 20_002, 19_990, 19_991)];
        let written = rows(&candles, 60_000);
        let want = json!([0, 20_000, 1, 3, 2, 3, 60_000, 1, -11, 0, 1, 3]);
        assert_eq!(
            (&written["rows"], &written["first"], &written["every"]),
            (&want, &json!(60_000), &json!(60_000))
        );
    }

    #[test]
    fn a_page_lists_the_last_trades_and_says_so() {
        let facts = sample::facts(&vec![100; SHOWN + 5]);
        let table = trades(&facts);
        assert_eq!(table.matches("<tr data-number").count(), SHOWN);
        assert!(
            table.contains("The last 2000 of 2005") && table.contains("data-number=\"5\""),
            "begins with the 5th"
        );
        assert!(!table.contains("data-number=\"4\"") && !table.contains("data-jumps"));
        assert_eq!(trades(&sample::facts(&[])), "");
    }
}
