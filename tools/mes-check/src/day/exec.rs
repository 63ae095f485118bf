//! A journal of mes-exec: what it heard, what it asked for, and what it knew by then.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use mes_core::time::{Now, Ts};
use mes_exec::topstepx::{
    core::{Core, Setup},
    event::{Action, Answer, Event, Request},
    journal::{Entry, Line, replay},
};
use mes_pipe::{Error, Result};
use mes_projectx::wire;

use super::report::{Fault, Place};

/// One run of mes-exec.
pub struct Run {
    pub name: String,
    pub setup: Setup,
    pub begun: Now,
    pub steps: Vec<Step>,
    /// How many actions it comes to again, or where it comes to others: then no view of a step says anything.
    pub replayed: std::result::Result<usize, String>,
}

/// Something that happened, and what was asked for on it.
pub struct Step {
    pub line: usize,
    pub now: Now,
    pub event: Event,
    /// With the lines that they stand on.
    pub actions: Vec<(usize, Action)>,
    pub view: View,
}

/// What mes-exec knew after a step: the same machine is run over the same events.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The exchange was not looked at yet.
    pub starting: bool,
    pub exposure: i64,
    pub protected: bool,
}

/// An entry that was asked for.
pub struct Entered<'a> {
    pub step: usize,
    pub line: usize,
    pub now: Now,
    pub call: u64,
    pub place: &'a wire::Place,
}

impl Entered<'_> {
    pub fn tag(&self) -> &str {
        self.place.custom_tag.as_deref().unwrap_or_default()
    }
}

impl Run {
    /// Reads a journal. A last line that a kill cut off is left out.
    ///
    /// # Errors
    ///
    /// `Data` with the line where it is none, `Usage` where there is no such file.
    pub fn read(path: &Path) -> Result<Run> {
        let file = File::open(path).map_err(|error| Error::unread(path, &error))?;
        let mut lines = BufReader::new(file).split(b'\n').enumerate().peekable();
        let mut run: Option<(Run, Core)> = None;
        while let Some((index, bytes)) = lines.next() {
            let at = |what: &dyn std::fmt::Display| {
                Error::data(format!("{}: line {}: {what}", path.display(), index + 1))
            };
            let bytes = bytes.map_err(|error| Error::from(error).at(path.display()))?;
            let line: Line = match serde_json::from_slice(&bytes) {
                Ok(line) => line,
                Err(_) if lines.peek().is_none() => break,
                Err(error) => return Err(at(&format!("no line of a journal of mes-exec: {error}"))),
            };
            let now = Now { utc: line.ts, steady: line.steady };
            match (line.entry, &mut run) {
                (Entry::Begin(setup), None) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    let core = Core::new(setup.clone(), now);
                    let replayed = Ok(0);
                    run = Some((Run { name, setup, begun: now, steps: Vec::new(), replayed }, core));
                }
                (Entry::Event(event), Some((run, core))) => {
                    core.on(event.clone(), now);
                    let (starting, exposure, protected) =
                        (core.is_starting(), core.exposure(), core.is_protected());
                    let view = View { starting, exposure, protected };
                    run.steps.push(Step { line: index + 1, now, event, actions: Vec::new(), view });
                }
                (Entry::Action(action), Some((run, _))) => match run.steps.last_mut() {
                    Some(step) => step.actions.push((index + 1, action)),
                    None => return Err(at(&"an action before anything happened")),
                },
                _ => return Err(at(&"it does not begin, once, with what the run began with")),
            }
        }
        let (run, _) = run.ok_or_else(|| Error::data(format!("{}: empty", path.display())))?;
        let replayed = replay(path).map(|came| came.actions).map_err(|error| error.to_string());
        Ok(Run { replayed, ..run })
    }

    /// Lists the entries that were asked for.
    pub fn entries(&self) -> impl Iterator<Item = Entered<'_>> {
        self.steps.iter().enumerate().flat_map(|(index, step)| {
            step.actions.iter().filter_map(move |(line, action)| match action {
                Action::Call { call, request: Request::Place { place, entry: true }, .. } => {
                    Some(Entered { step: index, line: *line, now: step.now, call: *call, place })
                }
                _ => None,
            })
        })
    }

    /// Returns what became of a call, and where that is said.
    pub fn answer(&self, of: u64) -> Option<(&Step, &Answer)> {
        self.steps.iter().find_map(|step| match &step.event {
            Event::Answer { call, answer } if *call == of => Some((step, answer)),
            _ => None,
        })
    }

    /// Returns when something was heard or asked for last.
    pub fn last(&self) -> Ts {
        self.steps.last().map_or(self.begun.utc, |step| step.now.utc)
    }

    /// Makes a fault of a line.
    pub fn fault(&self, line: usize, now: Now, words: impl Into<String>) -> Fault {
        let place = Place { file: self.name.clone(), line, ts: Some(now.utc) };
        Fault { place, words: words.into() }
    }
}

impl Step {
    /// Lists the calls that were asked for.
    pub fn calls(&self) -> impl Iterator<Item = (u64, &Request)> {
        self.actions.iter().filter_map(|(_, action)| match action {
            Action::Call { call, request, .. } => Some((*call, request)),
            Action::Alert { .. } => None,
        })
    }

    /// Says whether the position was to be closed.
    pub fn closes(&self) -> bool {
        self.calls().any(|(_, request)| matches!(request, Request::Close { .. }))
    }

    /// Says whether a stop of our own was placed.
    pub fn stops(&self) -> bool {
        self.calls().any(|(_, request)| {
            matches!(request, Request::Place { place, entry: false } if place.kind == wire::OrderKind::Stop)
        })
    }
}

/// Questions that were asked together, followed step by step.
#[derive(Default)]
pub struct Looking {
    open: Vec<(Looked, BTreeSet<u64>)>,
}

/// A look that was answered whole.
#[derive(Clone, Copy, Debug)]
pub struct Looked {
    /// When it was asked.
    pub asked: Now,
    /// What was made and filled lately was asked for too.
    pub past: bool,
}

impl Looking {
    /// Takes in a step; returns the look that was answered whole on it.
    pub fn step(&mut self, step: &Step) -> Option<Looked> {
        let mut came = None;
        if let Event::Answer { call, answer } = &step.event {
            let failed = matches!(
                answer,
                Answer::Unknown { .. } | Answer::Refused { .. } | Answer::Account { account: None }
            );
            // One that failed in part tells nothing.
            self.open.retain(|(_, calls)| !(failed && calls.contains(call)));
            for (look, calls) in &mut self.open {
                if calls.remove(call) && calls.is_empty() {
                    came = Some(*look);
                }
            }
            self.open.retain(|(_, calls)| !calls.is_empty());
        }
        let questions: Vec<_> = step.calls().filter(|(_, request)| request.is_question()).collect();
        if questions.iter().any(|(_, request)| matches!(request, Request::Positions { .. })) {
            let past = questions.iter().any(|(_, request)| matches!(request, Request::Recent { .. }));
            let calls = questions.iter().map(|(call, _)| *call).collect();
            self.open.push((Looked { asked: step.now, past }, calls));
        }
        came
    }
}
