//! What a prop firm adds to the rules of its accounts. Its daily loss is `limits.daily_loss_usd`, its cut is
//! `day_end.flat_by`; what is left is here.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use crate::money::Cents;

/// What a firm asks of its accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prop {
    /// How far equity may fall below the highest balance at the end of a day. The floor never falls, and rises no
    /// higher than the balance that the firm opened the account with.
    pub max_loss_usd: f64,
    /// The floor is at the balance that the account was opened with, as after a first payout.
    #[serde(default)]
    pub locked: bool,
    /// What the account had gained before its first start here, and the most that it had gained at the end of a day.
    #[serde(default)]
    pub gain_usd: f64,
    #[serde(default)]
    pub gain_high_usd: f64,
    /// What has to be earned, and the share of it that one day may bring.
    pub target_usd: f64,
    pub best_day_percent: f64,
    /// The most contracts by what the account has gained at the day's start, by rising gain.
    pub ladder: Vec<Rung>,
}

/// The most contracts, from this gain in dollars on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    pub from_usd: f64,
    pub contracts: i64,
}

/// Minutes around announcements in which positions are small.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct News {
    pub before_s: i64,
    pub after_s: i64,
    /// The most contracts within; 0: none. A position above it is closed when the time begins.
    pub contracts: i64,
    /// New York, `YYYY-MM-DDTHH:MM`.
    #[serde(with = "minutes")]
    pub at: Vec<NaiveDateTime>,
}

impl Prop {
    /// Returns the balance that the firm opened the account with; `first` is that of the first start here.
    pub fn opening(&self, first: Cents) -> Cents {
        first - Cents::from_usd(self.gain_usd)
    }

    /// Returns the equity at which the account is lost: min(S, S − D + max(0, H − S)) of the opening balance S, the
    /// highest balance H at the end of a day and the greatest loss D.
    pub fn floor(&self, first: Cents, day_end_high: Cents) -> Cents {
        let opening = self.opening(first);
        let gain = (day_end_high - opening).max(Cents::from_usd(self.gain_high_usd)).max(Cents::ZERO);
        let trailing = opening - Cents::from_usd(self.max_loss_usd) + gain;
        if self.locked { opening } else { trailing.min(opening) }
    }

    /// Returns the most contracts for a day that began with this gain; none below the lowest rung.
    pub fn contracts(&self, gain: Cents) -> i64 {
        let rung = self.ladder.iter().rev().find(|rung| gain.usd() >= rung.from_usd);
        rung.map_or(0, |rung| rung.contracts)
    }

    /// Returns the profit of one day above which the target could not be met in keeping with the best day's share.
    pub fn best_day(&self) -> Cents {
        Cents::from_usd(self.target_usd * self.best_day_percent / 100.0)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let positive = [
            ("max_loss_usd", self.max_loss_usd),
            ("target_usd", self.target_usd),
            ("best_day_percent", self.best_day_percent),
        ];
        if let Some((name, value)) = positive.iter().find(|(_, value)| !(*value > 0.0 && value.is_finite())) {
            return Err(format!("prop.{name} = {value} is not above 0"));
        }
        if !(self.gain_usd.is_finite() && self.gain_high_usd.is_finite()) {
            return Err("prop.gain_usd and gain_high_usd have to be numbers".into());
        }
        if self.ladder.is_empty() || !self.ladder.is_sorted_by(|a, b| a.from_usd < b.from_usd) {
            return Err("[[prop.ladder]]: at least one, by rising from_usd".into());
        }
        Ok(())
    }
}

impl News {
    /// Returns the seconds from the announcement whose time holds this New York time, negative before it.
    pub fn near(&self, wall: NaiveDateTime) -> Option<i64> {
        let from = self.at.iter().map(|at| (wall - *at).num_seconds());
        from.into_iter().find(|seconds| (-self.before_s..self.after_s).contains(seconds))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let amounts = [("before_s", self.before_s), ("after_s", self.after_s), ("contracts", self.contracts)];
        match amounts.iter().find(|(_, value)| *value < 0) {
            Some((name, value)) => Err(format!("news.{name} = {value} is below 0")),
            None => Ok(()),
        }
    }
}

