//! What is kept of a row: figures that change with every one, and what changes far less often.

use mes_core::{
    ledger::Ledger,
    limits::LimitFacts,
    market::Market,
    money::Cents,
    price::Price,
    row::Row,
    schedule::Today,
    statement::{Barred, Connection, Protection, Role, Statement},
    time::Ts,
};
use mes_risk::Opinion;

/// A row and the account as of it.
#[derive(Clone, Debug)]
pub struct Moment {
    pub ts: Ts,
    pub open: Price,
    pub high: Price,
    pub low: Price,
    pub close: Price,
    pub quote: Option<(Price, Price)>,
    /// Contracts, negative when short.
    pub position: i64,
    pub entry_price: Option<f64>,
    pub stop: Option<Price>,
    pub target: Option<Price>,
    /// An entry that waits at its limit.
    pub waiting: Option<Price>,
    /// Orders that may still fill.
    pub working: usize,
    pub equity_cents: Cents,
    pub balance_cents: Cents,
    /// The balance as the day began.
    pub day_balance_cents: Cents,
    pub facts: LimitFacts,
    pub age_ms: Option<i64>,
    /// Nanoseconds since the broker looked at the account.
    pub account_age: i64,
    /// Index of the standing that it is in.
    pub standing: usize,
}

impl Moment {
    /// Keeps a row and the statement that answered it.
    pub fn of(row: &Row, statement: &Statement, facts: LimitFacts, day: Cents, standing: usize) -> Moment {
        let level = |role| statement.working.iter().find(|order| order.role == role)?.price;
        let bar = &row.bar;
        Moment {
            ts: bar.ts,
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            quote: bar.bid.zip(bar.ask),
            position: statement.position,
            entry_price: statement.entry_price.filter(|_| statement.position != 0),
            stop: level(Role::Stop),
            target: level(Role::Target),
            waiting: level(Role::Entry),
            working: statement.working.len(),
            equity_cents: statement.equity_cents,
            balance_cents: statement.balance_cents,
            day_balance_cents: day,
            facts,
            age_ms: bar.age_ms,
            account_age: statement.age(),
            standing,
        }
    }

    /// Says whether nothing is open and no order may still fill.
    pub fn is_flat(&self) -> bool {
        self.position == 0 && self.working == 0
    }
}

/// What a rule does to every entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Clear,
    Smaller,
    Denies,
}

/// A rule of entries, since when it does what it does, and the numbers of then.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    pub rule: &'static str,
    pub state: State,
    pub since: Ts,
    pub value: f64,
    pub limit: f64,
}

/// Halts, pauses, breakers, connection: what holds until something happens.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Without the market, which changes with every row.
    pub ledger: Ledger,
    pub connection: Connection,
    pub barred: Option<Barred>,
    pub protection: Option<Protection>,
    pub today: Option<Today>,
    pub gates: Vec<Gate>,
}

impl Standing {
    /// Notes what holds from now on; what held `before` keeps its beginning.
    pub fn of(
        ledger: &Ledger,
        statement: &Statement,
        opinions: &[(&'static str, Opinion)],
        today: Option<Today>,
        before: Option<&Standing>,
    ) -> Standing {
        let gate = |(rule, opinion): &(&'static str, Opinion)| {
            let (state, value, limit) = read(*opinion);
            let before = before.and_then(|before| before.gates.iter().find(|gate| gate.rule == *rule));
            match before.filter(|gate| gate.state == state) {
                Some(gate) => *gate,
                None => Gate { rule, state, since: statement.ts, value, limit },
            }
        };
        Standing {
            gates: opinions.iter().map(gate).collect(),
            ledger: Ledger { market: Market::default(), ..ledger.clone() },
            connection: statement.connection,
            barred: statement.barred,
            protection: statement.protection,
            today,
        }
    }

    /// Says whether it still holds.
    pub fn is_still(&self, now: &Ledger, statement: &Statement, opinions: &[(&str, Opinion)]) -> bool {
        let then = &self.ledger;
        let gates = self.gates.len() == opinions.len()
            && self.gates.iter().zip(opinions).all(|(gate, (_, opinion))| gate.state == read(*opinion).0);
        gates
            && then.day.map(|day| day.label) == now.day.map(|day| day.label)
            && then.halted == now.halted
            && then.stopped == now.stopped
            && (then.pause, then.last_exit, then.losses) == (now.pause, now.last_exit, now.losses)
            && then.wide_spread == now.wide_spread
            && self.connection == statement.connection
            && self.barred == statement.barred
            && self.protection == statement.protection
    }
}

/// Returns what an opinion does to every entry, with its numbers.
fn read(opinion: Opinion) -> (State, f64, f64) {
    match opinion {
        Opinion::Allow => (State::Clear, 0.0, 0.0),
        Opinion::Deny { value, limit } => (State::Denies, value, limit),
        Opinion::AtMost { contracts, value, limit } if contracts <= 0 => (State::Denies, value, limit),
        Opinion::AtMost { value, limit, .. } => (State::Clear, value, limit),
        Opinion::Shrink { value, limit, .. } => (State::Smaller, value, limit),
    }
}
