//! What the judge answers to whoever watches: nothing of it changes a verdict.

use mes_core::{order::Side, row::Row, schedule::Today, statement::Statement, time::Ts};

use super::Risk;
use crate::rules::{self, Opinion};

/// That of an entry which nobody can be surer of: a rule that denies it denies every one.
const SUREST: f32 = 1.0;

impl Risk {
    /// Returns what every rule thinks of an entry on the row that was judged last, were the model as sure as can be;
    /// nothing where the market is closed.
    pub fn opinions(&mut self, row: &Row, statement: &Statement) -> Vec<(&'static str, Opinion)> {
        let Some(today) = self.today(row.bar.ts) else { return Vec::new() };
        let (view, _) = self.view(row, statement, &today, Side::Buy, SUREST, false);
        rules::opinions(&view)
    }

    /// Returns the day that a bar stamped `ts` belongs to, with its end; nothing on weekends and holidays.
    pub fn today(&mut self, ts: Ts) -> Option<Today> {
        self.schedule.of_bar(ts).copied()
    }
}
