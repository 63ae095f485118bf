//! Every flag of every tool that takes a value.

use mes_golden::{market, shell};

use super::{
    fields,
    sweep::{self, OR_LONG},
};

const VALUES: [&str; 14] = [
    "-1",
    "0",
    "1",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "nan",
    "9223372036s",
    "99999999999999999999h",
    "2262-04-11T23:47:16Z",
    "9999-12-31",
    "\u{1b}[2J",
    "",
];

/// Tools and what they do, with as little else as they need; the input is rows with predictions.
const TOOLS: [&str; 19] = [
    "mes-bars",
    "mes-features",
    "mes-features describe",
    "mes-predict --rule ema-cross",
    "mes-predict eval",
    "mes-train logistic",
    "mes-risk --account none",
    "mes-risk status",
    "mes-risk explain",
    "mes-bt",
    "mes-lab folds",
    "mes-lab slice",
    "mes-lab montecarlo",
    "mes-check stage",
    "mes-fetch synth",
    "mes-fetch import",
    "mes-fetch verify",
    "mes-fetch roll",
    "mes-fetch history",
];

/// Reads the flags with values out of a help.
fn flags(tool: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let command = tool.split(" --").next().unwrap_or(tool);
    let help = shell::ok(folder.path(), &format!("{command} --help"), b"");
    let help = String::from_utf8(help).expect("text");
    let names = help.lines().filter_map(|line| {
        // `-o, --out <FILE>`, `--labels[=<KIND>]`
        let (_, rest) = line.trim_start().split_once("--").filter(|(before, _)| before.len() <= 4)?;
        let (name, value) = rest.split_once([' ', '='])?;
        value.starts_with('<').then(|| format!("--{}", name.trim_end_matches('[')))
    });
    names.collect()
}

#[test]
fn of_every_flag() {
    let rows: String = market::eventful(1).lines().take(400).map(|line| format!("{line}\n")).collect();
    let mut cases = Vec::new();
    for tool in TOOLS {
        let flags = flags(tool);
        assert!(!flags.is_empty(), "{tool} has no flags");
        for (at, flag) in flags.iter().enumerate() {
            for value in fields::some(&VALUES, at) {
                cases.push((format!("{tool} {flag}={value:?}"), format!("{tool} {flag}='{value}'")));
            }
        }
    }
    sweep::all(&cases, &OR_LONG, |folder, line| {
        let line = sweep::bounded(3, &format!("{line} > /dev/null"));
        shell::run(folder, &line, rows.as_bytes())
    });
}
