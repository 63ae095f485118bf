//! Damaged Arrow, Parquet and DBN make their libraries panic in places; here that becomes an error like any other. So does
//! a panic of our own where more than the process hangs on it.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

use crate::{Error, Result};

/// What is said of a panic that says nothing.
const UNKNOWN: &str = "nobody knows what";

thread_local! {
    /// Whether this thread is within a library's decoder, whose panic is told as an error.
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Calls a library's decoder. After an error the decoder must not be used again.
///
/// # Errors
///
/// What the decoder says, and `Data` where it panicked.
pub fn caught<T, E>(decode: impl FnOnce() -> std::result::Result<T, E>) -> Result<T>
where
    Error: From<E>,
{
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !WITHIN.get() {
                before(panic);
            }
        }));
    });
    WITHIN.set(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    WITHIN.set(false);
    match decoded {
        Ok(decoded) => Ok(decoded?),
        Err(_) => Err(Error::data("the bytes are damaged")),
    }
}

/// Does what must not end the process: a panic becomes an error, after the place of it was printed.
///
/// # Errors
///
/// What `work` says, and `Failed` where it panicked.
pub fn survived<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let what = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or(UNKNOWN);
        Err(Error::failed(format!("a fault in this program, not in the data: {what}")))
    })
}
