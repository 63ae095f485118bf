//! The set: one line a feature. A new one is a file in `indicators/` and a line here.

use clap::ValueEnum;
use mes_core::{bar, interval::Interval, time::SECOND};
use mes_pipe::{Error, Result, suggest};
use serde_json::{Value, json};

use crate::indicators::{
    Columns, Kind, Place, atr, bollinger, bulk, candle, delta, ema, frames, macd, obv, ofi, quotes, returns,
    rsi, sigma, stochastic, time, volatility, volume, vwap,
};

/// The version of the formulas: raised whenever the value of any feature changes.
pub const VERSION: u32 = 1;

/// One column.
pub struct Feature {
    pub name: &'static str,
    /// What computes it, and which of its values this is.
    kind: &'static Kind,
    slot: usize,
    pub range: Range,
    pub warmup: Warmup,
    /// Columns of the bars that it cannot do without.
    pub needs: &'static [&'static str],
    pub formula: &'static str,
}

/// Where a feature lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// [-1, 1].
    Signed,
    /// [0, 1].
    Unit,
}
use Range::{Signed, Unit};

/// The first row of a segment on which a feature is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmup {
    /// This row.
    Rows(usize),
    /// The row so many seconds after the first, and not before σ. Absent where the interval does not divide them.
    Seconds(i64),
    /// The row that completes the last of `count` whole bars of `seconds`, and not before σ. Absent likewise.
    Bars { seconds: i64, count: usize },
}
use Warmup::{Bars, Rows, Seconds};

const SIDES: &[&str] = &["buy_volume", "sell_volume"];
const QUOTES: &[&str] = &["bid", "ask"];
const SIZES: &[&str] = &["bid", "ask", "bid_size", "ask_size"];
const FLOW: &[&str] = &["bid", "ask", "bid_size", "ask_size", "ofi"];

const fn f(
    name: &'static str,
    (kind, slot): (&'static Kind, usize),
    range: Range,
    warmup: Warmup,
    needs: &'static [&'static str],
    formula: &'static str,
) -> Feature {
    Feature { name, kind, slot, range, warmup, needs, formula }
}

