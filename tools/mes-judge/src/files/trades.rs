//! Trades as a table: one row each, money in dollars, times in UTC.

use std::{fmt::Write as _, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use arrow_schema::{DataType, Field, Schema};
use mes_core::{money::Cents, round_trip::RoundTrip, time};
use mes_pipe::{Error, Result, TableFile, schema::instant};

use crate::{excursion::Excursion, facts::Facts};

/// The first line of [`csv`].
pub const HEADER: &str = "entered,exited,side,contracts,entry_price,exit_price,gross_usd,commission_usd,slippage_usd,\
                      net_usd,exit_reason,confidence,risk_usd,ambiguous,spread_usd,mae_ticks,mfe_ticks,mae_usd,mfe_usd";

/// Writes the trades as comma-separated values; no value needs quotes.
pub fn csv(facts: &Facts) -> String {
    let mut out = format!("{HEADER}\n");
    for (trade, went) in facts.trades.iter().zip(&facts.excursions) {
        let money = super::dollars;
        let _ = writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            time::format(trade.entered),
            time::format(trade.exited),
            trade.side(),
            trade.contracts,
            trade.entry_price,
            trade.exit_price,
            money(trade.gross_cents),
            money(trade.commission_cents),
            money(trade.slippage_cents),
            money(trade.net_cents),
            trade.exit.name(),
            trade.confidence,
            money(trade.risk_cents),
            trade.ambiguous,
            money(trade.spread_cents),
            went.mae_ticks,
            went.mfe_ticks,
            money(went.mae_cents),
            money(went.mfe_cents)
        );
    }
    out
}

/// Writes the trades as a Parquet file with the columns of [`csv`].
///
/// # Errors
///
/// `Failed` where the disk does not take it.
pub fn parquet(path: &Path, facts: &Facts) -> Result<()> {
    let Facts { trades, excursions, .. } = facts;
    let usd = |of: fn(&RoundTrip) -> Cents| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(trades.iter().map(|trade| of(trade).usd())))
    };
    let went = |of: fn(&Excursion) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(excursions.iter().map(of)))
    };
    let price = |of: fn(&RoundTrip) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(trades.iter().map(of)))
    };
    let at = |of: fn(&RoundTrip) -> i64| -> ArrayRef {
        Arc::new(TimestampNanosecondArray::from_iter_values(trades.iter().map(of)).with_timezone("UTC"))
    };
    let text = |of: fn(&RoundTrip) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(trades.iter().map(of)))
    };
    let columns: Vec<ArrayRef> = vec![
        at(|trade| trade.entered),
        at(|trade| trade.exited),
        text(RoundTrip::side),
        Arc::new(Int64Array::from_iter_values(trades.iter().map(|trade| trade.contracts))),
        price(|trade| trade.entry_price),
        price(|trade| trade.exit_price),
        usd(|trade| trade.gross_cents),
        usd(|trade| trade.commission_cents),
        usd(|trade| trade.slippage_cents),
        usd(|trade| trade.net_cents),
        text(|trade| trade.exit.name()),
        Arc::new(Float32Array::from_iter_values(trades.iter().map(|trade| trade.confidence))),
        usd(|trade| trade.risk_cents),
        Arc::new(BooleanArray::from_iter(trades.iter().map(|trade| Some(trade.ambiguous)))),
        usd(|trade| trade.spread_cents),
        went(|went| went.mae_ticks),
        went(|went| went.mfe_ticks),
        went(|went| went.mae_cents.usd()),
        went(|went| went.mfe_cents.usd()),
    ];
    let fields: Vec<Field> = HEADER
        .split(',')
        .zip(&columns)
        .map(|(name, column)| {
            let data_type = match column.data_type() {
                DataType::Timestamp(..) => instant(),
                other => other.clone(),
            };
            Field::new(name, data_type, false)
        })
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let mut file = TableFile::create(path, &schema)?;
    file.write(&RecordBatch::try_new(schema, columns)?)?;
    file.finish()
}

/// Reads the nets of a file that [`csv`] made, in dollars.
///
/// # Errors
///
/// `Usage` where it is not there, `Data` where it is none.
pub fn nets(path: &Path) -> Result<Vec<f64>> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("{error}; mes-bt --out and mes-bt report --out write it")).at(path.display())
    })?;
    let column = text.lines().next().and_then(|header| header.split(',').position(|name| name == "net_usd"));
    let column = column
        .ok_or_else(|| Error::data("no column net_usd: this is no table of trades").at(path.display()))?;
    let net = |(line, trade): (usize, &str)| {
        let cell = trade.split(',').nth(column).and_then(|cell| cell.parse::<f64>().ok());
        let wrong = || Error::data(format!("{}: line {line}: no trade", path.display()));
        cell.filter(|net| net.is_finite()).ok_or_else(wrong)
    };
    (2..).zip(text.lines().skip(1)).map(net).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// Eight ticks of stop, one of slippage and the round turn: the $12.09 that sizing, status and the docs speak of.
    #[test]
    fn risk_is_the_one_figure() {
        let trades = sample::from_fills(&[(1, 16, 1, true), (2, -9, 1, false)]).trades;
        assert_eq!(
            trades.iter().map(|trade| trade.risk_cents).collect::<Vec<_>>(),
            [Cents(1209), Cents(2418)]
        );
    }

    #[test]
    fn a_line_a_trade_with_a_value_a_column() {
        let text = csv(&sample::facts(&[1234, -56]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[1],
            "2026-11-02T14:31:00Z,2026-11-02T14:32:00Z,long,1,5000,5001,13.18,0.84,2.50,12.34,target,0.7,12.09,false,0.00,0,4,0.00,5.00"
        );
        assert!(lines.iter().all(|line| line.split(',').count() == 19));
        assert!(lines[2].contains(",-0.56,"), "{}", lines[2]);
    }
}
