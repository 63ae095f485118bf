//! Why there is no answer, in kinds that say what may be done next.

use std::time::Duration;

use crate::{Pause, Secret};

/// A status that is not 2xx, and what came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// How long the server asks to wait, where it says so in seconds.
    pub retry_after: Option<Duration>,
    /// The first 64 KiB of its body, without secrets.
    pub body: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing left this machine: no name, no connection.
    #[error("no answer: {what}")]
    Unsent { what: String },
    /// Nothing left this machine, since whoever answered is not who was meant. Waiting does not help.
    #[error("no answer: {what}")]
    Untrusted { what: String },
    /// It was sent, or part of it was, and no whole answer came: nobody knows what the server did.
    #[error("{}: {what}", if *.begun { "the answer breaks off" } else { "no answer" })]
    Unknown {
        what: String,
        /// Whether the head of an answer had come.
        begun: bool,
        /// Whether the call's deadline ended it.
        late: bool,
    },
    /// 429: too many calls. This one was not carried out.
    #[error("the server answers {}", .0.status)]
    Limited(Refusal),
    /// Another status that is not 2xx, redirects among them.
    #[error("the server answers {}", .0.status)]
    Status(Refusal),
    /// The answer is whole and makes no sense.
    #[error("the server's answer is not {wanted}: {what}")]
    Malformed { wanted: &'static str, what: String },
    /// The answer is larger than the call allows.
    #[error("the server's answer is larger than {most} bytes")]
    TooLarge { most: u64 },
}

impl Fault {
    /// Says whether the server may have done what was asked all the same. Where it may have, a call that changes
    /// something is not to be made again before somebody has looked.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Fault::Unsent { .. } | Fault::Untrusted { .. } | Fault::Limited(_) => false,
            Fault::Status(refusal) => refusal.status == 408 || refusal.status >= 500,
            Fault::Unknown { .. } | Fault::Malformed { .. } | Fault::TooLarge { .. } => true,
        }
    }

    /// Returns how long to wait where the same question may be answered later.
    pub fn pause(&self) -> Option<Pause> {
        match self {
            Fault::Unsent { .. } | Fault::Unknown { .. } => Some(Pause { asked: None }),
            Fault::Limited(refusal) => Some(Pause { asked: refusal.retry_after }),
            Fault::Status(refusal) if refusal.status == 408 || refusal.status >= 500 => {
                Some(Pause { asked: refusal.retry_after })
            }
            Fault::Status(_) | Fault::Untrusted { .. } | Fault::Malformed { .. } | Fault::TooLarge { .. } => {
                None
            }
        }
    }

    /// Sorts what went wrong on the line. `begun` says whether the head of an answer had come.
    pub(crate) fn of(error: &ureq::Error, begun: bool) -> Fault {
        use std::io::ErrorKind;
        use ureq::{Error, Timeout};
        let what = error.to_string();
        match error {
            Error::BodyExceedsLimit(most) => Fault::TooLarge { most: *most },
            Error::Timeout(Timeout::Global) => {
                Fault::Unknown { what: "it takes longer than its deadline".to_owned(), begun, late: true }
            }
            _ if begun => Fault::Unknown { what, begun, late: false },
            Error::Tls(_) | Error::Rustls(_) | Error::BadUri(_) | Error::Http(_) => Fault::Untrusted { what },
            Error::HostNotFound
            | Error::ConnectionFailed
            | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Fault::Unsent { what },
            // Other kinds, an unreachable network among them, come from connections that stood, too. A name that is not
            // found has no kind of its own in std, only these words.
            Error::Io(error)
                if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::AddrNotAvailable)
                    || what.contains("failed to lookup address") =>
            {
                Fault::Unsent { what }
            }
            _ => Fault::Unknown { what, begun, late: false },
        }
    }

    /// Takes every part of some secrets out of its text.
    pub(crate) fn without(mut self, secrets: &[Secret]) -> Fault {
        let text = match &mut self {
            Fault::Unsent { what }
            | Fault::Untrusted { what }
            | Fault::Unknown { what, .. }
            | Fault::Malformed { what, .. } => what,
            Fault::Limited(refusal) | Fault::Status(refusal) => &mut refusal.body,
            Fault::TooLarge { .. } => return self,
        };
        for secret in secrets {
            *text = secret.redact(text);
        }
        self
    }
}
