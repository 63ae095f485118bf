//! What goes wrong on request: a table of faults, and schedules of them that a seed gives and a line of JSON repeats.

use std::collections::BTreeMap;

use mes_core::{
    dice::Draw,
    time::{MILLI, SECOND, Ts},
};
use serde::{Deserialize, Serialize};

/// Declares the faults: name in commands and schedules, how long it lasts by itself in seconds (0: it happens once), and
/// what it does.
macro_rules! faults {
    ($($fault:ident $name:literal $seconds:literal $about:literal)+) => {
        /// Something that goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Fault {
            $(
                #[doc = $about]
                #[serde(rename = $name)]
                $fault,
            )+
        }

        impl Fault {
            /// All of them.
            pub const ALL: &[Fault] = &[$(Fault::$fault),+];

            /// Returns its name.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$fault => $name),+ }
            }

            /// Says what it does.
            pub fn about(self) -> &'static str {
                match self { $(Fault::$fault => $about),+ }
            }

            /// Returns how long it lasts where nobody says so, in nanoseconds; 0 where it happens once.
            pub fn lasts(self) -> i64 {
                match self { $(Fault::$fault => $seconds * SECOND),+ }
            }
        }
    };
}

faults! {
    ReplyLost "reply-lost" 2 "calls are carried out and never answered"
    ReplyCut "reply-cut" 2 "calls are carried out and their answers break off"
    ReplyLate "reply-late" 3 "answers come 2 s late"
    ReplyMalformed "reply-malformed" 2 "answers make no sense"
    Busy "busy" 5 "calls are answered 429 and not carried out"
    Down "down" 3 "calls are answered 503; one in two is carried out all the same"
    Pending "pending" 3 "orders are taken and answered with code 6"
    UnknownError "unknown-error" 3 "orders are taken and answered with code 7"
    Expired "expired" 0 "all tokens end"
    Evicted "evicted" 0 "another login throws everybody out: GatewayLogout, hubs closed, tokens void"
    EventsLost "events-lost" 2 "one in two events of the user hub never comes"
    EventsLate "events-late" 3 "events of the user hub come up to 2 s late, in any order"
    EventsDoubled "events-doubled" 5 "events come twice"
    EventsMalformed "events-malformed" 2 "one in three events makes no sense"
    LineCut "line-cut" 0 "all hub connections are cut"
    LineCutOnFill "line-cut-on-fill" 10 "the user hub is cut in the middle of the next fill"
    LinesRefused "lines-refused" 4 "hub connections are cut, and new ones answered 503"
    QuotesFrozen "quotes-frozen" 20 "quotes stop; pings, trades and depth go on"
    SubscribeHangs "subscribe-hangs" 20 "subscriptions are never confirmed"
    NumbersAsText "numbers-as-text" 10 "numbers of user events come as text"
    OrderIdForId "order-id-for-id" 10 "orders on the hub are named by orderId"
    NullsInQuotes "nulls-in-quotes" 10 "quotes come as lists padded with nulls"
    ClockAhead "clock-ahead" 20 "all stamps are 5 s ahead"
    ClockBehind "clock-behind" 20 "all stamps are 5 s behind"
    PartialEntries "partial-entries" 20 "entries are filled in parts"
    PartialExits "partial-exits" 20 "exits are filled in parts"
    BothLegs "both-legs" 20 "both legs of a bracket are filled"
    LegsCancelled "legs-cancelled" 20 "a partial exit cancels the legs of what it closed"
    GroupCancelled "group-cancelled" 20 "a partial exit cancels all legs"
    Halted "halted" 10 "the market is halted: nothing fills and nothing is taken"
    NoFunds "no-funds" 10 "no account has the margin for another contract"
    NoBrackets "no-brackets" 10 "brackets are refused as in the platform's own mode"
    FirmFlattens "firm-flattens" 0 "the firm closes all and locks the account"
}

impl Fault {
    /// Finds a fault by its name.
    pub fn of(name: &str) -> Option<Fault> {
        Fault::ALL.iter().copied().find(|fault| fault.name() == name)
    }
}

/// A fault at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// After the beginning.
    pub at_ms: u64,
    pub fault: Fault,
    pub for_ms: u64,
}

/// What goes wrong in a run. The same line gives the same faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub seed: u64,
    pub faults: Vec<Planned>,
}

