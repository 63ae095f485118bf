//! One table of bad inputs: what is read, how the tool ends, and the whole line that it says.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampNanosecondArray};

use crate::pass::{
    self, table,
    tables::{LINES, START, TICKS, back, cut, ticks},
};

const CUT: &str = "stdin: the compressed data is cut off";

struct Case {
    name: &'static str,
    arguments: &'static [&'static str],
    input: Vec<u8>,
    code: i32,
    stderr: &'static str,
}

fn case(name: &'static str, input: impl Into<Vec<u8>>, stderr: &'static str) -> Case {
    Case { name, arguments: &["-q"], input: input.into(), code: 3, stderr }
}

fn of(
    kind: &'static [&'static str],
    name: &'static str,
    input: impl Into<Vec<u8>>,
    stderr: &'static str,
) -> Case {
    Case { arguments: kind, ..case(name, input, stderr) }
}

#[allow(clippy::too_many_lines)] // a table
fn text_cases() -> Vec<Case> {
    let csv = |row: &str| format!("{TICKS}{row}\n");
    let json = |row: &str| format!("{LINES}{row}\n");
    vec![
        case("nothing", "", "stdin: empty: no header and no rows"),
        case("an empty gzip", pass::gzip(b""), "stdin: empty: no header and no rows"),
        case(
            "garbage",
            vec![0x80, 1, 2, 3, 4, 5, 6, 7, 8],
            "stdin: neither Arrow, Parquet, DBN, CSV nor JSON lines (begins with [80, 01, 02, 03, 04, 05, 06, 07])",
        ),
        case("a word", "hello\n", "stdin: line 1: no column \"ts\" in [\"hello\"]: see mes-fetch import"),
        case(
            "CSV: a header cut off",
            "ts,price,si",
            "stdin: line 1: the last line has no end, so it may be cut off: add a newline if it is whole",
        ),
        case(
            "CSV: a line cut off",
            "ts,price,size\n2025-11-24T14:30:00Z,5000.25,1",
            "stdin: line 2: the last line has no end, so it may be cut off: add a newline if it is whole",
        ),
        case(
            "CSV: a word for a number",
            csv("2025-11-24T14:30:02Z,abc,1"),
            "stdin: line 4: column \"price\": \"abc\" is not a number",
        ),
        case(
            "CSV: a fraction for a count",
            csv("2025-11-24T14:30:02Z,5000.0,1.5"),
            "stdin: line 4: column \"size\": \"1.5\" is not a whole number",
        ),
        case(
            "CSV: NaN",
            csv("2025-11-24T14:30:02Z,NaN,1"),
            "stdin: line 4: column \"price\" is not a finite number: leave it empty",
        ),
        case(
            "CSV: infinity",
            csv("2025-11-24T14:30:02Z,-inf,1"),
            "stdin: line 4: column \"price\" is not a finite number: leave it empty",
        ),
        case(
            "CSV: a number too large",
            csv("2025-11-24T14:30:02Z,1e999,1"),
            "stdin: line 4: column \"price\" is not a finite number: leave it empty",
        ),
        case(
            "CSV: time goes back",
            csv("2025-11-24T14:30:00.5Z,5000.0,1"),
            "stdin: line 4: time goes back from 2025-11-24T14:30:01Z to 2025-11-24T14:30:00.500Z: sort the rows by ts",
        ),
        case("CSV: no time", csv(",5000.0,1"), "stdin: line 4: column \"ts\" is empty"),
        case(
            "CSV: a naive time",
            csv("2025-11-24 14:30:02,5000.0,1"),
            "stdin: line 4: time \"2025-11-24 14:30:02\" has no zone: write it in UTC with a Z",
        ),
        case(
            "CSV: not a time",
            csv("yesterday,5000.0,1"),
            "stdin: line 4: time \"yesterday\" is not RFC 3339, such as 2026-11-20T14:30:00Z",
        ),
        case(
            "CSV: a time out of range",
            csv("2300-01-01T00:00:00Z,5000.0,1"),
            "stdin: line 4: time \"2300-01-01T00:00:00Z\" is out of range",
        ),
        case(
            "CSV: a value too many",
            csv("2025-11-24T14:30:02Z,5000.0,1,2"),
            "stdin: line 4: 4 values where the header has 3 columns",
        ),
        case(
            "CSV: a value too few",
            csv("2025-11-24T14:30:02Z,5000.0"),
            "stdin: line 4: 2 values where the header has 3 columns",
        ),
        case(
            "CSV: a quote left open",
            csv("2025-11-24T14:30:02Z,\"5000.0,1"),
            "stdin: line 4: a quote is left open: a value cannot hold a line break",
        ),
        case(
            "CSV: a quote left open at the end",
            csv("2025-11-24T14:30:02Z,5000.0,\"1"),
            "stdin: line 4: a quote is left open: a value cannot hold a line break",
        ),
        case(
            "CSV: not UTF-8",
            [TICKS.as_bytes(), b"2025-11-24T14:30:02Z,\xff,1\n"].concat(),
            "stdin: line 4: not UTF-8 text",
        ),
        case(
            "CSV: a column twice",
            "ts,price,price\n",
            "stdin: line 1: column \"price\" twice in the header",
        ),
        case(
            "CSV: trades without a time",
            "time,price\n",
            "stdin: line 1: no column \"ts\" in [\"time\", \"price\"]: see mes-fetch import",
        ),
        case(
            "CSV: bars stamped ts_utc",
            "ts_utc,open,high,low,close,volume\n",
            "stdin: line 1: no column \"ts\" in [\"ts_utc\", \"open\", \"high\", \"low\", \"close\", \"volume\"]: are the bars stamped at open or close? see mes-fetch import",
        ),
        case(
            "CSV: bars stamped date",
            "date,open,high,low,close,volume\n",
            "stdin: line 1: no column \"ts\" in [\"date\", \"open\", \"high\", \"low\", \"close\", \"volume\"]: are the bars stamped at open or close? see mes-fetch import",
        ),
        of(
            &["--kind", "ohlcv"],
            "CSV: a missing column",
            "ts,open,high,low,close\n",
            "stdin: no column \"volume\" (there are ts open high low close)",
        ),
        of(
            &["--kind", "bar"],
            "CSV: bars that mes-bars has not seen",
            "ts,open,high,low,close,volume\n",
            "stdin: no column \"seg\": run mes-bars first (there are ts open high low close volume)",
        ),
        of(
            &["--kind", "prediction"],
            "CSV: a column of a stage under a name that is nearly right",
            "ts,open,high,low,close,volume,seg,symbol,p_dirr,p_conf\n",
            "stdin: no column \"p_dir\": run mes-predict first; is p_dirr meant? (there are ts open high low close volume seg symbol p_dirr p_conf)",
        ),
        of(
            &["--kind", "ohlcv"],
            "CSV: an empty close",
            "ts,open,high,low,close,volume\n2025-11-24T14:30:00Z,1,1,1,,1\n",
            "stdin: line 2: column \"close\" is empty",
        ),
        case("JSON: a record cut off", cut(LINES.as_bytes(), 5), "stdin: line 2: the record is cut off"),
        case("JSON: a first record cut off", "{\"ts\":", "stdin: line 1: the record is cut off"),
        case(
            "JSON: a word for a number",
            json("{\"ts\":\"2025-11-24T14:30:02Z\",\"price\":\"abc\",\"size\":1}"),
            "stdin: line 3: column \"price\": invalid type: string \"abc\", expected f64",
        ),
        case(
            "JSON: a fraction for a count",
            json("{\"ts\":\"2025-11-24T14:30:02Z\",\"price\":5000.0,\"size\":1.5}"),
            "stdin: line 3: column \"size\": invalid type: floating point `1.5`, expected i64",
        ),
        case(
            "JSON: NaN",
            json("{\"ts\":\"2025-11-24T14:30:02Z\",\"price\":NaN,\"size\":1}"),
            "stdin: line 3: column \"price\": expected value",
        ),
        case(
            "JSON: a number too large",
            json("{\"ts\":\"2025-11-24T14:30:02Z\",\"price\":1e999,\"size\":1}"),
            "stdin: line 3: column \"price\": number out of range",
        ),
        case(
            "JSON: a new key",
            json("{\"ts\":\"2025-11-24T14:30:02Z\",\"price\":5000.0,\"sise\":1}"),
            "stdin: line 3: key \"sise\" is not in the first record",
        ),
        case(
            "JSON: a key twice",
            json("{\"ts\":\"2025-11-24T14:30:02Z\",\"price\":5000.0,\"price\":1}"),
            "stdin: line 3: key \"price\" twice",
        ),
        case(
            "JSON: a key twice at once",
            "{\"ts\":\"2025-11-24T14:30:02Z\",\"price\":5000.0,\"price\":1}\n",
            "stdin: line 1: key \"price\" twice",
        ),
        case(
            "JSON: a null time",
            json("{\"ts\":null,\"price\":5000.0}"),
            "stdin: line 3: column \"ts\" is empty",
        ),
        case(
            "JSON: time goes back",
            json("{\"ts\":\"2025-11-24T14:30:00Z\"}"),
            "stdin: line 3: time goes back from 2025-11-24T14:30:01Z to 2025-11-24T14:30:00Z: sort the rows by ts",
        ),
        case(
            "JSON: a naive time",
            json("{\"ts\":\"2025-11-24T14:30:02\"}"),
            "stdin: line 3: time \"2025-11-24T14:30:02\" has no zone: write it in UTC with a Z",
        ),
        case(
            "JSON: a number for a time",
            json("{\"ts\":1763994602}"),
            "stdin: line 3: column \"ts\": invalid type: integer `1763994602`, expected a string",
        ),
        case("JSON: two objects on a line", json("{} {}"), "stdin: line 3: trailing characters"),
        case("JSON: a list", json("[1]"), "stdin: line 3: invalid type: sequence, expected an object"),
        case(
            "JSON: only a header",
            "{\"kind\":\"tick\",\"v\":1}\n",
            "stdin: line 1: a header and no record, so nobody knows the columns: send empty tables as Arrow",
        ),
        case(
            "JSON: a newer header",
            "{\"kind\":\"bar\",\"v\":2}\n",
            "stdin: line 1: version 2 is newer than this tool reads (1)",
        ),
        case(
            "JSON: a journal of before",
            "{\"kind\":\"run\",\"v\":1}\n{\"kind\":\"end\"}\n",
            "stdin: line 1: written by an older mes (records v1; this one reads v2): read it with that one, or run the backtest again",
        ),
        case(
            "JSON: an unknown kind",
            "{\"kind\":\"candle\",\"v\":1}\n",
            "stdin: line 1: a stream of unknown kind \"candle\"",
        ),
    ]
}

