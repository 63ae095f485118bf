//! What a check came to: one line.

use std::fmt::Display;

use serde::Serialize;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Came {
    Ok,
    /// It may do, and a person should know.
    Warn,
    /// A day should not begin like this, but for a network that may be back in a minute.
    Away,
    /// A day should not begin like this.
    Fail,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub check: &'static str,
    pub came: Came,
    /// What is, and what to do about it.
    pub says: String,
}

impl Check {
    /// Writes it as a line.
    pub fn line(&self) -> String {
        let came = match self.came {
            Came::Ok => "ok  ",
            Came::Warn => "warn",
            Came::Away | Came::Fail => "FAIL",
        };
        format!("{came}  {:<11} {}\n", self.check, self.says)
    }
}

fn new(check: &'static str, came: Came, says: impl Display) -> Check {
    Check { check, came, says: says.to_string() }
}

/// All is well.
pub fn ok(check: &'static str, says: impl Display) -> Check {
    new(check, Came::Ok, says)
}

/// It may do.
pub fn warn(check: &'static str, says: impl Display) -> Check {
    new(check, Came::Warn, says)
}

/// It will not do now, and may later.
pub fn away(check: &'static str, says: impl Display) -> Check {
    new(check, Came::Away, says)
}

/// It will not do.
pub fn fail(check: &'static str, says: impl Display) -> Check {
    new(check, Came::Fail, says)
}
