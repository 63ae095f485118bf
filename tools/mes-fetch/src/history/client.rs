//! Talks to the server: one request at a time, and again where that may help.

use std::{thread::sleep, time::Duration};

use mes_pipe::{Error, log};
use serde_json::Value;
use ureq::{
    Agent, Body, RequestBuilder,
    http::{Response, header::HeaderMap},
    typestate::WithoutBody,
};

use super::{
    key::Key,
    refusal::{Refusal, tame},
};

/// How often a request is made at most.
pub const TRIES: u32 = 5;
/// The longest wait that a server can ask for.
const LONGEST_WAIT_S: u64 = 60;
/// What is told of the key is looked for in all of it, which takes some 70 times its bytes.
const METADATA_BYTES: u64 = 4 << 20;
const REFUSAL_BYTES: u64 = 1 << 16;
/// The longest that a request without data may take.
const LONGEST_QUESTION: Duration = Duration::from_secs(300);

/// Why there is no answer.
#[derive(Debug)]
pub enum Fault {
    /// It may work the next time: a lost line, a cut body, a busy server. Data that began to come may be billed.
    Passing { what: String, wait_s: Option<u64>, billed: bool },
    /// The server will not.
    Refused(Refusal),
    /// It is over for a reason of ours.
    Ended(Error),
}

