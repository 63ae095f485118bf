//! Values that cannot be, in every kind of table: refused with row and column, whatever the format and however rows are
//! batched. Their neighbours that can be pass.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray};

use crate::pass::{self, table, tables::START};

/// Columns of predictions with their bars, and a row that can be.
const COLUMNS: [(&str, f64); 16] = [
    ("open", 5000.0),
    ("high", 5001.0),
    ("low", 4999.0),
    ("close", 5000.0),
    ("volume", 3.0),
    ("buy_volume", 1.0),
    ("bid", 5000.0),
    ("ask_size", 4.0),
    ("age_ms", 0.0),
    ("seg", 1.0),
    ("p_down", 0.2),
    ("p_flat", 0.3),
    ("p_up", 0.5),
    ("p_dir", 1.0),
    ("p_conf", 0.5),
    ("y_dir", 2.0),
];

/// Makes rows of which the last but one has other values.
fn rows(count: usize, others: &[(&str, f64)]) -> RecordBatch {
    let column = |name: &str, value: f64| -> ArrayRef {
        let other = others.iter().find(|(other, _)| *other == name).map_or(value, |(_, other)| *other);
        let values = (0..count).map(|row| if row + 2 == count { other } else { value });
        match name {
            "y_dir" => Arc::new(values.map(|value| Some(value as i8)).collect::<Int8Array>()),
            _ if name.starts_with("p_") => {
                Arc::new(values.map(|value| Some(value as f32)).collect::<Float32Array>())
            }
            "volume" | "buy_volume" | "ask_size" | "age_ms" | "seg" => {
                Arc::new(values.map(|value| Some(value as i64)).collect::<Int64Array>())
            }
            _ => Arc::new(values.map(Some).collect::<Float64Array>()),
        }
    };
    let mut columns: Vec<_> = COLUMNS.iter().map(|(name, value)| (*name, column(name, *value))).collect();
    columns.push(("symbol", Arc::new(StringArray::from(vec!["MESZ6"; count]))));
    table((0..count as i64).map(|row| START + row * 1_000_000_000).collect(), columns)
}

/// What is changed, and what is said of it after the row.
type Case = (&'static [(&'static str, f64)], &'static str);

const BAD: [Case; 24] = [
    (&[("p_conf", 1.5)], "column \"p_conf\": 1.5 is not within 0 and 1"),
    (&[("p_conf", 1e30)], "column \"p_conf\": 1000000000000000000000000000000 is not within 0 and 1"),
    (&[("p_conf", -0.1)], "column \"p_conf\": -0.1 is not within 0 and 1"),
    (&[("p_dir", 5.0)], "column \"p_dir\": 5 is not -1, 0 or 1"),
    (&[("p_dir", 0.001)], "column \"p_dir\": 0.001 is not -1, 0 or 1"),
    (
        &[("p_down", 0.5), ("p_up", 0.2)],
        "column \"p_dir\": 1 is against the largest of p_down 0.5, p_flat 0.3 and p_up 0.2",
    ),
    (
        &[("p_dir", -1.0)],
        "column \"p_dir\": -1 is against the largest of p_down 0.2, p_flat 0.3 and p_up 0.5",
    ),
    (&[("p_down", 0.3)], "column \"p_down\": 0.3 makes 1.1000 with p_flat 0.3 and p_up 0.5, not 1"),
    (&[("p_down", -0.2)], "column \"p_down\": -0.2 is not within 0 and 1"),
    (&[("y_dir", 3.0)], "column \"y_dir\": 3 is not 0 (down), 1 (flat) or 2 (up)"),
    (&[("y_dir", -1.0)], "column \"y_dir\": -1 is not 0 (down), 1 (flat) or 2 (up)"),
    (&[("age_ms", -1.0)], "column \"age_ms\": -1 is not within 0 and 1000000000000"),
    (&[("volume", -3.0)], "column \"volume\": -3 is not within 0 and 100000000"),
    (
        &[("volume", 4_611_686_018_427_387_904.0)],
        "column \"volume\": 4611686018427387904 is not within 0 and 100000000",
    ),
    (&[("buy_volume", -1.0)], "column \"buy_volume\": -1 is not within 0 and 100000000"),
    (&[("ask_size", -1.0)], "column \"ask_size\": -1 is not within 0 and 100000000"),
    (&[("seg", -1.0)], "column \"seg\": -1 is not within 0 and 1000000000000"),
    (
        &[("close", -5000.0)],
        "column \"close\": -5000.0 is no price: above 0 and at most 1000000; leave empty what is not known",
    ),
    (
        &[("bid", 0.0)],
        "column \"bid\": 0.0 is no price: above 0 and at most 1000000; leave empty what is not known",
    ),
    (
        &[("high", 1e308)],
        "column \"high\": 1e308 is no price: above 0 and at most 1000000; leave empty what is not known",
    ),
    (&[("high", 4998.0)], "column \"high\": 4998 lies below the low of 4999"),
    (
        &[("open", 4998.75)],
        "column \"open\": 4998.75 does not lie within the low of 4999 and the high of 5001",
    ),
    (
        &[("close", 5001.25)],
        "column \"close\": 5001.25 does not lie within the low of 4999 and the high of 5001",
    ),
    (&[("low", 5000.5)], "column \"open\": 5000 does not lie within the low of 5000.5 and the high of 5001"),
];

