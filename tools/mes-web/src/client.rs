//! Sends calls, each once, and sorts what comes back.

use std::{
    io::Read,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use ureq::{
    Agent, Body as Content, RequestBuilder,
    http::{HeaderValue, Response},
};

use crate::{Answer, Base, Call, Fault, Question, Refusal, Repeat, Secret, answer::header, call::Body};

/// The most of a refusal that is read.
const REFUSAL_BYTES: u64 = 1 << 16;
/// The longest that setting up a connection may take.
const CONNECT: Duration = Duration::from_secs(15);

/// One server, and the secrets that it was ever shown.
pub struct Client {
    agent: Agent,
    base: Base,
    secrets: RwLock<Vec<Secret>>,
}

impl Client {
    /// Prepares to ask one server; nothing is sent. `name` is what it calls itself: `mes-fetch/0.1.0`.
    pub fn new(base: Base, name: &str) -> Client {
        let mut config =
            Agent::config_builder().http_status_as_error(false).max_redirects(0).user_agent(name);
        if base.is_plain() {
            // A proxy would carry secrets off this machine in clear.
            config = config.proxy(None);
        }
        Client { agent: config.build().new_agent(), base, secrets: RwLock::default() }
    }

    /// Makes a call, once.
    ///
    /// # Errors
    /// A [`Fault`], which says whether it may have happened all the same.
    pub fn send(&self, call: Call) -> Result<Answer, Fault> {
        self.sent(&call)
    }

    /// Asks a question until it is answered, waiting does not help, or it has been asked often enough. `read` takes the
    /// answer in, since that may fail as well; `notice` hears of each failure and of the wait before the next try.
    ///
    /// # Errors
    /// The [`Fault`] of the last try.
    pub fn ask<T>(
        &self,
        question: &Question,
        repeat: &Repeat,
        read: impl Fn(Answer) -> Result<T, Fault>,
        notice: impl FnMut(&Fault, Duration),
    ) -> Result<T, Fault> {
        repeat.run(|| self.sent(&question.0).and_then(&read), Fault::pause, notice)
    }

    fn sent(&self, call: &Call) -> Result<Answer, Fault> {
        let secrets = self.known(&call.secrets);
        let url = self.base.url(&call.path);
        let sent = match &call.body {
            Body::Get => {
                let get = dressed(self.agent.get(url), call);
                call.query.iter().fold(get, |get, (name, value)| get.query(name, value)).call()
            }
            Body::Form(form) => {
                let form = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                dressed(self.agent.post(url), call).send_form(form)
            }
            Body::Json(json) => {
                dressed(self.agent.post(url), call).content_type("application/json").send(json)
            }
        };
        let response = sent.map_err(|error| Fault::of(&error, false).without(&secrets))?;
        if response.status().is_success() {
            return Ok(Answer::new(response, call.limits.most_bytes, secrets));
        }
        Err(refused(response).without(&secrets))
    }

    /// Returns all secrets that this server was ever shown: it may echo any of them.
    fn known(&self, new: &[Secret]) -> Vec<Secret> {
        let mut known = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        for secret in new {
            if !known.iter().any(|other| other.is(secret)) {
                known.push(secret.clone());
            }
        }
        known.clone()
    }
}

/// Puts on a request what every call has.
fn dressed<B>(request: RequestBuilder<B>, call: &Call) -> RequestBuilder<B> {
    let limits = call.limits;
    let request = request
        .config()
        // Half of the deadline at most, so that a connection that never stood is told from a late answer.
        .timeout_resolve(Some(CONNECT.min(limits.deadline / 4)))
        .timeout_connect(Some(CONNECT.min(limits.deadline / 2)))
        .timeout_recv_response(Some(limits.head))
        .timeout_per_read(Some(limits.stall))
        .timeout_global(Some(limits.deadline))
        .build()
        .header("accept", call.accept);
    let Some(Ok(mut value)) = call.authorization.as_deref().map(HeaderValue::from_str) else {
        return request;
    };
    value.set_sensitive(true);
    request.header("authorization", value)
}

/// Reads what comes with a status that is not 2xx.
fn refused(mut response: Response<Content>) -> Fault {
    let status = response.status().as_u16();
    let seconds = header(response.headers(), "retry-after").and_then(|text| text.trim().parse().ok());
    let mut body = Vec::new();
    // What came of a refusal that breaks off is all there is to be told.
    let _ = response.body_mut().as_reader().take(REFUSAL_BYTES).read_to_end(&mut body);
    let body = String::from_utf8_lossy(&body).into_owned();
    let refusal = Refusal { status, retry_after: seconds.map(Duration::from_secs), body };
    if status == 429 { Fault::Limited(refusal) } else { Fault::Status(refusal) }
}
