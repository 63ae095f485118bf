//! What a live feed does: the hub's happenings, the answers of REST and the passing of time in; records, questions and
//! words for a person out. Pure: no network, no thread, no clock.
//!
//! **Two times.** Stamps and bars are in the service's time. What is sent is in ours: the service's plus a whole number of
//! seconds (`shift`), so that its seconds stay seconds, and the bars of its history those of its trades. What is
//! left of the difference, under a second, is taken out of the clock that heartbeats follow. So a heartbeat never
//! overtakes a trade because of what two clocks differ by, and rows are as old as they say, to less than a second.
//!
//! **Joining.** When the hub has confirmed all subscriptions, what comes is kept back. The join is the first whole second of
//! which all trades will come here. What was before it is asked of the history, once that knows the second after; trades
//! stamped before the join are left to it, those from there on are sent. After a loss the same is done from the second
//! sent last on, of which only what lacks is sent.

use std::{convert::Infallible, fmt};

use chrono::NaiveDate;
use mes_core::{
    calendar::Calendar,
    session::{Part, Sessions},
    symbol::Symbol,
    tick::Tick,
    time::{self, MILLI, MINUTE, Now, SECOND, Ts},
};
use mes_projectx::{
    hub::{HubEvent, MarketEvent},
    wire::{Bar, Print, Quote},
};

use super::{
    counts::Counts,
    feed::{Feed, Record},
    join::{Join, Verdict},
    market::{Market, Odd},
    offset::Offset,
    seconds::Second,
    watch::{Finding, Watch},
};

/// A loss so long is made good from the history; a longer one is only told.
const FILLED: i64 = 5 * MINUTE;
/// A stamp that lies further ahead of what can be is not believed.
const AHEAD: i64 = SECOND;
/// A difference of the clocks is taken out anew once what is left of it is larger.
const LEFT: i64 = 750 * MILLI;
/// Between two questions about the contract that were not answered.
const AGAIN: i64 = 10 * SECOND;

/// How much of the past is sent before the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    None,
    /// Nanoseconds.
    Span(i64),
    /// From the opening of the Globex day on.
    Day,
}

impl fmt::Display for WarmUp {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            WarmUp::None => f.write_str("0"),
            WarmUp::Span(nanos) => write!(f, "{}s", nanos / SECOND),
            WarmUp::Day => f.write_str("day"),
        }
    }
}

/// Something that has come.
#[derive(Debug)]
pub enum Event {
    Hub(HubEvent),
    /// The answer to [`Want::Bars`], by its number.
    Bars(u32, Result<Vec<Bar>, String>),
    /// The answer to [`Want::Newest`]: when the newest bar begins.
    Newest(Result<Option<Ts>, String>),
    /// The answer to [`Want::Contract`]: whether ours is still the one, or else which is.
    Contract(Result<Option<String>, String>),
}

/// Something that is to be asked or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// All bars of one second that begin within a span, in the service's time.
    Bars { number: u32, span: [Ts; 2] },
    /// The newest bar of a span.
    Newest([Ts; 2]),
    /// Whether the contract is still the one that can be traded.
    Contract,
    /// The connection is to be cut: it comes back by itself.
    Cut,
}

/// Something for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    Note(String),
    /// Not to be kept quiet.
    Alert(String),
}

/// What is to be done now.
#[derive(Debug, Default)]
pub struct Step {
    pub records: Vec<Record>,
    pub wants: Vec<Want>,
    pub says: Vec<Say>,
    /// The feed ends here, for this reason.
    pub end: Option<String>,
}

/// The state.
pub struct Line {
    name: String,
    warm_up: WarmUp,
    sessions: Sessions,
    offset: Offset,
    /// What is added to the service's time, whole seconds.
    shift: i64,
    market: Market,
    feed: Feed,
    watch: Watch,
    phase: Phase,
    /// Trades before this were told by the history. In the service's time.
    joined: Option<Ts>,
    /// What was sent of the second in which last something traded.
    seen: Option<Second>,
    /// The day that it was last, once that was looked at: a new one may have another contract.
    day: Option<Option<NaiveDate>>,
    /// When to ask about the contract, on the steady clock.
    ask_contract: Option<i64>,
    counts: Counts,
}

enum Phase {
    Down,
    Joining(Box<Join>),
    Live,
}

impl Line {
    /// Begins before the hub is connected, with a contract of this name.
    pub fn new(symbol: Symbol, warm_up: WarmUp, calendar: Calendar) -> Line {
        Line {
            name: symbol.to_string(),
            warm_up,
            sessions: Sessions::new(calendar),
            offset: Offset::default(),
            shift: 0,
            market: Market::new(symbol),
            feed: Feed::of_line(),
            watch: Watch::default(),
            phase: Phase::Down,
            joined: None,
            seen: None,
            day: None,
            ask_contract: None,
            counts: Counts::default(),
        }
    }

