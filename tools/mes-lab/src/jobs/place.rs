//! The folder of a job's result: whole or not there, whoever else works on the same job at the same time, here or on another
//! machine that shares the disk.
//!
//! Each run works in a folder of its own beside it and renames that. Who comes second finds the result, which has the same
//! bytes, and throws its own away. What a kill leaves behind is a folder that nobody takes for a result.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use mes_pipe::{Error, Result, account::nonce, answer::pretty, hash, hash_of, write::whole};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{cost::Cost, line::Job};

/// The file that says what a result is of, the one with what it took, and the ending of one that says why there is none.
const DONE: &str = "job.json";
const COST: &str = "cost.json";
const FAILED: &str = "failed.json";
const PART: &str = "part";

/// So many last lines of its log are kept of a run that failed.
const LAST: usize = 5;

/// A result that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub kind: String,
    pub v: u32,
    /// The key of the job.
    pub key: String,
    /// The kind of processor that it was made on.
    pub processor: String,
    /// The file that is collected, and the hash of it.
    pub result: String,
    pub blake3: String,
}

/// Why a job came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: String,
    pub v: u32,
    pub key: String,
    /// The exit code: 1 is worth another try, others are not.
    pub code: u8,
    pub what: String,
    /// The last lines that its tools said.
    pub said: Vec<String>,
}

/// Where a job's result is or will be.
pub struct Place<'a> {
    job: &'a Job,
}

impl<'a> Place<'a> {
    /// Takes the place of a job.
    pub fn of(job: &'a Job) -> Place<'a> {
        Place { job }
    }

    /// Returns what is there, if it is of this very job and whole: a damaged result is none, so the next run mends it.
    pub fn done(&self) -> Option<Done> {
        self.recorded().filter(|done| self.is_whole(done))
    }

    /// Returns what is said to be there, if it is of this very job; its bytes may have fallen over since.
    pub fn recorded(&self) -> Option<Done> {
        let done: Done = read(&self.job.out.join(DONE))?;
        (done.key == self.job.key).then_some(done)
    }

    /// Says whether the file that is collected is what was written.
    pub fn is_whole(&self, done: &Done) -> bool {
        let hashed = File::open(self.job.out.join(&done.result)).and_then(hash_of);
        hashed.is_ok_and(|hash| hash == done.blake3)
    }

    /// Reads the file that is collected.
    ///
    /// # Errors
    ///
    /// `Data` where it is not there or not what was written.
    pub fn bytes(&self, done: &Done) -> Result<Vec<u8>> {
        let path = self.job.out.join(&done.result);
        let damaged = |what: String| Error::data(what).at(path.display());
        let bytes = fs::read(&path).map_err(|error| damaged(error.to_string()))?;
        if hash(&bytes) == done.blake3 {
            return Ok(bytes);
        }
        Err(damaged(format!("damaged since it was written: run the job of {} again", self.job.name())))
    }

    /// Returns what it took, if it is there.
    pub fn cost(&self) -> Option<Cost> {
        read(&self.job.out.join(COST))
    }

    /// Returns why the last run came to nothing, if one of this very job did and none has begun since.
    pub fn failure(&self) -> Option<Failure> {
        let path = self.beside(FAILED);
        let failure: Failure = read(&path)?;
        let failed = modified(&path)?;
        let later = |part: &PathBuf| modified(part).is_some_and(|begun| begun > failed);
        (failure.key == self.job.key && !self.parts().iter().any(later)).then_some(failure)
    }

    /// Counts the runs that have begun and neither ended nor said why: running now, or killed.
    pub fn begun(&self) -> usize {
        self.parts().len()
    }

    /// Begins a run in a folder of its own.
    ///
    /// # Errors
    ///
    /// `Failed` where it cannot be made.
    pub fn begin(&self) -> Result<Part<'a>> {
        let path = self.beside(&format!("{}.{PART}", nonce()));
        fs::create_dir_all(&path).map_err(|error| Error::from(error).at(path.display()))?;
        Ok(Part { job: self.job, path })
    }

    /// Writes down why a run came to nothing; what then cannot be written is said with it.
    pub fn fail(&self, error: Error, said: Vec<String>) -> Error {
        let failure = Failure {
            kind: "job_failure".into(),
            v: 1,
            key: self.job.key.clone(),
            code: error.code(),
            what: error.to_string(),
            said,
        };
        let written = pretty(&failure).and_then(|text| whole(&self.beside(FAILED), &text));
        error.and(written.err())
    }

    /// Removes what runs that did not end have left, and why earlier ones failed. A run that is still going on finds the
    /// result when it misses its folder.
    pub fn clear(&self) {
        // What cannot be removed is in nobody's way.
        let _ = fs::remove_file(self.beside(FAILED));
        self.parts().iter().for_each(|part| drop(fs::remove_dir_all(part)));
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.job.out.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ending);
        self.job.out.with_file_name(name)
    }

    fn parts(&self) -> Vec<PathBuf> {
        let begins = self.beside("");
        let folder =
            begins.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let begins = begins.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let ours = |name: &str| name.starts_with(&begins) && name.ends_with(PART);
        entries.filter(|entry| ours(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// The folder of one run, which is gone when the run is over.
pub struct Part<'a> {
    job: &'a Job,
    pub path: PathBuf,
}

impl Part<'_> {
    /// Makes it the result: `result` is the file within that is collected.
    ///
    /// # Errors
    ///
    /// `Failed` where it cannot be written or renamed.
    pub fn publish(&self, result: &str, processor: &str, mut cost: Cost) -> Result<()> {
        let at = |error: io::Error| Error::from(error).at(self.path.display());
        let blake3 = hash(&fs::read(self.path.join(result)).map_err(at)?);
        let (key, processor, result) = (self.job.key.clone(), processor.to_owned(), result.to_owned());
        let done = Done { kind: "job_result".into(), v: 1, key, processor, result, blake3 };
        cost.disk_bytes = size(&self.path).map_err(at)?;
        fs::write(self.path.join(COST), pretty(&cost)?).map_err(at)?;
        fs::write(self.path.join(DONE), pretty(&done)?).map_err(at)?;
        synced(&self.path).map_err(at)?;
        let out = &self.job.out;
        let mut tried = fs::rename(&self.path, out);
        // What lies there is of another job, or half of one: out of the way with it, under a name of its own.
        while tried.as_ref().is_err_and(in_the_way) {
            if Place::of(self.job).done().is_some() {
                return Ok(());
            }
            let old = Place::of(self.job).beside(&format!("{}.{PART}", nonce()));
            match fs::rename(out, &old) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(error)),
                _ => drop(fs::remove_dir_all(&old)),
            }
            tried = fs::rename(&self.path, out);
        }
        tried.map_err(at)
    }

    /// Returns the last lines of its log.
    pub fn said(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path.join(super::LOG)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST)..].iter().map(|line| (*line).to_owned()).collect()
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // Renamed, it is not there any more.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Says whether a folder could not be renamed because of one that is there.
fn in_the_way(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

/// Has a folder and all in it on the disk, so that no crash leaves a result by its name without its bytes.
fn synced(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            synced(&entry.path())?
        } else {
            File::open(entry.path())?.sync_all()?
        }
    }
    File::open(folder)?.sync_all()
}

/// Adds up the files of a folder.
fn size(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        let about = entry.metadata()?;
        Ok(sum + if about.is_dir() { size(&entry.path())? } else { about.len() })
    })
}
