//! Damaged Arrow, Parquet and DBN make their libraries panic in places; here that becomes an error like any other.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

use crate::{Error, Result};

thread_local! {
    /// Whether this thread is within a library's decoder, whose panic is told as an error.
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Calls a library's decoder. After an error the decoder must not be used again.
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
