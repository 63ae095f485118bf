//! What a job depends on beside its line: bytes of files, the build of the tools, the kind of processor.

use std::{
    env::consts::ARCH,
    fs::{self, File},
    path::{Path, PathBuf},
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

/// Refuses a text of arguments that names files: nobody would see that their bytes have changed.
///
/// # Errors
///
/// `Usage` for a word that is a file or a directory of tables, whole or after a `=`.
pub fn no_files(flag: &str, text: &str) -> Result<()> {
    let file = |name: &str| {
        let path = Path::new(name);
        path.metadata().is_ok_and(|about| !about.is_dir() || expand(&[path.to_owned()]).is_ok())
    };
    let names = |word: &&str| file(word) || word.split_once('=').is_some_and(|(_, value)| file(value));
    let Some(word) = text.split_whitespace().find(names) else { return Ok(()) };
    Err(Error::usage(
        "a file, whose bytes no job would check: give inputs as inputs, a calendar by --calendar",
    )
    .at(format!("{flag}: {word}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_arguments_name_no_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("days.csv");
        fs::write(&file, "").expect("writes");
        let (folder, file) = (folder.path().display(), file.display());
        for text in ["", "--session rth --labels=horizon", &format!("--out {folder} --from={folder}/other")] {
            assert!(no_files("--bars-args", text).is_ok(), "{text}");
        }
        for text in [format!("-q {file}"), format!("--calendar={file}")] {
            let error = no_files("--bars-args", &text).expect_err("a file");
            let told = error.to_string();
            assert!(
                error.code() == 2 && told.starts_with("--bars-args: ") && told.contains("days.csv: "),
                "{told}"
            );
        }
    }
}
