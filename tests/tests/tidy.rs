//! Style as a test: what the compiler and clippy do not see.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use mes_golden::shell;
use serde_json::Value;

const LINES: usize = 400;
const LICENCES: &str = "MIT, MIT-0, Apache-2.0, Apache-2.0 WITH LLVM-exception, 0BSD, BSD-2-Clause, BSD-3-Clause, BSL-1.0, CC0-1.0, \
    CDLA-Permissive-2.0, ISC, Unicode-3.0, Unlicense, Zlib";
const BANNED: [&str; 4] = ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys"];

fn sources() -> Vec<(PathBuf, String)> {
    let output = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard", "*.rs"])
        .current_dir(shell::root())
        .output()
        .expect("git");
    let paths = String::from_utf8(output.stdout).expect("paths");
    let sources: Vec<_> = paths
        .lines()
        .filter(|path| shell::root().join(path).exists())
        .map(|path| (PathBuf::from(path), fs::read_to_string(shell::root().join(path)).expect("a source")))
        .collect();
    assert!(sources.len() > 50, "git lists {} sources", sources.len());
    sources
}

/// The part of a source before its tests.
fn code(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap_or(text)
}

fn is_test(path: &Path) -> bool {
    path.components()
        .any(|part| ["tests", "tests.rs", "examples", "benches"].iter().any(|name| part.as_os_str() == *name))
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for (path, text) in sources() {
        let path = path.display();
        let lines = text.lines().count();
        assert!(lines <= LINES, "{path}: {lines} lines; {LINES} are long: split it");
        let main = lines < 12 && text.contains("fn main");
        assert!(text.starts_with("//!") || main, "{path}: begins without //! that says what it is and why");
    }
}

#[test]
fn names_say_something() {
    let empty = ["util", "utils", "common", "helpers", "helper", "manager", "misc", "shared"];
    for (path, _) in sources() {
        for part in path.with_extension("").components() {
            let name = part.as_os_str().to_string_lossy().into_owned();
            assert!(!empty.contains(&name.as_str()), "{}: {name} says nothing", path.display());
        }
    }
}

#[test]
fn nothing_is_left_undone_or_left_to_panic() {
    // Spelled in two halves, so that this file does not find itself.
    let undone = ["TO|DO", "FIX|ME", "XX|X ", "todo|!(", "unimplemented|!(", "dbg|!("]
        .map(|word| word.replace('|', ""));
    let panics = [".unwrap|()", "panic|!("].map(|word| word.replace('|', ""));
    for (path, text) in sources() {
        for word in &undone {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
        for word in panics.iter().filter(|_| !is_test(&path)) {
            assert!(!code(&text).contains(word), "{}: {word} outside tests", path.display());
        }
    }
}

#[test]
fn the_core_is_pure_and_only_labels_look_ahead() {
    for (path, text) in sources().iter().filter(|(path, _)| path.starts_with("tools/mes-core/src")) {
        for word in [
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "std::thread",
            "std::env",
            "Instant::now",
            "SystemTime",
        ] {
            assert!(!code(text).contains(word), "{}: {word} in the core", path.display());
        }
    }
    for (path, text) in
        sources().iter().filter(|(path, _)| path.starts_with("tools/mes-features/src/indicators"))
    {
        assert!(!code(text).contains("labels::"), "{}: an indicator that knows of labels", path.display());
    }
}

#[test]
fn no_tool_imports_another_but_along_the_arrows() {
    let allowed = [
        ("mes-bt", "mes-judge mes-risk mes-exec"),
        ("mes-lab", "mes-judge mes-risk mes-exec"),
        ("mes-train", "mes-predict"),
        ("mes-fetch", "mes-web mes-projectx"),
        ("mes-exec", "mes-web mes-projectx"),
        ("mes-projectx", "mes-web"),
        ("mes-alert", "mes-judge mes-web"),
        ("mes-sim", "mes-web mes-projectx"), // What the bytes say, and no more of it.
        // What is shown of limits and rules comes from the judge that trades by them.
        ("mes-watch", "mes-judge mes-risk"),
        // A day is judged by the machine that lived it, and by what the bytes of the exchange say.
        ("mes-check", "mes-exec mes-projectx"),
    ];
    for package in metadata()["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().unwrap_or_default();
        if !name.starts_with("mes-") || name == "mes-golden" {
            continue;
        }
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let other = dependency["name"].as_str().unwrap_or_default();
            // It and what it rests on take minutes to build.
            assert!(other != "candle-core" || name == "mes-nets", "{name} imports {other}");
            let tool = other.starts_with("mes-") && !["mes-core", "mes-pipe", "mes-page"].contains(&other);
            let test = dependency["kind"] == "dev";
            assert!(other != "ureq" || name == "mes-web", "{name} speaks HTTP by itself: use mes-web");
            assert!(other != "lettre" || name == "mes-alert", "{name} sends mail by itself: use mes-alert");
            let sockets = other == "tungstenite" && !test && name != "mes-projectx";
            assert!(!sockets, "{name} opens sockets by itself: use mes-projectx");
            let along = allowed.iter().any(|(of, to)| *of == name && to.split(' ').any(|to| to == other));
            assert!(!tool || test || along, "{name} imports {other}");
            let alone = ["mes-core", "mes-page", "mes-web"].contains(&name);
            assert!(!(alone && other.starts_with("mes-")), "{name} imports {other}");
        }
    }
}

