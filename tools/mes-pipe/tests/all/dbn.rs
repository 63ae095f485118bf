//! Databento's format: files made here, and genuine ones where the folder of shared data is there.

use std::{io::Write, path::Path};

use crate::pass::{
    self,
    dbn::{START, bar_at, bars, other, trades},
};

fn csv(bytes: &[u8]) -> String {
    String::from_utf8(pass::ok(Path::new("."), &["--to", "csv"], bytes)).expect("text")
}

fn refused(bytes: &[u8]) -> String {
    let output = pass::run(Path::new("."), &["--to", "csv"], bytes);
    assert_eq!(output.status.code(), Some(3));
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn trades_are_stamped_when_received() {
    let file = trades(&[(0, 5_000_250_000_000, 3, b'B'), (1, i64::MAX, 2, b'A'), (1, 250_000_000, 1, b'N')]);
    let expected = "ts,price,size,side,symbol\n2025-11-24T14:30:00Z,5000.25,3,buy,42\n\
                    2025-11-24T14:30:01Z,,2,sell,42\n2025-11-24T14:30:01Z,0.25,1,,42\n";
    for bytes in [file.clone(), pass::zstd(&file), pass::gzip(&file)] {
        assert_eq!(csv(&bytes), expected);
    }
    let spread = trades(&[(0, 5_000_250_000_000, 3, b'B'), (1, -250_000_000, 1, b'N')]);
    assert!(refused(&spread).starts_with("pass: stdin: record 2: column \"price\": -0.25 is no price"));
}

#[test]
fn bars_are_stamped_at_their_close() {
    let expected = "ts,open,high,low,close,volume,symbol\n\
                    2025-11-24T14:30:01Z,5000.25,5000.75,5000.0,5000.5,7,42\n\
                    2025-11-24T14:30:02Z,5000.25,5000.75,5000.0,5000.5,7,42\n";
    assert_eq!(csv(&bars(2)), expected);
}

#[test]
fn what_is_neither_ticks_nor_bars_is_refused_by_name() {
    for schema in [dbn::Schema::Mbo, dbn::Schema::Statistics, dbn::Schema::Definition, dbn::Schema::Mbp10] {
        let said = refused(&other(schema));
        let expected = format!("pass: stdin: DBN schema {schema} is neither ticks nor bars");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn cut_and_odd_records_are_refused() {
    let file = bars(2);
    let said = refused(&file[..file.len() - 7]);
    assert_eq!(said, "pass: stdin: after record 1: the last record is cut off (49 bytes are left)\n");
    let off = refused(&bar_at(START + 1));
    assert_eq!(off, "pass: stdin: record 1: a bar of 1s that begins at 2025-11-24T14:30:00.000000001Z\n");
    let last = i64::MAX as u64 / 1_000_000_000 * 1_000_000_000;
    for late in [last, u64::MAX] {
        assert_eq!(refused(&bar_at(late)), "pass: stdin: record 1: a record without a time\n");
    }
}

#[test]
fn genuine_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dbn");
    if !folder.is_dir() {
        let _ = writeln!(std::io::stderr(), "skipped: no shared data");
        return;
    }
    let read = |name: &str| pass::run(&folder, &["-q", "--to", "csv", name], b"");
    for schema in ["trades", "tbbo", "mbp-1", "ohlcv-1s", "ohlcv-1m"] {
        let mut tables = Vec::new();
        for ending in ["dbn", "v1.dbn.zst", "v2.dbn.zst", "v3.dbn.zst"] {
            let name = format!("test_data.{schema}.{ending}");
            let output = read(&name);
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            tables.push(String::from_utf8(output.stdout).expect("text"));
        }
        assert!(tables[0].lines().count() > 1, "{schema}: no rows");
        assert!(tables.iter().all(|table| *table == tables[0]), "{schema}: versions differ: {tables:#?}");
    }
    let samples =
        ["dbn", "v2.dbn.zst", "v3.dbn.zst"].map(|ending| read(&format!("test_data.bbo-1s.{ending}")));
    assert!(samples.iter().all(|sample| sample.status.success() && sample.stdout == samples[0].stdout));
    for schema in ["definition", "statistics", "status"] {
        let output = read(&format!("test_data.{schema}.dbn"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{schema}");
        assert!(said.contains(&format!("DBN schema {schema} is neither")), "{said}");
    }
}
