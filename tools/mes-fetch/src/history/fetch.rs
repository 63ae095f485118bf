//! Gets one chunk onto the disk, and into the ledger once it is known to be whole.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use mes_pipe::{Error, Result, log};
use serde_json::{Value, json};

use super::{
    bought::Purchases,
    client::{Client, Data, Fault},
    download::{self, Checked, Flaw},
    plan::{Piece, days_of, fields, file_name, form, part_of},
    series::{Series, SymbolType},
    span::Span,
};

/// What all downloads of one run share.
pub struct Fetch<'a> {
    pub client: &'a Client,
    pub series: &'a Series,
    pub ledger: &'a mut Purchases,
    pub raw: &'a Path,
    pub conditions: &'a [Value],
    /// What all tries may cost, and may have cost so far.
    pub most_usd: Option<f64>,
    pub spent_usd: f64,
}

impl Fetch<'_> {
    /// Stores one chunk.
    ///
    /// # Errors
    ///
    /// `Stopped` where it would cost more than may be spent, `Usage` where the server refuses, `Data` where what came
    /// is not what was asked for, `Failed` where server or disk do not do it.
    pub fn run(&mut self, piece: Piece) -> Result<()> {
        let (client, span) = (self.client, piece.span);
        let (path, checked) = match piece.here {
            Some(found) => found,
            None => client.persist(&span.to_string(), || self.attempt(&piece)).map_err(Error::from)?,
        };
        self.store(&path, &checked, span)
    }

    /// Asks once, which costs money, and returns a whole download.
    fn attempt(&mut self, piece: &Piece) -> std::result::Result<(PathBuf, Checked), Fault> {
        let (chunk, usd) = (piece.span.to_string(), piece.usd);
        if self.most_usd.is_some_and(|most| self.spent_usd + usd > most) {
            let (spent, most) = (self.spent_usd, self.most_usd.unwrap_or(0.0));
            return Err(Error::stopped(format!(
                "{chunk}: {usd:.4} USD more after {spent:.4} USD of tries is over --max-cost {most}"
            ))
            .into());
        }
        self.ledger.add(json!({ "event": "asked", "chunk": chunk, "usd": usd }))?;
        self.spent_usd += usd;
        let mut form = form(self.series, piece.span);
        form.push(("stype_out", "instrument_id".to_owned()));
        form.push(("encoding", "dbn".to_owned()));
        form.push(("compression", "zstd".to_owned()));
        let got = self.client.range(&fields(&form)).and_then(|answer| self.receive(answer, piece));
        let got = got.map_err(|fault| self.client.without_key(fault));
        let (billed, what) = match &got {
            Ok(_) => return got,
            Err(Fault::Refused(refusal)) => (false, refusal.sentence()),
            Err(Fault::Passing { what, billed, .. }) => (*billed, what.clone()),
            Err(Fault::Ended(error)) => (true, error.to_string()),
        };
        if billed {
            self.ledger.add(json!({ "event": "failed", "chunk": chunk, "what": what }))?;
        } else {
            self.ledger.add(json!({ "event": "refused", "chunk": chunk, "usd": usd, "what": what }))?;
            self.spent_usd -= usd;
        }
        got
    }

    /// Writes the body beside its place and checks it.
    fn receive(&mut self, answer: Data, piece: &Piece) -> std::result::Result<(PathBuf, Checked), Fault> {
        let chunk = piece.span.to_string();
        self.ledger.add(json!({
            "event": "answered", "chunk": chunk, "status": answer.status,
            "request_id": answer.request_id, "warnings": answer.warnings,
        }))?;
        for warning in &answer.warnings {
            log::note(format!("{chunk}: the server says: {warning}"));
        }
        let part = part_of(&self.raw.join(file_name(self.series, piece.span)));
        let hash = save(answer, &part)?;
        let checked = download::check(&part, self.series, piece.span).map_err(|flaw| match flaw {
            Flaw::Cut(what) => Fault::passing(what),
            Flaw::Wrong(what) => Error::data(format!("{chunk}: what came is not the data: {what}")).into(),
            Flaw::Unreadable(error) => Error::from(error).at(part.display()).into(),
        })?;
        if checked.blake3 != hash {
            return Err(Error::failed(format!("{}: the disk gives back other bytes", part.display())).into());
        }
        if checked.records != piece.records {
            return Err(Error::data(format!(
                "{chunk}: {} records came, the server counts {}: kept as {}, not taken",
                checked.records,
                piece.records,
                part.display()
            ))
            .into());
        }
        Ok((part, checked))
    }

    /// Gives a whole download its name and its line in the ledger.
    fn store(&mut self, from: &Path, checked: &Checked, span: Span) -> Result<()> {
        let contracts = self.contracts(checked, span)?;
        let name = file_name(self.series, span);
        let path = self.raw.join(&name);
        let at = |error: std::io::Error| Error::from(error).at(path.display());
        if from != path {
            fs::rename(from, &path).map_err(at)?;
        }
        File::open(self.raw).and_then(|dir| dir.sync_all()).map_err(at)?;
        let mut entry = checked.to_json();
        entry["event"] = json!("stored");
        entry["chunk"] = json!(span.to_string());
        entry["file"] = json!(name);
        entry["contracts"] = json!(contracts);
        entry["days"] = json!(days_of(self.conditions, span));
        if let Some(answer) = self.ledger.answer(span) {
            entry["status"] = answer["status"].clone();
            entry["warnings"] = answer["warnings"].clone();
        }
        if entry["status"] == 206 {
            log::note(format!("{span}: partial: the symbol does not exist on all days"));
        }
        if checked.outside > 0 {
            log::note(format!("{span}: {} records lie outside the window", checked.outside));
        }
        self.ledger.add(entry)?;
        let mib = checked.bytes as f64 / f64::from(1 << 20);
        log::note(format!("{span}: {} records in {mib:.2} MiB", checked.records));
        Ok(())
    }

    /// Asks which contract a continuous symbol stood for on which days; that is free.
    fn contracts(&self, checked: &Checked, span: Span) -> Result<Vec<Value>> {
        let mappings = checked.mappings();
        if self.series.symbol_type != SymbolType::Continuous || mappings.is_empty() {
            return Ok(Vec::new());
        }
        let mut ids: Vec<_> = mappings.iter().map(|(_, id)| id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let (ids, from, until) = (ids.join(","), span.from.to_string(), span.until.to_string());
        let form = [
            ("dataset", self.series.dataset.as_str()),
            ("symbols", &ids),
            ("stype_in", "instrument_id"),
            ("stype_out", "raw_symbol"),
            ("start_date", &from),
            ("end_date", &until),
        ];
        let answer = self.client.post("symbology.resolve", &form)?;
        let mut contracts = Vec::new();
        for (days, id) in &mappings {
            for name in answer["result"][id].as_array().into_iter().flatten() {
                let named =
                    format!("{}..{}", name["d0"].as_str().unwrap_or(""), name["d1"].as_str().unwrap_or(""));
                let Some(named) = Span::parse(&named) else { continue };
                let both = Span { from: days.from.max(named.from), until: days.until.min(named.until) };
                if both.from < both.until {
                    contracts.push(json!({ "days": both.to_string(), "symbol": name["s"] }));
                }
            }
        }
        Ok(contracts)
    }
}

/// Writes a body to a file, to the disk itself, and returns the hash of what was written.
fn save(mut answer: Data, path: &Path) -> std::result::Result<String, Fault> {
    let at = |error: std::io::Error| Fault::from(Error::from(error).at(path.display()));
    let mut file = File::create(path).map_err(at)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = answer.body.read(&mut buffer).map_err(broken_off)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count]).map_err(at)?;
    }
    file.sync_all().map_err(at)?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn broken_off(fault: mes_web::Fault) -> Fault {
    let what = match fault {
        mes_web::Fault::Unknown { late: true, .. } => "it takes longer than --deadline allows".to_owned(),
        mes_web::Fault::Unknown { what, .. } => what,
        fault => return fault.into(),
    };
    Fault::passing(format!("the download breaks off: {what}"))
}
