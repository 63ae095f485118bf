//! Every dialect by a made-up text of its own, and what is refused in it.

use std::{fs::File, io::Write, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    types::Int8Type,
};
use zip::write::SimpleFileOptions;

use super::{fetch, text};

/// Imports a text and returns the rows, or the one line of the error.
fn import(flags: &str, input: &str) -> String {
    let done = fetch(&format!("import --to csv --quiet {flags}"), &[], input.as_bytes());
    if done.status.success() { text(&done.stdout) } else { text(&done.stderr) }
}

/// Flags, a text, and the rows it makes.
const CASES: [(&str, &str, &str); 16] = [
    (
        "--preset firstrate",
        "2026-01-05,09:30:00,6900.25,6901,6900,6900.5,12\n",
        "ts,open,high,low,close,volume,seg,symbol\n2026-01-05T14:31:00Z,6900.25,6901.0,6900.0,6900.5,12,1,MES\n",
    ),
    (
        "--preset firstrate",
        "2026-07-06 09:30:00,6900.25,6901,6900,6900.5,12\n",
        "ts,open,high,low,close,volume,seg,symbol\n2026-07-06T13:31:00Z,6900.25,6901.0,6900.0,6900.5,12,1,MES\n",
    ),
    (
        "--preset firstrate --symbol ES",
        "2008-01-02 04:00:00,1470.5,1471,1470.25,1470.75,12\n2008-01-02 04:01:00,1470.75,1471,1470.25,1470.5,7\n",
        "ts,open,high,low,close,volume,seg,symbol\n2008-01-02T09:01:00Z,1470.5,1471.0,1470.25,1470.75,12,1,ES\n\
             2008-01-02T09:02:00Z,1470.75,1471.0,1470.25,1470.5,7,1,ES\n",
    ),
    (
        "--preset firstrate",
        "2026-01-05 09:30:00,6900.25,6901,6900,6900.5,12,53871\n",
        "ts,open,high,low,close,volume,seg,symbol\n2026-01-05T14:31:00Z,6900.25,6901.0,6900.0,6900.5,12,1,MES\n",
    ),
    (
        "--preset firstrate --dates mdy",
        "01/05/2026,09:30,6900.25,6901,6900,6900.5,12\n",
        "ts,open,high,low,close,volume,seg,symbol\n2026-01-05T14:31:00Z,6900.25,6901.0,6900.0,6900.5,12,1,MES\n",
    ),
    (
        "--preset ninjatrader",
        "20260105 143100;6900.25;6901;6900;6900.5;12\n",
        "ts,open,high,low,close,volume,seg,symbol\n2026-01-05T14:31:00Z,6900.25,6901.0,6900.0,6900.5,12,1,MES\n",
    ),
    (
        "--preset ninjatrader",
        "20260105 143100 1230000;6900.25;6900;6900.25;3\n",
        "ts,price,size,bid,ask,symbol\n2026-01-05T14:31:00.123Z,6900.25,3,6900.0,6900.25,MES\n",
    ),
    (
        "--preset sierra --interval 5m --symbol MESH6",
        "Date, Time, Open, High, Low, Last, Volume, NumberOfTrades, BidVolume, AskVolume\n\
             2026/1/5, 08:30:00, 6900.25, 6901.00, 6900.00, 6900.50, 12, 9, 5, 7\n",
        "ts,open,high,low,close,volume,buy_volume,sell_volume,trades,seg,symbol\n\
             2026-01-05T14:35:00Z,6900.25,6901.0,6900.0,6900.5,12,7,5,9,1,MESH6\n",
    ),
    (
        "--preset databento-csv",
        "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags\n\
             1767623400000000005,1767623400000000001,0,1,42,T,A,0,6900250000000,2,0\n\
             1767623401000000005,1767623401000000001,0,1,42,T,N,0,6900500000000,1,0\n",
        "ts,price,size,side,symbol\n2026-01-05T14:30:00.000000005Z,6900.25,2,sell,MES\n\
             2026-01-05T14:30:01.000000005Z,6900.5,1,,MES\n",
    ),
    (
        "--preset databento-csv --interval 1s",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n\
             2026-01-05T14:30:00.000000000Z,32,1,42,6900.250000000,6901.000000000,6900.000000000,6900.500000000,12,MESH6\n",
        "ts,open,high,low,close,volume,seg,symbol\n2026-01-05T14:30:01Z,6900.25,6901.0,6900.0,6900.5,12,1,MESH6\n",
    ),
    (
        "--preset madrid-1s",
        "Timestamp;Precio;Volumen;Lado;Bid;Ask\n2026-01-05 15:30:01;6900,25;12;ASK;6900,25;6900,25\n",
        "ts,open,high,low,close,volume,seg,symbol\n2026-01-05T14:30:01Z,6900.25,6900.25,6900.25,6900.25,12,1,MES\n",
    ),
    (
        "--preset madrid-ticks",
        "timestamp;price;volume;lado;bid;ask\n2026-01-05 15:30:01.023;6900,25;12;BID;6900,25;6900,5\n",
        "ts,price,size,side,bid,ask,symbol\n2026-01-05T14:30:01.023Z,6900.25,12,sell,6900.25,6900.5,MES\n",
    ),
    (
        "--preset mes-5s",
        "ts_utc,bid,ask,volume,trades,net_volume\n2026-01-05T14:30:04.9Z,6900.25,6900.5,12,9,-2\n\
             2026-01-05T14:30:09.9Z,6900.25,6900.5,0,9,-2\n",
        "ts,open,high,low,close,volume,buy_volume,sell_volume,trades,bid,ask,seg,symbol\n\
             2026-01-05T14:30:05Z,6900.25,6900.25,6900.25,6900.25,12,5,7,9,6900.25,6900.5,1,MES\n\
             2026-01-05T14:30:10Z,6900.25,6900.25,6900.25,6900.25,0,,,9,6900.25,6900.5,1,MES\n",
    ),
    (
        "--columns Fecha=ts,Precio=price,Vol=size --tz Europe/Madrid",
        "Fecha;Precio;Vol;Nota\n2026-01-05 15:30:01;6900,25;12;x\n",
        "ts,price,size,symbol\n2026-01-05T14:30:01Z,6900.25,12,MES\n",
    ),
    (
        "--names ts,-,price --price-scale 1e-9 --separator |",
        "1767623400|x|6900250000000\n",
        "ts,price,symbol\n2026-01-05T14:30:00Z,6900.25,MES\n",
    ),
    (
        "--tz UTC --dates dmy --stamp close --interval 1m --bars-of mid",
        "date,time,bid,ask,volume\n05.01.2026,14:30:00,6900.25,6900.75,1\n",
        "ts,open,high,low,close,volume,bid,ask,seg,symbol\n\
             2026-01-05T14:30:00Z,6900.5,6900.5,6900.5,6900.5,1,6900.25,6900.75,1,MES\n",
    ),
];