/// What lies in a circle cannot be read, or tested, one after the other.
#[test]
fn no_public_modules_import_each_other_in_a_circle() {
    for (name, modules) in crates() {
        let public: Vec<&String> = modules.keys().filter(|module| modules[*module].public).collect();
        for (index, one) in public.iter().enumerate() {
            for other in &public[index + 1..] {
                // A run names its broker, and a broker is told of the run.
                if name.contains("mes-core") && [one.as_str(), other.as_str()] == ["broker", "run"] {
                    continue;
                }
                let there = way(&modules, one, other, &mut BTreeSet::new());
                let back = way(&modules, other, one, &mut BTreeSet::new());
                let circle =
                    there.zip(back).map(|(there, back)| [&there[..], &back[1..]].concat().join(" → "));
                assert_eq!(circle, None, "{name}: modules import each other in a circle");
            }
        }
    }
}

/// A module of a crate's root, with all its files, and which of the others it names outside tests.
#[derive(Default)]
struct Module {
    public: bool,
    uses: BTreeSet<String>,
}

/// Finds a way along imports, both ends included.
fn way(
    modules: &BTreeMap<String, Module>,
    from: &str,
    to: &str,
    seen: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if from == to {
        return Some(vec![to.to_owned()]);
    }
    if !seen.insert(from.to_owned()) {
        return None;
    }
    let rest = modules[from].uses.iter().find_map(|next| way(modules, next, to, seen))?;
    Some([vec![from.to_owned()], rest].concat())
}

/// Returns the modules of every crate of the house that is a library.
fn crates() -> Vec<(String, BTreeMap<String, Module>)> {
    let sources = sources();
    let libraries = sources.iter().filter(|(path, _)| path.ends_with("src/lib.rs"));
    libraries
        .map(|(path, root)| {
            let folder = path.parent().expect("a folder");
            let mut modules = declared(root);
            let names: BTreeSet<String> = modules.keys().cloned().collect();
            for (path, text) in &sources {
                let Ok(within) = path.strip_prefix(folder) else { continue };
                let whole = within.with_extension("").display().to_string();
                let parts: Vec<&str> = whole.split('/').filter(|part| *part != "mod").collect();
                if let Some(module) = modules.get_mut(parts[0]).filter(|_| !parts.contains(&"tests")) {
                    let others = named(code(text), parts.len()).into_iter().filter(|name| name != parts[0]);
                    module.uses.extend(others.filter(|name| names.contains(name)));
                }
            }
            (folder.display().to_string(), modules)
        })
        .collect()
}

/// Returns the modules that a crate's root declares.
fn declared(root: &str) -> BTreeMap<String, Module> {
    let module = |line: &str| {
        let public = line.starts_with("pub ");
        let name = line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')?;
        Some((name.to_owned(), Module { public, ..Module::default() }))
    };
    root.lines().filter_map(module).collect()
}

/// Returns the names right under the crate's root that a source names which lies so deep below it: after `crate::`, and
/// after as many `super::`.
fn named(text: &str, depth: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let text = lines.join("\n");
    let inside = |letter: char| letter.is_alphanumeric() || letter == '_';
    let name =
        |text: &str| text.trim_start().split(|letter| !inside(letter)).next().unwrap_or_default().to_owned();
    let mut names = Vec::new();
    for root in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in text.match_indices(&root) {
            if text[..at].ends_with(|before| inside(before) || before == ':') {
                continue;
            }
            let rest = &text[at + root.len()..];
            // `{a::{b, c}, d}` names a and d.
            let mut level = 0;
            let braces = rest.split_inclusive(['{', '}', ',']).take_while(|piece| {
                let before = level;
                level += i32::from(piece.ends_with('{')) - i32::from(piece.ends_with('}'));
                before > 0 || piece.starts_with('{')
            });
            let mut depth = 0;
            for piece in braces {
                if depth == 1 {
                    names.push(name(piece));
                }
                depth += i32::from(piece.ends_with('{')) - i32::from(piece.ends_with('}'));
            }
            names.push(name(rest));
        }
    }
    names
}

/// An item that other modules see, and what is said above it.
struct Item<'a> {
    path: &'a Path,
    line: usize,
    doc: String,
    text: String,
}

