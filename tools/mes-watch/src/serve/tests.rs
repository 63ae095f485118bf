//! Who tries to get in, and gets nothing: strangers on this machine, pages of other origins, floods.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use mes_core::broker::Kind;
use mes_pipe::clock::Deadline;

use super::start;
use crate::{
    desk::Desk,
    sample::{records, taken},
};

/// Stands in the day, and in nothing that a stranger may see.
const SECRET: &str = "ACCOUNT-4711";

struct Server {
    desk: Arc<Desk>,
    port: u16,
    token: String,
}

fn server() -> Server {
    let day = taken(records(Kind::Paper, SECRET, 100, &[10]));
    let desk = Arc::new(Desk::replay(day, None));
    let url = start(Arc::clone(&desk), 0).expect("served");
    let (address, token) = url.split_once("/#").expect("a token");
    let port = address.rsplit_once(':').expect("a port").1.parse().expect("a port");
    Server { desk, port, token: token.into() }
}

impl Server {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(8))).expect("set");
        stream
    }

    /// Sends a request as it stands and returns the whole answer; nothing where the connection was cut.
    fn raw(&self, text: &str) -> String {
        let mut stream = self.connect();
        // It may be answered, and closed, before all of it is sent.
        let _ = stream.write_all(text.as_bytes());
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("no answer to {text:.80}"),
            _ => String::from_utf8_lossy(&answer).into_owned(),
        }
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let port = self.port;
        let host =
            if headers.contains("host:") { String::new() } else { format!("host: 127.0.0.1:{port}\r\n") };
        let long = body.len();
        let json = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
        let request =
            format!("{method} {path} HTTP/1.1\r\n{host}{headers}{json}content-length: {long}\r\n\r\n{body}");
        let answer = self.raw(&request);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer)
    }

    fn origin(&self) -> String {
        format!("origin: http://127.0.0.1:{}\r\n", self.port)
    }

    /// Shows the token as the page does, and returns the headers of the session.
    fn enter(&self) -> String {
        let (status, answer) =
            self.ask("POST", "/open", &self.origin(), &format!("{{\"token\":\"{}\"}}", self.token));
        assert_eq!(status, 200, "{answer}");
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let key = answer.rsplit("\"key\":\"").next().and_then(|rest| rest.split('"').next()).expect("a key");
        format!("cookie: {}\r\nx-mes-key: {key}\r\n", cookie.split(';').next().expect("a pair"))
    }
}

const PATHS: [&str; 6] = ["/view", "/view?row=3", "/chart?points=50", "/changes", "/ask", "/act"];

#[test]
fn without_the_token_nothing_is_told() {
    let server = server();
    let of_another_run = format!("{{\"token\":\"{}\"}}", "0".repeat(64));
    let cut = format!("{{\"token\":\"{}\"}}", &server.token[..40]);
    for body in [&of_another_run, &cut, "{\"token\":\"\"}", "{}", "[", ""] {
        let (status, answer) = server.ask("POST", "/open", &server.origin(), body);
        assert!([400, 401, 415].contains(&status) && !answer.contains("set-cookie"), "{body}: {answer}");
    }
    let session = server.enter();
    let (cookie, key) = session.split_once("\r\n").expect("two headers");
    for path in PATHS {
        for headers in ["", &format!("{cookie}\r\n"), key, "x-mes-key: 0\r\ncookie: mes_watch=0\r\n"] {
            for method in ["GET", "POST", "PUT", "OPTIONS"] {
                let origin = server.origin();
                let (status, answer) =
                    server.ask(method, path, &format!("{headers}{origin}"), "{\"act\":\"kill\"}");
                assert_eq!(status, 401, "{method} {path} with {headers:?}: {answer}");
                assert!(!answer.contains(SECRET) && !answer.to_lowercase().contains("access-control"));
            }
        }
    }
    let (status, bare) = server.ask("GET", "/", "", "");
    assert!(status == 200 && !bare.contains(SECRET) && !bare.contains(&server.token));
    let (status, told) = server.ask("GET", "/view", &session, "");
    assert!(status == 200 && told.contains(SECRET), "{told}");
    for header in
        ["default-src 'none'", "nosniff", "no-store", "no-referrer", "frame-ancestors 'none'", "same-origin"]
    {
        assert!(told.contains(header) && bare.contains(header), "{header}");
    }
    assert!(!bare.contains("style=") && !bare.contains("onclick") && !bare.contains("http:"));
}

