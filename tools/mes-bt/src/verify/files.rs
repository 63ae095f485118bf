//! Files by their hashes: names and places may have changed since.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mes_core::{costs, fills::Latency, rules};
use mes_pipe::{Error, Result, hash};

/// How deep folders are looked into.
const DEPTH: usize = 6;
/// A recording of latencies is not longer than this.
const LATENCY_BYTES: u64 = 64 << 20;

/// Where files may be.
pub struct Files {
    paths: Vec<PathBuf>,
}

impl Files {
    /// Lists the files of the working directory, of data and models in it, and of `more`, folders and all.
    pub fn search(more: &[PathBuf]) -> Result<Files> {
        let mut paths = Vec::new();
        list(Path::new("."), 0, &mut paths);
        for folder in ["data", "models"] {
            list(Path::new(folder), DEPTH, &mut paths);
        }
        for folder in more {
            if !folder.is_dir() {
                return Err(Error::usage("--search takes a folder").at(folder.display()));
            }
            list(folder, DEPTH, &mut paths);
        }
        paths.sort();
        paths.dedup();
        Ok(Files { paths })
    }

    /// Finds the file with this BLAKE3 among those whose name ends in one of `endings`; any without.
    pub fn by_hash(&self, blake3: &str, endings: &[&str]) -> Option<&Path> {
        let likely = |path: &&PathBuf| {
            let name = path.to_string_lossy();
            endings.is_empty() || endings.iter().any(|ending| name.ends_with(ending))
        };
        self.paths.iter().filter(likely).find(|path| same(path, blake3)).map(PathBuf::as_path)
    }

    /// Returns what `--rules` needs for the rules of this hash.
    pub fn rules(&self, blake3: &str) -> Option<String> {
        self.setting(blake3, rules::SHIPPED.iter().map(|(name, text)| (*name, *text)))
    }

    /// Returns what `--costs` needs for the costs of this hash.
    pub fn costs(&self, blake3: &str) -> Option<String> {
        self.setting(blake3, [("owner", costs::OWNER), ("topstepx", costs::TOPSTEPX)].into_iter())
    }

    fn setting<'a>(
        &self,
        blake3: &str,
        mut known: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Option<String> {
        match known.find(|(_, text)| hash(text.as_bytes()) == blake3) {
            Some((name, _)) => Some(name.to_owned()),
            None => self.by_hash(blake3, &[".toml"]).map(|path| path.display().to_string()),
        }
    }

    /// Finds the recording that gives these latencies.
    pub fn latency(&self, wanted: &Latency) -> Option<&Path> {
        let gives = |path: &&PathBuf| {
            let small = fs::metadata(path).is_ok_and(|data| data.len() < LATENCY_BYTES);
            let text = fs::read_to_string(path).ok().filter(|_| small);
            text.and_then(|text| Latency::parse(&text).ok()).is_some_and(|found| found == *wanted)
        };
        let csv = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "csv");
        self.paths.iter().filter(csv).find(gives).map(PathBuf::as_path)
    }
}

/// Lists regular files; folders that cannot be read have none.
fn list(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_file() => paths.push(path.strip_prefix(".").unwrap_or(&path).to_owned()),
            Ok(kind) if kind.is_dir() && depth > 0 => list(&path, depth - 1, paths),
            _ => {}
        }
    }
}

fn same(path: &Path, blake3: &str) -> bool {
    fs::File::open(path).and_then(mes_pipe::hash_of).is_ok_and(|found| found == blake3)
}
