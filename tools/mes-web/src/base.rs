//! The address of a server, fit for secrets.

use std::net::IpAddr;

use ureq::http::Uri;

/// A server and the path that all its addresses begin with: https, or http on this very machine, so that no secret goes
/// out in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(String);

/// Why an address is none that may be asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBase {
    #[error("is not an address such as https://example.com")]
    NoAddress,
    #[error("holds more than a host and a path")]
    More,
    #[error("with http is for this machine only: elsewhere the key would go out in clear")]
    Clear,
    #[error("is neither https nor http")]
    Scheme,
}

impl Base {
    /// Checks an address.
    ///
    /// # Errors
    /// Whatever is not a host and a path, and plain http to another machine.
    pub fn parse(text: &str) -> Result<Base, BadBase> {
        let text = text.trim_end_matches('/');
        let uri: Uri = text.parse().map_err(|_| BadBase::NoAddress)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(BadBase::NoAddress);
        };
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(BadBase::More);
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(authority.host()) => {}
            "http" => return Err(BadBase::Clear),
            _ => return Err(BadBase::Scheme),
        }
        Ok(Base(text.to_owned()))
    }

    /// Says whether it is this machine that is asked, in clear.
    pub fn is_plain(&self) -> bool {
        self.0.starts_with("http:")
    }

    /// Returns it as it was given, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{}", self.0, path.trim_start_matches('/'))
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for good in
            ["https://hist.databento.com", "http://127.0.0.1:8000/", "http://localhost:1", "http://[::1]:2"]
        {
            assert!(Base::parse(good).is_ok(), "{good}");
        }
        let bad = [
            ("http://hist.databento.com", BadBase::Clear),
            ("http://127.0.0.1@example.com", BadBase::More),
            ("http://127.0.0.1.example.com", BadBase::Clear),
            ("http://10.0.0.1", BadBase::Clear),
            ("ftp://127.0.0.1", BadBase::Scheme),
            ("127.0.0.1:80", BadBase::NoAddress),
            ("https://user:word@host", BadBase::More),
            ("https://host/?key=1", BadBase::More),
            ("", BadBase::NoAddress),
        ];
        for (bad, why) in bad {
            assert_eq!(Base::parse(bad), Err(why), "{bad}");
        }
    }
}
