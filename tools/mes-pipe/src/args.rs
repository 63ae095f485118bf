//! What every tool is told about its input.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mes_core::{interval::Interval, session::Filter};

#[derive(Args, Clone, Debug, Default)]
pub struct InputArgs {
    /// Files in the order of time, or a directory of *.parquet; stdin without any
    ///
    /// Arrow, Parquet, DBN, CSV or JSON lines, each also as gzip or zstd, told by their first bytes.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub text: TextArgs,
    /// Side file for what rows are and came from: read for text without a header, where the tool before it wrote it
    ///
    /// A program between two tools gets text and writes text, which has no place for interval, session and lineage. With
    /// the same --lineage FILE on both its sides they go around it: the tool before it writes the file ahead of its first
    /// row, the tool after it reads it once a row has come. Of input that carries its own, nothing is read, and a
    /// tool that passes rows on writes the file.
    #[arg(long, value_name = "FILE")]
    pub lineage: Option<PathBuf>,
}

/// What text without a header cannot say of itself.
#[derive(Args, Clone, Debug, Default)]
pub struct TextArgs {
    /// Length of a row, for text without a header; else told by the times of the first rows
    #[arg(long, value_name = "INTERVAL")]
    pub interval: Option<Interval>,
    /// Session that the rows are of, for text without a header
    #[arg(long, value_name = "SESSION")]
    pub session: Option<Session>,
}

/// [`Filter`] as a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Session {
    All,
    Rth,
    Eth,
}

impl From<Session> for Filter {
    fn from(session: Session) -> Filter {
        match session {
            Session::All => Filter::All,
            Session::Rth => Filter::Rth,
            Session::Eth => Filter::Eth,
        }
    }
}
