//! What years of data cost: `mes-bench rows`, apart from the rest since making the data takes minutes and 2 GB of disk.
//!
//! Seconds are those of Databento's `ohlcv-1s`, a row for every second of an open market; ticks have time, price and size.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use mes_golden::shell;
use mes_pipe::{Event, Input, InputArgs, Kind, TableFile};

use crate::{
    Result, shell_line,
    table::{Case, Table},
    three_times,
};

/// Sessions that have 33.2 M seconds.
const SESSIONS: usize = 404;
const TICKS: usize = 10_000_000;
/// What a tool may hold, however long its input.
const MOST_MIB: u64 = 300;
const COLUMNS: [&str; 7] = ["ts", "open", "high", "low", "close", "volume", "symbol"];

pub fn bench(folder: &Path) -> Result<()> {
    let (short, long) = seconds(folder)?;
    let mut table = Table::begin(long.rows)?;
    let filter = |name: &str| format!("mes-bars -q --session rth --to arrow {name} > /dev/null");
    let ticks = format!(
        "mes-fetch synth -q --sessions 60 --session rth --ticks --to csv | cut -d, -f1-3 | head -n {} > ticks.csv ||
         [ $? = 141 ]",
        TICKS + 1
    );
    shell_line(folder, &ticks)?;
    let cases = [
        ("Parquet: mes-bars --session rth, OHLCV", long.rows, Some(15e6), filter("long.parquet")),
        ("Parquet: mes-bars --session rth, 16 columns", long.rows, None, filter("wide.parquet")),
        (
            "CSV ticks: mes-fetch import",
            TICKS,
            Some(2e6),
            "mes-fetch import -q --to arrow ticks.csv > /dev/null".to_owned(),
        ),
    ];
    for (name, rows, goal, line) in cases {
        let before = children_cpu_s()?;
        let runs = three_times(|| shell_line(folder, &line))?;
        let cpu_s = (children_cpu_s()? - before) / runs.len() as f64;
        table.add(&Case { goal, ..Case::rows(name, rows) }, &runs)?;
        table.note(&format!(
            "  {cpu_s:.2} s of CPU a run: {:.1} M rows per second of one core",
            rows as f64 / cpu_s / 1e6
        ))?;
    }
    for seconds in [short, long] {
        let mib =
            peak_mib("mes-bars", &["-q", "--session", "rth", "--to", "arrow"], &folder.join(seconds.name))?;
        let missed = if mib < MOST_MIB { "" } else { " MISSED" };
        table.note(&format!("peak memory of {} rows: {mib} MiB, goal < {MOST_MIB}{missed}", seconds.rows))?;
    }
    let mib = peak_mib("mes-fetch", &["import", "-q", "--to", "arrow"], &folder.join("ticks.csv"))?;
    table.note(&format!("peak memory of the import: {mib} MiB"))
}

/// Returns the CPU time of all programs run so far, which does not depend on what else the machine does.
fn children_cpu_s() -> Result<f64> {
    /// What the kernel counts by, on every Linux.
    const PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name, in brackets, may hold anything; the 14th and 15th field after it are the children's.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields.iter().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / PER_SECOND)
}

/// A file of seconds.
struct Seconds {
    name: &'static str,
    rows: usize,
}

/// Makes the whole file, and one of its first quarter.
fn seconds(folder: &Path) -> Result<(Seconds, Seconds)> {
    let line = format!("mes-fetch synth -q --sessions {SESSIONS} | mes-bars -q --to parquet > wide.parquet");
    shell_line(folder, &line)?;
    let files: Vec<PathBuf> = vec![folder.join("wide.parquet")];
    let args = InputArgs { files, ..InputArgs::default() };
    let mut input = Input::open_columns(&args, &[Kind::Ohlcv], |name| COLUMNS.contains(&name))?;
    let schema = input.meta().onto(input.schema());
    let (mut short, mut long) =
        (Seconds { name: "short.parquet", rows: 0 }, Seconds { name: "long.parquet", rows: 0 });
    let mut quarter = TableFile::create(&folder.join(short.name), &schema)?;
    let mut whole = TableFile::create(&folder.join(long.name), &schema)?;
    while let Event::Batch(batch) = input.next()? {
        whole.write(&batch)?;
        long.rows += batch.num_rows();
        if long.rows <= SESSIONS * 82_800 / 4 {
            quarter.write(&batch)?;
            short.rows = long.rows;
        }
    }
    quarter.finish()?;
    whole.finish()?;
    Ok((short, long))
}

/// Runs a tool on a file and returns the most memory it ever held. Asked often enough, the kernel's own peak is missed by
/// no more than the last moments.
fn peak_mib(tool: &str, args: &[&str], file: &Path) -> Result<u64> {
    let mut child =
        Command::new(shell::tools().join(tool)).args(args).arg(file).stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut most_kib = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        most_kib = kib.unwrap_or(0).max(most_kib);
        if let Some(status) = child.try_wait()? {
            let failed = format!("{tool}: {status}");
            return if status.success() { Ok(most_kib / 1024) } else { Err(failed.into()) };
        }
        sleep(Duration::from_millis(2));
    }
}
