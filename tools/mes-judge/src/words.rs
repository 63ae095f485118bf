//! The names in records, in a trader's words.

use chrono::NaiveTime;
pub use mes_core::money::grouped;
use mes_core::{
    costs::Slippage,
    fills::Model,
    money::Cents,
    rules::{Entries, EntryBy, Exits, StopBy},
    time::Ts,
    tz,
    vocabulary::{self, Unit},
};

/// Says where the stop and the target of a trade lie: `8 ticks, 16 ticks`.
pub fn bracket(exits: &Exits) -> String {
    let (least, most) = (exits.min_stop_ticks, exits.max_stop_ticks);
    let stop = match exits.stop {
        StopBy::Ticks => format!("{} ticks", exits.stop_ticks),
        StopBy::Atr => format!("{} × ATR within {least} to {most} ticks", exits.atr_multiple),
        StopBy::Structure => {
            format!("swing of {} min within {least} to {most} ticks", exits.swing_minutes)
        }
    };
    if exits.reward_risk > 0.0 {
        format!("{stop}, {} × as far", exits.reward_risk)
    } else {
        format!("{stop}, {} ticks", exits.target_ticks)
    }
}

/// Writes a value with the unit that ends its rule's name.
pub fn amount(rule: &str, value: f64) -> String {
    match vocabulary::unit(rule) {
        Unit::Dollars => Cents::from_usd(value).to_string(),
        Unit::Seconds => format!("{value:.0} s"),
        Unit::Milliseconds => format!("{value:.0} ms"),
        Unit::Percent => format!("{value:.1} %"),
        Unit::Points => format!("{value:.2}"),
        Unit::Ticks | Unit::Contracts | Unit::Plain => format!("{value}"),
    }
}

/// Writes dollars with cents: `-$1,234.50`.
pub fn usd(value: f64) -> String {
    Cents::from_usd(value).to_string()
}

/// Writes dollars with cents and their sign, a plus too.
pub fn signed_usd(value: f64) -> String {
    let plus = if Cents::from_usd(value) > Cents::ZERO { "+" } else { "" };
    format!("{plus}{}", usd(value))
}

/// Writes a share as percent.
pub fn percent(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}

/// Writes a chance as percent; what is neither certain nor impossible is never rounded to either.
pub fn chance(share: f64) -> String {
    match share {
        share if share < 0.0005 => "< 0.1 %".into(),
        share if share > 0.9995 => "> 99.9 %".into(),
        share => percent(share),
    }
}

/// Writes a share that may be far below a percent.
pub fn small_percent(ratio: f64) -> String {
    format!("{:.3} %", ratio * 100.0)
}

/// Writes where the true figure lies with 95 %, after the figure; nothing where that is unknown.
pub fn interval(range: Option<(f64, f64)>, write: impl Fn(f64) -> String) -> String {
    range.map_or_else(String::new, |(low, high)| format!(", 95 % from {} to {}", write(low), write(high)))
}

/// Writes the net from the worst to the best order of events within doubtful bars.
pub fn band(worst: f64, best: f64, ambiguous: usize) -> String {
    let (low, high) = (signed_usd(worst.min(best)), signed_usd(worst.max(best)));
    format!("{low} to {high}, by the order within {}", count(ambiguous as u64, "doubtful bar"))
}

/// Writes what may not be known: `-` if so.
pub fn or_dash(value: Option<f64>, write: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), write)
}

/// Begins a sentence.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// Writes a ratio with two decimals.
pub fn two(value: f64) -> String {
    format!("{value:.2}")
}

