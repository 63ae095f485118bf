//! The same values in every format, to the last bit, however the rows are cut and packed.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray,
    types::Int8Type,
};
use proptest::{collection::vec, option, prelude::*};

use crate::pass::{
    self, difference, ok, read, table,
    tables::{START, tricky, walk},
};

const FORMATS: [&str; 4] = ["arrow", "jsonl", "csv", "parquet"];

/// A way to pack a table into bytes, batches of so many rows.
type Pack = fn(&RecordBatch, usize) -> Vec<u8>;
const BINARY: [(&str, Pack); 3] =
    [("arrow stream", pass::arrow_stream), ("arrow file", pass::arrow_file), ("parquet", pass::parquet)];

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Sends `table` through `format` and back, by pipes, and compares.
fn through(table: &RecordBatch, format: &str, folder: &Path) -> Option<String> {
    let text = ok(folder, &["--to", format], &pass::arrow_stream(table, 1000));
    let back = read(&ok(folder, &["--to", "arrow"], &text));
    difference(table, &back).map(|what| format!("--to {format}: {what}"))
}

#[test]
fn the_comparison_sees_bits() {
    let one = |value: f64| {
        table(vec![START], vec![("price", Arc::new(Float64Array::from(vec![value])) as ArrayRef)])
    };
    assert_eq!(difference(&one(0.0), &one(0.0)), None);
    assert!(difference(&one(0.0), &one(-0.0)).is_some());
    assert!(difference(&one(0.1), &one(0.1f64.next_up())).is_some());
}

#[test]
fn tricky_values_survive_every_format() {
    let folder = folder();
    for format in FORMATS {
        assert_eq!(through(&tricky(), format, folder.path()), None);
    }
}

/// One table through all formats in a row: what each adds, the next would keep.
#[test]
fn a_chain_of_all_formats_changes_nothing() {
    let folder = folder();
    let mut bytes = pass::arrow_stream(&tricky(), 10);
    for format in ["csv", "parquet", "jsonl", "arrow", "jsonl", "csv", "arrow"] {
        bytes = ok(folder.path(), &["-q", "--to", format], &bytes);
    }
    assert_eq!(difference(&tricky(), &read(&bytes)), None);
}

#[test]
fn packing_never_matters() {
    let folder = folder();
    let table = tricky();
    let mut packed: Vec<(String, Vec<u8>)> =
        BINARY.iter().map(|(name, pack)| ((*name).to_owned(), pack(&table, 50))).collect();
    for format in ["csv", "jsonl"] {
        packed.push((format.to_owned(), ok(folder.path(), &["--to", format], &packed[0].1)));
    }
    for (name, bytes) in &packed {
        let forms = [
            ("", bytes.clone()),
            (".gz", pass::gzip(bytes)),
            (".zst", pass::zstd(bytes)),
            (".gz.zst", pass::zstd(&pass::gzip(bytes))),
        ];
        for (extension, form) in forms {
            let piped = ok(folder.path(), &["-q", "--to", "arrow"], &form);
            assert_eq!(difference(&table, &read(&piped)), None, "{name}{extension} through a pipe");
            fs::write(folder.path().join("file"), &form).expect("a file");
            let filed = ok(folder.path(), &["-q", "--to", "arrow", "file"], b"");
            assert_eq!(difference(&table, &read(&filed)), None, "{name}{extension} from a file");
        }
        // Several compressed pieces behind each other are one.
        if name == "csv" || name == "jsonl" {
            let half = bytes.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
            for pack in [pass::gzip, pass::zstd] {
                let both = [pack(&bytes[..half]), pack(&bytes[half..])].concat();
                let read = read(&ok(folder.path(), &["--to", "arrow"], &both));
                assert_eq!(difference(&table, &read), None, "{name} in two compressed pieces");
            }
        }
    }
}

