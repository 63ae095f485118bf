//! Nothing that was whole is paid for twice, whenever the tool is killed.

use std::{fs, process::Stdio, thread::sleep, time::Duration};

use super::{
    case::{Case, JANUARY, WINTER, files},
    databento::Fault,
};

/// Starts it, waits until the server has sent so many bytes of the second month, and kills it.
fn killed_at(case: &Case, bytes: usize) {
    case.server.state().faults.extend([Fault::Slow, Fault::Hold(bytes)]);
    let mut command = case.command(&format!("{WINTER} --yes --stall 60"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let part = case.dir.path().join("raw/MES.v.0.ohlcv-1s.20240201-20240301.dbn.zst.part");
    let arrived = || part.metadata().is_ok_and(|file| file.len() >= bytes as u64);
    while !(case.server.state().held && arrived()) {
        assert!(child.try_wait().expect("a child").is_none(), "it ended by itself");
        sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("reaped");
}

#[test]
fn a_kill_at_any_byte_costs_no_month_twice() {
    let probe = Case::new();
    let february = (1_706_745_600_000_000_000, 1_709_251_200_000_000_000);
    let length = probe.server.body("MES.v.0", "ohlcv-1s", february.0, february.1).len();
    let places =
        [0, 1, 3, 4, 8, 9, 100, 1000, length / 3, length / 2, length - 100, length - 4, length - 1, length];
    for bytes in places {
        let case = Case::new();
        killed_at(&case, bytes);
        assert_eq!(case.billed(), 2, "{bytes}");
        case.fetch(WINTER).ended(0);
        // February was sent anew unless every byte of it was there; January never.
        let again = if bytes < length { 3 } else { 2 };
        assert_eq!(
            (case.billed(), case.month("2024-01").0, case.month("2024-02").0),
            (again, 3450, 3150),
            "{bytes}"
        );
        assert!(files(case.dir.path()).iter().all(|path| !path.to_string_lossy().ends_with(".part")));
    }
}

#[test]
fn a_ledger_cut_anywhere_costs_nothing() {
    let case = Case::new();
    case.fetch(WINTER).ended(0);
    let path = case.dir.path().join("ledger.jsonl");
    let whole = fs::read(&path).expect("a ledger");
    for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        fs::write(&path, &whole[..length]).expect("cut");
        case.fetch(WINTER).ended(0);
        assert_eq!((case.billed(), case.month("2024-02").0), (2, 3150), "cut at {length}");
        assert_eq!(case.ledger().iter().filter(|entry| entry["event"] == "stored").count(), 2);
    }
}

#[test]
fn two_at_a_time_do_not_both_pay() {
    let case = Case::new();
    case.server.fault("hold", 10);
    let mut command = case.command(&format!("{JANUARY} --yes --stall 60"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while !case.server.state().held {
        assert!(child.try_wait().expect("a child").is_none(), "it ended by itself");
        sleep(Duration::from_millis(1));
    }
    case.fetch(JANUARY).ended(2).saying("another mes-fetch is at work here");
    child.kill().expect("killed");
    child.wait().expect("reaped");
    assert_eq!(case.billed(), 1);
}