#[test]
fn presets_read_their_dialects() {
    for (flags, input, wanted) in CASES {
        assert_eq!(import(flags, input), wanted, "{flags}");
    }
}

#[test]
fn refusals_are_one_line_and_name_the_cure() {
    let cases = [
        (
            "",
            "2026-01-05T14:30:00Z,1,2\n",
            "stdin: line 1: no header: say what the columns are with --names or --preset",
        ),
        (
            "--preset ninjatrader",
            "20260105 143100;1;2\n",
            "stdin: line 1: 3 values where there should be ts,open,high,low,close,volume or ts,price,bid,ask,size",
        ),
        (
            "--preset sierra",
            "Date,Time,Open,High,Low,Last,Volume\n",
            "--interval, such as 1s: how long is a bar?",
        ),
        (
            "",
            "ts,price\n2026-01-05 14:30:00,1\n",
            "stdin: line 2: time \"2026-01-05 14:30:00\" has no zone: --tz America/Chicago, or whichever it is",
        ),
        (
            "--tz America/Chicago",
            "ts,price\n2026-03-08 02:30:00,1\n",
            "stdin: line 2: time \"2026-03-08 02:30:00\" never happens in America/Chicago: is it the zone?",
        ),
        (
            "--decimal point",
            "ts;price\n2026-01-05T14:30:00Z;1,5\n",
            "stdin: line 2: price \"1,5\" is not a number",
        ),
        (
            "--preset databento-csv",
            "ts_event,instrument_id,price\n1767623400000000001,1,1.0\n1767623400000000002,2,1.0\n",
            "stdin: line 3: instrument 2 beside 1: import one at a time, or with a symbol column",
        ),
        ("--entry x", "ts,price\n", "--entry x: stdin is no zip"),
        ("--price-scale 0", "ts,price\n", "--price-scale 0: not above 0"),
        ("--preset lean --date 2013-12-02", "0,1,1,1,1,1\n", "--interval, such as 1s: how long is a bar?"),
    ];
    for (flags, input, wanted) in cases {
        assert_eq!(import(flags, input), format!("mes-fetch: {wanted}\n"), "{flags}");
    }
}

fn lean(folder: &Path, entries: &[(&str, &str)]) -> std::path::PathBuf {
    let path = folder.join("20131202_trade.zip");
    let mut archive = zip::ZipWriter::new(File::create(&path).expect("a file"));
    for (name, rows) in entries {
        archive.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        archive.write_all(rows.as_bytes()).expect("rows");
    }
    archive.finish().expect("a zip");
    path
}