impl Fault {
    pub fn passing(what: impl ToString) -> Fault {
        Fault::Passing { what: what.to_string(), wait_s: None, billed: true }
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

/// The head of an answer with data.
pub struct Answer {
    pub status: u16,
    pub request_id: Option<String>,
    pub warnings: Vec<String>,
    pub body: Body,
}

pub struct Client {
    agent: Agent,
    base: String,
    key: Key,
    patience: Patience,
}

impl Client {
    pub fn new(base: String, key: Key, patience: Patience) -> Client {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("mes-fetch/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(120)))
            .timeout_per_read(Some(patience.stall))
            .timeout_global(Some(patience.deadline));
        if base.starts_with("http:") {
            // A proxy would carry the key off this machine in clear.
            config = config.proxy(None);
        }
        Client { agent: config.build().new_agent(), base, key, patience }
    }

    /// Makes a free request by GET and returns its JSON.
    pub fn get(&self, method: &str, query: &[(&str, &str)]) -> Result<Value, Fault> {
        self.persist(method, || {
            let question = self.patience.deadline.min(LONGEST_QUESTION);
            let get = self.agent.get(self.url(method)).config().timeout_global(Some(question));
            let mut request: RequestBuilder<WithoutBody> = get.build();
            for (name, value) in query {
                request = request.query(*name, *value);
            }
            let request =
                request.header("authorization", self.key.header()).header("accept", "application/json");
            self.json(self.answered(request.call())?)
        })
    }

    /// Makes a free request by POST and returns its JSON.
    pub fn post(&self, method: &str, form: &[(&str, &str)]) -> Result<Value, Fault> {
        let question = self.patience.deadline.min(LONGEST_QUESTION);
        self.persist(method, || self.json(self.send(method, "application/json", form, question)?))
    }

    /// Asks for data, once: this is what costs money.
    pub fn range(&self, form: &[(&str, &str)]) -> Result<Answer, Fault> {
        let deadline = self.patience.deadline;
        let response = self.send("timeseries.get_range", "application/octet-stream", form, deadline)?;
        let headers = response.headers();
        let request_id = header(headers, "request-id").map(|id| self.said(id));
        let warnings = header(headers, "x-warning").map(|text| self.warnings(text)).unwrap_or_default();
        if let Some(kind) = header(headers, "content-type").filter(|kind| !kind.contains("octet-stream")) {
            return Err(Error::data(format!("the server sends {} in place of data", self.said(kind))).into());
        }
        Ok(Answer { status: response.status().as_u16(), request_id, warnings, body: response.into_body() })
    }

    /// Tries until it works, is refused, or has been tried often enough.
    pub fn persist<T>(&self, name: &str, mut attempt: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
        let mut wait = self.patience.first_wait;
        for tries in 1.. {
            let (what, asked) = match attempt() {
                Err(Fault::Passing { what, wait_s, .. }) => (what, wait_s),
                done => return done,
            };
            if tries >= TRIES {
                return Err(Error::failed(format!("{name}: {what} (tried {tries} times)")).into());
            }
            let pause = asked.map_or(wait, |seconds| Duration::from_secs(seconds.min(LONGEST_WAIT_S)));
            let whose = if asked.is_some() { ", as the server asks" } else { "" };
            log::note(format!("{name}: {what}; again in {} s{whose}", pause.as_secs_f64()));
            sleep(pause);
            wait *= 2;
        }
        Err(Fault::passing("not tried"))
    }

    /// Makes a fault fit to be shown and kept: whatever the server had a say in may hold the key.
    pub fn without_key(&self, fault: Fault) -> Fault {
        let plain = |text: String| self.key.redact(&text);
        match fault {
            Fault::Passing { what, wait_s, billed } => Fault::Passing { what: plain(what), wait_s, billed },
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

    fn url(&self, method: &str) -> String {
        format!("{}/v0/{method}", self.base)
    }

    fn send(
        &self,
        method: &str,
        accept: &str,
        form: &[(&str, &str)],
        deadline: Duration,
    ) -> Result<Response<Body>, Fault> {
        let request = self.agent.post(self.url(method)).config().timeout_global(Some(deadline)).build();
        let request = request.header("authorization", self.key.header()).header("accept", accept);
        self.answered(request.send_form(form.iter().copied()))
    }

    /// Sorts an answer by its status.
    fn answered(&self, sent: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Fault> {
        let mut response = sent.map_err(|error| {
            let what = self.said(&format!("no answer: {}", told(&error)));
            match error {
                ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::BadUri(_) => {
                    Error::failed(what).into()
                }
                _ => Fault::passing(what),
            }
        })?;
        let status = response.status().as_u16();
        if matches!(status, 200 | 206) {
            return Ok(response);
        }
        let wait_s = header(response.headers(), "retry-after").and_then(|text| text.trim().parse().ok());
        let body = response.body_mut().with_config().limit(REFUSAL_BYTES).read_to_vec().unwrap_or_default();
        // Only what is left of escapes and tags shows whether the key is in it.
        let refusal =
            Refusal::read(status, &String::from_utf8_lossy(&body)).with(|text| self.key.redact(&text));
        if refusal.is_passing() {
            let text = if refusal.text.is_empty() { String::new() } else { format!(": {}", refusal.text) };
            return Err(Fault::Passing {
                what: format!("the server answers {status}{text}"),
                wait_s,
                billed: false,
            });
        }
        Err(Fault::Refused(refusal))
    }

    fn json(&self, mut response: Response<Body>) -> Result<Value, Fault> {
        let body = response.body_mut().with_config().limit(METADATA_BYTES).read_to_vec();
        let body =
            body.map_err(|error| Fault::passing(format!("the answer breaks off: {}", told(&error))))?;
        let body = self.key.redact(&String::from_utf8_lossy(&body));
        serde_json::from_str(&body)
            .map_err(|_| Error::data(format!("the server's answer is not JSON: {}", tame(&body))).into())
    }

    /// Reads X-Warning: a JSON list, or whatever it is.
    fn warnings(&self, text: &str) -> Vec<String> {
        match serde_json::from_str::<Vec<String>>(text) {
            Ok(warnings) => warnings.iter().map(|warning| self.said(warning)).collect(),
            Err(_) => vec![self.said(text)],
        }
    }
}

/// Says what went wrong on the line, and which flag waits longer.
pub fn told(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(ureq::Timeout::Global) => "it takes longer than --deadline allows".to_owned(),
        error => error.to_string(),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
