//! One text out of a zip. Which one, the user says when there are several: two expiries in one stream are two
//! markets.

use std::{fs::File, io::Read, path::Path};

use mes_pipe::{Error, Result};

/// What a zip may unpack to; a day of LEAN seconds is a hundredth of it.
const LARGEST: u64 = 1 << 31;

/// Returns the name and the bytes of the entry that `wanted` names (whole, a part between `_` and `.`, or any part), or of the only one.
pub fn entry(path: &Path, wanted: Option<&str>) -> Result<(String, Vec<u8>)> {
    let place = path.display();
    let broken = |error: zip::result::ZipError| Error::data(format!("{place}: {error}"));
    let file = File::open(path).map_err(|error| Error::from(error).at(&place))?;
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    let names = archive.file_names().map(|name| name.map(|name| name.into_owned()));
    let mut names = names.collect::<std::result::Result<Vec<String>, _>>().map_err(broken)?;
    names.retain(|name| !name.ends_with('/'));
    names.sort();
    let all = names.join(", ");
    if let Some(wanted) = wanted {
        let part = |name: &String| name == wanted || name.split(['_', '.']).any(|part| part == wanted);
        match names.iter().any(part) {
            true => names.retain(part),
            false => names.retain(|name| name.contains(wanted)),
        }
    }
    let name = match &names[..] {
        [name] => name.clone(),
        [] => {
            return Err(Error::usage(format!(
                "{place}: no entry {:?} among {all}",
                wanted.unwrap_or_default()
            )));
        }
        several => {
            let several = several.join(", ");
            return Err(Error::usage(format!("{place} holds {several}: choose one with --entry NAME")));
        }
    };
    let mut found = archive.by_name(&name).map_err(broken)?;
    if found.size() > LARGEST {
        return Err(Error::data(format!("{place}: {name} unpacks to {} bytes", found.size())));
    }
    let mut bytes = Vec::new();
    let read = Read::by_ref(&mut found).take(LARGEST).read_to_end(&mut bytes);
    read.map_err(|error| Error::data(format!("{place}: {name}: the compressed data is broken: {error}")))?;
    Ok((name, bytes))
}
