//! What is asked, and within what limits.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::{Fault, Secret};

/// How long and how much one call may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For all of it, its body included: a server that drips never stalls.
    pub deadline: Duration,
    /// For the head of the answer.
    pub head: Duration,
    /// For the next bytes of a body.
    pub stall: Duration,
    /// For a body that is read as a whole, in bytes.
    pub most_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let (deadline, stall) = (Duration::from_secs(30), Duration::from_secs(10));
        Limits { deadline, head: deadline, stall, most_bytes: 4 << 20 }
    }
}

/// What goes with a call.
pub(crate) enum Body {
    Get,
    Form(Vec<(String, String)>),
    Json(String),
}

/// One request, which is made at most once: sending uses it up, and it cannot be cloned.
///
/// ```compile_fail
/// # fn send(client: &mes_web::Client, call: mes_web::Call) {
/// let _ = client.send(call);
/// let _ = client.send(call);
/// # }
/// ```
pub struct Call {
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) accept: &'static str,
    pub(crate) authorization: Option<String>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) limits: Limits,
}

/// A call that changes nothing, whatever its method, and so may be made again.
pub struct Question(pub(crate) Call);

impl Call {
    fn new(path: &str, body: Body) -> Call {
        let (query, secrets, accept) = (Vec::new(), Vec::new(), "application/json");
        Call {
            path: path.to_owned(),
            query,
            body,
            accept,
            authorization: None,
            secrets,
            limits: Limits::default(),
        }
    }

    /// Makes a GET of a path below the client's base.
    pub fn get(path: &str, query: &[(&str, &str)]) -> Call {
        Call { query: owned(query), ..Call::new(path, Body::Get) }
    }

    /// Makes a POST of a form.
    pub fn form(path: &str, form: &[(&str, &str)]) -> Call {
        Call::new(path, Body::Form(owned(form)))
    }

    /// Makes a POST of JSON. What is secret in it is named by [`Call::hiding`].
    ///
    /// # Errors
    /// [`Fault::Malformed`] for a body that JSON cannot hold.
    pub fn json(path: &str, body: &impl Serialize) -> Result<Call, Fault> {
        let body = serde_json::to_string(body)
            .map_err(|error| Fault::Malformed { wanted: "JSON", what: error.to_string() })?;
        Ok(Call::new(path, Body::Json(body)))
    }

    /// Returns the path below the client's base.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the body where it is JSON; it may hold what is secret.
    pub fn body(&self) -> Option<&str> {
        match &self.body {
            Body::Json(json) => Some(json),
            Body::Get | Body::Form(_) => None,
        }
    }

    /// Returns the token that goes with it.
    pub fn token(&self) -> Option<&str> {
        self.authorization.as_deref()?.strip_prefix("Bearer ")
    }

    /// Asks for another kind of content than JSON.
    pub fn accepting(self, accept: &'static str) -> Call {
        Call { accept, ..self }
    }

    /// Shows a key as a user's name without a password.
    pub fn basic(self, key: &Secret) -> Call {
        let authorization = Some(format!("Basic {}", STANDARD.encode(format!("{}:", key.reveal()))));
        Call { authorization, ..self }.hiding(key)
    }

    /// Shows a token.
    pub fn bearer(self, token: &Secret) -> Call {
        Call { authorization: Some(format!("Bearer {}", token.reveal())), ..self }.hiding(token)
    }

    /// Takes a secret that stands in the body out of the text of every fault from here on.
    pub fn hiding(mut self, secret: &Secret) -> Call {
        self.secrets.push(secret.clone());
        self
    }

    /// Sets how long and how much it may take.
    pub fn within(self, limits: Limits) -> Call {
        Call { limits, ..self }
    }

    /// Says that it changes nothing, and so may be made again.
    pub fn changes_nothing(self) -> Question {
        Question(self)
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
