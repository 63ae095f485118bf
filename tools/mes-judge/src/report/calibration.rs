//! Whether the model's confidence came true: of trades entered with about the same confidence, how many won.
//!
//! A win here is a trade's, after costs and by its own stop and target, not a right prediction: `mes-predict eval`
//! judges those. What should be seen is that more confidence wins more often.

use mes_core::round_trip::RoundTrip;
use mes_page::{
    html::{paragraph, section},
    svg::{Axis, Chart},
};

use crate::{
    facts::Facts,
    words::{count, percent, signed_usd},
};

/// Width of a band of confidence.
const BAND: f32 = 0.05;
/// The lowest confidence shown; nothing is entered below it.
const LOWEST: f32 = 0.5;

/// Trades of one band.
#[derive(Clone, Debug, Default, PartialEq)]
struct Band {
    trades: u64,
    won: u64,
    stated: f64,
    net_usd: f64,
}

/// Draws the share of won trades by confidence, with the confidence itself as a mark.
pub fn calibration(facts: &Facts) -> String {
    let bands = bands(&facts.trades);
    let shown = |band: &&(f32, Band)| band.1.trades > 0;
    let Some(first) = bands.iter().position(|band| shown(&band)) else { return String::new() };
    let last = bands.iter().rposition(|band| shown(&band)).unwrap_or(first);
    let bands = &bands[first..=last];
    let mut chart = Chart::new("Won trades by confidence", 180.0, Axis::nice(0.0, 1.0, 4.0), percent);
    let width = 1.0 / bands.len() as f64;
    let mut tips = Vec::new();
    for (index, (from, band)) in bands.iter().enumerate() {
        let left = index as f64 * width;
        let (won, stated) = match band.trades {
            0 => (0.0, 0.0),
            trades => (band.won as f64 / trades as f64, band.stated / trades as f64),
        };
        let title = format!(
            "{from:.2} to {:.2}: {} of {} won, {} said on average, {}",
            from + BAND,
            percent(won),
            count(band.trades, "trade"),
            percent(stated),
            signed_usd(band.net_usd)
        );
        if band.trades > 0 {
            let class = if band.net_usd >= 0.0 { "gain" } else { "loss" };
            chart.bar(class, (left + width * 0.15, left + width * 0.85), (0.0, won), &title);
            chart.line("equity", &[(left + width * 0.1, stated), (left + width * 0.9, stated)]);
        }
        chart.below(left + width / 2.0, &format!("{from:.2}"));
        tips.push(title);
    }
    chart.tips(tips);
    let text = "Bars: the share of trades that won, after costs, by the confidence they were entered with; coloured by what \
                the band earned. Lines: the confidence. With a target farther than the stop fewer win than the model is \
                right; what matters is that the bars rise.";
    section("Confidence and outcome", &(chart.render() + &paragraph(text)))
}

/// Sorts trades into bands from [`LOWEST`] to 1.
fn bands(trades: &[RoundTrip]) -> Vec<(f32, Band)> {
    let count = ((1.0 - LOWEST) / BAND).round() as usize;
    let mut bands: Vec<(f32, Band)> =
        (0..count).map(|index| (LOWEST + index as f32 * BAND, Band::default())).collect();
    for trade in trades {
        // A hair above, so that 0.70 falls into the band that begins with it.
        let index = ((trade.confidence - LOWEST) / BAND + 1e-4).max(0.0) as usize;
        let (_, band) = &mut bands[index.min(count - 1)];
        band.trades += 1;
        band.won += u64::from(trade.net_cents.0 > 0);
        band.stated += f64::from(trade.confidence);
        band.net_usd += trade.net_cents.usd();
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_trade_lands_in_its_band() {
        let mut trades = sample::facts(&[100, -200, 300, 400]).trades;
        for (trade, confidence) in trades.iter_mut().zip([0.6, 0.70, 0.749, 1.0]) {
            trade.confidence = confidence;
        }
        let bands = bands(&trades);
        let of = |from: f32| {
            bands.iter().find(|(band, _)| (band - from).abs() < 1e-3).map(|(_, band)| band.clone())
        };
        assert_eq!(of(0.60).map(|band| (band.trades, band.won)), Some((1, 1)));
        assert_eq!(of(0.65).map(|band| band.trades), Some(0));
        assert_eq!(of(0.70).map(|band| (band.trades, band.won, band.net_usd)), Some((2, 1, 1.0)));
        assert_eq!(of(0.95).map(|band| band.trades), Some(1));
    }

    #[test]
    fn without_trades_there_is_nothing_to_see() {
        assert_eq!(calibration(&sample::facts(&[])), "");
        assert!(calibration(&sample::facts(&[100])).contains("Confidence and outcome"));
    }
}