#[allow(clippy::too_many_lines)] // a table
fn binary_cases() -> Vec<Case> {
    let two = ticks(vec![5000.0; 2]);
    let stream = pass::arrow_stream(&two, 1);
    let (file, parquet) = (pass::arrow_file(&two, 1), pass::parquet(&two, 1));
    let naive: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![START]));
    let naive = RecordBatch::try_from_iter([("ts", naive)]).expect("a table");
    let wrong = table(vec![START], vec![("price", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let null: ArrayRef =
        Arc::new(TimestampNanosecondArray::from(vec![Some(START), None]).with_timezone("UTC"));
    let null = RecordBatch::try_from_iter([("ts", null)]).expect("a table");
    let newer = |table: &RecordBatch| {
        let metadata =
            std::collections::HashMap::from([("mes".to_owned(), r#"{"kind":"tick","v":9}"#.to_owned())]);
        let schema = table.schema().as_ref().clone().with_metadata(metadata);
        RecordBatch::try_new(Arc::new(schema), table.columns().to_vec()).expect("a table")
    };
    let twice: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let twice = table(vec![START], vec![("size", twice.clone()), ("size", twice)]);
    let rows = |n: usize| ticks((0..n).map(|row| if row == n - 1 { f64::NAN } else { 1.0 }).collect());
    vec![
        case(
            "Arrow: cut in the first word",
            &stream[..6],
            "stdin: the Arrow stream has no end mark: whoever wrote it did not finish",
        ),
        case(
            "Arrow: cut within the schema",
            &stream[..50],
            "stdin: the Arrow stream has no end mark: whoever wrote it did not finish",
        ),
        case(
            "Arrow: cut within a batch",
            cut(&stream, 30),
            "stdin: the Arrow stream has no end mark: whoever wrote it did not finish",
        ),
        case(
            "Arrow: no end mark",
            cut(&stream, 8),
            "stdin: the Arrow stream has no end mark: whoever wrote it did not finish",
        ),
        case("Arrow: another type", pass::arrow_stream(&wrong, 1), "stdin: column \"price\" is i64, not f64"),
        case(
            "Arrow: a naive time",
            pass::arrow_stream(&naive, 1),
            "stdin: column \"ts\" has no zone: nobody can know what it means, store it as UTC",
        ),
        case("Arrow: a null time", pass::arrow_stream(&null, 10), "stdin: row 2: column \"ts\" is empty"),
        case(
            "Arrow: NaN in a later batch",
            pass::arrow_stream(&rows(9), 4),
            "stdin: row 9: column \"price\" is not a finite number: leave it empty",
        ),
        case(
            "Arrow: time goes back within a batch",
            back(3),
            "stdin: row 3: time goes back from 2025-11-24T14:30:00.000000005Z to 2025-11-24T14:30:00.000000004Z: sort the rows by ts",
        ),
        case(
            "Arrow: time goes back between batches",
            back(2),
            "stdin: row 3: time goes back from 2025-11-24T14:30:00.000000005Z to 2025-11-24T14:30:00.000000004Z: sort the rows by ts",
        ),
        case(
            "Arrow: newer metadata",
            pass::arrow_stream(&newer(&two), 1),
            "stdin: version 9 is newer than this tool reads (1)",
        ),
        case("Arrow: a column twice", pass::arrow_stream(&twice, 1), "stdin: column \"size\" twice"),
        case(
            "Arrow file: cut",
            cut(&file, 10),
            "stdin: not a whole Arrow file: Parser error: Arrow file does not contain correct footer",
        ),
        case(
            "Arrow file: infinity",
            pass::arrow_file(&ticks(vec![1.0, f64::INFINITY]), 1),
            "stdin: row 2: column \"price\" is not a finite number: leave it empty",
        ),
        case(
            "Parquet: no footer",
            cut(&parquet, 8),
            "stdin: not a whole Parquet file: Parquet error: Invalid Parquet file. Corrupt footer",
        ),
        case(
            "Parquet: cut in the middle",
            &parquet[..parquet.len() / 2],
            "stdin: not a whole Parquet file: Parquet error: Invalid Parquet file. Corrupt footer",
        ),
        case(
            "Parquet: four bytes",
            "PAR1",
            "stdin: not a whole Parquet file: EOF: Parquet file too small. Size is 4 but need 8",
        ),
        case(
            "Parquet: NaN",
            pass::parquet(&rows(3), 10),
            "stdin: row 3: column \"price\" is not a finite number: leave it empty",
        ),
        case(
            "Parquet: newer metadata",
            pass::parquet(&newer(&two), 1),
            "stdin: version 9 is newer than this tool reads (1)",
        ),
        case("gzip: cut", cut(&pass::gzip(TICKS.as_bytes()), 12), CUT),
        case("gzip: no checksum", cut(&pass::gzip(TICKS.as_bytes()), 4), CUT),
        case("zstd: cut", cut(&pass::zstd(TICKS.as_bytes()), 5), CUT),
        case("zstd: only its first word", &pass::zstd(TICKS.as_bytes())[..4], CUT),
        case(
            "DBN: cut within the metadata",
            b"DBN\x01\x80\x00\x00\x00GLBX".to_vec(),
            "stdin: cut off within its metadata",
        ),
        case(
            "DBN: a version to come",
            b"DBN\x63\x80\x00\x00\x00".to_vec(),
            "stdin: decoding error: can't decode newer version of DBN. Decoder version is 4, input version is 99",
        ),
    ]
}

#[test]
fn every_bad_input_is_refused_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases: Vec<_> = text_cases().into_iter().chain(binary_cases()).collect();
    let mut wrong = String::new();
    for case in &cases {
        let output = pass::run(folder.path(), &[case.arguments, &["--to", "csv"]].concat(), &case.input);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let expected = format!("pass: {}\n", case.stderr);
        if output.status.code() != Some(case.code) || stderr != expected {
            wrong += &format!(
                "{}\n  exit {:?}\n  is   {stderr}  not  {expected}",
                case.name,
                output.status.code()
            );
        }
    }
    assert!(wrong.is_empty(), "of {} cases:\n{wrong}", cases.len());
}
