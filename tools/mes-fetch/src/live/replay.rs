//! A recording replayed at the pace at which it was recorded.
//!
//! What is sent is decided by [`feed`](super::feed), when by [`Pace`]. Everything that is due is handed over before the
//! next wait.

use std::{path::Path, str::FromStr};

use arrow_array::{Array, cast::AsArray, types::TimestampNanosecondType};
use mes_pipe::{Error, Event, Input, InputArgs, Kind, OutputArgs, Result, Ticks, clock::Pace, stop};
use serde_json::json;

use super::{
    feed::{Feed, Record},
    records::Records,
};
/// A pace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
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
pub fn run(path: &Path, speed: Speed, output: &OutputArgs) -> Result<()> {
    let input = InputArgs { files: vec![path.to_owned()], ..InputArgs::default() };
    let mut input = Input::open(&input, &[Kind::Tick])?.in_any_order();
    if input.meta().kind != Kind::Tick {
        let (path, kind) = (path.display(), input.meta().kind.name());
        return Err(Error::usage(format!("{path} holds rows of kind {kind}: live replays ticks")));
    }
    let mut sender = Sender::create(speed, output, &input)?;
    let mut feed = Feed::of_recording();
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
            Event::Idle => sender.records.flush()?,
            Event::End => return sender.records.finish(),
        }
    }
}

/// Writes records when their time has come.
struct Sender {
    speed: Speed,
    /// Runs from the first record on.
    pace: Option<Pace>,
    records: Records,
}

impl Sender {
    fn create(speed: Speed, output: &OutputArgs, input: &Input) -> Result<Sender> {
        let meta = input.meta().stage("mes-fetch live", Kind::Tick, json!({ "replay": true }));
        let has = |name: &str| input.schema().column_with_name(name).is_some();
        Ok(Sender { speed, pace: None, records: Records::create(output, &meta, has)? })
    }

    fn send(&mut self, record: Record) -> Result<()> {
        if let Speed::Times(speed) = self.speed {
            let pace = self.pace.get_or_insert_with(|| Pace::start(record.due, speed));
            if !pace.until(record.due).is_zero() {
                self.records.flush()?;
                self.pace.iter().for_each(|pace| pace.wait(record.due, stop::asked));
            }
        }
        self.records.push(&record)
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
