//! `script:FILE`: predictions that a person or a test wrote down, as CSV (`ts,p_dir,p_conf`, with that header) or JSON
//! lines with those keys. Rows that it does not name are FLAT with confidence 0; a script row that no row of the
//! stream matches is an error at the end.

use std::{fs, path::Path};

use mes_core::{
    bar::Bar,
    prediction::Prediction,
    time::{self, Ts},
};
use mes_pipe::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Rule;

pub struct Script {
    /// By time.
    entries: Vec<Entry>,
    hash: String,
    name: String,
}

struct Entry {
    ts: Ts,
    dir: f32,
    conf: f32,
    line: usize,
    met: bool,
}

#[derive(Deserialize)]
struct Written {
    #[serde(with = "time::text")]
    ts: Ts,
    p_dir: f32,
    p_conf: f32,
}

impl Script {
    /// Reads a script.
    pub fn load(path: &Path) -> Result<Script> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| Error::usage(format!("{name}: {error}")))?;
        let text = str::from_utf8(&bytes).map_err(|error| Error::data(format!("{name}: {error}")))?;
        Script::parse(text, name)
    }

    fn parse(text: &str, name: String) -> Result<Script> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
        let csv = lines.peek().is_none_or(|(_, line)| !line.starts_with('{'));
        if csv && lines.next().is_none_or(|(_, header)| header.trim() != "ts,p_dir,p_conf") {
            return Err(Error::data(format!("{name}: line 1: not the header ts,p_dir,p_conf")));
        }
        let mut entries = Vec::new();
        for (index, line) in lines {
            let line_number = index + 1;
            let read =
                if csv { from_csv(line) } else { serde_json::from_str(line).map_err(|e| e.to_string()) };
            let entry = read.and_then(|written| entry(&written, line_number));
            entries.push(entry.map_err(|what| Error::data(format!("{name}: line {line_number}: {what}")))?);
        }
        entries.sort_by_key(|entry| (entry.ts, entry.line));
        if let Some([first, second]) = entries.array_windows().find(|[first, second]| first.ts == second.ts) {
            let (ts, first, second) = (time::format(first.ts), first.line, second.line);
            return Err(Error::data(format!("{name}: lines {first} and {second} both name {ts}")));
        }
        Ok(Script { entries, hash: mes_pipe::hash(text.as_bytes()), name })
    }
}

fn from_csv(line: &str) -> std::result::Result<Written, String> {
    let fields: Vec<_> = line.split(',').map(str::trim).collect();
    let [ts, dir, conf] = fields[..] else {
        return Err(format!("{} fields, not ts,p_dir,p_conf", fields.len()));
    };
    let number = |text: &str| text.parse::<f32>().map_err(|_| format!("{text:?} is not a number"));
    let ts = time::parse(ts).map_err(|error| error.to_string())?;
    Ok(Written { ts, p_dir: number(dir)?, p_conf: number(conf)? })
}

fn entry(written: &Written, line: usize) -> std::result::Result<Entry, String> {
    let &Written { ts, p_dir: dir, p_conf: conf } = written;
    let prediction = Prediction { dir: Some(dir), conf: Some(conf), ..Prediction::default() };
    prediction.check().map_err(|fault| fault.to_string())?;
    Ok(Entry { ts, dir, conf, line, met: false })
}

impl Rule for Script {
    fn decide(&mut self, bar: &Bar) -> Option<(f32, f32)> {
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
        let (name, line, ts, more) = (&self.name, first.line, time::format(first.ts), missed.count());
        Err(Error::data(format!("{name}: line {line}: no row is stamped {ts} ({more} more like it)")))
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

    #[test]
    fn plays_what_is_written_and_misses_nothing() {
        let lines = "{\"ts\":\"1970-01-01T00:00:01Z\",\"p_dir\":1,\"p_conf\":0.65}\n\
                     {\"ts\":\"1970-01-01T00:00:03Z\",\"p_dir\":-1,\"p_conf\":0.9}\n";
        for text in [CSV, lines] {
            let mut script = Script::parse(text, "s".into()).expect("reads");
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
            ("ts,dir\n", "line 1"),
            ("ts,p_dir,p_conf\n1970-01-01T00:00:03Z,2,0.9", "line 2: column \"p_dir\": 2 is not -1, 0 or 1"),
            ("ts,p_dir,p_conf\n1970-01-01T00:00:03Z,1,NaN", "line 2: column \"p_conf\": NaN"),
            ("ts,p_dir,p_conf\n1970-01-01T00:00:03,1,0.9", "line 2: time"),
            ("ts,p_dir,p_conf\n1970-01-01T00:00:03Z,1", "line 2: 2 fields"),
            ("{\"ts\":1}", "line 1"),
            ("", "line 1"),
        ] {
            let error = Script::parse(text, "s".into()).err().expect(text);
            assert!(error.to_string().contains(what), "{error}");
        }
        let twice = format!("{CSV}1970-01-01T00:00:01Z,1,0.65\n");
        let error = Script::parse(&twice, "s".into()).err().expect("twice");
        assert!(error.to_string().contains("lines 3 and 4 both"), "{error}");
    }
}
