//! As much of HTTP/1.1 as is needed.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
};

pub struct Request {
    pub path: String,
    /// Of the query and of the form.
    pub fields: HashMap<String, String>,
    pub headers: HashMap<String, String>,
}

impl Request {
    pub fn read(stream: &TcpStream) -> io::Result<Request> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut fields = decode(query);
        fields.extend(decode(&String::from_utf8_lossy(&body)));
        Ok(Request { path: path.to_owned(), fields, headers })
    }

    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

fn decode(form: &str) -> HashMap<String, String> {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (unescape(name), unescape(value))).collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &after[2..];
            }
            (byte, _) => {
                bytes.push(if byte == b'+' { b' ' } else { byte });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes a head.
pub fn head(mut stream: &TcpStream, status: u16, headers: &[(&str, String)]) -> io::Result<()> {
    let mut text = format!("HTTP/1.1 {status} Said\r\nConnection: close\r\nrequest-id: test-1\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes())
}

/// Writes a whole answer with a body of known length.
pub fn text(
    mut stream: &TcpStream,
    status: u16,
    kind: &str,
    body: &str,
    more: &[(&str, String)],
) -> io::Result<()> {
    let mut headers = vec![("Content-Type", kind.to_owned()), ("Content-Length", body.len().to_string())];
    headers.extend_from_slice(more);
    head(stream, status, &headers)?;
    stream.write_all(body.as_bytes())
}

/// Writes some bytes as chunks of at most `most`.
pub fn chunks(mut stream: &TcpStream, body: &[u8], most: usize) -> io::Result<()> {
    for chunk in body.chunks(most) {
        stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
        stream.write_all(chunk)?;
        stream.write_all(b"\r\n")?;
    }
    stream.flush()
}
