//! One connection to a hub: handshake, subscriptions, pings, death. Pure: frames and instants in, texts and happenings out.

use std::collections::BTreeMap;

use mes_core::time::SECOND;
use serde_json::Value;

use super::Subscription;
use crate::wire::signalr::{HANDSHAKE, Message, PING, Splitter, read_handshake};

/// After so long without a word of ours, one.
const PING_AFTER: i64 = 15 * SECOND;
/// After so long without any record, the other side is dead.
const DEAD_AFTER: i64 = 30 * SECOND;
/// For the handshake and every subscription.
const READY_WITHIN: i64 = 15 * SECOND;

/// What a frame or the time has brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Everything is subscribed to, and confirmed.
    Ready,
    /// The server calls.
    Called { target: String, arguments: Vec<Value> },
    /// A record that makes no sense; the ones after it may.
    Malformed(String),
    /// It is over.
    Over(String),
}

/// What to send, and what has happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    pub say: Vec<String>,
    pub heard: Vec<Heard>,
}

#[derive(Debug, PartialEq)]
enum Stage {
    Greeting,
    Subscribing,
    Ready,
    Over,
}

/// One connection, from its opening on.
#[derive(Debug)]
pub struct Link {
    stage: Stage,
    splitter: Splitter,
    subscriptions: Vec<Subscription>,
    /// Not confirmed yet, by the id of its call.
    awaited: BTreeMap<String, &'static str>,
    opened: i64,
    heard_at: i64,
    said_at: i64,
}

impl Link {
    /// Begins on a connection that stands, at `now` on the steady clock, with what is to be sent first.
    pub fn open(subscriptions: Vec<Subscription>, now: i64) -> (Link, String) {
        let link = Link {
            stage: Stage::Greeting,
            splitter: Splitter::default(),
            subscriptions,
            awaited: BTreeMap::new(),
            opened: now,
            heard_at: now,
            said_at: now,
        };
        (link, HANDSHAKE.to_owned())
    }

    /// Says whether everything is subscribed to.
    pub fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    /// Takes a frame in.
    pub fn frame(&mut self, frame: &[u8], now: i64) -> Step {
        let mut step = Step::default();
        if self.stage == Stage::Over {
            return step;
        }
        match self.splitter.split(frame) {
            Ok(records) => {
                for record in records {
                    self.heard_at = now;
                    self.record(&record, now, &mut step);
                    if self.stage == Stage::Over {
                        break;
                    }
                }
            }
            Err(broken) => self.over(broken.to_string(), &mut step),
        }
        step
    }

    fn record(&mut self, record: &[u8], now: i64, step: &mut Step) {
        if self.stage == Stage::Greeting {
            return match read_handshake(record) {
                Ok(()) => self.subscribe(now, step),
                Err(why) => self.over(why, step),
            };
        }
        match Message::read(record) {
            Ok(Message::Invocation { id, target, arguments }) => {
                if let Some(id) = id {
                    self.say(Message::Completion { id, result: Ok(Value::Null) }.write(), now, step);
                }
                step.heard.push(Heard::Called { target, arguments });
            }
            Ok(Message::Completion { id, result }) => self.completed(&id, result, step),
            Ok(Message::Close { error, .. }) => {
                let why = error.map_or_else(String::new, |error| format!(": {error}"));
                self.over(format!("the server closes{why}"), step);
            }
            Ok(Message::Ping | Message::Other(_)) => {}
            Err(broken) => step.heard.push(Heard::Malformed(broken.to_string())),
        }
    }

    fn subscribe(&mut self, now: i64, step: &mut Step) {
        self.stage = Stage::Subscribing;
        for (number, subscription) in self.subscriptions.clone().into_iter().enumerate() {
            let (id, arguments) = (number.to_string(), subscription.argument.into_iter().collect());
            self.awaited.insert(id.clone(), subscription.method);
            let call =
                Message::Invocation { id: Some(id), target: subscription.method.to_owned(), arguments };
            self.say(call.write(), now, step);
        }
        self.settle(step);
    }

    fn completed(&mut self, id: &str, result: Result<Value, String>, step: &mut Step) {
        // Of an id that is not awaited nothing follows: an answer may come twice.
        let Some(method) = self.awaited.remove(id) else { return };
        match result {
            Ok(_) => self.settle(step),
            Err(why) => self.over(format!("{method} is refused: {why}"), step),
        }
    }

    fn settle(&mut self, step: &mut Step) {
        if self.stage == Stage::Subscribing && self.awaited.is_empty() {
            self.stage = Stage::Ready;
            step.heard.push(Heard::Ready);
        }
    }

    /// Takes in that time has passed; to be called at [`Link::due`] at the latest.
    pub fn pass(&mut self, now: i64) -> Step {
        let mut step = Step::default();
        if self.stage == Stage::Over {
            return step;
        }
        if now.saturating_sub(self.heard_at) >= DEAD_AFTER {
            self.over("not a word for 30 s".to_owned(), &mut step);
        } else if !self.is_ready() && now.saturating_sub(self.opened) >= READY_WITHIN {
            let waiting = self.awaited.values().next().copied().unwrap_or("the handshake");
            self.over(format!("{waiting} was not confirmed within 15 s"), &mut step);
        } else if now.saturating_sub(self.said_at) >= PING_AFTER && self.stage != Stage::Greeting {
            self.say(PING.to_owned(), now, &mut step);
        }
        step
    }

