//! The user and the key: in the environment of this process, or in the file from which a unit takes them. What they are is
//! never told; the file is one that nobody else can read.

use std::{
    env, fs,
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use mes_pipe::private;
use mes_projectx::Credentials;
use rustix::process::geteuid;

use super::check::{Check, fail, ok, warn};

const NAMES: [&str; 2] = ["TOPSTEPX_USERNAME", "TOPSTEPX_API_KEY"];
const OTHERS: u32 = 0o077;

/// Returns the folder of a person's settings.
pub fn config() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))
}

/// Returns where a unit finds the key, where nobody says otherwise.
pub fn place() -> Option<PathBuf> {
    config().map(|config| config.join("mes/env"))
}

/// Looks at a file of the key: ours, no link, shown to nobody, both names in it.
///
/// # Errors
///
/// What is wrong and what to do, without a word of what is in it.
pub fn check(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let about = fs::symlink_metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!(
            "{shown}: no such file: write two lines into it, {}=you and {}=your key, and chmod 600 {shown}",
            NAMES[0], NAMES[1]
        ),
        _ => format!("{shown}: {error}"),
    })?;
    if about.is_symlink() {
        return Err(format!("{shown} is a link: put the file itself there"));
    }
    if about.uid() != geteuid().as_raw() {
        return Err(format!("{shown} belongs to another user"));
    }
    if about.mode() & OTHERS != 0 {
        let mode = about.mode() & 0o777;
        return Err(format!(
            "others can read {shown} (mode {mode:03o}): chmod 600 {shown}, and make a new key"
        ));
    }
    let bytes = private::read(path).map_err(|error| format!("{shown}: {error}"))?;
    let text = String::from_utf8_lossy(&bytes);
    let has = |name: &str| {
        let values = text.lines().filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        values.map(|value| value.trim_matches(['"', '\'', ' '])).any(|value| !value.is_empty())
    };
    match NAMES.iter().find(|name| !has(name)) {
        // `export` is a word of shells, which systemd does not know.
        Some(name) => Err(format!("{shown} has no line {name}=...")),
        None => Ok(()),
    }
}

/// Looks for the key where this process and where a unit find it.
pub fn look(file: Option<&Path>) -> Check {
    let here = Credentials::from_env();
    // One that was named has to be there; one at its usual place need not.
    let found = match (file, place()) {
        (Some(path), _) => Some(path.to_owned()),
        (None, usual) => usual.filter(|path| fs::symlink_metadata(path).is_ok()),
    };
    let Some(path) = found else {
        return match here {
            Ok(_) => ok("key", "user and key are in the environment"),
            Err(error) => fail("key", error),
        };
    };
    match (check(&path), here) {
        (Err(why), _) => fail("key", why),
        (Ok(()), Ok(_)) => {
            ok("key", format!("user and key are in the environment, and for a unit in {}", path.display()))
        }
        (Ok(()), Err(_)) => warn(
            "key",
            format!("for a unit in {}, and not in this shell: export it, to trade from here", path.display()),
        ),
    }
}
