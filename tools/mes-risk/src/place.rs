//! Where a person finds an account: in a state directory, or through the run directory of a pipeline.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use clap::Args;
use mes_pipe::{Error, Result, private};

use crate::state::Folder;

/// The file of a run directory that names the account's folder.
const POINTER: &str = "risk.state";

#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Directory that mes-risk --state keeps accounts in; not needed beside a run directory
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Run directory of the pipeline, which knows its account
    #[arg(long, value_name = "DIR", env = "MES_RUN", default_value = "run")]
    pub run: PathBuf,
    /// Which account of several, as mes-risk status names it
    #[arg(long, value_name = "NAME")]
    pub of: Option<String>,
}

impl Place {
    /// Finds the accounts that are meant.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when there is none.
    pub fn find(&self) -> Result<Vec<Folder>> {
        let (place, mut found) = match &self.state {
            Some(state) => (state, Folder::all(state)?),
            None => (&self.run, pointed(&self.run)?.into_iter().collect()),
        };
        if let Some(name) = &self.of {
            found.retain(|folder| folder.name() == *name);
        }
        if found.is_empty() {
            let (place, of) = (place.display(), self.of.as_deref().unwrap_or("no account"));
            return Err(Error::usage(format!(
                "{place}: {of}: nothing has traded there: say --run or --state as the pipeline was given them"
            )));
        }
        Ok(found)
    }

    /// Says whether what is found in the run directory is forgotten when the next pipeline starts there.
    pub fn forgets(&self, folder: &Folder) -> bool {
        self.state.is_none() && fs::canonicalize(&self.run).is_ok_and(|run| folder.0.starts_with(run))
    }
}

/// Writes into a run directory where its account's folder is.
///
/// # Errors
///
/// `Failed` where the folder is not there or the disk does not take it.
pub fn point(run: &Path, folder: &Folder) -> Result<()> {
    let path = fs::canonicalize(&folder.0).map_err(|error| Error::from(error).at(folder.0.display()))?;
    let pointer = run.join(POINTER);
    private::write(&pointer, path.as_os_str().as_encoded_bytes())
        .map_err(|error| Error::from(error).at(pointer.display()))
}

fn pointed(run: &Path) -> Result<Option<Folder>> {
    let pointer = run.join(POINTER);
    match private::read(&pointer) {
        Ok(path) => Ok(Some(Folder(PathBuf::from(OsString::from_vec(path))))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::from(error).at(pointer.display())),
    }
}
