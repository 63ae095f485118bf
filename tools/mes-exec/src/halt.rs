//! The halt that an error leaves behind. Where real orders may be open, whoever has to close them waits for the disk no longer
//! than a moment, and once more when they are closed.

use std::{
    cell::RefCell,
    path::PathBuf,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use mes_core::broker::Hello;
use mes_pipe::{Error, Result};

use crate::paper::kept;

/// Before real orders are closed, and after.
const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(10);

/// Where halts of an account are written, and one that is on its way.
pub struct Halt {
    state: Option<PathBuf>,
    hello: Hello,
    late: RefCell<Option<Receiver<Result<()>>>>,
}

impl Halt {
    /// Is of this account; an account that begins anew anyway is not halted.
    pub fn new(state: Option<&std::path::Path>, hello: &Hello) -> Halt {
        Halt { state: state.map(PathBuf::from), hello: hello.clone(), late: RefCell::new(None) }
    }

    /// Halts the account; of a live one the disk may still be at it when this returns.
    ///
    /// # Errors
    ///
    /// What the disk says.
    pub fn write(&self, error: &Error) -> Result<()> {
        let Some(state) = self.state.clone() else { return Ok(()) };
        let (hello, why) = (self.hello.clone(), error.to_string());
        if !hello.kind.is_live() {
            return kept::halt(&state, &hello, &why);
        }
        let (told, hear) = channel();
        thread::Builder::new().name("halt".into()).spawn(move || {
            // Nobody hears it where the process waited long enough.
            let _ = told.send(kept::halt(&state, &hello, &why));
        })?;
        hear.recv_timeout(FIRST).unwrap_or_else(|_| {
            *self.late.borrow_mut() = Some(hear);
            Ok(())
        })
    }

    /// Waits for the disk where it was not waited for before.
    ///
    /// # Errors
    ///
    /// What it says, or that it says nothing.
    pub fn settle(&self) -> Result<()> {
        let Some(late) = self.late.take() else { return Ok(()) };
        late.recv_timeout(LAST).unwrap_or_else(|_| {
            Err(Error::failed(
                "the halt is not on the disk, which hangs: mes-risk halt, before the next start",
            ))
        })
    }
}
