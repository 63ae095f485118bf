//! An exchange to practise on.
pub mod exchange;
#[derive(clap::Parser)]
pub struct Args {}
/// Runs.
///
/// # Errors
///
/// None.
pub fn main(_: Args) -> mes_pipe::Result<()> {
    Ok(())
}
