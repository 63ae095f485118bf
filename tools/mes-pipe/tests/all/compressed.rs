//! Compressed data that is not whole: an error of the data in every format, never a shorter stream.

use std::path::Path;

use crate::pass::{
    self,
    tables::{TICKS, ticks},
};

/// The same ticks in every format.
fn formats() -> Vec<(&'static str, Vec<u8>)> {
    let table = ticks((0..20_000).map(|row| 5000.0 + f64::from(row % 7)).collect());
    let csv: String = (0..5000).map(|row| format!("2025-11-24T15:30:01.{row:06}Z,5000.5,{row}\n")).collect();
    let json: String = (0..5000)
        .map(|row| format!("{{\"ts\":\"2025-11-24T15:30:01.{row:06}Z\",\"size\":{row}}}\n"))
        .collect();
    vec![
        ("csv", format!("{TICKS}{csv}").into_bytes()),
        ("jsonl", json.into_bytes()),
        ("arrow", pass::arrow_stream(&table, 4096)),
        ("parquet", pass::parquet(&table, 4096)),
    ]
}

fn code(bytes: &[u8]) -> (Option<i32>, String) {
    let output = pass::run(Path::new("/"), &["-q", "--to", "csv"], bytes);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_wrong_checksum_or_a_cut_is_an_error_of_the_data() {
    let checked = |bytes: &[u8]| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.include_checksum(true).expect("a checksum");
        std::io::Write::write_all(&mut encoder, bytes).expect("bytes");
        encoder.finish().expect("zstd")
    };
    for (name, bytes) in formats() {
        // Eight bytes of gzip are checksum and length; four of zstd the checksum.
        for (packed, how, sum) in [(pass::gzip(&bytes), "gzip", 8), (checked(&bytes), "zstd", 4)] {
            assert_eq!(code(&packed).0, Some(0), "{name} {how}");
            let at = packed.len() - sum;
            let mut wrong = packed.clone();
            wrong[at] ^= 1;
            let garbage = [&packed[..], b"garbage behind it"].concat();
            for (what, bytes) in [
                ("a wrong checksum", wrong),
                ("without checksum", packed[..at].to_vec()),
                ("half", packed[..packed.len() / 2].to_vec()),
                ("garbage", garbage),
            ] {
                let (code, stderr) = code(&bytes);
                assert_eq!(code, Some(3), "{name} {how} {what}: {stderr}");
                assert_eq!(stderr.lines().count(), 1, "{name} {how} {what}: {stderr}");
            }
        }
    }
}
