//! The server's end of a hub connection, as a pure machine: frames and instants in, records with the instant they are due out.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use mes_core::time::{SECOND, Ts};
use mes_projectx::{
    hub::Kind,
    wire::signalr::{Message, PING, Splitter},
};
use serde_json::Value;

const PING_AFTER: i64 = 15 * SECOND;
/// Of this machine's time: most clients know no other.
const DEAD_AFTER: i64 = 30 * SECOND;
/// Records that may wait for a client that reads slowly.
const MOST_WAITING: usize = 8192;
/// What a client may subscribe to on one connection.
const MOST_SUBSCRIPTIONS: usize = 64;

/// What a client is to get.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Out {
    Record(String),
    /// The connection is to be closed, after what was sent before.
    Close,
    /// It is to be cut, as a lost line is.
    Cut,
}

/// What a client is subscribed to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Accounts,
    Orders(i64),
    Positions(i64),
    Trades(i64),
    Quotes(String),
    Prints(String),
    Depth(String),
}

/// A connection.
#[derive(Debug)]
pub struct Line {
    pub kind: Kind,
    splitter: Splitter,
    greeted: bool,
    over: bool,
    topics: BTreeSet<Topic>,
    out: BinaryHeap<Reverse<(Ts, u64, Out)>>,
    count: u64,
    heard_at: Ts,
    said_at: Ts,
    dead_after: i64,
}

impl Line {
    /// Begins on a connection that stands, at an exchange whose time is so many times faster than this machine's.
    pub fn new(kind: Kind, now: Ts, times: u32) -> Line {
        Line {
            dead_after: DEAD_AFTER * i64::from(times),
            kind,
            splitter: Splitter::default(),
            greeted: false,
            over: false,
            topics: BTreeSet::new(),
            out: BinaryHeap::new(),
            count: 0,
            heard_at: now,
            said_at: now,
        }
    }

    /// Says whether the client wants to hear of it.
    pub fn hears(&self, topic: &Topic) -> bool {
        !self.over && self.topics.contains(topic)
    }

    /// Takes a frame in and returns what the client subscribed to; that is confirmed unless `confirms` says no.
    pub fn frame(&mut self, frame: &[u8], now: Ts, confirms: bool) -> Vec<Topic> {
        let mut asked = Vec::new();
        if self.over {
            return asked;
        }
        self.heard_at = now;
        let Ok(records) = self.splitter.split(frame) else {
            self.close("The message is too long.", now);
            return asked;
        };
        for record in records {
            if self.over {
                break;
            }
            if self.greeted {
                self.record(&record, now, confirms, &mut asked)
            } else {
                self.greet(&record, now)
            }
        }
        asked
    }

    fn greet(&mut self, record: &[u8], now: Ts) {
        let hello: Value = serde_json::from_slice(record).unwrap_or_default();
        let version = hello.get("version").and_then(Value::as_i64);
        if hello.get("protocol").and_then(Value::as_str) == Some("json") && matches!(version, Some(0 | 1)) {
            self.greeted = true;
            return self.say("{}\u{1e}".to_owned(), now);
        }
        self.say("{\"error\":\"The protocol is not supported.\"}\u{1e}".to_owned(), now);
        self.put(now, Out::Close);
        self.over = true;
    }

    fn record(&mut self, record: &[u8], now: Ts, confirms: bool, asked: &mut Vec<Topic>) {
        match Message::read(record) {
            Ok(Message::Invocation { id, target, arguments }) => {
                let result = self.invoked(&target, &arguments, asked);
                let confirmed = result.is_err() || confirms;
                if let Some(id) = id.filter(|_| confirmed) {
                    self.say(Message::Completion { id, result: result.map(|()| Value::Null) }.write(), now);
                }
            }
            Ok(Message::Close { .. }) => {
                self.put(now, Out::Close);
                self.over = true;
            }
            Ok(Message::Ping | Message::Completion { .. } | Message::Other(_)) => {}
            Err(_) => self.close("Connection closed with an error.", now),
        }
    }

    fn invoked(&mut self, target: &str, arguments: &[Value], asked: &mut Vec<Topic>) -> Result<(), String> {
        let (method, drop) = match target.strip_prefix("Un").filter(|rest| rest.starts_with("subscribe")) {
            Some(rest) => (format!("S{}", &rest[1..]), true),
            None => (target.to_owned(), false),
        };
        let unknown = || {
            format!(
                "Failed to invoke '{target}' due to an error on the server. HubException: Method does not exist."
            )
        };
        let topic = topic(self.kind, &method, arguments.first()).ok_or_else(unknown)?;
        if drop {
            self.topics.remove(&topic);
            return Ok(());
        }
        if self.topics.len() >= MOST_SUBSCRIPTIONS {
            return Err(format!("Failed to invoke '{target}': too many subscriptions."));
        }
        self.topics.insert(topic.clone());
        asked.push(topic);
        Ok(())
    }

    /// Says something now.
    pub fn say(&mut self, text: String, now: Ts) {
        self.said_at = now;
        self.put(now, Out::Record(text));
    }

    /// Says something at `due`; what is due later may be overtaken. Returns false where the client reads too slowly and is
    /// cut off for it.
    pub fn say_at(&mut self, text: String, due: Ts, now: Ts) -> bool {
        if self.over {
            return true;
        }
        if self.out.len() >= MOST_WAITING {
            self.cut(now);
            return false;
        }
        self.said_at = now;
        self.put(due, Out::Record(text));
        true
    }

