//! What the server says when it says no: three shapes of JSON, or whatever a proxy makes up.

use serde_json::Value;

/// The most of a server's words that are passed on.
const MOST_CHARS: usize = 500;

/// A status that is neither 200 nor 206, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// Databento's name for the reason, where it gives one.
    pub case: Option<String>,
    pub text: String,
}

impl Refusal {
    /// Reads the body of a refusal.
    pub fn read(status: u16, body: &str) -> Refusal {
        let detail = serde_json::from_str::<Value>(body).ok().map(|json| json["detail"].clone());
        let (case, text) = match detail {
            Some(Value::String(text)) => (None, text),
            Some(Value::Object(detail)) => {
                let case = detail.get("case").and_then(Value::as_str).map(str::to_owned);
                let message = detail.get("message").and_then(Value::as_str).unwrap_or_default();
                let end = detail.get("payload").and_then(|payload| payload["available_end"].as_str());
                let end = end.map(|end| format!(" (available until {end})")).unwrap_or_default();
                let named = case.as_ref().map(|case| format!("{case}: ")).unwrap_or_default();
                (case, format!("{named}{message}{end}"))
            }
            Some(Value::Array(details)) => {
                (None, details.iter().map(parameter).collect::<Vec<_>>().join("; "))
            }
            _ => (None, without_tags(body)),
        };
        Refusal { status, case: case.map(|case| tame(&case)), text: tame(&text) }
    }

    /// Returns the refusal in other words.
    pub fn with(self, words: impl Fn(String) -> String) -> Refusal {
        Refusal { case: self.case.map(&words), text: words(self.text), ..self }
    }

    /// Says whether the same request may be answered later.
    pub fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 429) || self.status >= 500
    }

    /// Says whether the symbol means nothing in the window, as in one that has only a weekend.
    pub fn is_unresolved(&self) -> bool {
        self.status == 422 && self.case.as_deref() == Some("symbology_invalid_request")
    }

    /// Returns the refusal as a sentence, with what to do where that is known.
    pub fn sentence(&self) -> String {
        let advice = match self.status {
            401 => ": check DATABENTO_API_KEY",
            402 => ": the account has no funds",
            403 => ": the account may not have this data",
            _ => "",
        };
        let text = if self.text.is_empty() { "no reason given" } else { &self.text };
        format!("the server refuses with {}{advice}: {text}", self.status)
    }
}

/// Returns one fault of a parameter: `body.start: not a time`.
fn parameter(fault: &Value) -> String {
    let place = fault["loc"].as_array().map(|parts| {
        let name = |part: &Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        parts.iter().map(name).collect::<Vec<_>>().join(".")
    });
    format!("{}: {}", place.unwrap_or_default(), fault["msg"].as_str().unwrap_or_default())
}

/// Takes the tags out of a page.
fn without_tags(page: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in page.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

/// Makes one line of printable text, not too long.
pub fn tame(text: &str) -> String {
    let words: Vec<_> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_shape() {
        let text = |body: &str| Refusal::read(422, body).text;
        assert_eq!(text(r#"{"detail": "Not authenticated"}"#), "Not authenticated");
        let business = r#"{"detail": {"case": "data_end_after_available_end", "message": "too late",
            "status_code": 422, "payload": {"available_end": "2024-01-03T00:00:00Z"}}}"#;
        assert_eq!(
            text(business),
            "data_end_after_available_end: too late (available until 2024-01-03T00:00:00Z)"
        );
        assert_eq!(
            text(r#"{"detail": [{"loc": ["body", "start"], "msg": "not a time", "type": "value_error"}]}"#),
            "body.start: not a time"
        );
        assert_eq!(
            text("<html><body><h1>502 Bad\x1b[31m Gateway</h1>\n</body></html>"),
            "502 Bad [31m Gateway"
        );
        assert_eq!(text(&"x".repeat(9000)).chars().count(), MOST_CHARS + 1);
    }
}