#[test]
fn batches_never_matter() {
    let folder = folder();
    for rows in [1, 7, 1024, 65_536] {
        let table = walk(if rows < 1000 { 9000 } else { 70_000 });
        let whole = pass::arrow_stream(&table, 10_000);
        for (name, pack) in BINARY {
            let found = read(&ok(folder.path(), &["-q", "--to", "arrow"], &pack(&table, rows)));
            assert_eq!(difference(&table, &found), None, "{name} in batches of {rows}");
        }
        for format in FORMATS {
            let expected = ok(folder.path(), &["--to", format], &whole);
            let cut = ok(folder.path(), &["--to", format, "--rows-per-batch", &rows.to_string()], &whole);
            let same = match format {
                "arrow" => difference(&read(&expected), &read(&cut)).is_none(),
                _ => expected == cut,
            };
            assert!(same, "--to {format} in batches of {rows}");
        }
    }
}

#[test]
fn several_files_are_one_stream() {
    let folder = folder();
    let table = walk(3000);
    let parts = [table.slice(0, 1000), table.slice(1000, 1), table.slice(1001, 1999)];
    let csv = |part: &RecordBatch| ok(folder.path(), &["--to", "csv"], &pass::arrow_stream(part, 100));
    fs::write(folder.path().join("1.arrows"), pass::arrow_stream(&parts[0], 100)).expect("a file");
    fs::write(folder.path().join("2.csv.gz"), pass::gzip(&csv(&parts[1]))).expect("a file");
    fs::write(folder.path().join("3.parquet"), pass::parquet(&parts[2], 100)).expect("a file");
    let found = read(&ok(folder.path(), &["--to", "arrow", "1.arrows", "2.csv.gz", "3.parquet"], b""));
    assert_eq!(difference(&table, &found), None);

    for (index, part) in parts.iter().enumerate() {
        let month = folder.path().join(format!("year/0{index}"));
        fs::create_dir_all(&month).expect("a folder");
        fs::write(month.join("part.parquet"), pass::parquet(part, 100)).expect("a file");
        fs::write(month.join("note.txt"), "not a table").expect("a file");
    }
    let found = read(&ok(folder.path(), &["--to", "arrow", "year"], b""));
    assert_eq!(difference(&table, &found), None);
}

#[test]
fn parquet_on_stdin_is_read_in_place_or_spooled() {
    let folder = folder();
    let table = walk(100);
    let path = folder.path().join("walk.parquet");
    fs::write(&path, pass::parquet(&table, 10)).expect("a file");
    let output = std::process::Command::new(pass::program())
        .args(["--to", "arrow"])
        .stdin(fs::File::open(&path).expect("the file"))
        .output()
        .expect("pass runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "a seekable stdin needs no note");
    assert_eq!(difference(&table, &read(&output.stdout)), None);
    let piped = pass::run(folder.path(), &["--to", "arrow"], &fs::read(&path).expect("the file"));
    let note = "pass: stdin: read whole into a temporary file, since it ends with its index\n";
    assert_eq!(String::from_utf8_lossy(&piped.stderr), note);
    assert_eq!(difference(&table, &read(&piped.stdout)), None);
}

/// Pandas stores categories so. They are read as the values they stand for.
#[test]
fn dictionaries_are_spelled_out() {
    let folder = folder();
    let words = [Some("buy"), None, Some("buy")];
    let both = |column: ArrayRef| {
        table(vec![START, START + 1, START + 2], vec![("side", Arc::clone(&column)), ("note", column)])
    };
    let plain = both(Arc::new(StringArray::from(words.to_vec())));
    let packed = both(Arc::new(words.into_iter().collect::<DictionaryArray<Int8Type>>()));
    for (name, pack) in BINARY {
        let read = read(&ok(folder.path(), &["--to", "arrow"], &pack(&packed, 2)));
        assert_eq!(difference(&plain, &read), None, "{name}");
    }
}

#[test]
fn a_line_break_is_for_json_alone() {
    let folder = folder();
    let table = table(vec![START], vec![("note", Arc::new(StringArray::from(vec!["one\ntwo"])) as ArrayRef)]);
    assert_eq!(through(&table, "jsonl", folder.path()), None);
    let done = pass::run(folder.path(), &["--to", "csv"], &pass::arrow_stream(&table, 1));
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(3) && told.contains("\"note\" holds a line break"), "{told}");
}

