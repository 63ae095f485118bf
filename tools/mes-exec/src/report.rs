//! What a session came to, in one line at its end.

use mes_core::{money::Cents, statement::Statement};

/// A session so far.
#[derive(Clone, Debug, Default)]
pub struct Session {
    fills: usize,
    closed: usize,
    refused: usize,
    gross: Cents,
    costs: Cents,
    last: Option<Statement>,
}

impl Session {
    /// Takes in a statement.
    pub fn follow(&mut self, statement: &Statement) {
        self.fills += statement.fills.len();
        self.refused += statement.refused.len();
        for fill in &statement.fills {
            self.closed += usize::from(fill.exit.is_some());
            self.gross += fill.gross_cents;
            self.costs += fill.commission_cents;
        }
        self.last = Some(statement.clone());
    }

    /// Says what it came to.
    pub fn says(&self) -> String {
        let Some(last) = &self.last else { return "session: no row came".to_owned() };
        let Session { fills, closed, refused, gross, costs, .. } = self;
        let held = if last.position == 0 { "flat".to_owned() } else { format!("{} open", last.position) };
        let (net, balance) = (*gross - *costs, last.balance_cents);
        format!(
            "session: {fills} fills, {closed} of them closing, {refused} orders refused; gross {gross}, costs {costs}, net \
             {net}; balance {balance}, {held}"
        )
    }
}
