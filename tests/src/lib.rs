//! What the tests above single tools share: where the built tools are, a shell to run them in, golden folders, and
//! markets made to order.

pub mod golden;
pub mod labelled;
pub mod market;
pub mod shell;

/// Returns how many times as long to look (`make soak`), where that was asked for.
pub fn soak() -> Option<usize> {
    std::env::var("SOAK").ok().and_then(|times| times.parse().ok())
}
