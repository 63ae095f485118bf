//! How a stream came to be: settings that change content and hashes of what was read.
//!
//! A chain of links, one a tool: `{"tool", "settings", "input"?}`. `input` is the list of BLAKE3 hashes of the
//! files that the tool read, or `"pipe"` where nobody can know. Formats, threads, paths and times are never in it:
//! two runs with equal chains have equal rows.

use std::{fs::File, io::Seek, path::Path};

use serde_json::{Value, json};

use crate::{Error, Result};

/// The chain of a stream, oldest link first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineage {
    links: Vec<Value>,
    /// What the next link will say it read.
    input: Option<Value>,
}

impl Lineage {
    /// Returns the chain of what an input without one holds: files by their hashes, else an unknown pipe.
    pub(crate) fn of_input(inherited: Option<Lineage>, hashes: Option<Vec<String>>) -> Lineage {
        let links = inherited.as_ref().map(|chain| chain.links.clone()).unwrap_or_default();
        let input = match hashes {
            Some(hashes) => Some(json!(hashes)),
            None if inherited.is_none() => Some(json!("pipe")),
            None => None,
        };
        Lineage { links, input }
    }

    /// Adds a link.
    pub fn then(&self, tool: &str, settings: Value) -> Lineage {
        let mut link = json!({ "tool": tool, "settings": settings });
        if let Some(input) = &self.input {
            link["input"] = input.clone();
        }
        let mut links = self.links.clone();
        links.push(link);
        Lineage { links, input: None }
    }

    /// Returns the settings of the newest link that `tool` added.
    pub fn settings(&self, tool: &str) -> Option<&Value> {
        self.links.iter().rev().find(|link| link["tool"] == tool).map(|link| &link["settings"])
    }

    /// Returns the chain as JSON.
    pub fn to_json(&self) -> Value {
        Value::Array(self.links.clone())
    }

    /// Reads a chain from JSON.
    pub fn from_json(value: &Value) -> Option<Lineage> {
        value.as_array().map(|links| Lineage { links: links.clone(), input: None })
    }
}

/// Returns the BLAKE3 of some bytes in hex.
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Returns the BLAKE3 of all that can be read, in hex.
///
/// # Errors
///
/// What reading fails of.
pub fn hash_of(bytes: impl std::io::Read) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(bytes)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Returns the BLAKE3 of a whole file and leaves it at its beginning.
pub(crate) fn hash_file(file: &mut File, path: &Path) -> Result<String> {
    let failed = |error: std::io::Error| Error::failed(format!("{}: {error}", path.display()));
    file.rewind().map_err(failed)?;
    let hash = hash_of(&mut *file).map_err(failed)?;
    file.rewind().map_err(failed)?;
    Ok(hash)
}
