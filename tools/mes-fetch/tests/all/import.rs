//! What `import` has to take, and what for.

use std::{fs, io::Write, num::NonZeroU64, path::PathBuf};

use dbn::{
    BboMsg, BidAskPair, MappingInterval, Metadata, OhlcvMsg, RecordHeader, SType, Schema, SymbolMapping,
    encode::{DbnEncodable, EncodeRecord, dbn::Encoder},
    rtype,
};
use zip::write::SimpleFileOptions;

use super::{fetch, text};

/// Imports a text and returns the rows, or the one line of the error.
fn import(flags: &str, input: &str) -> String {
    let done = fetch(&format!("import --to csv --quiet {flags}"), &[], input.as_bytes());
    if done.status.success() { text(&done.stdout) } else { text(&done.stderr) }
}

/// A quote that moves a point in five seconds has still a spread of one tick: each sample opens where the last closed.
#[test]
fn five_seconds_of_drift_are_no_spread() {
    let rows = "ts_utc,bid,ask,volume,trades,net_volume\n2026-01-05T14:30:04.9Z,6900.25,6900.5,12,9,-2\n\
                2026-01-05T14:30:09.9Z,6899.25,6899.5,12,9,-2\n2026-01-05T14:30:19.9Z,6898,6898.25,12,9,-2\n";
    assert_eq!(
        import("--preset mes-5s", rows),
        "ts,open,high,low,close,volume,buy_volume,sell_volume,trades,bid,ask,seg,symbol\n\
         2026-01-05T14:30:05Z,6900.25,6900.25,6900.25,6900.25,12,5,7,9,6900.25,6900.5,1,MES\n\
         2026-01-05T14:30:10Z,6900.25,6900.25,6899.25,6899.25,12,5,7,9,6899.25,6899.5,1,MES\n\
         2026-01-05T14:30:20Z,6898.0,6898.0,6898.0,6898.0,12,5,7,9,6898.0,6898.25,1,MES\n"
    );
}

#[test]
fn lean_ticks_are_read_as_lean_names_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, row, wanted) in [
        (
            "20131007_spy_Trade_Tick.csv",
            "34200000,1674100,100,P,@,0",
            "ts,price,size,symbol\n2013-10-07T13:30:00Z,167.41,100,SPY\n",
        ),
        (
            "20131007_spy_Quote_Tick.csv",
            "34200000,1674100,5,1674200,7,P,,0",
            "ts,bid,ask,bid_size,ask_size,symbol\n2013-10-07T13:30:00Z,167.41,167.42,5,7,SPY\n",
        ),
    ] {
        let path = folder.path().join("20131007_trade.zip");
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).expect("a file"));
        archive.start_file(name, SimpleFileOptions::default()).expect("an entry");
        archive.write_all(row.as_bytes()).expect("rows");
        archive.finish().expect("a zip");
        let done = fetch("import --preset lean-equity --to csv", &[&path], b"");
        assert_eq!(text(&done.stdout), wanted, "{}", text(&done.stderr));
    }
}

const TWICE: &str = "ts,open,high,low,close,volume\n2026-01-05T14:31:00Z,1,1,1,1,1\n2026-01-05T14:31:00Z,2,2,2,2,2\n\
                     2026-01-05T14:31:00Z,3,3,3,3,3\n2026-01-05T14:32:00Z,4,4,4,4,4\n";

#[test]
fn of_duplicates_the_first_or_the_last_is_kept_and_the_others_are_counted() {
    let flags = "import --stamp close --interval 1m --to csv";
    for (which, price) in [("first", 1), ("last", 3)] {
        let done = fetch(&format!("{flags} --duplicates {which}"), &[], TWICE.as_bytes());
        let row = |minute, price| {
            format!("2026-01-05T14:3{minute}:00Z,{price}.0,{price}.0,{price}.0,{price}.0,{price},1,MES\n")
        };
        let wanted = format!("ts,open,high,low,close,volume,seg,symbol\n{}{}", row(1, price), row(2, 4));
        assert_eq!(text(&done.stdout), wanted);
        let told = text(&done.stderr);
        assert!(
            told.contains(&format!("2 bars of a time that has another one left out: the {which} is kept")),
            "{told}"
        );
    }
    for flags in [flags.to_owned(), format!("{flags} --duplicates error")] {
        let done = fetch(&flags, &[], TWICE.as_bytes());
        let told = text(&done.stderr);
        assert!(done.status.code() == Some(3) && told.contains("--duplicates first or last"), "{told}");
    }
    // The last of all comes out too.
    let rows = TWICE.lines().take(4).map(|line| format!("{line}\n")).collect::<String>();
    assert!(import("--stamp close --interval 1m --duplicates last", &rows).ends_with(",3.0,3,1,MES\n"));
    let ticks = fetch("import --duplicates first", &[], b"ts,price,size\n2026-01-05T14:31:00Z,1,1\n");
    assert_eq!(ticks.status.code(), Some(2));
}

