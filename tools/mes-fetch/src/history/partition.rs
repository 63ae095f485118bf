//! Parquet by year and month, made from the stored downloads; it can be made again from them at no cost.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{
    Array, BooleanArray, RecordBatch, StringArray, cast::AsArray, types::TimestampNanosecondType,
};
use mes_pipe::{Error, Event, Input, InputArgs, Kind, Lineage, Meta, Result, TableFile, columns, log};
use serde_json::{Value, json};

use super::{
    bought::Purchases,
    series::{Series, SymbolType},
    span::Span,
};

/// Makes the months whose downloads are not those that their Parquet was made from.
///
/// # Errors
///
/// `Data` where a download is damaged, `Failed` where the disk does not take it.
pub fn run(dir: &Path, raw: &Path, series: &Series, ledger: &mut Purchases) -> Result<()> {
    let mut months: BTreeMap<String, Vec<(Span, Value)>> = BTreeMap::new();
    for (span, entry) in ledger.stored() {
        months.entry(span.month()).or_default().push((span, entry.clone()));
    }
    for (month, chunks) in months {
        let hashes: Vec<_> = chunks.iter().map(source).collect();
        let path = path_of(dir, &month);
        let made = ledger.parquet(&month).is_some_and(|entry| entry["raw"] == json!(hashes));
        if made && path.exists() {
            continue;
        }
        let rows = write(&path, raw, series, &chunks)?;
        let spreads = rows.spreads;
        ledger.add(json!({ "event": "parquet", "month": month, "raw": hashes, "rows": rows.kept, "spreads": spreads }))?;
        let without = if spreads > 0 { format!(", {spreads} of spreads left out") } else { String::new() };
        log::note(format!("{}: {} rows{without}", path.display(), rows.kept));
    }
    Ok(())
}

fn path_of(dir: &Path, month: &str) -> PathBuf {
    let (year, month) = month.split_once('-').unwrap_or((month, ""));
    dir.join(format!("year={year}")).join(format!("month={month}")).join("part.parquet")
}

#[derive(Default)]
struct MonthRows {
    kept: usize,
    spreads: usize,
    last: i64,
}

impl MonthRows {
    /// Counts a batch of which `all` were there before spreads were left out. Each chunk's rows are in order; here they
    /// must be so across chunks.
    fn take(&mut self, batch: &RecordBatch, all: usize) -> Result<()> {
        let times = columns::times(batch)?;
        self.kept += times.len();
        self.spreads += all - times.len();
        if times.first().is_some_and(|first| *first < self.last) {
            return Err(Error::data("begins before the chunk before it ends"));
        }
        self.last = times.last().copied().unwrap_or(self.last);
        Ok(())
    }
}

/// Names what a part of a month is made from: a download, and of which of its days if not of all.
fn source((span, chunk): &(Span, Value)) -> String {
    let hash = chunk["blake3"].as_str().unwrap_or_default();
    if is_whole(*span, chunk) { hash.to_owned() } else { format!("{hash} {span}") }
}

fn is_whole(span: Span, chunk: &Value) -> bool {
    chunk["chunk"] == span.to_string()
}

