//! Writes files whole or not at all: into a temporary file beside it, then renamed.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// Writes a text.
pub fn whole(path: &Path, text: &str) -> Result<()> {
    atomically(path, text.as_bytes(), |_| Ok(()))
}

/// Writes `bytes` where `check` accepts the finished file; otherwise nothing is left behind.
pub fn atomically(path: &Path, bytes: &[u8], check: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let part = part_of(path);
    let written = put(&part, bytes)
        .map_err(|error| Error::failed(format!("{}: {error}", path.display())))
        .and_then(|()| check(&part))
        .and_then(|()| {
            fs::rename(&part, path).map_err(|error| Error::failed(format!("{}: {error}", path.display())))
        });
    if written.is_err() {
        // What is left to say is why it was not wanted, not that it could not be removed.
        let _ = fs::remove_file(&part);
    }
    written
}

fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}
