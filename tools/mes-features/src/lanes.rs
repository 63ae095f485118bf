//! Rows in lanes: whole segments know nothing of each other, so each goes to one of several threads with state of its
//! own, and what comes out is put together again in the order it went in. The bytes are those of a single thread.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use arrow_array::{ArrayRef, Float32Array, RecordBatch, cast::AsArray, types::Int64Type};
use mes_pipe::{Bars, Error, Place, Result};

use crate::{
    engine::{CheckedRows, Engine},
    labels::{Label, Labeller},
    row::Row,
};

/// Rows that are worked on together: in and out they fit into the second-level cache.
const PIECE_ROWS: usize = 2048;
/// Rows after which a new segment may go to another lane.
const LANE_ROWS: usize = 4096;
/// Pieces that may wait to be written, a lane: those of a whole session.
const WAITING: usize = 48;
/// Rows that are not worth another thread when nothing else is to be done.
const FEW_ROWS: usize = 256;

/// What one lane knows.
pub struct Lane {
    pub rows: CheckedRows,
    pub engine: Engine,
    pub labeller: Option<Box<dyn Labeller + Send>>,
    /// Used again and again.
    pub taken: Vec<Row>,
}

enum Work {
    /// Rows; `begins` when what the lane did before is done with.
    Rows { batch: RecordBatch, begins: bool },
    /// No more of these segments.
    Close,
}

/// What became of some rows.
#[derive(Default)]
pub struct Done {
    /// The rows with one array a feature, but not those from a bad one on.
    pub rows: Option<(RecordBatch, Vec<ArrayRef>)>,
    /// Labels that became known, for rows not labelled yet, oldest first.
    pub known: Vec<Option<Label>>,
    /// The bad row, and what is wrong with it.
    failed: Option<(usize, Error)>,
}

struct Thread {
    lane: Arc<Mutex<Lane>>,
    work: Sender<Work>,
    done: Receiver<Done>,
}

/// Threads that compute, each a stretch of rows in turn.
pub struct Lanes {
    threads: Vec<Thread>,
    /// The lane of the newest rows, how many rows it has had in one go, and their segment.
    current: usize,
    rows: usize,
    seg: Option<i64>,
    /// Where, in the order of the rows, results will come from; those worked on here are there already.
    waiting: VecDeque<(Source, Option<Place>, usize)>,
}

enum Source {
    Lane(usize),
    Here(Box<Done>),
}

/// Some rows of a batch that go to one lane.
struct Piece {
    from: usize,
    rows: usize,
    /// Whether the lane changes before them.
    turns: bool,
}

impl Lanes {
    /// Starts a thread a lane, and none for one lane alone.
    ///
    /// # Errors
    ///
    /// `Failed` where no thread can be had.
    pub fn start(lanes: Vec<Lane>) -> Result<Lanes> {
        let several = lanes.len() > 1;
        let mut threads = Vec::new();
        for lane in lanes {
            let (work, works) = channel();
            let (sent, done) = channel();
            let lane = Arc::new(Mutex::new(lane));
            if several {
                let lane = Arc::clone(&lane);
                thread::Builder::new().spawn(move || {
                    for next in works {
                        let done = lane.lock().unwrap_or_else(PoisonError::into_inner).take(next);
                        if sent.send(done).is_err() {
                            return;
                        }
                    }
                })?;
            }
            threads.push(Thread { lane, work, done });
        }
        Ok(Lanes { threads, current: 0, rows: 0, seg: None, waiting: VecDeque::new() })
    }

    /// Takes the next rows; `place` says where they came from. Gives what is done meanwhile to `write`.
    ///
    /// # Errors
    ///
    /// `Failed` where a thread has died; whatever `write` fails of, which is also given the rows that cannot be.
    pub fn put(
        &mut self,
        batch: &RecordBatch,
        place: &Place,
        mut write: impl FnMut(Done) -> Result<()>,
    ) -> Result<()> {
        for piece in self.cut(batch) {
            while self.waiting.len() >= WAITING * self.threads.len() {
                self.next()?.map_or(Ok(()), &mut write)?;
            }
            if piece.turns {
                self.give(Work::Close, None, 0);
                self.current = (self.current + 1) % self.threads.len();
            }
            let rows = batch.slice(piece.from, piece.rows);
            self.give(Work::Rows { batch: rows, begins: piece.turns }, Some(place.clone()), piece.from);
            while let Some(done) = self.ready()? {
                write(done)?;
            }
        }
        Ok(())
    }

