//! The thread around a link: it connects, with a fresh token each time, and again for ever.

use std::{
    io::ErrorKind,
    net::{Shutdown, TcpStream, ToSocketAddrs},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mes_core::time::{Now, Ts};
use mes_pipe::clock::Clock;
use mes_web::Base;
use tungstenite::{
    Error, Message, WebSocket, client::IntoClientRequest, protocol::WebSocketConfig, stream::MaybeTlsStream,
};

use super::{
    Kind, MarketEvent, Subscription, UserEvent,
    event::{Call, read},
    link::{Heard, Link, Step},
    retry::Retry,
};
use crate::{
    carrier::Carrier,
    session::{Access, Token},
    wire::signalr::MOST_BYTES,
};

/// For the connection, and for the answer to the upgrade.
const CONNECT: Duration = Duration::from_secs(10);
/// Waits for a new try are cut to see whether it is over.
const LOOK: Duration = Duration::from_millis(100);

/// What a hub tells.
#[derive(Clone, Debug, PartialEq)]
pub enum HubEvent {
    /// Everything is subscribed to. What happened in a gap is only to be seen by REST.
    Up {
        gap: Option<(Ts, Ts)>,
    },
    /// The connection is lost, or never was; it will be tried again.
    Down {
        why: String,
    },
    User(UserEvent),
    Market(MarketEvent),
    /// The session was thrown out: to be taken as the loss of both hubs.
    Logout,
    /// Something made no sense. On the user hub it may have been a fill.
    Malformed(String),
}

/// Where a hub is, and how to get in.
pub struct Door {
    /// `https://rtc.topstepx.com`.
    pub base: Base,
    pub kind: Kind,
    /// Asks the server for an id of the connection first, as the SDKs of Microsoft do; it goes without.
    pub negotiate: Option<Arc<dyn Carrier>>,
    pub access: Arc<dyn Access>,
    pub clock: Clock,
}

/// A hub that is listened to until it is dropped.
pub struct Hub {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    asked: AtomicBool,
    line: Mutex<Option<TcpStream>>,
}

impl Stop {
    fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    fn keep(&self, line: Option<TcpStream>) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }

    fn cut(&self) {
        if let Some(line) = &*self.line.lock().unwrap_or_else(PoisonError::into_inner) {
            // One that is gone already needs no cut.
            let _ = line.shutdown(Shutdown::Both);
        }
    }
}

impl Hub {
    /// Listens from now on. `tell` is called with the instant it was heard, from the hub's own thread, and should not
    /// take long.
    ///
    /// # Errors
    ///
    /// `Failed` where the system gives no thread.
    pub fn listen(
        door: Door,
        subscriptions: Vec<Subscription>,
        tell: impl FnMut(Now, HubEvent) + Send + 'static,
    ) -> mes_pipe::Result<Hub> {
        let stop = Arc::new(Stop::default());
        let name = format!("{:?} hub", door.kind).to_lowercase();
        let mut listener = Listener {
            door,
            subscriptions,
            tell,
            stop: Arc::clone(&stop),
            last_heard: None,
            thrown_out: false,
        };
        let thread = thread::Builder::new().name(name).spawn(move || listener.listen())?;
        Ok(Hub { stop, thread: Some(thread) })
    }

    /// Cuts the connection as a lost line does; the hub comes back by itself.
    pub fn cut(&self) {
        self.stop.cut();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop.asked.store(true, Ordering::Relaxed);
        self.stop.cut();
        // It may be waiting for a server that does not answer: at most as long as a connection may take.
        if let Some(thread) = self.thread.take().filter(JoinHandle::is_finished) {
            let _ = thread.join();
        }
    }
}

struct Listener<T> {
    door: Door,
    subscriptions: Vec<Subscription>,
    tell: T,
    stop: Arc<Stop>,
    /// When a record last came on a connection that was ready.
    last_heard: Option<Ts>,
    /// By another session.
    thrown_out: bool,
}

