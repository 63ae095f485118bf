//! Talks to Databento: one request at a time, and again where that may help.

use std::time::Duration;

use mes_pipe::{Error, log};
use mes_web::{Answer, Base, Call, Limits, Pause, Repeat, Secret};
use serde_json::Value;

use super::refusal::{Refusal, tame};

/// How often a request is made at most.
const TRIES: u32 = 5;
/// The longest wait that a server can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// For the head of an answer, which may have to be searched for.
const LONGEST_HEAD: Duration = Duration::from_secs(120);
/// What is told of the key is looked for in all of it, which takes some 70 times its bytes.
const METADATA_BYTES: u64 = 4 << 20;
/// The longest that a request without data may take.
const LONGEST_QUESTION: Duration = Duration::from_secs(300);

/// Why there is no answer.
#[derive(Debug)]
pub enum Fault {
    /// It may work the next time: a lost line, a cut body, a busy server. Data that began to come may be billed.
    Passing { what: String, wait: Option<Duration>, billed: bool },
    /// The server will not.
    Refused(Refusal),
    /// It is over for a reason of ours.
    Ended(Error),
}

impl Fault {
    /// Makes a fault that may be gone at the next try, and that may have cost money.
    pub fn passing(what: impl ToString) -> Fault {
        Fault::Passing { what: what.to_string(), wait: None, billed: true }
    }

    fn pause(&self) -> Option<Pause> {
        match self {
            Fault::Passing { wait, .. } => Some(Pause { asked: *wait }),
            Fault::Refused(_) | Fault::Ended(_) => None,
        }
    }
}

