//! A server on this machine that does all that servers do on a bad day, and what a caller learns of it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use mes_web::{Answer, Base, Call, Client, Fault, Limits, Repeat, Secret};

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.Zq7Kp2Wx9Lm4Rt6Yv1Nc8Hs3Jd5Fg.x0x1x2x3";

/// What the server does with one connection.
#[derive(Clone)]
enum Deed {
    /// Sends these bytes and closes.
    Send(String),
    /// Sends these bytes, then nothing, until the other side is gone.
    Hold(String),
    /// Sends these bytes, then one more every 20 ms, without end.
    Drip(String),
}

/// Runs the deeds, one a connection, the last one for ever, and keeps what was asked.
struct Server {
    url: String,
    base: Base,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(deeds: Vec<Deed>) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let url = format!("http://{}/api", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let deed = deeds[number.min(deeds.len() - 1)].clone();
                kept.lock().expect("no thread failed").push(request(&stream));
                thread::spawn(move || act(stream, deed));
            }
        });
        Server { base: Base::parse(&url).expect("this machine"), url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no thread failed").clone()
    }

    /// Makes one call with a token.
    fn call(&self, read: impl Fn(Answer) -> Result<String, Fault>) -> Result<String, Fault> {
        let call = Call::json("Order/place", &[1]).expect("JSON").bearer(&Secret::new(TOKEN));
        Client::new(self.base.clone(), "test").send(call.within(limits())).and_then(read)
    }
}

fn limits() -> Limits {
    let ms = Duration::from_millis;
    Limits { deadline: ms(600), head: ms(300), stall: ms(300), most_bytes: 1000 }
}

/// Reads a request with its body, as text.
fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    while !text.ends_with("\r\n\r\n") && reader.read_line(&mut text).expect("a line") > 0 {}
    for line in text.lines() {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    text + &String::from_utf8(body).expect("text")
}