#[test]
fn data_without_volume_or_size_comes_in_when_a_flag_makes_one_up() {
    let bars = "ts,open,high,low,close\n2026-01-05T14:31:00Z,1,1,1,1\n";
    let refused = import("--stamp close --interval 1m", bars);
    assert!(refused.contains("no column for \"volume\"") && refused.contains("--volume 1"), "{refused}");
    assert!(import("--stamp close --interval 1m --volume 1", bars).ends_with("Z,1.0,1.0,1.0,1.0,1,1,MES\n"));
    let ticks = "ts,price\n2026-01-05T14:31:00Z,1\n";
    assert_eq!(import("--volume 2", ticks), "ts,price,size,symbol\n2026-01-05T14:31:00Z,1.0,2,MES\n");
    let done = fetch("import --volume 2 --to csv", &[], ticks.as_bytes());
    assert!(
        text(&done.stderr).contains("1 rows tell no volume: theirs is made up"),
        "{}",
        text(&done.stderr)
    );
    // What a row tells stays.
    let mixed = "ts,price,size\n2026-01-05T14:31:00Z,1,7\n2026-01-05T14:31:01Z,1,\n";
    let rows = import("--volume 2", mixed);
    assert!(rows.contains("00Z,1.0,7,MES") && rows.contains("01Z,1.0,2,MES"), "{rows}");
}

/// A file of DBN in a folder that goes with it.
struct Dbn(tempfile::TempDir);

/// Half past two on 5 January 2026, UTC.
const START: u64 = 1_767_623_400_000_000_000;
const SECOND: u64 = 1_000_000_000;

impl Dbn {
    fn new<R: DbnEncodable>(schema: Schema, instruments: &[(&str, u32)], records: &[R]) -> Dbn {
        let day = |day| time::Date::from_calendar_date(2026, time::Month::January, day).expect("a day");
        let mapping = |(name, id): &(&str, u32)| SymbolMapping {
            raw_symbol: (*name).to_owned(),
            intervals: vec![MappingInterval { start_date: day(5), end_date: day(6), symbol: id.to_string() }],
        };
        let metadata = Metadata::builder()
            .dataset("GLBX.MDP3")
            .schema(Some(schema))
            .start(START)
            .end(NonZeroU64::new(START + 60 * SECOND))
            .stype_in(Some(SType::RawSymbol))
            .stype_out(SType::InstrumentId)
            .symbols(instruments.iter().map(|(name, _)| (*name).to_owned()).collect())
            .mappings(instruments.iter().map(mapping).collect())
            .build();
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = fs::File::create(folder.path().join("rows.dbn")).expect("a file");
        let mut encoder = Encoder::new(&mut file, &metadata).expect("metadata");
        records.iter().for_each(|record| encoder.encode_record(record).expect("a record"));
        Dbn(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("rows.dbn")
    }
}

#[test]
fn of_several_instruments_in_dbn_symbol_selects_one() {
    let bar = |second, id, price: i64| OhlcvMsg {
        hd: RecordHeader::new::<OhlcvMsg>(rtype::OHLCV_1S, 1, id, START + second * SECOND),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: 1,
    };
    let (es, nq) = (5_000_000_000_000, 20_000_000_000_000);
    let bars = [bar(0, 1, es), bar(0, 2, nq), bar(1, 1, es), bar(1, 2, nq)];
    let file = Dbn::new(Schema::Ohlcv1S, &[("ESH6", 1), ("NQH6", 2)], &bars);
    let done = |flags: &str| fetch(&format!("import --to csv {flags}"), &[&file.path()], b"");
    let told = text(&done("").stderr);
    assert_eq!(done("").status.code(), Some(3));
    assert!(told.contains("holds ESH6, NQH6 side by side: choose one with --symbol NAME"), "{told}");
    let chosen = text(&done("--symbol NQH6").stdout);
    assert_eq!(chosen.lines().count(), 3, "{chosen}");
    assert!(chosen.contains("2026-01-05T14:30:01Z,20000.0,20000.0,20000.0,20000.0,1,1,NQH6"), "{chosen}");
    let none = done("--symbol MESH6");
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("holds ESH6, NQH6"), "{}", text(&none.stderr));
}

