//! The size that a stage of the user's asks for: the column `p_size`. It makes an entry smaller, never larger.

use super::{Opinion, View};

/// Allows at most the whole contracts of it; the value is what the row says, which one contract has to be in.
pub fn opinion(view: &View) -> Opinion {
    let Some(size) = view.row.prediction.size else { return Opinion::Allow };
    // NaN and what is below nothing become none.
    Opinion::AtMost { contracts: size as i64, value: f64::from(size), limit: 1.0 }
}
