//! The examples of every README and of the book in `docs` run as they stand: the blocks fenced as `sh` or `console`, in the order of the page, in a
//! folder that looks like the repository, on default data that are made once and small.
//!
//! What cannot run begins with `# not run: ` and the reason, which a reader sees as well; these are counted.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use mes_golden::shell;
use tempfile::TempDir;

/// How a block that is not run begins; the reason follows.
const NOT_RUN: &str = "# not run: ";

/// What the examples of a page print, among other things.
const PRINTED: [(&str, &[&str]); 4] = [
    ("README.md", &["\"kind\":\"statement\"", "\"volume\""]),
    ("docs/stages.md", &["\"kind\":\"statement\"", "\"holds\":true", "f_momentum"]),
    // A day alone, a feature that there is, the two ways that are one.
    ("docs/cookbook.md", &["\n[1,", "\"f_rsi_14\":-0.", "\nequal\n"]),
    (
        "pipelines/rules/README.md",
        &[
            "halt recorded at ",
            "\"halt\"]}",
            " New York  the model ",
            " or better within 20000 ms",
            "\"kind\":\"hold\"",
        ],
    ),
];

/// A fenced block of a page.
struct Block {
    line: usize,
    text: String,
}

impl Block {
    /// Returns why it is not run, if it is not.
    fn not_run(&self) -> Option<&str> {
        self.text.lines().next().and_then(|first| first.strip_prefix(NOT_RUN))
    }
}

/// Returns the blocks of shell lines of a page, also those within a list, which are indented.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = None;
    for (index, line) in page.lines().enumerate() {
        match line.trim() {
            "```sh" | "```console" => {
                inside = Some(line.len() - line.trim_start().len());
                blocks.push(Block { line: index + 1, text: String::new() });
            }
            "```" => inside = None,
            _ => {
                if let (Some(indent), Some(block)) = (inside, blocks.last_mut()) {
                    block.text += &format!("{}\n", line.get(indent..).unwrap_or_default());
                }
            }
        }
    }
    blocks
}

/// Finds the READMEs of the repository and the pages of the book, by their paths within it: those that git knows or would,
/// since other people's packages bring their own.
fn pages() -> Vec<PathBuf> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard", "README.md", "*/README.md", "docs/*.md"])
        .current_dir(shell::root())
        .output()
        .expect("git");
    let listed = String::from_utf8(output.stdout).expect("paths");
    let there = |path: &&str| shell::root().join(path).exists();
    let mut pages: Vec<PathBuf> = listed.lines().filter(there).map(PathBuf::from).collect();
    pages.sort();
    pages
}

/// Makes what `make backtest` makes, of fewer sessions, in a folder that looks like the repository.
fn defaults() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = shell::root();
    for name in ["Makefile", "pipelines", "tests", "tools"] {
        symlink(root.join(name), folder.path().join(name)).expect("a link");
    }
    for name in ["data", "models", "target"] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    fs::copy(root.join("data/cme_calendar.csv"), folder.path().join("data/cme_calendar.csv"))
        .expect("a copy");
    symlink(shell::tools(), folder.path().join("target/release")).expect("a link");
    shell::ok(folder.path(), &format!("{SMALL} make backtest"), b"");
    folder
}

/// The default data with half of the sessions, to the same end. The tools are built already.
const SMALL: &str = "CARGO=true SESSIONS=30";

/// Runs the examples of a page, and returns how many blocks ran and how many did not; or what went wrong.
fn run(page: &Path, defaults: &Path) -> Result<[usize; 2], String> {
    let folder = tempfile::tempdir().expect("a folder");
    let copied =
        std::process::Command::new("cp").arg("-a").arg(defaults.join(".")).arg(folder.path()).status();
    assert!(copied.expect("cp runs").success());
    let text = fs::read_to_string(shell::root().join(page)).expect("the page");
    let blocks = blocks(&text);
    let mut script = format!("set -e\nexport {SMALL}\n");
    for block in blocks.iter().filter(|block| block.not_run().is_none()) {
        script += &format!("echo '@@ line {}' >&2\n{}", block.line, block.text);
    }
    let output = shell::run(folder.path(), &script, b"");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() || stderr.contains("panicked") {
        let last = stderr.rfind("@@ line").map_or(&*stderr, |at| &stderr[at..]);
        return Err(format!("{}: the block before the end failed: {last}", page.display()));
    }
    let wanted = PRINTED.iter().find(|(name, _)| Path::new(name) == page).map_or(&[][..], |(_, words)| words);
    if let Some(missing) = wanted.iter().find(|word| !stdout.contains(**word)) {
        return Err(format!("{}: no {missing:?} in {stdout}", page.display()));
    }
    let not_run = blocks.iter().filter(|block| block.not_run().is_some()).count();
    Ok([blocks.len() - not_run, not_run])
}

#[test]
fn every_example_of_every_page_runs() {
    let defaults = defaults();
    // That of Python needs pyarrow: `make oracle` runs it.
    let pages: Vec<_> = pages().into_iter().filter(|page| page != Path::new("docs/python.md")).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push(run(page, defaults.path()));
        }
        found
    };
    let found = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut found = work();
        found.extend(other.join().expect("the other half"));
        found
    });
    let failed: Vec<_> = found.iter().filter_map(|run| run.as_ref().err()).map(String::as_str).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    let sum = |kind: usize| found.iter().flatten().map(|counts| counts[kind]).sum::<usize>();
    let _ = writeln!(
        std::io::stderr(),
        "examples of {} pages: {} blocks ran, {} are marked as not run",
        pages.len(),
        sum(0),
        sum(1)
    );
    assert!(pages.len() >= 20 && sum(0) >= 55, "a page has lost its examples: {} of {}", sum(0), pages.len());
}

/// A reason is a sentence, and what needs none is run.
#[test]
fn what_is_not_run_says_why() {
    for page in pages() {
        let text = fs::read_to_string(shell::root().join(&page)).expect("the page");
        for block in blocks(&text) {
            let bare = block.text.contains("# not run") && block.not_run().is_none_or(|why| why.len() < 10);
            assert!(!bare, "{} line {}: `{NOT_RUN}REASON` is the first line", page.display(), block.line);
        }
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

/// The book's table of contents names every page there is, and no link of a page leads nowhere.
#[test]
fn the_book_is_whole() {
    let folder = shell::root().join("docs");
    let summary = fs::read_to_string(folder.join("SUMMARY.md")).expect("docs/SUMMARY.md");
    for page in pages() {
        let text = fs::read_to_string(shell::root().join(&page)).expect("the page");
        let beside = shell::root().join(&page).parent().expect("a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let away = link.is_empty() || link.contains("://");
            assert!(away || beside.join(link).exists(), "{}: {link}", page.display());
        }
        let Ok(name) = page.strip_prefix("docs") else { continue };
        let listed = summary.contains(&format!("]({})", name.display()));
        assert!(listed || name == Path::new("SUMMARY.md"), "{} is not in docs/SUMMARY.md", page.display());
    }
}
