//! What nobody may read: keys and tokens.

use std::{fmt, sync::Arc};

use crate::redact::Redaction;

/// A key or a token, which neither prints nor compares. A clone is the same secret.
///
/// Fewer than six characters are not found again in what others say; no key is that short.
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    text: String,
    redaction: Redaction,
}

impl Secret {
    /// Keeps a text secret from here on.
    pub fn new(text: impl Into<String>) -> Secret {
        let text = text.into();
        Secret(Arc::new(Inner { redaction: Redaction::of(&text), text }))
    }

    /// Returns the text, for the one place that it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0.text
    }

    /// Returns what somebody says with an ellipsis for every part of the secret, in whatever shape.
    pub fn redact(&self, text: &str) -> String {
        self.0.redaction.apply(text)
    }

    pub(crate) fn is(&self, other: &Secret) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_neither_prints_nor_passes_in_a_text() {
        let secret = Secret::new("eyJhbGciOi.Zq7Kp2Wx9.Lm4Rt6Yv1");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "… … Some(…)");
        assert_eq!(secret.redact("token eyJhbGciOi.Zq7Kp2Wx9.Lm4Rt6Yv1 is old"), "token … is old");
    }
}
