//! How long an account lives: a limit that ends trading for good is its death, and it is over once it is flat. What comes
//! after is no part of what it came to: no day, no row, no signal.

use mes_core::{limits::is_death, statement::Statement};

/// Follows an account from its statements and alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    dead: bool,
    /// There is a position, or an order that works.
    busy: bool,
    over: bool,
}

impl Life {
    /// Takes in a statement.
    pub fn statement(&mut self, statement: &Statement) {
        self.busy = statement.position != 0 || !statement.working.is_empty();
        self.over |= self.dead && !self.busy;
    }

    /// Takes in that a limit was reached; says whether that was the death.
    pub fn alert(&mut self, rule: &str) -> bool {
        let died = !self.dead && is_death(rule);
        self.dead |= died;
        self.over |= self.dead && !self.busy;
        died
    }

    /// Says whether it is dead, and flat since.
    pub fn is_over(&self) -> bool {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_over_when_dead_and_flat() {
        let of = |position| Statement { position, ..Statement::default() };
        let mut life = Life::default();
        life.statement(&of(1));
        assert!(!life.alert("daily_loss_usd"));
        assert!(life.alert("account_drawdown_usd") && !life.is_over());
        // Another limit at the same account is no second death.
        assert!(!life.alert("kill_loss_usd"));
        life.statement(&of(1));
        assert!(!life.is_over());
        life.statement(&of(0));
        assert!(life.is_over());
        let mut flat = Life::default();
        flat.statement(&of(0));
        assert!(flat.alert("kill_loss_usd") && flat.is_over());
    }
}