#[test]
fn a_lean_zip_gives_one_expiry() {
    let folder = tempfile::tempdir().expect("a folder");
    let (near, far) = ("20131202_es_minute_trade_201312.csv", "20131202_es_minute_trade_201403.csv");
    let two = lean(
        folder.path(),
        &[
            (near, "0,1805.5,1806,1805,1805.75,17\n60000,1805,1805,1805,1805,1"),
            (far, "0,1799,1799,1799,1799,1"),
        ],
    );
    let refused = fetch("import --preset lean --to csv", &[&two], b"");
    let told = format!("mes-fetch: {} holds {near}, {far}: choose one with --entry NAME\n", two.display());
    assert_eq!((refused.status.code(), text(&refused.stderr)), (Some(2), told));
    let rows = "ts,open,high,low,close,volume,seg,symbol\n\
                2013-12-02T00:01:00Z,1805.5,1806.0,1805.0,1805.75,17,1,ESZ3\n\
                2013-12-02T00:02:00Z,1805.0,1805.0,1805.0,1805.0,1,1,ESZ3\n";
    assert_eq!(text(&fetch("import --preset lean --to csv --entry 201312", &[&two], b"").stdout), rows);
    let spy =
        lean(folder.path(), &[("20131007_spy_second_quote.csv", "34200000,1,1,1,1674100,5,1,1,1,1674200,7")]);
    let quotes = "ts,bid,ask,bid_size,ask_size,symbol\n2013-10-07T13:30:01Z,167.41,167.42,5,7,SPY\n";
    assert_eq!(text(&fetch("import --preset lean-equity --to csv", &[&spy], b"").stdout), quotes);
}

/// Futures have six and seven columns, shares six and eight; the instant is in milliseconds of the day, or fractions of one.
#[test]
fn lean_ticks_are_ticks() {
    let folder = tempfile::tempdir().expect("a folder");
    for (preset, name, rows, wanted) in [
        (
            "lean",
            "20131202_es_tick_trade_201312.csv",
            "1,1805.5,17,XCME,,0\n60000.25,1805.25,3,XCME,,0",
            "ts,price,size,symbol\n2013-12-02T00:00:00.001Z,1805.5,17,ESZ3\n2013-12-02T00:01:00.000250Z,1805.25,3,ESZ3\n",
        ),
        (
            "lean",
            "20131202_es_tick_quote_201312.csv",
            "1,1805.25,17,1805.5,20,XCME,0",
            "ts,bid,ask,bid_size,ask_size,symbol\n2013-12-02T00:00:00.001Z,1805.25,1805.5,17,20,ESZ3\n",
        ),
        (
            "lean-equity",
            "20131007_spy_tick_trade.csv",
            "34200000,1674100,100,P,@,0",
            "ts,price,size,symbol\n2013-10-07T13:30:00Z,167.41,100,SPY\n",
        ),
        (
            "lean-equity",
            "20131007_spy_tick_quote.csv",
            "34200000,1674100,5,1674200,7,P,,0",
            "ts,bid,ask,bid_size,ask_size,symbol\n2013-10-07T13:30:00Z,167.41,167.42,5,7,SPY\n",
        ),
    ] {
        let zip = lean(folder.path(), &[(name, rows)]);
        let done = fetch(&format!("import --preset {preset} --to csv"), &[&zip], b"");
        assert_eq!(text(&done.stdout), wanted, "{}", text(&done.stderr));
    }
}

#[test]
fn what_is_no_text_is_told_so() {
    for bytes in [&b"\x51\x2a\x4d\x18\xb0\0\0\0DBZ\x01"[..], b"Z\x13\x01\0\x0c\x14\0\0"] {
        let told = text(&fetch("import", &[], bytes).stderr);
        assert!(told.contains("neither text nor Parquet nor DBN"), "{told}");
    }
}

