//! From when on there were predictions, and for how much of the rows. A model says nothing until all its features are
//! known; what that costs after the open is nowhere else to be seen.

use chrono::{NaiveTime, TimeDelta};
use mes_core::{time::Ts, tz};
use serde::Serialize;

use super::ratio;
use crate::{
    facts::Facts,
    words::{self, count, or_dash, percent},
};

/// Days begin at 18:00.
const BEFORE_MIDNIGHT: TimeDelta = TimeDelta::hours(6);

/// How much of the time there were predictions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Predicted {
    /// The share of the rows that had a prediction.
    pub ratio: Option<f64>,
    /// The time in New York of a day's first prediction: on the middle day, and on the latest.
    pub from_new_york: Option<String>,
    pub latest_new_york: Option<String>,
    /// Days on which there was none at all.
    pub days_without: usize,
}

impl Predicted {
    /// Reads what the recorder noted.
    pub fn of(facts: &Facts) -> Predicted {
        let mut firsts: Vec<TimeDelta> =
            facts.first_predicted.iter().map(|(_, ts)| into_the_day(*ts)).collect();
        firsts.sort_unstable();
        // Of an even number the later of the two in the middle.
        let middle = firsts.get(firsts.len() / 2);
        Predicted {
            ratio: ratio(facts.predicted as f64, facts.rows as f64),
            from_new_york: middle.map(clock),
            latest_new_york: firsts.last().map(clock),
            days_without: facts.days.len().saturating_sub(firsts.len()),
        }
    }

    /// Says it: `from 09:35:00 New York on, on 98.7 % of the rows`.
    pub fn sentence(&self) -> String {
        let Some(from) = &self.from_new_york else { return "none".into() };
        let latest = self.latest_new_york.as_ref().filter(|latest| *latest != from);
        let latest = latest.map(|latest| format!(" (the latest day {latest})")).unwrap_or_default();
        let without = match self.days_without {
            0 => String::new(),
            days => format!("; none on {}", count(days as u64, "day")),
        };
        let share = or_dash(self.ratio, percent);
        format!("from {from} New York on{latest}, on {share} of the session's rows{without}")
    }
}

/// Returns how long after its day's begin an instant is.
fn into_the_day(ts: Ts) -> TimeDelta {
    (tz::new_york(ts) + BEFORE_MIDNIGHT).time() - NaiveTime::MIN
}

fn clock(into_the_day: &TimeDelta) -> String {
    words::clock((NaiveTime::MIN - BEFORE_MIDNIGHT) + *into_the_day)
}

#[cfg(test)]
mod tests {
    use mes_core::time;

    use super::*;
    use crate::sample;

    #[test]
    fn the_report_says_from_when_on_predictions_exist() {
        let mut facts = sample::facts(&[100, -300, 50, 20]);
        let at = |text| time::parse(text).expect("a time");
        facts.first_predicted = vec![
            (1, at("2026-11-02T14:35:00Z")),
            (2, at("2026-11-03T14:35:00Z")),
            // The evening before belongs to the day: it is the earliest, not the latest.
            (3, at("2026-11-04T23:05:00Z")),
        ];
        (facts.rows, facts.predicted) = (400, 300);
        let found = Predicted::of(&facts);
        assert_eq!(
            found.sentence(),
            "from 09:35:00 New York on, on 75.0 % of the session's rows; none on 1 day"
        );
        facts.first_predicted[1].1 = at("2026-11-03T15:00:00Z");
        assert!(Predicted::of(&facts).sentence().contains("(the latest day 10:00:00)"));
        assert_eq!(Predicted::of(&sample::facts(&[])).sentence(), "none");
    }

    #[test]
    fn the_recorder_notes_the_first_of_each_day() {
        let facts = sample::facts(&[100, -300, 50]);
        let days: Vec<usize> = facts.first_predicted.iter().map(|(day, _)| *day).collect();
        assert_eq!(days, [1, 2, 3]);
        assert_eq!(Predicted::of(&facts).from_new_york.as_deref(), Some("09:32:00"));
    }
}
