//! What mes-exec heard and asked for, a line each, written by a thread of its own: a disk that is full or hangs stops
//! entries, which wait for their line, and never an exit, which does not.
//!
//! The first line is what the core began with; [`replay`] runs it again and compares what it asks for.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use mes_core::time::{Now, SECOND};
use mes_pipe::{Error, Result, clock::Clock, log, private};
use serde::{Deserialize, Serialize};

use super::{
    core::{Core, Setup},
    event::{Action, Event},
};

/// The longest that an entry waits for its line.
const PATIENCE: i64 = SECOND;

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    Begin(Setup),
    Event(Event),
    Action(Action),
}

/// A line and when it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// UTC, in nanoseconds since 1970.
    pub ts: i64,
    /// The steady clock, in nanoseconds since the process began.
    pub steady: i64,
    #[serde(flatten)]
    pub entry: Entry,
}

/// Something that waits until everything before it is on disk.
pub struct Then {
    pub since: i64,
    /// Told whether it is: what was wrong, if not.
    pub done: Box<dyn FnOnce(std::result::Result<(), String>) + Send>,
}

enum Work {
    Line(Box<Line>),
    Then(Then),
}

/// The journal of a run.
pub struct Journal {
    queue: Sender<Work>,
    pub path: PathBuf,
}

impl Journal {
    /// Begins one; `took` writes the order book, before an entry goes out.
    ///
    /// # Errors
    ///
    /// `Failed` where it cannot be made.
    pub fn begin(
        path: PathBuf,
        clock: Clock,
        took: impl FnMut(u64) -> Result<()> + Send + 'static,
    ) -> Result<Journal> {
        let file = private::open(&path, File::options().create(true).append(true))
            .map_err(|error| Error::from(error).at(path.display()))?;
        let (queue, lines) = channel();
        let name = path.display().to_string();
        thread::Builder::new()
            .name("journal".into())
            .spawn(move || Writer { file, clock, name, failed: None, unbooked: None, took }.write(&lines))?;
        Ok(Journal { queue, path })
    }

    /// Adds a line.
    pub fn add(&self, now: Now, entry: Entry) {
        let line = Line { ts: now.utc, steady: now.steady, entry };
        // The thread lives as long as the process.
        let _ = self.queue.send(Work::Line(Box::new(line)));
    }

    /// Does something once all lines so far are on disk.
    pub fn then(&self, then: Then) {
        let _ = self.queue.send(Work::Then(then));
    }
}

struct Writer<F> {
    file: File,
    clock: Clock,
    name: String,
    failed: Option<String>,
    /// Why the order book does not know the last orders. Its lines hang together, so that no later one may follow.
    unbooked: Option<String>,
    took: F,
}

impl<F: FnMut(u64) -> Result<()>> Writer<F> {
    fn write(mut self, lines: &Receiver<Work>) {
        let mut text = Vec::new();
        while let Ok(first) = lines.recv() {
            for write in std::iter::once(first).chain(lines.try_iter()) {
                match write {
                    Work::Line(line) => {
                        self.book(&line.entry);
                        // Nothing of ours has no JSON.
                        let _ = serde_json::to_writer(&mut text, &line);
                        text.push(b'\n');
                    }
                    Work::Then(then) => {
                        self.put(&mut text);
                        let done = self.settle(&then);
                        (then.done)(done);
                    }
                }
            }
            self.put(&mut text);
        }
    }

    /// Writes down the orders that are taken over: an exit and one that was refused as well, or the two ends would not know
    /// each other after a kill.
    fn book(&mut self, entry: &Entry) {
        let order = match entry {
            Entry::Event(Event::Order { order }) => order.id,
            Entry::Event(Event::Used { order }) => *order,
            _ => return,
        };
        if self.unbooked.is_none()
            && let Err(error) = (self.took)(order)
        {
            let why = error.to_string();
            log::error(format!("{why}: no entries any more in this run; exits go on"));
            self.unbooked = Some(why);
        }
    }

    fn fails(&mut self, why: String) {
        if self.failed.is_none() {
            log::error(format!("{why}: no entries until it can be written; exits go on"));
        }
        self.failed = Some(why);
    }