#[test]
fn parquet_with_fixed_or_float_prices_and_an_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let times = vec![1_767_623_400_000_000_000];
    let utc: ArrayRef = Arc::new(TimestampNanosecondArray::from(times.clone()).with_timezone("UTC"));
    let naive: ArrayRef = Arc::new(TimestampNanosecondArray::from(times));
    let fixed: ArrayRef = Arc::new(Int64Array::from(vec![6_900_250_000_000]));
    let float: ArrayRef = Arc::new(Float64Array::from(vec![6900.25]));
    let symbol: ArrayRef = Arc::new(StringArray::from(vec!["MESH6"]));
    let write = |name: &str, columns: Vec<(&str, ArrayRef)>| {
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let path = folder.path().join(name);
        let file = File::create(&path).expect("a file");
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("rows");
        writer.close().expect("a file");
        path
    };
    let one = write("one", vec![("price", fixed), ("symbol", symbol.clone()), ("ts_event", utc)]);
    let row = "ts,price,symbol\n2026-01-05T14:30:00Z,6900.25,MESH6\n";
    assert_eq!(text(&fetch("import --to csv --preset databento-csv", &[&one], b"").stdout), row);
    let two = write("two", vec![("price", float), ("symbol", symbol), ("__index_level_0__", naive)]);
    let row = "ts,price,symbol\n2026-01-05T20:30:00Z,6900.25,MESH6\n";
    assert_eq!(text(&fetch("import --to csv --tz America/Chicago", &[&two], b"").stdout), row);
    // Pandas stores a category as a dictionary.
    let category: DictionaryArray<Int8Type> = ["MESH6"].into_iter().collect();
    let utc: ArrayRef =
        Arc::new(TimestampNanosecondArray::from(vec![1_767_623_400_000_000_000]).with_timezone("UTC"));
    let price: ArrayRef = Arc::new(Float64Array::from(vec![6900.25]));
    let three = write("three", vec![("ts", utc), ("price", price), ("symbol", Arc::new(category))]);
    let row = "ts,price,symbol\n2026-01-05T14:30:00Z,6900.25,MESH6\n";
    assert_eq!(text(&fetch("import --to csv", &[&three], b"").stdout), row);
    let refused = text(&fetch("import --to csv", &[&two], b"").stderr);
    assert!(refused.contains("row 1: time \"2026-01-05T14:30:00\" has no zone"), "{refused}");
}

/// A zip of one entry.
fn zip_of(path: &Path, name: &str, content: &[u8]) {
    let mut archive = zip::ZipWriter::new(File::create(path).expect("a file"));
    archive.start_file(name, SimpleFileOptions::default()).expect("an entry");
    archive.write_all(content).expect("written");
    archive.finish().expect("an archive");
}

#[test]
fn a_zip_is_measured_while_it_is_unpacked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bomb.zip");
    zip_of(&path, "20131202_spy_minute_trade.csv", &vec![b'0'; 8 << 20]);
    let size = std::fs::metadata(&path).expect("a file").len();
    assert!(size < 20_000, "{size}");
    let done = fetch("import --preset lean --max-block 1MiB", &[&path], b"");
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(3), "{said}");
    assert!(said.contains("a file of more than 1 MiB") && said.contains("--max-block SIZE"), "{said}");
    // A size that the archive does not tell the truth about; it stands in the entry and in the index.
    let mut lying = std::fs::read(&path).expect("a file");
    let told = (8_u32 << 20).to_le_bytes();
    let places: Vec<usize> = (0..lying.len() - 4).filter(|at| lying[*at..at + 4] == told).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| lying[at..at + 4].copy_from_slice(&1000_u32.to_le_bytes()));
    std::fs::write(&path, lying).expect("written");
    let done = fetch("import --preset lean --max-block 1MiB", &[&path], b"");
    assert_eq!(done.status.code(), Some(3), "{}", text(&done.stderr));
}

#[test]
fn a_line_of_foreign_text_has_an_end() {
    let endless = format!("ts,price,size\n{}", "9".repeat(20 << 20));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(endless.as_bytes()).expect("packed");
    let packed = packed.finish().expect("packed");
    for input in [endless.as_bytes(), &packed] {
        let done = fetch("import", &[], input);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(3), "{said}");
        assert!(
            said.contains("line 2: a line of more than 16 MiB") && said.contains("--max-line SIZE"),
            "{said}"
        );
    }
}

#[test]
fn a_gz_with_a_wrong_checksum_is_an_error_of_the_data() {
    let rows = "ts,price,size\n2026-01-05T14:31:00Z,6900.25,12\n";
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(rows.as_bytes()).expect("packed");
    let packed = packed.finish().expect("packed");
    assert_eq!(fetch("import", &[], &packed).status.code(), Some(0));
    let at = packed.len() - 8;
    let mut wrong = packed.clone();
    wrong[at] ^= 1;
    for input in [&wrong[..], &packed[..at], &packed[..12]] {
        let done = fetch("import", &[], input);
        assert_eq!(done.status.code(), Some(3), "{}", text(&done.stderr));
    }
    let deep = (0..6).fold(rows.as_bytes().to_vec(), |bytes, _| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&bytes).expect("packed");
        packed.finish().expect("packed")
    });
    assert!(text(&fetch("import", &[], &deep).stderr).contains("times over: unpack it first"));
}