/// All features, in the order of their columns. Prices in ticks; c[k] is the close k rows before; s is σ.
#[rustfmt::skip]
pub static TABLE: [Feature; 45] = [
    f("f_ret_1",         (&returns::KIND, 0),    Signed, Seconds(1),  &[],    "clip((c - c[1s]) / (4 s sqrt(1s)))"),
    f("f_ret_5",         (&returns::KIND, 1),    Signed, Seconds(5),  &[],    "clip((c - c[5s]) / (4 s sqrt(5s)))"),
    f("f_ret_10",        (&returns::KIND, 2),    Signed, Seconds(10), &[],    "clip((c - c[10s]) / (4 s sqrt(10s)))"),
    f("f_ret_30",        (&returns::KIND, 3),    Signed, Seconds(30), &[],    "clip((c - c[30s]) / (4 s sqrt(30s)))"),
    f("f_ret_60",        (&returns::KIND, 4),    Signed, Seconds(60), &[],    "clip((c - c[60s]) / (4 s sqrt(60s)))"),
    f("f_ema_9",         (&ema::KIND, 0),        Signed, Rows(61),    &[],    "clip((c - ema9) / (2 s sqrt(9)))"),
    f("f_ema_21",        (&ema::KIND, 1),        Signed, Rows(61),    &[],    "clip((c - ema21) / (2 s sqrt(21)))"),
    f("f_ema_50",        (&ema::KIND, 2),        Signed, Rows(61),    &[],    "clip((c - ema50) / (2 s sqrt(50)))"),
    f("f_ema_200",       (&ema::KIND, 3),        Signed, Rows(200),   &[],    "clip((c - ema200) / (2 s sqrt(200)))"),
    f("f_ema_9_21",      (&ema::KIND, 4),        Signed, Rows(61),    &[],    "clip((ema9 - ema21) / (s sqrt(21)))"),
    f("f_ema_21_50",     (&ema::KIND, 5),        Signed, Rows(61),    &[],    "clip((ema21 - ema50) / (s sqrt(50)))"),
    f("f_ema_50_200",    (&ema::KIND, 6),        Signed, Rows(200),   &[],    "clip((ema50 - ema200) / (s sqrt(200)))"),
    f("f_vwap_gap",      (&vwap::KIND, 0),       Signed, Rows(61),    &[],    "clip((c - V) / (4 s sqrt(n/3)))"),
    f("f_vwap_slope",    (&vwap::KIND, 1),       Signed, Rows(61),    &[],    "clip((V - V[60]) sqrt(3n) / (240 s))"),
    f("f_rsi_14",        (&rsi::KIND, 0),        Signed, Rows(15),    &[],    "(G - L) / (G + L), Wilder 14"),
    f("f_macd",          (&macd::KIND, 0),       Signed, Rows(61),    &[],    "clip(hist / (1.5 s)), 12-26-9"),
    f("f_stoch_k",       (&stochastic::KIND, 0), Unit,   Rows(14),    &[],    "(c - low14) / (high14 - low14)"),
    f("f_stoch_d",       (&stochastic::KIND, 1), Unit,   Rows(16),    &[],    "mean of 3 f_stoch_k"),
    f("f_bb_20",         (&bollinger::KIND, 0),  Signed, Rows(20),    &[],    "clip((c - mean20) / (4 sd20))"),
    f("f_atr_14",        (&atr::KIND, 0),        Unit,   Rows(14),    &[],    "x / (x + 4), x = Wilder's true range 14"),
    f("f_sigma",         (&sigma::KIND, 0),      Unit,   Rows(61),    &[],    "s / (s + 4), s^2 = weighted mean of (c - c[1])^2"),
    f("f_dir",           (&candle::KIND, 0),     Signed, Rows(1),     &[],    "sign(c - o)"),
    f("f_body",          (&candle::KIND, 1),     Signed, Rows(1),     &[],    "(c - o) / (h - l)"),
    f("f_wick_up",       (&candle::KIND, 2),     Unit,   Rows(1),     &[],    "(h - max(o, c)) / (h - l)"),
    f("f_wick_down",     (&candle::KIND, 3),     Unit,   Rows(1),     &[],    "(min(o, c) - l) / (h - l)"),
    f("f_vol_z_30",      (&volume::KIND, 0),     Signed, Rows(30),    &[],    "clip((v - mean30) / (4 sd30))"),
    f("f_vol_ratio",     (&volume::KIND, 1),     Unit,   Rows(60),    &[],    "mean5 / (mean5 + mean60) of v"),
    f("f_delta_30",      (&delta::KIND, 0),      Signed, Rows(30),    SIDES,  "sum30(buy - sell) / sum30(v)"),
    f("f_delta_bulk_30", (&bulk::KIND, 0),       Signed, Rows(90),    &[],    "sum30(v clip((c - c[1]) / (2 s))) / sum30(v)"),
    f("f_obv_roc_30",    (&obv::KIND, 0),        Signed, Rows(31),    &[],    "sum30(v sign(c - c[1])) / sum30(v)"),
    f("f_rv_60",         (&volatility::KIND, 0), Unit,   Rows(61),    &[],    "x / (x + 4), x = sqrt(mean60((c - c[1])^2))"),
    f("f_parkinson_60",  (&volatility::KIND, 1), Unit,   Rows(60),    &[],    "x / (x + 4), x = sqrt(mean60((h - l)^2) / (4 ln 2))"),
    f("f_gk_60",         (&volatility::KIND, 2), Unit,   Rows(60),    &[],    "x / (x + 4), x = sqrt(max(0, mean60(0.5(h - l)^2 - 0.386294(c - o)^2)))"),
    f("f_m1_trend",      (&frames::M1, 0),       Signed, Bars { seconds: 60, count: 1 },  &[], "clip((C - O) / (4 s sqrt(60s)))"),
    f("f_m1_momentum",   (&frames::M1, 1),       Signed, Bars { seconds: 60, count: 6 },  &[], "clip((C - C[5]) / (4 s sqrt(300s)))"),
    f("f_m1_range",      (&frames::M1, 2),       Unit,   Bars { seconds: 60, count: 1 },  &[], "R / (R + 4 s sqrt(60s))"),
    f("f_m5_trend",      (&frames::M5, 0),       Signed, Bars { seconds: 300, count: 1 }, &[], "clip((C - O) / (4 s sqrt(300s)))"),
    f("f_m5_momentum",   (&frames::M5, 1),       Signed, Bars { seconds: 300, count: 6 }, &[], "clip((C - C[5]) / (4 s sqrt(1500s)))"),
    f("f_m5_range",      (&frames::M5, 2),       Unit,   Bars { seconds: 300, count: 1 }, &[], "R / (R + 4 s sqrt(300s))"),
    f("f_to_close",      (&time::KIND, 0),       Unit,   Rows(1),     &[],    "minutes to the cash close / 390, 0 outside"),
    f("f_day",           (&time::KIND, 1),       Unit,   Rows(1),     &[],    "elapsed / scheduled length of the Globex day"),
    f("f_spread",        (&quotes::KIND, 0),     Unit,   Rows(1),     QUOTES, "x / (x + 2), x = ask - bid"),
    f("f_queue",         (&quotes::KIND, 1),     Signed, Rows(1),     SIZES,  "(b - a) / (b + a), sizes"),
    f("f_ofi_30",        (&ofi::KIND, 0),        Signed, Rows(30),    FLOW,   "clip(sum30(ofi) / sum30(b + a))"),
    f("f_micro",         (&quotes::KIND, 2),     Signed, Rows(1),     SIZES,  "(micro - mid) / (spread / 2)"),
];