#[test]
fn rows_that_cannot_be_are_refused_with_row_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = String::new();
    for (others, words) in BAD {
        let bad = rows(6, others);
        // The whole, and a last batch that begins with the row at fault.
        for (batch, kept) in [(usize::MAX, 4), (4, 4)] {
            let input = pass::arrow_stream(&bad, batch.min(6));
            let output = pass::run(folder.path(), &["-q", "--to", "csv"], &input);
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let expected = format!("pass: stdin: row 5: {words}\n");
            // What came before it is worked on.
            if output.status.code() != Some(3) || err != expected || out.lines().count() != 1 + kept {
                wrong +=
                    &format!("{others:?}: exit {:?}\n  is  {err}  not {expected}{out}", output.status.code());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_comes_first_is_named_first() {
    let folder = tempfile::tempdir().expect("a folder");
    // The volume of row 3 and the open of row 2: columns are looked at one after the other, rows count.
    let lines = "ts,open,high,low,close,volume\n2025-11-24T14:30:00Z,1,1,1,1,1\n2025-11-24T14:30:01Z,1,1,1,1,-1\n\
                 2025-11-24T14:30:02Z,-1,1,1,1,1\n";
    let output = pass::run(folder.path(), &["-q", "--to", "csv"], lines.as_bytes());
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.starts_with("pass: stdin: line 3: column \"volume\": -1 "), "{err}");
}

#[test]
fn ticks_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (row, column) in [
        ("1e308,1,5000,5000.25", "price"),
        ("-5000,1,5000,5000.25", "price"),
        ("5000,-1,5000,5000.25", "size"),
        ("5000,1,-5000,5000.25", "bid"),
        ("5000,1,5000,0", "ask"),
        (",,-5000,5000.25", "bid"),
    ] {
        // A tick without a trade before it: what lies under a null is anything.
        let text = format!(
            "ts,price,size,bid,ask\n2025-11-24T14:30:00Z,,,5000,5000.25\n2025-11-24T14:30:01Z,{row}\n"
        );
        let output = pass::run(folder.path(), &["-q", "--to", "csv"], text.as_bytes());
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{row}: {err}");
        assert!(err.starts_with(&format!("pass: stdin: line 3: column {column:?}: ")), "{row}: {err}");
    }
}

#[test]
fn rows_that_can_be_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    for others in [
        &[][..],
        &[("p_conf", 0.0)],
        &[("p_conf", 1.0)],
        &[("p_down", 0.2008)],
        &[("p_down", 0.5), ("p_up", 0.2), ("p_dir", -1.0)],
        &[("p_down", 0.4), ("p_flat", 0.2), ("p_up", 0.4), ("p_dir", 0.0)],
        &[("volume", 100_000_000.0)],
        &[("high", 5000.0), ("low", 5000.0)],
        &[("y_dir", 0.0)],
    ] {
        pass::ok(folder.path(), &["-q", "--to", "csv"], &pass::arrow_stream(&rows(4, others), 2));
    }
}
