//! What of mes-exec's own journal is worth telling: what it says to the person who watches, and the line to the account.
//!
//! Its lines are read by the few fields that matter here, so that nothing of mes-exec is built in.

use mes_core::time::Ts;
use mes_judge::words;
use serde::Deserialize;

use crate::{alert::Alert, kinds};

#[derive(Deserialize)]
struct Line {
    ts: Ts,
    event: Option<Event>,
    action: Option<Action>,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Down {
        why: String,
    },
    Up {
        gap: bool,
    },
    Logout,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Action {
    Alert {
        text: String,
    },
    #[serde(other)]
    Other,
}

/// What is known of a journal of mes-exec.
#[derive(Clone, Debug, Default)]
pub struct ExecNews {
    /// The line is lost, and that was told: what mes-exec says of it is the same.
    down: Option<String>,
}

impl ExecNews {
    /// Takes a line in and returns what is worth telling of it; `number` is its number, `account` what people call the account.
    ///
    /// # Errors
    ///
    /// What is wrong with the line.
    pub fn line(
        &mut self,
        line: &[u8],
        number: u64,
        account: &str,
    ) -> Result<Option<Alert>, serde_json::Error> {
        let Line { ts, event, action } = serde_json::from_slice(line)?;
        let told = match (event, action) {
            (Some(Event::Down { why }), _) => {
                self.down = Some(why.clone());
                Some(("connection", format!("the line to the account is lost: {why}")))
            }
            (Some(Event::Up { gap: true }), _) => {
                self.down = None;
                Some(("reconnected", words::capital(&kinds::says("reconnected"))))
            }
            (Some(Event::Logout), _) => Some(("logout", kinds::says("logout"))),
            (_, Some(Action::Alert { text })) if !self.is_said(&text) => Some(("exec", text)),
            _ => None,
        };
        Ok(told.map(|(kind, text)| Alert {
            id: format!("exec-{ts}-{number}"),
            ts,
            kind: kind.to_owned(),
            priority: kinds::priority(kind),
            account: account.to_owned(),
            same: Some(text.clone()),
            text,
        }))
    }

    fn is_said(&self, text: &str) -> bool {
        self.down.as_ref().is_some_and(|why| text.ends_with(why.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mes_exec_says_is_told_and_a_lost_line_once() {
        let mut news = ExecNews::default();
        let lines = [
            r#"{"ts":1,"steady":0,"begin":{"account":1}}"#,
            r#"{"ts":2,"steady":1,"event":{"event":"down","why":"reset by peer"}}"#,
            r#"{"ts":2,"steady":1,"action":{"action":"alert","text":"the user hub is lost: reset by peer"}}"#,
            r#"{"ts":3,"steady":2,"event":{"event":"up","gap":true}}"#,
            r#"{"ts":4,"steady":3,"action":{"action":"call","call":7,"purpose":"exit","request":{"request":"x"}}}"#,
            r#"{"ts":5,"steady":4,"action":{"action":"alert","text":"2 contracts had no stop for over a second: closing"}}"#,
            r#"{"ts":6,"steady":5,"event":{"event":"logout"}}"#,
        ];
        let told: Vec<_> = lines
            .iter()
            .enumerate()
            .filter_map(|(number, line)| news.line(line.as_bytes(), number as u64, "P").expect("reads"))
            .map(|alert| (alert.ts, alert.kind))
            .collect();
        let kinds = [(2, "connection"), (3, "reconnected"), (5, "exec"), (6, "logout")];
        assert_eq!(told, kinds.map(|(ts, kind)| (ts, kind.to_owned())));
        assert!(news.line(b"{\"ts\":1,", 1, "P").is_err());
    }
}
