//! The laws of a day. Each looks at the records by itself and says what it found.

mod entries;
mod last;
mod ledger;
mod once;
mod protected;
mod secret;

use super::{Day, exchange::Exchange, report::Finding};

/// What always holds.
#[derive(Clone, Copy)]
pub struct Law {
    pub name: &'static str,
    pub says: &'static str,
    pub judge: fn(&Day) -> Finding,
}

/// Every law, in the order they are told.
pub const ALL: [Law; 18] = [
    law(
        "protected",
        "what mes-exec knew to lack a stop had one within a second, or was closed",
        protected::known,
    ),
    law("naked", "what lacked a stop at the exchange was seen, and seen to", protected::naked),
    law("tags", "no tag was placed twice", once::tags),
    law("once", "an order was entered once; once more, smaller, where the margin did not do", once::once),
    law("size", "nothing was entered larger than its order and the rules allow", once::size),
    law("position", "the exchange never had more open than was entered", once::position),
    law("halted", "nothing was entered after a halt", entries::halted),
    law("late", "nothing was entered at the end of a day", entries::late),
    law("quotes", "nothing was entered on a quote older than 5 s", entries::quotes),
    law("account", "nothing was entered while the account was not known", entries::account),
    law("statements", "risk entered nothing on a statement that was old or barred", entries::statements),
    law("flat", "flat by flat-by", last::flat),
    law("fills", "the fills told are those of the exchange", ledger::fills),
    law("cash", "cash is that before and the fills, to the cent, and the exchange's", ledger::cash),
    law("seen", "an order counts as seen once it was taken over", ledger::seen),
    law("left", "nothing of ours works after the end", last::left),
    law("secret", "no user, key or token in any file", secret::secret),
    law("replay", "mes-exec's journal comes to the same actions again", secret::replay),
];

const fn law(name: &'static str, says: &'static str, judge: fn(&Day) -> Finding) -> Law {
    Law { name, says, judge }
}

/// The exchange's records and the account's id and contract, or why a law cannot be checked.
fn at_the_exchange(day: &Day) -> Result<(&Exchange, i64, &str), Finding> {
    let Some(exchange) = &day.exchange else {
        return Err(Finding::NotChecked("only the exchange knows: --exchange".into()));
    };
    let Some(run) = day.exec.first() else { return Err(no_exec()) };
    Ok((exchange, run.setup.account, &run.setup.contract))
}

/// The same, where the exchange has told every change.
fn all_of_the_exchange(day: &Day) -> Result<(&Exchange, i64, &str), Finding> {
    let found = at_the_exchange(day)?;
    let why = "only mes-sim's journal has every change at the exchange";
    if found.0.is_whole { Ok(found) } else { Err(Finding::NotChecked(why.into())) }
}

/// What mes-exec knew at each step is known by running its machine again: where that comes to something else, it is not.
fn does_not_replay(day: &Day) -> Option<Finding> {
    let run = day.exec.iter().find(|run| run.replayed.is_err())?;
    Some(Finding::NotChecked(format!("{} does not replay: was it written by another version?", run.name)))
}

fn no_exec() -> Finding {
    Finding::NotChecked("needs a journal of mes-exec: --exec".into())
}

fn no_risk() -> Finding {
    Finding::NotChecked("needs a journal of mes-risk: --journal".into())
}
