//! Where the history ends and the line begins: what comes is kept back until the one has told all that the other did not.
//! Pure.

use mes_core::time::{MILLI, Now, SECOND, Ts};
use mes_projectx::{hub::MarketEvent, wire::Bar};

/// After the subscriptions are confirmed, to measure the clocks by what comes.
const MEASURE: i64 = 1_500 * MILLI;
/// The join is so long after the confirmation, at the least: the exchange's clock, of which stamps are, may not be the
/// service's.
const MARGIN: i64 = 500 * MILLI;
/// The history is asked so long after the join: it then knows the second before.
const KNOWN: i64 = SECOND;
/// A history that ends before the join is believed from then on, if the line has told nothing since either: the market may
/// stand still, and it may be behind.
const QUIET: i64 = 5 * SECOND;
/// Between two tries while it lags; doubled with each that is not answered, up to the longest.
const AGAIN: i64 = SECOND;
const LONGEST: i64 = 4 * SECOND;
/// Happenings that are kept back: some half an hour of a busy market.
const KEPT: usize = 250_000;

/// A join that is being made.
#[derive(Debug)]
pub struct Join {
    up: Now,
    /// In the service's time, once it is decided.
    at: Option<Ts>,
    /// From when on the history is asked.
    from: Option<Ts>,
    kept: Vec<(MarketEvent, Now)>,
    /// Of the last question: one that was asked for an earlier join may still be answered.
    number: u32,
    /// When it was asked, in the service's time.
    asked: Ts,
    /// How often it did not answer.
    failures: u32,
    /// When the line has to do without, on the steady clock.
    until: i64,
    ask: Ask,
    answer: Option<Vec<Bar>>,
    why: String,
}

/// How it stands with the history; instants are on the steady clock.
#[derive(Debug, PartialEq)]
enum Ask {
    /// Not decided yet.
    Later,
    /// To be asked then.
    At(i64),
    Asked,
    Answered,
    Failed,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    Wait,
    Ask {
        number: u32,
        span: [Ts; 2],
    },
    /// All that was before is known, or will not be: why not, and whether what is known ends too early.
    Joined {
        bars: Vec<Bar>,
        failed: Option<String>,
        lags: bool,
    },
}

impl Join {
    /// Begins as the subscriptions are confirmed; `number` is that of the last question so far.
    pub fn new(up: Now, number: u32) -> Join {
        Join {
            up,
            at: None,
            from: None,
            kept: Vec::new(),
            number,
            asked: Ts::MIN,
            failures: 0,
            until: i64::MAX,
            ask: Ask::Later,
            answer: None,
            why: "no answer".to_owned(),
        }
    }

    /// Keeps back what comes.
    pub fn keep(&mut self, event: MarketEvent, heard: Now) {
        if self.kept.len() < KEPT {
            self.kept.push((event, heard));
        } else if self.ask != Ask::Answered {
            (self.ask, self.why) = (Ask::Failed, "too much came meanwhile".to_owned());
        }
    }

    /// Returns the join where it is decided just now, `there` being the service's time.
    pub fn decide(&mut self, there: Ts, steady: i64) -> Option<Ts> {
        if self.at.is_some() || steady < self.up.steady.saturating_add(MEASURE) {
            return None;
        }
        let up = there.saturating_sub(steady - self.up.steady).saturating_add(MARGIN);
        self.at = Some((up.saturating_sub(1).div_euclid(SECOND) + 1).saturating_mul(SECOND));
        self.at
    }

    /// Takes in from when on the history is wanted, if it is, and how long that may take.
    pub fn wants(&mut self, from: Option<Ts>, patience: i64, steady: i64) {
        self.until = steady.saturating_add(patience);
        self.from = from.filter(|from| self.at.is_some_and(|at| *from < at));
        self.ask = if self.from.is_some() { Ask::At(steady) } else { Ask::Answered };
    }

