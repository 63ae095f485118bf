//! Where the other tools are.

use std::ffi::OsString;

/// Finds a tool beside this one, else in the PATH.
pub fn beside(tool: &str) -> OsString {
    let own = std::env::current_exe().ok().and_then(|path| path.parent().map(|folder| folder.join(tool)));
    own.filter(|path| path.exists()).map_or_else(|| tool.into(), Into::into)
}
