//! A piece of the day's chart, no finer than a screen can show.

use mes_core::{
    order::Side,
    price::Price,
    time::{SECOND, Ts},
    tz,
};
use serde::Serialize;

use crate::day::{Day, Moment};

/// Lengths of a candle, in seconds.
const STEPS: [i64; 16] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86_400];
/// The most candles that are sent.
pub const MOST: usize = 2000;

/// Candles, levels and fills between two instants. Times are milliseconds since 1970, prices points.
#[derive(Debug, Serialize)]
pub struct Piece {
    pub from: i64,
    pub to: i64,
    /// What there is beyond it.
    pub first: i64,
    pub last: i64,
    pub step_s: i64,
    /// What New York's clock is ahead of UTC.
    pub zone_ms: i64,
    pub tick: f64,
    /// Time of the end, open, high, low, close.
    pub candles: Vec<(i64, f64, f64, f64, f64)>,
    pub levels: Vec<Level>,
    pub marks: Vec<Mark>,
}

/// Where stop, target or entry of a position lay, and how long.
#[derive(Debug, PartialEq, Serialize)]
pub struct Level {
    pub kind: &'static str,
    pub from: i64,
    pub to: i64,
    pub price: f64,
}

/// A fill.
#[derive(Debug, Serialize)]
pub struct Mark {
    pub ts: i64,
    pub price: f64,
    pub buy: bool,
    pub contracts: i64,
    pub exit: Option<&'static str>,
    pub net_cents: Option<i64>,
}

/// What of the day is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    pub from: Option<Ts>,
    pub to: Option<Ts>,
    /// About how many candles.
    pub points: usize,
    /// The last moment that is known.
    pub until: usize,
}

impl Piece {
    /// Cuts a piece out of a day; nothing before its first row.
    pub fn of(day: &Day, wanted: Wanted) -> Option<Piece> {
        let known = &day.moments[..day.moments.len().min(wanted.until.saturating_add(1))];
        let (first, last) = (known.first()?.ts, known.last()?.ts);
        let (from, to) = (wanted.from.unwrap_or(first).max(first), wanted.to.unwrap_or(last).min(last));
        let begin = known.partition_point(|moment| moment.ts < from).min(known.len() - 1);
        let end = known.partition_point(|moment| moment.ts <= to).max(begin + 1);
        let shown = &known[begin..end];
        let points = wanted.points.clamp(10, MOST) as i64;
        let span = (to - from).max(SECOND) / SECOND;
        let step_s = STEPS.into_iter().find(|step| span / step <= points).unwrap_or(86_400);
        let seen = |at: usize| at < known.len();
        let marks = day.marks.iter().filter(|mark| seen(mark.at) && (from..=to).contains(&mark.ts));
        let zone = tz::new_york(last).and_utc().timestamp_millis() - ms(last);
        Some(Piece {
            from: ms(from),
            to: ms(to),
            first: ms(first),
            last: ms(last),
            step_s,
            zone_ms: zone,
            tick: mes_core::price::TICK,
            candles: candles(shown, step_s * SECOND),
            levels: levels(shown),
            marks: marks.map(Mark::of).collect(),
        })
    }
}

impl Mark {
    fn of(mark: &crate::day::Mark) -> Mark {
        Mark {
            ts: ms(mark.ts),
            price: mark.price.points(),
            buy: mark.side == Side::Buy,
            contracts: mark.contracts,
            exit: mark.exit,
            net_cents: mark.net_cents,
        }
    }
}

/// Returns an instant in milliseconds, as pages have it.
pub fn ms(ts: Ts) -> i64 {
    ts.div_euclid(mes_core::time::MILLI)
}

fn candles(moments: &[Moment], step: i64) -> Vec<(i64, f64, f64, f64, f64)> {
    let mut out: Vec<(i64, [Price; 4])> = Vec::new();
    for moment in moments {
        // A bar covers the time before its stamp.
        let end = ((moment.ts - 1).div_euclid(step) + 1) * step;
        let Moment { open, high, low, close, .. } = *moment;
        match out.last_mut() {
            Some((last, [_, top, bottom, now])) if *last == end => {
                (*top, *bottom, *now) = ((*top).max(high), (*bottom).min(low), close);
            }
            _ => out.push((end, [open, high, low, close])),
        }
    }
    let points = |(end, prices): (i64, [Price; 4])| (ms(end), prices.map(Price::points));
    out.into_iter().map(points).map(|(end, [open, high, low, close])| (end, open, high, low, close)).collect()
}

fn levels(moments: &[Moment]) -> Vec<Level> {
    let mut out = Vec::new();
    let in_trade =
        |moment: &Moment, price: Option<Price>| price.filter(|_| moment.position != 0).map(Price::points);
    level(&mut out, "stop", moments, |moment| in_trade(moment, moment.stop));
    level(&mut out, "target", moments, |moment| in_trade(moment, moment.target));
    level(&mut out, "entry", moments, |moment| moment.entry_price);
    out
}

fn level(
    out: &mut Vec<Level>,
    kind: &'static str,
    moments: &[Moment],
    price: impl Fn(&Moment) -> Option<f64>,
) {
    let mut before: Option<(usize, f64)> = None;
    for (at, moment) in moments.iter().enumerate() {
        let now = price(moment);
        match (before, now) {
            (Some((_, last)), Some(now)) if last == now => {}
            _ => {
                out.extend(before.map(|from| drawn(kind, moments, from, at)));
                before = now.map(|now| (at, now));
            }
        }
    }
    out.extend(before.map(|from| drawn(kind, moments, from, moments.len() - 1)));
}

fn drawn(kind: &'static str, moments: &[Moment], (from, price): (usize, f64), to: usize) -> Level {
    Level { kind, from: ms(moments[from].ts), to: ms(moments[to].ts), price }
}
