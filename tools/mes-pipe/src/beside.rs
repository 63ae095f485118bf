//! Where the other tools are.

use std::path::PathBuf;

/// Finds a tool beside this one, else wherever the shell would.
pub fn beside(tool: &str) -> PathBuf {
    let own = std::env::current_exe().ok().map(|own| own.with_file_name(tool));
    own.filter(|path| path.is_file()).unwrap_or_else(|| tool.into())
}
