//! The same thing told again: once, and later how often it came.

use std::collections::BTreeMap;

use mes_core::time::{SECOND, Ts};
use mes_judge::words;

use crate::alert::Alert;

/// How many things are remembered; further ones are told each time.
const REMEMBERED: usize = 1000;

/// What was told lately.
pub(super) struct Repeats {
    within: i64,
    told: BTreeMap<(String, String), Told>,
}

struct Told {
    since: Ts,
    until: Ts,
    times: u64,
    last: Alert,
}

impl Repeats {
    /// Begins with nothing told; what comes again within so many nanoseconds is a repetition.
    pub fn new(within: i64) -> Repeats {
        Repeats { within, told: BTreeMap::new() }
    }

    /// Says whether an alert is to be told, and counts it if not.
    pub fn is_new(&mut self, alert: &Alert, now: Ts) -> bool {
        let Some(same) = &alert.same else { return true };
        let key = (alert.kind.clone(), same.clone());
        match self.told.get_mut(&key) {
            Some(told) if (0..self.within).contains(&now.saturating_sub(told.since)) => {
                told.times += 1;
                (told.until, told.last) = (now, alert.clone());
                false
            }
            _ => {
                if self.told.len() < REMEMBERED {
                    self.told.insert(key, Told { since: now, until: now, times: 0, last: alert.clone() });
                }
                true
            }
        }
    }

    /// Returns what came again of the things whose time is over, and forgets them.
    pub fn over(&mut self, now: Ts) -> Vec<Alert> {
        let within = self.within;
        let over = self.told.extract_if(.., |_, told| now.saturating_sub(told.since) >= within);
        let again = over.filter(|(_, told)| told.times > 0).map(|(_, told)| {
            let lasted = words::lasted((told.until - told.since) / SECOND);
            let times = words::count(told.times, "time");
            let text = format!("{} ({times} more within {lasted})", told.last.text);
            Alert { id: format!("{}-again", told.last.id), text, ..told.last }
        });
        again.collect()
    }
}
