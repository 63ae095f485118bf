//! Fits neural nets with candle on one core, for `mes-train`, which starts this program: a matrix and settings come in
//! on stdin, weights and the net's own answers go out on stdout (`mes_train::nets::wire`). A net is one file with its
//! forward pass; its options, its cost and the same as ONNX stand in the file of that name in `mes-train`.
//!
//! It is a program of its own so that nobody who trades or trains trees has to build candle.

mod adamw;
mod checkpoint;
mod fit;
mod hybrid;
mod layers;
mod lstm;
mod mlp;
mod schedule;
mod transformer;
mod weights;

use std::{
    io::{BufReader, BufWriter, Read, Write, stdin, stdout},
    thread,
};

use candle_core::Tensor;
use clap::Parser;
use mes_pipe::{Error, Result};
use mes_train::{
    nets::wire::{Answer, Request},
    options::Options,
};

use weights::Weights;

/// Fit a neural net: started by mes-train, which sends the rows and takes the weights.
///
/// Reads one request on stdin and writes one answer on stdout; ends when the program that started it is gone.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-train lstm --out models/lstm.onnx data/features.parquet    # starts mes-nets by itself

Exit codes: 0 answered, 1 failed, 2 wrong arguments, 3 bad data")]
pub struct Args {
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

type Candle<T> = candle_core::Result<T>;

/// A net over scaled rows: what it does with its weights.
trait Net {
    /// Computes the logits `[batch, 3]` of `x`: `[batch, width]`, or `[batch, window, width]` for sequences.
    fn forward(&self, x: &Tensor) -> Candle<Tensor>;
}

/// What a net is built for.
struct Size<'a> {
    width: usize,
    window: usize,
    options: &'a Options,
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

/// Answers one request.
///
/// # Errors
///
/// [`Error::Data`] when stdin holds no request. What goes wrong in a fit is the answer.
pub fn main(args: Args) -> Result<()> {
    let mut stdin = BufReader::new(stdin());
    let request = Request::read(&mut stdin)
        .map_err(|error| Error::data(format!("no request from mes-train on stdin: {error}")))?;
    thread::spawn(move || end_with(stdin));
    let answer = answer(&request, args.quiet).unwrap_or_else(Answer::of_error);
    let mut stdout = BufWriter::new(stdout().lock());
    answer.write(&mut stdout)?;
    Ok(stdout.flush()?)
}

fn answer(request: &Request, quiet: bool) -> Result<Answer> {
    let (_, build) = NETS.iter().find(|(name, _)| *name == request.family).ok_or_else(|| {
        Error::usage(format!("no net {:?}: mes-train and mes-nets are not of one build", request.family))
    })?;
    fit::fit(request, *build, quiet)
}

/// Ends the program when whoever started it closes our stdin or dies: a fit that nobody waits for writes no checkpoints.
fn end_with(mut stdin: impl Read) {
    let _ = stdin.read(&mut [0]);
    std::process::exit(1);
}

/// Says that candle refused, which only a mistake of ours can bring about.
fn broken(error: candle_core::Error) -> Error {
    Error::failed(format!("the net: {error}"))
}
