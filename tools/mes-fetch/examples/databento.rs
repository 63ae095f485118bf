//! Runs the Databento of the tests for clients of other houses: `databento [PORT]` prints its address and serves.

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/databento/mod.rs"]
mod databento;

use std::io::{Write, stdout};

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let server = databento::Server::start(port);
    writeln!(stdout().lock(), "{}", server.url())?;
    loop {
        std::thread::park();
    }
}
