//! Doing again what may work the next time, where somebody has said that it may be done again.

use std::{thread::sleep, time::Duration};

/// That waiting may help, and what the server asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// How long the server asks to wait.
    pub asked: Option<Duration>,
}

/// How often and how long apart.
#[derive(Clone, Copy, Debug)]
pub struct Repeat {
    /// In all, the first one counted.
    pub tries: u32,
    /// Before the second try; doubled with each further one.
    pub first_wait: Duration,
    /// The longest wait that a server can ask for.
    pub longest_wait: Duration,
}

impl Repeat {
    /// Tries until it works, waiting does not help, or it has been tried often enough. `notice` hears of each failure
    /// that is waited for, with the wait before the next try.
    ///
    /// # Errors
    /// That of the last try.
    pub fn run<T, E>(
        &self,
        mut attempt: impl FnMut() -> Result<T, E>,
        pause: impl Fn(&E) -> Option<Pause>,
        mut notice: impl FnMut(&E, Duration),
    ) -> Result<T, E> {
        let (mut wait, mut tries) = (self.first_wait, 1);
        loop {
            let error = match attempt() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let Some(pause) = pause(&error).filter(|_| tries < self.tries) else { return Err(error) };
            let pause = pause.asked.map_or(wait, |asked| asked.min(self.longest_wait));
            notice(&error, pause);
            sleep(pause);
            wait *= 2;
            tries += 1;
        }
    }
}
