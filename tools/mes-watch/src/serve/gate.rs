//! Who gets in. The token stands in the fragment of the address, which no request carries; the page shows it once and gets
//! a cookie that scripts cannot read and a key that cookies cannot leak.
//!
//! Both are asked for: a cookie of 127.0.0.1 goes to every port of it, so a server of another user on this machine could
//! collect it; the key is kept by the page, and pages of other ports cannot read it.

use std::{
    fs::File,
    io::Read,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hyper::{HeaderMap, header};
use mes_pipe::{Error, Result, clock::Deadline};

use crate::act::Act;

/// The most sessions at once; the oldest makes room.
const SESSIONS: usize = 16;
/// The most questions of a session that wait for their second answer.
const QUESTIONS: usize = 4;
/// How long a question may wait for its answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The header of the page's key.
pub const KEY: &str = "x-mes-key";

/// The token of this process, and who has shown it.
pub struct Gate {
    token: String,
    cookie: String,
    sessions: Mutex<Vec<Session>>,
}

struct Session {
    cookie: String,
    key: String,
    questions: Vec<(String, Act, Deadline)>,
}

impl Gate {
    /// Draws a token; `port` keeps the cookies of two servers apart.
    ///
    /// # Errors
    ///
    /// `Failed` where the system gives no randomness.
    pub fn new(port: u16) -> Result<Gate> {
        Ok(Gate { token: secret()?, cookie: format!("mes_watch_{port}"), sessions: Mutex::default() })
    }

    /// Returns the token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Opens a session for whoever shows the token: the cookie to set, and the key.
    pub fn open(&self, token: &str) -> Option<(String, String)> {
        if !same(token, &self.token) {
            return None;
        }
        let (cookie, key) = (secret().ok()?, secret().ok()?);
        let set = format!("{}={cookie}; HttpOnly; SameSite=Strict; Path=/", self.cookie);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= SESSIONS {
            sessions.remove(0);
        }
        sessions.push(Session { cookie, key: key.clone(), questions: Vec::new() });
        Some((set, key))
    }

    /// Says whether a request comes from a page that was let in.
    pub fn knows(&self, headers: &HeaderMap) -> bool {
        self.with(headers, |_| ()).is_some()
    }

    /// Begins a question; the answer has to bring what is returned.
    pub fn ask(&self, headers: &HeaderMap, act: Act) -> Option<String> {
        let once = secret().ok()?;
        self.with(headers, |session| {
            if session.questions.len() >= QUESTIONS {
                session.questions.remove(0);
            }
            session.questions.push((once.clone(), act, Deadline::after(PATIENCE)));
        })?;
        Some(once)
    }

    /// Returns what was asked, once, if the answer is in time.
    pub fn answer(&self, headers: &HeaderMap, once: &str) -> Option<Act> {
        self.with(headers, |session| {
            let at = session.questions.iter().position(|(asked, ..)| same(asked, once))?;
            let (_, act, deadline) = session.questions.remove(at);
            (!deadline.left().is_zero()).then_some(act)
        })?
    }

    fn with<T>(&self, headers: &HeaderMap, act: impl FnOnce(&mut Session) -> T) -> Option<T> {
        let key = headers.get(KEY)?.to_str().ok()?;
        let cookie = self.cookie_of(headers)?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session =
            sessions.iter_mut().find(|session| same(&session.cookie, cookie) & same(&session.key, key))?;
        Some(act(session))
    }

    fn cookie_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == self.cookie).map(|(_, value)| value).next()
    }
}

/// Says whether a request was meant for this server and sent by its own page: no other name for it, as after DNS was
/// turned round, and no other origin.
pub fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    // Any port: it may come through a tunnel.
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let named = ["127.0.0.1", "localhost"].contains(&name);
    let origin = text("origin").is_none_or(|origin| origin == format!("http://{host}"));
    let site = text("sec-fetch-site").is_none_or(|site| ["same-origin", "none"].contains(&site));
    named && origin && site
}

/// Compares without telling by the time it takes where the first difference is.
fn same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other));
    one.len() == other.len() && differ == 0
}

/// Draws 256 bits.
fn secret() -> Result<String> {
    let mut bytes = [0_u8; 32];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| Error::failed(error).at("/dev/urandom"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn only_our_own_page_is_ours() {
        for (pairs, ours) in [
            (&[("host", "127.0.0.1:80")][..], true),
            (&[("host", "localhost:9000"), ("origin", "http://localhost:9000")], true),
            (&[("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1:81")], false),
            (&[("host", "127.0.0.1:80"), ("origin", "null")], false),
            (&[("host", "evil.example:80")], false),
            (&[("host", "127.0.0.1.evil.example")], false),
            (&[("host", "127.0.0.1:80"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "127.0.0.1:80"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "127.0.0.1:80"), ("sec-fetch-site", "none")], true),
            (&[], false),
        ] {
            assert_eq!(is_ours(&headers(pairs)), ours, "{pairs:?}");
        }
    }

    #[test]
    fn a_session_needs_cookie_and_key_and_a_question_is_answered_once() {
        let gate = Gate::new(7).expect("random bytes");
        assert!(gate.open("").is_none() && gate.open(&gate.token[1..]).is_none());
        let (set, key) = gate.open(gate.token()).expect("its own token");
        let cookie = set.split(';').next().expect("a cookie");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"));
        assert!(!gate.knows(&headers(&[("cookie", cookie)])));
        assert!(!gate.knows(&headers(&[(KEY, &key)])));
        let both = headers(&[("cookie", &format!("other=1; {cookie}")), (KEY, &key)]);
        assert!(gate.knows(&both));
        let (other, _) = gate.open(gate.token()).expect("its own token");
        assert!(
            !gate.knows(&headers(&[("cookie", other.split(';').next().expect("a cookie")), (KEY, &key)]))
        );
        let once = gate.ask(&both, Act::Kill).expect("a session");
        assert_eq!(gate.answer(&both, "x"), None);
        assert_eq!(gate.answer(&both, &once), Some(Act::Kill));
        assert_eq!(gate.answer(&both, &once), None);
        for _ in 0..SESSIONS {
            gate.open(gate.token()).expect("its own token");
        }
        assert!(!gate.knows(&both), "the oldest made room");
    }
}
