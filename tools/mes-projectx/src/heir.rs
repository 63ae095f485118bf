//! A session that is borrowed as long as there is a lender, and our own from then on: whoever holds an account must be able to
//! close it, whatever becomes of the others of the run.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mes_pipe::log;

use crate::{
    limiter::{Purpose, Window},
    session::{Access, Keeper, Token},
    share::{Borrowed, Share, Without},
};

/// Tokens of our own are counted from here on: what the service says of a borrowed one is not said of them.
const OWN: u64 = 1 << 32;

/// Borrows, and inherits.
pub struct Heir {
    borrowed: Borrowed,
    keeper: Arc<Keeper>,
    run: PathBuf,
    own: Mutex<Option<Own>>,
}

/// The session is ours; lent to the others of the run, where nobody else does.
struct Own {
    _share: Option<Share>,
}

impl Heir {
    /// Borrows of who lends in the run directory; `keeper` logs in once nobody does any more.
    pub fn new(borrowed: Borrowed, keeper: Arc<Keeper>, run: &Path) -> Heir {
        Heir { borrowed, keeper, run: run.to_owned(), own: Mutex::new(None) }
    }

    fn is_own(&self) -> bool {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn own_token(&self) -> Result<Token, String> {
        let token = self.keeper.token()?;
        Ok(Token { generation: OWN + token.generation, ..token })
    }

    fn inherit(&self, why: &str) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.is_some() {
            return;
        }
        // Whoever hangs and still has the place keeps it: ours works all the same.
        let share = Share::open(&self.run, Arc::clone(&self.keeper) as Arc<dyn Access>).ok();
        *own = Some(Own { _share: share });
        // Whoever reads it late holds up no call.
        drop(own);
        log::note(format!("{why}: logging in alone"));
    }
}

impl Access for Heir {
    fn token(&self) -> Result<Token, String> {
        if self.is_own() {
            return self.own_token();
        }
        match self.borrowed.lent() {
            Ok(token) => Ok(token),
            Err(Without::Refused(why)) => Err(why),
            Err(Without::Lost(why)) => {
                self.inherit(&why);
                self.own_token()
            }
        }
    }

    fn rejected(&self, generation: u64) {
        match generation.checked_sub(OWN) {
            Some(own) => self.keeper.rejected(own),
            None if self.is_own() => {}
            None => self.borrowed.rejected(generation),
        }
    }

    fn spend(&self, window: Window, purpose: Purpose) -> Result<(), Duration> {
        if self.is_own() { self.keeper.spend(window, purpose) } else { self.borrowed.spend(window, purpose) }
    }

    fn busy(&self, window: Window, asked: Option<Duration>) {
        if self.is_own() { self.keeper.busy(window, asked) } else { self.borrowed.busy(window, asked) }
    }
}
