//! Many lives, summed up.

use std::{collections::BTreeMap, fmt::Write as _};

use mes_core::{dice::Draw, money::Cents, rules::Rules, vocabulary::short};
use mes_pipe::Origin;
use serde::Serialize;
use serde_json::Value;

use super::{
    Past,
    account::{End, live},
    closed::{self, ClosedForm},
};
use mes_judge::{
    stats::{interval::percentile, normal},
    summary::FEW_TRADES,
    words::{self, signed_usd, usd},
};

/// The shares at which distributions are shown.
pub const SHARES: [f64; 5] = [0.05, 0.25, 0.50, 0.75, 0.95];
/// What the intervals are not.
pub const DRAWS: &str =
    "95 % of what the number of lives leaves open; that the sessions drawn from were lucky is not in it";
/// Points of the picture, at most.
const POINTS: usize = 200;

/// A name, the values at [`SHARES`], and how such a value is written.
pub type Spread = (&'static str, [f64; 5], fn(f64) -> String);

/// All lives together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    pub kind: &'static str,
    /// Whether the data were made up; null where nobody knows.
    pub synthetic: Option<bool>,
    pub origin: Origin,
    pub rules: String,
    pub start_usd: f64,
    pub trades: usize,
    /// Sessions to draw from, and drawn for a life.
    pub sessions: usize,
    pub days: usize,
    pub runs: usize,
    pub seed: u64,
    /// At 5, 25, 50, 75 and 95 % of the lives.
    pub net_usd: [f64; 5],
    /// From one closed trade to the next: what trades were down before they closed is not drawn.
    pub drawdown_usd: [f64; 5],
    /// The same trades once each, in any order and without limits: the sum is always `trades_usd`.
    pub reordered_drawdown_usd: [f64; 5],
    pub trades_usd: f64,
    pub chances: Vec<Chance>,
    /// The firm's, where the rules have one.
    pub target_usd: Option<f64>,
    /// What closed forms give for the chance to pass, under a firm's rules.
    pub closed_forms: Vec<ClosedForm>,
    /// Days until the firm's target, at the same shares of the lives that met it.
    pub days_to_pass: Option<[f64; 5]>,
    /// For the picture: day, and equity at the shares.
    pub fan: Vec<(usize, [f64; 5])>,
    /// Of the backtest, but `rules` are those of the lives.
    pub settings: Value,
    pub lineage: Value,
}

/// How likely something is, with the 95 % interval that the number of lives leaves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chance {
    pub of: String,
    /// In how many lives, and which share of all that is.
    pub lives: usize,
    pub share: f64,
    pub low: f64,
    pub high: f64,
}

impl Outcome {
    /// Lives `runs` lives of so many days.
    pub fn of(past: &Past, rules: &Rules, days: usize, runs: usize, seed: u64) -> Outcome {
        let start = rules.capital();
        let step = days.div_ceil(POINTS);
        let shown: Vec<usize> = (step..=days).step_by(step).collect();
        let mut fan = vec![Vec::with_capacity(runs); shown.len()];
        let mut lives = Vec::with_capacity(runs);
        for run in 0..runs {
            let mut draw = Draw::new(seed, run as u64);
            let drawn = (0..days).map(|_| past.sessions[draw.below(past.sessions.len())].as_slice());
            let mut reached = (0, start);
            let life = live(rules, start, past.smallest, drawn, |day, equity| {
                reached = (day / step, equity);
                if day % step == 0 {
                    fan[day / step - 1].push(equity.usd());
                }
            });
            // A life that ended stays where it ended.
            fan[reached.0..].iter_mut().for_each(|point| point.push(reached.1.usd()));
            lives.push(life);
        }
        let trades: Vec<Cents> = past.sessions.iter().flatten().copied().collect();
        let passed =
            lives.iter().filter_map(|life| if let End::Passed { day } = life.end { Some(day) } else { None });
        let passed: Vec<f64> = passed.map(|day| day as f64).collect();
        Outcome {
            kind: "montecarlo",
            synthetic: past.origin.synthetic(),
            origin: past.origin,
            rules: rules.name.clone(),
            start_usd: start.usd(),
            trades: trades.len(),
            sessions: past.sessions.len(),
            days,
            runs,
            seed,
            net_usd: spread(lives.iter().map(|life| life.net.usd()).collect()),
            drawdown_usd: spread(lives.iter().map(|life| life.drawdown.usd()).collect()),
            reordered_drawdown_usd: spread(reordered(&trades, runs, seed)),
            trades_usd: trades.iter().copied().sum::<Cents>().usd(),
            chances: chances(&lives, rules),
            target_usd: rules.prop.as_ref().map(|prop| prop.target_usd),
            closed_forms: closed::forms(past, rules),
            days_to_pass: (!passed.is_empty()).then(|| spread(passed)),
            fan: shown.into_iter().zip(fan.into_iter().map(spread)).collect(),
            settings: past.settings.clone(),
            lineage: past.lineage.clone(),
        }
    }

