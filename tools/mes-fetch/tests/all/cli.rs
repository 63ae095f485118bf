//! The tool as a user meets it: bytes in, bytes out, exit codes.

use std::io::Write;

use super::{fetch, text};

const BARS: &[u8] = b"ts_utc,open,high,low,close,volume,trades,note
2026-11-19T23:00:00Z,6800.25,6801,6800.25,6800.5,40,14,x
2026-11-19T23:00:02Z,6800.5,6800.5,6800.5,6800.5,1,,
2026-11-22T23:00:00Z,6800.5,6800.5,6800.5,6800.5,1,1,
";

#[test]
fn bars_stamped_at_their_open_move_to_their_close() {
    let done = fetch("import --stamp open --interval 1s --symbol MESZ6 --to csv", &[], BARS);
    assert_eq!(
        text(&done.stdout),
        "ts,open,high,low,close,volume,trades,seg,symbol
2026-11-19T23:00:01Z,6800.25,6801.0,6800.25,6800.5,40,14,1,MESZ6
2026-11-19T23:00:03Z,6800.5,6800.5,6800.5,6800.5,1,,1,MESZ6
2026-11-22T23:00:01Z,6800.5,6800.5,6800.5,6800.5,1,1,2,MESZ6
"
    );
    assert_eq!(
        text(&done.stderr),
        "mes-fetch: bars of 1s: took ts_utc as ts, open, high, low, close, volume, trades; left out note; \
         ts_utc is the open of the bar\n"
    );
}

#[test]
fn bars_stamped_at_their_close_stay() {
    let done = fetch("import --stamp close --interval 1s --to csv --quiet", &[], BARS);
    assert!(text(&done.stdout).contains("\n2026-11-19T23:00:00Z,6800.25,"));
    assert_eq!((done.status.code(), text(&done.stderr)), (Some(0), String::new()));
}

#[test]
fn says_how_many_bars_lie_outside_the_sessions() {
    let input = text(BARS).replace("11-22T", "11-21T");
    let done = fetch("import --stamp open --interval 1s --to csv", &[], input.as_bytes());
    assert!(text(&done.stderr).ends_with("mes-fetch: 1 bars lie where the calendar has no session\n"));
    assert!(text(&done.stdout).ends_with(",2,MES\n"));
}

#[test]
fn ticks_of_other_names_and_separators() {
    let input = b"\xef\xbb\xbfTime;px;qty;Side\r\n2026-11-20T15:00:00.5+01:00;6800.25;2.0;B\r\n";
    let done = fetch("import --columns px=price --to csv", &[], input);
    assert_eq!(
        text(&done.stdout),
        "ts,price,size,side,symbol\n2026-11-20T14:00:00.500Z,6800.25,2,buy,MES\n",
        "{}",
        text(&done.stderr)
    );
}

#[test]
fn compressed_text_reads_alike() {
    let plain = fetch("import --stamp open --interval 1s --to csv", &[], BARS).stdout;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(BARS).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let zstd = zstd::encode_all(BARS, 1).expect("memory");
    for packed in [&gzip, &zstd] {
        assert_eq!(fetch("import --stamp open --interval 1s --to csv", &[], packed).stdout, plain);
        let cut = fetch("import --stamp open --interval 1s --to csv", &[], &packed[..packed.len() - 9]);
        assert_eq!(cut.status.code(), Some(3), "{}", text(&cut.stderr));
    }
}

#[test]
fn refuses_what_it_cannot_know() {
    let bars = text(BARS);
    let cases: [(&str, String, i32, &str); 13] = [
        ("--interval 1s", bars.clone(), 2, "--stamp open or --stamp close"),
        ("--stamp open", bars.clone(), 2, "--interval"),
        ("--stamp open --interval 1s --columns px=price", bars.clone(), 2, "--columns px=…"),
        ("--columns px=prize", bars.clone(), 2, "no column of ticks or bars"),
        ("--stamp open --interval 5s", bars.clone(), 3, "line 3: 2026-11-19T23:00:02Z is off the grid of 5s"),
        (
            "--stamp open --interval 1s",
            bars.replace("6801", "abc"),
            3,
            "stdin: line 2: high \"abc\" is not a number",
        ),
        ("--stamp open --interval 1s", bars.replace("6801", "NaN"), 3, "line 2: high \"NaN\""),
        (
            "--stamp open --interval 1s",
            bars.replace(",40,", ",1.5,"),
            3,
            "volume \"1.5\" is not a whole number",
        ),
        ("--stamp open --interval 1s", bars.replace("23:00:02Z", "22:00:02Z"), 3, "line 3: time goes back"),
        (
            "--stamp open --interval 1s",
            bars.replace("00:02Z", "00:02"),
            3,
            "line 3: time \"2026-11-19T23:00:02\" has no zone",
        ),
        ("--stamp open --interval 1s", bars.trim_end().to_owned(), 3, "line 4: the line has no end"),
        (
            "--stamp open --interval 1s",
            bars.replace(",1,1,", ",1"),
            3,
            "line 4: 6 values where the header has 8",
        ),
        ("--stamp open --interval 1s", String::new(), 3, "stdin: line 1: empty"),
    ];
    for (flags, input, code, what) in cases {
        let done = fetch(&format!("import --to csv {flags}"), &[], input.as_bytes());
        let told = text(&done.stderr);
        assert!(told.contains(what) && done.status.code() == Some(code), "{flags}: {:?} {told}", done.status);
    }
    assert_eq!(fetch("", &[], b"").status.code(), Some(2));
    assert_eq!(fetch("synth --edge 2", &[], b"").status.code(), Some(2));
    assert_eq!(fetch("synth --sessions 0", &[], b"").status.code(), Some(2));
}

