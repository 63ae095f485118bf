//! Tells a person what happens: reads any journal as it is written, a backtest's, a paper day's, a live day's, and tells by console,
//! mail, Slack, Discord, Telegram, webhook, desktop and sound. It stands beside the pipeline, never in it: nothing here can hold
//! up or crash trading.
//!
//! What is worth telling (`news.rs`, `exec.rs`) and who is told it when (`desk.rs`) are pure; `teller.rs` drives both by what it reads and
//! by the clock; `post.rs` carries messages, a thread and a deadline for each channel; `kept.rs` remembers what was told.

mod alert;
mod channels;
mod commands;
mod config;
mod desk;
mod exec;
mod follow;
mod kept;
mod kinds;
mod news;
mod post;
mod teller;
mod text;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use mes_pipe::{AnswerArgs, CalendarArgs, Result, clock::Clock};

/// Tell a person what a journal says, on the console, by mail, chat or sound.
///
/// Follows JOURNAL by its name as it grows and as the next run takes its place, or reads it from stdin (-), and never holds up
/// whoever writes it. Tells of fills, denials, limits, pauses, halts, unprotected positions, lost connections, the end; of a journal
/// that stops growing while the market is open (a dead man); and, where heartbeat_s is set, that all is well.
///
/// Who is told what, when and how stands in one TOML (--config); without it all is told on the console. Secrets come from the
/// environment. A receiver that hangs or refuses holds up nothing: the next channel of the route is told, and what could be
/// told nowhere is kept in RUN/alerts/alerts.jsonl and told at the next start while it is young.
#[derive(Parser)]
#[command(
    subcommand_negates_reqs = true,
    after_help = "Examples:
  mes-alert run/journal.jsonl                          # on the console, until ^C
  mes-alert --config alerts.toml run/journal.jsonl --exec run/state &
  ... | mes-risk | tee -p >(mes-alert -) | mes-exec    # at the end of a tee
  mes-alert --dry-run day.jsonl                        # what would have been told
  mes-alert --config alerts.toml test                  # one message on every channel

Exit codes: 0 the journal on stdin ended, 1 something could be told nowhere, 2 arguments or the TOML,
3 data (--dry-run), 4 stopped by a person"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    tell: TellArgs,
    /// Who is told what, when and how; without it the console
    #[arg(long, value_name = "FILE", env = "MES_ALERTS", global = true)]
    config: Option<PathBuf>,
}

#[derive(clap::Args)]
struct TellArgs {
    /// The journal; - is stdin
    #[arg(value_name = "JOURNAL", required = true)]
    journal: Option<PathBuf>,
    /// Folder with journals of mes-exec, or with such folders: the newest is followed too
    #[arg(long, value_name = "DIR")]
    exec: Option<PathBuf>,
    /// Read to the end, print what would be told, and to whom; on the journal's own time, so that nothing is silent
    #[arg(long)]
    dry_run: bool,
    /// Print the dry run as JSON lines
    #[arg(long, requires = "dry_run")]
    json: bool,
    /// The run directory, where what was told is kept
    #[arg(long, value_name = "DIR", env = "MES_RUN", default_value = "run")]
    run: PathBuf,
    #[command(flatten)]
    calendar: CalendarArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
    /// The clock of a practice
    #[arg(long, value_name = "CLOCK", env = "MES_CLOCK", value_parser = Clock::parse, hide = true)]
    clock: Option<Clock>,
}

#[derive(Subcommand)]
enum Verb {
    /// Tell one message on every channel, and say of each whether it was taken
    #[command(after_help = "Example: mes-alert --config alerts.toml test --channel mail")]
    Test {
        /// This channel alone; may be given again
        #[arg(long, value_name = "NAME")]
        channel: Vec<String>,
    },
    /// Read the TOML and the secrets, tell nobody, and say who would be told what
    #[command(after_help = "Example: mes-alert --config alerts.toml check")]
    Check,
    /// List what can be told, and how much it matters
    #[command(after_help = "Example: mes-alert list | grep urgent")]
    List(AnswerArgs),
}

/// Does what is asked for.
///
/// # Errors
/// What cannot be told (exit code 1), arguments and the TOML (2), data (3), a person's stop (4).
pub fn main(args: Args) -> Result<()> {
    let Args { verb, tell, config } = args;
    match verb {
        None => commands::tell(&tell, config.as_ref()),
        Some(Verb::Test { channel }) => commands::test(config.as_ref(), &channel),
        Some(Verb::Check) => commands::check(config.as_ref()),
        Some(Verb::List(answer)) => commands::list(answer),
    }
}
