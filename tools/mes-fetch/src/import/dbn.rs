//! DBN, and which of the instruments in one file of it is meant. Two in one stream are two markets.

use std::{collections::BTreeSet, path::Path};

use arrow_array::cast::AsArray;
use mes_core::{symbol::Symbol, time::Ts};
use mes_pipe::{Bars, Error, Event, Input, InputArgs, Kind, Result, Ticks};

use super::{
    Import,
    dialect::{Dialect, Stamp},
    header::Header,
    placed,
};

/// How many names are told.
const SHOWN: usize = 12;

impl Import<'_> {
    /// DBN is read by the house's own reader, which stamps bars at their close.
    pub(super) fn dbn(&mut self, path: &Path, mut dialect: Dialect) -> Result<()> {
        let args = InputArgs { files: vec![path.to_owned()], ..InputArgs::default() };
        let mut input = Input::open(&args, &[Kind::Tick, Kind::Ohlcv])?;
        dialect.stamp = Some(Stamp::Close);
        dialect.interval = input.meta().interval;
        let names: Vec<_> = input.schema().fields().iter().map(|field| field.name().clone()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let header = Header::read(&names, &dialect, &[])?;
        let mut sink =
            self.sink(&dialect, &header, " (DBN, the open moved to the close)", &path.to_string_lossy())?;
        let mut instruments = Instruments::new(self.args.symbol);
        while let Event::Batch(batch) = input.next()? {
            let bars = header.bars.then(|| Bars::of(&batch)).transpose()?;
            let ticks = if bars.is_none() { Some(Ticks::of(&batch)?) } else { None };
            for row in 0..batch.num_rows() {
                let bar = bars.as_ref().map(|bars| bars.get(row));
                let tick = ticks.as_ref().map(|ticks| ticks.get(row)).transpose()?;
                let told = bar.map(|bar| (bar.symbol, bar.ts)).or(tick.map(|tick| (tick.symbol, tick.ts)));
                let (symbol, ts) = told.unwrap_or_default();
                match instruments.take(symbol, ts) {
                    Taken::Wanted => {}
                    Taken::Another => continue,
                    Taken::Beside => return Err(instruments.beside(path)?),
                }
                let pushed = match (bar, tick) {
                    (Some(bar), _) => sink.bar(bar),
                    (_, Some(tick)) => sink.tick(tick),
                    _ => Ok(()),
                };
                pushed.map_err(|refused| placed(refused, |what| Error::data(what).at(input.at(row))))?;
            }
        }
        instruments.finish(path)?;
        self.sink = Some(sink);
        Ok(())
    }
}

/// What becomes of a row.
enum Taken {
    Wanted,
    /// Of an instrument that nobody asked for.
    Another,
    /// Beside one of another instrument, and nobody said which.
    Beside,
}

/// Looks at the instruments of one file, row by row.
struct Instruments {
    wanted: Option<Symbol>,
    seen: Vec<Symbol>,
    last: Ts,
    found: bool,
}

impl Instruments {
    fn new(wanted: Option<Symbol>) -> Instruments {
        Instruments { wanted, seen: Vec::new(), last: Ts::MIN, found: false }
    }

    /// Says what becomes of a row. One instrument after another is a roll; one that comes back, or at the same instant,
    /// is there beside the other.
    fn take(&mut self, symbol: Symbol, ts: Ts) -> Taken {
        if let Some(wanted) = self.wanted {
            self.found |= symbol == wanted;
            return if symbol == wanted { Taken::Wanted } else { Taken::Another };
        }
        let follows = self.seen.last().is_some_and(|last| *last != symbol);
        if follows && (self.last == ts || self.seen.contains(&symbol)) {
            return Taken::Beside;
        }
        if follows || self.seen.is_empty() {
            self.seen.push(symbol);
        }
        self.last = ts;
        Taken::Wanted
    }

    /// Refuses a file without the instrument that was asked for.
    fn finish(&self, path: &Path) -> Result<()> {
        match self.wanted.filter(|_| !self.found) {
            None => Ok(()),
            Some(wanted) => {
                Err(Error::usage(format!("--symbol {wanted}: {} holds {}", path.display(), names(path)?)))
            }
        }
    }

    /// Makes the error for several instruments side by side.
    fn beside(&self, path: &Path) -> Result<Error> {
        let names = names(path)?;
        Ok(Error::data(format!(
            "{} holds {names} side by side: choose one with --symbol NAME",
            path.display()
        )))
    }
}

/// Returns the names of all instruments of a file.
fn names(path: &Path) -> Result<String> {
    let args = InputArgs { files: vec![path.to_owned()], ..InputArgs::default() };
    let mut input = Input::open(&args, &[Kind::Tick, Kind::Ohlcv])?.in_any_order();
    let mut names = BTreeSet::new();
    while let Event::Batch(batch) = input.next()? {
        let column = batch.column_by_name("symbol").and_then(|column| column.as_string_opt::<i32>());
        for name in column.into_iter().flatten().flatten() {
            if !names.contains(name) {
                names.insert(name.to_owned());
            }
        }
    }
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    Ok(if more > 0 { format!("{shown} and {more} more") } else { shown })
}
