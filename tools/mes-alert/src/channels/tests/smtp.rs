//! Mail to a server that speaks SMTP with STARTTLS, within TLS and in clear, and asks for a password by PLAIN or LOGIN.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::*;

/// For this test alone: self-signed, good for a hundred years, of localhost.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/channels/tests/ca.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/channels/tests/key.pem");

#[derive(Clone, Copy, PartialEq)]
enum Crypt {
    Starttls,
    Tls,
    Clear,
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// Serves one mail by one way and one kind of AUTH; returns its port and all that was said to it.
fn server(crypt: Crypt, auth: &'static str, good: bool) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (send, said) = channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a call");
        let mut log = String::new();
        // A client that leaves early is what some tests are about.
        let _ = serve(stream, crypt, auth, good, &mut log);
        let _ = send.send(log);
    });
    (port, said)
}

fn within_tls(stream: TcpStream) -> Box<dyn Stream> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(KEY).expect("a key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    Box::new(StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("a session"), stream))
}

fn serve(stream: TcpStream, crypt: Crypt, auth: &str, good: bool, log: &mut String) -> std::io::Result<()> {
    let (mut secure, bare) = (crypt == Crypt::Tls, stream.try_clone()?);
    let stream: Box<dyn Stream> = if secure { within_tls(stream) } else { Box::new(stream) };
    let mut peer = BufReader::new(stream);
    peer.get_mut().write_all(b"220 test ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if peer.read_line(&mut line)? == 0 {
            return Ok(());
        }
        log.push_str(if secure { "S " } else { "C " });
        log.push_str(&line);
        let verb = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        let answer = match verb.as_str() {
            "EHLO" if !secure && crypt == Crypt::Starttls => "250-test\r\n250 STARTTLS\r\n".to_owned(),
            "EHLO" => format!("250-test\r\n250 AUTH {auth}\r\n"),
            "STARTTLS" => {
                peer.get_mut().write_all(b"220 go on\r\n")?;
                (peer, secure) = (BufReader::new(within_tls(bare.try_clone()?)), true);
                continue;
            }
            "AUTH" if line.trim_end() == "AUTH LOGIN" => {
                for prompt in ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"] {
                    peer.get_mut().write_all(prompt.as_bytes())?;
                    peer.read_line(log)?;
                }
                verdict(good)
            }
            "AUTH" => verdict(good),
            "DATA" => {
                peer.get_mut().write_all(b"354 go on\r\n")?;
                while !log.ends_with("\r\n.\r\n") {
                    peer.read_line(log)?;
                }
                "250 taken\r\n".to_owned()
            }
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "250 ok\r\n".to_owned(),
        };
        peer.get_mut().write_all(answer.as_bytes())?;
    }
}

fn verdict(good: bool) -> String {
    if good { "235 ok\r\n".into() } else { format!("535 5.7.8 no: {SECRET}\r\n") }
}

fn mail(port: u16, keys: &str) -> Box<dyn Channel> {
    let keys = format!(
        "host = \"localhost\"\nport = {port}\nfrom = \"mes <mes@example.com>\"\nto = [\"me@example.com\", \"you@example.com\"]\n\
         user = \"me\"\npassword_env = \"P\"\n{keys}"
    );
    open("mail", &keys, &[("P", SECRET.into())]).expect("opens")
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let coded = text.as_bytes().chunks(3).map(|chunk| {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digit =
            |at: usize| if at <= chunk.len() { DIGITS[(word >> (18 - 6 * at) & 63) as usize] } else { b'=' };
        (0..4).map(|at| char::from(digit(at))).collect::<String>()
    });
    coded.collect()
}

#[test]
fn a_mail_goes_out_by_starttls_within_tls_and_in_clear_with_its_password() {
    let ca = format!("ca = \"{CERTIFICATE}\"");
    let ways = [
        (Crypt::Starttls, "PLAIN", ca.clone()),
        (Crypt::Starttls, "LOGIN", ca.clone()),
        (Crypt::Tls, "PLAIN LOGIN", format!("tls = \"tls\"\n{ca}")),
        (Crypt::Clear, "PLAIN", "tls = \"none\"".to_owned()),
    ];
    for (crypt, auth, keys) in ways {
        let (port, said) = server(crypt, auth, true);
        mail(port, &keys).tell(&message()).expect("told");
        let said = said.recv().expect("a mail");
        let password = if auth == "LOGIN" { base64(SECRET) } else { base64(&format!("\0me\0{SECRET}")) };
        let at = said.find(&password).unwrap_or_else(|| panic_with(&said));
        let line = said[..at].lines().last().unwrap_or_default();
        assert_eq!(crypt == Crypt::Clear, line.starts_with("C "), "{said}");
        for part in [
            "MAIL FROM:<mes@example.com>",
            "RCPT TO:<me@example.com>",
            "RCPT TO:<you@example.com>",
            "Subject: mes urgent: $51.20 lost Bcc: x@example.com (and 3 more)",
            "\r\nDate: ",
            "\r\nFrom: ",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(!said.contains("\r\nBcc:"), "a header came out of a text: {said}");
        let whole = said.replace("=\r\n", "");
        assert!(whole.contains("lost Bcc: x@example.com (daily_loss_usd)"), "{said}");
    }
}

fn panic_with(said: &str) -> usize {
    unreachable!("no password in {said}")
}

#[test]
fn a_server_that_nobody_vouches_for_or_that_has_no_tls_gets_nothing() {
    let (port, said) = server(Crypt::Starttls, "PLAIN", true);
    let failed = failure(&*mail(port, ""));
    assert!(!failed.passes && failed.what.to_lowercase().contains("certificate"), "{}", failed.what);
    assert!(!said.recv().expect("its log").contains("AUTH"));
    let (port, said) = server(Crypt::Clear, "PLAIN", true);
    let failed = failure(&*mail(port, &format!("ca = \"{CERTIFICATE}\"")));
    assert!(!failed.passes, "{}", failed.what);
    assert!(!said.recv().expect("its log").contains("AUTH"), "no password in clear");
}

#[test]
fn a_password_that_is_refused_and_a_server_that_is_not_there_are_told_apart() {
    let (port, _said) = server(Crypt::Clear, "PLAIN", false);
    let refused = failure(&*mail(port, "tls = \"none\""));
    assert!(!refused.passes && refused.what.contains("535"), "{}", refused.what);
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let absent = failure(&*mail(port, "tls = \"none\""));
    assert!(absent.passes, "{}", absent.what);
}

#[test]
fn in_clear_to_another_machine_is_said_plainly_or_refused() {
    let keys = |more: &str| {
        let text = format!(
            "host = \"mail.example.com\"\nfrom = \"a@b.c\"\nto = [\"d@e.f\"]\ntls = \"none\"\n{more}"
        );
        Means::read("mail", toml::from_str(&text).expect("TOML"), "channels.x").err()
    };
    assert!(keys("").is_some_and(|what| what.contains("in_clear = true allows that")));
    assert_eq!(keys("in_clear = true"), None);
}
