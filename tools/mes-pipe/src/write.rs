//! Writes files whole or not at all: into a temporary file beside it, then renamed.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// Writes a text.
///
/// # Errors
///
/// `Failed` where the disk does not take it.
pub fn whole(path: &Path, text: &str) -> Result<()> {
    atomically(path, text.as_bytes(), |_| Ok(()))
}

/// Writes `bytes` where `check` accepts them as they read back from the disk; otherwise nothing is left behind.
///
/// # Errors
///
/// What `check` says, and `Failed` where the disk does not take it.
pub fn atomically(path: &Path, bytes: &[u8], check: impl FnOnce(&[u8]) -> Result<()>) -> Result<()> {
    let part = part_of(path);
    let failed = |error: io::Error| Error::failed(error);
    let written = put(&part, bytes)
        .and_then(|()| fs::read(&part))
        .map_err(failed)
        .and_then(|bytes| check(&bytes))
        .and_then(|()| fs::rename(&part, path).map_err(failed))
        .map_err(|error| error.at(path.display()));
    if written.is_err() {
        // What is left to say is why it was not wanted, not that it could not be removed.
        let _ = fs::remove_file(&part);
    }
    written
}

/// Errors when nothing could be written there, before hours go into what is to be. Leaves nothing but the folder.
///
/// # Errors
///
/// `Usage` where it is a folder, `Failed` where it cannot be written.
pub fn possible(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::usage("a folder, not a file to write").at(path.display()));
    }
    let part = part_of(path);
    put(&part, b"")
        .and_then(|()| fs::remove_file(&part))
        .map_err(|error| Error::failed(format!("cannot be written: {error}")).at(path.display()))
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Names what a file is called until it is whole.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_found_before_and_named_by_its_own_name() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("new/m.onnx");
        possible(&path).expect("a new folder");
        assert_eq!(fs::read_dir(folder.path().join("new")).expect("folder").count(), 0);
        let refused = |result: Result<()>, code: u8, what: &str| {
            let error = result.expect_err(what);
            let text = error.to_string();
            assert!(error.code() == code && text.contains(what) && !text.contains(".part"), "{text}");
        };
        refused(possible(folder.path()), 2, "a folder");
        fs::write(&path, "old").expect("writes");
        refused(possible(&path.join("x.onnx")), 1, "m.onnx/x.onnx: cannot be written");
        refused(atomically(&path.join("x.onnx"), b"new", |_| Ok(())), 1, "m.onnx/x.onnx");
        refused(atomically(&path, b"new", |_| Err(Error::failed("unfit"))), 1, "m.onnx: unfit");
        assert_eq!(fs::read(&path).expect("reads"), b"old");
        let same = |bytes: &[u8]| if bytes == b"new" { Ok(()) } else { Err(Error::failed("another")) };
        atomically(&path, b"new", same).expect("writes");
        assert_eq!(fs::read(&path).expect("reads"), b"new");
    }
}