/// Writes a count with its noun: `1 trade`, `1,204 trades`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Writes a length of time in its two largest units: `3 d 4 h`, `12 min`, `45 s`.
pub fn lasted(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// Writes an instant as New York sees it, `2026-11-02 09:31`, with hyphens at which no line breaks.
pub fn new_york(ts: Ts) -> String {
    tz::new_york(ts).format("%Y\u{2011}%m\u{2011}%d %H:%M").to_string()
}

/// Writes a time of day to the second: `09:35:00`.
pub fn clock(time: NaiveTime) -> String {
    time.format("%H:%M:%S").to_string()
}

/// Writes the same to the second: `2026-11-02 09:31:05`.
pub fn new_york_second(ts: Ts) -> String {
    tz::new_york(ts).format("%Y\u{2011}%m\u{2011}%d %H:%M:%S").to_string()
}

/// Says what slippage depends on.
pub fn slippage(slippage: Slippage) -> String {
    let Slippage { rth_ticks, eth_ticks, thin_share, wild_ticks } = slippage;
    let thin = if thin_share > 0.0 { " or thin" } else { "" };
    let wild = if wild_ticks > rth_ticks.max(eth_ticks) {
        format!("; up to {wild_ticks} when the ATR is as many times its normal")
    } else {
        String::new()
    };
    let cash = count(rth_ticks.unsigned_abs(), "tick");
    format!("{cash} in the cash session, {eth_ticks} outside{thin}{wild}")
}

/// Says where entries wait, where they are not at market.
pub fn limit(entries: &Entries) -> Option<String> {
    let waits = entries.limit_lifetime_ms as f64 / 1000.0;
    let offset = match entries.limit_offset_ticks {
        0 => String::new(),
        ticks if ticks > 0 => format!("{} better than ", count(ticks.unsigned_abs(), "tick")),
        ticks => format!("{} beyond ", count(ticks.unsigned_abs(), "tick")),
    };
    let limit =
        format!("at a limit {offset}the near quote, or the close, for {waits} s; filled there like a target");
    (entries.entry == EntryBy::Limit).then_some(limit)
}

/// Says how fills were made.
pub fn fills(model: Model) -> &'static str {
    match model {
        Model::Conservative => {
            "A market order fills at the open of the next bar with trades, at the opposite quote where that is worse, \
             plus slippage; targets are limit orders, fill without, and only when the price trades through them. \
             Inside a bar the worst comes first: one that touches stop and target is booked at the stop, and a gap \
             through the stop fills at the open."
        }
        Model::Realistic => {
            "A market order fills at the open of the next bar with trades, at the opposite quote where that is worse, \
             plus slippage; targets are limit orders, fill without, and as soon as they are touched. Inside a bar the \
             worst comes first: one that touches stop and target is booked at the stop, and a gap through the stop \
             fills at the open."
        }
        Model::Optimistic => {
            "A market order fills at the close that decided, without slippage; targets fill when touched, and before a \
             stop that the same bar touches. This is a bound from above: nobody gets these fills."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_as_people_write() {
        assert_eq!(amount("daily_loss_usd", 50.0), "$50.00");
        assert_eq!(amount("cooldown_s", 12.0), "12 s");
        assert_eq!(
            (signed_usd(3.0), signed_usd(-3.0), signed_usd(0.0)),
            ("+$3.00".into(), "-$3.00".into(), "$0.00".into())
        );
        assert_eq!((count(1, "trade"), count(1204, "trade")), ("1 trade".into(), "1,204 trades".into()));
        assert_eq!(
            [0.0, 0.0004, 0.25, 0.9996, 1.0].map(chance),
            ["< 0.1 %", "< 0.1 %", "25.0 %", "> 99.9 %", "> 99.9 %"]
        );
        let mut slips = Slippage { rth_ticks: 1, eth_ticks: 2, thin_share: 0.0, wild_ticks: 0 };
        assert_eq!(slippage(slips), "1 tick in the cash session, 2 outside");
        (slips.thin_share, slips.wild_ticks) = (0.1, 4);
        assert!(
            slippage(slips).ends_with("2 outside or thin; up to 4 when the ATR is as many times its normal")
        );
        assert_eq!(["45 s", "2 min 5 s", "3 h 0 min", "1 d 1 h"], [45, 125, 10_800, 90_000].map(lasted)[..]);
    }
}
