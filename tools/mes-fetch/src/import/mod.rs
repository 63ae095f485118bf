//! Bars or ticks of another shape as canonical ones: text of any dialect, LEAN zips, foreign Parquet, DBN.
//!
//! Whether it is bars or ticks, the columns tell: bars have a close. A bar's time is moved to its close, the
//! instant it became known, if it is that of its open; nobody but the user or a preset can know which, so there is no
//! default. `seg` is counted by the calendar and the holes (see [`crate::segments`]). Nothing is repaired: a line that
//! cannot be read, or a time that goes back, is an error with its place.

mod archive;
mod dbn;
mod dialect;
mod header;
mod json;
mod lines;
mod parquet;
mod row;
mod sink;
mod when;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use chrono_tz::Tz;
use clap::builder::PossibleValuesParser;
use mes_core::{interval::Interval, symbol::Symbol, within};
use mes_pipe::{Error, OutputArgs, Result, log};
use serde_json::{Value, json};

use dialect::{BarsOf, Decimal, Dialect, Duplicates, Stamp};
use header::{Header, rename};
use lines::Lines;
use parquet::ParquetCells;
use row::{Maker, TextCells};
use sink::{Refused, Sink};
use when::Order;

/// Turns bars or ticks of another shape into canonical ones
///
/// Reads text (also as gzip, zstd or zip), JSON (objects in an array or one after the other, or arrays of values by
/// --names), Parquet and DBN; writes bars stamped at their close, or ticks. It says on
/// stderr what it took the table for; every point of it can be overruled.
#[derive(clap::Args)]
#[command(mut_arg("lineage_to", |arg| arg.visible_alias("lineage")))]
#[command(after_help = "Examples:
  mes-fetch import --stamp open --interval 1s ESH0_1s.csv.gz --to parquet > bars.parquet
  mes-fetch import --preset sierra --interval 5m --symbol ESH23 ESH23.txt.gz | mes-fetch verify
  mes-fetch import --preset lean --entry 201312 20131202_trade.zip | mes-bars --interval 5m
  mes-fetch import --columns Fecha=ts,Precio=price,Vol=size --tz Europe/Madrid ticks.csv | mes-bars

Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped on purpose")]
pub struct Args {
    /// Files in the order of time; stdin without any
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A known dialect; other flags overrule it
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(dialect::presets()))]
    preset: Option<String>,
    /// Which end of the bar its time tells; bars only
    #[arg(long, value_name = "END")]
    stamp: Option<Stamp>,
    /// Length of a bar; bars only
    #[arg(long)]
    interval: Option<Interval>,
    /// What columns of other names are; - leaves one out
    #[arg(long, value_name = "THEIRS=OURS,…", value_delimiter = ',', value_parser = rename)]
    columns: Vec<(String, String)>,
    /// The columns of a text that has no header, by our names; - for one to leave out
    #[arg(long, value_name = "OURS,…")]
    names: Option<String>,
    /// What parts the columns: , ; | or tab
    #[arg(long, value_name = "CHARACTER", value_parser = dialect::separator)]
    separator: Option<u8>,
    /// What parts the whole from the fraction
    #[arg(long, value_name = "MARK")]
    decimal: Option<Decimal>,
    /// Zone of times that do not tell theirs, such as America/Chicago
    #[arg(long, value_name = "ZONE")]
    tz: Option<Tz>,
    /// Order of the parts of a date
    #[arg(long, value_name = "ORDER", default_value = "ymd")]
    dates: Order,
    /// Day of rows that tell only the time or the milliseconds of it
    #[arg(long, value_name = "DATE", value_parser = within::date)]
    date: Option<NaiveDate>,
    /// What one unit of a price is worth, such as 1e-9
    #[arg(long, value_name = "FACTOR")]
    price_scale: Option<f64>,
    /// Make bars from rows with one price: a close, or a quote
    #[arg(long, value_name = "PRICE")]
    bars_of: Option<BarsOf>,
    /// Move a bar's time up to the next end of an interval
    #[arg(long)]
    snap: bool,
    /// Which text of a zip, by its name or a part of it
    #[arg(long, value_name = "NAME")]
    entry: Option<String>,
    /// Symbol of rows that do not tell theirs, MES if nothing does; of DBN, which of its instruments
    #[arg(long)]
    symbol: Option<Symbol>,
    /// Which of several bars of one time is kept; bars only
    #[arg(long, value_name = "WHICH", default_value = "error")]
    duplicates: Duplicates,
    /// Volume or size of every row that tells none, made up
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i64).range(1..=1_000_000_000))]
    volume: Option<i64>,
    #[command(flatten)]
    output: OutputArgs,
}

