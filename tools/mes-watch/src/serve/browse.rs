//! Opens a browser. The address holds the token, and whoever is on this machine can read the arguments of programs: so the
//! browser is given a file of ours that leads there.

use std::{
    env, fs,
    fs::File,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use mes_pipe::{Error, Result, account, private};

/// The file that leads to the page; gone with this.
pub struct Bridge(PathBuf);

/// Opens the page by `xdg-open`.
///
/// # Errors
///
/// `Failed` where the file cannot be written or there is no `xdg-open`.
pub fn browse(url: &str) -> Result<Bridge> {
    let place = env::var_os("XDG_RUNTIME_DIR").map_or_else(env::temp_dir, PathBuf::from);
    let path = place.join(format!("mes-watch-{}.html", account::nonce()));
    let at = |error: std::io::Error| Error::failed(error).at(path.display());
    let mut file = private::open(&path, File::options().write(true).create_new(true)).map_err(at)?;
    let bridge = Bridge(path.clone());
    writeln!(
        file,
        "<!doctype html><meta http-equiv=\"refresh\" content=\"0; url={url}\"><title>mes-watch</title>"
    )
    .map_err(at)?;
    let mut command = Command::new("xdg-open");
    command.arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| {
        Error::failed(format!("xdg-open: {error}: open the address that is printed, without --open"))
    })?;
    Ok(bridge)
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
