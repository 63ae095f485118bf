//! Rows in memory, as small as they get: 23 bytes each, 8 more with quotes and ages, 4 with sizes. Prices are whole
//! ticks, so that a row comes out as it went in, as far as risk and the paper account look at it.

use chrono::NaiveDate;
use mes_core::{
    bar::Bar,
    prediction::Prediction,
    price::Price,
    row::Row,
    schedule::Schedule,
    session::Part,
    symbol::Symbol,
    time::{self, Ts},
};
use mes_pipe::{Error, InputArgs, Result, Settings};
use mes_risk::{
    rows::TableRows,
    trade::{Next, Rows, Stream},
};

/// Absent in a column of small numbers.
const NONE: i16 = i16::MIN;
const NO_AGE: u32 = u32::MAX;
/// A size that asks for nothing.
const ANY: f32 = f32::INFINITY;

/// Rows of one table, a column each.
pub struct Columns {
    stream: Stream,
    first: Ts,
    /// Intervals since the first row.
    at: Vec<u32>,
    close: Vec<i32>,
    /// Open, high and low, in ticks above the close.
    around: Vec<[i16; 3]>,
    volume: Vec<u32>,
    dir: Vec<i8>,
    /// NaN where there is no prediction.
    conf: Vec<f32>,
    /// Empty while no row has one; [`ANY`] where none is said.
    sizes: Vec<f32>,
    /// Bid and ask above the close; empty while no row has any.
    quotes: Vec<[i16; 2]>,
    ages: Vec<u32>,
    /// Where a value begins to hold: index of the row.
    segs: Vec<(usize, i64)>,
    symbols: Vec<(usize, Symbol)>,
    days: Vec<Day>,
    /// Rows at which a day, or the cash session within it, begins or ends.
    turns: Vec<usize>,
    /// Rows with a direction.
    directed: Vec<usize>,
}

/// A trading day and its first row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: NaiveDate,
    pub row: usize,
}

impl Columns {
    /// Reads a table of predictions.
    ///
    /// # Errors
    ///
    /// What [`TableRows::open`] and [`Rows::next`] refuse, and `Data` with the row that cannot be kept.
    pub fn read(args: &InputArgs, settings: &Settings) -> Result<Columns> {
        let mut table = TableRows::open(args, settings.rules.value.contract)?;
        let (stream, _) = table.stream()?;
        let flat_by = settings.rules.value.day_end.flat_by;
        let schedule = Schedule::new(settings.calendar.value.clone(), flat_by, None, stream.session);
        let mut writer = Writer { columns: Columns::new(stream), schedule, last: None };
        loop {
            match table.next()? {
                Next::Row(row) | Next::Watch(row) => {
                    writer.push(row).map_err(|what| Error::data(what).at(time::format(row.bar.ts)))?;
                }
                Next::Person(_) | Next::Idle => {}
                Next::End => return Ok(writer.columns),
            }
        }
    }

    /// Keeps rows that are there already.
    ///
    /// # Errors
    ///
    /// Says what of a row cannot be kept.
    #[cfg(test)]
    pub fn of_rows(
        rows: &[Row],
        stream: Stream,
        settings: &Settings,
    ) -> std::result::Result<Columns, String> {
        let flat_by = settings.rules.value.day_end.flat_by;
        let schedule = Schedule::new(settings.calendar.value.clone(), flat_by, None, stream.session);
        let mut writer = Writer { columns: Columns::new(stream), schedule, last: None };
        rows.iter().try_for_each(|row| writer.push(row))?;
        Ok(writer.columns)
    }

    fn new(stream: Stream) -> Columns {
        Columns {
            stream,
            first: 0,
            at: Vec::new(),
            close: Vec::new(),
            around: Vec::new(),
            volume: Vec::new(),
            dir: Vec::new(),
            conf: Vec::new(),
            sizes: Vec::new(),
            quotes: Vec::new(),
            ages: Vec::new(),
            segs: Vec::new(),
            symbols: Vec::new(),
            days: Vec::new(),
            turns: Vec::new(),
            directed: Vec::new(),
        }
    }

    /// Returns what the rows are.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Counts the rows.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Returns the days, and which rows are theirs.
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// Returns the first row of a day, or the end of all rows.
    pub fn start_of(&self, day: usize) -> usize {
        self.days.get(day).map_or(self.len(), |day| day.row)
    }

    /// Returns the rows that begin or end a day or a cash session.
    pub fn turns(&self) -> &[usize] {
        &self.turns
    }

    /// Returns the rows with a direction.
    pub fn directed(&self) -> &[usize] {
        &self.directed
    }

    /// Returns the confidence of a row.
    pub fn confidence(&self, row: usize) -> f32 {
        self.conf[row]
    }

