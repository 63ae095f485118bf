//! Who may speak for the user: one token, renewed long before it ends, and one budget of calls.
//!
//! A login makes a new token and may throw another session out, so there is one at a time, and only where a token is
//! missing, has ended, or is not taken. One process of a run holds all this ([`Keeper`]) and lends it to the others
//! ([`crate::share`]).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mes_core::time::{HOUR, MINUTE, Now, SECOND, Ts};
use mes_pipe::{Error, clock::Clock};
use mes_web::Secret;
use serde_json::Value;

use crate::{
    carrier::{Carrier, LIMITS, call},
    limiter::{Limiter, Purpose, Window},
    outcome::{Failure, Refusal},
    wire::{AuthCode, Login, Logout, LogoutCode, Validate},
};

/// The longest that a token is believed to live: the service says 24 hours.
const LIFE: i64 = 24 * HOUR;
/// Between two logins that failed; doubled with each further one.
const FIRST_WAIT: i64 = 2 * SECOND;
const LONGEST_WAIT: i64 = 5 * MINUTE;

/// How it is told that the service does not want this user and key.
const REFUSED: &str = "the login is refused: ";

/// A token, and which one in a row: who says that it is not taken says of which.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: Secret,
    pub generation: u64,
}

/// Gives tokens and calls.
pub trait Access: Send + Sync {
    /// Returns the token of now.
    ///
    /// # Errors
    ///
    /// Why there is none, in words.
    fn token(&self) -> Result<Token, String>;

    /// Takes in that the service does not take the token of this generation.
    fn rejected(&self, generation: u64);

    /// Takes one call out of the budget.
    ///
    /// # Errors
    ///
    /// How long to wait until there is one.
    fn spend(&self, window: Window, purpose: Purpose) -> Result<(), Duration>;

    /// Takes in that the service finds it too much.
    fn busy(&self, window: Window, asked: Option<Duration>);
}

/// What a person logs in with.
#[derive(Clone)]
pub struct Credentials {
    pub user: Secret,
    pub key: Secret,
}

impl Credentials {
    /// Takes them from the environment.
    ///
    /// # Errors
    ///
    /// `Usage` where one is not set; no part of either is told.
    pub fn from_env() -> mes_pipe::Result<Credentials> {
        let secret = |variable: &str, about: &str| match std::env::var(variable) {
            Ok(text) if !text.is_empty() && text.chars().all(|letter| letter.is_ascii_graphic()) => {
                Ok(Secret::new(text))
            }
            Ok(_) => Err(Error::usage(format!("{variable} is empty or holds what is no letter"))),
            Err(_) => Err(Error::usage(format!("no {about}: export {variable}=…"))),
        };
        Ok(Credentials {
            user: secret("TOPSTEPX_USERNAME", "user: the name one logs in with at TopstepX")?,
            key: secret("TOPSTEPX_API_KEY", "key: TopstepX makes one under Settings, API")?,
        })
    }
}

/// Holds the one session of a run.
pub struct Keeper {
    carrier: Arc<dyn Carrier>,
    credentials: Credentials,
    clock: Clock,
    state: Mutex<State>,
    /// Held by whoever logs in or renews.
    at_the_door: Mutex<()>,
}

struct State {
    token: Option<Held>,
    generation: u64,
    limiter: Limiter,
    failed: Option<Failed>,
}

#[derive(Clone)]
struct Held {
    token: Token,
    /// On the steady clock, on which all waits are.
    renew_at: i64,
    ends_at: i64,
}

/// A login that failed, and until when none is tried again.
struct Failed {
    why: String,
    until: i64,
    wait: i64,
}