impl Args {
    /// Returns what of the flags changes the rows.
    fn settings(&self) -> Value {
        let columns =
            self.columns.iter().map(|(theirs, ours)| format!("{theirs}={ours}")).collect::<Vec<_>>();
        let mut settings = json!({ "columns": columns });
        let debug = |value: &dyn std::fmt::Debug| json!(format!("{value:?}").to_lowercase());
        let given = [
            ("preset", self.preset.as_ref().map(|name| json!(name))),
            ("names", self.names.as_ref().map(|names| json!(names))),
            ("separator", self.separator.map(|byte| json!(char::from(byte).to_string()))),
            ("decimal", self.decimal.map(|decimal| debug(&decimal))),
            ("tz", self.tz.map(|zone| json!(zone.name()))),
            ("dates", (self.dates != Order::Ymd).then(|| debug(&self.dates))),
            ("date", self.date.map(|date| json!(date.to_string()))),
            ("price_scale", self.price_scale.map(|scale| json!(scale))),
            ("bars_of", self.bars_of.map(|of| debug(&of))),
            ("snap", self.snap.then(|| json!(true))),
            ("entry", self.entry.as_ref().map(|entry| json!(entry))),
            ("symbol", self.symbol.map(|symbol| json!(symbol.as_str()))),
            ("duplicates", (self.duplicates != Duplicates::Error).then(|| debug(&self.duplicates))),
            ("volume", self.volume.map(|volume| json!(volume))),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                settings[name] = value;
            }
        }
        settings
    }
}

/// Writes what the files hold.
///
/// # Errors
///
/// `Usage` where flags and files do not go together, `Data` with file and line where a row is none, `Failed` where
/// files or stdout fail.
pub fn run(args: &Args) -> Result<()> {
    let mut import = Import { args, sink: None, said: String::new() };
    if args.files.is_empty() {
        if let Some(entry) = &args.entry {
            return Err(Error::usage(format!("--entry {entry}: stdin is no zip")));
        }
        let mut lines = Lines::open(None, None)?;
        import.any(&mut lines, None)?;
    }
    for path in &args.files {
        let mut lines = Lines::open(Some(path), args.entry.as_deref())?;
        import.any(&mut lines, Some(path))?;
    }
    import.sink.map_or(Ok(()), Sink::finish)
}

/// What goes on from one file to the next.
struct Import<'a> {
    args: &'a Args,
    sink: Option<Sink>,
    /// What the columns of the first file were taken for.
    said: String,
}

impl Import<'_> {
    /// Imports one file of whichever format.
    fn any(&mut self, lines: &mut Lines, path: Option<&PathBuf>) -> Result<()> {
        let mut dialect = Dialect::of(self.args)?;
        dialect.learn(lines.name(), self.args)?;
        if lines.begins_with(b"PAR1")? {
            let path = path.ok_or_else(|| Error::usage("Parquet is read from files, not from stdin"))?;
            self.parquet(path, &dialect)
        } else if lines.begins_with(b"DBN")? {
            let path = path.ok_or_else(|| Error::usage("DBN on stdin: every tool reads it as it is"))?;
            self.dbn(path, dialect)
        } else if lines.is_binary()? {
            Err(lines.refused(
                "neither text nor Parquet nor DBN (fragments of DBN lack what tells their columns, and DBZ is older \
                 than DBN: Databento's own tool `dbn` makes DBN of it)",
            ))
        } else if lines.is_json()? {
            self.json(lines, &dialect)
        } else {
            self.text(lines, &dialect)
        }
    }

    /// Begins the output with the first file; further ones must be like it.
    fn sink(&mut self, dialect: &Dialect, header: &Header, how: &str, name: &str) -> Result<Sink> {
        let said = header.describe();
        match self.sink.take() {
            Some(_) if said != self.said => Err(Error::data(format!("{name}: {said} after {}", self.said))),
            Some(sink) => Ok(sink),
            None => {
                self.said = said;
                Sink::create(self.args, dialect, header, how, &hashes(&self.args.files)?)
            }
        }
    }

    fn text(&mut self, lines: &mut Lines, dialect: &Dialect) -> Result<()> {
        let (header, decimal, how) = begin(lines, dialect, self.args)?;
        let mut sink = self.sink(dialect, &header, &how, lines.name())?;
        let mut maker = Maker::new(&header, dialect);
        let point = if decimal == Decimal::Comma { b',' } else { b'.' };
        loop {
            if !lines.ready() {
                sink.flush()?;
            }
            if !lines.advance()? {
                break;
            }
            let fields = lines.fields()?;
            let (found, wanted) = (fields.len(), header.width());
            let cells = TextCells { fields, point, scale: dialect.scale };
            let pushed = if found != wanted {
                Err(Refused::Row(format!("{found} values where the header has {wanted} columns")))
            } else if header.bars {
                maker.bar(&cells).map_err(Refused::Row).and_then(|bar| sink.bar(bar))
            } else {
                maker.tick(&cells).map_err(Refused::Row).and_then(|tick| sink.tick(tick))
            };
            pushed.map_err(|refused| placed(refused, |what| lines.refused(what)))?;
        }
        self.done(lines.name(), &maker, sink);
        Ok(())
    }

    /// Says what a file's rows lacked, and keeps the output for the next one.
    fn done(&mut self, name: &str, maker: &Maker, sink: Sink) {
        if maker.unfit > 0 {
            let rows = maker.unfit;
            log::note(format!(
                "{name}: {rows} rows whose net volume does not fit their volume have no sides"
            ));
        }
        if maker.made_up > 0 {
            let rows = maker.made_up;
            log::note(format!("{name}: {rows} rows tell no volume: theirs is made up"));
        }
        self.sink = Some(sink);
    }

    fn parquet(&mut self, path: &Path, dialect: &Dialect) -> Result<()> {
        let name = path.display();
        let (names, batches) = parquet::open(path)?;
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let header = Header::read(&names, dialect, &self.args.columns).map_err(|error| error.at(&name))?;
        let mut sink = self.sink(dialect, &header, " (Parquet)", &name.to_string())?;
        let mut maker = Maker::new(&header, dialect);
        let mut before = 0;
        for batch in batches {
            let batch = batch.map_err(Error::from).and_then(|batch| parquet::spelled_out(&batch));
            let batch = batch.map_err(|error| error.at(&name))?;
            for row in 0..batch.num_rows() {
                let cells = ParquetCells { batch: &batch, row, scale: dialect.scale };
                let pushed = match header.bars {
                    true => maker.bar(&cells).map_err(Refused::Row).and_then(|bar| sink.bar(bar)),
                    false => maker.tick(&cells).map_err(Refused::Row).and_then(|tick| sink.tick(tick)),
                };
                let at = |what| Error::data(format!("{name}: row {}: {what}", before + row + 1));
                pushed.map_err(|refused| placed(refused, at))?;
            }
            before += batch.num_rows();
        }
        self.done(&name.to_string(), &maker, sink);
        Ok(())
    }
}

