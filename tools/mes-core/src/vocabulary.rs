//! The names that records use for rules, limits, refusals and exits, and what each says to a person. Whoever writes such
//! a name, and whoever shows it, looks here.

mod words;

pub use words::WORDS;

use crate::{ledger::Lasts, limits};

/// What a name is written for. Some are written for two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A rule of an entry.
    Rule,
    /// Another reason to deny one.
    Denial,
    /// An amount at which trading stops.
    Limit,
    /// What a person should know.
    Alert,
    /// An alert of what no plan has room for.
    Incident,
    /// Why nothing is asked for.
    Hold,
    /// Why a broker, or the guard before it, does not do what was asked for.
    Refusal,
    /// Why a position was closed.
    Exit,
}

/// In what the numbers of a name are; it ends the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Dollars,
    Seconds,
    Milliseconds,
    Percent,
    Points,
    Ticks,
    Contracts,
    /// A count of something else, or no number at all.
    Plain,
}

/// One name and what it says.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub name: &'static str,
    pub kinds: &'static [Kind],
    /// A few words, for tables.
    pub short: &'static str,
    /// What it means with its numbers, for which `{value}` and `{limit}` stand; empty where the short words say it.
    sentence: &'static str,
}

/// Returns the word of this name.
pub fn of(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.name == name)
}

/// Returns the names that are written for `kind`, in order.
pub fn names(kind: Kind) -> impl Iterator<Item = &'static str> {
    WORDS.iter().filter(move |word| word.kinds.contains(&kind)).map(|word| word.name)
}

/// Says whether a name is written for `kind`.
pub fn is(name: &str, kind: Kind) -> bool {
    of(name).is_some_and(|word| word.kinds.contains(&kind))
}

/// Says in a few words what a name is; one from elsewhere by itself.
pub fn short(name: &str) -> String {
    of(name).map_or_else(|| name.replace('_', " "), |word| word.short.into())
}

/// Says what a name means, with its numbers; one from elsewhere by itself.
pub fn sentence(name: &str, value: f64, limit: f64) -> String {
    let Some(word) = of(name) else { return name.replace('_', " ") };
    let number = |amount: f64| match word.unit() {
        Unit::Dollars => format!("{amount:.2}"),
        // What dollars allow: contracts.
        _ if word.sentence.contains("${value}") => format!("{amount:.2}"),
        _ => format!("{}", (amount * 100.0).round() / 100.0),
    };
    let text = if word.sentence.is_empty() { word.short } else { word.sentence };
    text.replace("{value}", &number(value)).replace("{limit}", &number(limit))
}

/// Returns in what the numbers of a name are.
pub fn unit(name: &str) -> Unit {
    match name.rsplit('_').next() {
        Some("usd") => Unit::Dollars,
        Some("s") => Unit::Seconds,
        Some("ms") => Unit::Milliseconds,
        Some("percent") => Unit::Percent,
        Some("points") => Unit::Points,
        Some("ticks") => Unit::Ticks,
        Some("contracts") => Unit::Contracts,
        _ => Unit::Plain,
    }
}

impl Word {
    /// Returns in what its numbers are.
    pub fn unit(&self) -> Unit {
        unit(self.name)
    }

    /// Says how long it stops trading, where it is a limit.
    pub fn lasts(&self) -> Option<Lasts> {
        limits::lasts(self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        ledger::Ledger,
        limits::{LimitFacts, Limits},
        money::Cents,
        order::ExitReason,
        rules::{Rules, SHIPPED},
    };

    #[test]
    fn a_name_stands_once_and_says_something() {
        let all: BTreeSet<&str> = WORDS.iter().map(|word| word.name).collect();
        assert_eq!(all.len(), WORDS.len());
        for word in &WORDS {
            assert!(!word.short.is_empty() && !word.kinds.is_empty(), "{}", word.name);
            // A number that is shown has a unit, or is a count that the sentence names.
            let said = sentence(word.name, 1.5, 2.0);
            assert!(!said.contains('{') && !said.is_empty(), "{said}");
        }
    }

    #[test]
    fn the_limits_and_the_exits_are_those_that_there_are() {
        let text = SHIPPED.iter().find(|(name, _)| *name == "topstep-50k").expect("a firm's rules").1;
        let facts = LimitFacts::of(&Ledger::new(Cents(5_000_000)));
        let limits = Limits::of(&Rules::parse(text).expect("rules"));
        let used: Vec<&str> = limits.used(&facts).map(|used| used.rule).collect();
        assert_eq!(names(Kind::Limit).collect::<Vec<_>>(), used);
        assert!(WORDS.iter().all(|word| word.lasts().is_some() == word.kinds.contains(&Kind::Limit)));
        let exits: BTreeSet<&str> = ExitReason::ALL.iter().map(|exit| exit.name()).collect();
        assert_eq!(names(Kind::Exit).collect::<BTreeSet<_>>(), exits);
    }

    #[test]
    fn numbers_are_said_in_their_unit() {
        for (name, said) in [
            ("stale_ms", "the last trade or quote is 7.5 ms old, more than 5"),
            ("daily_loss_usd", "$7.50 lost today, of $5.00; over with the day"),
            ("ladder_contracts", "what the firm allows after a gain of $7.50"),
            ("tier_contracts", "what a balance of $7.50 may hold (tier from $5.00)"),
            ("guard_rate", "guard: too many orders a minute"),
            ("of_another_mes", "of another mes"),
        ] {
            assert_eq!(sentence(name, 7.5, 5.0), said);
        }
        assert_eq!(
            (short("daily_loss_usd"), short("a_new_rule")),
            ("daily loss".into(), "a new rule".into())
        );
    }
}
