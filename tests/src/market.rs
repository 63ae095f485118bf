//! Markets made to order: rows with predictions that lead an account through every way out of a trade.
//!
//! Synthetic and lifeless on purpose: a random walk on wild days, a standing price on calm ones, holes where they hurt.

use std::fmt::Write as _;

use chrono::{Days, NaiveDate, NaiveTime};
use mes_core::{
    calendar::Calendar,
    dice::Draw,
    session::Day,
    time::{self, SECOND, Ts},
    tz,
};

/// What a stretch of rows is like.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    /// Prices walk, signals come at random.
    Wild,
    /// The price stands; one signal at the given second.
    Calm { signal_at: Ts },
    /// The price goes this many ticks a second, without signals.
    Drift(i64),
}

/// Rules under which every exit can happen within a few days.
pub const RULES: &str = "tests/fixtures/busy.toml";

/// Returns rows as JSON lines with a header: the hours around the cash session of some weeks, without it (`eth`).
pub fn eventful(seed: u64) -> String {
    let mut market = Market {
        draw: Draw::of(seed),
        ticks: 20_000,
        seg: 0,
        symbol: "MESH6",
        last: None,
        text: String::new(),
    };
    market.text.push_str(
        "{\"kind\":\"prediction\",\"v\":1,\"interval\":\"1s\",\"session\":\"eth\",\"lineage\":[]}\n",
    );
    let first = NaiveDate::from_ymd_opt(2026, 2, 23).expect("a date");
    let calendar = Calendar::shipped();
    let days = (0..42).filter_map(|offset| Day::labelled(first + Days::new(offset), &calendar));
    for (index, day) in days.enumerate() {
        let at = |hour, minute, second| {
            tz::instant(day.label, NaiveTime::from_hms_opt(hour, minute, second).expect("a time"))
        };
        if index == 20 {
            market.roll_and_jump(at(8, 0, 0));
        }
        match index % 5 {
            // A timeout in a calm morning, then one second before the cash session an entry that it cuts off.
            0 => {
                market.rows(at(9, 0, 0), at(9, 12, 0), Mood::Calm { signal_at: at(9, 0, 10) });
                market.rows(at(9, 25, 0), at(9, 30, 0), Mood::Calm { signal_at: at(9, 29, 30) });
                market.rows(at(16, 12, 0), at(16, 31, 0), Mood::Calm { signal_at: at(16, 14, 50) });
            }
            // The data stops with a position open and comes back after flat-by.
            1 => {
                market.rows(at(9, 25, 0), at(9, 30, 0), Mood::Calm { signal_at: at(9, 29, 50) });
                market.rows(at(16, 12, 0), at(16, 16, 0), Mood::Calm { signal_at: at(16, 14, 50) });
            }
            _ => {
                // A long trade climbs so many ticks and falls again: too deep from the peak of the day before its
                // stop begins to trail; through its target; back onto its trailing stop.
                let climb = [11, 20, 14][index % 5 - 2];
                let top = at(9, 0, 40) + climb * SECOND;
                market.rows(at(9, 0, 0), at(9, 0, 40), Mood::Calm { signal_at: at(9, 0, 10) });
                market.rows(at(9, 0, 40), top, Mood::Drift(1));
                market.rows(top, top + 25 * SECOND, Mood::Drift(-1));
                market.rows(at(9, 5, 0), at(9, 30, 0), Mood::Wild);
                market.rows(at(16, 0, 0), at(16, 15, 0), Mood::Wild);
            }
        }
        if index == 23 {
            // The stream ends in a trade, on a Thursday evening, which is Friday's day.
            let evening = at(16, 30, 0) + 2 * 3600 * SECOND;
            market.rows(evening, evening + 60 * SECOND, Mood::Calm { signal_at: evening + 30 * SECOND });
            break;
        }
    }
    market.text
}

struct Market {
    draw: Draw,
    ticks: i64,
    seg: i64,
    symbol: &'static str,
    /// Where the rows so far end.
    last: Option<Ts>,
    text: String,
}

impl Market {
    /// Adds the rows stamped after `from` up to `to`; after a hole they are a segment of their own.
    fn rows(&mut self, from: Ts, to: Ts, mood: Mood) {
        if self.last.is_none_or(|last| last != from) {
            self.seg += 1;
        }
        self.last = Some(to);
        let mut ts = from;
        while ts < to {
            ts += SECOND;
            self.row(ts, mood);
        }
    }

    /// Adds a trade under which another contract comes, and one under which prices are ten times what they were until
    /// that is believed; and back. A person looks both times.
    fn roll_and_jump(&mut self, from: Ts) {
        let after = |seconds: i64| from + seconds * SECOND;
        self.rows(from, after(60), Mood::Calm { signal_at: after(10) });
        self.symbol = "MESM6";
        self.rows(after(60), after(120), Mood::Drift(0));
        self.rows(after(120), after(180), Mood::Calm { signal_at: after(130) });
        let ticks = self.ticks;
        for (ticks, from) in [(10 * ticks, 180), (ticks, 200)] {
            self.ticks = ticks;
            self.rows(after(from), after(from + 20), Mood::Drift(0));
            let ts = time::format(after(from + 20));
            writeln!(
                self.text,
                "{{\"kind\":\"person\",\"ts\":\"{ts}\",\"says\":\"resume\",\"reason\":\"looked\",\"by\":\"person\"}}"
            )
            .expect("a string can be written");
        }
    }

    fn row(&mut self, ts: Ts, mood: Mood) {
        let open = self.ticks;
        let (mut high, mut low, mut volume) = (open, open, 1);
        if mood == Mood::Wild {
            volume = (self.draw.bits() % 5) as i64;
            for _ in 0..volume.min(2) {
                self.ticks += (self.draw.bits() % 5) as i64 - 2;
                (high, low) = (high.max(self.ticks), low.min(self.ticks));
            }
        }
        if let Mood::Drift(step) = mood {
            self.ticks += step;
            (high, low) = (high.max(self.ticks), low.min(self.ticks));
        }
        let (dir, conf) = match mood {
            Mood::Drift(_) => (0.0, 0.9),
            Mood::Calm { signal_at } => (f64::from(ts == signal_at), 0.95),
            Mood::Wild => match self.draw.bits() % 80 {
                0 => (1.0, 0.65),
                1 => (-1.0, 0.65),
                2 => (1.0, 0.85),
                3 => (-1.0, 0.55),
                _ => (0.0, 0.9),
            },
        };
        let price = |ticks: i64| ticks as f64 / 4.0;
        let close = self.ticks;
        writeln!(
            self.text,
            "{{\"ts\":\"{}\",\"open\":{:?},\"high\":{:?},\"low\":{:?},\"close\":{:?},\"volume\":{volume},\"seg\":{},\
             \"symbol\":\"{}\",\"p_dir\":{dir:?},\"p_conf\":{conf:?}}}",
            time::format(ts),
            price(open),
            price(high),
            price(low),
            price(close),
            self.seg,
            self.symbol,
        )
        .expect("a string can be written");
    }
}
