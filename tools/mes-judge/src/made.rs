//! What this person's tools made themselves: a seal beside a run, under a key that never leaves the machine. A report that
//! came from elsewhere can bring a file of that name along, but not one that fits.

use std::{
    env,
    fs::{self, DirBuilder, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use mes_pipe::{Result, write::whole};
use serde::Serialize;
use serde_json::Value;

/// Beside summary.json.
const SEAL: &str = "made-here";
/// In the folder for what programs remember of a person, as the XDG base directories have it.
const KEY: &str = "mes/made-here.key";
const KEY_BYTES: usize = 32;

/// Seals what a run came to. Without a place for the key there is no seal, and `verify` will ask.
///
/// # Errors
///
/// `Failed` where the disk does not take the seal.
pub fn seal(directory: &Path, summary: &impl Serialize) -> Result<()> {
    let Some(key) = key_file().and_then(|path| read(&path).or_else(|| begin(&path))) else { return Ok(()) };
    let Ok(summary) = serde_json::to_value(summary) else { return Ok(()) };
    whole(&directory.join(SEAL), &format!("{}\n", of(&key, &summary)))
}

/// Says whether the run in this directory was made here and says what it said then.
pub fn is_here(directory: &Path, summary: &Value) -> bool {
    let Some(key) = key_file().and_then(|path| read(&path)) else { return false };
    let seal = fs::File::open(directory.join(SEAL)).and_then(|file| {
        let mut text = String::new();
        file.take(128).read_to_string(&mut text).map(|_| text)
    });
    seal.is_ok_and(|seal| seal.trim_end() == of(&key, summary))
}

/// Returns the BLAKE3 of key and summary, which has no weakness to lengthening.
fn of(key: &str, summary: &Value) -> String {
    mes_pipe::hash(format!("{key}\n{summary}").as_bytes())
}

/// Returns where the key lies.
fn key_file() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder =
        absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    folder.map(|folder| folder.join(KEY))
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().filter(|key| key.len() == 2 * KEY_BYTES)
}

/// Makes a key that only this person can read. Of two programs that do so at once the first one's stays.
fn begin(path: &Path) -> Option<String> {
    let mut bytes = [0; KEY_BYTES];
    fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).ok()?;
    let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = path.parent()?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder).ok()?;
    let part = folder.join(format!(".key-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).ok()?;
    // A link fails where there is a key already: that one is read.
    let _ = file.write_all(key.as_bytes()).and_then(|()| fs::hard_link(&part, path));
    let _ = fs::remove_file(&part);
    read(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_seal_fits() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state").join(KEY);
        let key = begin(&path).expect("a key");
        assert_eq!((begin(&path).as_ref(), read(&path).as_ref()), (Some(&key), Some(&key)));
        let mode = fs::metadata(&path).expect("the key").permissions().mode();
        assert_eq!(
            (mode & 0o777, fs::read_dir(path.parent().expect("a folder")).expect("reads").count()),
            (0o600, 1)
        );
        let (one, other) = (json!({"net": 1}), json!({"net": 2}));
        assert_ne!(of(&key, &one), of(&key, &other));
        assert_ne!(of(&key, &one), of(&"0".repeat(64), &one));
    }
}
