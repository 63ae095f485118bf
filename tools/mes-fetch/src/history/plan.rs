//! What is still to be had, and what it will cost, before anything is.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use mes_pipe::{Error, Result, log};
use serde_json::Value;

use super::{
    client::{Client, Fault},
    download::{self, Checked},
    series::Series,
    span::{Span, day_of},
};

/// One download: at most a month.
pub struct Piece {
    pub span: Span,
    pub records: u64,
    pub bytes: u64,
    pub usd: f64,
    /// A whole download that an earlier run left without an entry in the ledger.
    pub here: Option<(PathBuf, Checked)>,
}

impl Piece {
    /// Returns what will have to be paid.
    pub fn due_usd(&self) -> f64 {
        if self.here.is_some() { 0.0 } else { self.usd }
    }
}

/// Returns the name of a chunk's file.
pub fn file_name(series: &Series, span: Span) -> String {
    let day = |day: chrono::NaiveDate| day.format("%Y%m%d").to_string();
    let (from, until) = (day(span.from), day(span.until));
    format!("{}.{}.{from}-{until}.dbn.zst", series.symbol, series.records.name())
}

/// Returns the name that a file has until it is known to be whole.
pub fn part_of(path: &Path) -> PathBuf {
    path.with_extension("zst.part")
}

/// Returns the fields that every question about a window has.
pub fn form(series: &Series, span: Span) -> Vec<(&'static str, String)> {
    let (from, until) = span.nanos();
    vec![
        ("dataset", series.dataset.clone()),
        ("start", from.to_string()),
        ("end", until.to_string()),
        ("symbols", series.symbol.clone()),
        ("schema", series.records.name().to_owned()),
        ("stype_in", series.stype_in().to_owned()),
    ]
}

/// Lends the fields of a form.
pub fn fields<'a>(form: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    form.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Cuts the window to what the server has of this schema, in whole days.
///
/// # Errors
///
/// `Usage` where the server has nothing of it, `Data` where its answer has no dates, `Failed` where it does not answer.
pub fn clamp(client: &Client, series: &Series, asked: Span) -> Result<Span> {
    let range = client.get("metadata.get_dataset_range", &[("dataset", &series.dataset)])?;
    let schema = series.records.name();
    let limits = &range["schema"][schema];
    let (Some(start), Some(end)) = (limits["start"].as_str(), limits["end"].as_str()) else {
        return Err(Error::usage(format!("{} has no {schema}", series.dataset)));
    };
    let span = Span { from: asked.from.max(day_of(start)?), until: asked.until.min(day_of(end)?) };
    if span.from >= span.until {
        return Err(Error::usage(format!(
            "nothing of {asked} is there: {schema} reaches from {start} to {end}"
        )));
    }
    if span != asked {
        log::note(format!("{schema} reaches from {start} to {end}: asking for {span}"));
    }
    Ok(span)
}

/// Asks what each missing stretch will bring and cost. The files of stale ones do not count as theirs.
///
/// # Errors
///
/// `Usage` where the server refuses, `Data` where its answer has no numbers, `Failed` where it does not answer.
pub fn estimate(
    client: &Client,
    series: &Series,
    missing: &[Span],
    raw: &Path,
    stale: &[Span],
) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for span in missing {
        match piece(client, series, *span, raw, stale) {
            Ok(piece) => pieces.push(piece),
            // Asked for alone it does not exist; with the days after it, it does.
            Err(Fault::Refused(refusal)) if refusal.is_unresolved() && span.is_weekend() => {
                log::note(format!(
                    "{span}: a weekend alone cannot be had; left to a later run with more days"
                ));
            }
            Err(fault) => return Err(Error::from(fault).at(span)),
        }
    }
    Ok(pieces)
}

