//! What a tool says once, when all is known: words for a person, JSON for a program.

use std::io::{IsTerminal, Write, stdout};

use clap::Args;
use serde::Serialize;

use crate::{Error, Result, visible};

/// How an answer is given.
#[derive(Args, Clone, Copy, Debug)]
pub struct AnswerArgs {
    /// Print JSON on a terminal too
    #[arg(long)]
    json: bool,
}

impl AnswerArgs {
    /// Says whether JSON is wanted: where it is asked for and where no person reads.
    pub fn is_json(self) -> bool {
        self.json || !stdout().is_terminal()
    }

    /// Prints `value` as JSON, or the words of it.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written or `value` has no JSON; a reader that went away.
    pub fn give(self, value: &impl Serialize, words: impl FnOnce() -> String) -> Result<()> {
        print(if self.is_json() { pretty(value)? } else { words() })
    }
}

/// Prints all of it; on a terminal without what would move its cursor.
///
/// # Errors
///
/// `Failed` where stdout cannot be written; a reader that went away.
pub fn print(text: impl AsRef<[u8]>) -> Result<()> {
    let mut out = stdout().lock();
    if out.is_terminal() {
        out.write_all(visible::lines(&String::from_utf8_lossy(text.as_ref())).as_bytes())?;
    } else {
        out.write_all(text.as_ref())?;
    }
    Ok(out.flush()?)
}

/// Writes JSON for people and programs.
///
/// # Errors
///
/// `Failed` where it has no JSON: a key that is no text.
pub fn pretty(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value).map_err(Error::failed)? + "\n")
}
