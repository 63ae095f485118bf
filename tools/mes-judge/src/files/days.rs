//! Days as text: one line each, money in dollars.

use std::{collections::BTreeMap, fmt::Write as _};

use chrono::NaiveDate;

use mes_core::money::Cents;

use crate::facts::Facts;

/// The first line of [`csv`].
pub const HEADER: &str = "date,start_usd,end_usd,high_usd,low_usd,net_usd,trades,gross_usd,commission_usd,slippage_usd,\
                      max_drawdown_usd,max_drawdown_ratio";

/// What the trades that ended on a day add up to.
#[derive(Clone, Copy, Default)]
struct Traded {
    trades: usize,
    gross: Cents,
    commission: Cents,
    slippage: Cents,
}

/// Writes every trading day of the data, those without a trade included. Equity is marked bar by bar, so with a
/// position over the end of a day its net is not that of its trades.
pub fn csv(facts: &Facts) -> String {
    let mut traded: BTreeMap<NaiveDate, Traded> = BTreeMap::new();
    for trade in &facts.trades {
        let day = traded.entry(trade.session()).or_default();
        day.trades += 1;
        day.gross += trade.gross_cents;
        day.commission += trade.commission_cents;
        day.slippage += trade.slippage_cents;
    }
    let mut out = format!("{HEADER}\n");
    for day in &facts.days {
        let net = day.end_cents - day.start_cents;
        let money = [day.start_cents, day.end_cents, day.high_cents, day.low_cents, net].map(super::dollars);
        let Traded { trades, gross, commission, slippage } =
            traded.get(&day.date).copied().unwrap_or_default();
        let of_trades = [gross, commission, slippage, day.drawdown_cents].map(super::dollars);
        let (money, of_trades) = (money.join(","), of_trades.join(","));
        let _ = writeln!(out, "{},{money},{trades},{of_trades},{}", day.date, day.drawdown_ratio);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_line_a_day() {
        let text = csv(&sample::facts(&[1234, -56]));
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                HEADER,
                "2026-11-02,1000.00,1012.34,1012.34,1000.00,12.34,1,13.18,0.84,2.50,0.00,0",
                "2026-11-03,1012.34,1011.78,1012.34,1011.78,-0.56,1,0.28,0.84,2.50,0.56,0.0005531738348776103",
            ]
        );
    }
}