impl<T: FnMut(Now, HubEvent)> Listener<T> {
    fn listen(&mut self) {
        let mut retry = Retry::new(self.door.clock.now().utc.unsigned_abs());
        while !self.stop.asked() {
            let mut ready_at = None;
            let why = self.connection(&mut ready_at);
            if std::mem::take(&mut self.thrown_out) {
                retry.thrown_out();
            }
            self.stop.keep(None);
            if self.stop.asked() {
                return;
            }
            let now = self.door.clock.now();
            (self.tell)(now, HubEvent::Down { why });
            let due = now.steady + retry.after(ready_at.map_or(0, |ready| now.steady - ready));
            while !self.stop.asked() {
                match self.door.clock.until(due) {
                    Duration::ZERO => break,
                    wait => thread::sleep(wait.min(LOOK)),
                }
            }
        }
    }

    /// Connects and listens until it is over; returns why it is.
    fn connection(&mut self, ready_at: &mut Option<i64>) -> String {
        let token = match self.door.access.token() {
            Ok(token) => token,
            Err(why) => return why,
        };
        let opened = self.open(&token);
        let (mut socket, line) = match opened {
            Ok(opened) => opened,
            Err(Error::Http(answer)) if answer.status() == 401 => {
                self.door.access.rejected(token.generation);
                return "401: the token is not taken".to_owned();
            }
            // Its text may hold the address, and the address holds the token.
            Err(error) => return token.secret.redact(&error.to_string()),
        };
        let why = self.serve(&mut socket, &line, ready_at);
        let _ = socket.close(None);
        token.secret.redact(&why)
    }

    fn open(&self, token: &Token) -> Result<(WebSocket<MaybeTlsStream<TcpStream>>, TcpStream), Error> {
        let id = match &self.door.negotiate {
            Some(carrier) => format!("&id={}", negotiated(&**carrier, self.door.kind, token)?),
            None => String::new(),
        };
        let base = self.door.base.as_str();
        // http becomes ws, https becomes wss.
        let rest = base.strip_prefix("http").unwrap_or(base);
        let token = percent_encoded(token.secret.reveal());
        let request =
            format!("ws{rest}/{}?access_token={token}{id}", self.door.kind.path()).into_client_request()?;
        let line = connect(&request)?;
        self.stop.keep(Some(line.try_clone()?));
        let config =
            WebSocketConfig::default().max_message_size(Some(MOST_BYTES)).max_frame_size(Some(MOST_BYTES));
        let (socket, _) = tungstenite::client_tls_with_config(request, line.try_clone()?, Some(config), None)
            .map_err(|error| match error {
                tungstenite::HandshakeError::Failure(error) => error,
                tungstenite::HandshakeError::Interrupted(_) => Error::Io(ErrorKind::TimedOut.into()),
            })?;
        Ok((socket, line))
    }

    fn serve(
        &mut self,
        socket: &mut WebSocket<MaybeTlsStream<TcpStream>>,
        line: &TcpStream,
        ready_at: &mut Option<i64>,
    ) -> String {
        let (mut link, hello) = Link::open(self.subscriptions.clone(), self.door.clock.now().steady);
        if let Err(error) = socket.send(Message::text(hello)) {
            return error.to_string();
        }
        loop {
            let wait = self.door.clock.until(link.due());
            let step = if wait.is_zero() {
                link.pass(self.door.clock.now().steady)
            } else {
                // A timeout of zero is an error to the system.
                if let Err(error) = line.set_read_timeout(Some(wait.max(Duration::from_millis(1)))) {
                    return error.to_string();
                }
                match socket.read() {
                    Ok(Message::Text(text)) => link.frame(text.as_bytes(), self.door.clock.now().steady),
                    Ok(Message::Binary(bytes)) => link.frame(&bytes, self.door.clock.now().steady),
                    Ok(Message::Close(frame)) => {
                        return frame.map_or_else(
                            || "the server closes".to_owned(),
                            |frame| format!("the server closes: {frame}"),
                        );
                    }
                    Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => continue,
                    Err(Error::Io(error))
                        if matches!(
                            error.kind(),
                            // A signal, to whoever listens for it.
                            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                        ) =>
                    {
                        continue;
                    }
                    Err(error) => return error.to_string(),
                }
            };
            if let Some(why) = self.take(socket, &link, step, ready_at) {
                return why;
            }
        }
    }

