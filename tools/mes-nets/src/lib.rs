//! Fits neural nets with candle on one core, for `mes-train`, which starts this program: a matrix and settings come in
//! on stdin, how far it is, then weights and the net's own answers go out on stdout ([`mes_pipe::fitting`]). A net is one
//! file with its forward pass; its options, its cost and the same as ONNX stand in the file of that name in `mes-train`.
//!
//! It is a program of its own so that nobody who trades or trains trees has to build candle, and because candle takes
//! the number of its threads from the environment alone: more than one make these small products slower.

mod adamw;
mod checkpoint;
mod device;
mod fit;
mod hybrid;
mod layers;
mod lstm;
mod mlp;
mod schedule;
mod transformer;
mod weights;

use std::{
    io::{BufReader, Read, stdin, stdout},
    process::exit,
    thread,
};

use candle_core::Tensor;
use clap::Parser;
use mes_pipe::{
    Error, Result,
    fitting::{Matrix, Order, Said, receive},
    log::awaits,
};

use weights::Weights;

/// Fit a neural net: started by mes-train, which sends the rows and takes the weights.
///
/// Reads one order and its rows on stdin, writes how far it is and then the answer on stdout; ends when the program
/// that started it is gone. Nobody has to start it by hand.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-train lstm --out models/lstm.onnx data/features.parquet    # starts mes-nets by itself
  command -v mes-nets                                            # where mes-train finds it, unless it lies beside it

Exit codes: 0 answered, 1 failed, 2 wrong arguments, 3 no order on stdin")]
pub struct Args {}

/// The hash of the sources of this crate and of those it rests on.
const CODE: &str = env!("MES_CODE");

type Candle<T> = candle_core::Result<T>;

/// Takes what is said while a fit goes on.
type Tell<'a> = &'a mut dyn FnMut(Said) -> Result<()>;

/// A net over scaled rows: what it does with its weights.
trait Net {
    /// Computes the logits `[batch, 3]` of `x`: `[batch, width]`, or `[batch, window, width]` for sequences.
    fn forward(&self, x: &Tensor) -> Candle<Tensor>;
}

/// What a net is built for.
struct Size {
    /// Features of a row.
    width: usize,
    /// Rows of a sample.
    window: usize,
    /// How wide it is to be.
    hidden: usize,
}

/// Builds a net with weights to be drawn.
type Build = fn(&mut Weights, &Size) -> Candle<Box<dyn Net>>;

/// The nets there are, by the names of their families.
const NETS: [(&str, Build); 4] = [
    ("mlp", mlp::build),
    ("lstm", lstm::build),
    ("hybrid", hybrid::build),
    ("transformer", transformer::build),
];

/// Answers one order.
///
/// # Errors
///
/// [`Error::Data`] when stdin holds no order, [`Error::ReaderGone`] when nobody hears the answer. What goes wrong in a
/// fit is the answer.
pub fn main(_: Args) -> Result<()> {
    awaits("an order of mes-train");
    let mut stdin = BufReader::new(stdin());
    let (order, matrix) = receive(&mut stdin)
        .map_err(|error| Error::data(format!("no order of mes-train on stdin: {error}")))?;
    thread::spawn(move || end_with(stdin));
    let mut stdout = stdout().lock();
    let answer = answer(&order, &matrix, &mut |said| Ok(said.write(&mut stdout)?))
        .unwrap_or_else(|error| Said::of_error(&error));
    Ok(answer.write(&mut stdout)?)
}

fn answer(order: &Order, matrix: &Matrix, tell: Tell) -> Result<Said> {
    let (_, build) = NETS.iter().find(|(name, _)| *name == order.net).ok_or_else(|| {
        Error::failed(format!("no net {:?}: mes-train and mes-nets are not of one build", order.net))
    })?;
    fit::fit(order, matrix, *build, CODE, tell)
}

/// Ends the program when whoever started it closes our stdin or dies: a fit that nobody waits for writes no checkpoints.
fn end_with(mut stdin: impl Read) {
    let _ = stdin.read(&mut [0]);
    exit(1);
}

/// Says that candle refused, which only a mistake of ours can bring about.
fn broken(error: candle_core::Error) -> Error {
    Error::failed(format!("the net: {error}"))
}