fn piece(
    client: &Client,
    series: &Series,
    span: Span,
    raw: &Path,
    stale: &[Span],
) -> std::result::Result<Piece, Fault> {
    let form = form(series, span);
    let ask = |method: &str| client.post(method, &fields(&form));
    let records = ask("metadata.get_record_count")?;
    let bytes = ask("metadata.get_billable_size")?;
    let usd = ask("metadata.get_cost")?;
    let (Some(records), Some(bytes), Some(usd)) = (records.as_u64(), bytes.as_u64(), usd.as_f64()) else {
        return Err(Error::data(format!("an estimate of {records} records, {bytes} bytes, {usd} USD")).into());
    };
    if !(0.0..1e9).contains(&usd) {
        return Err(Error::data(format!("an estimate of {usd} USD")).into());
    }
    let path = raw.join(file_name(series, span));
    let whole = (!stale.contains(&span)).then(|| path.clone());
    let here = whole.into_iter().chain([part_of(&path)]).filter(|path| path.exists()).find_map(|path| {
        let checked = download::check(&path, series, span).ok()?;
        (checked.records == records).then_some((path, checked))
    });
    Ok(Piece { span, records, bytes, usd, here })
}

/// Returns the plan as a table.
pub fn table(pieces: &[Piece]) -> String {
    let mut text = format!("{:<24}{:>14}{:>12}{:>12}\n", "days (UTC)", "records", "MiB", "USD");
    let mut row = |name: String, records: u64, bytes: u64, usd: f64, note: &str| {
        let mib = bytes as f64 / f64::from(1 << 20);
        let _ = writeln!(text, "{name:<24}{records:>14}{mib:>12.2}{usd:>12.4}{note}");
    };
    for piece in pieces {
        let note = if piece.here.is_some() { "  on the disk already" } else { "" };
        row(piece.span.to_string(), piece.records, piece.bytes, piece.due_usd(), note);
    }
    let (records, bytes) = pieces.iter().fold((0, 0), |(n, b), piece| (n + piece.records, b + piece.bytes));
    row("sum".to_owned(), records, bytes, due_usd(pieces), "");
    text
}

/// Sums what is still to be paid, in dollars.
pub fn due_usd(pieces: &[Piece]) -> f64 {
    pieces.iter().map(Piece::due_usd).sum()
}

/// Returns the state of each day of the window: date, condition, last_modified_date.
///
/// # Errors
///
/// `Data` where the answer is no list, `Failed` where the server does not answer.
pub fn conditions(client: &Client, series: &Series, span: Span) -> Result<Vec<Value>> {
    let (first, last) = (span.from.to_string(), span.last_day().to_string());
    let query = [("dataset", series.dataset.as_str()), ("start_date", &first), ("end_date", &last)];
    let answer = client.get("metadata.get_dataset_condition", &query)?;
    match answer {
        Value::Array(days) => Ok(days),
        other => Err(Error::data(format!("conditions of days that are no list: {other}"))),
    }
}

/// Returns the conditions of the days of a span.
pub fn days_of(conditions: &[Value], span: Span) -> Vec<Value> {
    let inside = |day: &&Value| {
        let date = day["date"].as_str().and_then(|date| date.parse().ok());
        date.is_some_and(|date| (span.from..span.until).contains(&date))
    };
    conditions.iter().filter(inside).cloned().collect()
}

/// Returns the days, Saturdays left out, that are not as they should be: `2024-01-17 (degraded)`.
pub fn impaired(conditions: &[Value]) -> Vec<String> {
    let found = conditions.iter().filter_map(|day| {
        let (date, condition) = (day["date"].as_str()?, day["condition"].as_str()?);
        let saturday = date
            .parse()
            .is_ok_and(|date: chrono::NaiveDate| chrono::Datelike::weekday(&date) == chrono::Weekday::Sat);
        (condition != "available" && !saturday).then(|| format!("{date} ({condition})"))
    });
    found.collect()
}

/// Returns the days that were published again since `stored` was noted.
pub fn republished(stored: &[Value], now: &[Value]) -> Vec<String> {
    let modified = |days: &[Value], date: &Value| {
        let day = days.iter().find(|day| day["date"] == *date)?;
        day["last_modified_date"].as_str().map(str::to_owned)
    };
    let newer = now.iter().filter(|day| {
        let before = modified(stored, &day["date"]);
        before.is_some() && modified(now, &day["date"]) > before
    });
    newer.filter_map(|day| day["date"].as_str().map(str::to_owned)).collect()
}
