//! The table of all names: one line each.

use super::{
    Kind::{self, Alert, Denial, Exit, Hold, Incident, Limit, Refusal, Rule},
    Word,
};

/// All names, those that mean the hardest first among the limits, and the rules in the order in which a denial is named.
pub const WORDS: [Word; 78] = [
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
        &[Rule, Alert, Incident],
        "price that no market makes",
        "the price is {value} % from the last one, and no market moves more than {limit} %: it counts as halted",
    ),
    word(
        "locked_s",
        &[Rule, Alert, Incident],
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
        &[Alert, Incident],
        "loss beyond the worst case",
        "a trade lost ${value}; its worst case, stop, slippage and costs, was ${limit}",
    ),
    word(
        "new_price_points",
        &[Alert, Incident],
        "price that jumped and stayed",
        "{value} after {limit}: ten rows confirm it; closed at the last price before, and mes-risk resume goes on",
    ),
    word(
        "roll_points",
        &[Alert, Incident],
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
    word("not_positive", &[Refusal], "size, stop or target is not above 0", ""),
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
