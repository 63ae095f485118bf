//! What is to be told and what was, a line each in `RUN/alerts/alerts.jsonl`: what a kill left untold is told at the next start, and what could
//! not be told can be read there. Written by a thread of its own, so that a disk that hangs holds up no alert; a line that
//! cannot be read is passed over, since a damaged memory is no reason to be silent.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, TryLockError},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use mes_core::time::{self, HOUR, Ts};
use mes_pipe::{Error, Result, log, private, write};
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Delivery, Message};

/// How long a line is kept.
const KEPT: i64 = 7 * 24 * HOUR;
const QUEUE: usize = 4096;
/// How often is looked whether another one has it.
const LOOKS: usize = 10;

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(with = "time::text")]
    at: Ts,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Due { alert: Box<Alert>, to: Vec<String> },
    Told { id: String, place: String, on: String },
    Undelivered { id: String, place: String, why: String },
}

enum Work {
    Line(Line),
    Done(SyncSender<()>),
}

/// The memory of what was told.
pub struct Kept {
    queue: SyncSender<Work>,
    path: PathBuf,
    _lock: File,
}

/// What an earlier run of this program left.
#[derive(Default)]
pub struct Before {
    /// Alerts that were taken in.
    pub known: BTreeSet<String>,
    /// What was not told and is young enough to be told now.
    pub untold: Vec<Delivery>,
}

impl Kept {
    /// Opens it in `run`, and returns what is left of before; younger than `young` nanoseconds is told again.
    ///
    /// # Errors
    ///
    /// `Usage` where another mes-alert has it, `Failed` where it cannot be written.
    pub fn open(run: &Path, now: Ts, young: i64) -> Result<(Kept, Before)> {
        private::folder(run, &["exec.lock", "risk.lock", "alerts"])?;
        let folder = run.join("alerts");
        private::folder(&folder, &["alert.lock"])?;
        let lock = lock(&folder)?;
        let path = folder.join("alerts.jsonl");
        let lines = lines(&path, now)?;
        let text: String =
            lines.iter().filter_map(|line| Some(serde_json::to_string(line).ok()? + "\n")).collect();
        write::whole(&path, &text)?;
        let file = private::open(&path, File::options().create(true).append(true))
            .map_err(|error| Error::from(error).at(path.display()))?;
        let (queue, work) = sync_channel(QUEUE);
        let name = path.display().to_string();
        thread::Builder::new().name("kept".into()).spawn(move || put(file, &name, &work))?;
        Ok((Kept { queue, path, _lock: lock }, before(lines, now, young)))
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down that all of a message is to be told.
    pub fn due(&self, now: Ts, delivery: &Delivery) {
        for alert in &delivery.message.alerts {
            self.add(now, What::Due { alert: Box::new(alert.clone()), to: delivery.to.clone() });
        }
    }

    /// Writes down that it was told, and where.
    pub fn told(&self, now: Ts, delivery: &Delivery, on: &str) {
        for alert in &delivery.message.alerts {
            let (id, place) = (alert.id.clone(), delivery.to[0].clone());
            self.add(now, What::Told { id, place, on: on.to_owned() });
        }
    }

    /// Writes down that it could not be told anywhere.
    pub fn undelivered(&self, now: Ts, delivery: &Delivery, why: &str) {
        for alert in &delivery.message.alerts {
            let (id, place) = (alert.id.clone(), delivery.to[0].clone());
            self.add(now, What::Undelivered { id, place, why: why.to_owned() });
        }
    }

    /// Waits until all of it is written, but not for long.
    pub fn finish(&self) {
        let (done, end) = sync_channel(1);
        if self.queue.try_send(Work::Done(done)).is_ok() {
            let _ = end.recv_timeout(Duration::from_secs(2));
        }
    }

    fn add(&self, at: Ts, what: What) {
        // A disk that hangs is told of by what else depends on it; here it loses lines, and no alert.
        let _ = self.queue.try_send(Work::Line(Line { at, what }));
    }
}

fn put(mut file: File, name: &str, work: &Receiver<Work>) {
    let mut failed = false;
    while let Ok(work) = work.recv() {
        let line = match work {
            Work::Line(line) => line,
            Work::Done(done) => {
                let _ = done.send(());
                continue;
            }
        };
        let Ok(text) = serde_json::to_string(&line) else { continue };
        if let Err(error) = file.write_all((text + "\n").as_bytes())
            && !std::mem::replace(&mut failed, true)
        {
            log::error(format!("{name}: {error}: alerts go on, and are not kept"));
        }
    }
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("alert.lock");
    let at = |error: std::io::Error| Error::from(error).at(path.display());
    let file = private::open(&path, File::options().write(true).create(true).truncate(false)).map_err(at)?;
    // One that was killed a moment ago may not be quite gone.
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(at(error)),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(50)),
        }
    }
    let path = path.display();
    Err(Error::usage(format!("{path}: another mes-alert tells of this run directory: give another --run")))
}