    /// Takes an answer of the history in.
    pub fn answered(&mut self, number: u32, answer: Result<Vec<Bar>, String>, steady: i64) {
        if number != self.number || self.ask != Ask::Asked {
            return;
        }
        match answer {
            Ok(bars) => {
                let lags = self.lags(&bars);
                self.answer = Some(bars);
                if lags { self.again(steady, "it lags behind") } else { self.ask = Ask::Answered }
            }
            Err(why) => {
                self.failures += 1;
                self.again(steady, &why);
            }
        }
    }

    /// Says whether the history does not know yet what the line has told already, or may be behind in a market that stands still.
    fn lags(&self, bars: &[Bar]) -> bool {
        let Some(at) = self.at else { return true };
        let knows = bars.last().is_some_and(|bar| bar.t.ts() >= at);
        let told = self.kept.iter().any(
            |(event, _)| matches!(event, MarketEvent::Print { print, .. } if print.timestamp.ts() >= at),
        );
        !knows && (told || self.asked < at.saturating_add(QUIET))
    }

    fn again(&mut self, steady: i64, why: &str) {
        why.clone_into(&mut self.why);
        self.ask = Ask::At(steady.saturating_add((AGAIN << self.failures.min(10)).min(LONGEST)));
    }

    /// Says what is to be done now.
    pub fn pass(&mut self, there: Ts, steady: i64) -> Verdict {
        let (Some(at), from) = (self.at, self.from) else { return Verdict::Wait };
        if steady >= self.until && self.ask != Ask::Answered {
            self.ask = Ask::Failed;
        }
        match (&self.ask, from) {
            (Ask::At(due), Some(from)) if *due <= steady && there >= at + SECOND + KNOWN => {
                self.number += 1;
                (self.ask, self.asked) = (Ask::Asked, there);
                Verdict::Ask { number: self.number, span: [from, there] }
            }
            (Ask::Answered, _) if there >= at => {
                let bars = self.answer.take().unwrap_or_default();
                Verdict::Joined { bars, failed: None, lags: false }
            }
            // A history that lags is better than none.
            (Ask::Failed, _) => match self.answer.take() {
                Some(bars) => Verdict::Joined { bars, failed: None, lags: true },
                None => {
                    let failed = Some(std::mem::take(&mut self.why));
                    Verdict::Joined { bars: Vec::new(), failed, lags: false }
                }
            },
            _ => Verdict::Wait,
        }
    }

    /// Returns the first second of the line, in the service's time.
    pub fn at(&self) -> Option<Ts> {
        self.at
    }

    /// Returns what was kept back, in the order in which it came.
    pub fn kept(self) -> Vec<(MarketEvent, Now)> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_that_ends_before_a_quiet_join_is_asked_again_before_it_is_believed() {
        let mut join = Join::new(Now { utc: 0, steady: 0 }, 3);
        let at = join.decide(1_500 * MILLI, 1_500 * MILLI).expect("decided");
        assert_eq!(at, SECOND);
        join.wants(Some(-60 * SECOND), 20 * SECOND, 1_500 * MILLI);
        // Here both clocks are one.
        let pass = |join: &mut Join, seconds: i64| join.pass(seconds * SECOND, seconds * SECOND);
        let answer = |join: &mut Join, number, seconds: i64| {
            join.answered(number, Ok(Vec::new()), seconds * SECOND);
        };
        assert!(matches!(pass(&mut join, 3), Verdict::Ask { number: 4, .. }));
        // One that was asked for an earlier join says nothing of this one.
        answer(&mut join, 1, 3);
        assert_eq!(pass(&mut join, 4), Verdict::Wait);
        // One that took its time knows no more than when it was asked.
        answer(&mut join, 4, 7);
        assert!(matches!(pass(&mut join, 8), Verdict::Ask { number: 5, .. }));
        answer(&mut join, 5, 9);
        assert_eq!(pass(&mut join, 9), Verdict::Joined { bars: Vec::new(), failed: None, lags: false });
    }
}