fn placed(refused: Refused, at: impl Fn(String) -> Error) -> Error {
    match refused {
        Refused::Row(what) => at(what),
        Refused::Output(error) => error,
    }
}

/// Reads the header of a text, or sees that there is none; returns it, how numbers are written, and both in words.
fn begin(lines: &mut Lines, dialect: &Dialect, args: &Args) -> Result<(Header, Decimal, String)> {
    let mut more = lines.advance()?;
    while more && lines.is_remark() {
        more = lines.advance()?;
    }
    if !more {
        return Err(lines.refused("empty: no header and no rows"));
    }
    let separator = dialect.separator.unwrap_or_else(|| lines.guess_separator());
    lines.set_separator(separator);
    let first: Vec<String> = {
        let fields = lines.fields()?;
        (0..fields.len()).map(|index| fields.get(index).to_owned()).collect()
    };
    let bare = !dialect.names.is_empty();
    if !bare && first[0].starts_with(|c: char| c.is_ascii_digit()) {
        return Err(lines.refused("no header: say what the columns are with --names or --preset"));
    }
    let fits = |names: &&Vec<String>| {
        let time = names.iter().position(|name| name == "time");
        names.len() == first.len() && time.is_none_or(|time| first[time].contains(':'))
    };
    let names = match dialect.names.iter().find(fits) {
        Some(names) => {
            lines.again();
            names.clone()
        }
        None if bare => {
            let wanted = dialect.names.iter().map(|names| names.join(",")).collect::<Vec<_>>().join(" or ");
            return Err(lines.refused(format!("{} values where there should be {wanted}", first.len())));
        }
        None => first.clone(),
    };
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let header = Header::read(&names, dialect, &args.columns).map_err(|error| match error {
        Error::Data(what) => lines.refused(what),
        other => other,
    })?;
    let comma = |text: &str| {
        text.split(char::from(separator)).any(|field| {
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            field.trim().split_once(',').is_some_and(|(whole, rest)| digits(whole) && digits(rest))
        })
    };
    let sample = if bare { first.join(&char::from(separator).to_string()) } else { String::new() };
    let sample = if bare { sample } else { String::from_utf8_lossy(lines.glimpse()).into_owned() };
    let found = if separator != b',' && comma(&sample) { Decimal::Comma } else { Decimal::Point };
    let decimal = dialect.decimal.unwrap_or(found);
    let mut how = Vec::new();
    match separator {
        b',' => {}
        b'\t' => how.push("tab".to_owned()),
        other => how.push(format!("{:?}", char::from(other))),
    }
    how.extend((decimal == Decimal::Comma).then(|| "decimal comma".to_owned()));
    how.extend(bare.then(|| "no header".to_owned()));
    how.extend(dialect.zone.map(|zone| zone.name().to_owned()));
    let how = if how.is_empty() { String::new() } else { format!(" ({})", how.join(", ")) };
    Ok((header, decimal, how))
}

/// Returns the hashes of regular files, or that it is a pipe.
fn hashes(files: &[PathBuf]) -> Result<Value> {
    let mut hashes = Vec::new();
    for path in files {
        let place = |error: std::io::Error| Error::from(error).at(path.display());
        let mut file = File::open(path).map_err(place)?;
        if !file.metadata().map_err(place)?.is_file() {
            return Ok(json!("pipe"));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&mut file).map_err(place)?;
        hashes.push(hasher.finalize().to_hex().to_string());
    }
    Ok(if hashes.is_empty() { json!("pipe") } else { json!(hashes) })
}