fn act(mut stream: TcpStream, deed: Deed) {
    let (Deed::Send(text) | Deed::Hold(text) | Deed::Drip(text)) = &deed;
    // A client that goes away in the middle is part of the tests.
    let _ = stream.write_all(text.as_bytes());
    match deed {
        Deed::Send(_) => {}
        Deed::Hold(_) => {
            let _ = stream.read(&mut [0]);
        }
        Deed::Drip(_) => {
            while stream.write_all(b"1").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn answer(status: u16, headers: &str, body: &str) -> Deed {
    let length = body.len();
    Deed::Send(format!(
        "HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    ))
}

fn json(answer: Answer) -> Result<String, Fault> {
    answer.json::<Vec<u32>>().map(|list| format!("{list:?}"))
}

/// What a fault is called, and what it says of the call.
fn kind(fault: &Fault) -> (&'static str, bool, bool) {
    let name = match fault {
        Fault::Unsent { .. } => "unsent",
        Fault::Untrusted { .. } => "untrusted",
        Fault::Unknown { late: true, .. } => "late",
        Fault::Unknown { begun: false, .. } => "unknown",
        Fault::Unknown { begun: true, .. } => "cut",
        Fault::Limited(_) => "limited",
        Fault::Status(_) => "status",
        Fault::Malformed { .. } => "malformed",
        Fault::TooLarge { .. } => "large",
    };
    (name, fault.may_have_happened(), fault.pause().is_some())
}

#[test]
fn every_bad_day_has_its_kind_and_is_asked_once() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n[1, ";
    let large = format!("[{}1]", "1,".repeat(600));
    // The deed; its kind, whether the call may have happened, whether waiting helps.
    let table = [
        (Deed::Send(String::new()), ("unknown", true, true)),
        (Deed::Send("HTTP/1.1 2".to_owned()), ("unknown", true, true)),
        (Deed::Hold(String::new()), ("unknown", true, true)),
        (Deed::Send(head.to_owned()), ("cut", true, true)),
        (Deed::Hold(head.to_owned()), ("cut", true, true)),
        (Deed::Drip(head.replace("40", "4000000")), ("late", true, true)),
        (
            Deed::Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,".to_owned()),
            ("cut", true, true),
        ),
        (answer(200, "", &large), ("large", true, false)),
        (answer(200, "", "<html>busy"), ("malformed", true, false)),
        (answer(200, "", ""), ("malformed", true, false)),
        (answer(200, "", r#"{"a": 1}"#), ("malformed", true, false)),
        (answer(400, "", "no"), ("status", false, false)),
        (answer(401, "", "no"), ("status", false, false)),
        (answer(429, "", "no"), ("limited", false, true)),
        (answer(500, "", "no"), ("status", true, true)),
        (answer(503, "", "no"), ("status", true, true)),
        (answer(302, "Location: http://127.0.0.1:1/\r\n", ""), ("status", false, false)),
    ];
    for (number, (deed, wanted)) in table.into_iter().enumerate() {
        let server = Server::start(vec![deed]);
        let fault = server.call(json).expect_err("a bad day");
        assert_eq!(kind(&fault), wanted, "{number}: {fault:?}");
        assert_eq!(server.asked().len(), 1, "{number}");
    }
}

#[test]
fn what_never_left_this_machine_is_known_not_to_have_happened() {
    let closed =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("an address");
    for base in [format!("http://{closed}"), "https://nowhere.invalid".to_owned()] {
        let client = Client::new(Base::parse(&base).expect("an address"), "test");
        let fault = client.send(Call::get("x", &[]).within(limits())).err().expect("nobody is there");
        assert_eq!(kind(&fault), ("unsent", false, true), "{fault:?}");
    }
}

#[test]
fn only_a_question_is_asked_again() {
    let deeds = || {
        vec![
            answer(500, "", "no"),
            Deed::Send(String::new()),
            answer(429, "Retry-After: 0\r\n", ""),
            answer(200, "", "[7]"),
        ]
    };
    let server = Server::start(deeds());
    let client = Client::new(server.base.clone(), "test");
    let repeat =
        Repeat { tries: 4, first_wait: Duration::from_millis(1), longest_wait: Duration::from_secs(1) };
    let question = || Call::get("Order/search", &[("a", "b&c")]).within(limits()).changes_nothing();
    let mut told = Vec::new();
    let found = client.ask(&question(), &repeat, json, |fault, _| told.push(kind(fault).0));
    assert_eq!((found, told), (Ok("[7]".to_owned()), vec!["status", "unknown", "limited"]));
    assert_eq!(server.asked().len(), 4);
    assert!(server.asked()[3].starts_with("GET /api/Order/search?a=b%26c HTTP/1.1"), "{:?}", server.asked());

    // Often enough is enough, and what waiting does not help is not waited for.
    let server = Server::start(deeds());
    let client = Client::new(server.base.clone(), "test");
    let fault = client.ask(&question(), &Repeat { tries: 2, ..repeat }, json, |_, _| {});
    assert_eq!((fault.map_err(|fault| kind(&fault).0), server.asked().len()), (Err("unknown"), 2));
    let server = Server::start(vec![answer(401, "", "no"), answer(200, "", "[7]")]);
    let client = Client::new(server.base.clone(), "test");
    let fault = client.ask(&question(), &repeat, json, |_, _| {});
    assert_eq!((fault.map_err(|fault| kind(&fault).0), server.asked().len()), (Err("status"), 1));
}

#[test]
fn a_server_says_how_long_to_wait() {
    for (header, wanted) in [("Retry-After: 7\r\n", Some(7)), ("Retry-After: soon\r\n", None), ("", None)] {
        let server = Server::start(vec![answer(429, header, "slow down")]);
        let Err(Fault::Limited(refusal)) = server.call(json) else { unreachable!("429") };
        assert_eq!(refusal.retry_after, wanted.map(Duration::from_secs));
        assert_eq!(refusal.body, "slow down");
    }
}

#[test]
fn a_token_goes_to_its_host_and_into_no_text() {
    let echo = |status| answer(status, "", &format!("bad token {TOKEN}, {}", TOKEN.to_uppercase()));
    for status in [200, 302, 401, 429, 500] {
        let server = Server::start(vec![echo(status)]);
        let fault = server.call(json).expect_err("no JSON");
        assert!(
            server.asked()[0]
                .to_lowercase()
                .contains(&format!("authorization: bearer {TOKEN}").to_lowercase())
        );
        let text = format!("{fault} {fault:?}");
        assert!(text.contains("bad token …"), "{text}");
        let parts = TOKEN.as_bytes().windows(6).map(|part| String::from_utf8_lossy(part).to_lowercase());
        assert_eq!(parts.into_iter().find(|part| text.to_lowercase().contains(part)), None, "{text}");
    }
    // Nor does a later call tell of it, which did not carry it.
    let server = Server::start(vec![answer(200, "", "[1]"), echo(500)]);
    let client = Client::new(server.base.clone(), "test");
    assert!(client.send(Call::form("login", &[("key", TOKEN)]).hiding(&Secret::new(TOKEN))).is_ok());
    let fault = client.send(Call::get("ping", &[])).err().expect("500");
    assert!(!format!("{fault:?}").contains("Zq7Kp2"), "{fault:?}");
    assert!(!server.asked()[1].contains("Zq7Kp2"), "{:?}", server.asked());
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Server::start(vec![answer(200, "", "[1]")]);
    for status in [301, 302, 307, 308] {
        let server = Server::start(vec![answer(status, &format!("Location: {}\r\n", other.url), "")]);
        let fault = server.call(json).expect_err("a redirect");
        assert!(matches!(&fault, Fault::Status(refusal) if refusal.status == status), "{fault:?}");
    }
    assert!(other.asked().is_empty());
}