    /// Says in a line what was drawn.
    pub fn head(&self) -> String {
        format!(
            "{} in {} drawn anew {} times, {} each, from {} by {}; seed {}",
            words::count(self.trades as u64, "trade"),
            words::count(self.sessions as u64, "session"),
            words::grouped(self.runs as u64),
            words::count(self.days as u64, "session"),
            usd(self.start_usd),
            self.rules,
            self.seed
        )
    }

    /// Says why lives and closed forms need not agree, where there are any: the lives end.
    pub fn apart(&self) -> Option<String> {
        let target = self.target_usd.filter(|_| !self.closed_forms.is_empty())?;
        let (days, mean) =
            (words::count(self.days as u64, "session"), self.trades_usd / self.sessions as f64);
        let away = match (target / mean).ceil() {
            _ if mean <= 0.0 => "sessions as these lead away from it".to_owned(),
            needed => format!("at {} a session it is {needed:.0} sessions away", signed_usd(mean)),
        };
        Some(format!("a life here has {days} for the {} to pass, there it has no end; {away}", usd(target)))
    }

    /// Warns where the past is too short to say much.
    pub fn caution(&self) -> Option<String> {
        let few = self.trades < FEW_TRADES;
        few.then(|| {
            let trades = words::count(self.trades as u64, "trade");
            format!("{trades}: draws from so few repeat their luck; below {FEW_TRADES} believe none of this")
        })
    }

    /// Names the distributions.
    pub fn rows(&self) -> Vec<Spread> {
        let mut rows: Vec<Spread> = vec![
            ("net", self.net_usd, signed_usd),
            ("drawdown by trade", self.drawdown_usd, usd),
            ("  trades reordered", self.reordered_drawdown_usd, usd),
        ];
        rows.extend(self.days_to_pass.map(|days| ("days to pass", days, whole as fn(f64) -> String)));
        rows
    }

    /// Writes the table for a terminal.
    pub fn text(&self) -> String {
        let mut out = format!("{}{}\n\n  {:<20}", self.origin.mark(), self.head(), "");
        for share in SHARES {
            let _ = write!(out, "{:>12}", format!("{:.0} %", share * 100.0));
        }
        for (name, values, unit) in self.rows() {
            let _ = write!(out, "\n  {name:<20}");
            for value in values {
                let _ = write!(out, "{:>12}", unit(value));
            }
        }
        let _ = writeln!(out, "\n\n  of {} lives so many had", words::grouped(self.runs as u64));
        for chance in &self.chances {
            let _ = writeln!(
                out,
                "  {:<34}{:>9}   ({})",
                chance.of,
                chance.happened(self.runs),
                chance.interval()
            );
        }
        let _ = writeln!(out, "  {DRAWS}");
        if !self.closed_forms.is_empty() {
            let _ = writeln!(out, "\n  sanity check: passing by closed forms, {}", closed::LEAVES_OUT);
        }
        for form in &self.closed_forms {
            let _ = writeln!(out, "  {:<34}{:>9}", form.of, words::chance(form.share));
        }
        if let Some(apart) = self.apart() {
            let _ = writeln!(out, "  {apart}");
        }
        if let Some(caution) = self.caution() {
            let _ = writeln!(out, "  ! {caution}");
        }
        out
    }
}