impl Item<'_> {
    fn place(&self) -> String {
        format!(
            "{}:{}: {}",
            self.path.display(),
            self.line,
            self.text.split(['{', ';']).next().unwrap_or_default()
        )
    }

    /// What it is documented by is its help: clap shows the one of a part in place of the whole's.
    fn is_of_arguments(&self) -> bool {
        self.text.trim_end_matches([' ', '{', '}']).ends_with("Args")
    }

    fn returns_result(&self) -> bool {
        let signature = self.text.split(" where ").next().unwrap_or_default();
        let returned = signature.rsplit_once(") ->").map(|(_, rest)| rest).unwrap_or_default();
        let name = returned.split('<').next().unwrap_or_default().trim();
        self.text.contains("fn ") && name.rsplit("::").next() == Some("Result")
    }
}

/// Returns the public items of a source, modules and uses aside, each with its attributes and documentation.
fn public<'a>(path: &'a Path, text: &'a str) -> Vec<Item<'a>> {
    let kinds = ["fn ", "struct ", "enum ", "trait ", "const ", "static ", "type ", "async fn "];
    let lines: Vec<&str> = code(text).lines().collect();
    let is_item = |line: &str| {
        line.trim_start()
            .strip_prefix("pub ")
            .is_some_and(|rest| kinds.iter().any(|kind| rest.starts_with(kind)))
    };
    let above = |at: usize| {
        let before = lines[..at].iter().rev().map(|line| line.trim());
        let own = |line: &&str| line.starts_with("///") || line.starts_with("#[") || line.ends_with(")]");
        before.take_while(own).map(|line| format!("{line}\n")).collect()
    };
    let whole = |at: usize| {
        let ends = |line: &str| line.ends_with(['{', ';', '}']);
        let length = lines[at..].iter().take_while(|line| !ends(line)).count() + 1;
        lines[at..(at + length).min(lines.len())].iter().map(|line| format!("{} ", line.trim())).collect()
    };
    (0..lines.len())
        .filter(|at| is_item(lines[*at]))
        .map(|at| Item { path, line: at + 1, doc: above(at), text: whole(at) })
        .collect()
}

#[test]
fn public_items_say_what_they_are_and_what_they_fail_of() {
    let sources = sources();
    let mut crates: BTreeMap<PathBuf, Vec<Item>> = BTreeMap::new();
    for (path, text) in sources.iter().filter(|(path, _)| path.starts_with("tools") && !is_test(path)) {
        let name: PathBuf = path.iter().take(2).collect();
        crates.entry(name).or_default().extend(public(path, text));
    }
    assert!(crates.values().flatten().any(Item::returns_result), "no function returns a Result");
    for items in crates.into_values() {
        let silent: Vec<String> = items
            .iter()
            .filter(|item| !item.doc.contains("///") && !item.is_of_arguments())
            .map(Item::place)
            .collect();
        let most = items.len() / 20;
        assert!(silent.len() <= most, "without ///, {most} may be:\n{}", silent.join("\n"));
        let unsaid: Vec<String> = items
            .iter()
            .filter(|item| item.returns_result() && !item.doc.contains("# Errors"))
            .map(Item::place)
            .collect();
        assert!(unsaid.is_empty(), "without # Errors:\n{}", unsaid.join("\n"));
    }
}

#[test]
fn dependencies_are_free_and_light() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().unwrap_or_default();
        assert!(!BANNED.contains(&name), "{name} is in the tree");
        let licence = package["license"].as_str().unwrap_or("none");
        // One of the alternatives has to be allowed as a whole.
        let free = licence.replace('/', " OR ").split(" OR ").any(|choice| {
            let parts = choice.replace(['(', ')'], "");
            parts.split(" AND ").all(|part| LICENCES.split(", ").any(|free| free == part.trim()))
        });
        assert!(free, "{name}: licence {licence:?}");
    }
}

pub fn metadata() -> Value {
    // Only what is built here: the crates of other systems need not be on this machine.
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc");
    let version = String::from_utf8(rustc.stdout).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(shell::root())
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("metadata")
}

#[test]
fn shell_scripts_stop_at_the_first_failure() {
    for entry in fs::read_dir(shell::root().join("pipelines")).expect("pipelines") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "sh") {
            let text = fs::read_to_string(&path).expect("a script");
            assert!(text.contains("set -euo pipefail"), "{}", path.display());
            assert!(text.lines().count() <= 40, "{}: more than a screen", path.display());
        }
    }
}

/// The word for the folder that this machine keeps the sources in has no place in them.
#[test]
fn nothing_speaks_of_this_machine() {
    let root = shell::root().display().to_string();
    for (path, text) in sources() {
        assert!(!text.contains(&root), "{}: {root}", path.display());
    }
}
