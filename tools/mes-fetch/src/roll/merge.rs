//! Bars of several contracts as one stream in the order of time, as often as it is wanted.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use mes_core::bar::{Bar, Columns, OPTIONAL};
use mes_pipe::{Bars, Event, Input, InputArgs, Kind, Result, TextArgs};

/// What bars are read from: files anew each time, or what stdin gave, kept.
pub enum Source {
    File(InputArgs),
    Memory(Vec<RecordBatch>),
}

impl Source {
    /// Reads a file, as often as it is wanted.
    pub fn file(path: PathBuf, text: &TextArgs) -> Source {
        Source::File(InputArgs { files: vec![path], text: text.clone(), lineage: None })
    }

    /// Reads a stream to its end.
    ///
    /// # Errors
    ///
    /// What [`Input::next`] fails of.
    pub fn memory(mut input: Input) -> Result<Source> {
        let mut batches = Vec::new();
        loop {
            match input.next()? {
                Event::Batch(batch) => batches.push(batch),
                Event::Idle => {}
                Event::End => return Ok(Source::Memory(batches)),
            }
        }
    }

    fn open(&self) -> Result<Feed<'_>> {
        let (input, batches) = match self {
            Source::File(args) => (Some(Input::open(args, &[Kind::Ohlcv])?), [].iter()),
            Source::Memory(batches) => (None, batches.iter()),
        };
        Ok(Feed { input, batches, batch: None, row: 0 })
    }
}

/// The bars of one source.
struct Feed<'a> {
    input: Option<Input>,
    batches: std::slice::Iter<'a, RecordBatch>,
    batch: Option<RecordBatch>,
    row: usize,
}

impl Feed<'_> {
    fn bar(&mut self) -> Result<Option<Bar<f64>>> {
        loop {
            if let Some(batch) = self.batch.as_ref().filter(|batch| self.row < batch.num_rows()) {
                self.row += 1;
                return Ok(Some(Bars::of(batch)?.get(self.row - 1)));
            }
            self.row = 0;
            self.batch = match &mut self.input {
                None => self.batches.next().cloned(),
                Some(input) => loop {
                    match input.next()? {
                        Event::Batch(batch) => break Some(batch),
                        Event::Idle => {}
                        Event::End => break None,
                    }
                },
            };
            if self.batch.is_none() {
                return Ok(None);
            }
        }
    }
}

/// Returns which optional columns all sources have.
///
/// # Errors
///
/// What [`Input::open`] refuses.
pub fn columns(sources: &[Source]) -> Result<Columns> {
    let mut names: Vec<&str> = OPTIONAL.to_vec();
    for source in sources {
        let schema = match source {
            Source::File(args) => Input::open(args, &[Kind::Ohlcv])?.schema().clone(),
            Source::Memory(batches) => match batches.first() {
                Some(batch) => batch.schema(),
                None => continue,
            },
        };
        names.retain(|name| schema.column_with_name(name).is_some());
    }
    Ok(names.into_iter().collect())
}

/// Hands all bars to `take`, earliest first; of equal times in the order of the sources.
///
/// # Errors
///
/// What `take` says, and what the sources fail of.
pub fn each(sources: &[Source], mut take: impl FnMut(&Bar<f64>) -> Result<()>) -> Result<()> {
    let mut feeds = sources.iter().map(Source::open).collect::<Result<Vec<_>>>()?;
    let mut heads = feeds.iter_mut().map(Feed::bar).collect::<Result<Vec<_>>>()?;
    loop {
        let earliest = |(index, head): (usize, &Option<Bar<f64>>)| head.map(|bar| (bar.ts, index));
        let Some((_, index)) = heads.iter().enumerate().filter_map(earliest).min() else {
            return Ok(());
        };
        if let Some(bar) = heads[index] {
            take(&bar)?;
        }
        heads[index] = feeds[index].bar()?;
    }
}