impl Chance {
    /// Says in which share of the lives it was: `none` and `all` where it was in none or all.
    pub fn happened(&self, lives: usize) -> String {
        match self.lives {
            0 => "none".into(),
            all if all == lives => "all".into(),
            _ => words::chance(self.share),
        }
    }

    /// Says what the number of lives leaves open.
    pub fn interval(&self) -> String {
        format!("{} to {}", words::small_percent(self.low), words::small_percent(self.high))
    }
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

/// Returns the values at [`SHARES`], to the cent.
fn spread(mut values: Vec<f64>) -> [f64; 5] {
    values.sort_by(f64::total_cmp);
    SHARES.map(|share| (percentile(&values, share).unwrap_or_default() * 100.0).round() / 100.0)
}

/// Returns the drawdowns of the same trades in other orders.
fn reordered(trades: &[Cents], runs: usize, seed: u64) -> Vec<f64> {
    let mut trades = trades.to_vec();
    let mut draw = Draw::new(seed, u64::MAX);
    let mut fall = || {
        // Fisher and Yates (1938).
        for last in (1..trades.len()).rev() {
            trades.swap(last, draw.below(last + 1));
        }
        let (mut equity, mut peak, mut fall) = (Cents::ZERO, Cents::ZERO, Cents::ZERO);
        for net in &trades {
            equity += *net;
            peak = peak.max(equity);
            fall = fall.max(peak - equity);
        }
        fall.usd()
    };
    (0..runs).map(|_| fall()).collect()
}

fn chances(lives: &[super::account::Life], rules: &Rules) -> Vec<Chance> {
    let count = lives.len();
    let chance = |of: String, times: usize| {
        let (low, high) = wilson(times, count);
        Chance { of, lives: times, share: times as f64 / count as f64, low, high }
    };
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for life in lives {
        if let End::Died { rule, .. } = life.end {
            *ends.entry(rule).or_default() += 1;
        }
    }
    let times = |of: fn(&super::account::Life) -> bool| lives.iter().filter(|life| of(life)).count();
    let mut chances = vec![
        chance("a loss at the end".into(), times(|life| life.net < Cents::ZERO)),
        chance("a day that a daily limit ends".into(), times(|life| life.days_stopped > 0)),
        chance("the end of the account".into(), times(|life| matches!(life.end, End::Died { .. }))),
    ];
    chances.extend(ends.into_iter().map(|(rule, times)| chance(format!("  by {}", short(rule)), times)));
    if let Some(prop) = &rules.prop {
        let of = format!("passing: {} before the floor", usd(prop.target_usd));
        chances.push(chance(of, times(|life| matches!(life.end, End::Passed { .. }))));
    }
    chances
}

/// Returns the 95 % interval of a share: Wilson (1927), "Probable Inference".
fn wilson(times: usize, of: usize) -> (f64, f64) {
    let (share, count, z) = (times as f64 / of as f64, of as f64, normal::quantile(0.975));
    let scale = 1.0 + z * z / count;
    let middle = (share + z * z / (2.0 * count)) / scale;
    let half = z * (share * (1.0 - share) / count + z * z / (4.0 * count * count)).sqrt() / scale;
    let low = if times == 0 { 0.0 } else { middle - half };
    let high = if times == of { 1.0 } else { middle + half };
    (low, high)
}

#[cfg(test)]
mod tests {
    use mes_core::rules::MES_1K;

