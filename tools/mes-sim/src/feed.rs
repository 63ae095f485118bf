//! The market: recorded ticks or bars, read ahead by a thread of its own.

use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    thread,
};

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    contract::{Contract, Expiry, Name},
    symbol::Symbol,
    tick::Tick,
    time::{SECOND, Ts},
    tz,
};
use mes_pipe::{Bars, Error, Event, Input, InputArgs, Kind, Result, Ticks};

use crate::exchange::instrument::Instrument;

/// Batches that are read ahead.
const AHEAD: usize = 4;

/// Ticks in the order of time.
pub struct Feed {
    batches: Receiver<Result<Vec<Tick>>>,
    ready: VecDeque<Tick>,
    ended: bool,
    symbol: Symbol,
    instrument: Instrument,
}

impl Feed {
    /// Begins to read, and waits for the first tick.
    ///
    /// # Errors
    ///
    /// `Data` where rows cannot be read, are none, or are of a contract that nobody knows.
    pub fn open(args: InputArgs) -> Result<Feed> {
        let (sender, batches) = sync_channel(AHEAD);
        thread::Builder::new().name("reader".into()).spawn(move || {
            let input = Input::open(&args, &[Kind::Tick, Kind::Bar]);
            if let Err(error) = input.and_then(|input| read(input, &sender)) {
                // Nobody is left to be told where this fails.
                let _ = sender.send(Err(error));
            }
        })?;
        let ready = VecDeque::from(batches.recv().map_err(|_| Error::data("no rows: nothing to trade"))??);
        let first = ready.front().copied().ok_or_else(|| Error::data("no rows: nothing to trade"))?;
        Ok(Feed { batches, ready, ended: false, symbol: first.symbol, instrument: instrument(&first)? })
    }

    /// Returns the contract that trades.
    pub fn instrument(&self) -> Instrument {
        self.instrument
    }

    /// Returns the first tick that is there already.
    pub fn ready(&self) -> Option<Tick> {
        self.ready.front().copied()
    }

    /// Returns the next tick, if one is there without waiting.
    ///
    /// # Errors
    ///
    /// `Data` where rows cannot be read.
    pub fn peek(&mut self) -> Result<Option<Tick>> {
        while self.ready.is_empty() && !self.ended {
            match self.batches.try_recv() {
                Ok(batch) => self.ready.extend(batch?),
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => self.ended = true,
            }
        }
        self.follow()?;
        Ok(self.ready())
    }

    /// Takes all ticks before an instant, with their contracts.
    ///
    /// # Errors
    ///
    /// `Data` where rows cannot be read, or none are left.
    pub fn until(&mut self, ts: Ts) -> Result<Vec<(Instrument, Tick)>> {
        let mut before = Vec::new();
        loop {
            match self.ready() {
                Some(tick) if tick.ts < ts => {
                    before.push((self.instrument, tick));
                    self.pass()?;
                }
                Some(_) => return Ok(before),
                None => match self.batches.recv() {
                    Ok(batch) => {
                        self.ready.extend(batch?);
                        self.follow()?;
                    }
                    Err(_) => return Err(Error::data("no rows from then on: nothing to trade")),
                },
            }
        }
    }

    /// Says whether no tick will come any more.
    pub fn has_ended(&self) -> bool {
        self.ended && self.ready.is_empty()
    }

    /// Goes on behind the first tick; a symbol's change is a roll, which the contract follows.
    ///
    /// # Errors
    ///
    /// `Data` where the next symbol is none that anybody knows.
    pub fn pass(&mut self) -> Result<()> {
        self.ready.pop_front();
        self.follow()
    }

    fn follow(&mut self) -> Result<()> {
        if let Some(next) = self.ready.front().filter(|next| next.symbol != self.symbol) {
            self.symbol = next.symbol;
            self.instrument = instrument(next)?;
        }
        Ok(())
    }
}

