//! Style as a test: what the compiler and clippy do not see.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use mes_golden::shell;
use serde_json::Value;

const LINES: usize = 400;
const LICENCES: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
const BANNED: [&str; 5] = ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "tokio"];

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
        .any(|part| ["tests", "examples", "benches"].iter().any(|name| part.as_os_str() == *name))
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
        ("mes-bt", "mes-judge"),
        ("mes-bt", "mes-risk"),
        ("mes-bt", "mes-exec"),
        ("mes-lab", "mes-judge"),
        ("mes-lab", "mes-risk"),
        ("mes-lab", "mes-exec"),
        ("mes-train", "mes-predict"),
        ("mes-fetch", "mes-web"),
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
            assert!(!tool || test || allowed.contains(&(name, other)), "{name} imports {other}");
            let alone = ["mes-core", "mes-page", "mes-web"].contains(&name);
            assert!(!(alone && other.starts_with("mes-")), "{name} imports {other}");
        }
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
            parts.split(" AND ").all(|part| LICENCES.contains(&part.trim()))
        });
        assert!(free, "{name}: licence {licence:?}");
    }
}

fn metadata() -> Value {
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
