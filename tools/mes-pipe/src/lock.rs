//! One pipeline a run directory.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::{Error, Result, private};

/// Takes the lock `<tool>.lock` in the run directory, which it makes, for nobody else to look into. Held until dropped, also by kill −9.
///
/// # Errors
///
/// [`Error::Usage`] when another pipeline has it.
pub fn lock(run: &Path, tool: &str) -> Result<File> {
    private::folder(run, &["exec.lock", "risk.lock"])?;
    let path = run.join(format!("{tool}.lock"));
    let file = private::open(&path, File::options().write(true).create(true).truncate(false))
        .map_err(|error| Error::from(error).at(path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let path = path.display();
            Err(Error::usage(format!(
                "{path}: another mes-{tool} trades in this run directory: give another --run"
            )))
        }
        Err(TryLockError::Error(error)) => Err(Error::from(error).at(path.display())),
    }
}