impl Keeper {
    /// Makes one that has not logged in yet.
    pub fn new(carrier: Arc<dyn Carrier>, credentials: Credentials, clock: Clock) -> Keeper {
        let state = State { token: None, generation: 0, limiter: Limiter::default(), failed: None };
        Keeper { carrier, credentials, clock, state: Mutex::new(state), at_the_door: Mutex::new(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the token that is good now, and whether it is time for a new one.
    fn held(&self) -> Option<(Held, bool)> {
        let now = self.clock.now().steady;
        let held = self.state().token.clone().filter(|held| now < held.ends_at)?;
        let due = now >= held.renew_at;
        Some((held, due))
    }

    /// Ends the session, where there is one; whether that ends others of the same user is not known.
    ///
    /// # Errors
    ///
    /// Why the service may not have heard of it. The token is forgotten all the same.
    pub fn log_out(&self) -> Result<(), Failure<LogoutCode>> {
        let Some((held, _)) = self.held() else { return Ok(()) };
        self.forget(held.token.generation);
        call(&*self.carrier, &Logout {}, Some(&held.token.secret), &[], LIMITS).map(|_| ())
    }

    fn logged_in(&self) -> Result<Token, String> {
        let door = self.at_the_door.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever was at the door before us may have brought one.
        if let Some((held, _)) = self.held() {
            return Ok(held.token);
        }
        let now = self.clock.now();
        if let Some(failed) = self.state().failed.as_ref().filter(|failed| now.steady < failed.until) {
            let wait = (failed.until - now.steady + SECOND - 1) / SECOND;
            return Err(format!("{}; the next try in {wait} s", failed.why));
        }
        self.spend(Window::Calls, Purpose::Exit)
            .map_err(|wait| format!("the budget of calls is used up for {wait:?}"))?;
        let Credentials { user, key } = &self.credentials;
        let login = Login { user_name: user.reveal().to_owned(), api_key: key.reveal().to_owned() };
        let answered = call(&*self.carrier, &login, None, &[user, key], LIMITS);
        let result = match answered {
            Ok(text) => Ok(self.keep(Secret::new(text), now)),
            Err(failure) => Err(self.failed(&failure, now)),
        };
        drop(door);
        result
    }

    fn keep(&self, secret: Secret, now: Now) -> Token {
        let mut state = self.state();
        state.generation += 1;
        // One that has ended as it is made says that a clock is wrong, not that it is no token.
        let life = life(secret.reveal(), now.utc).filter(|life| *life > 0).unwrap_or(LIFE).min(LIFE);
        let token = Token { secret, generation: state.generation };
        // At half of its life: what fails then has hours to succeed. An old one that was found good is not asked about
        // ever faster towards its end.
        let (renew_at, ends_at) = (now.steady + (life / 2).max(MINUTE), now.steady + life);
        state.token = Some(Held { token: token.clone(), renew_at, ends_at });
        state.failed = None;
        token
    }

    fn failed(&self, failure: &Failure<AuthCode>, now: Now) -> String {
        let mut state = self.state();
        let wait = state.failed.as_ref().map_or(FIRST_WAIT, |failed| (failed.wait * 2).min(LONGEST_WAIT));
        let why = match failure {
            Failure::Refused(Refusal::Code { code, message, .. }) => {
                refused_because(*code, message.as_deref())
            }
            other => format!("the login failed: {other}"),
        };
        state.failed = Some(Failed { why: why.clone(), until: now.steady + wait, wait });
        why
    }

    /// Asks for a new token with the old one. Whatever comes of it, the old one goes on until it ends or is not taken.
    fn renew(&self, held: &Held) {
        // Another renews.
        let Ok(_door) = self.at_the_door.try_lock() else { return };
        if self.state().generation != held.token.generation
            || self.spend(Window::Calls, Purpose::Exit).is_err()
        {
            return;
        }
        let now = self.clock.now();
        match call(&*self.carrier, &Validate {}, Some(&held.token.secret), &[], LIMITS) {
            Ok(Some(text)) => {
                self.keep(Secret::new(text), now);
            }
            // The old one was found good.
            Ok(None) => {
                self.keep(held.token.secret.clone(), now);
            }
            Err(Failure::Refused(Refusal::Code { .. } | Refusal::Unauthorized)) => {
                self.forget(held.token.generation)
            }
            // No answer: again in a tenth of what is left.
            Err(_) => {
                let mut state = self.state();
                if let Some(held) = &mut state.token {
                    held.renew_at = now.steady + ((held.ends_at - now.steady) / 10).max(SECOND);
                }
            }
        }
    }

    fn forget(&self, generation: u64) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|held| held.token.generation == generation) {
            state.token = None;
        }
    }
}

impl Access for Keeper {
    fn token(&self) -> Result<Token, String> {
        match self.held() {
            Some((held, false)) => Ok(held.token),
            Some((held, true)) => {
                self.renew(&held);
                self.held().map_or_else(|| self.logged_in(), |(held, _)| Ok(held.token))
            }
            None => self.logged_in(),
        }
    }

    fn rejected(&self, generation: u64) {
        self.forget(generation);
    }

    fn spend(&self, window: Window, purpose: Purpose) -> Result<(), Duration> {
        let now = self.clock.now().steady;
        self.state().limiter.take(window, purpose, now)
    }

    fn busy(&self, window: Window, asked: Option<Duration>) {
        let now = self.clock.now().steady;
        self.state().limiter.refused(window, asked, now);
    }
}

/// Reads from a token how long it lives, in nanoseconds: from when it was made, by the server's own clock, if it says so.
fn life(token: &str, now: Ts) -> Option<i64> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let seconds = |claim: &str| claims.get(claim)?.as_i64()?.checked_mul(SECOND);
    seconds("exp")?.checked_sub(seconds("iat").unwrap_or(now))
}

/// Says why a login was refused, and what to do.
fn refused_because(code: AuthCode, message: Option<&str>) -> String {
    let what_to_do = match code {
        AuthCode::UserNotFound | AuthCode::PasswordVerificationFailed | AuthCode::InvalidCredentials => {
            "TOPSTEPX_USERNAME is the name one logs in with, not an e-mail address or an account; is the key still there?"
        }
        AuthCode::AgreementsNotSigned => "log in to the platform once and complete the agreements",
        AuthCode::ApiSubscriptionNotFound => "the API has to be subscribed to at TopstepX",
        AuthCode::ApiKeyAuthenticationDisabled => "logging in with a key is switched off for this user",
        _ => "nobody has documented what to do",
    };
    let said = message.map(|message| format!(" ({message})")).unwrap_or_default();
    format!("{REFUSED}{code}{said}: {what_to_do}")
}

/// Says whether a text that says why there is no token is one that trying again does not change. It may come from another
/// process, as text.
pub(crate) fn is_refused(why: &str) -> bool {
    why.starts_with(REFUSED)
}
