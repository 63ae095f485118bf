//! The formulas, written down once more without any cleverness. NaN is null.

use std::collections::HashMap;

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    interval::Interval,
    price::Price,
    session::{Part, Sessions},
    time::SECOND,
};

type Columns = HashMap<&'static str, Vec<f64>>;

const NULL: f64 = f64::NAN;

pub fn all(bars: &[Bar], interval: Interval) -> Columns {
    let mut columns = Columns::new();
    let mut sessions = Sessions::new(Calendar::shipped());
    for segment in bars.chunk_by(|a, b| a.seg == b.seg) {
        let s = Segment::of(segment, interval, &mut sessions);
        for i in 0..segment.len() {
            for (name, value) in s.row(i) {
                columns.entry(name).or_default().push(value);
            }
        }
    }
    columns
}

struct Segment<'a> {
    bars: &'a [Bar],
    interval: Interval,
    o: Vec<f64>,
    h: Vec<f64>,
    l: Vec<f64>,
    c: Vec<f64>,
    v: Vec<f64>,
    /// Changes of the close; the first row has none.
    d: Vec<f64>,
    sigma: Vec<f64>,
    atr: Vec<f64>,
    rsi: Vec<f64>,
    ema: HashMap<usize, Vec<f64>>,
    hist: Vec<f64>,
    /// The row at which the VWAP of each row began.
    vwap_from: Vec<usize>,
    vwap: Vec<f64>,
    to_close: Vec<f64>,
    day: Vec<f64>,
}

fn clip(x: f64) -> f64 {
    x.clamp(-1.0, 1.0)
}

fn level(x: f64) -> f64 {
    x / (x + 4.0)
}

fn sum(values: &[f64]) -> f64 {
    values.iter().sum()
}

fn mean(values: &[f64]) -> f64 {
    sum(values) / values.len() as f64
}

/// (x − mean)/sd of the last value; 0 if sd is 0.
fn z(values: &[f64]) -> f64 {
    let m = mean(values);
    let sd = mean(&values.iter().map(|x| (x - m) * (x - m)).collect::<Vec<_>>()).sqrt();
    if values.iter().all(|x| *x == values[0]) { 0.0 } else { (values[values.len() - 1] - m) / sd }
}

fn ema(values: &[f64], n: usize) -> Vec<f64> {
    let alpha = 2.0 / (n as f64 + 1.0);
    let mut out: Vec<f64> = Vec::new();
    for (i, x) in values.iter().enumerate() {
        out.push(if i == 0 { *x } else { alpha * x + (1.0 - alpha) * out[i - 1] });
    }
    out
}

/// Wilder's average: the mean of the first `n`, then one part in `n` of the new; null before.
fn wilder(values: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![NULL; values.len()];
    for i in n - 1..values.len() {
        out[i] = if i == n - 1 {
            mean(&values[..n])
        } else {
            (out[i - 1] * (n as f64 - 1.0) + values[i]) / n as f64
        };
    }
    out
}

