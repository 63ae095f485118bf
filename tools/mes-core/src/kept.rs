//! What the two ends of the loop keep of an account from run to run, and whether it is the same account with the same
//! past. Two files of one past may differ by what a kill can lose, and by nothing else.

use serde::{Deserialize, Serialize};

/// What the broker keeps, as it says with its hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Which account, drawn when it began.
    pub id: String,
    /// The run that it was traded in last; absent before the first.
    pub past: Option<String>,
    /// The run that is about to begin.
    pub next: String,
    /// No order id up to this one will be used again.
    pub order: u64,
}

/// What risk keeps, as it says in the run record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The account that it is the memory of; absent before the first run.
    pub id: Option<String>,
    /// The runs that the account may have been traded in last: the last one of the ledger, and, as long as that has no
    /// row, the one before it.
    pub pasts: Vec<Option<String>>,
    /// The last order id used.
    pub order: u64,
}

/// Says how the two differ, if they are not of one account and one past.
///
/// Risk writes a run down before the broker hears of it, and an order before it goes out: so a kill may leave the ledger
/// one run without rows, and one order, ahead of the account. It is never behind.
pub fn difference(book: &Book, memory: &Memory) -> Option<&'static str> {
    if memory.id.as_ref().is_some_and(|id| *id != book.id) {
        Some("the ledger is that of another account")
    } else if !memory.pasts.contains(&book.past) {
        Some("the ledger and the account were not traded together last")
    } else if book.order > memory.order {
        Some("the ledger is older than the account: it does not know the last orders")
    } else if memory.order > book.order + 1 {
        Some("the account is older than the ledger: it does not know the last orders")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(id: &str, past: Option<&str>, order: u64) -> Book {
        Book { id: id.into(), past: past.map(str::to_owned), next: "n".into(), order }
    }

    fn memory(id: Option<&str>, pasts: &[Option<&str>], order: u64) -> Memory {
        let pasts = pasts.iter().map(|past| past.map(str::to_owned)).collect();
        Memory { id: id.map(str::to_owned), pasts, order }
    }

    #[test]
    fn a_kill_leaves_the_ledger_a_little_ahead_and_nothing_else_is_one_past() {
        let new = memory(None, &[None], 0);
        let begun = memory(Some("a"), &[Some("2"), Some("1")], 7);
        let traded = memory(Some("a"), &[Some("2")], 7);
        for (book, memory, same) in [
            (book("a", None, 0), &new, true),
            (book("a", Some("2"), 7), &traded, true),
            (book("a", Some("2"), 6), &traded, true),
            (book("a", Some("1"), 7), &begun, true),
            (book("a", Some("2"), 7), &begun, true),
            // The account's files are gone, the ledger's are gone, another's, from before, from after.
            (book("b", None, 0), &traded, false),
            (book("a", Some("2"), 7), &new, false),
            (book("b", Some("2"), 7), &traded, false),
            (book("a", Some("1"), 7), &traded, false),
            (book("a", Some("3"), 7), &traded, false),
            (book("a", Some("2"), 8), &traded, false),
            (book("a", Some("2"), 5), &traded, false),
            // Both from before accounts had names: their orders have to agree.
            (book("a", None, 9), &memory_of_old(9), true),
            (book("a", None, 0), &memory_of_old(9), false),
        ] {
            assert_eq!(difference(&book, memory).is_none(), same, "{book:?} {memory:?}");
        }
    }

    fn memory_of_old(order: u64) -> Memory {
        memory(None, &[None], order)
    }
}
