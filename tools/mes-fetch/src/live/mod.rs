//! Ticks as they come, or came: a recording replayed at the pace at which it was recorded.
//!
//! What is sent is decided by [`feed`], when by [`Pace`]. Everything that is due is handed over before the next wait.

mod feed;

use std::{path::PathBuf, str::FromStr, sync::Arc};

use arrow_array::{Array, ArrayRef, TimestampNanosecondArray, cast::AsArray, types::TimestampNanosecondType};
use arrow_schema::{Field, SchemaRef};
use mes_core::time::Ts;
use mes_pipe::{
    Error, Event, Input, InputArgs, Kind, Output, OutputArgs, Result, Ticks, append, clock::Pace,
    columns::extend, schema, stop,
};
use serde_json::json;

use crate::table::{BATCH_ROWS, RowBuilder, TickBuilder};
use feed::{Feed, Record};

/// Replays recorded ticks at the pace at which they came
///
/// Reads trades or quotes; writes the same, and while nothing comes a heartbeat every second (a record of ts alone), so
/// that bars close on time; it stops 5 minutes after the last tick. A tick that came late has its ts lifted to the one
/// sent last and its own in ts_event. The records are the same at every speed. A hole in the recording is waited through.
#[derive(clap::Args)]
#[command(mut_arg("lineage_to", |arg| arg.visible_alias("lineage")))]
#[command(after_help = "Examples:
  mes-fetch live --replay ticks.parquet --speed 10x | mes-bars | mes-features
  mes-fetch synth --sessions 1 --ticks > day.arrow && mes-fetch live --replay day.arrow --speed max | mes-bars | head -3

Exit codes: 0 done, 1 failed, 2 arguments, 3 data")]
pub struct Args {
    /// The recording: ticks of any format
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many times as fast as it was recorded (10x), or max: without a clock
    #[arg(long, value_name = "N", default_value = "1x")]
    speed: Speed,
    #[command(flatten)]
    output: OutputArgs,
}

/// A pace.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Speed {
    Times(f64),
    Max,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Speed, String> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        match text.strip_suffix('x').unwrap_or(text).parse() {
            Ok(times) if times > 0.0 && f64::is_finite(times) => Ok(Speed::Times(times)),
            _ => Err("neither a number of times such as 10x nor max".to_owned()),
        }
    }
}

/// Sends what was recorded.
///
/// # Errors
///
/// `Usage` where it is no recording of ticks, `Data` where it is damaged, `Stopped` where a person ended it, `Failed`
/// where stdout cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let Some(path) = &args.replay else {
        return Err(Error::usage("live needs --replay FILE: it replays recordings and nothing else yet"));
    };
    let input = InputArgs { files: vec![path.clone()], ..InputArgs::default() };
    let mut input = Input::open(&input, &[Kind::Tick])?.in_any_order();
    if input.meta().kind != Kind::Tick {
        let (path, kind) = (path.display(), input.meta().kind.name());
        return Err(Error::usage(format!("{path} holds rows of kind {kind}: live replays ticks")));
    }
    let mut sender = Sender::create(args, &input)?;
    let mut feed = Feed::default();
    loop {
        match input.next()? {
            Event::Batch(batch) => {
                let ticks = Ticks::of(&batch)?;
                let own =
                    batch.column_by_name("ts_event").map(|own| own.as_primitive::<TimestampNanosecondType>());
                for row in 0..ticks.len() {
                    let tick = ticks.get(row).map_err(|error| error.at(input.at(row)))?;
                    let own = own.filter(|own| own.is_valid(row)).map(|own| own.value(row));
                    feed.take(&tick, own, |record| sender.send(record))?;
                }
            }
            Event::Idle => sender.flush()?,
            Event::End => return sender.finish(),
        }
    }
}

/// Writes records when their time has come.
struct Sender {
    speed: Speed,
    /// Runs from the first record on.
    pace: Option<Pace>,
    rows: TickBuilder,
    own_times: Vec<Option<Ts>>,
    schema: SchemaRef,
    output: Output,
}

impl Sender {
    fn create(args: &Args, input: &Input) -> Result<Sender> {
        let rows = TickBuilder::new(|name| input.schema().column_with_name(name).is_some());
        let schema = extend(&rows.schema(), vec![Field::new("ts_event", schema::instant(), true)])?;
        let meta = input.meta().stage("mes-fetch live", Kind::Tick, json!({ "replay": true }));
        let output = Output::create(&args.output, Arc::clone(&schema), &meta)?;
        Ok(Sender { speed: args.speed, pace: None, rows, own_times: Vec::new(), schema, output })
    }

    fn send(&mut self, record: Record) -> Result<()> {
        if let Speed::Times(speed) = self.speed {
            let pace = self.pace.get_or_insert_with(|| Pace::start(record.due, speed));
            if !pace.until(record.due).is_zero() {
                self.flush()?;
                self.pace.iter().for_each(|pace| pace.wait(record.due, stop::asked));
            }
        }
        self.rows.push(&record.tick);
        self.own_times.push(record.ts_event);
        if self.rows.len() >= BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        let own: TimestampNanosecondArray = std::mem::take(&mut self.own_times).into_iter().collect();
        let own: ArrayRef = Arc::new(own.with_timezone("UTC"));
        self.output.write(&append(&self.rows.finish()?, &self.schema, vec![own])?)
    }

    /// Hands everything sent so far to the reader.
    fn flush(&mut self) -> Result<()> {
        self.write()?;
        self.output.flush()
    }

    fn finish(mut self) -> Result<()> {
        self.write()?;
        self.output.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_speeds() {
        let of = |text: &str| text.parse::<Speed>().ok();
        assert_eq!(of("10x"), Some(Speed::Times(10.0)));
        assert_eq!(["0.5", "max"].map(of), [Some(Speed::Times(0.5)), Some(Speed::Max)]);
        assert_eq!(["", "x", "0", "-1x", "inf", "NaN", "10xx", "fast"].map(of), [None; 8]);
    }
}
