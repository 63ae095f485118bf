//! A drill: a made-up market in which every trade loses, traded by the rules that are to go live. Whatever the rules
//! file says, its limits must stop this; and where the limit that waits for a review is taken away, the kill switch.

use chrono::{Days, NaiveDate, NaiveTime};
use mes_core::{
    bar::Bar,
    interval::Interval,
    ledger::Lasts,
    limits::{is_death, lasts},
    prediction::Prediction,
    price::Price,
    row::Row,
    rules::EntryBy,
    session::{Day, Filter},
    time::SECOND,
    tz,
    vocabulary::short,
};
use mes_pipe::{Result, Settings};
use mes_risk::trade::{Next, Rows, Stream, trade};

use mes_judge::{
    facts::Facts,
    recorder::Recorder,
    words::{count, usd},
};

/// Trading days of the drill.
const DAYS: u64 = 15;
/// Seconds at one price, and seconds of falling a tick each.
const CALM: i64 = 60;
const FALL: i64 = 30;

/// What the drill showed.
pub struct Drill {
    results: Facts,
    /// The same without the limit on the account's drawdown.
    unreviewed: Facts,
    daily_loss_usd: f64,
}

struct Losing {
    rows: std::vec::IntoIter<Row>,
    now: Row,
}

impl Rows for Losing {
    fn next(&mut self) -> Result<Next<'_>> {
        match self.rows.next() {
            Some(row) => {
                self.now = row;
                Ok(Next::Row(&self.now))
            }
            None => Ok(Next::End),
        }
    }
}

/// Rows of cash sessions: a standing price, then a fall, over and over; the model is always sure that it rises.
fn losing(settings: &Settings) -> Vec<Row> {
    let first = NaiveDate::from_ymd_opt(2026, 2, 2).unwrap_or_default();
    let days = (0..)
        .map_while(|offset| first.checked_add_days(Days::new(offset)))
        .filter_map(|date| Day::labelled(date, &settings.calendar.value));
    let mut rows = Vec::new();
    // So high that it falls for all of the days and is never below 0, or a large part of itself away.
    let mut ticks: i64 = 400_000;
    for (seg, day) in (0..).zip(days.take(DAYS as usize)) {
        let at = |hour| tz::instant(day.label, NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default());
        let close = day.close.min(at(16));
        for second in 1..=(close - at(10)) / SECOND {
            let falls = second % (CALM + FALL) >= CALM;
            let open = ticks;
            ticks -= i64::from(falls);
            let [high, low] = [open, ticks].map(Price::from_ticks);
            let ts = at(10) + second * SECOND;
            let bar = Bar { ts, open: high, high, low, close: low, volume: 50, seg, ..Bar::default() };
            let prediction = Prediction { dir: Some(1.0), conf: Some(0.95), ..Prediction::default() };
            rows.push(Row { bar, prediction });
        }
    }
    rows
}

impl Drill {
    /// Runs it in process, with the very loop that trades. All entries go at market: what is drilled are the limits of the
    /// account, and entries that wait at a price might never have to.
    ///
    /// # Errors
    ///
    /// What the loop fails of.
    pub fn run(settings: &Settings) -> Result<Drill> {
        let mut settings = settings.clone();
        settings.rules.value.entries.entry = EntryBy::Market;
        let mut unreviewed = settings.clone();
        unreviewed.rules.value.limits.account_drawdown_usd = f64::from(u32::MAX);
        Ok(Drill {
            results: lose(&settings)?,
            unreviewed: lose(&unreviewed)?,
            daily_loss_usd: settings.rules.value.limits.daily_loss_usd,
        })
    }

    /// Says whether the kill switch ended trading for good, and how.
    pub fn killed(&self) -> (bool, String) {
        let Facts { trades, alerts, .. } = &self.unreviewed;
        match alerts.iter().find(|alert| lasts(&alert.rule) == Some(Lasts::Halt)) {
            Some(alert) => {
                let after = trades.iter().filter(|trade| trade.entered > alert.ts).count();
                let (rule, trades) = (short(&alert.rule), count(after as u64, "trade"));
                (
                    after == 0,
                    format!("drill: {rule} ended it for good on day {}, {trades} after it", alert.day),
                )
            }
            None => (false, "drill: nothing ended it for good".into()),
        }
    }

    /// Returns how often losses in a row paused it.
    pub fn pauses(&self) -> u64 {
        self.results.denied.get("losses_pause_s").copied().unwrap_or(0)
    }

    /// Says whether the limits held, and how it went.
    pub fn held(&self) -> (bool, String) {
        let Facts { trades, days, alerts, .. } = &self.results;
        let worst = days.iter().map(|day| (day.start_cents - day.end_cents).usd()).fold(0.0, f64::max);
        let stopped = alerts.iter().find(|alert| is_death(&alert.rule));
        let after = stopped.map_or(0, |alert| trades.iter().filter(|trade| trade.entered > alert.ts).count());
        let overnight = days.iter().filter(|day| day.overnight).count();
        let held = trades.len() >= 5 && worst <= self.daily_loss_usd && stopped.is_some() && after == 0;
        let end = match stopped {
            Some(alert) => {
                format!("{} stopped the account on day {}", short(&alert.rule), alert.day)
            }
            None => "nothing stopped the account".to_owned(),
        };
        let text = format!(
            "drill of {} that only lose: worst day -{}, limit {}; {end}, {} after it",
            count(trades.len() as u64, "trade"),
            usd(worst),
            usd(self.daily_loss_usd),
            count(after as u64, "trade")
        );
        (held && overnight == 0, text)
    }
}

/// Trades the losing market.
fn lose(settings: &Settings) -> Result<Facts> {
    let rows = losing(settings);
    let now = rows.first().copied().unwrap_or_default();
    let mut recorder = Recorder::new(settings.calendar.value.clone(), None);
    let stream = Stream::new(Interval::SECOND, Filter::Rth, mes_pipe::Lineage::default());
    let mut broker = mes_exec::paper(settings)?;
    let mut rows = Losing { rows: rows.into_iter(), now };
    trade(&mut rows, &mut broker, &mut recorder, settings, &stream, None)?;
    recorder.finish()
}

#[cfg(test)]
mod tests {
    use mes_core::rules::SHIPPED;
    use mes_pipe::SettingsArgs;

    use super::*;

    #[test]
    fn every_shipped_rules_file_passes_and_one_without_limits_does_not() {
        for (name, _) in SHIPPED {
            let args = SettingsArgs { rules: (*name).into(), ..SettingsArgs::default() };
            let mut settings = args.read().expect("settings");
            let entries = &mut settings.rules.value.entries;
            (entries.entry, entries.limit_offset_ticks, entries.limit_lifetime_ms) = (EntryBy::Limit, 18, 0);
            let drill = Drill::run(&settings).expect("runs");
            for (held, text) in [drill.held(), drill.killed()] {
                assert!(held, "{name}: {text}");
            }
            assert!(drill.pauses() > 0, "{name}");
        }
        let args = SettingsArgs::default();
        let mut settings = args.read().expect("settings");
        settings.rules.value.limits.account_drawdown_usd = 1e6;
        settings.rules.value.limits.kill_loss_usd = 1e6;
        settings.rules.value.limits.minimum_balance_usd = -1e6;
        let drill = Drill::run(&settings).expect("runs");
        let ((held, text), (killed, _)) = (drill.held(), drill.killed());
        assert!(!held && !killed && text.contains("nothing stopped"), "{text}");
    }
}