    /// Returns what was left out and moved so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes in something that has come, heard at `now`.
    pub fn take(&mut self, event: Event, now: Now) -> Step {
        let mut step = Step::default();
        match event {
            Event::Hub(HubEvent::Market(event)) => self.market(event, now, &mut step),
            Event::Hub(HubEvent::Up { .. }) => self.up(now),
            Event::Hub(HubEvent::Down { why }) => self.down(&why, &mut step),
            Event::Hub(HubEvent::Malformed(_)) => self.counts.malformed += 1,
            Event::Hub(HubEvent::Logout) => {
                let text = "the session was thrown out by another login: another try in a while";
                step.says.push(Say::Alert(text.to_owned()));
            }
            Event::Hub(HubEvent::User(_)) => {}
            Event::Bars(number, answer) => self.bars(number, answer, now, &mut step),
            Event::Newest(answer) => {
                let finding = self.watch.answered(answer, now.steady);
                self.found(finding, &mut step);
            }
            Event::Contract(answer) => self.contract(answer, now, &mut step),
        }
        step
    }

    /// Takes in that it is `now`; to be called at [`Line::due`] at the latest.
    pub fn pass(&mut self, now: Now) -> Step {
        let mut step = Step::default();
        self.new_day(now, &mut step);
        let there = self.there(now);
        match &mut self.phase {
            Phase::Down => {}
            Phase::Joining(join) => {
                if let Some(join_at) = join.decide(there, now.steady) {
                    self.decided(join_at, now, &mut step);
                }
                self.joining(now, &mut step);
            }
            Phase::Live => {
                self.beat(now, &mut step);
                let open = matches!(
                    self.sessions.of_instant(there + self.shift),
                    Part::Overnight | Part::Rth | Part::Evening
                );
                let finding = self.watch.pass(there, now.steady, open);
                self.found(finding, &mut step);
            }
        }
        step
    }

    /// Returns the steady instant by which [`Line::pass`] has something to do, if nothing comes.
    pub fn due(&self, now: Now) -> i64 {
        let tenth = now.steady + 100 * MILLI;
        match &self.phase {
            Phase::Live => {
                let ours = self.there(now) + self.shift;
                let beat = self.feed.due().map_or(i64::MAX, |due| now.steady + (due - ours).max(0));
                beat.min(now.steady + SECOND)
            }
            Phase::Joining(_) => tenth,
            Phase::Down => now.steady + SECOND,
        }
    }

    /// Returns the service's time of what would come in now by the shortest way.
    fn there(&self, now: Now) -> Ts {
        now.utc.saturating_sub(self.offset.get())
    }

    fn up(&mut self, now: Now) {
        self.offset.reset();
        self.market.forget();
        self.watch.begin(now.steady);
        self.phase = Phase::Joining(Box::new(Join::new(now)));
    }

    fn down(&mut self, why: &str, step: &mut Step) {
        step.says.push(Say::Note(format!("the connection is lost, trying again: {why}")));
        if matches!(self.phase, Phase::Live) {
            self.go_blind(step);
        }
        self.feed.fall_silent();
        self.phase = Phase::Down;
    }

    /// Says in the data that the quote is not known any more, without letting time pass.
    fn go_blind(&mut self, step: &mut Step) {
        if let (Some(blind), Some(ts)) = (self.market.blind(), self.feed.sent()) {
            let Ok(()) = self.feed.put(&Tick { ts, ..blind }, None, keep(&mut step.records));
        }
    }

    /// Takes in where the join is, and asks for what was before.
    fn decided(&mut self, join_at: Ts, now: Now, step: &mut Step) {
        let offset = self.offset.get();
        if (offset - self.shift).abs() > LEFT {
            self.follow_clock(step);
        }
        let from = match (self.feed.sent(), self.warm_up) {
            (Some(sent), _) => {
                let begin = (sent - self.shift).div_euclid(SECOND) * SECOND;
                if join_at - begin > FILLED {
                    let minutes = (join_at - begin) / MINUTE;
                    step.says.push(Say::Alert(format!(
                        "{minutes} minutes were missed, from {}: too long to be filled",
                        time::format(begin + self.shift)
                    )));
                    None
                } else {
                    Some(begin)
                }
            }
            (None, WarmUp::None) => None,
            (None, WarmUp::Span(span)) => Some((join_at - span).div_euclid(SECOND) * SECOND),
            (None, WarmUp::Day) => {
                let open = self.sessions.day(join_at + self.shift).map(|day| day.open - self.shift);
                open.filter(|open| *open < join_at)
            }
        };
        if let Phase::Joining(join) = &mut self.phase {
            join.wants(from, now.steady);
        }
    }