    /// Returns a row as it was read, without the columns that neither risk nor the paper account knows.
    pub fn row(&self, row: usize) -> Row {
        let close = Price::from_ticks(i64::from(self.close[row]));
        let near = |ticks: i16| close + i64::from(ticks);
        let quote = |side: usize| {
            self.quotes.get(row).map(|quote| quote[side]).filter(|ticks| *ticks != NONE).map(near)
        };
        let known = !self.conf[row].is_nan();
        Row {
            bar: Bar {
                ts: self.first + i64::from(self.at[row]) * self.stream.interval.nanos(),
                open: near(self.around[row][0]),
                high: near(self.around[row][1]),
                low: near(self.around[row][2]),
                close,
                volume: i64::from(self.volume[row]),
                bid: quote(0),
                ask: quote(1),
                age_ms: self.ages.get(row).filter(|age| **age != NO_AGE).map(|age| i64::from(*age)),
                seg: held(&self.segs, row).unwrap_or_default(),
                symbol: held(&self.symbols, row).unwrap_or_default(),
                ..Bar::default()
            },
            prediction: Prediction {
                dir: known.then(|| f32::from(self.dir[row])),
                conf: known.then_some(self.conf[row]),
                size: self.sizes.get(row).copied().filter(|size| *size != ANY),
                ..Prediction::default()
            },
        }
    }
}

/// Returns the value that holds at a row.
fn held<T: Copy>(values: &[(usize, T)], row: usize) -> Option<T> {
    let next = values.partition_point(|(first, _)| *first <= row);
    values.get(next.checked_sub(1)?).map(|(_, value)| *value)
}

/// Adds rows.
struct Writer {
    columns: Columns,
    schedule: Schedule,
    /// Day and part of the row before.
    last: Option<(Option<NaiveDate>, bool)>,
}

impl Writer {
    fn push(&mut self, row: &Row) -> std::result::Result<(), String> {
        let (columns, bar) = (&mut self.columns, &row.bar);
        let index = columns.len();
        if index == 0 {
            columns.first = bar.ts;
        }
        let far = |_| "too far from the first row for one run: cut the rows into several".to_owned();
        let at = u32::try_from((bar.ts - columns.first) / columns.stream.interval.nanos()).map_err(far)?;
        let above = |price: Price| {
            let apart = i16::try_from(price - bar.close).ok().filter(|ticks| *ticks != NONE);
            apart.ok_or_else(|| "a bar of more than 32,767 ticks".to_owned())
        };
        let around = [above(bar.open)?, above(bar.high)?, above(bar.low)?];
        let (dir, conf) = prediction(&row.prediction)?;
        columns.at.push(at);
        let close = i32::try_from(bar.close.ticks()).map_err(|_| "a price beyond all bounds".to_owned())?;
        columns.close.push(close);
        columns.around.push(around);
        let volume =
            u32::try_from(bar.volume).map_err(|_| format!("volume {} is beyond all bounds", bar.volume))?;
        columns.volume.push(volume);
        columns.dir.push(dir);
        columns.conf.push(conf);
        keep(&mut columns.sizes, index, row.prediction.size.unwrap_or(ANY), ANY);
        // A quote too far away to be one is passed on as absent.
        let quote = |price: Option<Price>| price.and_then(|price| above(price).ok()).unwrap_or(NONE);
        let quotes = [quote(bar.bid), quote(bar.ask)];
        keep(&mut columns.quotes, index, quotes, [NONE; 2]);
        // So old that no limit tells it from older ones.
        let age = bar.age_ms.map_or(NO_AGE, |age| u32::try_from(age).unwrap_or(NO_AGE).min(NO_AGE - 1));
        keep(&mut columns.ages, index, age, NO_AGE);
        hold(&mut columns.segs, index, bar.seg);
        hold(&mut columns.symbols, index, bar.symbol);
        if dir != 0 {
            columns.directed.push(index);
        }
        self.turn(index, bar.ts);
        Ok(())
    }

    /// Notes where days and cash sessions begin and end.
    fn turn(&mut self, index: usize, ts: Ts) {
        let today = self.schedule.of_bar(ts);
        let now =
            (today.map(|today| today.label()), today.is_some_and(|today| today.part_of_bar(ts) == Part::Rth));
        if self.last.replace(now) == Some(now) {
            return;
        }
        self.columns.turns.push(index);
        if let Some(date) = now.0
            && self.columns.days.last().is_none_or(|day| day.date != date)
        {
            self.columns.days.push(Day { date, row: index });
        }
    }
}

/// Adds to a column that stays empty until a row has a value.
fn keep<T: Copy + PartialEq>(column: &mut Vec<T>, index: usize, value: T, none: T) {
    if !column.is_empty() || value != none {
        column.resize(index, none);
        column.push(value);
    }
}

fn hold<T: Copy + PartialEq>(values: &mut Vec<(usize, T)>, index: usize, value: T) {
    if values.last().is_none_or(|(_, last)| *last != value) {
        values.push((index, value));
    }
}

/// Returns direction and confidence; NaN without either.
fn prediction(prediction: &Prediction) -> std::result::Result<(i8, f32), String> {
    match (prediction.dir, prediction.conf) {
        (Some(dir), Some(conf)) => match dir {
            -1.0 => Ok((-1, conf)),
            0.0 => Ok((0, conf)),
            1.0 => Ok((1, conf)),
            _ => Err(format!("p_dir {dir} is not -1, 0 or 1")),
        },
        _ => Ok((0, f32::NAN)),
    }
}
