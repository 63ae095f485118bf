//! What no calendar covers is not traded, and a calendar that is not whole is not used.

use std::{fs, path::Path};

use mes_golden::shell;

/// Two seconds of a day, with predictions.
fn rows(date: &str) -> String {
    let row = |second| {
        format!(
            r#"{{"ts":"{date}T15:00:0{second}Z","open":5000.0,"high":5000.0,"low":5000.0,"close":5000.0,"volume":1,"seg":1,"symbol":"MES","p_dir":0,"p_conf":0.5}}"#
        ) + "\n"
    };
    row(1) + &row(2)
}

/// Runs a line on the rows of a date and returns its exit code and what it said.
fn ran(folder: &Path, line: &str, date: &str) -> (Option<i32>, String) {
    let done = shell::run(folder, line, rows(date).as_bytes());
    (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn rows_beyond_the_calendar_are_exit_3() {
    let folder = tempfile::tempdir().expect("a folder");
    for line in ["mes-bt -q --interval 1s", "mes-risk --interval 1s --account none > out"] {
        let (code, said) = ran(folder.path(), line, "2031-01-06");
        let told = "2031-01-06T15:00:01Z is beyond the calendar, which covers 2014-01-01 to 2030-12-31";
        assert!(code == Some(3) && said.contains(told), "{line}: {code:?} {said}");
        assert_eq!(ran(folder.path(), line, "2030-01-07").0, Some(0), "{line}");
    }
    let (code, said) = ran(folder.path(), "mes-risk --interval 1s | mes-exec > out", "2031-01-06");
    assert!(code != Some(0) && said.contains("beyond the calendar"), "{code:?} {said}");
}

#[test]
fn a_calendar_that_is_not_whole_is_exit_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let shipped = fs::read_to_string(shell::root().join("data/cme_calendar.csv")).expect("the calendar");
    let cut: String = shipped.lines().take(7).map(|line| format!("{line}\n")).collect();
    let bare: String =
        shipped.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    for (name, text, told) in [
        ("cut.csv", cut, "3 are there: the file is cut off"),
        ("bare.csv", bare, "put before it a line such as \"# calendar 2014-01-01..2030-12-31, 201 lines\""),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
        for line in ["mes-bt -q --interval 1s", "mes-risk --interval 1s --account none", "mes-exec"] {
            let (code, said) = ran(folder.path(), &format!("{line} --calendar {name} > out"), "2026-11-20");
            assert!(code == Some(2) && said.contains(told), "{line} {name}: {code:?} {said}");
        }
    }
}