    fn joining(&mut self, now: Now, step: &mut Step) {
        let there = self.there(now);
        let Phase::Joining(join) = &mut self.phase else { return };
        match join.pass(there, now.steady) {
            Verdict::Wait => {}
            Verdict::Ask { number, span } => step.wants.push(Want::Bars { number, span }),
            Verdict::Joined { bars, failed } => self.join(&bars, failed, step),
        }
    }

    fn bars(&mut self, number: u32, answer: Result<Vec<Bar>, String>, now: Now, step: &mut Step) {
        if let Phase::Joining(join) = &mut self.phase {
            join.answered(number, answer, now.steady);
            self.joining(now, step);
        }
    }

    /// Sends what was before the join, then what was kept back.
    fn join(&mut self, bars: &[Bar], failed: Option<String>, step: &mut Step) {
        let Phase::Joining(join) = std::mem::replace(&mut self.phase, Phase::Live) else { return };
        let again = self.feed.sent().is_some();
        // Without the history, trades before the join are better than none.
        self.joined = join.at().filter(|_| failed.is_none());
        let from = self.feed.sent().map(|sent| (sent - self.shift).div_euclid(SECOND) * SECOND);
        let mut count = 0;
        for bar in bars {
            let early = from.is_some_and(|from| bar.t.ts() < from);
            if !early && self.joined.is_some_and(|joined| bar.t.ts() < joined) {
                count += u64::from(self.second(bar, step));
            }
        }
        let what = if again { "connected again" } else { "live" };
        step.says.push(match (failed, bars.first()) {
            (Some(why), _) => Say::Alert(format!("{what}, but without the seconds before: {why}")),
            (None, Some(first)) if count > 0 => {
                let since = time::format(first.t.ts() + self.shift);
                Say::Note(format!("{what}: {count} bars of one second from {since} on, then {}", self.name))
            }
            (None, _) => Say::Note(format!("{what}: {}", self.name)),
        });
        for (event, heard) in join.kept() {
            self.market(event, heard, step);
        }
    }

    /// Sends a second of the history; returns whether it could be one.
    fn second(&mut self, bar: &Bar, step: &mut Step) -> bool {
        if bar.v == 0 {
            return false;
        }
        let Some(second) = Second::of(bar) else {
            self.counts.malformed += 1;
            return false;
        };
        if let Err(odd) = self.market.traded([second.high, second.low, second.close], second.begin) {
            self.counts.odd(odd);
            return false;
        }
        let pieces = match self.seen.filter(|seen| seen.begin == second.begin) {
            Some(seen) => second.rest(&seen),
            None => second.pieces(),
        };
        for piece in pieces {
            let tick = Tick {
                ts: piece.ts + self.shift,
                price: Some(piece.price.points()),
                size: Some(piece.size),
                symbol: self.market.symbol(),
                ..Tick::default()
            };
            let Ok(()) = self.feed.put(&tick, None, |record| {
                // A made-up place in a second has no time of its own.
                step.records.push(Record { ts_event: None, ..record });
                Ok::<(), Infallible>(())
            });
        }
        self.seen = Some(second);
        true
    }

    fn market(&mut self, event: MarketEvent, now: Now, step: &mut Step) {
        let stamp = match &event {
            MarketEvent::Quote { change, .. } => quoted_at(change),
            MarketEvent::Print { print, .. } => Some(print.timestamp.ts()),
            MarketEvent::Depth { .. } => None,
        };
        if let Phase::Joining(join) = &mut self.phase {
            if let Some(stamp) = stamp {
                self.offset.measure(now.utc.saturating_sub(stamp), now.steady);
            }
            return join.keep(event, now);
        }
        if !matches!(self.phase, Phase::Live) {
            return;
        }
        match event {
            MarketEvent::Quote { change, .. } => self.quote(&change, now, step),
            MarketEvent::Print { print, .. } => self.print(&print, now, step),
            MarketEvent::Depth { changes, .. } => self.market.depth(&changes),
        }
    }

    fn quote(&mut self, change: &Quote, now: Now, step: &mut Step) {
        let stamp = quoted_at(change).unwrap_or_else(|| self.there(now));
        self.clock(stamp, now, step);
        self.beat(now, step);
        self.watch.quoted(stamp, now.steady);
        self.feed.hear();
        match self.market.quote(change, stamp) {
            // What was before the join has passed.
            Ok(Some(_)) if self.joined.is_some_and(|joined| stamp < joined) => self.market.untold(),
            Ok(Some(tick)) => self.send(tick, stamp, now, step),
            Ok(None) => {}
            Err(odd) => self.counts.odd(odd),
        }
    }

