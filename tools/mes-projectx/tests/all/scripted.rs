//! A service whose answers are written down.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mes_core::time::{SECOND, Ts};
use mes_pipe::clock::Clock;
use mes_projectx::{Carrier, Client, Credentials, Keeper};
use mes_web::{Call, Fault, Refusal, Secret};

pub const USER: &str = "trader-nine";
pub const KEY: &str = "Zq7Kp2Wx9Lm4Rt6Yv1Nc8Hs3Jd5Fg0Bq";
/// 2026-11-20 15:00 UTC.
const NOW: Ts = 1_795_186_800 * SECOND;
/// What a token lives, in seconds.
const LIFE: i64 = 24 * 3600;

type Answer = Box<dyn Fn(&str, usize) -> Result<String, Fault> + Send + Sync>;

#[derive(Clone)]
pub struct Scripted {
    pub clock: Clock,
    pub keeper: Arc<Keeper>,
    service: Arc<Service>,
}

struct Service {
    clock: Clock,
    answer: Answer,
    calls: Mutex<BTreeMap<String, usize>>,
    tokens: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Scripted {
    /// Answers calls other than a login by their path and how many there were, this one included.
    pub fn answering<T: Into<String>>(
        answer: impl Fn(&str, usize) -> Result<T, Fault> + Send + Sync + 'static,
    ) -> Scripted {
        Scripted::new(Box::new(move |path, nth| match path {
            "api/Auth/loginKey" => Ok("{login}".to_owned()),
            path => answer(path, nth).map(Into::into),
        }))
    }

    /// Answers all, `{login}` being the envelope with a new token.
    pub fn new(answer: Answer) -> Scripted {
        let clock = Clock::by_hand(NOW);
        let service = Arc::new(Service {
            clock: clock.clone(),
            answer,
            calls: Mutex::default(),
            tokens: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let keeper = service.keeper(clock.clone());
        Scripted { clock, keeper, service }
    }

    /// A keeper of its own, by another clock.
    pub fn keeper_by(&self, clock: Clock) -> Arc<Keeper> {
        self.service.keeper(clock)
    }

    pub fn client(&self) -> Client {
        Client::new(self.service.clone(), self.keeper.clone())
    }

    pub fn calls_of(&self, end: &str) -> usize {
        let calls = self.service.calls.lock().expect("calls");
        calls.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, count)| count).sum()
    }

    pub fn calls(&self) -> usize {
        self.service.calls.lock().expect("calls").values().sum()
    }

    pub fn most_at_once(&self) -> usize {
        self.service.most_at_once.load(Ordering::SeqCst)
    }

    pub fn secrets(&self) -> Vec<String> {
        let tokens = self.service.tokens.lock().expect("tokens").clone();
        [vec![USER.to_owned(), KEY.to_owned()], tokens].concat()
    }
}

impl Service {
    fn keeper(self: &Arc<Service>, clock: Clock) -> Arc<Keeper> {
        let credentials = Credentials { user: Secret::new(USER), key: Secret::new(KEY) };
        Arc::new(Keeper::new(self.clone(), credentials, clock))
    }

    fn token(&self) -> String {
        let mut tokens = self.tokens.lock().expect("tokens");
        let claims = format!(r#"{{"exp":{},"jti":{}}}"#, self.clock.now().utc / SECOND + LIFE, tokens.len());
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        tokens.push(format!("{}.{}.{}", part(r#"{"alg":"HS256"}"#), part(&claims), part("a signature")));
        tokens.last().expect("one").clone()
    }

    fn nth(&self, path: &str) -> usize {
        let mut calls = self.calls.lock().expect("calls");
        let count = calls.entry(path.to_owned()).or_default();
        *count += 1;
        *count
    }
}

impl Carrier for Service {
    fn carry(&self, call: Call) -> Result<Vec<u8>, Fault> {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let nth = self.nth(call.path());
        let body = call.body().unwrap_or_default();
        if call.path().ends_with("loginKey") {
            assert!(body.contains(USER) && body.contains(KEY) && call.token().is_none(), "{body}");
        } else {
            let tokens = self.tokens.lock().expect("tokens");
            assert!(!body.contains(KEY) && tokens.iter().any(|token| Some(token.as_str()) == call.token()));
        }
        let answered = (self.answer)(call.path(), nth);
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let fill = |text: String, [token, key]: [&str; 2]| {
            let field = match text.as_str() {
                "{login}" => "token",
                "{renewed}" => "newToken",
                _ => return text.replace("{token}", token).replace("{key}", key),
            };
            format!(r#"{{"{field}":"{}","success":true,"errorCode":0,"errorMessage":null}}"#, self.token())
        };
        match answered {
            Ok(text) => Ok(fill(text, [call.token().unwrap_or_default(), KEY]).into_bytes()),
            // As mes-web does: the text of a fault holds no secret.
            Err(Fault::Status(refusal)) => {
                Err(Fault::Status(Refusal { body: fill(refusal.body, ["…", "…"]), ..refusal }))
            }
            Err(fault) => Err(fault),
        }
    }
}
