//! Few contracts around an announcement.

use mes_core::{row::Row, rules::Rules, tz};

use super::{Opinion, View};

/// Allows at most so many contracts; the value is seconds to the announcement.
pub fn opinion(view: &View) -> Opinion {
    match near(view.row, view.rules) {
        Some((seconds, contracts)) => {
            Opinion::AtMost { contracts, value: seconds as f64, limit: contracts as f64 }
        }
        None => Opinion::Allow,
    }
}

/// Says whether a position is larger than the minutes around an announcement allow.
pub fn too_large(row: &Row, position: i64, rules: &Rules) -> bool {
    near(row, rules).is_some_and(|(_, contracts)| position.abs() > contracts)
}

/// Returns the seconds from the announcement that this row is near to, and the most contracts then.
fn near(row: &Row, rules: &Rules) -> Option<(i64, i64)> {
    let news = rules.news.as_ref()?;
    Some((news.near(tz::new_york(row.bar.ts))?, news.contracts))
}
