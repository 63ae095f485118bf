//! TopstepX (ProjectX Gateway): what the bytes say, a client that says what is known, and a small tool to look at an account.

pub mod wire;

use clap::Parser;
use mes_pipe::Result;

#[derive(Parser)]
pub struct Args {}

/// x
///
/// # Errors
/// x
pub fn main(_args: Args) -> Result<()> {
    Ok(())
}