fn read(mut input: Input, sender: &SyncSender<Result<Vec<Tick>>>) -> Result<()> {
    let interval = input.meta().interval.map_or(SECOND, |interval| interval.nanos());
    let is_ticks = input.meta().kind == Kind::Tick;
    loop {
        let batch = match input.next()? {
            Event::Batch(batch) => batch,
            Event::Idle => continue,
            Event::End => return Ok(()),
        };
        let mut ticks = Vec::new();
        if is_ticks {
            let rows = Ticks::of(&batch)?;
            for row in 0..rows.len() {
                ticks.push(rows.get(row).map_err(|error| error.at(input.at(row)))?);
            }
        } else {
            let rows = Bars::of(&batch)?;
            ticks.extend((0..rows.len()).flat_map(|row| within(&rows.get(row), interval)));
        }
        if sender.send(Ok(ticks)).is_err() {
            return Ok(());
        }
    }
}

/// Returns the trades that a bar is made of, as far as it tells: open, the extremes, the one on the way to the close last,
/// and the close, a quarter of its length apart. Its quote is that of the close.
fn within(bar: &Bar<f64>, interval: i64) -> [Tick; 4] {
    let [first, second] = if bar.close >= bar.open { [bar.low, bar.high] } else { [bar.high, bar.low] };
    let quarter = bar.volume / 4;
    let at = |quarters: i64, price, size| Tick {
        ts: bar.ts - interval * quarters / 4,
        price: Some(price),
        size: Some(size).filter(|size| *size > 0),
        symbol: bar.symbol,
        ..Tick::default()
    };
    let close = at(0, bar.close, bar.volume - 3 * quarter);
    let sizes = Tick { bid: bar.bid, ask: bar.ask, bid_size: bar.bid_size, ask_size: bar.ask_size, ..close };
    [at(3, bar.open, quarter), at(2, first, quarter), at(1, second, quarter), sizes]
}

/// Finds the contract of a tick; of a continuous series it is the one at the front then.
fn instrument(tick: &Tick) -> Result<Instrument> {
    let unknown = |why: &str| Error::data(format!("symbol {:?}: {why}", tick.symbol.as_str()));
    let near = tz::new_york(tick.ts).date();
    let text = if tick.symbol.is_empty() { "MES" } else { tick.symbol.as_str() };
    let name = Name::parse(text, near).map_err(|error| unknown(&error.to_string()))?;
    let known = Contract::of(name.root()).ok_or_else(|| unknown("no contract that can be traded here"))?;
    let expiry = match name {
        Name::Contract(_, expiry) => expiry,
        Name::Root(_) | Name::Continuous(_) => Expiry::front(tick.ts, &Calendar::shipped()),
    };
    Ok(Instrument { contract: known, expiry })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_trades_at_its_open_its_extremes_and_its_close() {
        let bar = Bar {
            ts: 4 * SECOND,
            open: 10.0,
            high: 12.0,
            low: 9.0,
            close: 11.0,
            volume: 9,
            ..Bar::default()
        };
        let of =
            |bar: &Bar<f64>| within(bar, SECOND).map(|tick| (tick.ts * 4 / SECOND, tick.price, tick.size));
        assert_eq!(
            of(&bar),
            [
                (13, Some(10.0), Some(2)),
                (14, Some(9.0), Some(2)),
                (15, Some(12.0), Some(2)),
                (16, Some(11.0), Some(3))
            ]
        );
        let falling = of(&Bar { close: 9.5, ..bar });
        assert_eq!((falling[1].1, falling[2].1), (Some(12.0), Some(9.0)));
    }

    #[test]
    fn a_symbol_is_a_contract_at_topstepx() {
        let at = |symbol: &str| {
            instrument(&Tick {
                ts: 1_795_186_800 * SECOND,
                symbol: symbol.parse().expect("short"),
                ..Tick::default()
            })
            .map(Instrument::id)
        };
        for symbol in ["MESZ6", "MES.v.0", "MES", "", "CON.F.US.MES.Z26"] {
            assert_eq!(at(symbol).ok().as_deref(), Some("CON.F.US.MES.Z26"), "{symbol}");
        }
        assert_eq!(at("ESH7").ok().as_deref(), Some("CON.F.US.EP.H27"));
        assert!(at("CLZ6").is_err() && at("?").is_err());
    }
}
