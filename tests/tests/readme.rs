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
fn the_examples_of_the_rules_run() {
    let page = fs::read_to_string(shell::root().join("pipelines/rules/README.md")).expect("the page");
    let lines = examples(&page);
    assert!(lines.lines().count() > 10, "the page has lost its examples");
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(shell::root().join("pipelines"), folder.path().join("pipelines"))
        .expect("a link");
    let stdout = String::from_utf8(shell::ok(folder.path(), &format!("set -e\n{lines}"), b"")).expect("text");
    for wanted in
        ["halt recorded at ", "\"unheard\":[\"resume\",\"halt\"]", "the model ", "\"kind\":\"hold\""]
    {
        assert!(stdout.contains(wanted), "no {wanted} in {stdout}");
    }
    for link in page.split('`').filter(|word| word.starts_with("tests/tests/")) {
        assert!(shell::root().join(link).exists(), "{link}");
    }
}

/// The limits in the page's table are those of the files.
#[test]
fn the_table_of_rules_says_what_the_files_say() {
    let page = fs::read_to_string(shell::root().join("pipelines/rules/README.md")).expect("the page");
    for (name, text) in mes_core::rules::SHIPPED {
        let rules = mes_core::rules::Rules::parse(text).expect("rules");
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).expect(name);
        let limits = &rules.limits;
        let amounts = [
            limits.daily_loss_usd,
            limits.daily_drawdown_usd,
            limits.account_drawdown_usd,
            limits.kill_loss_usd,
        ];
        let amounts = amounts.map(|usd| mes_core::money::Cents::from_usd(usd).to_string().replace(".00", ""));
        let flat_by = rules.day_end.flat_by.format("%H:%M");
        assert!(row.ends_with(&format!("| {} | {flat_by} |", amounts.join(", "))), "{row}");
    }
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
