//! What a job depends on beside its line: bytes of files, the build of the tools, the kind of processor.

use std::{
    env::consts::ARCH,
    fs::{self, File},
    path::PathBuf,
};

use mes_pipe::{Error, Result, beside, expand, hash, hash_of};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A file that is read, and what was in it when it was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    pub path: PathBuf,
    pub blake3: String,
}

impl Bytes {
    /// Hashes a file.
    ///
    /// # Errors
    ///
    /// `Usage` where it is not there, `Failed` where it cannot be read.
    pub fn of(path: PathBuf) -> Result<Bytes> {
        let file = File::open(&path).map_err(|error| Error::unread(&path, &error))?;
        let blake3 = hash_of(file).map_err(|error| Error::from(error).at(path.display()))?;
        Ok(Bytes { path, blake3 })
    }

    /// Refuses other bytes.
    ///
    /// # Errors
    ///
    /// `Data` where they are others, and those of [`Bytes::of`].
    pub fn check(&self) -> Result<()> {
        if Bytes::of(self.path.clone())?.blake3 == self.blake3 {
            return Ok(());
        }
        let what = "its bytes are not those that were planned: put them back, or plan anew";
        Err(Error::data(what).at(self.path.display()))
    }
}

/// Hashes all files that arguments name, those of a directory with them.
///
/// # Errors
///
/// Those of [`Bytes::of`], and `Usage` for a directory without tables.
pub fn all(files: &[PathBuf]) -> Result<Vec<Bytes>> {
    expand(files)?.into_iter().map(Bytes::of).collect()
}

/// Returns the hash of some tools as they lie beside this one. Rebuilt tools make new results.
///
/// # Errors
///
/// `Failed` where one is not there; only nets need mes-nets, so that one may be absent.
pub fn tools(names: &[&str]) -> Result<String> {
    let of = |tool: &&str| match File::open(beside(tool)).and_then(hash_of) {
        Ok(hash) => Ok(Some(hash)),
        Err(_) if *tool == "mes-nets" => Ok(None),
        Err(error) => Err(Error::from(error).at(format!("{tool}: {}", beside(tool).display()))),
    };
    let hashes: Vec<Option<String>> = names.iter().map(of).collect::<Result<_>>()?;
    Ok(hash(json!(hashes).to_string().as_bytes()))
}

/// What makes products and sums differ in their last bits, as processors name it.
const MATTERS: [&str; 8] = ["avx", "fma", "avx2", "avx512f", "avx512_vnni", "amx_tile", "asimd", "sve"];

/// Names the kind of this machine's processor. Bytes are promised for one kind: others may add in another order.
pub fn processor() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |names: [&str; 2]| {
        let found = about.lines().find(|line| names.iter().any(|name| line.starts_with(name)));
        found.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    };
    let flags = field(["flags", "Features"]).unwrap_or_default();
    let has = |name: &&&str| flags.split(' ').any(|flag| flag == **name);
    let mut words = vec![ARCH];
    words.extend(MATTERS.iter().filter(has).copied());
    words.extend(field(["model name", "CPU part"]));
    words.join(" ")
}
