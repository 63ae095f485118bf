//! Predictions in, verdicts out: what may be traded, how much, and when it has to end.

mod exits;
pub mod journal;
pub mod judge;
mod limits;
mod memory;
mod recorded;
pub mod rows;
mod rules;
mod stops;
pub mod trade;
mod wire;

use std::path::{Path, PathBuf};

use clap::Parser;
use mes_core::broker::Broker;
use mes_pipe::{Error, Result, lock};

use journal::{JsonJournal, lines};
use recorded::{NoAccount, Recorded};
use rows::{TableRows, TradeArgs};
use trade::trade;
use wire::Wire;

/// Judge predictions by the account's rules and send orders to mes-exec.
///
/// Reads rows (bars with p_dir and p_conf), writes the journal: one run record, then for every row the row, the
/// account's statement and the verdicts (order, deny, hold, alert), at last an end record and the last statement. The
/// statements come from the mes-exec that reads this journal, over the socket account.sock in the run directory.
#[derive(Parser)]
#[command(after_help = "Examples:
  mes-bars < ticks.csv | mes-features | mes-predict | mes-risk | mes-exec
  mes-predict --rule ema-cross bars.parquet | mes-risk --account none | jq -c 'select(.kind == \"order\")'
  grep -E '\"kind\":\"(run|row)\"' journal.jsonl | mes-risk | mes-exec        # replay

Exit codes: 0 done, 1 failed (mes-exec is gone), 2 arguments or rules, 3 data, 4 stopped on purpose")]
pub struct Args {
    #[command(flatten)]
    trade: TradeArgs,
    /// Where statements come from: nowhere (none), or a journal; the socket in the run directory if not given
    #[arg(long, value_name = "none|FILE")]
    account: Option<PathBuf>,
    /// Directory that mes-risk and mes-exec meet in
    #[arg(long, value_name = "DIR", env = "MES_RUN", default_value = "run")]
    run: PathBuf,
}

/// Opens rows and account, and trades.
pub fn main(args: Args) -> Result<()> {
    let settings = args.trade.settings.read()?;
    let capital = settings.rules.value.capital();
    match &args.account {
        None => {
            let _lock = lock(&args.run, "risk")?;
            let out = lines(std::io::stdout());
            let broker = Wire::connect(&args.run, out.clone())?;
            let mut rows = TableRows::open(&args.trade.input)?;
            rows.watch(broker.peer()?);
            run(&args, rows, broker, &settings, out).map_err(|error| match error {
                // Our reader is mes-exec: without it nothing is traded.
                Error::ReaderGone => Error::failed("mes-exec is gone"),
                other => other,
            })
        }
        Some(name) => {
            let rows = TableRows::open(&args.trade.input)?;
            let out = lines(std::io::stdout());
            if name == Path::new("none") {
                run(&args, rows, NoAccount::new(capital), &settings, out)
            } else {
                run(&args, rows, Recorded::open(name, capital)?, &settings, out)
            }
        }
    }
}

fn run<B: Broker>(
    args: &Args,
    mut rows: TableRows,
    mut broker: B,
    settings: &mes_pipe::Settings,
    out: journal::Lines,
) -> Result<()> {
    let (stream, columns) = rows.stream()?;
    let mut journal = JsonJournal::new(out, columns);
    trade(&mut rows, &mut broker, &mut journal, settings, &stream, args.trade.from)
}
