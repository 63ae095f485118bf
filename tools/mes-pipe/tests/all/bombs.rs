//! Small inputs that ask for much memory. Each is refused, with the limit and the flag that raises it, in an address space
//! that what it asks for would not fit into.

use std::{
    fmt::Write as _,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use arrow_array::{
    ArrayRef, DictionaryArray, Int8Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    types::{Int8Type, Int64Type},
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::{WriterProperties, WriterPropertiesBuilder},
};

use crate::pass::{
    self,
    tables::{START, TICKS},
};

/// Address space of a tool here, in KiB: thrice what the largest limit below allows.
const MEMORY: u64 = 1 << 20;

/// Runs `pass` in little memory with what `feed` writes into its stdin.
fn fed(flags: &str, feed: impl FnOnce(&mut dyn Write)) -> Output {
    let program = pass::program();
    let line = format!("ulimit -v {MEMORY}; exec {} --quiet --to csv {flags}", program.display());
    let mut child = Command::new("bash")
        .args(["-c", &line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pass starts");
    feed(&mut child.stdin.take().expect("stdin"));
    child.wait_with_output().expect("pass ends")
}

/// Expects the refusal of `input`, in these words.
fn refused(flags: &str, input: &[u8], what: &str) {
    let output = fed(flags, |stdin| drop(stdin.write_all(input)));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{what}: {stderr}");
    assert!(stderr.starts_with("pass: stdin: ") && stderr.contains(what), "{what}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_line_without_an_end_is_refused() {
    for begin in ["ts,price\n", "{\"ts\":\"2025-11-24T14:30:00Z\",\"odd\":\""] {
        let block = vec![b'a'; 1 << 20];
        let output = fed("", |stdin| {
            let _ = stdin.write_all(begin.as_bytes());
            // A gigabyte and more, if anybody takes it.
            for _ in 0..2000 {
                if stdin.write_all(&block).is_err() {
                    break;
                }
            }
        });
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(
            stderr.contains("a line of more than 16 MiB") && stderr.contains("--max-line SIZE"),
            "{stderr}"
        );
    }
}

#[test]
fn a_line_may_be_as_long_as_is_said() {
    let line = format!("{TICKS}2025-11-24T14:30:02Z,{}5000.0,1\n", "0".repeat(2000));
    let output = fed("--max-line 2KiB", |stdin| stdin.write_all(line.as_bytes()).expect("fed"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    refused("--max-line 2000", line.as_bytes(), "line 4: a line of more than 2000 bytes");
}

#[test]
fn a_text_longer_than_a_cell_is_refused_in_every_format() {
    let long = "x".repeat(70_000);
    let words = "column \"odd\": a text of more than 64 KiB: if it is meant to be, raise the limit with --max-cell SIZE";
    refused("", format!("ts,odd\n2025-11-24T14:30:00Z,{long}\n").as_bytes(), words);
    refused("", format!("{{\"ts\":\"2025-11-24T14:30:00Z\",\"odd\":\"{long}\"}}\n").as_bytes(), words);
    let table = table(4, Arc::new(StringArray::from(vec!["a", "b", &long, "c"])));
    refused("", &pass::arrow_stream(&table, 4), &format!("row 3: {words}"));
    refused("", &pass::arrow_file(&table, 4), &format!("row 3: {words}"));
    refused("", &pass::parquet(&table, 4), &format!("row 3: {words}"));
}

#[test]
fn too_many_columns_are_refused() {
    let words =
        "a table of more than 4096 columns: if it is meant to be, raise the limit with --max-columns COUNT";
    let mut header = "ts".to_owned();
    let mut record = "{\"ts\":\"2025-11-24T14:30:00Z\"".to_owned();
    for column in 0..4096 {
        let _ = write!(header, ",c{column}");
        let _ = write!(record, ",\"c{column}\":1");
    }
    refused("", format!("{header}\n").as_bytes(), words);
    refused("", format!("{record}}}\n").as_bytes(), words);
}

#[test]
fn long_lines_come_in_small_batches() {
    // 8,192 of them would be two gigabytes.
    let cells = vec!["y".repeat(60_000); 4].join(",");
    let output = fed("> /dev/null", |stdin| {
        let _ = stdin.write_all(b"ts,a,b,c,d\n");
        for second in 0..3000 {
            let (minute, second) = (second / 60, second % 60);
            if writeln!(stdin, "2025-11-24T14:{minute:02}:{second:02}Z,{cells}").is_err() {
                break;
            }
        }
    });
    // The reader's end is not what is tested; it has read to the end of what was sent.
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// So many rows of a time and a column.
fn table(rows: i64, odd: ArrayRef) -> RecordBatch {
    pass::table((0..rows).map(|row| START + row).collect(), vec![("odd", odd)])
}

fn parquet(
    table: &RecordBatch,
    settings: impl FnOnce(WriterPropertiesBuilder) -> WriterPropertiesBuilder,
) -> Vec<u8> {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).expect("a level"));
    let settings = settings(WriterProperties::builder().set_compression(zstd)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(settings)).expect("a writer");
    writer.write(table).expect("rows");
    writer.into_inner().expect("a file")
}

/// A text of a megabyte that every row names.
fn one_text(rows: i64) -> RecordBatch {
    let keys = Int8Array::from(vec![0; usize::try_from(rows).expect("rows")]);
    let long = StringArray::from(vec!["z".repeat(1 << 20)]);
    table(rows, Arc::new(DictionaryArray::<Int8Type>::new(keys, Arc::new(long))))
}

#[test]
fn a_small_parquet_file_does_not_unfold_its_dictionary() {
    let file = parquet(&one_text(3_000), |settings| settings);
    assert!(file.len() < 100_000, "{} bytes", file.len());
    refused("", &file, "row 1: column \"odd\": a text of more than 64 KiB");
    refused(
        "--max-cell 1MiB",
        &file,
        "a batch of more than 1 GiB: if it is meant to be, raise the limit with --max-block SIZE",
    );
}

#[test]
fn an_arrow_stream_does_not_unfold_its_dictionary() {
    let stream = pass::gzip(&pass::arrow_stream(&one_text(100_000), 100_000));
    refused("", &stream, "row 1: column \"odd\": a text of more than 64 KiB");
    refused("--max-cell 1MiB", &stream, "a batch of more than 1 GiB");
    let file = pass::arrow_file(&one_text(100_000), 100_000);
    refused("--max-cell 1MiB", &file, "a batch of more than 1 GiB");
}

#[test]
fn a_page_is_measured_before_it_is_unpacked() {
    let zeros = table(2_000_000, Arc::new(Int64Array::from(vec![0; 2_000_000])));
    let of = |page: usize| {
        parquet(&zeros, |settings| {
            settings
                .set_dictionary_enabled(false)
                .set_data_page_size_limit(page)
                .set_data_page_row_count_limit(page / 8)
                .set_write_batch_size(1 << 16)
                .set_column_encoding("ts".into(), Encoding::DELTA_BINARY_PACKED)
        })
    };
    let (large, small) = (of(8 << 20), of(1 << 20));
    assert!(large.len() < 40_000, "{} bytes", large.len());
    refused("--max-block 2MiB", &large, "a page of more than 2 MiB");
    refused("--max-block 8MiB", &small, "a row group of more than 8 MiB");
    let output = fed("--max-block 20MiB > /dev/null", |stdin| drop(stdin.write_all(&small)));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_text_made_from_the_one_before_it_comes_in_small_batches() {
    let texts = StringArray::from(vec!["w".repeat(1 << 20); 200]);
    let file = parquet(&table(200, Arc::new(texts)), |settings| {
        settings.set_dictionary_enabled(false).set_column_encoding("odd".into(), Encoding::DELTA_BYTE_ARRAY)
    });
    assert!(file.len() < 20_000, "{} bytes", file.len());
    refused("", &file, "row 1: column \"odd\": a text of more than 64 KiB");
    refused("--max-block 32MiB", &file, "a row group of more than 32 MiB");
}

#[test]
fn lists_are_not_read() {
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![None; 2_000_000])]);
    let file = parquet(&table(1, Arc::new(lists)), |settings| settings);
    assert!(file.len() < 100_000, "{} bytes", file.len());
    let output = fed("", |stdin| drop(stdin.write_all(&file)));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(stdout, "ts\n2025-11-24T14:30:00Z\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_compressed_over_and_over_is_refused() {
    let deep = (0..5).fold(TICKS.as_bytes().to_vec(), |bytes, _| pass::gzip(&bytes));
    refused("", &deep, "compressed 4 times over: unpack it first");
    let deep = (0..3).fold(TICKS.as_bytes().to_vec(), |bytes, _| pass::gzip(&bytes));
    assert!(fed("", |stdin| drop(stdin.write_all(&deep))).status.success());
}

#[test]
fn columns_that_nobody_needs_are_not_decoded() {
    // Damage within the pages of `odd`, which a tool that leaves it out never sees.
    let numbers = Int32Array::from_iter_values(0..5000);
    let mut file =
        parquet(&table(5000, Arc::new(numbers)), |settings| settings.set_dictionary_enabled(false));
    let middle = file.len() / 2;
    file[middle..middle + 64].fill(0xff);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("odd.parquet");
    std::fs::write(&path, &file).expect("written");
    let run = |flags: &[&str]| {
        pass::run(Path::new("/"), &[flags, &["--to", "csv", path.to_str().expect("a path")]].concat(), b"")
    };
    assert_eq!(run(&[]).status.code(), Some(3));
    assert!(run(&["--only-ts"]).status.success());
}

#[test]
fn a_message_shows_little_of_a_value_and_none_of_its_controls() {
    let long = "q".repeat(50_000);
    let output =
        pass::run(Path::new("/"), &["-q"], format!("{TICKS}2025-11-24T14:30:02Z,{long},1\n").as_bytes());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.len() < 400 && stderr.contains("(49800 characters more)\" is not a number"), "{stderr}");
    let hostile = b"ts,\x1b]0;owned\x07\x1b[2J,\xe2\x80\xae\n2025-11-24T14:30:02Z,1\n";
    let output = pass::run(Path::new("/"), &["-q", "no\x1b[31mwhere"], b"");
    assert_eq!(output.stderr, b"pass: no\\u{1b}[31mwhere: no such file\n");
    for input in [&hostile[..], b"{\"ts\":\"2025-11-24T14:30:02Z\"}\n{\"\\u001b[2J\":1}\n"] {
        let output = pass::run(Path::new("/"), &["-q", "--kind", "ohlcv"], input);
        let unfit = |byte: &u8| *byte < 0x20 && *byte != b'\n';
        assert!(
            !output.stderr.iter().any(unfit),
            "{}",
            String::from_utf8_lossy(&output.stderr).escape_debug()
        );
        assert_eq!(output.status.code(), Some(3));
    }
    let output = pass::run(Path::new("/"), &["--\x1b[2J"], b"");
    assert!(output.status.code() == Some(2) && !output.stderr.contains(&0x1b));
}
