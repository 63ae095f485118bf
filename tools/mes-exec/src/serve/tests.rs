//! What is done in which order when a broker fails, by a broker that fails as it is told to.

use std::{cell::RefCell, os::unix::net::UnixStream};

use mes_core::{
    bar::Bar,
    broker::{BrokerError, Hello, Kind},
    statement::Statement,
};
use mes_pipe::{Settings, SettingsArgs};
use serde_json::json;

use super::*;

/// Fails at the first row, in one way or the other, and perhaps again when it is to close.
struct Failing<'a> {
    panics: bool,
    closes: bool,
    done: &'a RefCell<Vec<&'static str>>,
    statement: Statement,
}

impl Broker for Failing<'_> {
    fn hello(&mut self) -> std::result::Result<Hello, BrokerError> {
        Err(BrokerError::Lost("nobody asks".into()))
    }

    fn begin(&mut self, _run: &Run) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn on_bar(&mut self, _bar: &Bar) -> std::result::Result<&Statement, BrokerError> {
        self.done.borrow_mut().push("row");
        assert!(!self.panics, "two and two are five");
        Err(BrokerError::Lost("the row is lost".into()))
    }

    fn submit(&mut self, _order: &Order) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn end(&mut self) -> std::result::Result<&Statement, BrokerError> {
        self.done.borrow_mut().push("close");
        assert!(self.closes, "nothing closes");
        Ok(&self.statement)
    }
}

fn run() -> String {
    let settings: Settings = SettingsArgs::default().read().expect("the shipped settings");
    let rules = &settings.rules.value;
    json!({
        "kind": "run", "v": mes_core::run::VERSION, "interval": "1s", "session": "all", "rules": settings.rules, "costs": settings.costs,
        "fills": settings.fills, "calendar": settings.calendar.blake3, "from": null,
        "ledger": mes_core::ledger::Ledger::new(rules.capital()), "lineage": [],
        "broker": Hello::new(Kind::Paper, "paper", rules.capital()),
    })
    .to_string()
}

const ROW: &str = r#"{"kind":"row","ts":"2026-11-20T15:00:00Z","open":5000.0,"high":5000.0,"low":5000.0,"close":5000.0,"volume":1,"seg":0}"#;

#[test]
fn a_failing_broker_halts_then_closes_and_no_later_failure_hides_an_earlier_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("messages");
    std::fs::write(&path, format!("{}\n{ROW}\n", run())).expect("messages");
    for (panics, closes, halts) in
        [(false, true, true), (false, false, true), (true, true, true), (true, false, false)]
    {
        let done = RefCell::new(Vec::new());
        let mut broker = Failing { panics, closes, done: &done, statement: Statement::default() };
        let (ours, _theirs) = UnixStream::pair().expect("a pair");
        let mut peer = Peer::over(ours).expect("a peer");
        let mut messages = Messages::open(&path).expect("messages");
        let halt = |_: &Error| {
            done.borrow_mut().push("halt");
            if halts { Ok(()) } else { Err(Error::failed("the disk is full")) }
        };
        let printer = Printer::start();
        let error = serve(&mut messages, &mut broker, &mut peer, &printer, &Clock::machine(), |_| (), halt)
            .expect_err("fails");
        printer.finish().expect("printed");
        assert_eq!(*done.borrow(), ["row", "halt", "close"], "{error}");
        let (code, said) = (error.code(), error.to_string());
        let first = if panics { "two and two are five" } else { "the row is lost" };
        let place = |what: &str| said.find(what);
        assert!(code == 1 && place(first).is_some(), "{said}");
        assert_eq!(place("nothing closes").is_some(), !closes, "{said}");
        assert_eq!(place("the disk is full").is_some(), !halts, "{said}");
        let told = [place(first), place("the disk is full"), place("nothing closes")];
        assert!(told.iter().flatten().is_sorted(), "{said}");
    }
}

/// Rows that nobody reads the statements of are answered all the same.
#[test]
fn a_full_socket_never_stops_the_loop() {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let mut peer = Peer::over(ours).expect("a peer");
    let statement = Statement::default();
    let sent = 20_000;
    for _ in 0..sent {
        peer.send(&Line::Statement(&statement)).expect("sent");
    }
    assert!(peer.awaited().is_some_and(|(_, flags)| flags.contains(rustix::event::PollFlags::OUT)));
    let reader = std::thread::spawn(move || {
        use std::io::BufRead;
        std::io::BufReader::new(theirs).lines().take(sent).filter(|line| line.is_ok()).count()
    });
    while peer.awaited().is_some_and(|(_, flags)| !flags.is_empty()) {
        peer.send_on().expect("sent on");
    }
    assert_eq!(reader.join().expect("read"), sent);
}