impl From<mes_web::Fault> for Fault {
    fn from(fault: mes_web::Fault) -> Self {
        use mes_web::Fault as Web;
        let billed = fault.may_have_happened();
        match fault {
            Web::Limited(refusal) | Web::Status(refusal) => {
                let (wait, refusal) = (refusal.retry_after, Refusal::read(refusal.status, &refusal.body));
                if !refusal.is_passing() {
                    return Fault::Refused(refusal);
                }
                let text =
                    if refusal.text.is_empty() { String::new() } else { format!(": {}", refusal.text) };
                // A refusal is no data, whatever the server did before it failed.
                Fault::Passing {
                    what: format!("the server answers {}{text}", refusal.status),
                    wait,
                    billed: false,
                }
            }
            Web::Unknown { late: true, begun, .. } => {
                let what = if begun { "the answer breaks off" } else { "no answer" };
                Fault::passing(format!("{what}: it takes longer than --deadline allows"))
            }
            Web::Unsent { .. } | Web::Unknown { .. } => {
                Fault::Passing { what: tame(&fault.to_string()), wait: None, billed }
            }
            Web::Untrusted { .. } => Error::failed(tame(&fault.to_string())).into(),
            Web::Malformed { .. } | Web::TooLarge { .. } => Error::data(tame(&fault.to_string())).into(),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Ended(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Passing { what, .. } => Error::failed(what),
            Fault::Refused(refusal) => Error::usage(refusal.sentence()),
            Fault::Ended(error) => error,
        }
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Before the second try; doubled with each further one.
    pub first_wait: Duration,
    /// For the next bytes of a body.
    pub stall: Duration,
    /// For all of one request, its download included: a server that drips never stalls.
    pub deadline: Duration,
}

/// The head of an answer with data, and the data to come.
pub struct Data {
    pub status: u16,
    pub request_id: Option<String>,
    pub warnings: Vec<String>,
    pub body: Answer,
}

/// Asks one server with one key.
pub struct Client {
    web: mes_web::Client,
    key: Secret,
    repeat: Repeat,
    limits: Limits,
}

impl Client {
    /// Makes one; the key is told to no other server.
    pub fn new(base: Base, key: Secret, patience: Patience) -> Client {
        let name = concat!("mes-fetch/", env!("CARGO_PKG_VERSION"));
        Client {
            web: mes_web::Client::new(base, name),
            key,
            repeat: Repeat { tries: TRIES, first_wait: patience.first_wait, longest_wait: LONGEST_WAIT },
            limits: Limits {
                deadline: patience.deadline,
                head: LONGEST_HEAD,
                stall: patience.stall,
                most_bytes: METADATA_BYTES,
            },
        }
    }

    /// Makes a free request by GET and returns its JSON.
    ///
    /// # Errors
    ///
    /// The fault of the last try.
    pub fn get(&self, method: &str, query: &[(&str, &str)]) -> Result<Value, Fault> {
        self.ask(method, Call::get(&path(method), query))
    }

    /// Makes a free request by POST and returns its JSON.
    ///
    /// # Errors
    ///
    /// The fault of the last try.
    pub fn post(&self, method: &str, form: &[(&str, &str)]) -> Result<Value, Fault> {
        self.ask(method, Call::form(&path(method), form))
    }

    fn ask(&self, name: &str, call: Call) -> Result<Value, Fault> {
        let limits = Limits { deadline: self.limits.deadline.min(LONGEST_QUESTION), ..self.limits };
        let question = call.basic(&self.key).within(limits).changes_nothing();
        // What stands behind escapes and tags shows only once they are read.
        let plain = |fault: mes_web::Fault| self.without_key(fault.into());
        let notice = |fault: &mes_web::Fault, wait| note(name, &plain(fault.clone()), wait);
        let body = self.web.ask(&question, &self.repeat, Answer::bytes, notice);
        let body = body.map_err(|fault| tried(name, plain(fault)))?;
        // Before it is read: whatever is made of it may be shown and kept.
        let body = self.key.redact(&String::from_utf8_lossy(&body));
        serde_json::from_str(&body)
            .map_err(|_| Error::data(format!("the server's answer is not JSON: {}", tame(&body))).into())
    }

    /// Asks for data, once: this is what costs money.
    ///
    /// # Errors
    ///
    /// The fault of the one try, or an answer that is no data.
    pub fn range(&self, form: &[(&str, &str)]) -> Result<Data, Fault> {
        let call = Call::form(&path("timeseries.get_range"), form).accepting("application/octet-stream");
        let body = self.web.send(call.basic(&self.key).within(self.limits))?;
        let request_id = body.header("request-id").map(|id| self.said(id));
        let warnings = body.header("x-warning").map(|text| self.warnings(text)).unwrap_or_default();
        if let Some(kind) = body.header("content-type").filter(|kind| !kind.contains("octet-stream")) {
            return Err(Error::data(format!("the server sends {} in place of data", self.said(kind))).into());
        }
        Ok(Data { status: body.status, request_id, warnings, body })
    }

    /// Tries until it works, is refused, or has been tried often enough. What is tried says what it spends.
    ///
    /// # Errors
    ///
    /// The fault of the last try.
    pub fn persist<T>(&self, name: &str, attempt: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
        let notice = |fault: &Fault, wait| note(name, fault, wait);
        self.repeat.run(attempt, Fault::pause, notice).map_err(|fault| tried(name, fault))
    }

    /// Makes a fault fit to be shown and kept: whatever the server had a say in may hold the key.
    pub fn without_key(&self, fault: Fault) -> Fault {
        let plain = |text: String| self.key.redact(&text);
        match fault {
            Fault::Passing { what, wait, billed } => Fault::Passing { what: plain(what), wait, billed },
            Fault::Refused(refusal) => Fault::Refused(refusal.with(plain)),
            Fault::Ended(error) => Fault::Ended(match error {
                Error::Failed(what) => Error::Failed(plain(what)),
                Error::Usage(what) => Error::Usage(plain(what)),
                Error::Data(what) => Error::Data(plain(what)),
                Error::Stopped(what) => Error::Stopped(plain(what)),
                Error::ReaderGone => Error::ReaderGone,
            }),
        }
    }

    /// Makes a server's words fit to be shown and kept.
    fn said(&self, text: &str) -> String {
        tame(&self.key.redact(text))
    }

    /// Reads X-Warning: a JSON list, or whatever it is.
    fn warnings(&self, text: &str) -> Vec<String> {
        match serde_json::from_str::<Vec<String>>(text) {
            Ok(warnings) => warnings.iter().map(|warning| self.said(warning)).collect(),
            Err(_) => vec![self.said(text)],
        }
    }
}

fn path(method: &str) -> String {
    format!("v0/{method}")
}

/// Says that something will be tried again.
fn note(name: &str, fault: &Fault, wait: Duration) {
    let Fault::Passing { what, wait: asked, .. } = fault else { return };
    let whose = if asked.is_some() { ", as the server asks" } else { "" };
    log::note(format!("{name}: {what}; again in {} s{whose}", wait.as_secs_f64()));
}

/// Says of what may pass that it did not, however often it was tried.
fn tried(name: &str, fault: Fault) -> Fault {
    match fault {
        Fault::Passing { what, .. } => Error::failed(format!("{name}: {what} (tried {TRIES} times)")).into(),
        fault => fault,
    }
}
