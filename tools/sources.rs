//! Build script of the tools that make models: names their code, as `MES_CODE`, by a hash of all that a model may depend
//! on. That is what the crate and the crates of this house that it rests on are made of, and the versions that
//! `Cargo.lock` has of everything below them: the same in every profile, and no other tool has a say in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

/// What only paints: a model does not depend on it.
const SILENT: &str = "mes-page";

/// Offset and prime of FNV-1a with 128 bits (Fowler, Noll and Vo; RFC 9923).
const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

#[expect(clippy::disallowed_macros, reason = "what cargo reads")]
fn main() -> Result<(), Box<dyn Error>> {
    let own = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let tools = own.parent().ok_or("the crate lies in tools/")?.to_owned();
    let lock = tools.with_file_name("Cargo.lock");
    let versions = Versions::read(&lock)?;
    let (mut files, mut reached) = (BTreeSet::from([lock.clone()]), BTreeSet::new());
    versions.visit(&env::var("CARGO_PKG_NAME")?, &tools, &mut files, &mut reached)?;
    let mut hash = OFFSET;
    let mut take = |bytes: &[u8]| {
        // The length parts what follows each other.
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    };
    reached.iter().for_each(|package| take(package.as_bytes()));
    for file in files.iter().filter(|file| **file != lock) {
        take(file.strip_prefix(&tools)?.as_os_str().as_encoded_bytes());
        take(&fs::read(file)?);
    }
    files.iter().for_each(|file| println!("cargo::rerun-if-changed={}", file.display()));
    println!("cargo::rustc-env=MES_CODE={hash:032x}");
    Ok(())
}

/// The blocks of a lock file by `name` and by `name version`.
struct Versions(BTreeMap<String, String>);

impl Versions {
    fn read(lock: &Path) -> io::Result<Versions> {
        let text = fs::read_to_string(lock)?;
        let blocks = text.split("[[package]]").skip(1);
        Ok(Versions(blocks.flat_map(named).collect()))
    }

    /// Adds the files of a crate of this house and of those that it rests on, and everything below them.
    fn visit(
        &self,
        name: &str,
        tools: &Path,
        files: &mut BTreeSet<PathBuf>,
        reached: &mut BTreeSet<String>,
    ) -> io::Result<()> {
        let manifest = tools.join(name).join("Cargo.toml");
        if !files.insert(manifest.clone()) {
            return Ok(());
        }
        sources(&tools.join(name).join("src"), files)?;
        let locked: Vec<_> = self.0.get(name).map(|block| below(block)).into_iter().flatten().collect();
        for dependency in dependencies(&fs::read_to_string(manifest)?) {
            match tools.join(&dependency).is_dir() {
                true if dependency == SILENT => {}
                true => self.visit(&dependency, tools, files, reached)?,
                false => {
                    let one = locked.iter().find(|one| one.split(' ').next() == Some(&dependency));
                    one.into_iter().for_each(|one| self.reach(one, reached));
                }
            }
        }
        Ok(())
    }

    /// Adds what stands in the lock file of a package and of all below it.
    fn reach(&self, package: &str, reached: &mut BTreeSet<String>) {
        let Some(block) = self.0.get(package) else { return };
        if reached.insert(block.clone()) {
            below(block).for_each(|package| self.reach(package, reached));
        }
    }
}

/// Returns a block by its name, and by its name and version.
fn named(block: &str) -> Vec<(String, String)> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix('"'));
    let (Some(name), Some(version)) = (field("name = \""), field("version = \"")) else { return Vec::new() };
    vec![(name.into(), block.into()), (format!("{name} {version}"), block.into())]
}

/// Returns what a block of a lock file depends on, as the keys of others.
fn below(block: &str) -> impl Iterator<Item = &str> {
    block.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","))
}

/// Returns the names in a manifest's `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let name = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
    lines.map(name).filter(|name| !name.is_empty()).collect()
}

/// Adds the files below a folder.
fn sources(folder: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}
