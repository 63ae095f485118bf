//! Where the memory of an account lies, for risk and exec alike: one folder an account, `DIR/<broker>-<account>/`.

use std::path::{Path, PathBuf};

use mes_core::{broker::Hello, person::Person};
use serde_json::{Value, json};

use crate::{
    Result,
    durable::{Busy, Durable},
};

/// The version of all that is written there.
pub const VERSION: u64 = 1;

/// Returns the folder of an account in a state directory.
pub fn folder(state: &Path, hello: &Hello) -> PathBuf {
    state.join(format!("{}-{}", plain(&hello.broker), plain(&hello.account)))
}

/// Keeps letters and digits of a name, the rest as hex, so that no account can leave the directory.
fn plain(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => text.push(byte as char),
            other => text += &format!("%{other:02x}"),
        }
    }
    text
}

/// Returns what lines of this kind begin with: whose they are.
pub fn head(kind: &str, broker: &str, account: &str) -> Value {
    json!({ "kind": kind, "v": VERSION, "broker": broker, "account": account })
}

/// Returns the base of what was said to the account.
pub fn said(folder: &Path) -> PathBuf {
    folder.join("person")
}

/// Adds something said to the account, on disk when this returns.
pub fn say(folder: &Path, broker: &str, account: &str, person: &Person) -> Result<()> {
    let (mut lines, _) = Durable::open(&said(folder), &head("person", broker, account), Busy::Wait)?;
    lines.append(person)?;
    lines.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_account_leaves_the_directory() {
        assert_eq!(plain("sim"), "sim");
        assert_eq!(plain("../a b-C.1"), "%2e%2e%2fa%20b%2dC%2e1");
    }
}
