//! The page's server, on loopback alone. Whoever is on this machine can reach a port of it, so what is asked of a
//! connection is little and bounded: one request, soon, small; and what is told without the token is nothing.
//!
//! By hyper itself, because it keeps the limits that axum does not hand on: time for the head, its size, one request a
//! connection.

mod answer;
mod browse;
mod events;
mod gate;
mod route;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use mes_pipe::{Error, Result};
use tokio::{net::TcpStream, runtime::Builder, sync::Notify, time::timeout};

use crate::desk::Desk;
pub use browse::browse;
use gate::Gate;

/// The most connections at once: of those that have shown no token yet, the oldest makes room for a new one.
const CONNECTIONS: usize = 128;
/// For the head of a request to come.
const HEAD: Duration = Duration::from_secs(2);
/// For all of a request and its answer, unless it is the stream of changes.
const WHOLE: Duration = Duration::from_secs(10);
/// The most bytes of a head.
const HEAD_BYTES: usize = 16 << 10;
const HEADERS: usize = 64;

/// What every request shares.
pub struct Served {
    desk: Arc<Desk>,
    gate: Gate,
    /// Streams of changes that are open.
    streams: AtomicUsize,
}

/// One connection, as whoever may have to end it sees it.
#[derive(Default)]
struct Line {
    /// Ends it.
    cut: Notify,
    /// It has shown a token or a session.
    known: AtomicBool,
    /// It is a stream of changes, which lasts.
    lasts: AtomicBool,
}

/// Serves a desk in a thread of its own and returns the address with its token: what a browser is to open.
///
/// # Errors
///
/// `Usage` where the port is taken, `Failed` where the system gives no randomness, thread or socket.
pub fn start(desk: Arc<Desk>, port: u16) -> Result<String> {
    let bound = std::net::TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
        Error::usage(format!("port {port}: {error}: give another --port, or 0 for any that is free"))
    })?;
    bound.set_nonblocking(true)?;
    let address: SocketAddr = bound.local_addr()?;
    let gate = Gate::new(address.port())?;
    let url = format!("http://{address}/#{}", gate.token());
    let served = Arc::new(Served { desk, gate, streams: AtomicUsize::new(0) });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("page".into()).spawn(move || {
        runtime.block_on(async {
            match tokio::net::TcpListener::from_std(bound) {
                Ok(listener) => accept(&listener, &served).await,
                Err(error) => mes_pipe::log::error(format!("the page is not served: {error}")),
            }
        });
    })?;
    Ok(url)
}

async fn accept(listener: &tokio::net::TcpListener, served: &Arc<Served>) {
    let mut lines: VecDeque<Arc<Line>> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptor is free: those that are taken are given back in time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        lines.retain(|line| Arc::strong_count(line) > 1);
        if lines.len() >= CONNECTIONS {
            let stranger = lines.iter().position(|line| !line.known.load(Ordering::Relaxed));
            let Some(line) = stranger.and_then(|at| lines.remove(at)) else { continue };
            line.cut.notify_one();
        }
        let line = Arc::new(Line::default());
        lines.push_back(Arc::clone(&line));
        tokio::spawn(connection(Arc::clone(served), line, stream));
    }
}

/// Serves one request.
async fn connection(served: Arc<Served>, line: Arc<Line>, stream: TcpStream) {
    // What a view is sent is whole: nothing more comes that could be waited for.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| route::answer(Arc::clone(&served), Arc::clone(&line), request));
    let talk = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut talk = std::pin::pin!(talk);
    tokio::select! {
        _ = &mut talk => {}
        () = line.cut.notified() => {}
        () = overdue(&line) => {}
    }
}

/// Comes back once a connection has lasted too long for what it is.
async fn overdue(line: &Line) {
    let forever = std::future::pending::<()>();
    tokio::time::sleep(WHOLE).await;
    if line.lasts.load(Ordering::Relaxed) {
        forever.await;
    }
}

/// Waits no longer than a request may take.
async fn soon<T>(future: impl Future<Output = T>) -> Option<T> {
    timeout(HEAD, future).await.ok()
}

#[cfg(test)]
mod tests;
