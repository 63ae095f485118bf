//! Where the memory of an account lies, for risk and exec alike: one folder an account, `DIR/<broker>-<account>/`.

use std::{
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io::ErrorKind,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use mes_core::{
    broker::Hello,
    person::{Person, Says},
    time::SECOND,
};
use serde_json::{Value, json};

use crate::{
    Error, Result, clock,
    durable::{Busy, Durable},
    private,
};

/// The version of all that is written there.
pub const VERSION: u64 = 1;

/// Why the two ends do not agree.
pub const ONE_END: &str = "one of mes-risk and mes-exec keeps the account (--state) and the other does not: give both \
     the same --state, or neither";
/// What both ends say of files that the other one does not know.
pub const ELSEWHERE: &str = "the other end keeps its files in another directory: give both the same --state";

/// The room that a halt needs, and its name once it locks the account.
const RESERVE: &str = "halt.reserve";
const LOCK: &str = "halt.unwritten";
const RESERVED_BYTES: usize = 1024;

/// Returns the folder of an account in a state directory.
pub fn folder(state: &Path, hello: &Hello) -> PathBuf {
    state.join(format!("{}-{}", plain(&hello.broker), plain(&hello.account)))
}

/// Lists the accounts at a broker that a state directory keeps: id and folder.
pub fn folders(state: &Path, broker: &str) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    let begins = format!("{}-", plain(broker));
    let account = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        Some((name.strip_prefix(&begins)?.to_owned(), entry.path()))
    };
    entries.filter_map(account).collect()
}

/// Looks whether the paper account that is to lie in `folder` lies beside it under the name that it had before.
///
/// # Errors
///
/// [`Error::Usage`] with the command that renames it.
pub fn renamed(folder: &Path) -> Result<()> {
    let before = folder.with_file_name("sim-sim");
    if !folder.ends_with("paper-paper") || folder.exists() || !before.exists() {
        return Ok(());
    }
    let (before, folder) = (before.display(), folder.display());
    Err(Error::usage(format!("{before}: the paper account is called paper now: mv {before} {folder}")))
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
///
/// # Errors
///
/// What [`Durable::open`] and [`Durable::append`] refuse, and `Failed` where the disk does not take it.
pub fn say(folder: &Path, broker: &str, account: &str, person: &Person) -> Result<()> {
    let (mut lines, _) = Durable::open(&said(folder), &head("person", broker, account), Busy::Wait)?;
    lines.append(person)?;
    lines.sync()
}

/// Makes the file that a halt needs on a disk that takes no more: see [`lock`].
///
/// # Errors
///
/// `Failed` where the disk does not take it.
pub fn reserve(folder: &Path) -> Result<()> {
    let path = folder.join(RESERVE);
    if path.exists() {
        return Ok(());
    }
    private::write(&path, &[b' '; RESERVED_BYTES]).map_err(|error| Error::from(error).at(path.display()))
}

/// Locks an account whose halt could not be written: takes no room on the disk, since the file is there and only gets
/// another name. Whoever opens the account next writes the halt down in its place.
///
/// # Errors
///
/// `Failed` where the file is not there or gets no other name.
pub fn lock(folder: &Path, reason: &str) -> Result<()> {
    let (reserve, lock) = (folder.join(RESERVE), folder.join(LOCK));
    let text = reason.as_bytes();
    if let Ok(file) = private::open(&reserve, File::options().write(true)) {
        // Only a person reads it: the name alone locks.
        let _ = file.write_all_at(&text[..text.len().min(RESERVED_BYTES)], 0);
    }
    fs::rename(reserve, &lock).map_err(|error| Error::from(error).at(lock.display()))
}

/// Returns the halt that could not be written, if one locks the account.
///
/// # Errors
///
/// `Failed` where the lock is there and cannot be read.
pub fn unwritten(folder: &Path) -> Result<Option<Person>> {
    let lock = folder.join(LOCK);
    let about = match fs::symlink_metadata(&lock) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        about => about.map_err(|error| Error::from(error).at(lock.display()))?,
    };
    let text = private::read(&lock).map_err(|error| Error::from(error).at(lock.display()))?;
    let reason = String::from_utf8_lossy(&text).trim().to_owned();
    let reason = if reason.is_empty() { "the state could not be written".to_owned() } else { reason };
    let (ts, by) = (about.mtime() * SECOND, "mes-exec".into());
    Ok(Some(Person { ts, says: Says::Halt, reason, by, rules: None }))
}

/// Writes down the halt that locks the account, if one does, and lifts the lock: the halt is a person's to lift.
///
/// # Errors
///
/// As [`unwritten`] and [`say`], and `Failed` where the lock stays.
pub fn unlock(folder: &Path, broker: &str, account: &str) -> Result<()> {
    let Some(person) = unwritten(folder)? else { return Ok(()) };
    say(folder, broker, account, &person)?;
    let lock = folder.join(LOCK);
    match fs::remove_file(&lock) {
        // The other end was as quick.
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::from(error).at(lock.display())),
        _ => Ok(()),
    }
}

/// Draws a name that no account and no run had before.
pub fn nonce() -> String {
    format!("{:016x}", RandomState::new().hash_one(clock::now()))
}

/// Says that the two ends do not mean the same account, and what to do.
pub fn disagree(folder: &Path, why: &str) -> String {
    let path = folder.display();
    format!(
        "{path}: mes-risk and mes-exec do not go on with one account: {why}. Put back a whole copy of {path}; or look at \
         the account yourself and begin anew: mv {path} {path}.old"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_account_leaves_the_directory() {
        assert_eq!(plain("paper"), "paper");
        assert_eq!(plain("../a b-C.1"), "%2e%2e%2fa%20b%2dC%2e1");
    }
}
