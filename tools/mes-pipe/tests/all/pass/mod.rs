//! Tables in memory, as bytes of every format, and through the example `pass`.

pub mod dbn;
pub mod tables;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
};

use arrow_array::{Array, ArrayRef, RecordBatch, TimestampNanosecondArray};
use arrow_ipc::{
    reader::StreamReader,
    writer::{FileWriter, StreamWriter},
};
use arrow_schema::{Field, Schema, SchemaRef};

/// Returns the example's path.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the running test");
    let found = test.ancestors().map(|folder| folder.join("examples/pass")).find(|path| path.is_file());
    found.expect("examples/pass: build it first, `cargo build --release -p mes-pipe --examples`")
}

/// Runs `pass` with these arguments in `folder`, and `input` through a pipe.
pub fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder).env("TZ", "Asia/Tokyo").env("LC_ALL", "C");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pass starts");
    let mut stdin = child.stdin.take().expect("stdin");
    let input = input.to_owned();
    // A tool that refuses its input does not read all of it.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("pass ends");
    feeder.join().expect("the feeder ends");
    output
}

/// Runs `pass`, which must succeed, and returns its stdout.
pub fn ok(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run(folder, arguments, input);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pass {arguments:?}: exit {:?}: {stderr}", output.status.code());
    output.stdout
}

/// Builds a table of nullable columns; `ts` comes first and is never null.
pub fn table(times: Vec<i64>, columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let ts: ArrayRef = Arc::new(TimestampNanosecondArray::from(times).with_timezone("UTC"));
    let all = std::iter::once(("ts", ts)).chain(columns);
    let (fields, arrays): (Vec<_>, Vec<_>) =
        all.map(|(name, array)| (Field::new(name, array.data_type().clone(), name != "ts"), array)).unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("a table")
}

/// Cuts a table into batches of so many rows.
fn batches(table: &RecordBatch, rows: usize) -> Vec<RecordBatch> {
    let starts = (0..table.num_rows()).step_by(rows);
    starts.map(|from| table.slice(from, rows.min(table.num_rows() - from))).collect()
}

pub fn arrow_stream(table: &RecordBatch, rows: usize) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema()).expect("a writer");
    batches(table, rows).iter().for_each(|batch| writer.write(batch).expect("a batch"));
    writer.into_inner().expect("a stream")
}

pub fn arrow_file(table: &RecordBatch, rows: usize) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &table.schema()).expect("a writer");
    batches(table, rows).iter().for_each(|batch| writer.write(batch).expect("a batch"));
    writer.finish().expect("an end");
    writer.into_inner().expect("a file")
}

pub fn parquet(table: &RecordBatch, rows: usize) -> Vec<u8> {
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(Vec::new(), table.schema(), None).expect("a writer");
    for batch in batches(table, rows) {
        writer.write(&batch).expect("a batch");
        if writer.in_progress_rows() > 1000 {
            writer.flush().expect("a row group");
        }
    }
    writer.into_inner().expect("a file")
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("bytes");
    encoder.finish().expect("gzip")
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("zstd")
}

/// Reads an Arrow stream back as one batch, without the metadata.
pub fn read(bytes: &[u8]) -> RecordBatch {
    let reader = StreamReader::try_new(bytes, None).expect("an Arrow stream");
    let schema: SchemaRef = Arc::new(
        reader.schema().as_ref().clone().with_metadata(std::collections::HashMap::<String, String>::new()),
    );
    let bare = |batch: RecordBatch| RecordBatch::try_new(schema.clone(), batch.columns().to_vec());
    let batches: Vec<_> = reader.map(|batch| bare(batch.expect("a batch")).expect("its schema")).collect();
    arrow_select::concat::concat_batches(&schema, &batches).expect("one batch")
}

/// Says where two tables differ; values are compared by their bits.
pub fn difference(left: &RecordBatch, right: &RecordBatch) -> Option<String> {
    let columns = |table: &RecordBatch| {
        let fields = table.schema();
        fields
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), field.data_type()))
            .collect::<Vec<_>>()
    };
    if columns(left) != columns(right) {
        return Some(format!("columns {:?} and {:?}", columns(left), columns(right)));
    }
    if left.num_rows() != right.num_rows() {
        return Some(format!("{} and {} rows", left.num_rows(), right.num_rows()));
    }
    for (index, name) in columns(left).iter().enumerate() {
        let (a, b) = (left.column(index), right.column(index));
        if let Some(row) = (0..a.len()).find(|&row| a.slice(row, 1).to_data() != b.slice(row, 1).to_data()) {
            return Some(format!("{name}, row {row}: {:?} and {:?}", a.slice(row, 1), b.slice(row, 1)));
        }
    }
    None
}