fn write(path: &Path, raw: &Path, series: &Series, chunks: &[(Span, Value)]) -> Result<MonthRows> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| Error::from(error).at(folder.display()))?;
    let mut settings = series.to_json();
    settings["command"] = json!("history");
    if chunks.iter().any(|(span, chunk)| !is_whole(*span, chunk)) {
        settings["days"] = chunks.iter().map(|(span, _)| span.to_string()).collect();
    }
    let hashes: Vec<_> = chunks.iter().map(|(_, chunk)| &chunk["blake3"]).collect();
    let chain = json!([{ "tool": "mes-fetch", "settings": settings, "input": hashes }]);
    let lineage = Lineage::from_json(&chain).unwrap_or_default();
    let (mut file, mut rows) = (None, MonthRows::default());
    for (span, chunk) in chunks {
        let name = chunk["file"].as_str().unwrap_or_default();
        let args = InputArgs { files: vec![raw.join(name)], ..InputArgs::default() };
        let mut input = Input::open(&args, &[Kind::Tick, Kind::Ohlcv])?;
        let meta = Meta { lineage: lineage.clone(), ..input.meta().clone() };
        let schema = meta.onto(input.schema());
        let length = meta.interval.map_or(0, |interval| interval.nanos());
        let contracts = contracts(chunk);
        if file.is_none() {
            file = Some(TableFile::create(path, &schema)?);
        }
        loop {
            let batch = match input.next()? {
                Event::Batch(batch) if is_whole(*span, chunk) => batch,
                Event::Batch(batch) => of_days(&batch, *span, length)?,
                Event::Idle => continue,
                Event::End => break,
            };
            let all = batch.num_rows();
            let batch = match series.symbol_type {
                SymbolType::Parent => outrights(&batch)?,
                SymbolType::Continuous => named(&batch, &contracts, length)?,
                SymbolType::Raw => batch,
            };
            rows.take(&batch, all).map_err(|error| error.at(raw.join(name).display()))?;
            let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())?;
            file.as_mut().map_or(Ok(()), |file| file.write(&batch))?;
        }
    }
    file.map_or(Ok(()), TableFile::finish)?;
    let sync = || File::open(path)?.sync_all().and_then(|()| File::open(folder)?.sync_all());
    sync().map_err(|error| Error::from(error).at(path.display()))?;
    Ok(rows)
}

/// Keeps the rows of some days; a bar belongs to the day in which it begins.
fn of_days(batch: &RecordBatch, span: Span, length: i64) -> Result<RecordBatch> {
    let (from, until) = span.nanos();
    let inside = |ts: &i64| Some((from..until).contains(&(ts - length)));
    let kept: BooleanArray = columns::times(batch)?.iter().map(inside).collect();
    Ok(arrow_select::filter::filter_record_batch(batch, &kept)?)
}

/// Leaves calendar spreads out: their symbols are two contracts with a hyphen.
fn outrights(batch: &RecordBatch) -> Result<RecordBatch> {
    let Some(symbols) = batch.column_by_name("symbol") else { return Ok(batch.clone()) };
    let symbols = symbols.as_string::<i32>();
    if let Some(unknown) = symbols
        .iter()
        .flatten()
        .find(|symbol| symbol.chars().all(|c| c.is_ascii_digit()) || symbol.contains('.'))
    {
        return Err(Error::data(format!("instrument {unknown} has no contract's name: it may be a spread")));
    }
    let outright: BooleanArray =
        symbols.iter().map(|symbol| Some(!symbol.is_some_and(|s| s.contains('-')))).collect();
    Ok(arrow_select::filter::filter_record_batch(batch, &outright)?)
}

/// Puts the contract's name in the place of the continuous symbol, so that a roll is seen by whoever reads the rows.
fn named(batch: &RecordBatch, contracts: &[(i64, i64, String)], length: i64) -> Result<RecordBatch> {
    let (Some(times), Ok(place)) = (batch.column_by_name("ts"), batch.schema_ref().index_of("symbol")) else {
        return Ok(batch.clone());
    };
    let symbols = batch.column(place).as_string::<i32>();
    let times = times.as_primitive::<TimestampNanosecondType>().values();
    let name = |(row, ts): (usize, &i64)| {
        let begin = ts - length;
        let contract = contracts.iter().find(|(from, until, _)| (*from..*until).contains(&begin));
        let own = || symbols.is_valid(row).then(|| symbols.value(row));
        contract.map(|(_, _, name)| name.as_str()).or_else(own)
    };
    let names: StringArray = times.iter().enumerate().map(name).collect();
    let mut columns = batch.columns().to_vec();
    columns[place] = Arc::new(names);
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

fn contracts(chunk: &Value) -> Vec<(i64, i64, String)> {
    let contract = |entry: &Value| {
        let (from, until) = Span::parse(entry["days"].as_str()?)?.nanos();
        Some((from, until, entry["symbol"].as_str()?.to_owned()))
    };
    chunk["contracts"].as_array().into_iter().flatten().filter_map(contract).collect()
}
