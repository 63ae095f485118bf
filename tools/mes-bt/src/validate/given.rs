//! A piece of evidence: there, not there, or named and not to be had.

use mes_pipe::Result;

use super::items::Finding;

/// A piece of evidence.
pub enum Given<T> {
    Nothing,
    Is(T),
    /// Why what was named is no evidence.
    Broken(String),
}

impl<T> Given<T> {
    /// Takes what reading the argument `named` came to.
    pub fn of<A>(named: Option<A>, read: impl FnOnce(A) -> Result<T>) -> Given<T> {
        match named.map(read) {
            None => Given::Nothing,
            Some(Ok(value)) => Given::Is(value),
            Some(Err(error)) => Given::Broken(error.to_string()),
        }
    }

    /// Finds more out about what is there.
    pub fn and<U>(&self, more: impl FnOnce(&T) -> Result<U>) -> Given<U> {
        match self {
            Given::Nothing => Given::Nothing,
            Given::Is(value) => Given::of(Some(value), more),
            Given::Broken(why) => Given::Broken(why.clone()),
        }
    }

    /// Returns it, where it is there.
    pub fn value(&self) -> Option<&T> {
        if let Given::Is(value) = self { Some(value) } else { None }
    }

    /// Says why there is no value; `how` is how to get one.
    pub fn lacking(&self, how: &str) -> Finding {
        match self {
            Given::Broken(why) => Finding::NotMet(format!("{why}; {how}")),
            _ => Finding::NotShown(how.into()),
        }
    }
}
