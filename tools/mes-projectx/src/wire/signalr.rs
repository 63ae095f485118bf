//! SignalR's JSON hub protocol, version 1: records of JSON, each ended by 0x1E, several in a frame or one over several.
//!
//! Source: the specification of ASP.NET Core, `HubProtocol.md`. Unknown kinds and fields are passed over, as it asks for.

use serde_json::{Value, json};

/// Ends a record.
pub const END: u8 = 0x1e;
/// The most bytes of one record; a snapshot of the depth has some 12 kB.
pub const MOST_BYTES: usize = 4 << 20;

/// What a client says first.
pub const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";
/// What either side says when it has said nothing for a while.
pub const PING: &str = "{\"type\":6}\u{1e}";

/// One record after the handshake.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    Invocation {
        /// Absent where no answer is wanted.
        id: Option<String>,
        target: String,
        arguments: Vec<Value>,
    },
    Completion {
        id: String,
        result: Result<Value, String>,
    },
    Ping,
    Close {
        error: Option<String>,
        /// Whether the other side wants to be called again.
        allow_reconnect: bool,
    },
    /// A kind that is not used here.
    Other(i64),
}

/// Why bytes are no records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// What was sent so far has no end.
    #[error("a record longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("a record that makes no sense: {0}")]
    Malformed(String),
}

/// Cuts what comes in frames into records.
#[derive(Debug, Default)]
pub struct Splitter {
    begun: Vec<u8>,
}

impl Splitter {
    /// Takes a frame in and returns the records that are whole with it, without their ends.
    ///
    /// # Errors
    ///
    /// [`Broken::TooLong`], after which nothing can be made of what follows.
    pub fn split(&mut self, frame: &[u8]) -> Result<Vec<Vec<u8>>, Broken> {
        let mut records = Vec::new();
        for piece in frame.split_inclusive(|byte| *byte == END) {
            if self.begun.len() + piece.len() > MOST_BYTES {
                return Err(Broken::TooLong);
            }
            match piece.strip_suffix(&[END]) {
                Some(last) => {
                    let mut record = std::mem::take(&mut self.begun);
                    record.extend_from_slice(last);
                    records.push(record);
                }
                None => self.begun.extend_from_slice(piece),
            }
        }
        Ok(records)
    }
}

/// Reads the answer to the handshake.
///
/// # Errors
///
/// What the server says against it, or what it is.
pub fn read_handshake(record: &[u8]) -> Result<(), String> {
    let answer: Value = serde_json::from_slice(record).map_err(|error| format!("handshake: {error}"))?;
    match answer.get("error") {
        None if answer.is_object() => Ok(()),
        None => Err("the handshake's answer is no object".to_owned()),
        Some(error) => Err(format!("handshake: {}", error.as_str().unwrap_or("refused"))),
    }
}

