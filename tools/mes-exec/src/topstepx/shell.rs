//! What the core asks for, carried out: each call by a thread of its own, so that none waits behind one that hangs.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc::Sender},
    thread,
};

use mes_core::{broker::BrokerError, run::Run, time::Now};
use mes_pipe::log;
use mes_projectx::{Client, Purpose};

use super::{
    actor::Input,
    book::Kept,
    event::{Action, Answer, Event, Request, Why},
    journal::{Entry, Journal, Then},
    perform::perform,
    venue::Shell,
};

/// A halt that lies in the account's folder until a person lifts it.
pub const HALT: &str = "exec.halt";

/// The shell of a run.
pub struct Threads {
    pub client: Client,
    pub inputs: Sender<Input>,
    pub journal: Journal,
    pub kept: Arc<Mutex<Kept>>,
    /// Looked for before every entry.
    pub halt: PathBuf,
}

impl Threads {
    fn call(&self, call: u64, purpose: Purpose, request: Request) {
        let (client, inputs) = (self.client.clone(), self.inputs.clone());
        let answered = thread::Builder::new().name("call".into()).spawn({
            let inputs = inputs.clone();
            move || answer(&inputs, call, perform(&client, purpose, request))
        });
        if let Err(error) = answered {
            let why = Why::Later { ms: 100 };
            answer(&inputs, call, Answer::Refused { why, text: format!("no thread: {error}") });
        }
    }

    /// Sends an entry once its line is on disk, unless a person has halted the account meanwhile.
    fn enter(&self, now: Now, call: u64, purpose: Purpose, request: Request) {
        let (client, inputs, halt) = (self.client.clone(), self.inputs.clone(), self.halt.clone());
        let done = move |settled: Result<(), String>| {
            let refusal = match settled {
                Err(why) => Some(why),
                Ok(()) if halt.exists() => Some(format!("{}: halted: mes-exec resume", halt.display())),
                Ok(()) => None,
            };
            if let Some(text) = refusal {
                return answer(&inputs, call, Answer::Refused { why: Why::Other, text });
            }
            let sent = thread::Builder::new().name("entry".into()).spawn({
                let inputs = inputs.clone();
                move || answer(&inputs, call, perform(&client, purpose, request))
            });
            if let Err(error) = sent {
                answer(
                    &inputs,
                    call,
                    Answer::Refused { why: Why::Other, text: format!("no thread: {error}") },
                );
            }
        };
        self.journal.then(Then { since: now.steady, done: Box::new(done) });
    }
}

fn answer(inputs: &Sender<Input>, call: u64, answer: Answer) {
    // Nobody hears it where the run is over.
    let _ = inputs.send(Input::Event(Event::Answer { call, answer }));
}

impl Shell for Threads {
    fn record(&mut self, now: Now, event: &Event) {
        self.journal.add(now, Entry::Event(event.clone()));
    }

    fn act(&mut self, now: Now, action: Action) {
        self.journal.add(now, Entry::Action(action.clone()));
        match action {
            Action::Alert { text } => log::note(text),
            Action::Call { call, purpose, request } => match &request {
                Request::Place { entry: true, .. } => self.enter(now, call, purpose, request),
                _ => self.call(call, purpose, request),
            },
        }
    }

    fn begin(&mut self, run: &Run) -> Result<(), BrokerError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.begin(run)
    }
}
