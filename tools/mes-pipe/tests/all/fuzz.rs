//! No bytes make a reader panic: random ones, and valid files of every format, mutated; the lines of a kept account too.
//! `SOAK=n` looks n times as long, from another seed.

use std::{fs, io::Write as _, path::Path, sync::Arc};

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use mes_pipe::{
    durable::{self, Busy, Durable},
    read_table,
};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

use crate::pass;

fn small() -> RecordBatch {
    let rows = 20i64;
    let sparse = |row: i64| row % 3 != 0;
    pass::table(
        (0..rows).map(|row| 1_763_994_600_000_000_000 + row * 1_000_000_000).collect(),
        vec![
            (
                "price",
                Arc::new((0..rows).map(|row| Some(5000.0 + row as f64)).collect::<Float64Array>())
                    as ArrayRef,
            ),
            ("size", Arc::new((0..rows).map(|row| sparse(row).then_some(row)).collect::<Int64Array>())),
            (
                "symbol",
                Arc::new((0..rows).map(|row| sparse(row).then_some("MESZ6")).collect::<StringArray>()),
            ),
            ("odd", Arc::new((0..rows).map(|row| Some(sparse(row))).collect::<BooleanArray>())),
        ],
    )
}

/// Valid files of every format.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let table = small();
    let folder = tempfile::tempdir().expect("a folder");
    let stream = pass::arrow_stream(&table, 7);
    let csv = pass::ok(folder.path(), &["--to", "csv"], &stream);
    let json = pass::ok(folder.path(), &["--to", "jsonl", "--header"], &stream);
    let dbn = pass::dbn::trades(&[(0, 5_000_250_000_000, 3, b'B'), (1, 5_000_500_000_000, 1, b'A')]);
    let bars = pass::dbn::bars(5);
    vec![
        ("arrow stream", stream),
        ("arrow file", pass::arrow_file(&table, 7)),
        ("parquet", pass::parquet(&table, 7)),
        ("csv.gz", pass::gzip(&csv)),
        ("csv.zst", pass::zstd(&csv)),
        ("csv", csv),
        ("jsonl", json),
        ("dbn trades", dbn),
        ("dbn bars", bars),
    ]
}

/// Reads bytes as the tools do; only a panic can fail.
fn reads(bytes: &[u8], folder: &Path) -> bool {
    let path = folder.join("input");
    let mut file = fs::File::create(&path).expect("a file");
    file.write_all(bytes).expect("bytes");
    read_table(&path, &[]).is_ok()
}

/// Changes bytes: overwrites, cuts, doubles or drops a stretch.
fn mutated(bytes: &[u8], changes: &[(u8, usize, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for &(what, place, value) in changes {
        if bytes.is_empty() {
            return bytes;
        }
        let at = place % bytes.len();
        match what % 8 {
            0..4 => bytes[at] = value,
            4 => bytes[at] ^= 1 << (value % 8),
            5 => bytes.truncate(at + 1),
            6 => drop(bytes.drain(at..(at + usize::from(value % 16)).min(bytes.len()))),
            _ => {
                let end = (at + usize::from(value)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
    bytes
}

fn config(cases: u32) -> ProptestConfig {
    let soak = std::env::var("SOAK").ok().and_then(|times| times.parse::<u32>().ok());
    ProptestConfig {
        cases: cases * soak.unwrap_or(1),
        failure_persistence: None,
        rng_seed: if soak.is_some() { RngSeed::Random } else { RngSeed::Fixed(7) },
        ..ProptestConfig::default()
    }
}

#[test]
fn mutated_files_never_panic() {
    let seeds = seeds();
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in &seeds {
        assert!(reads(bytes, folder.path()), "{name}: the file to mutate must be a good one");
    }
    let strategy = (0..seeds.len(), vec((any::<u8>(), any::<usize>(), any::<u8>()), 1..6));
    let mut runner = proptest::test_runner::TestRunner::new(config(6000));
    let result = runner.run(&strategy, |(seed, changes)| {
        let (name, bytes) = &seeds[seed];
        let bytes = mutated(bytes, &changes);
        let read = std::panic::catch_unwind(|| reads(&bytes, folder.path()));
        prop_assert!(read.is_ok(), "{} panics on {:?}", name, changes);
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.expect_err("a failure"));
}

#[test]
fn mutated_lines_of_an_account_never_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = folder.path().join("x");
    let head = serde_json::json!({ "kind": "test", "v": 1 });
    let (mut lines, _) = Durable::open(&base, &head, Busy::Refuse).expect("begins");
    (0..9).for_each(|number| lines.append(&serde_json::json!({ "number": number })).expect("appends"));
    drop(lines);
    let (file, mark) = (folder.path().join("x-000001.jsonl"), folder.path().join("x.mark"));
    let whole = [&file, &mark].map(|path| fs::read(path).expect("a file"));
    let strategy = (any::<bool>(), vec((any::<u8>(), any::<usize>(), any::<u8>()), 1..4));
    let mut runner = proptest::test_runner::TestRunner::new(config(1000));
    let result = runner.run(&strategy, |(of_the_mark, changes)| {
        let mut both = whole.clone();
        both[usize::from(of_the_mark)] = mutated(&both[usize::from(of_the_mark)], &changes);
        fs::write(&file, &both[0]).expect("written");
        fs::write(&mark, &both[1]).expect("written");
        let read = std::panic::catch_unwind(|| {
            let _ = durable::read(&base, 1);
            let _ = Durable::open(&base, &head, Busy::Refuse);
        });
        prop_assert!(read.is_ok(), "a panic on {:?}", changes);
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.expect_err("a failure"));
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn random_bytes_never_panic(
        magic in prop::sample::select(vec![
            &b""[..], b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff", b"DBN\x01", b"DBN\x03", b"\x1f\x8b\x08",
            b"\x28\xb5\x2f\xfd", b"{\"ts\":", b"ts,price\n", b"{\"kind\":\"bar\"}\n",
        ]),
        bytes in vec(any::<u8>(), 0..400),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        reads(&[magic, &bytes].concat(), folder.path());
    }

    #[test]
    fn random_text_never_panics(text in "(ts,price\n|\\{\"ts\":\"2026-11-20T14:30:00Z\"\\}\n)[ -~\n]{0,200}") {
        let folder = tempfile::tempdir().expect("a folder");
        reads(text.as_bytes(), folder.path());
    }
}