impl<'a> Segment<'a> {
    fn of(bars: &'a [Bar], interval: Interval, sessions: &mut Sessions) -> Self {
        let ticks = |f: fn(&Bar) -> Price| bars.iter().map(|bar| f(bar).points() * 4.0).collect::<Vec<_>>();
        let (o, h, l, c) = (ticks(|b| b.open), ticks(|b| b.high), ticks(|b| b.low), ticks(|b| b.close));
        let v: Vec<_> = bars.iter().map(|bar| bar.volume as f64).collect();
        let d: Vec<_> = (0..c.len()).map(|i| if i == 0 { NULL } else { c[i] - c[i - 1] }).collect();
        let tr: Vec<_> = (0..c.len())
            .map(|i| match i {
                0 => h[0] - l[0],
                _ => (h[i] - l[i]).max((h[i] - c[i - 1]).abs()).max((l[i] - c[i - 1]).abs()),
            })
            .collect();
        let part = |f: fn(f64) -> f64| d.iter().skip(1).map(|d| f(*d)).collect::<Vec<_>>();
        let mut rsi = vec![NULL; c.len()];
        if c.len() > 14 {
            let (gains, losses) = (wilder(&part(|d| d.max(0.0)), 14), wilder(&part(|d| (-d).max(0.0)), 14));
            for i in 1..c.len() {
                let (g, l) = (gains[i - 1], losses[i - 1]);
                rsi[i] = if g + l == 0.0 { 0.0 } else { (g - l) / (g + l) };
            }
        }
        let atr = if c.len() >= 14 { wilder(&tr, 14) } else { vec![NULL; c.len()] };
        let macd: Vec<_> = ema(&c, 12).iter().zip(ema(&c, 26)).map(|(fast, slow)| fast - slow).collect();
        let hist = macd.iter().zip(ema(&macd, 9)).map(|(macd, signal)| macd - signal).collect();
        let mut s = Segment {
            bars,
            interval,
            sigma: (0..c.len()).map(|i| sigma(&d[..=i])).collect(),
            ema: [9, 21, 50, 200].into_iter().map(|n| (n, ema(&c, n))).collect(),
            atr,
            rsi,
            hist,
            vwap_from: Vec::new(),
            vwap: Vec::new(),
            to_close: Vec::new(),
            day: Vec::new(),
            o,
            h,
            l,
            c,
            v,
            d,
        };
        s.sessions(sessions);
        s
    }

    fn sessions(&mut self, sessions: &mut Sessions) {
        let mut from = 0;
        for (i, bar) in self.bars.iter().enumerate() {
            let rth = sessions.of_bar(bar.ts) == Part::Rth;
            if i == 0 || (rth && sessions.of_bar(self.bars[i - 1].ts) != Part::Rth) {
                from = i;
            }
            self.vwap_from.push(from);
            let volume = sum(&self.v[from..=i]);
            let weighted = (from..=i).map(|j| (self.h[j] + self.l[j] + self.c[j]) * self.v[j]).sum::<f64>();
            self.vwap.push(if volume == 0.0 { NULL } else { weighted / (3.0 * volume) });
            let day = sessions.day_of_bar(bar.ts).expect("a day");
            let minutes = day.rth.map_or(0.0, |(_, close)| (close - bar.ts) as f64 / (60.0 * SECOND as f64));
            self.to_close.push(if rth { minutes / 390.0 } else { 0.0 });
            let open = day.part(bar.ts - 1) != Part::Closed;
            let elapsed = (bar.ts - day.open) as f64 / (day.close - day.open) as f64;
            self.day.push(if open { elapsed } else { NULL });
        }
    }

