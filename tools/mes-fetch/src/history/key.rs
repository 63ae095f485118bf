//! The key: it comes from the environment alone, and goes nowhere but into one header of one host.

use mes_pipe::{Error, Result};
use mes_web::Secret;

const VARIABLE: &str = "DATABENTO_API_KEY";

/// Takes the key from the environment.
///
/// # Errors
/// [`Error::Usage`], without any part of the key in it.
pub fn from_env() -> Result<Secret> {
    match std::env::var(VARIABLE) {
        Ok(text) => key(text),
        Err(std::env::VarError::NotPresent) => Err(Error::usage(format!(
            "no key: export {VARIABLE}=db-… (32 characters, from the Databento portal)"
        ))),
        Err(_) => Err(Error::usage(format!("{VARIABLE} is not text"))),
    }
}

fn key(text: String) -> Result<Secret> {
    let shaped = text.starts_with("db-") && text.chars().all(|c| c.is_ascii_graphic() && c != ':');
    if shaped && text.len() == 32 {
        return Ok(Secret::new(text));
    }
    Err(Error::usage(format!("{VARIABLE} is not a key: those have 32 characters and begin with db-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_checked_and_not_told() {
        for bad in ["", "db-short", "xx-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "db-aaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"] {
            let error = key(bad.to_owned()).expect_err("refused").to_string();
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
        assert!(key(format!("db-{}", "k".repeat(29))).is_ok());
    }
}