    /// Closes with a reason.
    pub fn close(&mut self, error: &str, now: Ts) {
        self.say(Message::Close { error: Some(error.to_owned()), allow_reconnect: true }.write(), now);
        self.put(now, Out::Close);
        self.over = true;
    }

    /// Cuts it, and all that waits to be sent.
    pub fn cut(&mut self, now: Ts) {
        self.out.clear();
        self.put(now, Out::Cut);
        self.over = true;
    }

    fn put(&mut self, due: Ts, out: Out) {
        self.count += 1;
        self.out.push(Reverse((due, self.count, out)));
    }

    /// Lets time pass: pings, and the end of a client that says nothing.
    pub fn pass(&mut self, now: Ts) {
        if self.over {
            return;
        }
        if now - self.heard_at >= self.dead_after {
            self.close("Client timeout elapsed without receiving a message from the client.", now);
        } else if self.greeted && now - self.said_at >= PING_AFTER {
            self.say(PING.to_owned(), now);
        }
    }

    /// Returns what is due.
    pub fn take(&mut self, now: Ts) -> Vec<Out> {
        let mut due = Vec::new();
        while self.out.peek().is_some_and(|Reverse((at, _, _))| *at <= now) {
            due.extend(self.out.pop().map(|Reverse((_, _, out))| out));
        }
        due
    }

    /// Returns the next instant at which something is due.
    pub fn next(&self) -> Option<Ts> {
        let said = self.out.peek().map(|Reverse((at, _, _))| *at);
        let alive = (!self.over).then(|| {
            let ping = if self.greeted { self.said_at + PING_AFTER } else { Ts::MAX };
            ping.min(self.heard_at + self.dead_after)
        });
        said.into_iter().chain(alive).min()
    }
}

fn topic(kind: Kind, method: &str, argument: Option<&Value>) -> Option<Topic> {
    let account = || argument.and_then(Value::as_i64);
    let contract = || argument.and_then(Value::as_str).map(str::to_owned);
    match (kind, method) {
        (Kind::User, "SubscribeAccounts") => Some(Topic::Accounts),
        (Kind::User, "SubscribeOrders") => account().map(Topic::Orders),
        (Kind::User, "SubscribePositions") => account().map(Topic::Positions),
        (Kind::User, "SubscribeTrades") => account().map(Topic::Trades),
        (Kind::Market, "SubscribeContractQuotes") => contract().map(Topic::Quotes),
        (Kind::Market, "SubscribeContractTrades") => contract().map(Topic::Prints),
        (Kind::Market, "SubscribeContractMarketDepth") => contract().map(Topic::Depth),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(line: &mut Line, now: Ts) -> Vec<String> {
        let text = |out| match out {
            Out::Record(text) => text,
            other => format!("{other:?}"),
        };
        line.take(now).into_iter().map(text).collect()
    }

    #[test]
    fn a_client_is_greeted_heard_and_kept_alive() {
        let mut line = Line::new(Kind::User, 0, 1);
        // signalrcore says version 0, with spaces.
        assert!(line.frame(b"{\"protocol\": \"json\", \"version\": 0}\x1e", 0, true).is_empty());
        assert_eq!(records(&mut line, 0), ["{}\u{1e}"]);
        let calls = b"{\"type\":1,\"target\":\"SubscribeOrders\",\"arguments\":[7],\"invocationId\":\"0\",\"headers\":{}}\x1e\
            {\"type\":1,\"target\":\"SubscribeTrades\",\"arguments\":[7]}\x1e{\"type\":1,\"target\":\"Heartbeat\",\"arguments\":[{}]}\x1e\
            {\"type\":1,\"target\":\"Who\",\"arguments\":[],\"invocationId\":\"1\"}\x1e{\"type\":6}\x1e";
        let asked = line.frame(calls, 0, true);
        assert_eq!(asked, [Topic::Orders(7), Topic::Trades(7)]);
        let said = records(&mut line, 0);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("\"result\":null") && said[1].contains("Method does not exist"), "{said:?}");
        assert!(
            line.hears(&Topic::Orders(7))
                && !line.hears(&Topic::Orders(8))
                && !line.hears(&Topic::Positions(7))
        );
        line.frame(b"{\"type\":1,\"target\":\"UnsubscribeOrders\",\"arguments\":[7]}\x1e", 0, true);
        assert!(!line.hears(&Topic::Orders(7)));
        assert_eq!(line.next(), Some(PING_AFTER));
        line.pass(PING_AFTER);
        assert_eq!(records(&mut line, PING_AFTER), [PING]);
        line.pass(DEAD_AFTER);
        let said = records(&mut line, DEAD_AFTER);
        assert!(said[0].contains("Client timeout") && said[1] == "Close", "{said:?}");
        assert_eq!(line.next(), None);
    }

    #[test]
    fn a_client_that_reads_too_slowly_is_cut_off_and_holds_no_memory() {
        let mut line = Line::new(Kind::Market, 0, 1);
        assert!((0..MOST_WAITING).all(|_| line.say_at("x".into(), 5, 0)));
        assert!(!line.say_at("x".into(), 5, 0));
        assert_eq!(line.take(0), [Out::Cut]);
        assert!(line.say_at("x".into(), 0, 0) && line.take(9).is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), greeted in any::<bool>()) {
            let mut line = Line::new(Kind::Market, 0, 1);
            if greeted {
                line.frame(b"{\"protocol\":\"json\",\"version\":1}\x1e", 0, true);
            }
            line.frame(&bytes, 1, true);
            line.frame(&[&bytes[..], b"\x1e"].concat(), 2, false);
            line.pass(3);
            prop_assert!(line.take(i64::MAX).len() < 300);
        }
    }
}
