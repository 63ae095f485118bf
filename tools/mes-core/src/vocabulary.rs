//! The names that records use for rules, limits, refusals and exits, and what each says to a person. Whoever writes such
//! a name, and whoever shows it, looks here.

use crate::{
    ledger::Lasts,
    limits,
    vocabulary::Kind::{Alert, Denial, Exit, Hold, Limit, Refusal, Rule},
};

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

/// All names, those that mean the hardest first among the limits, and the rules in the order in which a denial is named.
pub const WORDS: [Word; 77] = [
    // Rules of an entry, in the order in which a denial is named.
    word(
        "entries_session_s",
        &[Rule],
        "outside the hours for entries",
        "entries are for other hours: the cash session opens in {value} s",
    ),
    word(
        "day_end_s",
        &[Rule],
        "too near the end of the day",
        "flat-by is in {value} s, and nothing is entered in the last {limit} s before it",
    ),
    word(
        "stale_ms",
        &[Rule],
        "last trade or quote too old",
        "the last trade or quote is {value} ms old, more than {limit}",
    ),
    word(
        "account_stale_ms",
        &[Rule],
        "account not looked at lately",
        "the account as the broker knows it is {value} ms old, more than {limit}",
    ),
    word(
        "account_barred",
        &[Rule],
        "broker wants no entries",
        "the broker wants no entries: `barred` in its statement says why",
    ),
    word(
        "price_jump_percent",
        &[Rule, Alert],
        "price that no market makes",
        "the price is {value} % from the last one, and no market moves more than {limit} %: it counts as halted",
    ),
    word(
        "locked_s",
        &[Rule, Alert],
        "market locked",
        "every trade of {value} s was at one price, far from the close of the day before: it may not fill",
    ),
    word(
        "quote_sides",
        &[Rule],
        "quote with a side missing",
        "{value} of {limit} sides of the quote are there: the spread is unknown",
    ),
    word(
        "quote_crossed_ticks",
        &[Rule],
        "quote crossed or locked",
        "the ask lies {value} ticks above the bid, less than {limit}: the spread is unknown",
    ),
    word(
        "quote_far_percent",
        &[Rule],
        "quote far from the last trade",
        "the quote is {value} % from the last trade, more than {limit} %: the spread is unknown",
    ),
    word(
        "losses_pause_s",
        &[Rule],
        "pause after losses in a row",
        "{value} s of a pause of {limit} s after losing trades have passed",
    ),
    word(
        "cooldown_s",
        &[Rule],
        "pause after an exit",
        "{value} s have passed since the last exit, of {limit} s",
    ),
    word(
        "spread_ticks",
        &[Rule],
        "spread too wide",
        "the spread was too wide; it is {value} ticks now and has to be {limit}",
    ),
    word(
        "news_contracts",
        &[Rule],
        "too near an announcement",
        "an announcement is {value} s away: {limit} contracts at most",
    ),
    word(
        "best_day_usd",
        &[Rule],
        "the day has earned enough",
        "today has earned ${value} of the ${limit} that one day may bring",
    ),
    word(
        "minimum_balance_usd",
        &[Rule],
        "below the minimum balance",
        "the balance of ${value} is below ${limit}",
    ),
    word(
        "tier_contracts",
        &[Rule],
        "balance below the lowest tier",
        "what a balance of ${value} may hold (tier from ${limit})",
    ),
    word("ladder_contracts", &[Rule], "the firm's size", "what the firm allows after a gain of ${value}"),
    word(
        "per_trade_usd",
        &[Rule],
        "more risk than one trade may have",
        "${value} a contract; one trade may lose ${limit}",
    ),
    word(
        "room_usd",
        &[Rule],
        "no room left under a limit",
        "${value} a contract; the nearest limit leaves ${limit}",
    ),
    word(
        "size_usd",
        &[Rule],
        "too small for one contract",
        "${value} a contract; the size of the account allows ${limit}",
    ),
    word(
        "atr_ticks",
        &[Rule],
        "market too wild",
        "the market moves {value} ticks a minute, above {limit}: smaller",
    ),
    word(
        "volume_contracts",
        &[Rule],
        "market too quiet",
        "{value} contracts in the last minute, below {limit}: smaller",
    ),
    // What else denies an entry.
    word(
        "halted",
        &[Denial],
        "halted until a person resumes",
        "halted by a person, by mes-exec after an error, or by a price that jumped: mes-risk resume lifts that",
    ),
    word(
        "reversal_cooldown_s",
        &[Denial],
        "turned over too soon",
        "{value} s have passed since the last reversal, of {limit} s",
    ),
    word(
        "reversals_in_range",
        &[Denial],
        "turned over too often",
        "turned over {value} times within one minute's range, of {limit}",
    ),
    // Limits, the hardest first.
    word(
        "max_loss_usd",
        &[Limit],
        "the firm's maximum loss",
        "the firm's greatest loss is reached: ${value} of ${limit}",
    ),
    word(
        "kill_loss_usd",
        &[Limit],
        "kill switch",
        "the kill switch: ${value} lost since the start, of ${limit}; mes-risk reset lifts that",
    ),
    word(
        "account_drawdown_usd",
        &[Limit],
        "account drawdown",
        "${value} below the account's peak, of ${limit}; mes-risk review lifts that",
    ),
    word(
        "daily_drawdown_usd",
        &[Limit],
        "daily drawdown",
        "${value} below the day's peak, of ${limit}; over with the day",
    ),
    word("daily_loss_usd", &[Limit], "daily loss", "${value} lost today, of ${limit}; over with the day"),
    // What a person should know.
    word(
        "beyond_limit_usd",
        &[Alert],
        "loss beyond the limit",
        "${value} more than the limit of ${limit} was lost",
    ),
    word(
        "beyond_worst_case_usd",
        &[Alert],
        "loss beyond the worst case",
        "a trade lost ${value}; its worst case, stop, slippage and costs, was ${limit}",
    ),
    word(
        "new_price_points",
        &[Alert],
        "price that jumped and stayed",
        "{value} after {limit}: ten rows confirm it; closed at the last price before, and mes-risk resume goes on",
    ),
    word(
        "roll_points",
        &[Alert],
        "another contract under a position",
        "another contract, at {value}, came while a trade was open: closed at {limit}, the last of the old",
    ),
    word(
        "unexplained_position",
        &[Alert],
        "position is not the sum of its fills",
        "the broker says {value} contracts, and the fills make {limit}: closed and halted; mes-risk resume lifts that",
    ),
    word(
        "unprotected_position",
        &[Alert],
        "position without its stop",
        "{value} of {limit} contracts have a stop: closed and halted; mes-risk resume lifts that",
    ),
    word(
        "unprotected_ms",
        &[Alert],
        "position without protection at the broker",
        "the broker has known of no protection of the open position for {value} ms, more than {limit}",
    ),
    word(
        "far_stop_ticks",
        &[Alert],
        "stop further away than the rules place one",
        "the stop lies {value} ticks from the entry; these rules place none beyond {limit}",
    ),
    word(
        "unexplained_balance_usd",
        &[Alert],
        "cash that no fill explains",
        "the broker says ${value}, and the fills make ${limit}: look at the account at the broker",
    ),
    // Why nothing is asked for.
    word(
        "in_flight",
        &[Hold],
        "an order was on its way",
        "an order is on its way, and counts in full until the broker has seen it",
    ),
    word("in_trade", &[Hold], "already in a trade", "a trade is open, and nothing ends it yet"),
    word("no_prediction", &[Hold], "no prediction (warm-up)", "the model says nothing yet (warm-up)"),
    word("flat", &[Hold], "the model expected no move", "the model expects no move"),
    word("confidence", &[Hold], "not confident enough", "the model is not confident enough"),
    word("warm_up", &[Hold], "before --from", "the row comes before --from"),
    word("closed", &[Hold], "market closed", "the market is closed"),
    // What a broker and the guard before it refuse with.
    word("session_end", &[Refusal, Exit], "session ended", ""),
    word("position_open", &[Refusal], "a position was open", ""),
    word("cancelled", &[Refusal], "cancelled by risk", ""),
    word("expired", &[Refusal], "no trade within the entry's lifetime", ""),
    word("locked", &[Refusal], "market locked", "the market is locked: nobody takes the other side"),
    word("guard_contracts", &[Refusal], "guard: too many contracts", ""),
    word("guard_stop", &[Refusal], "guard: stop too wide", ""),
    word("guard_stop_back", &[Refusal], "guard: stop moved away from the market", ""),
    word("guard_day_end", &[Refusal], "guard: end of the day", ""),
    word("guard_closed", &[Refusal], "guard: market closed", ""),
    word("guard_rate", &[Refusal], "guard: too many orders a minute", ""),
    word("guard_ts", &[Refusal], "guard: decided in the future", ""),
    word("guard_row_age", &[Refusal], "guard: decided on an old row", ""),
    word("guard_silence", &[Refusal], "guard: no rows, or not for long enough again", ""),
    word("guard_can_trade", &[Refusal], "guard: the account may not trade", ""),
    word("limit_entry", &[Refusal], "paper fills no limit entries", ""),
    // Why a position was closed.
    word("target", &[Exit], "target", ""),
    word("stop", &[Exit], "stop", ""),
    word("trail", &[Exit], "trailing stop", "the stop was moved"),
    word("signal", &[Exit], "opposite signal", "the model now expects the opposite"),
    word("timeout", &[Exit], "held long enough", "held as long as the rules allow"),
    word("eod_flatten", &[Exit], "end of the day", "the day ends: everything is closed"),
    word("limit", &[Exit], "limit reached", "a limit, a halt or an announcement closes everything"),
    word("data_gap", &[Exit], "hole in the data", ""),
    word("end_of_data", &[Exit], "end of data", ""),
    word("price_jump", &[Exit], "price jumped", "the price jumped and stayed there"),
    word("roll", &[Exit], "another contract", "another contract came"),
    word("person", &[Exit], "stopped by a person", ""),
    word("outside", &[Exit], "closed by somebody else", "a person or a program beside us closed it"),
    word("broker", &[Exit], "closed by the broker", "the broker or the firm closed it"),
];

const fn word(
    name: &'static str,
    kinds: &'static [Kind],
    short: &'static str,
    sentence: &'static str,
) -> Word {
    Word { name, kinds, short, sentence }
}

/// Returns the word of this name.
pub fn of(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.name == name)
}

/// Returns the names that are written for `kind`, in order.
pub fn names(kind: Kind) -> impl Iterator<Item = &'static str> {
    WORDS.iter().filter(move |word| word.kinds.contains(&kind)).map(|word| word.name)
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
        limits::{Facts, Limits},
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
        let facts = Facts::of(&Ledger::new(Cents(5_000_000)));
        let limits = Limits::of(&Rules::parse(text).expect("rules"));
        let used: Vec<&str> = limits.used(&facts).map(|used| used.rule).collect();
        assert_eq!(names(Limit).collect::<Vec<_>>(), used);
        assert!(WORDS.iter().all(|word| word.lasts().is_some() == word.kinds.contains(&Limit)));
        let exits: BTreeSet<&str> = ExitReason::ALL.iter().map(|exit| exit.name()).collect();
        assert_eq!(names(Exit).collect::<BTreeSet<_>>(), exits);
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
