//! What can be told, and how much it matters. Names of rules, limits, alerts and refusals are those of the records; only what no record
//! has a name for is named here.

use mes_core::vocabulary::{self, Kind as Use, WORDS, Word};
use serde::{Deserialize, Serialize};

/// How much an alert matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Good to know.
    Info,
    /// Worth a look.
    Notice,
    /// Look now; no quiet hours hold it back.
    Urgent,
}

impl Priority {
    /// Returns its name, as in the TOML and in records.
    pub fn name(self) -> &'static str {
        match self {
            Priority::Info => "info",
            Priority::Notice => "notice",
            Priority::Urgent => "urgent",
        }
    }
}

/// One thing that can be told.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    pub name: &'static str,
    pub priority: Priority,
    pub says: &'static str,
}

const fn kind(name: &'static str, priority: Priority, says: &'static str) -> Kind {
    Kind { name, priority, says }
}

/// What no record has a name for.
const OWN: [Kind; 19] = [
    kind("start", Priority::Notice, "a run began"),
    kind("entry", Priority::Info, "a position was opened or added to"),
    kind("exit", Priority::Notice, "a position was closed, with what the trade brought"),
    kind("part", Priority::Info, "a part of a position was closed"),
    kind("day", Priority::Notice, "a trading day is over"),
    kind("end", Priority::Notice, "a run ended in order"),
    kind("open_at_end", Priority::Urgent, "a run ended with a position or an order left"),
    kind("person", Priority::Notice, "a person said resume, review, reset or stop"),
    kind("unknown_order", Priority::Urgent, "nobody knows whether an order arrived"),
    kind("reconnected", Priority::Notice, "the account is heard of again"),
    kind("logout", Priority::Urgent, "the session at the broker was thrown out"),
    kind("exec", Priority::Urgent, "what mes-exec says to the person who watches"),
    kind("heartbeat", Priority::Info, "still here"),
    kind("silence", Priority::Urgent, "the journal does not grow, and the market is open"),
    kind("growing", Priority::Notice, "the journal grows again"),
    kind("cut", Priority::Urgent, "a journal stops without its end"),
    kind("damaged", Priority::Urgent, "a line of a journal cannot be read"),
    kind("undelivered", Priority::Notice, "something could not be told where it should have been"),
    kind("test", Priority::Urgent, "a trial by `mes-alert test`"),
];

/// Alerts and refusals that cannot wait.
const URGENT: [&str; 14] = [
    "unexplained_position",
    "unprotected_position",
    "unprotected_ms",
    "beyond_limit_usd",
    "beyond_worst_case_usd",
    "new_price_points",
    "unexplained_balance_usd",
    "halted",
    "foreign",
    "locked_account",
    "brackets",
    "account",
    "funds",
    "guard_can_trade",
];

/// Reasons not to enter that belong to the plan: every day has them.
const PLAN: [&str; 11] = [
    "entries_session_s",
    "day_end_s",
    "cooldown_s",
    "reversal_cooldown_s",
    "reversals_in_range",
    "p_size_contracts",
    "tier_contracts",
    "ladder_contracts",
    "size_usd",
    "position_open",
    "cancelled",
];

/// Lists all of them, those of no record first.
pub fn all() -> Vec<Kind> {
    let words = WORDS
        .iter()
        .filter_map(|word| Some(Kind { name: word.name, priority: of_word(word)?, says: word.short }));
    OWN.into_iter().chain(words).collect()
}

/// Returns how much a kind matters; one from elsewhere is worth a look.
pub fn priority(name: &str) -> Priority {
    let own = OWN.iter().find(|kind| kind.name == name).map(|kind| kind.priority);
    own.or_else(|| vocabulary::of(name).and_then(of_word)).unwrap_or(Priority::Notice)
}

/// Says in a few words what a kind is.
pub fn says(name: &str) -> String {
    let own = OWN.iter().find(|kind| kind.name == name);
    own.map_or_else(|| vocabulary::short(name), |kind| kind.says.to_owned())
}

fn of_word(word: &Word) -> Option<Priority> {
    let is = |kind| word.kinds.contains(&kind);
    if URGENT.contains(&word.name) || is(Use::Limit) {
        Some(Priority::Urgent)
    } else if PLAN.contains(&word.name) {
        Some(Priority::Info)
    } else if [Use::Alert, Use::Rule, Use::Denial, Use::Refusal].into_iter().any(is) {
        Some(Priority::Notice)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_stands_once_and_the_lists_name_words_that_are_told() {
        let all = all();
        let names: BTreeSet<&str> = all.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), all.len());
        for name in URGENT.iter().chain(&PLAN) {
            assert!(names.contains(name), "{name}");
        }
        for kind in &all {
            assert_eq!(priority(kind.name), kind.priority, "{}", kind.name);
        }
        assert_eq!(priority("daily_loss_usd"), Priority::Urgent);
        assert_eq!(priority("spread_ticks"), Priority::Notice);
        assert_eq!(priority("of_another_mes"), Priority::Notice);
    }
}
