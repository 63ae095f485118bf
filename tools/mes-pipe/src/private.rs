//! Folders and files that are nobody else's business, whatever the umask: the run directory and the memory of accounts.
//! A link in the place of a lock or a state file is not followed: it would have us write where somebody else wants it.
//!
//! A run directory that was there before, is not empty and holds no lock of ours keeps its permissions; one that
//! everybody may write in is refused.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
        net::UnixStream,
    },
    path::Path,
};

use rustix::{fs::OFlags, process::geteuid};

use crate::{Error, Result};

const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;
const PERMISSIONS: u32 = 0o777;
const OTHERS_WRITE: u32 = 0o002;

/// Makes a folder that only we can look into. One that was there before becomes one if it is empty or holds one of
/// `marks`; any other is left as it is.
///
/// # Errors
///
/// [`Error::Usage`] when it is another user's, or everybody may write there.
pub fn folder(path: &Path, marks: &[&str]) -> Result<()> {
    let at = |error: io::Error| Error::from(error).at(path.display());
    let new: Vec<&Path> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    // One after the other: under some umasks nobody could get through one just made.
    for folder in new.iter().rev() {
        make(folder).map_err(|error| Error::from(error).at(folder.display()))?;
    }
    let about = fs::metadata(path).map_err(at)?;
    let (owner, us) = (about.uid(), geteuid().as_raw());
    if us != 0 && owner != us {
        return Err(Error::usage(format!(
            "{} belongs to another user: give one of your own",
            path.display()
        )));
    }
    if !new.is_empty() {
        return Ok(());
    }
    if owner == us && is_ours(path, marks).map_err(at)? {
        return restrict(&File::open(path).map_err(at)?, FOLDER).map_err(at);
    }
    if about.mode() & OTHERS_WRITE != 0 {
        let path = path.display();
        return Err(Error::usage(format!("everybody may write in {path}: give a directory of your own")));
    }
    Ok(())
}

fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(FOLDER).create(path) {
        // The other end of the loop was as quick.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::set_permissions(path, Permissions::from_mode(FOLDER)),
    }
}

fn is_ours(path: &Path, marks: &[&str]) -> io::Result<bool> {
    Ok(fs::read_dir(path)?.next().is_none() || marks.iter().any(|mark| path.join(mark).exists()))
}

/// Opens a file of ours, which nobody else can read; a link is an error.
///
/// # Errors
///
/// What the system says, and which path it is.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.mode(FILE).custom_flags(no_links()).open(path).map_err(|error| told(path, error))?;
    restrict(&file, FILE)?;
    Ok(file)
}

/// Opens a file of ours to read; a link is an error.
///
/// # Errors
///
/// What the system says, and which path it is.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(no_links()).open(path).map_err(|error| told(path, error))
}

/// Reads a whole file of ours; a link is an error.
///
/// # Errors
///
/// What the system says, and which path it is.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_to_read(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a whole file of ours; a link is an error.
///
/// # Errors
///
/// What the system says, and which path it is.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    open(path, File::options().write(true).create(true).truncate(true))?.write_all(bytes)
}

/// Lets nobody but us connect to a socket.
///
/// # Errors
///
/// What the system says.
pub fn socket(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(FILE))
}

/// Says whether the process at the other end of a socket is of the same user as this one.
///
/// # Errors
///
/// What the system says.
pub fn is_us(stream: &UnixStream) -> io::Result<bool> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid == geteuid())
}

fn no_links() -> i32 {
    OFlags::NOFOLLOW.bits() as i32
}

fn told(path: &Path, error: io::Error) -> io::Error {
    let link = fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    if link { io::Error::other("it is a link, and links are not followed here") } else { error }
}

/// Takes from a file what others may do with it; one of another user stays as it is.
fn restrict(file: &File, mode: u32) -> io::Result<()> {
    let about = file.metadata()?;
    if about.mode() & PERMISSIONS != mode && about.uid() == geteuid().as_raw() {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_new_empty_or_ours_is_ours_alone_and_another_is_left_as_it_is() {
        let place = tempfile::tempdir().expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("a folder").mode() & PERMISSIONS;
        let within = |name: &str, file: Option<&str>, before: u32| {
            let path = place.path().join(name);
            fs::create_dir(&path).expect("a folder");
            if let Some(file) = file {
                fs::write(path.join(file), "x").expect("a file");
            }
            fs::set_permissions(&path, Permissions::from_mode(before)).expect("set");
            let made = folder(&path, &["exec.lock"]);
            (made.is_ok(), mode(&path))
        };
        folder(&place.path().join("a/b"), &[]).expect("made");
        assert_eq!(["a", "a/b"].map(|name| mode(&place.path().join(name))), [FOLDER; 2]);
        assert_eq!(within("empty", None, 0o777), (true, FOLDER));
        assert_eq!(within("ours", Some("exec.lock"), 0o775), (true, FOLDER));
        assert_eq!(within("other", Some("letters"), 0o755), (true, 0o755));
        assert_eq!(within("open", Some("letters"), 0o777), (false, 0o777));
    }

    #[test]
    fn a_process_of_ours_is_us() {
        let (one, _other) = UnixStream::pair().expect("a pair");
        assert!(is_us(&one).expect("known"));
    }
}