    /// Sends and tells what a step brought; returns why it is over, if it is.
    fn take(
        &mut self,
        socket: &mut WebSocket<MaybeTlsStream<TcpStream>>,
        link: &Link,
        step: Step,
        ready_at: &mut Option<i64>,
    ) -> Option<String> {
        for text in step.say {
            if let Err(error) = socket.send(Message::text(text)) {
                return Some(error.to_string());
            }
        }
        let now = self.door.clock.now();
        for heard in step.heard {
            match heard {
                Heard::Ready => {
                    *ready_at = Some(now.steady);
                    let gap = self.last_heard.map(|last| (last, now.utc));
                    (self.tell)(now, HubEvent::Up { gap });
                }
                Heard::Called { target, arguments } => self.called(now, &target, arguments),
                Heard::Malformed(what) => (self.tell)(now, HubEvent::Malformed(what)),
                Heard::Over(why) => return Some(why),
            }
        }
        if link.is_ready() {
            self.last_heard = Some(now.utc);
        }
        self.stop.asked().then(|| "it is over".to_owned())
    }

    fn called(&mut self, now: Now, target: &str, arguments: Vec<serde_json::Value>) {
        let (call, wrong) = read(target, arguments);
        for what in wrong {
            (self.tell)(now, HubEvent::Malformed(what));
        }
        match call {
            Call::User(events) => {
                events.into_iter().for_each(|event| (self.tell)(now, HubEvent::User(event)))
            }
            Call::Market(events) => {
                events.into_iter().for_each(|event| (self.tell)(now, HubEvent::Market(event)))
            }
            Call::Logout => {
                self.thrown_out = true;
                (self.tell)(now, HubEvent::Logout)
            }
            Call::Unknown(_) => {}
        }
    }
}

fn connect(request: &tungstenite::handshake::client::Request) -> Result<TcpStream, Error> {
    let uri = request.uri();
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    let mut last = ErrorKind::NotFound.into();
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(line) => {
                line.set_nodelay(true)?;
                line.set_read_timeout(Some(CONNECT))?;
                line.set_write_timeout(Some(CONNECT))?;
                return Ok(line);
            }
            Err(error) => last = error,
        }
    }
    Err(Error::Io(last))
}

/// Asks for an id of the connection.
fn negotiated(carrier: &dyn Carrier, kind: Kind, token: &Token) -> Result<String, Error> {
    let failed = |what: String| Error::Io(std::io::Error::other(what));
    let path = format!("{}/negotiate?negotiateVersion=1", kind.path());
    let call =
        mes_web::Call::json(&path, &serde_json::json!({})).map_err(|fault| failed(fault.to_string()))?;
    let bytes =
        carrier.carry(call.bearer(&token.secret)).map_err(|fault| failed(format!("negotiation: {fault}")))?;
    let answer: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| failed(format!("negotiation: {error}")))?;
    let id = ["connectionToken", "connectionId"].iter().find_map(|field| answer.get(field)?.as_str());
    id.map(percent_encoded).ok_or_else(|| failed("negotiation: no id in the answer".to_owned()))
}

/// Writes what may stand in a query: a token of three parts of base64 stays as it is.
fn percent_encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use mes_web::Secret;

    use super::*;

    #[test]
    fn nothing_but_letters_that_a_query_may_hold_is_left() {
        assert_eq!(percent_encoded("eyJ-_.x~"), "eyJ-_.x~");
        assert_eq!(percent_encoded("a+b/c=&"), "a%2Bb%2Fc%3D%26");
        let secret = Secret::new("eyJhbGciOi.Zq7Kp2Wx9.Lm4Rt6Yv1");
        assert!(!secret.redact(&format!("ws://x/?access_token={}", secret.reveal())).contains("Zq7Kp2"));
    }
}