/// Wall times to the minute.
mod minutes {
    use chrono::NaiveDateTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    const FORM: &str = "%Y-%m-%dT%H:%M";

    /// Writes the times.
    ///
    /// # Errors
    ///
    /// What the serializer fails of.
    pub fn serialize<S: Serializer>(times: &[NaiveDateTime], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(times.iter().map(|time| time.format(FORM).to_string()))
    }

    /// Reads the times.
    ///
    /// # Errors
    ///
    /// What the deserializer fails of, and a text that is not `YYYY-MM-DDTHH:MM`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NaiveDateTime>, D::Error> {
        let parse = |text: String| {
            NaiveDateTime::parse_from_str(&text, FORM)
                .map_err(|_| D::Error::custom(format!("news.at: {text:?} is not YYYY-MM-DDTHH:MM")))
        };
        Vec::<String>::deserialize(deserializer)?.into_iter().map(parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prop(max_loss_usd: f64, locked: bool) -> Prop {
        let ladder = vec![
            Rung { from_usd: 0.0, contracts: 20 },
            Rung { from_usd: 1500.0, contracts: 30 },
            Rung { from_usd: 2000.0, contracts: 50 },
        ];
        Prop {
            max_loss_usd,
            locked,
            gain_usd: 0.0,
            gain_high_usd: 0.0,
            target_usd: 3000.0,
            best_day_percent: 55.0,
            ladder,
        }
    }

    /// Balance at the first start, highest balance at a day's end, floor; all worked out by hand.
    #[test]
    fn the_floor_trails_and_locks() {
        for (first, high, floor) in [
            (5_000_000, 5_000_000, 4_800_000),
            (5_000_000, 4_900_000, 4_800_000),
            (5_000_000, 5_050_000, 4_850_000),
            (5_000_000, 5_199_999, 4_999_999),
            (5_000_000, 5_200_000, 5_000_000),
            (5_000_000, 5_900_000, 5_000_000),
            // A funded account begins at 0.
            (0, 0, -200_000),
            (0, 70_000, -130_000),
            (0, 300_000, 0),
        ] {
            assert_eq!(prop(2000.0, false).floor(Cents(first), Cents(high)), Cents(floor), "{first} {high}");
        }
        assert_eq!(prop(2000.0, true).floor(Cents(0), Cents(70_000)), Cents(0));
    }

    /// Opened at $50,000, once at $51,000 in the evening, at $50,800 when it was first traded here.
    #[test]
    fn an_account_may_have_a_past() {
        let prop = Prop { gain_usd: 800.0, gain_high_usd: 1000.0, ..prop(2000.0, false) };
        assert_eq!(prop.opening(Cents(5_080_000)), Cents(5_000_000));
        for (high, floor) in [(5_080_000, 4_900_000), (5_150_000, 4_950_000), (5_300_000, 5_000_000)] {
            assert_eq!(prop.floor(Cents(5_080_000), Cents(high)), Cents(floor), "{high}");
        }
    }

    #[test]
    fn the_ladder_and_the_best_day() {
        let prop = prop(2000.0, false);
        for (gain, contracts) in
            [(-1, 0), (0, 20), (149_999, 20), (150_000, 30), (199_999, 30), (200_000, 50), (9_000_000, 50)]
        {
            assert_eq!(prop.contracts(Cents(gain)), contracts, "{gain}");
        }
        assert_eq!(prop.best_day(), Cents(165_000));
    }

    #[test]
    fn an_announcement_has_a_before_and_an_after() {
        let at = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").expect("a time");
        let news = News { before_s: 300, after_s: 300, contracts: 1, at: vec![at("2026-12-10T08:30:00")] };
        for (wall, near) in [
            ("2026-12-10T08:24:59", None),
            ("2026-12-10T08:25:00", Some(-300)),
            ("2026-12-10T08:30:00", Some(0)),
            ("2026-12-10T08:34:59", Some(299)),
            ("2026-12-10T08:35:00", None),
            ("2026-12-11T08:30:00", None),
        ] {
            assert_eq!(news.near(at(wall)), near, "{wall}");
        }
    }
}
