//! An answer with a status of 2xx.

use std::io::{ErrorKind, Read};

use serde::de::DeserializeOwned;
use ureq::{Body, BodyReader, http::header::HeaderMap};

use crate::{Fault, Secret};

/// The most of a body that makes no sense which a fault shows, in characters.
const SHOWN: usize = 200;

/// The head of an answer, and its body as it comes.
pub struct Answer {
    pub status: u16,
    headers: HeaderMap,
    body: BodyReader<'static>,
    most_bytes: u64,
    secrets: Vec<Secret>,
}

impl Answer {
    pub(crate) fn new(response: ureq::http::Response<Body>, most_bytes: u64, secrets: Vec<Secret>) -> Answer {
        let (head, body) = response.into_parts();
        let (status, headers) = (head.status.as_u16(), head.headers);
        Answer { status, headers, body: body.into_reader(), most_bytes, secrets }
    }

    /// Returns a header, as the server wrote it.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Reads the next bytes of the body; 0 at its end. The limit on bytes is the reader's.
    ///
    /// # Errors
    /// [`Fault::Unknown`] for a line that was cut or takes too long.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        loop {
            let error = match self.body.read(buffer) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            // What the line has to say comes wrapped.
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
            let plain = || Fault::Unknown { what: error.to_string(), begun: true, late: false };
            let fault = inner.map_or_else(plain, |inner| Fault::of(inner, true));
            return Err(fault.without(&self.secrets));
        }
    }

    /// Reads all of the body, as it is.
    ///
    /// # Errors
    /// As [`Answer::read`], and [`Fault::TooLarge`].
    pub fn bytes(mut self) -> Result<Vec<u8>, Fault> {
        let most = self.most_bytes;
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 1 << 14]);
        loop {
            match self.read(&mut buffer)? {
                0 => return Ok(bytes),
                count if (bytes.len() + count) as u64 > most => return Err(Fault::TooLarge { most }),
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// Reads the body as JSON, whatever the server calls it.
    ///
    /// # Errors
    /// As [`Answer::bytes`], and [`Fault::Malformed`].
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Fault> {
        let secrets = self.secrets.clone();
        let bytes = self.bytes()?;
        serde_json::from_slice(&bytes).map_err(|error| {
            // Taken out before it is cut: what is left of a secret behind a cut may be too short to be found.
            let whole =
                Fault::Malformed { wanted: "JSON", what: String::from_utf8_lossy(&bytes).into_owned() };
            match whole.without(&secrets) {
                Fault::Malformed { wanted, what } => {
                    let shown: String = what.chars().take(SHOWN).collect();
                    Fault::Malformed {
                        wanted,
                        what: format!("{shown} ({:?}, line {})", error.classify(), error.line()),
                    }
                }
                fault => fault,
            }
        })
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
