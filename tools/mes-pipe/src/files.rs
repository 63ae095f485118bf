//! The files that the arguments of a tool name.

use std::{collections::VecDeque, path::PathBuf};

use crate::{Error, Result};

/// Replaces directories by their Parquet files, in the order of their paths.
///
/// # Errors
///
/// `Usage` for a directory without any, `Failed` where one cannot be looked into.
pub fn expand(files: &[PathBuf]) -> Result<VecDeque<PathBuf>> {
    let mut paths = VecDeque::new();
    for path in files {
        if !path.is_dir() {
            paths.push_back(path.clone());
            continue;
        }
        let mut found = Vec::new();
        let mut folders = vec![path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in
                std::fs::read_dir(&folder).map_err(|error| Error::from(error).at(folder.display()))?
            {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "parquet") {
                    found.push(path);
                }
            }
        }
        if found.is_empty() {
            return Err(Error::usage(format!("{}: no *.parquet within", path.display())));
        }
        found.sort();
        paths.extend(found);
    }
    Ok(paths)
}
