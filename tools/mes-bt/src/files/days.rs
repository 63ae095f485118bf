//! Days as text: one line each, money in dollars.

use std::{collections::BTreeMap, fmt::Write as _};

use chrono::NaiveDate;

use crate::recorder::Results;

const HEADER: &str = "date,start_usd,end_usd,high_usd,low_usd,net_usd,trades";

/// Writes every trading day of the data, those without a trade included.
pub fn csv(results: &Results) -> String {
    let mut trades: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    for trade in &results.trades {
        *trades.entry(trade.session()).or_default() += 1;
    }
    let mut out = format!("{HEADER}\n");
    for day in &results.days {
        let net = day.end_cents - day.start_cents;
        let money = [day.start_cents, day.end_cents, day.high_cents, day.low_cents, net].map(super::dollars);
        let count = trades.get(&day.date).copied().unwrap_or(0);
        let _ = writeln!(out, "{},{},{count}", day.date, money.join(","));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_line_a_day() {
        let text = csv(&sample::results(&[1234, -56]));
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                HEADER,
                "2026-11-02,1000.00,1012.34,1012.34,1000.00,12.34,1",
                "2026-11-03,1012.34,1011.78,1012.34,1011.78,-0.56,1",
            ]
        );
    }
}
