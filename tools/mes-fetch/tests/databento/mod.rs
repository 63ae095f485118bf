//! A Databento for tests: true DBN over plain HTTP on this machine, and faults on request.
//!
//! It proves form and flow, not what the real service does. Faults queue up and hit the next requests of their kind.
//! From outside they are queued by `POST /fault` with the form `name=…&bytes=…` (names in [`Fault::named`]), and
//! `GET /billed` says how often data was asked for.

mod answers;
mod data;
mod wire;

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

/// The only key it knows.
pub const KEY: &str = "db-xxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// What goes wrong with the next answer that carries data.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Refuses, with these headers.
    Status(u16, String, Vec<(&'static str, String)>),
    /// Closes the line after so many bytes of a body of chunks.
    Cut(usize),
    /// Closes the line after so many bytes of a body of known length.
    CutLength(usize),
    /// Ends the answer as if whole after so many bytes.
    CutNeatly(usize),
    /// Closes the line before any answer.
    Drop,
    /// Sends so many bytes, then nothing, until the other side is gone.
    Hold(usize),
    /// Sends a few bytes at a time.
    Slow,
    /// Sends byte after byte, and never enough of them.
    Drip,
    /// One record less than it counts, but a neat file.
    Short,
    /// Answers 206: some symbols exist on some days only.
    Partial,
    /// Answers 200 with a page.
    Page,
    /// Adds X-Warning.
    Warn(String),
}

impl Fault {
    /// Finds a fault by its name.
    pub fn named(name: &str, bytes: usize) -> Option<Fault> {
        let refuse = |status, body: &str| Fault::Status(status, body.to_owned(), Vec::new());
        Some(match name {
            "401" => refuse(401, r#"{"detail": "Authorization failed: bad key."}"#),
            "402" => refuse(402, r#"{"detail": {"case": "account_insufficient_funds", "message": "Not enough funds.", "status_code": 402}}"#),
            "403" => refuse(403, r#"{"detail": {"case": "license_not_found_unauthorized", "message": "A live data license is required.", "status_code": 403}}"#),
            "404" => refuse(404, r#"{"detail": "Not Found"}"#),
            "422" => refuse(422, r#"{"detail": {"case": "data_end_after_available_end", "message": "The dataset is available until a time.", "status_code": 422, "docs": "https://example.com", "payload": {"dataset": "GLBX.MDP3", "available_end": "2024-02-01T00:00:00Z"}}}"#),
            "422-parameter" => refuse(422, r#"{"detail": [{"loc": ["body", "start"], "msg": "not a time", "type": "value_error"}]}"#),
            "429" => Fault::Status(429, r#"{"detail": "Too many requests"}"#.to_owned(), vec![("Retry-After", "1".to_owned())]),
            "500" => refuse(500, "Internal Server Error"),
            "502" => refuse(502, "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"),
            "cut" => Fault::Cut(bytes),
            "cut-length" => Fault::CutLength(bytes),
            "cut-neatly" => Fault::CutNeatly(bytes),
            "drop" => Fault::Drop,
            "hold" => Fault::Hold(bytes),
            "slow" => Fault::Slow,
            "drip" => Fault::Drip,
            "short" => Fault::Short,
            "206" => Fault::Partial,
            "page" => Fault::Page,
            "degraded" => Fault::Warn(r#"["Warning: The streaming request contained one or more days which have reduced quality: 2024-01-17 (degraded)."]"#.to_owned()),
            _ => return None,
        })
    }
}

/// What the server remembers.
#[derive(Default)]
pub struct State {
    /// For requests of data, in turn.
    pub faults: VecDeque<Fault>,
    /// For free requests, in turn.
    pub free_faults: VecDeque<Fault>,
    /// The windows for which data was sent, whole or not: what the real one would bill.
    pub billed: Vec<(i64, i64)>,
    /// Every request: its method and path.
    pub requests: Vec<String>,
    /// Set once a held answer has sent its bytes.
    pub held: bool,
    /// Days that are not available or were published again: date, condition, last_modified_date.
    pub days: Vec<(&'static str, &'static str, &'static str)>,
    /// The end of the data; without one, far away.
    pub end: Option<&'static str>,
    /// A status and a body with which everything is answered.
    pub echo: Option<(u16, String)>,
}

pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// Listens on this machine; port 0 takes a free one. It runs until the process ends.
    pub fn start(port: u16) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || {
                    // A client that goes away in the middle is part of the tests.
                    let _ = answers::serve(stream, &state);
                });
            }
        });
        Server { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread failed")
    }

    /// Queues a fault for the next request of data.
    pub fn fault(&self, name: &str, bytes: usize) {
        let fault = Fault::named(name, bytes).unwrap_or_else(|| unreachable!("no fault {name}"));
        self.state().faults.push_back(fault);
    }

    /// Returns the body of a whole answer.
    pub fn body(&self, symbol: &str, schema: &str, start: i64, end: i64) -> Vec<u8> {
        data::Data::make(symbol, schema, start, end).encode(false)
    }
}
