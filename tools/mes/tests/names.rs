//! One program by many names: what each name does is what the tool of that name does.

use std::{os::unix::fs::symlink, path::Path, process::Command};

use mes_golden::shell;
use tempfile::TempDir;

const MES: &str = env!("CARGO_BIN_EXE_mes");

fn said(program: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(program).args(words).output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_tool_is_there_by_its_link_and_by_its_word() {
    let folder = TempDir::new().expect("a folder");
    let (code, names, _) = said(Path::new(MES), &["--list"]);
    assert_eq!(code, Some(0));
    assert!(names.lines().count() >= 10, "{names}");
    for name in names.lines() {
        let link = folder.path().join(name);
        symlink(MES, &link).expect("a link");
        let alone = said(&shell::tools().join(name), &["--help"]);
        assert_eq!(said(&link, &["--help"]), alone, "{name}");
        let word = name.strip_prefix("mes-").expect("a name of ours");
        assert_eq!(said(Path::new(MES), &[word, "--help"]), alone, "mes {word}");
    }
    let line = "\
        PATH=$PWD:$PATH; mes-fetch synth -q --sessions 1 --seed 3 --session rth > ticks; \
        mes-bars -q ticks | mes-predict --rule ema-cross | mes-risk | mes-exec | tail -1";
    let ours = shell::ok(folder.path(), line, b"");
    let other = TempDir::new().expect("a folder");
    assert!(!ours.is_empty());
    assert_eq!(ours, shell::ok(other.path(), line, b""), "the tools one by one");
}

#[test]
fn what_is_installed_has_pages_and_completions_and_runs() {
    let folder = TempDir::new().expect("a folder");
    let install = shell::root().join("pipelines/install.sh");
    let line = format!("{} {} there", install.display(), shell::tools().display());
    let said = String::from_utf8(shell::ok(folder.path(), &line, b"")).expect("text");
    let megabytes = said.split(' ').nth(1).and_then(|size| size.parse::<u32>().ok());
    assert!(megabytes.is_some_and(|size| size <= 60), "{said}");
    let line = "cd there; for name in $(bin/mes --list); do
            grep -q '^.TH' share/man/man1/$name.1; grep -q $name share/zsh/site-functions/_$name
        done; [ -x bin/mes-nets ]; bin/mes-bars --version";
    assert!(shell::ok(folder.path(), &format!("set -e; {line}"), b"").starts_with(b"mes-bars "));
}

#[test]
fn what_is_no_tool_is_said() {
    let (code, out, error) = said(Path::new(MES), &["bar", "day.csv"]);
    assert_eq!((code, &*out), (Some(2), ""));
    assert_eq!(error, "mes: bar: there is no such tool; `mes --help` lists them\n");
    let (code, out, _) = said(Path::new(MES), &[]);
    assert_eq!(code, Some(2));
    assert!(out.contains("mes-bars "), "{out}");
}
