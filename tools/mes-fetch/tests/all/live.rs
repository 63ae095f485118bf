//! A recording replayed: the same records at every speed, each handed over before the next wait.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use super::text;

const TICKS: &str = "ts,price,size,symbol
2026-11-20T15:00:00.200Z,6800.25,2,MESZ6
2026-11-20T15:00:02.700Z,6800.5,1,MESZ6
2026-11-20T15:00:01.900Z,6800.25,3,MESZ6
2026-11-20T15:00:03Z,6800.5,1,MESZ6
";

const SENT: &str = "ts,price,size,symbol,ts_event
2026-11-20T15:00:00.200Z,6800.25,2,MESZ6,
2026-11-20T15:00:01Z,,,,
2026-11-20T15:00:02Z,,,,
2026-11-20T15:00:02.700Z,6800.5,1,MESZ6,
2026-11-20T15:00:02.700Z,6800.25,3,MESZ6,2026-11-20T15:00:01.900Z
2026-11-20T15:00:03Z,6800.5,1,MESZ6,
";

fn command(args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mes-fetch"));
    command.arg("live").args(args.split_whitespace()).stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

fn replay(folder: &Path, text: &str, args: &str) -> Output {
    let path = folder.join("ticks.csv");
    std::fs::write(&path, text).expect("a file");
    command(args).arg("--replay").arg(path).output().expect("the tool runs")
}

#[test]
fn the_records_are_the_same_at_every_speed() {
    let folder = tempfile::tempdir().expect("a folder");
    for speed in ["max", "1000x", "50"] {
        let done = replay(folder.path(), TICKS, &format!("--to csv --speed {speed}"));
        assert_eq!(text(&done.stdout), SENT, "{speed}: {}", text(&done.stderr));
    }
}

/// What was sent once is a recording too, own times and heartbeats included.
#[test]
fn a_replay_replays_to_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let done = replay(folder.path(), SENT, "--to csv --speed max");
    assert_eq!(text(&done.stdout), SENT, "{}", text(&done.stderr));
}

#[test]
fn a_record_is_handed_over_before_the_next_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ticks.csv");
    std::fs::write(&path, TICKS.replace("02.700Z", "01.100Z").replace("15:00:03Z", "16:30:00Z"))
        .expect("a file");
    // After the third tick the next one is an hour and a half away.
    for (format, lines) in [("jsonl", 3), ("csv", 4)] {
        let mut child = command(&format!("--to {format} --speed 1x --replay"))
            .arg(&path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        assert_eq!(out.lines().take(lines).filter(Result::is_ok).count(), lines);
        assert!(child.try_wait().expect("a child").is_none(), "it did not wait");
        child.kill().expect("killed");
        child.wait().expect("reaped");
    }
}

#[test]
fn says_what_it_cannot_replay() {
    let folder = tempfile::tempdir().expect("a folder");
    let bars = "ts,open,high,low,close,volume\n2026-11-20T15:00:00Z,1,1,1,1,1\n";
    for (input, args, code, what) in [
        (bars, "--speed max", 2, "holds rows of kind ohlcv: live replays ticks"),
        (TICKS, "--speed 0", 2, "neither a number of times"),
        ("", "--speed max", 3, "empty"),
        (&TICKS[..TICKS.len() - 1], "--speed max", 3, "line 5: the last line has no end"),
        (&TICKS.replace(",3,", ",x,"), "--speed max", 3, "line 4: column \"size\""),
    ] {
        let done = replay(folder.path(), input, args);
        let told = text(&done.stderr);
        assert!(done.status.code() == Some(code) && told.contains(what), "{:?} {told}", done.status);
    }
}
