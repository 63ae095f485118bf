//! The key: it comes from the environment alone, and goes nowhere but into one header of one host.

use base64::{Engine, engine::general_purpose::STANDARD};
use mes_pipe::{Error, Result};
use ureq::http::Uri;

use super::redact::Redaction;

const VARIABLE: &str = "DATABENTO_API_KEY";

/// A key, which neither prints nor compares.
pub struct Key {
    text: String,
    redaction: Redaction,
}

impl Key {
    /// Takes the key from the environment.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`], without any part of the key in it.
    pub fn from_env() -> Result<Key> {
        match std::env::var(VARIABLE) {
            Ok(text) => Key::new(text),
            Err(std::env::VarError::NotPresent) => Err(Error::usage(format!(
                "no key: export {VARIABLE}=db-… (32 characters, from the Databento portal)"
            ))),
            Err(_) => Err(Error::usage(format!("{VARIABLE} is not text"))),
        }
    }

    fn new(text: String) -> Result<Key> {
        let shaped = text.starts_with("db-") && text.chars().all(|c| c.is_ascii_graphic() && c != ':');
        if shaped && text.len() == 32 {
            return Ok(Key { redaction: Redaction::of(&text), text });
        }
        Err(Error::usage(format!("{VARIABLE} is not a key: those have 32 characters and begin with db-")))
    }

    /// Returns the value of the Authorization header.
    pub fn header(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:", self.text)))
    }

    /// Takes every part of the key out of what a server says.
    pub fn redact(&self, text: &str) -> String {
        self.redaction.apply(text)
    }
}

/// Checks the address of the server: https, or http to this very machine, so that the key never goes out in clear.
pub fn base_url(text: &str) -> Result<String> {
    let refused = |why: &str| Err(Error::usage(format!("--base-url {why}")));
    let Ok(uri) = text.trim_end_matches('/').parse::<Uri>() else { return refused("is not an address") };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return refused("is not an address such as https://hist.databento.com");
    };
    if authority.as_str().contains('@') || uri.query().is_some() {
        return refused("holds more than a host and a path");
    }
    match scheme {
        "https" => {}
        "http" if is_loopback(authority.host()) => {}
        "http" => {
            return refused("with http is for this machine only: elsewhere the key would go out in clear");
        }
        _ => return refused("is neither https nor http"),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for good in
            ["https://hist.databento.com", "http://127.0.0.1:8000/", "http://localhost:1", "http://[::1]:2"]
        {
            assert!(base_url(good).is_ok(), "{good}");
        }
        let bad = [
            "http://hist.databento.com",
            "http://127.0.0.1@example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "127.0.0.1:80",
            "https://user:word@host",
            "",
        ];
        for bad in bad {
            assert_eq!(base_url(bad).map_err(|error| error.code()), Err(2), "{bad}");
        }
    }

    #[test]
    fn a_key_is_checked_and_taken_out_of_texts() {
        for bad in ["", "db-short", "xx-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "db-aaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"] {
            let error = Key::new(bad.to_owned()).err().expect("refused").to_string();
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
        let text = format!("db-{}", "k".repeat(29));
        let key = Key::new(text.clone()).expect("a key");
        let said = key.redact(&format!("{text} and {}", key.header()));
        // The colon behind the key makes the last character, and half of the one before.
        assert_eq!(said, "… and Basic …s6");
    }
}