/// Reads the lines that are not too old; whatever is none is left out.
fn lines(path: &Path, now: Ts) -> Result<Vec<Line>> {
    let text = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::from(error).at(path.display())),
    };
    let lines =
        text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    Ok(lines.filter(|line| now.saturating_sub(line.at) < KEPT).collect())
}

fn before(lines: Vec<Line>, now: Ts, young: i64) -> Before {
    let mut before = Before::default();
    let mut open: BTreeMap<(String, String), (Ts, Alert, Vec<String>)> = BTreeMap::new();
    for Line { at, what } in lines {
        match what {
            What::Due { alert, to } => {
                before.known.insert(alert.id.clone());
                let Some(place) = to.first().cloned() else { continue };
                open.insert((alert.id.clone(), place), (at, *alert, to));
            }
            What::Told { id, place, .. } => drop(open.remove(&(id, place))),
            // What could be told nowhere may be told now.
            What::Undelivered { .. } => {}
        }
    }
    let mut left: Vec<_> = open.into_values().filter(|(at, ..)| now.saturating_sub(*at) < young).collect();
    left.sort_by_key(|(at, ..)| *at);
    for (_, alert, to) in left {
        match before.untold.iter_mut().find(|delivery| delivery.to == to) {
            Some(delivery) => delivery.message.alerts.push(alert),
            None => before.untold.push(Delivery { to, message: Message::of(alert) }),
        }
    }
    before
}

#[cfg(test)]
mod tests {
    use mes_core::time::MINUTE;

    use super::*;
    use crate::kinds::Priority;

    fn delivery(id: &str, to: &[&str]) -> Delivery {
        let alert = Alert {
            id: id.into(),
            ts: 1,
            kind: "exit".into(),
            priority: Priority::Notice,
            account: "P".into(),
            text: "long 1".into(),
            same: None,
        };
        let to = to.iter().map(|name| (*name).to_owned()).collect();
        Delivery { to, message: Message::of(alert) }
    }

    #[test]
    fn what_was_not_told_is_told_at_the_next_start_while_it_is_young() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("run");
        let now = 1_000 * HOUR;
        let (kept, before) = Kept::open(&run, now, HOUR).expect("opens");
        assert!(before.known.is_empty() && before.untold.is_empty());
        let refused = Kept::open(&run, now, HOUR).err().expect("one at a time");
        assert!(refused.code() == 2 && refused.to_string().contains("another mes-alert"), "{refused}");
        for (id, at) in [("old", now - 2 * HOUR), ("told", now), ("open", now), ("failed", now)] {
            kept.due(at, &delivery(id, &["phone", "mail"]));
        }
        kept.told(now, &delivery("told", &["phone", "mail"]), "mail");
        kept.undelivered(now, &delivery("failed", &["phone", "mail"]), "no");
        kept.finish();
        let path = kept.path().to_owned();
        drop(kept);
        // A kill may cut the last line off.
        File::options().append(true).open(&path).expect("opens").write_all(b"{\"at\":\"20").expect("writes");
        let (_kept, before) = Kept::open(&run, now + MINUTE, HOUR).expect("opens");
        let ids: Vec<_> = before.untold[0].message.alerts.iter().map(|alert| alert.id.as_str()).collect();
        assert_eq!((before.untold.len(), ids), (1, vec!["failed", "open"]));
        assert_eq!(before.known.len(), 4);
        let lines = fs::read_to_string(&path).expect("reads").lines().count();
        assert_eq!(lines, 6, "the line that was cut is gone");
        let later = before_of(&path, now + 8 * 24 * HOUR);
        assert_eq!(later, 0, "and all of them in time");
    }

    fn before_of(path: &Path, now: Ts) -> usize {
        lines(path, now).expect("reads").len()
    }
}
