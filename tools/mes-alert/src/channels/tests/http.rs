//! Slack, Discord, Telegram and any webhook: bodies as the services document them, and servers that go wrong.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::*;

/// What a server answers one request with.
type Answer = Box<dyn Fn(&mut TcpStream) + Send>;

/// What a server was asked: the first line, the headers in lower case, the body.
type Asked = (String, String, Value);

/// Serves one answer after the other; returns its address and what it was asked.
fn server(answers: Vec<Answer>) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (send, asked) = channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().expect("a call");
            let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
            let (mut first, mut head) = (String::new(), String::new());
            reader.read_line(&mut first).expect("a line");
            while !head.ends_with("\r\n\r\n") && head != "\r\n" {
                assert!(reader.read_line(&mut head).expect("a header") > 0);
            }
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
            let mut body = vec![0; length.and_then(|length| length.parse().ok()).expect("a length")];
            reader.read_exact(&mut body).expect("a body");
            let body = serde_json::from_slice(&body).expect("JSON");
            let _ = send.send((first.trim_end().to_owned(), head, body));
            answer(&mut stream);
        }
    });
    (address, asked)
}

fn says(status: &'static str, headers: &'static str, body: &'static str) -> Answer {
    Box::new(move |stream| {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(text.as_bytes()).expect("written");
    })
}

fn telegram(address: &str) -> Box<dyn Channel> {
    let keys = format!("token_env = \"T\"\nchat_id = \"-100\"\napi = \"{address}\"");
    open("telegram", &keys, &[("T", SECRET.into())]).expect("opens")
}

fn by_url(kind: &str, address: &str) -> Box<dyn Channel> {
    open(kind, "url_env = \"U\"", &[("U", format!("{address}/services/{SECRET}"))]).expect("opens")
}

#[test]
fn slack_gets_a_text_that_mentions_nobody() {
    let (address, asked) = server(vec![says("200 OK", "", "ok"), says("200 OK", "", "<html>")]);
    let slack = by_url("slack", &address);
    slack.tell(&message()).expect("told");
    let (line, head, body) = asked.recv().expect("asked");
    assert_eq!(line, format!("POST /services/{SECRET} HTTP/1.1"));
    assert!(head.contains("content-type: application/json"), "{head}");
    let text = body["text"].as_str().expect("a text");
    assert!(text.contains("&lt;!channel&gt; &lt;script&gt;&amp;") && !text.contains('<'), "{text}");
    assert!(text.contains("$51.20 lost Bcc: x@example.com (daily_loss_usd)"), "{text}");
    assert!(text.ends_with("and 2 more\n(not told on phone: no)"), "{text}");
    assert!(failure(&*slack).what.contains("does not say ok"));
}

#[test]
fn discord_gets_a_content_that_mentions_nobody_and_says_when_to_come_again() {
    let limited = r#"{"message":"You are being rate limited.","retry_after":0.65,"global":false}"#;
    let (address, asked) = server(vec![
        says("204 No Content", "", ""),
        says("429 Too Many Requests", "retry-after: 1\r\n", limited),
        says("404 Not Found", "", r#"{"message": "Unknown Webhook", "code": 10015}"#),
    ]);
    let discord = by_url("discord", &address);
    discord.tell(&message()).expect("told");
    let body = asked.recv().expect("asked").2;
    assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
    assert!(body["content"].as_str().expect("a content").encode_utf16().count() <= 2000);
    let busy = failure(&*discord);
    assert_eq!((busy.passes, busy.asked), (true, Some(Duration::from_millis(650))), "{}", busy.what);
    let gone = failure(&*discord);
    assert_eq!((gone.passes, &*gone.what), (false, "the server answers 404: Unknown Webhook"));
}

#[test]
fn telegram_gets_a_chat_and_a_text_and_its_token_is_told_nobody() {
    let limited = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#;
    let echo = r#"{"ok":false,"description":"bad path /bot123456:Zq7Kp2Wx9Lm4Rt6Yv1Nc8Hs3/sendMessage"}"#;
    let (address, asked) = server(vec![
        says("200 OK", "", r#"{"ok":true,"result":{"message_id":1}}"#),
        says("429 Too Many Requests", "", limited),
        says("401 Unauthorized", "", echo),
        says("200 OK", "", "{}"),
    ]);
    let telegram = telegram(&address);
    telegram.tell(&message()).expect("told");
    let (line, _, body) = asked.recv().expect("asked");
    assert_eq!(line, format!("POST /bot{SECRET}/sendMessage HTTP/1.1"));
    assert_eq!((&body["chat_id"], &body["disable_notification"]), (&json!("-100"), &json!(false)));
    assert!(body.get("parse_mode").is_none() && body["text"].as_str().expect("a text").contains("<script>&"));
    let busy = failure(&*telegram);
    assert_eq!((busy.passes, busy.asked), (true, Some(Duration::from_secs(7))));
    let refused = failure(&*telegram);
    assert!(
        !refused.passes && refused.what.starts_with("the server answers 401: bad path"),
        "{}",
        refused.what
    );
    assert!(failure(&*telegram).what.contains("\"ok\":true"));
}

#[test]
fn a_webhook_gets_our_record_and_a_token() {
    let (address, asked) = server(vec![says("202 Accepted", "", "anything")]);
    let keys = "url_env = \"U\"\ntoken_env = \"T\"";
    let variables = [("U", format!("{address}/in?x=1")), ("T", SECRET.to_owned())];
    open("webhook", keys, &variables).expect("opens").tell(&message()).expect("told");
    let (line, head, body) = asked.recv().expect("asked");
    assert_eq!(line, "POST /in?x=1 HTTP/1.1");
    assert!(head.contains(&format!("authorization: bearer {}", SECRET.to_lowercase())), "{head}");
    assert_eq!(
        (&body["v"], &body["left_out"], &body["failed"]),
        (&json!(1), &json!(2), &json!(["phone: no"]))
    );
    let first = &body["alerts"][0];
    let wanted = json!({
        "id": "1-daily_loss_usd", "ts": "2026-11-20T14:35:00Z", "kind": "daily_loss_usd", "priority": "urgent",
        "account": "@everyone", "text": "$51.20 lost\r\nBcc: x@example.com",
    });
    assert_eq!(first, &wanted);
}

#[test]
fn a_server_that_floods_refuses_or_leads_elsewhere_is_a_failure_and_soon() {
    let flood = |status: &'static str| -> Answer {
        Box::new(move |stream| {
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n");
            let mut sent = stream.write_all(head.as_bytes());
            // Megabytes, for as long as somebody reads.
            for _ in 0..1000 {
                sent = sent.and_then(|()| stream.write_all(&[b'x'; 1 << 16]));
            }
        })
    };
    let cut: Answer = Box::new(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"ok\"").expect("written");
    });
    let moved = says("302 Found", "location: https://example.com/\r\n", "");
    let (address, _asked) = server(vec![flood("200 OK"), flood("500 Internal Server Error"), cut, moved]);
    let telegram = telegram(&address);
    assert!(failure(&*telegram).what.contains("larger than 65536 bytes"));
    let floods = failure(&*telegram);
    assert!(floods.passes && floods.what.len() < 300, "{}", floods.what.len());
    assert!(failure(&*telegram).passes);
    assert!(!failure(&*telegram).passes, "nobody is followed elsewhere");
    let none = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let refused = failure(&*by_url("discord", &format!("http://{none}")));
    assert!(refused.passes, "{}", refused.what);
}
