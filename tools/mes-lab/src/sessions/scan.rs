//! Finds the trading days within files of ticks or bars, and what a job must read to make the rows of one as if it had read
//! them all.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use arrow_array::{Array, RecordBatch};
use chrono::{NaiveDate, TimeDelta};
use mes_core::{
    calendar::Calendar,
    session::Day,
    time::{self, Ts},
};
use mes_pipe::{Bars, Error, Event, Input, InputArgs, Kind, Result, columns::times, expand, schema};

use crate::{
    folds::{day_of, evening},
    jobs::input::Bytes,
};

/// A trading day that has rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub date: NaiveDate,
    /// As in [`super::SessionTask`].
    pub after: Ts,
    pub until: Ts,
    pub from: Ts,
    pub to: Ts,
    pub rows: u64,
    /// Places of the files that these rows lie in.
    pub files: Range<usize>,
}

/// What some files hold.
pub struct Scan {
    pub files: Vec<Bytes>,
    pub sessions: Vec<Session>,
}

/// A row that state hangs on: its time and its file.
#[derive(Clone, Copy)]
struct At {
    ts: Ts,
    file: usize,
}

impl Scan {
    /// Reads files through.
    ///
    /// # Errors
    ///
    /// `Usage` where a file is not there, `Data` where rows go back in time or trade in no trading day, or there are none.
    pub fn of(files: &[PathBuf], calendar: &Calendar) -> Result<Scan> {
        let paths = expand(files)?;
        let mut reader = Reader { calendar, open: None, sessions: Vec::new(), last: None, quoted: None };
        let mut hashed = Vec::new();
        for (index, path) in paths.into_iter().enumerate() {
            reader.file(index, &path)?;
            hashed.push(Bytes::of(path)?);
        }
        reader.close(None);
        let mut sessions = reader.sessions;
        let (Some(first), Some(last)) = (sessions.first().cloned(), sessions.len().checked_sub(1)) else {
            return Err(Error::data("no row lies in a trading day"));
        };
        // Files without a row are of the data too, as far as hashes go.
        sessions[0].files = 0..first.files.end;
        sessions[last].files.end = hashed.len();
        Ok(Scan { files: hashed, sessions })
    }
}

struct Reader<'a> {
    calendar: &'a Calendar,
    /// The session being read, which ends with the first row after it.
    open: Option<Session>,
    sessions: Vec<Session>,
    /// The last row, and the last one with a quote: what a first bar may stand on.
    last: Option<At>,
    quoted: Option<At>,
}

impl Reader<'_> {
    fn file(&mut self, index: usize, path: &Path) -> Result<()> {
        let args = InputArgs { files: vec![path.to_owned()], ..InputArgs::default() };
        let needed = |name: &str| schema::TICK.contains(&name) || schema::BAR.contains(&name);
        let mut input = Input::open_columns(&args, &[Kind::Tick, Kind::Ohlcv], needed)?;
        let ticks = input.meta().kind == Kind::Tick;
        loop {
            match input.next()? {
                Event::Batch(batch) => self.batch(index, path, &batch, ticks)?,
                Event::Idle => {}
                Event::End => return Ok(()),
            }
        }
    }

    fn batch(&mut self, file: usize, path: &Path, batch: &RecordBatch, ticks: bool) -> Result<()> {
        let stamps = times(batch)?;
        if let (Some(last), Some(first)) = (self.last, stamps.first())
            && *first < last.ts
        {
            let (first, last) = (time::format(*first), time::format(last.ts));
            return Err(Error::data(format!("begins at {first}, after a file that ends at {last}"))
                .at(path.display()));
        }
        // A bar's stamp is its end: it lies in the day before it.
        let within = |row: usize| if ticks { stamps[row] } else { stamps[row] - 1 };
        let mut row = 0;
        while row < stamps.len() {
            let date = day_of(within(row));
            let (from, to) = (evening(date), evening(date + TimeDelta::days(1)));
            let end = row + stamps[row..].partition_point(|ts| if ticks { *ts < to } else { ts - 1 < to });
            self.rows(At { ts: stamps[row], file }, date, (from, to), (end - row) as u64);
            if Day::labelled(date, self.calendar).is_none()
                && let Some(traded) = traded(batch, row..end, ticks)?
            {
                let at = time::format(stamps[traded]);
                let what =
                    format!("a trade at {at}, on {date}, which is no trading day: is the calendar right?");
                return Err(Error::data(what).at(path.display()));
            }
            let at = |row: usize| At { ts: stamps[row], file };
            self.last = Some(at(end - 1));
            if let Some(quoted) = (row..end).rev().find(|row| !ticks || quotes(batch, *row)) {
                self.quoted = Some(at(quoted));
            }
            row = end;
        }
        Ok(())
    }

    /// Takes rows of one day, from `first` on.
    fn rows(&mut self, first: At, date: NaiveDate, (from, to): (Ts, Ts), count: u64) {
        if let Some(open) = self.open.as_mut().filter(|open| open.date == date) {
            open.rows += count;
            open.files.end = first.file + 1;
            return;
        }
        self.close(Some(first));
        if Day::labelled(date, self.calendar).is_none() {
            return;
        }
        // What was heard last, and the quote that stood, whichever is further back.
        let before = [self.last, self.quoted].into_iter().flatten().min_by_key(|at| at.ts);
        let begin = before.unwrap_or(first);
        self.open = Some(Session {
            date,
            after: begin.ts - 1,
            until: first.ts,
            from,
            to,
            rows: count,
            files: begin.file..first.file + 1,
        });
    }

    /// Ends the session being read with the first row after it.
    fn close(&mut self, next: Option<At>) {
        let Some(mut session) = self.open.take() else { return };
        match next {
            Some(next) => {
                session.until = next.ts;
                session.files.end = next.file + 1;
            }
            None => session.until = self.last.map_or(session.to, |last| last.ts.max(session.to)),
        }
        self.sessions.push(session);
    }
}

fn known(batch: &RecordBatch, name: &str, row: usize) -> bool {
    batch.column_by_name(name).is_some_and(|column| column.is_valid(row))
}

/// Finds the first row that trades; an empty second does not.
fn traded(batch: &RecordBatch, mut rows: Range<usize>, ticks: bool) -> Result<Option<usize>> {
    if ticks {
        return Ok(rows.find(|row| known(batch, "price", *row)));
    }
    let bars = Bars::of(batch)?;
    Ok(rows.find(|row| bars.get(*row).volume > 0))
}

fn quotes(batch: &RecordBatch, row: usize) -> bool {
    known(batch, "bid", row) || known(batch, "ask", row)
}
