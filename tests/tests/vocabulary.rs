//! Every name of a rule, limit, refusal or exit that risk, the guard or an account writes says something to a person, and
//! every name that says something is written.

use std::{collections::BTreeSet, fs, path::Path};

use mes_core::vocabulary::WORDS;

/// What a name stands behind where it is written; the text between is whatever it is.
const WRITTEN: [&str; 9] = [
    "rule: \"",
    "Idle::Hold(\"",
    "alert(out, ts, \"",
    "alert(out, row.bar.ts, \"",
    "refuse(entry.order, \"",
    "refuse(order, \"",
    "Some(\"guard_",
    "then_some(\"guard_",
    "(rule, found) = (\"",
];

/// Returns the code of these folders and files without their tests.
fn code(places: &[impl AsRef<Path>]) -> String {
    fn read(path: &Path, into: &mut String) {
        if path.is_dir() {
            let entries = fs::read_dir(path).expect("a folder");
            entries.for_each(|entry| read(&entry.expect("an entry").path(), into));
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && path.file_stem().is_some_and(|name| name != "tests")
        {
            let text = fs::read_to_string(path).expect("a text");
            into.push_str(text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default());
        }
    }
    let mut all = String::new();
    places.iter().for_each(|place| read(&mes_golden::shell::root().join(place), &mut all));
    all
}

/// Returns the names that stand where names are written.
fn written(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for before in WRITTEN {
        let kept = before.rfind('"').map_or("", |quote| &before[quote + 1..]);
        for after in code.split(before).skip(1) {
            names.insert(format!("{kept}{}", after.split('"').next().unwrap_or_default()));
        }
    }
    names
}

#[test]
fn what_is_written_is_a_word_and_every_word_is_written() {
    let tools = code(&["tools/mes-risk/src", "tools/mes-exec/src"]);
    let known: BTreeSet<&str> = WORDS.iter().map(|word| word.name).collect();
    let written = written(&tools);
    assert!(written.len() > 20, "the places where names are written have changed: {written:?}");
    let unknown: Vec<_> = written.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "one line each in tools/mes-core/src/vocabulary/words.rs: {unknown:?}");
    let all =
        tools + &code(&["limits", "order", "statement"].map(|file| format!("tools/mes-core/src/{file}.rs")));
    let unwritten: Vec<_> = known.iter().filter(|name| !all.contains(&format!("\"{name}\""))).collect();
    assert!(unwritten.is_empty(), "nobody writes these any more: {unwritten:?}");
}
