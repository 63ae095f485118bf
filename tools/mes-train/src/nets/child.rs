//! Starts `mes-nets`, sends it the rows, tells how far it is, and takes what comes of it.

use std::{
    io::{BufReader, BufWriter, ErrorKind},
    path::Path,
    process::{Command, Stdio},
};

use mes_pipe::{
    Error, Result, beside,
    fitting::{self, Order, Said, Weight},
    log::note,
};

use crate::{progress::Progress, sample::Slice, scaler::Scaler};

const PROGRAM: &str = "mes-nets";

/// What came of a fit.
pub struct Made {
    pub weights: Vec<Weight>,
    /// `samples × 3`, as they come out of the net.
    pub logits: Vec<f32>,
    /// The hash of the program's sources.
    pub code: String,
}

/// Fits a net to `samples`, scaled, and waits for it.
///
/// # Errors
///
/// What the fit failed of, with its kind; [`Error::Failed`] when the program cannot be started, or ends without an
/// answer.
pub fn fit(order: &Order, samples: &Slice, scaler: &Scaler, progress: &Progress) -> Result<Made> {
    let program = beside(PROGRAM);
    let at = |what: String| Error::failed(format!("{}: {what}", Path::new(&program).display()));
    let mut child = Command::new(&program)
        // candle's products are too small to share, and it takes the number of its threads from here alone.
        .env("RAYON_NUM_THREADS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                at("not there, and it is what fits nets: put it beside mes-train or into the \
                                       PATH; cargo build --release -p mes-nets makes it"
                    .into())
            }
            _ => at(format!("cannot be started: {error}")),
        })?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(at("has no pipes".into()));
    };
    let mut stdin = BufWriter::new(stdin);
    let rows = (samples.rows().len(), scaler.apply(samples.rows()));
    let size = (samples.width, samples.window);
    let sent = fitting::send(&mut stdin, order, size, rows, (samples.ends(), samples.labels));
    let answer = listen(&mut BufReader::new(stdout), progress);
    // It lives as long as its stdin is open.
    drop(stdin);
    let status = child.wait()?;
    match answer {
        Ok(Said::Fitted { weights, logits, code, samples: told }) if told == samples.len() => {
            Ok(Made { weights, logits, code })
        }
        Ok(Said::Refused { code: 2, what }) => Err(Error::usage(what)),
        Ok(Said::Refused { code: 3, what }) => Err(Error::data(what)),
        Ok(Said::Refused { what, .. }) => Err(Error::failed(what)),
        Ok(_) => Err(at("answered for other rows: it is not of the same build as mes-train".into())),
        Err(error) => {
            let error = sent.err().unwrap_or(error);
            Err(at(format!(
                "ended without an answer ({status}; {error}); --resume goes on from the last epoch"
            )))
        }
    }
}

/// Passes on what is said until it is the last.
fn listen(from: &mut impl std::io::BufRead, progress: &Progress) -> std::io::Result<Said> {
    let mut steps = None;
    loop {
        match Said::read(from)? {
            Said::Note(what) => {
                // Not into a bar.
                steps = None;
                note(what);
            }
            Said::Begins { total, done } => steps = Some(progress.begin(total, done)),
            Said::Step(what) => {
                if let Some(steps) = &steps {
                    steps.step(what);
                }
            }
            last => return Ok(last),
        }
    }
}