    /// Returns the instant at which something has to be done if nothing comes.
    pub fn due(&self) -> i64 {
        let dead = self.heard_at.saturating_add(DEAD_AFTER);
        match self.stage {
            Stage::Over => i64::MAX,
            Stage::Greeting => dead.min(self.opened.saturating_add(READY_WITHIN)),
            Stage::Subscribing => dead
                .min(self.opened.saturating_add(READY_WITHIN))
                .min(self.said_at.saturating_add(PING_AFTER)),
            Stage::Ready => dead.min(self.said_at.saturating_add(PING_AFTER)),
        }
    }

    fn say(&mut self, text: String, now: i64, step: &mut Step) {
        self.said_at = now;
        step.say.push(text);
    }

    fn over(&mut self, why: String, step: &mut Step) {
        self.stage = Stage::Over;
        step.heard.push(Heard::Over(why));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn ready() -> (Link, i64) {
        let (mut link, hello) = Link::open(Subscription::account(7), 0);
        assert_eq!(hello, "{\"protocol\":\"json\",\"version\":1}\u{1e}");
        let step = link.frame(b"{}\x1e{\"type\":6}\x1e", SECOND);
        assert_eq!((step.say.len(), step.heard), (4, vec![]));
        assert!(
            step.say[1].contains("\"SubscribeOrders\"") && step.say[1].contains("[7]"),
            "{}",
            step.say[1]
        );
        for id in 0..3 {
            let done = Message::Completion { id: id.to_string(), result: Ok(Value::Null) }.write();
            assert_eq!(link.frame(done.as_bytes(), SECOND), Step::default());
        }
        assert!(!link.is_ready());
        // Some servers say neither result nor error.
        let step = link.frame(b"{\"type\":3,\"invocationId\":\"3\"}\x1e", SECOND);
        assert_eq!(step.heard, [Heard::Ready]);
        (link, SECOND)
    }

    #[test]
    fn ready_is_subscribed_and_confirmed() {
        ready();
    }

    #[test]
    fn it_says_a_word_every_15_s_and_is_dead_after_30_s_of_silence() {
        let (mut link, now) = ready();
        assert_eq!(link.due(), now + PING_AFTER);
        assert_eq!(link.pass(now + PING_AFTER).say, [PING]);
        assert_eq!(link.due(), now + DEAD_AFTER);
        assert_eq!(link.frame(b"{\"type\":6}\x1e", now + 29 * SECOND), Step::default());
        assert_eq!(link.due(), now + 2 * PING_AFTER);
        assert_eq!(link.pass(now + 30 * SECOND).say, [PING]);
        let step = link.pass(now + 59 * SECOND);
        assert_eq!(step.heard, [Heard::Over("not a word for 30 s".into())]);
        assert_eq!(
            (link.due(), link.pass(i64::MAX), link.frame(b"{}\x1e", i64::MAX)),
            (i64::MAX, Step::default(), Step::default())
        );
    }

    #[test]
    fn a_subscription_that_never_completes_or_is_refused_is_no_connection() {
        let (mut link, _) = Link::open(Subscription::contract("CON.F.US.MES.Z26", true), 0);
        assert_eq!(link.due(), READY_WITHIN);
        link.frame(b"{}\x1e", SECOND);
        link.frame(b"{\"type\":6}\x1e", 14 * SECOND);
        let step = link.pass(READY_WITHIN);
        assert_eq!(step.heard, [Heard::Over("SubscribeContractQuotes was not confirmed within 15 s".into())]);
        let (mut link, _) = Link::open(Subscription::account(7), 0);
        link.frame(b"{}\x1e", SECOND);
        let step = link.frame(b"{\"type\":3,\"invocationId\":\"1\",\"error\":\"no\"}\x1e", SECOND);
        assert_eq!(step.heard, [Heard::Over("SubscribeOrders is refused: no".into())]);
    }

    #[test]
    fn what_the_server_closes_with_is_told_and_what_makes_no_sense_is_passed_over() {
        let (mut link, now) = ready();
        let call =
            Message::Invocation { id: None, target: "GatewayQuote".into(), arguments: vec![json!("x")] };
        let odd = format!("{{\"type\":1}}\u{1e}{}{{\"type\":9}}\u{1e}", call.write());
        let heard = link.frame(odd.as_bytes(), now).heard;
        assert!(matches!(&heard[..], [Heard::Malformed(_), Heard::Called { .. }]), "{heard:?}");
        let asked = Message::Invocation { id: Some("s1".into()), target: "Who".into(), arguments: vec![] };
        assert!(link.frame(asked.write().as_bytes(), now).say[0].contains("\"invocationId\":\"s1\""));
        let step = link
            .frame(b"{\"type\":7,\"error\":\"Connection closed with an error.\"}\x1e{\"type\":1}\x1e", now);
        assert_eq!(step.heard, [Heard::Over("the server closes: Connection closed with an error.".into())]);
        let (mut link, _) = Link::open(vec![], 0);
        assert_eq!(
            link.frame(b"{\"error\":\"who are you\"}\x1e", 0).heard,
            [Heard::Over("handshake: who are you".into())]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_grow(
            frames in proptest::collection::vec(("(\\{\"type\":[0-9],\"(target|invocationId|arguments)\":(\"1\"|\\[1\\])\\}|.{0,20})\u{1e}?", 0..40_i64), 0..60),
        ) {
            let (mut link, _) = Link::open(Subscription::account(7), 0);
            let mut now = 0;
            for (text, pause) in frames {
                now += pause * SECOND / 4;
                let step = link.frame(text.as_bytes(), now);
                prop_assert!(step.say.len() <= 8 && step.heard.len() <= 80);
                prop_assert!(link.pass(now).say.len() <= 1);
                prop_assert!(link.due() > now);
            }
        }
    }
}