#[test]
fn another_origin_or_another_name_for_this_machine_gets_nothing_even_with_a_session() {
    let server = server();
    let session = server.enter();
    for wrong in [
        "origin: http://evil.example\r\n",
        "origin: null\r\n",
        "origin: http://127.0.0.1:1\r\n",
        "sec-fetch-site: same-site\r\n",
        "sec-fetch-site: cross-site\r\n",
        "host: evil.example\r\n",
        "host: 127.0.0.1.evil.example:80\r\n",
        "host: 127.0.0.1\r\nhost: evil.example\r\n",
    ] {
        for (method, path) in
            [("GET", "/"), ("GET", "/view"), ("GET", "/changes"), ("POST", "/act"), ("POST", "/open")]
        {
            let (status, answer) = server.ask(method, path, &format!("{session}{wrong}"), "");
            assert!([400, 403].contains(&status) && !answer.contains(SECRET), "{path} {wrong}: {answer}");
        }
    }
    let (status, _) = server.ask("GET", "http://evil.example/view", &session, "");
    assert_eq!(status, 403);
    // A form of another page has no JSON, an image no POST, and a POST of no browser no origin.
    let (status, _) = server.ask("GET", "/act", &session, "");
    assert_eq!(status, 405);
    let (status, _) = server.ask("POST", "/act", &session, "{\"once\":\"x\"}");
    assert_eq!(status, 403);
    let (status, _) = server.ask("POST", "/act", &format!("{session}{}", server.origin()), "");
    assert_eq!(status, 415);
}

#[test]
fn an_action_is_asked_about_and_answered_once() {
    let server = server();
    let session = format!("{}{}", server.enter(), server.origin());
    let (status, asked) = server.ask("POST", "/ask", &session, "{\"act\":\"halt\"}");
    assert_eq!(status, 200);
    let once = asked.rsplit("\"once\":\"").next().and_then(|rest| rest.split('"').next()).expect("once");
    let answer = format!("{{\"once\":\"{once}\"}}");
    let other = format!("{}{}", server.enter(), server.origin());
    assert_eq!(server.ask("POST", "/act", &other, &answer).0, 409, "another session's question");
    let (status, refused) = server.ask("POST", "/act", &session, &answer);
    assert!(status == 200 && refused.contains("no pipeline is known that could be stopped"), "{refused}");
    assert_eq!(server.ask("POST", "/act", &session, &answer).0, 409, "answered already");
    assert_eq!(server.ask("POST", "/ask", &session, "{\"act\":\"format\"}").0, 400);
    let long = format!("{{\"once\":\"{}\"}}", "x".repeat(100_000));
    assert_eq!(server.ask("POST", "/act", &session, &long).0, 413);
}

/// 500 connections that say nothing, some that say a little, and heads without an end: a page gets in all the same.
#[test]
fn a_flood_keeps_nobody_out() {
    let server = server();
    let session = server.enter();
    let mut flood: Vec<TcpStream> = (0..500).map(|_| server.connect()).collect();
    for stream in flood.iter_mut().step_by(3) {
        let _ = stream.write_all(b"GET /view HTTP/1.1\r\nhost: 127.0");
    }
    let patience = Deadline::after(Duration::from_secs(2));
    let (status, _) = server.ask("GET", "/view", &session, "");
    assert!(status == 200 && !patience.left().is_zero(), "{status} in time");
    let huge = format!("x: {}\r\n", "y".repeat(100_000));
    let (status, _) = server.ask("GET", "/", &huge, "");
    assert!([0, 431].contains(&status), "{status}");
    let many: String = (0..500).map(|number| format!("x{number}: y\r\n")).collect();
    let (status, _) = server.ask("GET", "/", &many, "");
    assert!([0, 431].contains(&status), "{status}");
    // Whoever says nothing is cut off, and so is whoever says one byte after the other.
    let mut slow = flood.pop().expect("a connection");
    let begun = Deadline::after(Duration::from_secs(6));
    let mut cut = false;
    while !begun.left().is_zero() && !cut {
        cut = slow.write_all(b"x").is_err() || slow.read(&mut [0; 1]).is_ok_and(|read| read == 0);
        slow.set_read_timeout(Some(Duration::from_millis(100))).expect("set");
    }
    assert!(cut, "a slow one stays");
    let (status, _) = server.ask("GET", "/view", &session, "");
    assert_eq!(status, 200);
}

/// A page hears of a change at once, whoever else has a stream open and reads nothing of it.
#[test]
fn a_change_is_told_at_once_and_streams_are_counted() {
    let server = server();
    let session = server.enter();
    let open = |stream: &mut TcpStream| {
        let head = format!("GET /changes HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n{session}\r\n", server.port);
        stream.write_all(head.as_bytes()).expect("sent");
    };
    let mut listener = server.connect();
    open(&mut listener);
    let mut buffer = vec![0; 1 << 20];
    let mut heard = String::new();
    while !heard.contains("\"rows\":100") {
        let read = listener.read(&mut buffer).expect("a view");
        heard += &String::from_utf8_lossy(&buffer[..read]);
    }
    let mut deaf: Vec<TcpStream> = (0..20).map(|_| server.connect()).collect();
    deaf.iter_mut().for_each(open);
    let said = Deadline::after(Duration::from_millis(250));
    server.desk.begin(crate::act::Act::Kill);
    while !heard.contains("\"act\":\"kill\"") {
        let read = listener.read(&mut buffer).expect("a view");
        heard += &String::from_utf8_lossy(&buffer[..read]);
    }
    assert!(!said.left().is_zero(), "later than 250 ms");
    // Sixteen streams at once, and no more.
    let refused = deaf.iter_mut().filter_map(|stream| {
        let read = stream.read(&mut buffer).ok()?;
        Some(buffer[..read].starts_with(b"HTTP/1.1 503"))
    });
    assert_eq!(refused.filter(|refused| *refused).count(), 5);
}
