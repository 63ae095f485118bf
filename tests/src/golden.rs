//! Golden cases: folders with a command and what it must print, whole and byte by byte.
//!
//! `cmd` is a shell line; `in`, where it exists, is its stdin; `out`, `err` and `code` are what must come. Without `err`
//! stderr may say anything; without `code` the command must succeed. `BLESS=1` writes `out`, `err` and `code` anew.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::shell;

/// Runs all cases of `tests/golden/<tool>` and returns what differs.
pub fn failures(tool: &str) -> Vec<String> {
    let folder = shell::root().join("tests/golden").join(tool);
    let cases = cases(&folder);
    assert!(!cases.is_empty(), "no golden case in {}", folder.display());
    cases.iter().filter_map(|case| failure(case)).collect()
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut cases: Vec<_> =
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn failure(case: &Path) -> Option<String> {
    let read = |name: &str| fs::read(case.join(name)).ok();
    let command = String::from_utf8(read("cmd").unwrap_or_default()).expect("cmd is text");
    let output = shell::run(case, &command, &read("in").unwrap_or_default());
    let code = output.status.code().unwrap_or(-1).to_string();
    let found = [("out", output.stdout), ("err", output.stderr), ("code", format!("{code}\n").into_bytes())];
    if env::var_os("BLESS").is_some() {
        for (name, bytes) in &found {
            let wanted = *name == "out" || case.join(name).exists() || (*name == "code" && code != "0");
            if wanted {
                fs::write(case.join(name), bytes).expect("the golden can be written");
            }
        }
        return None;
    }
    let mut differences = String::new();
    for (name, bytes) in &found {
        let golden = match (read(name), *name) {
            (Some(golden), _) => golden,
            (None, "code") => b"0\n".to_vec(),
            (None, "out") => Vec::new(),
            (None, _) => continue,
        };
        if golden != *bytes {
            let show = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
            differences += &format!("--- {name} should be\n{}\n--- and is\n{}\n", show(&golden), show(bytes));
        }
    }
    let name = case.strip_prefix(shell::root()).unwrap_or(case).display();
    (!differences.is_empty()).then(|| format!("{name}\n$ {command}{differences}rewrite: BLESS=1 make test\n"))
}