impl Feature {
    /// Returns the name of the group: that of the indicator.
    pub fn group(&self) -> &'static str {
        self.kind.name
    }

    /// Returns the first row on which it is known in a segment that begins `offset` seconds after a whole 5 minutes,
    /// or `None` where it does not exist.
    pub fn warm_row(&self, interval: Interval, offset: i64) -> Option<usize> {
        match self.warmup {
            Rows(row) => Some(row),
            Seconds(seconds) => Some((interval.rows_in(seconds)? + 1).max(sigma::WARM)),
            Bars { seconds, count } => {
                let rows = interval.rows_in(seconds)?;
                let skipped = interval.rows_in((seconds - offset % seconds) % seconds).unwrap_or(0);
                Some((skipped + rows * count).max(sigma::WARM))
            }
        }
    }

    /// Returns how long after the first row it is known at the latest, or `None` where it does not exist: whole bars wait
    /// longest where the segment begins a row after one did, as on a day whose first second has no trade.
    fn warm_ns(&self, interval: Interval) -> Option<i64> {
        let offset = (interval.nanos() / SECOND).max(1);
        self.warm_row(interval, offset).map(|row| row as i64 * interval.nanos())
    }

    /// Returns the same for rows of a second, in seconds; every feature exists there.
    fn warm_s(&self) -> i64 {
        self.warm_ns(Interval::SECOND).unwrap_or_default() / SECOND
    }

    fn exists(&self, interval: Interval, columns: bar::Columns) -> bool {
        self.warm_row(interval, 0).is_some() && self.needs.iter().all(|name| columns.has(name))
    }
}

impl Range {
    /// Returns it as `mes-features list` prints it.
    pub fn text(self) -> &'static str {
        match self {
            Signed => "[-1, 1]",
            Unit => "[0, 1]",
        }
    }
}

impl Warmup {
    /// Returns it as `mes-features list` prints it.
    pub fn text(self) -> String {
        match self {
            Rows(1) => "none".into(),
            Rows(row) => format!("{row} rows"),
            Seconds(seconds) => format!("61 rows, {seconds} s"),
            Bars { seconds, count } => format!("61 rows, {count} x {seconds} s"),
        }
    }
}

/// Features under one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Named {
    /// All that the bars allow
    #[default]
    Base,
    /// Without those that need the sizes of quotes, which TopstepX does not send
    Live,
}

/// A day's first minutes are its best: what may be known later than this after the open is not made unless asked for, since
/// a model without it predicts so much earlier.
pub const WARM_WITHIN_S: i64 = 300;