    fn print(&mut self, print: &Print, now: Now, step: &mut Step) {
        let stamp = print.timestamp.ts();
        self.clock(stamp, now, step);
        self.beat(now, step);
        if self.joined.is_some_and(|joined| stamp < joined) {
            return;
        }
        match self.market.print(print) {
            Ok(tick) => {
                self.watch.traded(stamp);
                let (price, size) = (print.price.floor_ticks(), print.volume);
                match &mut self.seen {
                    Some(seen) => seen.add(stamp, price, size),
                    None => self.seen = Some(Second::trade(stamp, price, size)),
                }
                self.send(tick, stamp, now, step);
            }
            Err(odd) => self.counts.odd(odd),
        }
    }

    /// Measures the clocks by a stamp; a line that comes later and later is cut.
    fn clock(&mut self, stamp: Ts, now: Now, step: &mut Step) {
        let late = now.utc.saturating_sub(stamp);
        self.offset.measure(late, now.steady);
        if self.shift - self.offset.get() > LEFT {
            self.follow_clock(step);
        }
        if let Some(by) = self.watch.late(late.saturating_sub(self.offset.get()), now.steady) {
            let text = format!("what comes is {} s late, or a clock was set: connecting anew", by / SECOND);
            step.says.push(Say::Alert(text));
            step.wants.push(Want::Cut);
        }
    }

    /// Takes the difference of the clocks out of what is sent, in whole seconds.
    fn follow_clock(&mut self, step: &mut Step) {
        let seconds = (self.offset.get() + SECOND / 2).div_euclid(SECOND);
        if seconds * SECOND == self.shift {
            return;
        }
        // Seconds are other ones from here on.
        (self.shift, self.seen) = (seconds * SECOND, None);
        let (by, way) = (seconds.abs(), if seconds < 0 { "ahead of" } else { "behind" });
        let text = format!("the service's clock is {by} s {way} this machine's: taken out of all stamps");
        step.says.push(Say::Note(text));
    }

    fn beat(&mut self, now: Now, step: &mut Step) {
        let ours = self.there(now).saturating_add(self.shift);
        let Ok(()) = self.feed.pass(ours, keep(&mut step.records));
    }

    fn send(&mut self, tick: Tick, stamp: Ts, now: Now, step: &mut Step) {
        let (own, ours) = (stamp.saturating_add(self.shift), self.there(now).saturating_add(self.shift));
        // What has come is not of the future.
        let is_ahead = own.saturating_sub(ours) > AHEAD;
        let tick = Tick { ts: if is_ahead { ours } else { own }, ..tick };
        let Ok(()) = self.feed.put(&tick, is_ahead.then_some(own), keep(&mut step.records));
        let moved = step.records.last().is_some_and(|record| record.ts_event.is_some());
        self.counts.moved += u64::from(moved);
    }

    fn found(&mut self, finding: Finding, step: &mut Step) {
        match finding {
            Finding::Nothing => {}
            Finding::Ask(span) => step.wants.push(Want::Newest(span)),
            Finding::Frozen { since } => {
                let since = time::format((since + self.shift).div_euclid(SECOND) * SECOND);
                let text = format!("quotes stand still since {since} while trades go on: connecting anew");
                step.says.push(Say::Alert(text));
                step.wants.push(Want::Cut);
            }
        }
    }

    /// Asks about the contract once a day begins; never while one runs.
    fn new_day(&mut self, now: Now, step: &mut Step) {
        let ours = self.there(now).saturating_add(self.shift);
        let day = self.sessions.day(ours).filter(|day| day.part(ours) != Part::Closed).map(|day| day.label);
        let before = *self.day.get_or_insert(day);
        if day.is_some() && day != before {
            (self.day, self.ask_contract) = (Some(day), Some(now.steady));
        }
        if self.ask_contract.is_some_and(|at| at <= now.steady) {
            self.ask_contract = Some(now.steady.saturating_add(AGAIN));
            step.wants.push(Want::Contract);
        }
    }

    fn contract(&mut self, answer: Result<Option<String>, String>, now: Now, step: &mut Step) {
        match answer {
            Ok(None) => self.ask_contract = None,
            Ok(Some(other)) => {
                let name = &self.name;
                step.end =
                    Some(format!("{name} is no longer the contract of the day, {other} is: start again"));
            }
            Err(_) => self.ask_contract = Some(now.steady.saturating_add(AGAIN)),
        }
    }
}

fn keep(records: &mut Vec<Record>) -> impl FnMut(Record) -> Result<(), Infallible> {
    |record| {
        records.push(record);
        Ok(())
    }
}

/// Returns when the market stood so: of two stamps the exchange's, which those of trades are compared with.
fn quoted_at(change: &Quote) -> Option<Ts> {
    let [exchange, service] =
        [change.timestamp, change.last_updated].map(|stamp| stamp.map(|stamp| stamp.ts()));
    match (exchange, service) {
        (Some(exchange), Some(service)) => Some(exchange.min(service)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
