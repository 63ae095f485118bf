//! `script:FILE`: predictions that a person, a notebook or a test wrote down: columns `ts`, `p_dir`, `p_conf` of a file in
//! any format that the tools read. Rows that it does not name are FLAT with confidence 0; a script row that no row of
//! the stream matches is an error at the end.

use std::path::Path;

use mes_core::{
    bar::Bar,
    prediction::Prediction,
    time::{self, Ts},
};
use mes_pipe::{
    Error, Result,
    written::{self, Line, Written},
};
use serde_json::{Value, json};

use super::Rule;

/// Calls what a table says of a row's time.
pub struct Script {
    /// By time.
    entries: Vec<Entry>,
    hash: String,
}

struct Entry {
    ts: Ts,
    dir: f32,
    conf: f32,
    place: String,
    met: bool,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// Usage (2) without such a file; data (3) with the line of what cannot be meant, or of what is said twice.
    pub fn load(path: &Path) -> Result<Script> {
        let Written { rows, blake3 } = written::read(path, ["p_dir", "p_conf"])?;
        let mut entries = rows.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
        // Sorted as they stand, so that of two the earlier line comes first.
        entries.sort_by_key(|entry| entry.ts);
        if let Some([first, second]) = entries.array_windows().find(|[first, second]| first.ts == second.ts) {
            let (ts, first, second) = (time::format(first.ts), &first.place, &second.place);
            return Err(Error::data(format!("{first} and {second} both name {ts}")));
        }
        Ok(Script { entries, hash: blake3 })
    }
}

fn entry(Line { ts, numbers: [dir, conf], place }: Line<2>) -> Result<Entry> {
    let (dir, conf) = (dir as f32, conf as f32);
    let prediction = Prediction { dir: Some(dir), conf: Some(conf), ..Prediction::default() };
    prediction.check().map_err(|fault| Error::data(format!("{place}: {fault}")))?;
    Ok(Entry { ts, dir, conf, place, met: false })
}

impl Rule for Script {
    fn decide(&mut self, bar: &Bar<f64>) -> Option<(f32, f32)> {
        let found = self.entries.binary_search_by_key(&bar.ts, |entry| entry.ts);
        Some(found.ok().and_then(|at| self.entries.get_mut(at)).map_or((0.0, 0.0), |entry| {
            entry.met = true;
            (entry.dir, entry.conf)
        }))
    }

    fn settings(&self) -> Value {
        json!({ "rule": "script", "script": self.hash })
    }

    fn end(&self) -> Result<()> {
        let mut missed = self.entries.iter().filter(|entry| !entry.met);
        let Some(first) = missed.next() else { return Ok(()) };
        let (place, ts, more) = (&first.place, time::format(first.ts), missed.count());
        Err(Error::data(format!("{place}: no row is stamped {ts} ({more} more like it)")))
    }
}

#[cfg(test)]
mod tests {
    use mes_core::time::SECOND;

    use super::*;

    const CSV: &str = "ts,p_dir,p_conf\n1970-01-01T00:00:03Z,-1,0.9\n1970-01-01T00:00:01Z,1,0.65\n";

    fn decide(script: &mut Script, seconds: i64) -> Option<(f32, f32)> {
        script.decide(&Bar { ts: seconds * SECOND, ..Bar::default() })
    }

    fn load(text: &str) -> Result<Script> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("writes");
        Script::load(file.path())
    }

    #[test]
    fn plays_what_is_written_and_misses_nothing() {
        let lines = "{\"ts\":\"1970-01-01T00:00:01Z\",\"p_dir\":1,\"p_conf\":0.65}\n\
                     {\"ts\":\"1970-01-01T00:00:03Z\",\"p_dir\":-1,\"p_conf\":0.9}\n";
        for text in [CSV, lines, &CSV.replace('Z', "+0000")] {
            let mut script = load(text).expect("reads");
            assert_eq!(decide(&mut script, 1), Some((1.0, 0.65)));
            assert_eq!(decide(&mut script, 2), Some((0.0, 0.0)));
            let error = script.end().expect_err("line for second 3 not met");
            assert_eq!((error.code(), error.to_string().contains("00:00:03Z (0 more")), (3, true));
            assert_eq!(decide(&mut script, 3), Some((-1.0, 0.9)));
            script.end().expect("all met");
        }
    }

    #[test]
    fn refuses_what_it_cannot_mean() {
        for (text, what) in [
            ("ts,dir\n", "no column \"p_dir\""),
            (
                "ts,p_dir,p_conf\n1970-01-01T00:00:03Z,2,0.9\n",
                "line 2: column \"p_dir\": 2 is not -1, 0 or 1",
            ),
            ("ts,p_dir,p_conf\n1970-01-01T00:00:03Z,1,NaN\n", "line 2: column \"p_conf\": NaN"),
            ("ts,p_dir,p_conf\n1970-01-01T00:00:03,1,0.9\n", "line 2: time"),
            ("ts,p_dir,p_conf\n1970-01-01T00:00:03Z,1\n", "line 2: 2 values"),
            ("{\"ts\":1}\n", "line 1"),
            ("", "empty"),
        ] {
            let error = load(text).err().expect(text);
            assert!(error.to_string().contains(what), "{error}");
        }
        let error = load(&format!("{CSV}1970-01-01T00:00:01Z,1,0.65\n")).err().expect("twice");
        assert!(error.to_string().contains("line 3 and "), "{error}");
    }
}