#[test]
fn a_table_without_rows_keeps_its_columns() {
    let folder = folder();
    let empty = tricky().slice(0, 0);
    for (name, pack) in BINARY {
        let found = read(&ok(folder.path(), &["-q", "--to", "arrow"], &pack(&empty, 1)));
        assert_eq!(difference(&empty, &found), None, "{name}");
    }
    let csv = ok(folder.path(), &["--to", "csv"], &pass::arrow_stream(&empty, 1));
    let back = ok(folder.path(), &["--to", "csv"], &csv);
    assert_eq!(String::from_utf8_lossy(&csv), String::from_utf8_lossy(&back));
    assert_eq!(csv.iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn a_header_line_travels_with_json() {
    let folder = folder();
    let header =
        r#"{"kind":"bar","v":1,"interval":"5s","session":"rth","lineage":[{"tool":"x","settings":{}}]}"#;
    let row = r#"{"ts":"2026-11-20T14:30:05Z","open":1.0,"high":1.0,"low":1.0,"close":1.0,"volume":1,"seg":0,"symbol":"MES"}"#;
    let text = format!("{header}\n{row}\n");
    let passed = ok(folder.path(), &["--to", "jsonl", "--header"], text.as_bytes());
    assert_eq!(String::from_utf8_lossy(&passed), text);
    // Arrow and Parquet carry the same in their metadata.
    for format in ["arrow", "parquet"] {
        let bytes = ok(folder.path(), &["--to", format], text.as_bytes());
        let back = ok(folder.path(), &["-q", "--to", "jsonl", "--header"], &bytes);
        assert_eq!(String::from_utf8_lossy(&back), text, "by {format}");
    }
    let bare = ok(folder.path(), &["--to", "jsonl"], text.as_bytes());
    assert_eq!(String::from_utf8_lossy(&bare), format!("{row}\n"));
}

#[test]
fn the_first_json_record_is_read_like_all_others() {
    let folder = folder();
    // Just above the middle of two f32: by way of f64 it would be rounded to the lower one.
    let row = r#"{"ts":"2026-11-20T14:30:05Z","f_x":1.00000005960464477540}"#;
    let found = read(&ok(folder.path(), &["--to", "arrow"], format!("{row}\n{row}\n").as_bytes()));
    let column = found.column(1).as_any().downcast_ref::<Float32Array>().expect("f32").clone();
    assert_eq!((column.value(0), column.value(1)), (1.000_000_1, 1.000_000_1));
}

#[test]
fn keys_in_any_order_and_missing_ones() {
    let folder = folder();
    let text = b"{\"ts\":\"2026-11-20T14:30:05Z\",\"price\":1.5,\"size\":2}\n{\"size\":3,\"ts\":\"2026-11-20T14:30:06Z\"}\n\n{\"kind\":\"row\",\"price\":null,\"ts\":\"2026-11-20T14:30:07Z\"}";
    let csv = ok(folder.path(), &["--to", "csv"], text);
    assert_eq!(
        String::from_utf8_lossy(&csv),
        "ts,price,size\n2026-11-20T14:30:05Z,1.5,2\n2026-11-20T14:30:06Z,,3\n2026-11-20T14:30:07Z,,\n"
    );
}

#[test]
fn line_ends_byte_order_marks_and_blank_lines() {
    let folder = folder();
    let plain = b"ts,price,size\n2026-11-20T14:30:05Z,1.5,2\n2026-11-20T14:30:06Z,\"1.75\",3\n";
    let odd = b"\xef\xbb\xbfts_utc,price,size\r\n2026-11-20T14:30:05Z,1.5,2\r\n\r\n2026-11-20T09:30:06-05:00,\"1.75\",3\r\n";
    let expected = "ts,price,size\n2026-11-20T14:30:05Z,1.5,2\n2026-11-20T14:30:06Z,1.75,3\n";
    for text in [&plain[..], &odd[..]] {
        let found = ok(folder.path(), &["--to", "csv"], text);
        assert_eq!(String::from_utf8_lossy(&found), expected, "{:?}", String::from_utf8_lossy(text));
    }
}

prop_compose! {
    fn finite()(bits in any::<u64>()) -> f64 {
        let value = f64::from_bits(bits);
        if value.is_finite() { value } else { f64::from_bits(bits & !(0x7ff << 52)) }
    }
}

prop_compose! {
    /// Any above 0 and below 2^19.
    fn price()(mantissa in 0..1_u64 << 52, exponent in 1..1042_u64) -> f64 {
        f64::from_bits(exponent << 52 | mantissa)
    }
}

prop_compose! {
    fn finite32()(bits in any::<u32>()) -> f32 {
        let value = f32::from_bits(bits);
        if value.is_finite() { value } else { f32::from_bits(bits & !(0xff << 23)) }
    }
}

prop_compose! {
    fn random()(rows in 1usize..40)(
        steps in vec(0i64..10_000_000_000, rows),
        prices in vec(option::of(price()), rows),
        counts in vec(option::of(0..=100_000_000_i64), rows),
        features in vec(option::of(finite32()), rows),
        labels in vec(option::of(0..=2_i8), rows),
        texts in vec(option::of("[ -~äß€]{1,12}"), rows),
        mut others in vec(option::of(finite()), rows),
    ) -> RecordBatch {
        let times = steps.iter().scan(START, |ts, step| { *ts += step; Some(*ts) }).collect();
        others[0] = others[0].or(Some(0.5));
        table(times, vec![
            ("price", Arc::new(Float64Array::from(prices)) as ArrayRef),
            ("size", Arc::new(Int64Array::from(counts))),
            ("f_x", Arc::new(Float32Array::from(features))),
            ("y_dir", Arc::new(Int8Array::from(labels))),
            ("symbol", Arc::new(StringArray::from(texts))),
            ("other", Arc::new(Float64Array::from(others))),
        ])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn random_tables_survive_every_format(table in random()) {
        let folder = folder();
        for format in FORMATS {
            prop_assert_eq!(through(&table, format, folder.path()), None);
        }
    }
}

const NAMES: [&str; 9] = [
    "a.arrow",
    "a.feather",
    "a.arrows",
    "a.parquet",
    "a.csv",
    "a.jsonl",
    "a.csv.gz",
    "a.jsonl.zst",
    "deep/er/a.csv.zst",
];

#[test]
fn a_named_file_has_the_format_of_its_name_and_the_same_values() {
    let folder = folder();
    let input = pass::arrow_stream(&tricky(), 10);
    for name in NAMES {
        assert!(ok(folder.path(), &["-o", name], &input).is_empty(), "{name}: nothing goes to stdout");
        let back = read(&ok(folder.path(), &["--to", "arrow", name], b""));
        assert_eq!(difference(&tricky(), &back), None, "{name}");
    }
    let starts = |name: &str, bytes: &[u8]| {
        assert!(fs::read(folder.path().join(name)).expect(name).starts_with(bytes), "{name}");
    };
    starts("a.arrow", b"ARROW1");
    starts("a.feather", b"ARROW1");
    starts("a.arrows", b"\xff\xff\xff\xff");
    starts("a.csv.gz", b"\x1f\x8b");
    starts("a.jsonl.zst", b"\x28\xb5\x2f\xfd");
}

#[test]
fn a_named_file_is_whole_or_as_it_was() {
    let folder = folder();
    let whole = pass::arrow_stream(&tricky(), 10);
    let files = || {
        let names =
            fs::read_dir(folder.path()).expect("a folder").map(|file| file.expect("a file").file_name());
        names.map(|name| name.into_string().expect("text")).collect::<Vec<_>>()
    };
    for name in NAMES {
        let failed = pass::run(folder.path(), &["-o", name], &whole[..whole.len() - 8]);
        assert_eq!(failed.status.code(), Some(3), "{name}");
        assert!(!folder.path().join(name).exists(), "{name}");
    }
    assert_eq!(files(), ["deep"]);
    fs::write(folder.path().join("a.csv"), "old").expect("writes");
    pass::run(folder.path(), &["-o", "a.csv"], &whole[..whole.len() / 2]);
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).expect("text"), "old");
    for (arguments, words) in [
        (&["-o", "a.csv", "--to", "csv"][..], "cannot be used with"),
        (&["-o", "a.txt"], "a.txt: -o tells the format from the name"),
        (&["-o", "deep"], "deep: -o tells the format"),
    ] {
        let refused = pass::run(folder.path(), arguments, &whole);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && said.contains(words), "{said}");
    }
    let blocked = pass::run(folder.path(), &["-o", "a.csv/b.csv"], &whole);
    assert_eq!(blocked.status.code(), Some(1), "{}", String::from_utf8_lossy(&blocked.stderr));
}