    fn put(&mut self, text: &mut Vec<u8>) {
        let written = self.file.write_all(text);
        text.clear();
        if let Err(error) = written {
            self.fails(format!("{}: {error}", self.name));
        } else if self.failed.take().is_some() {
            log::note(format!("{}: can be written again", self.name));
        }
    }

    fn settle(&mut self, then: &Then) -> std::result::Result<(), String> {
        if let Some(why) = self.unbooked.as_ref().or(self.failed.as_ref()) {
            return Err(why.clone());
        }
        self.file.sync_data().map_err(|error| format!("{}: {error}", self.name))?;
        if self.clock.now().steady - then.since > PATIENCE {
            return Err(format!("{}: the disk took too long", self.name));
        }
        Ok(())
    }
}

/// What a journal came to when it was run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    pub events: usize,
    pub actions: usize,
}

/// Runs a journal again and compares every action. A last line that a kill cut off is left out.
///
/// # Errors
///
/// `Data` with the line where it comes to something else, or is no journal.
pub fn replay(path: &Path) -> Result<Replayed> {
    let file = File::open(path).map_err(|error| Error::from(error).at(path.display()))?;
    let mut lines = BufReader::new(file).split(b'\n').enumerate().peekable();
    let mut core = None;
    let mut expected = std::collections::VecDeque::new();
    let mut came = Replayed::default();
    while let Some((number, line)) = lines.next() {
        let line = line.map_err(|error| Error::from(error).at(path.display()))?;
        let at = |what: String| Error::data(format!("{}: line {}: {what}", path.display(), number + 1));
        let line: Line = match serde_json::from_slice(&line) {
            Ok(line) => line,
            Err(_) if lines.peek().is_none() => break,
            Err(error) => return Err(at(format!("no line of a journal of mes-exec: {error}"))),
        };
        let now = Now { utc: line.ts, steady: line.steady };
        match (line.entry, &mut core) {
            (Entry::Begin(setup), _) => core = Some(Core::new(setup, now)),
            (Entry::Event(event), Some(core)) => {
                if let Some(missing) = expected.pop_front() {
                    return Err(at(format!("the journal lacks what is asked for here: {}", text(&missing))));
                }
                expected.extend(core.on(event, now));
                came.events += 1;
            }
            (Entry::Action(action), Some(_)) => {
                let wanted = expected.pop_front();
                if wanted.as_ref() != Some(&action) {
                    let wanted = wanted.as_ref().map_or("nothing".to_owned(), text);
                    return Err(at(format!("the journal has {}, and it comes to {wanted}", text(&action))));
                }
                came.actions += 1;
            }
            (_, None) => return Err(at("it does not begin with what the run began with".to_owned())),
        }
    }
    if core.is_none() {
        return Err(Error::data(format!("{}: empty", path.display())));
    }
    Ok(came)
}

fn text(action: &Action) -> String {
    serde_json::to_string(action).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn an_order_that_the_book_did_not_take_keeps_all_later_entries_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let tried = Arc::new(Mutex::new(Vec::new()));
        let took = {
            let tried = Arc::clone(&tried);
            move |order| {
                tried.lock().expect("tried").push(order);
                if order < 3 { Ok(()) } else { Err(Error::failed("account: no space left on device")) }
            }
        };
        let path = folder.path().join("exec.jsonl");
        let journal = Journal::begin(path, Clock::machine(), took).expect("a journal");
        let settled = |order| {
            journal.add(Now::default(), Entry::Event(Event::Used { order }));
            let (told, hear) = channel();
            let since = Clock::machine().now().steady;
            journal.then(Then { since, done: Box::new(move |done| told.send(done).expect("told")) });
            hear.recv().expect("an answer")
        };
        assert_eq!(settled(2), Ok(()));
        assert!(settled(3).is_err());
        // The journal itself can be written all the while.
        assert_eq!(settled(4), Err("account: no space left on device".into()));
        assert_eq!(*tried.lock().expect("tried"), [2, 3], "nothing follows on a line that may be half there");
    }
}
