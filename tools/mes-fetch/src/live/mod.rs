//! Ticks as they come, or came: from the market hub of TopstepX ([`shell`], and in it [`line`]), or from a recording
//! ([`replay`]). Both send by [`feed`].

mod clocks;
mod counts;
mod day;
mod feed;
mod join;
mod line;
mod market;
mod message;
mod offset;
mod records;
mod replay;
mod seconds;
mod sending;
mod shell;
mod watch;

use std::path::PathBuf;

use mes_core::time::{HOUR, MINUTE, SECOND};
use mes_pipe::{OutputArgs, Result};
use mes_projectx::ServiceArgs;

use message::WarmUp;
use replay::Speed;

/// The most of the past: what the service keeps of seconds is not documented.
const MOST_HOURS: i64 = 7 * 24;

/// Sends ticks as they come from TopstepX, or as they came, from a recording
///
/// Writes trades and quotes, and each second in which none came a heartbeat (a record of ts alone), so that bars close on
/// time. A tick that came late has its ts lifted to the one sent last and its own in ts_event.
///
/// From TopstepX (without --replay): the past comes first (--warm-up), as trades made of bars of one second, so that
/// mes-bars makes the same seconds; side and quote are null in it, and trades and vwap of a bar are those of at most four
/// trades a second. Then what happens now. Quotes carry the sizes of the book. A difference of the clocks is taken out
/// of all stamps, in whole seconds. Heartbeats stop 5 s after the last quote. It connects again for ever and fills what
/// it missed, up to 5 minutes. A lone tick at a price that cannot be is left out and counted. Where a new day has
/// another contract it ends (exit code 4): nothing is rolled under way. With --until-close it ends in order when the day
/// that is open, or opens next, has closed.
///
/// One session for a run: where a mes-exec lends its own in the run directory, that is used; else user and key come from
/// TOPSTEPX_USERNAME and TOPSTEPX_API_KEY, and the session is lent to what starts later.
///
/// A recording (--replay): the records are the same at every speed; heartbeats stop 5 minutes after the last tick; a hole
/// in the recording is waited through.
#[derive(clap::Args)]
#[command(mut_arg("lineage_to", |arg| arg.visible_alias("lineage")))]
#[command(after_help = "Examples:
  mes-fetch live | mes-bars | mes-features
  mes-fetch live --warm-up day --run run/mes |
      tee >(mes-bars --interval 1m > minutes.arrow) | mes-bars
  eval \"$(mes-sim env)\" && mes-fetch live --to jsonl | head -3   # from an exchange to practise on
  mes-fetch live --replay ticks.parquet --speed 10x | mes-bars | mes-features
  mes-fetch synth --sessions 1 --ticks > day.arrow &&
      mes-fetch live --replay day.arrow --speed max | mes-bars | head -3

Exit codes: 0 done, 1 failed, 2 arguments or key, 3 data, 4 stopped by a person or by another contract")]
pub struct Args {
    /// The recording: ticks of any format
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many times as fast as it was recorded (10x), or max: without a clock
    #[arg(long, value_name = "N", default_value = "1x", requires = "replay")]
    speed: Speed,
    /// MES (the one that can be traded now), MESZ6 or CON.F.US.MES.Z26
    #[arg(long, default_value = "MES", conflicts_with = "replay")]
    contract: String,
    /// How much of the past comes first: 2h, 30min, 90s, day (since the opening at 18:00 New York), 0
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = warm_up, conflicts_with = "replay")]
    warm_up: WarmUp,
    /// End when the day has closed, so that what runs every day begins anew with each
    #[arg(long, conflicts_with = "replay")]
    until_close: bool,
    /// How long to wait for a mes-exec to lend its session [default: 5 where a run is named, 2 into a pipe, else 0]
    #[arg(long, value_name = "SECONDS", conflicts_with = "replay", value_parser = clap::value_parser!(u16).range(0..=600))]
    wait: Option<u16>,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

fn warm_up(text: &str) -> std::result::Result<WarmUp, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "s" => SECOND,
        "min" | "m" => MINUTE,
        "h" => HOUR,
        "d" => 24 * HOUR,
        "day" if digits == 0 => return Ok(WarmUp::Day),
        "" if text == "0" => return Ok(WarmUp::None),
        _ => return Err("neither a time such as 2h, 30min, 90s, nor day or 0".to_owned()),
    };
    match text[..digits].parse::<i64>().ok().and_then(|number| number.checked_mul(unit)) {
        Some(0) => Ok(WarmUp::None),
        Some(span) if span <= MOST_HOURS * HOUR => Ok(WarmUp::Span(span)),
        _ => Err(format!("at most {} days", MOST_HOURS / 24)),
    }
}

/// Sends what comes, or what was recorded.
///
/// # Errors
///
/// `Usage` where it is no recording of ticks, or there is no key, contract or session; `Data` where a recording is
/// damaged; `Stopped` where a person ended it, or the contract is no longer the one; `Failed` where stdout cannot be written
/// or the service is not there at the start.
pub fn run(args: &Args) -> Result<()> {
    match &args.replay {
        Some(path) => replay::run(path, args.speed, &args.output),
        None => shell::run(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_how_much_of_the_past() {
        let of = |text: &str| warm_up(text).ok();
        assert_eq!(of("2h"), Some(WarmUp::Span(2 * HOUR)));
        assert_eq!([of("30min"), of("30m"), of("1800s")], [Some(WarmUp::Span(30 * MINUTE)); 3]);
        assert_eq!(
            [of("day"), of("0"), of("0s")],
            [Some(WarmUp::Day), Some(WarmUp::None), Some(WarmUp::None)]
        );
        assert_eq!(["", "h", "1", "-1h", "8d", "99999999999999999999h", "2weeks", "1day"].map(of), [None; 8]);
    }
}
