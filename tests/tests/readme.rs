//! The examples of the README run as they stand.

use std::fs;

use mes_golden::shell;

/// Returns the lines of all blocks fenced as `sh`.
fn examples(page: &str) -> String {
    let mut inside = false;
    let mut lines = String::new();
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => lines += &format!("{line}\n"),
            _ => {}
        }
    }
    lines
}

#[test]
fn the_examples_of_the_readme_run() {
    let page = fs::read_to_string(shell::root().join("README.md")).expect("README.md");
    let lines = examples(&page);
    assert!(lines.lines().count() > 10, "the README has lost its examples");
    let folder = tempfile::tempdir().expect("a folder");
    // `head` closes pipes early on purpose; that is no failure.
    let output = shell::run(folder.path(), &format!("set -e\n{lines}"), b"");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}\n{lines}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("\"kind\":\"statement\"") && stdout.contains("\"volume\""), "{stdout}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn the_commands_of_the_readme_exist() {
    let page = fs::read_to_string(shell::root().join("README.md")).expect("README.md");
    let makefile = fs::read_to_string(shell::root().join("Makefile")).expect("Makefile");
    for verb in page.split("`make ").skip(1).filter_map(|rest| rest.split([' ', '`']).next()) {
        assert!(makefile.contains(&format!("\n{verb}:")), "make {verb}");
    }
    for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(shell::root().join(link).exists(), "{link}");
    }
}
