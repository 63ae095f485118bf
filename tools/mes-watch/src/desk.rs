//! What all views look at: the day, what was done from here, and when something last changed. One thread follows the
//! journal; views wait for a change and take what is there then, so none can be late by more than one view.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use mes_core::broker::Hello;
use mes_pipe::{Result, clock::Clock, growing::Look};
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    act::{self, ACTIONS, Act, Action, Button, Place},
    day::Day,
    follow::Follower,
    snapshot::{Held, Snapshot},
};

/// Between two looks at the journal.
const LOOK: Duration = Duration::from_millis(40);

/// The day, and what is done about it.
pub struct Desk {
    day: Mutex<Day>,
    actions: Mutex<Vec<Action>>,
    /// Counts what has happened.
    changed: watch::Sender<u64>,
    /// What is wrong, or waited for.
    said: Mutex<Option<String>>,
    /// When the journal last grew, on the steady clock.
    heard: Mutex<i64>,
    clock: Clock,
    /// Where the pipeline is whose day this is; absent where there is none, or nobody knows.
    pub place: Option<Place>,
    /// The day is over, and is played back.
    pub replay: bool,
}

/// What a view is sent.
#[derive(Debug, Serialize)]
pub struct View {
    #[serde(flatten)]
    pub snapshot: Snapshot,
    /// The day is over, and is played back.
    pub replay: bool,
    pub said: Option<String>,
    /// Milliseconds since the journal last grew.
    pub heard_ms: i64,
    pub buttons: Vec<Button>,
    pub actions: Vec<Action>,
}

impl Desk {
    /// Shows a running day, whose pipeline is at `place`.
    pub fn running(day: Day, place: Option<Place>) -> Desk {
        Desk::new(day, place, false, None)
    }

    /// Plays back a day that is over, of whose journal something is `missing`.
    pub fn replay(day: Day, missing: Option<String>) -> Desk {
        Desk::new(day, None, true, missing)
    }

    fn new(day: Day, place: Option<Place>, replay: bool, said: Option<String>) -> Desk {
        let clock = Clock::machine();
        Desk {
            day: Mutex::new(day),
            actions: Mutex::default(),
            changed: watch::Sender::new(0),
            said: Mutex::new(said),
            heard: Mutex::new(clock.now().steady),
            clock,
            place,
            replay,
        }
    }

    /// Returns the day as it is now.
    pub fn day(&self) -> MutexGuard<'_, Day> {
        held(&self.day)
    }

    /// Returns what counts changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Returns who the broker is, once the journal says so.
    pub fn hello(&self) -> Option<Hello> {
        self.day().book.as_ref().map(|book| book.run.broker.clone())
    }

    /// Returns what there is to see as of a row; beyond the last, all that is known.
    pub fn view(&self, row: usize) -> View {
        let hello = self.hello().filter(|_| self.place.is_some());
        let mut snapshot = Snapshot::of(&self.day(), row);
        if self.place.as_ref().zip(hello.as_ref()).is_some_and(|(place, hello)| place.is_killed(hello)) {
            snapshot.stops.insert(0, Held::killed());
        }
        View {
            snapshot,
            replay: self.replay,
            said: held(&self.said).clone(),
            heard_ms: (self.clock.now().steady - *held(&self.heard)) / mes_core::time::MILLI,
            buttons: hello.map_or_else(Vec::new, |hello| Act::ALL.map(|act| act.button(&hello)).into()),
            actions: held(&self.actions).clone(),
        }
    }

    /// Starts an action, see [`act::start`].
    ///
    /// # Errors
    ///
    /// Those of [`act::start`].
    pub fn act(self: &Arc<Self>, act: Act, reason: &str) -> Result<u64> {
        act::start(self, act, reason)
    }

    /// Lists a new action and returns its number.
    pub fn begin(&self, act: Act) -> u64 {
        let mut actions = held(&self.actions);
        let id = actions.last().map_or(1, |last| last.id + 1);
        if actions.len() >= ACTIONS {
            actions.remove(0);
        }
        actions.push(Action::new(id, act));
        drop(actions);
        self.tell();
        id
    }

    /// Changes an action that is still listed.
    pub fn change(&self, id: u64, change: impl FnOnce(&mut Action)) {
        let day = held(&self.day);
        if let Some(action) = held(&self.actions).iter_mut().find(|action| action.id == id) {
            change(action);
            action.follow(&day);
        }
        drop(day);
        self.tell();
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Follows a journal in a thread of its own, for as long as the process lives.
    ///
    /// # Errors
    ///
    /// `Failed` where the system gives no thread.
    pub fn follow(self: &Arc<Self>, path: PathBuf) -> Result<()> {
        let desk = Arc::clone(self);
        thread::Builder::new().name("journal".into()).spawn(move || {
            let mut follower = Follower::new(&path);
            loop {
                if !desk.look(&mut follower, &path) {
                    thread::sleep(LOOK);
                }
            }
        })?;
        Ok(())
    }

    /// Looks once; says whether there may be more to read at once.
    fn look(&self, follower: &mut Follower, path: &std::path::Path) -> bool {
        let mut day = self.day();
        let looked = follower.look(&mut day);
        let read = matches!(looked, Ok(Look::More));
        if read {
            held(&self.actions).iter_mut().for_each(|action| action.follow(&day));
        }
        drop(day);
        let said = match &looked {
            Ok(Look::Absent) => Some(format!("waits for {}", path.display())),
            Ok(Look::Idle) => return false,
            Ok(Look::More) => None,
            Err(error) => Some(error.to_string()),
        };
        if read {
            *held(&self.heard) = self.clock.now().steady;
        }
        let mut before = held(&self.said);
        let news = *before != said || read;
        *before = said;
        drop(before);
        if news {
            self.tell();
        }
        read
    }
}

/// Takes a lock. One that a panic left behind holds what it held: every change is whole.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