    use super::*;

    fn past(nets: &[&[i64]]) -> Past {
        let sessions = nets.iter().map(|day| day.iter().map(|cents| Cents(*cents)).collect()).collect();
        Past { sessions, origin: Origin::Synthetic, ..Past::default() }
    }

    fn rules() -> Rules {
        Rules::parse(MES_1K).expect("rules")
    }

    #[test]
    fn is_the_same_again_and_another_seed_is_another() {
        let past = past(&[&[1916, -1209], &[], &[-1209], &[1916]]);
        let of = |seed| Outcome::of(&past, &rules(), 20, 300, seed);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1).net_usd, of(2).net_usd);
    }

    #[test]
    fn what_cannot_vary_does_not() {
        let outcome = Outcome::of(&past(&[&[500], &[500]]), &rules(), 10, 100, 1);
        assert_eq!(outcome.net_usd, [50.0; 5]);
        assert_eq!((outcome.drawdown_usd, outcome.reordered_drawdown_usd), ([0.0; 5], [0.0; 5]));
        assert!(outcome.chances.iter().all(|chance| chance.share == 0.0));
        assert_eq!(outcome.fan.last(), Some(&(10, [1050.0; 5])));
        // A certain death: $12 lost a day and $200 to lose.
        let outcome = Outcome::of(&past(&[&[-1200]]), &rules(), 30, 50, 1);
        assert_eq!(outcome.net_usd, [-204.0; 5]);
        let died = outcome.chances.iter().find(|chance| chance.of.contains("end of the account"));
        assert_eq!(died.map(|chance| chance.share), Some(1.0));
        assert_eq!(outcome.fan.last(), Some(&(30, [796.0; 5])));
    }

    /// Two sessions, one of +1 and one of −1: the net of 100 days is binomial with a deviation of 10.
    #[test]
    fn draws_have_the_spread_they_should() {
        let outcome = Outcome::of(&past(&[&[100], &[-100]]), &rules(), 100, 20_000, 1);
        let [low, _, middle, _, high] = outcome.net_usd;
        assert!((middle.abs() <= 0.0) && (low + 16.4).abs() <= 1.7 && (high - 16.4).abs() <= 1.7);
        let loss = &outcome.chances[0];
        // P(net < 0) = (1 − P(50 of 100))/2 = 0.4602.
        assert!(loss.low < 0.4602 && 0.4602 < loss.high, "{loss:?}");
    }

    /// A market that always gains passes for certain given time, and never in ten sessions.
    #[test]
    fn none_of_the_lives_is_not_read_beside_a_certainty() {
        let (_, text) =
            mes_core::rules::SHIPPED.iter().find(|(name, _)| *name == "topstep-50k").expect("shipped");
        let firm = Rules::parse(text).expect("rules");
        let outcome = Outcome::of(&past(&[&[5_000], &[-1_000]]), &firm, 10, 200, 1);
        let text = outcome.text();
        let line = |what: &str| text.lines().find(|line| line.contains(what)).unwrap_or_default().to_owned();
        assert!(line("passing: ").contains(" none "), "{text}");
        assert!(line("the sessions' mean").contains("> 99.9 %") && !text.contains("100.0 %"), "{text}");
        assert!(
            text.contains("a life here has 10 sessions for the $3,000.00 to pass, there it has no end"),
            "{text}"
        );
        assert!(text.contains("at +$20.00 a session it is 150 sessions away"), "{text}");
    }

    #[test]
    fn wilson_as_published() {
        // 10 of 100: 0.0552 to 0.1744.
        let (low, high) = wilson(10, 100);
        assert!((low - 0.0552).abs() < 5e-5 && (high - 0.1744).abs() < 5e-5, "{low} {high}");
        assert_eq!(wilson(0, 100).0, 0.0);
        assert_eq!(wilson(100, 100).1, 1.0);
    }
}