/// Databento samples the quote once a second or minute and repeats the last trade in each sample.
#[test]
fn bbo_samples_are_quotes_and_no_trades() {
    for (schema, rtype) in [(Schema::Bbo1S, rtype::BBO_1S), (Schema::Bbo1M, rtype::BBO_1M)] {
        let mut sample = BboMsg::default_for_schema(schema);
        sample.hd = RecordHeader::new::<BboMsg>(rtype, 1, 7, START);
        (sample.price, sample.size, sample.ts_recv) = (5_000_250_000_000, 3, START + SECOND);
        sample.levels = [BidAskPair {
            bid_px: 5_000_000_000_000,
            ask_px: 5_000_250_000_000,
            bid_sz: 4,
            ask_sz: 5,
            ..BidAskPair::default()
        }];
        let file = Dbn::new(schema, &[("MESH6", 7)], &[sample]);
        let done = fetch("import --to csv", &[&file.path()], b"");
        let row = "2026-01-05T14:30:01Z,,,,5000.0,5000.25,4,5,MESH6\n";
        assert!(text(&done.stdout).ends_with(row), "{schema}: {}{}", text(&done.stdout), text(&done.stderr));
    }
    let csv = "ts_recv,ts_event,rtype,publisher_id,instrument_id,side,price,size,flags,sequence,bid_px_00,ask_px_00\n\
               1767623401000000000,1767623400000000000,195,1,7,N,5000.25,3,0,0,5000.00,5000.25\n";
    let rows = import("--preset databento-csv", csv);
    assert!(rows.ends_with("2026-01-05T14:30:01Z,,,,5000.0,5000.25,MES\n"), "{rows}");
}

#[test]
fn remarks_before_a_header_are_passed_over() {
    let rows = "# exported on a Monday, at noon\n// by somebody\n\nts,price,size\n2026-01-05T14:31:00Z,1,1\n";
    assert_eq!(import("", rows), "ts,price,size,symbol\n2026-01-05T14:31:00Z,1.0,1,MES\n");
    let bare = "# o;h;l;c\n20260105 143100;6900.25;6901;6900;6900.5;12\n";
    assert!(import("--preset ninjatrader", bare).contains("14:31:00Z,6900.25,6901.0,6900.0,6900.5,12"));
    assert!(import("", "# nothing else\n").contains("empty: no header and no rows"));
}

#[test]
fn json_of_objects_or_arrays_is_a_table() {
    let wanted = "ts,open,high,low,close,volume,seg,symbol\n2026-01-05T14:31:00Z,6900.25,6901.0,6900.0,6900.5,12,1,MES\n\
                  2026-01-05T14:32:00Z,6900.5,6900.5,6900.5,6900.5,3,1,MES\n";
    let first =
        r#"{"t":"2026-01-05T14:30:00Z","o":6900.25,"h":6901,"l":6900,"c":6900.5,"v":12,"more":{"x":[1]}}"#;
    // Another order, a number as text, and a key that is not there.
    let second = r#"{"v":3,"t":"2026-01-05T14:31:00Z","o":"6900.50","h":6900.5,"l":6900.5,"c":6900.5}"#;
    let flags = "--stamp open --interval 1m --columns t=ts";
    assert_eq!(import(flags, &format!("[{first},\n {second}]")), wanted);
    assert_eq!(import(flags, &format!("{first}\n{second}\n")), wanted);
    let arrays =
        "[[1767623400000,6900.25,6901,6900,6900.5,12.0],[1767623460000,6900.5,6900.5,6900.5,6900.5,3]]";
    assert_eq!(import("--stamp open --interval 1m --names ts,open,high,low,close,volume", arrays), wanted);
    for (flags, rows, what) in [
        (flags, format!("[{first},"), "no rows of JSON: EOF while parsing"),
        (flags, "[]".to_owned(), "empty: no rows"),
        (
            flags,
            format!("[{first},{}]", second.replace("\"v\"", "\"w\"")),
            "row 2: the key \"w\", which the first row lacks",
        ),
        (flags, format!("[{first},{}]", second.replace("6900.50", "x")), "row 2: open \"x\" is not a number"),
        (flags, "[1,2]".to_owned(), "no rows of JSON: invalid type: integer `1`"),
        ("", "[[1,2]]".to_owned(), "row 1: an array of 2 values: say what they are with --names"),
    ] {
        let told = import(flags, &rows);
        assert!(told.contains(what), "{rows}: {told}");
    }
}
