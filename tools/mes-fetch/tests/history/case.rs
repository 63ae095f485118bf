//! A server, a directory and the tool between them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use arrow_array::cast::AsArray;

use mes_pipe::{Kind, read_table};
use serde_json::Value;

use super::databento::{KEY, Server};

/// A server and a directory.
pub struct Case {
    pub server: Server,
    pub dir: tempfile::TempDir,
}

pub const JANUARY: &str = "--from 2024-01-01 --until 2024-02-01";
pub const WINTER: &str = "--from 2024-01-01 --until 2024-03-01";

impl Case {
    pub fn new() -> Case {
        Case { server: Server::start(0), dir: tempfile::tempdir().expect("a directory") }
    }

    pub fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mes-fetch"));
        command.args("history --retry-wait 0.01 --to-dir".split(' ')).arg(self.dir.path());
        if !args.contains("--stall") {
            command.args(["--stall", "0.5"]);
        }
        if !args.contains("--symbol") {
            command.args("--symbol MES.v.0 --schema ohlcv-1s".split(' '));
        }
        command.args(args.split_whitespace()).stdin(Stdio::null());
        command.env("DATABENTO_API_KEY", KEY).env("MES_FETCH_BASE_URL", self.server.url());
        command
    }

    /// Runs it and sees to it that the key is nowhere.
    pub fn run(&self, args: &str) -> Done {
        let done = Done::of(self.command(args).output().expect("the tool runs"));
        assert!(!done.said.contains(KEY) && !done.out.contains(KEY), "the key is told: {}", done.said);
        for path in files(self.dir.path()) {
            let bytes = fs::read(&path).expect("a file");
            let told = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
            assert!(!told, "the key is in {}", path.display());
        }
        done
    }

    pub fn fetch(&self, args: &str) -> Done {
        self.run(&format!("{args} --yes"))
    }

    pub fn billed(&self) -> usize {
        self.server.state().billed.len()
    }

    pub fn ledger(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.dir.path().join("ledger.jsonl")).expect("a ledger");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    pub fn event(&self, name: &str) -> Value {
        self.ledger().into_iter().rfind(|entry| entry["event"] == name).unwrap_or_default()
    }

    /// Returns the rows of a month's Parquet and the symbols in it.
    pub fn month(&self, month: &str) -> (usize, Vec<String>) {
        let (year, month) = month.split_once('-').expect("a month");
        let path = self.dir.path().join(format!("year={year}/month={month}/part.parquet"));
        let (meta, batches) = read_table(&path, &[Kind::Tick, Kind::Ohlcv]).expect("a table");
        assert_eq!(meta.lineage.to_json()[0]["tool"], "mes-fetch");
        assert_eq!(
            meta.lineage.to_json()[0]["input"][0].as_str().map(str::len),
            Some(64),
            "{:?}",
            meta.lineage
        );
        let mut symbols = Vec::new();
        for batch in &batches {
            let column = batch.column_by_name("symbol").expect("symbols").as_string::<i32>();
            symbols.extend(column.iter().flatten().map(str::to_owned));
            symbols.sort();
            symbols.dedup();
        }
        (batches.iter().map(|batch| batch.num_rows()).sum(), symbols)
    }
}

pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub said: String,
}

impl Done {
    pub fn of(output: Output) -> Done {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Done { code: output.status.code(), out: text(&output.stdout), said: text(&output.stderr) }
    }

    #[track_caller]
    pub fn ended(self, code: i32) -> Done {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.said);
        self
    }

    #[track_caller]
    pub fn saying(self, text: &str) -> Done {
        assert!(
            self.said.contains(text) || self.out.contains(text),
            "{text:?} not in {}{}",
            self.out,
            self.said
        );
        self
    }
}

pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