#[test]
fn the_same_flags_make_the_same_bytes() {
    for flags in ["--to parquet", "--to arrow --session rth", "--to csv --ticks", "--to jsonl --header"] {
        let flags = format!("synth --sessions 1 --until 2025-11-28 {flags}");
        let (one, two) = (fetch(&flags, &[], b""), fetch(&flags, &[], b""));
        assert!(one.status.success() && one.stdout.len() > 100_000, "{flags}: {}", text(&one.stderr));
        assert!(one.stdout == two.stdout, "{flags}");
        assert!(text(&one.stderr).starts_with("mes-fetch: synthetic data, 2025-11-28 to 2025-11-28"));
    }
}

/// Pins the bytes: a change here means that `GENERATOR` must be raised.
#[test]
fn the_market_is_pinned() {
    let done = fetch("synth --sessions 1 --to csv --session rth --quiet", &[], b"");
    let out = text(&done.stdout);
    assert_eq!(
        out.lines().nth(1),
        Some(
            "2026-11-20T14:30:01Z,6827.75,6827.75,6827.75,6827.75,90,90,0,57,6827.5,6827.75,35,22,6827.75,1,MESZ6"
        )
    );
    assert_eq!(
        mes_pipe::hash(&done.stdout),
        "1b79225f0188270e8b1f005ecd136c77e726993e1b45fbd507d77a29b1a7ac9b"
    );
    assert!(text(&done.stderr).is_empty());
}

#[test]
fn the_lineage_says_synthetic() {
    let done = fetch("synth --sessions 1 --to jsonl --header", &[], b"");
    let out = text(&done.stdout);
    let header: serde_json::Value = serde_json::from_str(out.lines().next().expect("a line")).expect("JSON");
    let settings = &header["lineage"][0]["settings"];
    assert_eq!((&settings["synthetic"], settings.get("no_bounce")), (&true.into(), None));
    let done = fetch("synth --sessions 1 --to jsonl --header --no-bounce --session rth", &[], b"");
    let first = text(&done.stdout).lines().next().map(str::to_owned).expect("a line");
    assert!(first.contains("\"no_bounce\":true"), "{first}");
    assert!(text(&done.stderr).ends_with("edge 0.5, no bounce\n"), "{}", text(&done.stderr));
    assert_eq!((header["kind"].as_str(), header["interval"].as_str()), (Some("bar"), Some("1s")));
}

/// Ten minutes of an evening; from the fifth on every price is as `changed` says.
fn minutes(changed: impl Fn(f64) -> f64) -> String {
    let mut text = "ts,open,high,low,close,volume,seg,symbol\n".to_owned();
    for minute in 1..=10 {
        let price = if minute < 5 { 6900.0 } else { changed(6900.0) };
        text += &format!("2026-11-20T15:{minute:02}:00Z,{price},{price},{price},{price},5,1,MESZ6\n");
    }
    text
}

#[test]
fn prices_that_no_market_makes_are_unfit() {
    for (changed, found) in [
        (minutes(|price| price), None),
        (minutes(|price| price * 1.05), None),
        (minutes(|price| price + 350.0), Some("implausible 6")),
        (minutes(|price| price * 10.0), Some("implausible 6, range 6")),
        (minutes(|price| price / 10.0), Some("implausible 6, range 6")),
        (minutes(|price| -price), Some("implausible 6, range 6")),
    ] {
        let done = fetch("verify --interval 1m --json --quiet", &[], changed.as_bytes());
        let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("a report");
        let unfit = report["unfit"].as_str().unwrap_or("fit");
        assert_eq!(done.status.code(), Some(if found.is_some() { 3 } else { 0 }), "{unfit}");
        assert!(unfit.contains(found.unwrap_or("fit")), "{unfit}");
    }
}

#[test]
fn a_scale_that_is_wrong_from_the_first_row_is_unfit() {
    let text = minutes(|price| price).replace("6900", "69000");
    let done = fetch("verify --interval 1m --json --quiet", &[], text.as_bytes());
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("a report");
    assert_eq!(report["unfit"], "range 10");
    // Of what no range is known, every scale is right.
    let other = text.replace("MESZ6", "SPY");
    assert_eq!(fetch("verify --interval 1m --quiet", &[], other.as_bytes()).status.code(), Some(0));
}

#[test]
fn ticks_that_no_market_makes_are_unfit() {
    let tick = |second: i32, price: f64| format!("2026-11-20T15:00:{second:02}Z,{price},1,MESZ6\n");
    let text: String = (1..5).map(|second| tick(second, 6900.0)).collect();
    let text = format!("ts,price,size,symbol\n{text}{}{}", tick(5, 6500.0), tick(6, 6900.25));
    let done = fetch("verify --json --quiet", &[], text.as_bytes());
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("a report");
    let checks = report["checks"].as_array().expect("checks");
    let implausible = checks.iter().find(|check| check["check"] == "implausible").expect("the check");
    assert_eq!(implausible["count"], 1, "{report}");
}
