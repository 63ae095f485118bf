//! What is in the files themselves: nothing secret, and a day that comes to the same again.

use std::{fs, path::Path};

use crate::day::{
    Day,
    laws::no_exec,
    report::{Fault, Finding, Place},
};

/// What tokens begin with, and how they are passed in addresses.
const TOKEN: &str = "eyJ";
const PASSED: &str = "access_token=";
/// The shortest part of a token, in characters.
const PART: usize = 10;

/// No file has the user, the key, or anything that looks like a token.
pub fn secret(day: &Day) -> Finding {
    let mut faults = Vec::new();
    for path in &day.files {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return Finding::NotChecked(format!("{}: {error}", path.display())),
        };
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            faults.extend(found(&line, &day.secrets).map(|what| fault(path, index + 1, what)));
        }
    }
    let known = match day.secrets.len() {
        0 => "; user and key are not in the environment, and not looked for".to_owned(),
        _ => String::new(),
    };
    Finding::of(faults, format!("{} files{known}", day.files.len()))
}

/// Says what a line holds that it must not; never the thing itself.
fn found(line: &str, secrets: &[(&'static str, String)]) -> Option<String> {
    if line.contains(PASSED) {
        return Some("a token in an address".into());
    }
    if line.match_indices(TOKEN).any(|(at, _)| is_token(&line[at..])) {
        return Some("what looks like a token".into());
    }
    let (name, _) = secrets.iter().find(|(_, secret)| stands_alone(line, secret))?;
    Some(format!("what {name} says"))
}

/// Recognises three parts of base64 with dots between.
fn is_token(text: &str) -> bool {
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
    let parts: Vec<_> = text[..end.unwrap_or(text.len())].split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.len() >= PART)
}

/// Says whether a word stands in a line that is not part of a longer one.
fn stands_alone(line: &str, word: &str) -> bool {
    let inside = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(inside) && !line[at + word.len()..].starts_with(inside))
}

fn fault(path: &Path, line: usize, words: String) -> Fault {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Fault { place: Place { file, line, ts: None }, words }
}

/// Every journal of mes-exec comes to the same actions when it is run again.
pub fn replay(day: &Day) -> Finding {
    if day.exec.is_empty() {
        return no_exec();
    }
    let (mut faults, mut actions) = (Vec::new(), 0);
    for run in &day.exec {
        match &run.replayed {
            Ok(came) => actions += came,
            Err(words) => {
                let place = Place { file: run.name.clone(), line: 0, ts: None };
                faults.push(Fault { place, words: words.clone() });
            }
        }
    }
    Finding::of(faults, format!("{actions} actions"))
}