    /// The last `n` values of `values` up to row `i`, or `None` while there are fewer.
    fn last<'b>(&self, values: &'b [f64], i: usize, n: usize) -> Option<&'b [f64]> {
        (i + 1 >= n).then(|| &values[i + 1 - n..=i])
    }

    fn row(&self, i: usize) -> Vec<(&'static str, f64)> {
        let mut out = self.trends(i);
        out.extend(self.shapes(i));
        out.extend(self.volumes(i));
        out.extend(self.frames(i, 60, ["f_m1_trend", "f_m1_momentum", "f_m1_range"]));
        out.extend(self.frames(i, 300, ["f_m5_trend", "f_m5_momentum", "f_m5_range"]));
        out.extend([("f_to_close", self.to_close[i]), ("f_day", self.day[i])]);
        out.extend(self.quotes(i));
        out
    }

    fn trends(&self, i: usize) -> Vec<(&'static str, f64)> {
        let (c, s) = (&self.c, self.sigma[i]);
        let mut out = Vec::new();
        for (name, k) in
            [("f_ret_1", 1), ("f_ret_5", 5), ("f_ret_10", 10), ("f_ret_30", 30), ("f_ret_60", 60)]
        {
            let rows = self.interval.rows_in(k).filter(|rows| *rows <= i);
            let past = rows.map_or(NULL, |rows| c[i - rows]);
            out.push((name, clip((c[i] - past) / (4.0 * s * (rows.unwrap_or(0) as f64).sqrt()))));
        }
        let average = |n: usize| if i + 1 < n { NULL } else { self.ema[&n][i] };
        for (name, n) in [("f_ema_9", 9), ("f_ema_21", 21), ("f_ema_50", 50), ("f_ema_200", 200)] {
            out.push((name, clip((c[i] - average(n)) / (2.0 * s * (n as f64).sqrt()))));
        }
        for (name, a, b) in [("f_ema_9_21", 9, 21), ("f_ema_21_50", 21, 50), ("f_ema_50_200", 50, 200)] {
            out.push((name, clip((average(a) - average(b)) / (s * (b as f64).sqrt()))));
        }
        let n = (i - self.vwap_from[i] + 1) as f64;
        let past = if n > 60.0 { self.vwap[i - 60] } else { NULL };
        out.push(("f_vwap_gap", clip((c[i] - self.vwap[i]) / (4.0 * s * (n / 3.0).sqrt()))));
        out.push(("f_vwap_slope", clip((self.vwap[i] - past) * (3.0 * n).sqrt() / (240.0 * s))));
        out.push(("f_rsi_14", self.rsi[i]));
        out.push(("f_macd", if i + 1 < 34 { NULL } else { clip(self.hist[i] / (1.5 * s)) }));
        let k = |i: usize| match (self.last(&self.h, i, 14), self.last(&self.l, i, 14)) {
            (Some(h), Some(l)) => {
                let high = h.iter().copied().fold(f64::MIN, f64::max);
                let low = l.iter().copied().fold(f64::MAX, f64::min);
                if high == low { 0.5 } else { (c[i] - low) / (high - low) }
            }
            _ => NULL,
        };
        out.push(("f_stoch_k", k(i)));
        out.push(("f_stoch_d", if i < 2 { NULL } else { (k(i) + k(i - 1) + k(i - 2)) / 3.0 }));
        out.push(("f_bb_20", self.last(c, i, 20).map_or(NULL, |c| clip(z(c) / 4.0))));
        out
    }

    fn shapes(&self, i: usize) -> Vec<(&'static str, f64)> {
        let (o, h, l, c) = (self.o[i], self.h[i], self.l[i], self.c[i]);
        let share = |x: f64| if h == l { 0.0 } else { x / (h - l) };
        let direction = if c > o {
            1.0
        } else if c < o {
            -1.0
        } else {
            0.0
        };
        let squares = |f: &dyn Fn(usize) -> f64| (i + 1 - 60..=i).map(|j| f(j) * f(j)).sum::<f64>();
        let warm = i + 1 >= 60;
        let ranges = if warm { squares(&|j| self.h[j] - self.l[j]) } else { NULL };
        let bodies = if warm { squares(&|j| self.c[j] - self.o[j]) } else { NULL };
        let changes = if i >= 60 { squares(&|j| self.d[j]) } else { NULL };
        let garman_klass = (0.5 * ranges - 0.386294 * bodies) / 60.0;
        let positive = if garman_klass < 0.0 { 0.0 } else { garman_klass };
        vec![
            ("f_atr_14", level(self.atr[i])),
            ("f_sigma", level(self.sigma[i])),
            ("f_dir", direction),
            ("f_body", share(c - o)),
            ("f_wick_up", share(h - o.max(c))),
            ("f_wick_down", share(o.min(c) - l)),
            ("f_rv_60", level((changes / 60.0).sqrt())),
            ("f_parkinson_60", level((ranges / (4.0 * 2.0_f64.ln() * 60.0)).sqrt())),
            ("f_gk_60", level(positive.sqrt())),
        ]
    }

    fn volumes(&self, i: usize) -> Vec<(&'static str, f64)> {
        let v = &self.v;
        let z30 = self.last(v, i, 30).map_or(NULL, |v| clip(z(v) / 4.0));
        let ratio = match (self.last(v, i, 5), self.last(v, i, 60)) {
            (Some(short), Some(long)) if sum(long) > 0.0 => mean(short) / (mean(short) + mean(long)),
            (Some(_), Some(_)) => 0.5,
            _ => NULL,
        };
        // Σ f / Σ v over 30 rows; null before `warm` rows.
        let share = |warm: usize, f: &dyn Fn(usize) -> f64| {
            let rows = || i + 1 - 30..=i;
            if i + 1 < warm {
                return NULL;
            }
            let (numerator, volume) = (rows().map(f).sum::<f64>(), rows().map(|j| v[j]).sum::<f64>());
            if numerator.is_nan() || volume > 0.0 { numerator / volume } else { 0.0 }
        };
        let delta = |j: usize| match (self.bars[j].buy_volume, self.bars[j].sell_volume) {
            (Some(buy), Some(sell)) => (buy - sell) as f64,
            _ => NULL,
        };
        let sign = |j: usize| {
            if self.d[j] > 0.0 {
                v[j]
            } else if self.d[j] < 0.0 {
                -v[j]
            } else {
                0.0
            }
        };
        vec![
            ("f_vol_z_30", z30),
            ("f_vol_ratio", ratio),
            ("f_delta_30", share(30, &delta)),
            ("f_delta_bulk_30", share(90, &|j| v[j] * clip(self.d[j] / (2.0 * self.sigma[j])))),
            ("f_obv_roc_30", share(31, &sign)),
        ]
    }

    /// The last completed bars of `seconds`, found anew from all rows.
    fn frames(&self, i: usize, seconds: i64, names: [&'static str; 3]) -> Vec<(&'static str, f64)> {
        let Some(rows) = self.interval.rows_in(seconds) else { return names.map(|name| (name, NULL)).into() };
        let length = seconds * SECOND;
        let ends: Vec<usize> = (0..=i).filter(|&j| self.bars[j].ts % length == 0 && j + 1 >= rows).collect();
        let (m, s) = (rows as f64, self.sigma[i]);
        let Some(&end) = ends.last() else { return names.map(|name| (name, NULL)).into() };
        let first = end + 1 - rows;
        let high = self.h[first..=end].iter().copied().fold(f64::MIN, f64::max);
        let low = self.l[first..=end].iter().copied().fold(f64::MAX, f64::min);
        let past = if ends.len() > 5 { self.c[ends[ends.len() - 6]] } else { NULL };
        let range = high - low;
        vec![
            (names[0], clip((self.c[end] - self.o[first]) / (4.0 * s * m.sqrt()))),
            (names[1], clip((self.c[end] - past) / (4.0 * s * (5.0 * m).sqrt()))),
            (names[2], range / (range + 4.0 * s * m.sqrt())),
        ]
    }

    fn quotes(&self, i: usize) -> Vec<(&'static str, f64)> {
        let bar = &self.bars[i];
        let (mut spread, mut queue, mut micro, mut ofi) = (NULL, NULL, NULL, NULL);
        if let (Some(bid), Some(ask)) = (bar.bid.map(Price::points), bar.ask.map(Price::points))
            && bid <= ask
        {
            let s = (ask - bid) * 4.0;
            spread = s / (s + 2.0);
            if let (Some(b), Some(a)) = (bar.bid_size, bar.ask_size) {
                let (b, a) = (b as f64, a as f64);
                queue = (b - a) / (b + a);
                let weighted = (bid * a + ask * b) / (b + a);
                micro = if s > 0.0 { (weighted - (bid + ask) / 2.0) / ((ask - bid) / 2.0) } else { NULL };
            }
            if i + 1 >= 30 {
                let known = |x: Option<i64>| x.map_or(NULL, |x| x as f64);
                let window = &self.bars[i + 1 - 30..=i];
                let flow: f64 = window.iter().map(|bar| known(bar.ofi)).sum();
                let depth: f64 = window.iter().map(|bar| known(bar.bid_size) + known(bar.ask_size)).sum();
                ofi = clip(flow / depth);
            }
        }
        vec![("f_spread", spread), ("f_queue", queue), ("f_micro", micro), ("f_ofi_30", ofi)]
    }
}

/// σ from all changes of the segment up to now; the first entry is no change.
fn sigma(d: &[f64]) -> f64 {
    if d.len() < 61 {
        return NULL;
    }
    let (mut squares, mut weight) = (0.0_f64, 0.0_f64);
    for d in &d[1..] {
        squares = 0.988514020352896 * squares + d * d;
        weight = 0.988514020352896 * weight + 1.0;
    }
    (squares / weight).sqrt().max(0.1)
}
