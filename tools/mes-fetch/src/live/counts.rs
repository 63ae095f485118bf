//! What a feed has left out and moved, for the words at its end.

use super::market::Odd;

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Made no sense.
    pub malformed: u64,
    /// At a price that no market makes.
    pub implausible: u64,
    /// Sent at another time than their own.
    pub moved: u64,
}

impl Counts {
    /// Counts what was left out.
    pub fn odd(&mut self, odd: Odd) {
        match odd {
            Odd::Malformed => self.malformed += 1,
            Odd::Implausible => self.implausible += 1,
        }
    }

    /// Says it, where there is something to say.
    pub fn words(&self) -> Option<String> {
        let Counts { malformed, implausible, moved } = *self;
        (*self != Counts::default()).then(|| {
            format!("left out: {malformed} that made no sense, {implausible} at prices that cannot be; {moved} came late")
        })
    }
}