    /// Waits for what is not done yet and gives it to `write`.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn rest(&mut self, mut write: impl FnMut(Done) -> Result<()>) -> Result<()> {
        while let Some(done) = self.next()? {
            write(done)?;
        }
        Ok(())
    }

    /// Says that no rows will come, and gives the last labels to `write`.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn close(&mut self, write: impl FnMut(Done) -> Result<()>) -> Result<()> {
        self.give(Work::Close, None, 0);
        self.rest(write)
    }

    fn cut(&mut self, batch: &RecordBatch) -> Vec<Piece> {
        let segs = batch.column_by_name("seg").and_then(|seg| seg.as_primitive_opt::<Int64Type>());
        let segs = segs.map_or(&[][..], |segs| segs.values());
        let mut pieces: Vec<Piece> = Vec::new();
        let count = batch.num_rows();
        let mut from = 0;
        while from < count {
            let before = if from == 0 { self.seg } else { segs.get(from - 1).copied() };
            let turns = self.rows >= LANE_ROWS && before != segs.get(from).copied();
            let mut to = (from + PIECE_ROWS).min(count);
            // A lane that has had enough is left at the next change of segment.
            let enough = if turns { LANE_ROWS } else { LANE_ROWS.saturating_sub(self.rows) };
            let change =
                (from.max(from + enough).max(from + 1)..to).find(|&row| segs.get(row) != segs.get(row - 1));
            to = change.unwrap_or(to);
            self.rows = if turns { 0 } else { self.rows } + (to - from);
            pieces.push(Piece { from, rows: to - from, turns });
            from = to;
        }
        self.seg = segs.last().copied();
        pieces
    }

    fn give(&mut self, work: Work, place: Option<Place>, from: usize) {
        let thread = &self.threads[self.current];
        let few = matches!(&work, Work::Rows { batch, .. } if batch.num_rows() <= FEW_ROWS);
        let alone = self.threads.len() == 1;
        let source = if alone || (few && self.waiting.is_empty()) {
            // Nothing waits, so the thread of this lane does not hold it.
            let done = thread.lane.lock().unwrap_or_else(PoisonError::into_inner).take(work);
            Source::Here(Box::new(done))
        } else {
            // A thread that is gone is noticed when its result is waited for.
            let _ = thread.work.send(work);
            Source::Lane(self.current)
        };
        self.waiting.push_back((source, place, from));
    }

    /// Returns what is next in order if it is done.
    fn ready(&mut self) -> Result<Option<Done>> {
        let done = match self.waiting.front() {
            None => return Ok(None),
            Some((Source::Here(_), ..)) => None,
            Some((Source::Lane(lane), ..)) => match self.threads[*lane].done.try_recv() {
                Ok(done) => Some(done),
                Err(std::sync::mpsc::TryRecvError::Empty) => return Ok(None),
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return Err(died()),
            },
        };
        self.hand_over(done)
    }

    /// Waits for what is next in order; `None` when nothing is to come.
    fn next(&mut self) -> Result<Option<Done>> {
        let done = match self.waiting.front() {
            None => return Ok(None),
            Some((Source::Here(_), ..)) => None,
            Some((Source::Lane(lane), ..)) => Some(self.threads[*lane].done.recv().map_err(|_| died())?),
        };
        self.hand_over(done)
    }

    fn hand_over(&mut self, done: Option<Done>) -> Result<Option<Done>> {
        let Some((source, place, from)) = self.waiting.pop_front() else { return Ok(None) };
        let mut done = match (source, done) {
            (Source::Here(done), _) => *done,
            (Source::Lane(_), Some(done)) => done,
            (Source::Lane(_), None) => return Err(died()),
        };
        if let (Some((row, error)), Some(place)) = (done.failed.take(), place) {
            done.failed = Some((row, error.at(place.of(from + row))));
        }
        Ok(Some(done))
    }
}

impl Done {
    /// Returns the error that ends the stream after these rows.
    pub fn failure(&mut self) -> Option<Error> {
        self.failed.take().map(|(_, error)| error)
    }
}

fn died() -> Error {
    Error::failed("a computing thread died")
}

impl Lane {
    fn take(&mut self, work: Work) -> Done {
        let mut done = Done::default();
        match work {
            Work::Close => {
                if let Some(labeller) = &mut self.labeller {
                    labeller.end(&mut done.known);
                }
            }
            Work::Rows { batch, begins } => {
                if begins {
                    self.rows.restart();
                }
                done.failed = self.add(&batch, &mut done.known).err();
                let whole = done.failed.as_ref().map_or(batch.num_rows(), |(row, _)| *row);
                self.engine.run(&self.taken);
                let columns = self.engine.take().into_iter().map(nullable).collect();
                done.rows = Some((batch.slice(0, whole), columns));
            }
        }
        done
    }

    /// Checks the rows and labels what can be labelled.
    fn add(
        &mut self,
        batch: &RecordBatch,
        known: &mut Vec<Option<Label>>,
    ) -> std::result::Result<(), (usize, Error)> {
        self.taken.clear();
        let bars = Bars::of(batch).map_err(|error| (0, error))?;
        for row in 0..bars.len() {
            let bar = bars.get(row).on_grid().map_err(|fault| (row, Error::data(fault)))?;
            self.taken.push(self.rows.next(&bar).map_err(|error| (row, error))?);
            if let Some(labeller) = &mut self.labeller {
                labeller.push(&bar, known);
            }
        }
        Ok(())
    }
}

/// Turns NaN into null.
fn nullable(mut values: Vec<f32>) -> ArrayRef {
    let known = values.iter().fold(true, |known, value| known & !value.is_nan());
    if known {
        return Arc::new(Float32Array::from(values));
    }
    let valid = values.iter().map(|value| !value.is_nan()).collect::<Vec<bool>>();
    for value in &mut values {
        *value = if value.is_nan() { 0.0 } else { *value };
    }
    Arc::new(Float32Array::new(values.into(), Some(valid.into())))
}