impl Schedule {
    /// Draws one: `count` faults of `among` within so many milliseconds.
    pub fn draw(seed: u64, count: usize, within_ms: u64, among: &[Fault]) -> Schedule {
        let mut draw = Draw::new(seed, 0x_fa17);
        let mut faults: Vec<Planned> = (0..count)
            .filter(|_| !among.is_empty())
            .map(|_| {
                let fault = among[draw.below(among.len())];
                let at_ms = draw.below(within_ms.max(1) as usize) as u64;
                let lasts = fault.lasts() / MILLI;
                Planned { at_ms, fault, for_ms: lasts as u64 / 4 + draw.below(lasts as usize + 1) as u64 }
            })
            .collect();
        faults.sort_by_key(|planned| planned.at_ms);
        Schedule { seed, faults }
    }

    /// Reads a line.
    ///
    /// # Errors
    ///
    /// What is no schedule.
    pub fn read(line: &str) -> Result<Schedule, String> {
        let mut schedule: Schedule =
            serde_json::from_str(line).map_err(|error| format!("no schedule: {error}"))?;
        schedule.faults.sort_by_key(|planned| planned.at_ms);
        Ok(schedule)
    }

    /// Writes a line.
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Which faults act now, and which are to come.
#[derive(Debug, Default)]
pub struct Faults {
    planned: Vec<(Ts, Fault, i64)>,
    until: BTreeMap<Fault, Ts>,
}

impl Faults {
    /// Takes a schedule that begins at `now`.
    pub fn plan(&mut self, schedule: &Schedule, now: Ts) {
        let nanos = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(MILLI);
        let planned = &schedule.faults;
        self.planned.extend(
            planned.iter().map(|planned| {
                (now.saturating_add(nanos(planned.at_ms)), planned.fault, nanos(planned.for_ms))
            }),
        );
        self.planned.sort_by_key(|(at, _, _)| *at);
    }

    /// Begins one that lasts so long.
    pub fn begin(&mut self, fault: Fault, now: Ts, lasts: i64) {
        let until = self.until.entry(fault).or_insert(now);
        *until = (*until).max(now.saturating_add(lasts));
    }

    /// Lets time pass: returns the faults that begin, which act from now on.
    pub fn pass(&mut self, now: Ts) -> Vec<Fault> {
        self.until.retain(|_, until| *until > now);
        let due = self.planned.iter().take_while(|(at, _, _)| *at <= now).count();
        let begun: Vec<_> = self.planned.drain(..due).collect();
        for (at, fault, lasts) in &begun {
            self.begin(*fault, *at, *lasts);
        }
        begun.into_iter().map(|(_, fault, _)| fault).collect()
    }

    /// Says whether one acts now.
    pub fn acts(&self, fault: Fault) -> bool {
        self.until.contains_key(&fault)
    }

    /// Ends one; says whether it acted.
    pub fn end(&mut self, fault: Fault) -> bool {
        self.until.remove(&fault).is_some()
    }

    /// Returns the next instant at which one begins or ends.
    pub fn next(&self) -> Option<Ts> {
        let begins = self.planned.first().map(|(at, _, _)| *at);
        self.until.values().copied().chain(begins).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_repeats_a_schedule() {
        let drawn = Schedule::draw(7, 20, 60_000, Fault::ALL);
        assert_eq!(Schedule::draw(7, 20, 60_000, Fault::ALL), drawn);
        assert_eq!(Schedule::read(&drawn.line()), Ok(drawn.clone()));
        assert!(drawn.faults.is_sorted_by_key(|planned| planned.at_ms));
        assert!(
            Schedule::read("{\"seed\":1}").is_err()
                && Schedule::read("{\"seed\":1,\"faults\":[{\"fault\":\"x\"}]}").is_err()
        );
        for fault in Fault::ALL {
            assert_eq!(Fault::of(fault.name()), Some(*fault));
        }
    }

    #[test]
    fn a_fault_acts_from_its_beginning_to_its_end() {
        let mut faults = Faults::default();
        faults.plan(
            &Schedule::read(r#"{"seed":0,"faults":[{"at_ms":10,"fault":"busy","for_ms":5}]}"#)
                .expect("a schedule"),
            0,
        );
        assert_eq!((faults.next(), faults.pass(9 * MILLI)), (Some(10 * MILLI), vec![]));
        assert_eq!(faults.pass(10 * MILLI), [Fault::Busy]);
        assert!(faults.acts(Fault::Busy) && !faults.acts(Fault::Down));
        assert_eq!(faults.next(), Some(15 * MILLI));
        assert_eq!(faults.pass(15 * MILLI), []);
        assert!(!faults.acts(Fault::Busy) && faults.next().is_none());
    }
}
