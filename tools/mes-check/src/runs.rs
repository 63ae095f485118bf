//! One run of a stage over rows, at a pace, and the rows it answered with.

use mes_pipe::{Meta, Result};

use crate::{
    child::{Heard, Program, Running},
    table::{Given, Row},
    wire::{Encoder, Said, Wire},
};

/// How rows are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// All in one piece.
    Whole,
    /// So many rows a piece.
    Rows(usize),
    /// So many bytes a piece, through the middle of rows.
    Bytes(usize),
    /// So many rows, and the next only after all answers due by then have come.
    Steps(usize),
}

/// What a stage answered.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub names: Vec<String>,
    pub rows: Vec<Row>,
}

impl Answers {
    /// Returns the place of a column.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }
}

/// Why a run came to nothing.
#[derive(Debug)]
pub enum Trouble {
    /// It died, wrote no rows, never ended: in words.
    Broken(String),
    /// The answer due after this row (from 0) did not come.
    Late { row: usize, answered: usize },
    /// The stage ended, well or not, while the answer after this row was due.
    Ended { row: usize, how: String },
}

/// A stage and how it is spoken to.
pub struct Stage {
    pub program: Program,
    pub wire: Wire,
    /// The first line of JSON lines, where it is wanted.
    pub header: Option<Meta>,
    pub environment: Vec<(&'static str, &'static str)>,
}

type Outcome = std::result::Result<Answers, Trouble>;

impl Stage {
    /// Runs it. `due` says how many answers must have come when so many rows have been given; it is asked for
    /// [`Pace::Steps`] alone. Fails only where the check itself cannot go on.
    ///
    /// # Errors
    ///
    /// `Usage` where it is no program, `Failed` where it cannot be run, `Data` where the rows cannot be written.
    pub fn run(&self, given: &Given, pace: Pace, due: impl Fn(usize) -> usize) -> Result<Outcome> {
        let mut encoder = Encoder::new(given, self.wire, self.header.as_ref())?;
        let mut run = Run {
            stage: self.program.start(&self.environment)?,
            answers: Answers::default(),
            most: given.rows.len() * 8 + 1000,
        };
        let count = given.rows.len();
        match pace {
            Pace::Whole => run.stage.give(encoder.rows(0..count)?),
            Pace::Rows(step) => {
                for from in (0..count).step_by(step) {
                    run.stage.give(encoder.rows(from..count.min(from + step))?);
                }
            }
            Pace::Bytes(step) => {
                let bytes = encoder.rows(0..count)?;
                bytes.chunks(step).for_each(|piece| run.stage.give(piece.to_vec()));
            }
            Pace::Steps(step) => {
                for from in (0..count).step_by(step) {
                    let to = count.min(from + step);
                    run.stage.give(encoder.rows(from..to)?);
                    if let Err(trouble) = run.until(due(to), to - 1)? {
                        return Ok(Err(trouble));
                    }
                }
            }
        }
        run.stage.give(encoder.end()?);
        run.rest()
    }
}

struct Run {
    stage: Running,
    answers: Answers,
    /// More rows than this are no answer to what was asked.
    most: usize,
}

impl Run {
    /// Listens until there are `due` answers; `row` was given last.
    fn until(&mut self, due: usize, row: usize) -> Result<std::result::Result<(), Trouble>> {
        while self.answers.rows.len() < due {
            match self.stage.answer() {
                Heard::Said(said) => {
                    if let Some(trouble) = self.take(said) {
                        return Ok(Err(trouble));
                    }
                }
                Heard::Silence => {
                    return Ok(Err(Trouble::Late { row, answered: self.answers.rows.len() }));
                }
                Heard::End => {
                    let how = self.stage.finish()?.err().unwrap_or_else(|| "exit status: 0".into());
                    return Ok(Err(Trouble::Ended { row, how }));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Listens to the end.
    fn rest(mut self) -> Result<Outcome> {
        self.stage.close();
        loop {
            match self.stage.next() {
                Heard::Said(said) => {
                    if let Some(trouble) = self.take(said) {
                        return Ok(Err(trouble));
                    }
                }
                Heard::End => break,
                Heard::Silence => {
                    let (rows, words) = (self.answers.rows.len(), self.stage.last_words());
                    let text =
                        format!("it hangs: silent after {rows} rows although its input has ended{words}");
                    return Ok(Err(Trouble::Broken(text)));
                }
            }
        }
        Ok(match self.stage.finish()? {
            Ok(()) => Ok(self.answers),
            Err(how) => {
                Err(Trouble::Broken(format!("it died after {} rows: {how}", self.answers.rows.len())))
            }
        })
    }

    fn take(&mut self, said: Said) -> Option<Trouble> {
        match said {
            Said::Columns(names) => self.answers.names = names,
            Said::Row(row) => self.answers.rows.push(row),
            Said::Garbage(what) => {
                let row = self.answers.rows.len() + 1;
                let words = self.stage.last_words();
                return Some(Trouble::Broken(format!("its row {row} is no row: {what}{words}")));
            }
        }
        if self.answers.rows.len() > self.most {
            let text = format!("it writes without end: {} rows and more", self.answers.rows.len());
            return Some(Trouble::Broken(text));
        }
        None
    }
}
