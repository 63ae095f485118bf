//! Tokens in the shape of a JWT, whose end a client can read, and that are looked up, not computed.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mes_core::{
    dice::Draw,
    time::{SECOND, Ts},
};

/// Tokens that are remembered; the oldest go first.
const MOST: usize = 10_000;

/// The tokens that are, or were, good.
#[derive(Debug)]
pub struct Tokens {
    life: i64,
    /// What a token says of its time is later by so much than when it is: most clients know this machine's time alone.
    later: i64,
    draw: Draw,
    /// The end of each, by the token.
    ends: BTreeMap<String, Ts>,
    made: u64,
}

impl Tokens {
    /// Makes tokens that live so long, in nanoseconds, and say that all of it is `later`.
    pub fn new(life: i64, later: i64, seed: u64) -> Tokens {
        Tokens { life, later, draw: Draw::new(seed, 0x_7064), ends: BTreeMap::new(), made: 0 }
    }

    /// Makes one.
    pub fn make(&mut self, user: &str, now: Ts) -> String {
        self.ends.retain(|_, end| *end > now);
        if self.ends.len() >= MOST
            && let Some(first) = self.ends.iter().min_by_key(|(_, end)| **end).map(|(token, _)| token.clone())
        {
            self.ends.remove(&first);
        }
        self.made += 1;
        let end = now.saturating_add(self.life);
        let claims = serde_json::json!({
            "sub": user, "jti": self.made.to_string(), "iat": (now + self.later) / SECOND, "exp": (end + self.later) / SECOND,
        });
        let signature: Vec<u8> = (0..4).flat_map(|_| self.draw.bits().to_be_bytes()).collect();
        let parts = [br#"{"alg":"HS256","typ":"JWT"}"#.to_vec(), claims.to_string().into_bytes(), signature];
        let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        self.ends.insert(token.clone(), end);
        token
    }

    /// Says whether one is good now.
    pub fn is_good(&self, token: &str, now: Ts) -> bool {
        self.ends.get(token).is_some_and(|end| *end > now)
    }

    /// Makes one void.
    pub fn void(&mut self, token: &str) {
        self.ends.remove(token);
    }

    /// Makes all void.
    pub fn void_all(&mut self) {
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_are_good_at_once_until_their_end() {
        let mut tokens = Tokens::new(10 * SECOND, 100 * SECOND, 1);
        let (one, two) = (tokens.make("a", 0), tokens.make("a", 5 * SECOND));
        assert_ne!(one, two);
        assert!(tokens.is_good(&one, 9 * SECOND) && tokens.is_good(&two, 9 * SECOND));
        assert!(!tokens.is_good(&one, 10 * SECOND) && tokens.is_good(&two, 10 * SECOND));
        let claims = URL_SAFE_NO_PAD.decode(two.split('.').nth(1).expect("claims")).expect("base64");
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&claims).expect("JSON")["exp"], 115);
        tokens.void(&two);
        assert!(!tokens.is_good(&two, 6 * SECOND) && !tokens.is_good("", 0));
    }
}
