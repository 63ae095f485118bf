//! One text out of a zip. Which one, the user says when there are several: two expiries in one stream are two
//! markets.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use mes_pipe::{Error, Result, limits};

/// Returns the name and the content of the entry that `wanted` names (whole, a part between `_` and `.`, or any part), or of the only one.
///
/// # Errors
///
/// `Usage` where `wanted` names none or several, `Data` where the archive is damaged or too large, `Failed` where it
/// cannot be read.
pub fn entry(path: &Path, wanted: Option<&str>) -> Result<(String, File)> {
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
    let fits = |bytes: u64| limits::block("a file", bytes).map_err(|error| error.at(&name).at(&place));
    fits(found.size())?;
    // What an archive says of a size need not be true, and a text is not to be held twice.
    let mut content = tempfile::tempfile()?;
    let most = limits::get().block.saturating_add(1);
    let read = io::copy(&mut Read::by_ref(&mut found).take(most), &mut content);
    let broken =
        |error: io::Error| Error::data(format!("{place}: {name}: the compressed data is broken: {error}"));
    fits(read.map_err(broken)?)?;
    content.rewind()?;
    Ok((name, content))
}