impl Message {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`Broken::Malformed`].
    pub fn read(record: &[u8]) -> Result<Message, Broken> {
        let bad = |what: &str| Broken::Malformed(what.to_owned());
        let mut record: Value =
            serde_json::from_slice(record).map_err(|error| Broken::Malformed(error.to_string()))?;
        let kind = record.get("type").and_then(Value::as_i64).ok_or_else(|| bad("it has no type"))?;
        let id = record.get("invocationId").and_then(Value::as_str).map(str::to_owned);
        let text = |field: &str| record.get(field).and_then(Value::as_str).map(str::to_owned);
        match kind {
            1 => {
                let target = text("target").ok_or_else(|| bad("an invocation without a target"))?;
                match record.get_mut("arguments").map(Value::take) {
                    Some(Value::Array(arguments)) => Ok(Message::Invocation { id, target, arguments }),
                    None | Some(Value::Null) => Ok(Message::Invocation { id, target, arguments: Vec::new() }),
                    Some(_) => Err(bad("arguments that are no list")),
                }
            }
            3 => {
                let id = id.ok_or_else(|| bad("a completion of nothing"))?;
                let error = text("error");
                let result = record.get_mut("result").map(Value::take).unwrap_or_default();
                Ok(Message::Completion { id, result: error.map_or(Ok(result), Err) })
            }
            6 => Ok(Message::Ping),
            7 => Ok(Message::Close {
                error: text("error"),
                allow_reconnect: record.get("allowReconnect").and_then(Value::as_bool).unwrap_or(false),
            }),
            other => Ok(Message::Other(other)),
        }
    }

    /// Writes it as a record, its end included.
    pub fn write(&self) -> String {
        let record = match self {
            Message::Invocation { id: Some(id), target, arguments } => {
                json!({"type": 1, "invocationId": id, "target": target, "arguments": arguments})
            }
            Message::Invocation { id: None, target, arguments } => {
                json!({"type": 1, "target": target, "arguments": arguments})
            }
            Message::Completion { id, result: Ok(result) } => {
                json!({"type": 3, "invocationId": id, "result": result})
            }
            Message::Completion { id, result: Err(error) } => {
                json!({"type": 3, "invocationId": id, "error": error})
            }
            Message::Ping => return PING.to_owned(),
            Message::Close { error: None, allow_reconnect } => {
                json!({"type": 7, "allowReconnect": allow_reconnect})
            }
            Message::Close { error: Some(error), allow_reconnect } => {
                json!({"type": 7, "error": error, "allowReconnect": allow_reconnect})
            }
            Message::Other(kind) => json!({"type": kind}),
        };
        format!("{record}\u{1e}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_may_hold_several_records_or_a_part_of_one() {
        let mut splitter = Splitter::default();
        assert_eq!(
            splitter.split(b"{}\x1e{\"type\":6}\x1e{\"ty"),
            Ok(vec![b"{}".to_vec(), b"{\"type\":6}".to_vec()])
        );
        assert_eq!(splitter.split(b""), Ok(vec![]));
        assert_eq!(splitter.split(b"pe\":7}\x1e"), Ok(vec![b"{\"type\":7}".to_vec()]));
        let mut endless = Splitter::default();
        let piece = vec![b' '; 1 << 20];
        assert!((0..5).any(|_| endless.split(&piece) == Err(Broken::TooLong)));
    }

    #[test]
    fn what_is_written_is_read() {
        for message in [
            Message::Invocation {
                id: None,
                target: "GatewayQuote".into(),
                arguments: vec![json!("a"), json!({})],
            },
            Message::Invocation {
                id: Some("1".into()),
                target: "SubscribeOrders".into(),
                arguments: vec![json!(7)],
            },
            Message::Completion { id: "1".into(), result: Ok(Value::Null) },
            Message::Completion { id: "1".into(), result: Err("no".into()) },
            Message::Ping,
            Message::Close { error: Some("over".into()), allow_reconnect: true },
            Message::Close { error: None, allow_reconnect: false },
            Message::Other(8),
        ] {
            let text = message.write();
            let record = text.strip_suffix('\u{1e}').expect("an end");
            assert_eq!(Message::read(record.as_bytes()), Ok(message));
        }
        assert_eq!(read_handshake(b"{}"), Ok(()));
        assert!(read_handshake(b"{\"error\":\"no\"}").is_err());
        assert!(read_handshake(b"[]").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_no_cut_changes_the_records(
            bytes in proptest::collection::vec(prop_oneof![Just(END), Just(b'{'), Just(b'}'), any::<u8>()], 0..300),
            cut in 0_usize..300,
        ) {
            let whole = Splitter::default().split(&bytes);
            let cut = cut.min(bytes.len());
            let mut splitter = Splitter::default();
            let first = splitter.split(&bytes[..cut]).expect("short");
            let rest = splitter.split(&bytes[cut..]).expect("short");
            let both = [first, rest].concat();
            for record in &both {
                let _ = (Message::read(record), read_handshake(record));
            }
            prop_assert_eq!(whole, Ok(both));
        }
    }
}
