//! Sockets around the service, on this machine alone.

mod control;
mod driver;
mod hub;
mod rest;

use std::{
    collections::BTreeMap,
    fs::File,
    future::IntoFuture,
    io::{BufWriter, Write},
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderName, header::CONTENT_TYPE},
    routing::{any, get, post},
};
use mes_core::time::Ts;
use mes_pipe::{Error, Result};
use tokio::{net::TcpListener, runtime::Builder, sync::Notify};

use crate::{feed::Feed, service::Service};

pub use control::FaultRequest;
pub use driver::Time;

/// Everything that handlers, connections and the driver share.
pub struct Shared {
    service: Mutex<Service>,
    time: Time,
    /// Wakes the driver: something may have to happen sooner than it thinks.
    wake: Condvar,
    /// Wakes a connection, by its number: something is due on it.
    lines: Mutex<BTreeMap<u64, Arc<Notify>>>,
    journal: Mutex<Journal>,
    /// What a command has to show.
    token: String,
    /// How the time here follows from the time on this machine.
    began: (Ts, Ts),
}

struct Journal {
    out: BufWriter<File>,
    /// It could not be written: told once.
    broken: bool,
}

impl Shared {
    /// Prepares to serve; what happens is appended to `journal`.
    ///
    /// `machine` is this machine's time as the exchange's begins.
    pub fn new(service: Service, time: Time, machine: Ts, journal: File, token: String) -> Shared {
        let began = (service.now(), machine);
        Shared {
            service: Mutex::new(service),
            time,
            wake: Condvar::new(),
            lines: Mutex::default(),
            journal: Mutex::new(Journal { out: BufWriter::new(journal), broken: false }),
            token,
            began,
        }
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the service at the instant of now, then wakes whoever has something to do.
    fn at_now<T>(&self, act: impl FnOnce(&mut Service, Ts) -> T) -> T {
        let mut service = self.service();
        let now = self.time.now(&service);
        let done = act(&mut service, now);
        self.after(service, now);
        self.wake.notify_one();
        done
    }

    /// Keeps the journal and wakes the connections on which something is due.
    fn after(&self, mut service: MutexGuard<'_, Service>, now: Ts) {
        let (lines, due) = (service.journal(), service.due(now));
        // Lines of the journal in the order in which they happened: taken before another may act.
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        drop(service);
        journal.keep(&lines);
        drop(journal);
        let notify = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        due.iter().filter_map(|line| notify.get(line)).for_each(|line| line.notify_one());
    }
}

impl Journal {
    fn keep(&mut self, lines: &[String]) {
        if lines.is_empty() || self.broken {
            return;
        }
        let written =
            lines.iter().try_for_each(|line| writeln!(self.out, "{line}")).and_then(|()| self.out.flush());
        if let Err(error) = written {
            self.broken = true;
            mes_pipe::log::error(format!("the journal ends here, the exchange goes on: {error}"));
        }
    }
}

/// Serves until a person ends it, or the market does where `ends` says so.
///
/// # Errors
///
/// `Usage` for an address that is not this machine's or is taken; `Data` where the market's rows cannot be read.
pub fn serve(shared: Arc<Shared>, feed: Feed, listener: std::net::TcpListener, ends: bool) -> Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let driver = driver::start(Arc::clone(&shared), feed)?;
    let served = runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let app = Router::new()
            .route("/api/{*path}", any(rest::call))
            .route("/hubs/{hub}/negotiate", post(hub::negotiate))
            .route("/hubs/{hub}", get(hub::upgrade))
            .route("/sim/clock", get(control::clock))
            .route("/sim/fault", post(control::fault))
            .with_state(Arc::clone(&shared));
        tokio::select! {
            served = axum::serve(listener, app).into_future() => served,
            // Connections that stay open do not keep it from ending.
            () = ended(&shared, &driver, ends) => Ok(()),
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(200));
    served?;
    driver.failed().map_or(Ok(()), Err)
}

/// Comes back once a person has ended it, or the market's rows cannot be read, or have ended where that ends it.
async fn ended(shared: &Shared, driver: &driver::Handle, ends: bool) {
    loop {
        if mes_pipe::stop::asked() || driver.has_failed() || ends && driver.has_ended() {
            shared.wake.notify_one();
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// An answer in JSON.
fn json(value: &serde_json::Value) -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], value.to_string())
}

/// Takes a port of this machine; 0 takes any that is free.
///
/// # Errors
///
/// `Usage` where another program has it.
pub fn listen(port: u16) -> Result<(std::net::TcpListener, SocketAddr)> {
    let bound = std::net::TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
        Error::usage(format!("port {port}: {error}: give another --port, or 0 for any that is free"))
    })?;
    let address = bound.local_addr()?;
    Ok((bound, address))
}
