//! Files by their hashes: names and places may have changed since.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mes_core::{costs, rules};
use mes_pipe::{Error, Result, hash, limits};

/// How deep folders are looked into.
const DEPTH: usize = 6;

/// Where files may be. Links are not followed, and paths are absolute: none can be taken for a flag.
pub struct Files {
    paths: Vec<PathBuf>,
}

impl Files {
    /// Lists the files of the working directory, of data and models in it, and of `more`, folders and all.
    ///
    /// # Errors
    ///
    /// `Usage` where one of `more` is no folder, `Failed` where the working directory is gone.
    pub fn search(more: &[PathBuf]) -> Result<Files> {
        let here = std::path::absolute(".")?;
        let mut paths = Vec::new();
        list(&here, 0, &mut paths);
        for folder in ["data", "models"] {
            list(&here.join(folder), DEPTH, &mut paths);
        }
        for folder in more {
            if !folder.is_dir() {
                return Err(Error::usage("--search takes a folder").at(folder.display()));
            }
            list(&std::path::absolute(folder)?, DEPTH, &mut paths);
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

    /// Returns the name of the shipped rules of this hash.
    pub fn shipped_rules(blake3: &str) -> Option<&'static str> {
        let mut known = rules::SHIPPED.iter();
        known.find(|(_, text)| hash(text.as_bytes()) == blake3).map(|(name, _)| *name)
    }

    /// Returns the name of the shipped costs of this hash.
    pub fn shipped_costs(blake3: &str) -> Option<&'static str> {
        let mut known = costs::SHIPPED.iter();
        known.find(|(_, text)| hash(text.as_bytes()) == blake3).map(|(name, _)| *name)
    }
}

/// Lists regular files; folders that cannot be read have none.
fn list(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_file() => paths.push(entry.path()),
            Ok(kind) if kind.is_dir() && depth > 0 => list(&entry.path(), depth - 1, paths),
            _ => {}
        }
    }
}

fn same(path: &Path, blake3: &str) -> bool {
    fs::File::open(path).and_then(mes_pipe::hash_of).is_ok_and(|found| found == blake3) || based(path, blake3)
}

/// Says whether it is rules that say only what differs from shipped ones, which go by the hash of the whole.
fn based(path: &Path, blake3: &str) -> bool {
    let rules = path.extension().is_some_and(|ending| ending == "toml");
    let text = rules.then(|| limits::settings_text(path).ok()).flatten();
    text.is_some_and(|text| rules::whole(&text).is_ok_and(|whole| hash(whole.as_bytes()) == blake3))
}
