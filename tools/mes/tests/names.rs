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
    let files =
        "rules/mnq-1k.toml costs/owner.toml models/demo.onnx data/cme_calendar.csv pipelines/paper.sh";
    for file in files.split(' ') {
        assert!(folder.path().join("there/share/mes").join(file).is_file(), "{file}");
    }
    assert!(folder.path().join("there/share/man/man1/mes-fetch-synth.1").is_file());
    let line = "cd there; for name in $(bin/mes --list); do
            grep -q '^.TH' share/man/man1/$name.1; grep -q $name share/zsh/site-functions/_$name
        done; [ -x bin/mes-nets ]; bin/mes-bars --version";
    assert!(shell::ok(folder.path(), &format!("set -e; {line}"), b"").starts_with(b"mes-bars "));
}

#[test]
fn what_is_no_tool_is_said() {
    let (code, out, error) = said(Path::new(MES), &["bar", "day.csv"]);
    assert_eq!((code, &*out), (Some(2), ""));
    assert_eq!(error, "mes: bar: there is no such tool; `mes --help` lists them; is bars meant?\n");
    let (code, _, error) = said(Path::new(MES), &["walk-the-dog"]);
    assert_eq!(code, Some(2));
    assert_eq!(error, "mes: walk-the-dog: there is no such tool; `mes --help` lists them\n");
    let (code, out, _) = said(Path::new(MES), &[]);
    assert_eq!(code, Some(2));
    assert!(out.contains("mes-bars "), "{out}");
}

#[test]
fn the_demonstration_trades_and_says_what_it_is() {
    let folder = TempDir::new().expect("a folder");
    // A name longer than a socket's may be.
    let deep = folder.path().join("deep".repeat(40));
    let words = ["demo", &deep.display().to_string(), "--sessions", "2"].map(str::to_owned);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (code, out, error) = said(Path::new(MES), &words);
    assert_eq!(code, Some(0), "{error}");
    assert!(out.starts_with("SYNTHETIC DATA: "), "{out}");
    assert!(out.contains("/report.html") && out.contains("is made up"), "{out}");
    let journal = std::fs::read_to_string(deep.join("journal.jsonl")).expect("a journal");
    assert!(journal.contains("\"fills\":[{"), "it did not trade:\n{out}");
    let end = journal.lines().last().expect("a line");
    assert!(end.contains("\"kind\":\"statement\"") || end.contains("\"kind\":\"end\""), "{end}");
    let report = std::fs::read_to_string(deep.join("report.html")).expect("a report");
    assert!(report.to_lowercase().contains("synthetic"));
    let (code, _, error) = said(Path::new(MES), &["demo", "/dev/null/there"]);
    assert!(code == Some(2) && error.contains("name another folder"), "{code:?} {error}");
}

#[test]
fn help_has_pages_and_knows_the_tools() {
    for (page, word) in [("pipe", "mes-features"), ("columns", "p_conf"), ("money", "$12.09")] {
        let (code, out, _) = said(Path::new(MES), &["help", page]);
        assert!(code == Some(0) && out.contains(word), "{page}: {out}");
        assert!(out.lines().count() <= 50 && out.lines().all(|line| line.chars().count() <= 130), "{page}");
    }
    let bars = said(Path::new(MES), &["bars", "--help"]);
    assert_eq!(said(Path::new(MES), &["help", "bars"]), bars);
    assert!(bars.1.contains("--man") && bars.1.contains("--completions"), "{}", bars.1);
    let (code, _, error) = said(Path::new(MES), &["help", "colums"]);
    assert!(code == Some(2) && error.ends_with("is columns meant?\n"), "{error}");
    let (code, out, _) = said(Path::new(MES), &["--help"]);
    assert!(code == Some(0) && out.contains("demo ") && out.contains("bars "), "{out}");
}

#[test]
fn colour_is_there_when_it_is_wanted() {
    let (_, plain, _) = said(Path::new(MES), &["bars", "--help"]);
    let (_, never, _) = said(Path::new(MES), &["bars", "--help", "--color=never"]);
    let (_, always, _) = said(Path::new(MES), &["bars", "--help", "--color", "always"]);
    assert!(!plain.contains('\x1b') && always.contains('\x1b'), "{always}");
    assert_eq!(plain, never);
}