/// The features chosen for a stream, in the order of [`TABLE`].
pub struct Set(Vec<&'static Feature>);

impl Set {
    /// Chooses the features that bars with these columns and this interval can have. `only` and `without` hold names
    /// of features or groups; an unknown one is an error, and so is one in `only` that the bars cannot have.
    ///
    /// # Errors
    ///
    /// `Usage`: the name, and what it lacks.
    pub fn choose(
        interval: Interval,
        columns: bar::Columns,
        only: &[String],
        without: &[String],
    ) -> Result<Set> {
        for name in only.iter().chain(without) {
            if !TABLE.iter().any(|feature| named(feature, name)) {
                let names = TABLE.iter().flat_map(|feature| [feature.name, feature.group()]);
                let meant = suggest::meant(name, names);
                return Err(Error::usage(format!(
                    "{name:?} is neither a feature nor a group: see mes-features list{meant}"
                )));
            }
        }
        let wanted = |feature: &Feature| {
            (only.is_empty() || only.iter().any(|name| named(feature, name)))
                && !without.iter().any(|name| named(feature, name))
        };
        for name in only {
            let mut ours = TABLE.iter().filter(|feature| named(feature, name));
            if !ours.clone().any(|feature| feature.exists(interval, columns)) {
                let needs = ours.next().map(|feature| feature.needs.join(" ")).unwrap_or_default();
                return Err(Error::usage(match needs.as_str() {
                    "" => format!("--only {name}: rows of {interval} do not divide its seconds"),
                    needs => format!("--only {name}: needs the columns {needs}"),
                }));
            }
        }
        let chosen = TABLE.iter().filter(|feature| wanted(feature) && feature.exists(interval, columns));
        Ok(Set(chosen.collect()))
    }

    /// Keeps what belongs to a named set.
    pub fn within(mut self, named: Named) -> Set {
        let sizes = |feature: &Feature| feature.needs.iter().any(|column| column.ends_with("_size"));
        self.0.retain(|feature| named == Named::Base || !sizes(feature));
        self
    }

    /// Keeps what is known within so long after the first row, wherever a segment begins; without a limit within [`WARM_WITHIN_S`], or as
    /// soon as σ where rows are long.
    pub fn warm_within(mut self, interval: Interval, limit: Option<Interval>) -> Set {
        let limit = match limit {
            Some(limit) => limit.nanos(),
            None => (WARM_WITHIN_S * SECOND).max(sigma::WARM as i64 * interval.nanos()),
        };
        self.0.retain(|feature| feature.warm_ns(interval).is_some_and(|warm| warm <= limit));
        self
    }

    /// Returns what was chosen, in the order of the columns.
    pub fn features(&self) -> &[&'static Feature] {
        &self.0
    }

    /// Returns how many were chosen.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether none was chosen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the BLAKE3 of the names and the version of the formulas.
    pub fn hash(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|feature| feature.name).collect();
        mes_pipe::hash(format!("v{VERSION}\n{}\n", names.join("\n")).as_bytes())
    }

    /// Makes one indicator for all features that it computes.
    pub(crate) fn indicators(&self, interval: Interval) -> Vec<Box<dyn Columns>> {
        let mut kinds: Vec<(&'static Kind, Vec<Place>)> = Vec::new();
        for (column, feature) in self.0.iter().enumerate() {
            let place = Place { slot: feature.slot, column };
            match kinds.iter_mut().find(|(kind, _)| kind.name == feature.kind.name) {
                Some((_, places)) => places.push(place),
                None => kinds.push((feature.kind, vec![place])),
            }
        }
        kinds.iter().map(|(kind, places)| (kind.make)(interval, places)).collect()
    }
}

fn named(feature: &Feature, name: &str) -> bool {
    feature.name == name || feature.group() == name
}

/// Returns the table as text for people.
pub fn list() -> String {
    let mut text =
        format!("{:<16} {:<11} {:<8} {:<18} {:>7}   formula\n", "name", "group", "range", "warm-up", "known");
    for f in &TABLE {
        let needs = if f.needs.is_empty() { String::new() } else { format!("; needs {}", f.needs.join(" ")) };
        let (range, warmup) = (f.range.text(), f.warmup.text());
        let late = if f.warm_s() > WARM_WITHIN_S { '*' } else { ' ' };
        let known = format!("{} s{late}", f.warm_s());
        text += &format!(
            "{:<16} {:<11} {range:<8} {warmup:<18} {known:>8}  {}{needs}\n",
            f.name,
            f.group(),
            f.formula
        );
    }
    text + &format!(
        "\nknown: at the latest after a segment's first row, with rows of 1 s. * later than {WARM_WITHIN_S} s, so not made by \
         default: --warm-within 24h makes all, --only names some.\n"
    )
}

/// Returns the table as JSON, one object a feature.
pub fn list_json() -> Vec<Value> {
    let object = |f: &Feature| {
        json!({
            "name": f.name, "group": f.group(), "formula": f.formula, "range": f.range.text(),
            "warmup": f.warmup.text(), "warm_s": f.warm_s(), "default": f.warm_s() <= WARM_WITHIN_S,
            "needs": f.needs,
        })
    };
    TABLE.iter().map(object).collect()
}
