//! Rules, costs, calendars and scripts.

use std::fs;

use mes_golden::{market, shell};

use super::{
    fields,
    sweep::{self, ANSWERS},
};

const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "9223372036854775807",
    "-9223372036854775808",
    "4294967296",
    "1e9",
    "1e-300",
    "1e308",
    "-1e308",
    "nan",
    "inf",
];

/// Returns a text of keys and numbers with each number at extremes, one at a time.
fn at_extremes(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut cases = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once('=').filter(|(key, _)| !key.contains('#')) else { continue };
        if value.trim().starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            for number in fields::some(&NUMBERS, at) {
                let changed = format!("{key}= {number}");
                let text: Vec<&str> = (0..lines.len())
                    .map(|index| if index == at { &*changed } else { lines[index] })
                    .collect();
                cases.push((format!("line {}: {changed}", at + 1), text.join("\n")));
            }
        }
    }
    cases
}

fn rows() -> String {
    market::eventful(1).lines().take(2000).map(|line| format!("{line}\n")).collect()
}

#[test]
fn of_rules() {
    let rows = rows();
    let names = [market::RULES, "tests/fixtures/patient.toml", "pipelines/rules/topstep-50k.toml"];
    for name in names {
        let text = fs::read_to_string(shell::root().join(name)).expect("rules");
        let text = mes_core::rules::whole(&text).expect("rules with a base");
        sweep::all(&at_extremes(&text), &ANSWERS, |folder, rules| {
            fs::write(folder.join("rules.toml"), rules).expect("written");
            sweep::line(folder, "mes-bt --rules rules.toml > /dev/null", rows.as_bytes())
        });
    }
}

#[test]
fn of_costs() {
    let rows = rows();
    let text = fs::read_to_string(shell::root().join("pipelines/costs/owner.toml")).expect("costs");
    let rules = shell::root().join(market::RULES);
    sweep::all(&at_extremes(&text), &ANSWERS, |folder, costs| {
        fs::write(folder.join("costs.toml"), costs).expect("written");
        let line = format!("mes-bt --rules {} --costs costs.toml > /dev/null", rules.display());
        sweep::line(folder, &line, rows.as_bytes())
    });
}

#[test]
fn of_calendars() {
    let rows = rows();
    let shipped = fs::read_to_string(shell::root().join("data/cme_calendar.csv")).expect("a calendar");
    let days = [
        "2026-02-23",
        "2026-02-24",
        "0001-01-01",
        "262142-12-31",
        "-262143-01-01",
        "9999-12-31",
        "1970-01-01",
    ];
    let times = ["00:00", "00:01", "09:30", "17:59", "18:00", "23:59", "24:00"];
    let mut cases = Vec::new();
    for day in days {
        cases.push((format!("{day} closed"), format!("{shipped}{day},full-closed,,test,\n")));
        for time in times {
            cases.push((format!("{day} {time}"), format!("{shipped}{day},early-close,{time},test,\n")));
        }
    }
    sweep::all(&cases, &ANSWERS, |folder, calendar| {
        fs::write(folder.join("days.csv"), calendar).expect("written");
        let bars = sweep::line(
            folder,
            "mes-bars --symbol MES --interval 1m --calendar days.csv > /dev/null",
            rows.as_bytes(),
        );
        if bars.status.code() == Some(101) {
            return bars;
        }
        sweep::line(folder, "mes-bt --calendar days.csv > /dev/null", rows.as_bytes())
    });
}
