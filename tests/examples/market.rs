//! Prints the rows that the parity test trades: `cargo run --release --example market -- SEED`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let seed = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    std::io::stdout().write_all(mes_golden::market::eventful(seed).as_bytes())
}
