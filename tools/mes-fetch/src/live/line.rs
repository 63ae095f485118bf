//! What a live feed does: the hub's happenings, the answers of REST and the passing of time in; records, questions and
//! words for a person out. Pure: no network, no thread, no clock.
//!
//! **Joining.** When the hub has confirmed all subscriptions, what comes is kept back. The join is the first whole second of
//! which all trades will come here. What was before it is asked of the history, once that knows the second after; trades
//! stamped before the join are left to it, those from there on are sent. After a loss the same is done from the second
//! heard of last on, of which only what lacks is sent.

use mes_core::{
    calendar::Calendar,
    symbol::Symbol,
    time::{self, MILLI, MINUTE, Now, SECOND, Ts},
};
use mes_projectx::{
    hub::{HubEvent, MarketEvent},
    wire::{Bar, Print, Quote},
};

use super::{
    clocks::Clocks,
    counts::Counts,
    day::Days,
    join::{Join, Verdict},
    message::{Event, Say, Step, Want, WarmUp},
    sending::{Sending, whole},
    watch::{Finding, Watch},
};

/// The history has so long to answer, under way and at the start: rows wait for it, and somebody may hold a position.
const PATIENCE: i64 = 20 * SECOND;
const PATIENCE_AT_START: i64 = 60 * SECOND;
/// A loss so long is made good from the history; a longer one is only told.
const FILLED: i64 = 5 * MINUTE;

/// The state.
pub struct Line {
    name: String,
    warm_up: WarmUp,
    days: Days,
    sending: Sending,
    watch: Watch,
    phase: Phase,
    /// Trades before this were told by the history. In the service's time.
    joined: Option<Ts>,
    /// Of the last question to the history.
    asked: u32,
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
            days: Days::new(calendar),
            sending: Sending::new(symbol),
            watch: Watch::default(),
            phase: Phase::Down,
            joined: None,
            asked: 0,
        }
    }

    /// Returns what was left out and moved so far.
    pub fn counts(&self) -> &Counts {
        &self.sending.counts
    }

    /// Takes in something that has come, heard at `now`.
    pub fn take(&mut self, event: Event, now: Now) -> Step {
        let mut step = Step::default();
        match event {
            Event::Hub(HubEvent::Market(event)) => self.market(event, now, &mut step),
            Event::Hub(HubEvent::Up { .. }) => self.up(now),
            Event::Hub(HubEvent::Down { why }) => self.down(&why, &mut step),
            Event::Hub(HubEvent::Malformed(_)) => self.sending.counts.malformed += 1,
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
        let (there, here) = (self.sending.clocks.there(now), self.sending.clocks.here(now));
        if self.days.asks(here, now.steady) {
            step.wants.push(Want::Contract);
        }
        match &mut self.phase {
            Phase::Down => {}
            Phase::Joining(join) => {
                if let Some(join_at) = join.decide(there, now.steady) {
                    self.decided(join_at, now, &mut step);
                }
                self.joining(now, &mut step);
            }
            Phase::Live => {
                self.sending.beat(now, &mut step.records);
                let open = self.days.is_open(here);
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
                let ours = self.sending.clocks.here(now);
                let beat = self.sending.feed.due().map_or(i64::MAX, |due| now.steady + (due - ours).max(0));
                beat.min(now.steady + SECOND)
            }
            Phase::Joining(_) => tenth,
            Phase::Down => now.steady + SECOND,
        }
    }

    fn up(&mut self, now: Now) {
        self.sending.clocks.reset();
        self.sending.market.forget();
        self.watch.begin(now.steady);
        self.phase = Phase::Joining(Box::new(Join::new(now, self.asked)));
    }

    fn down(&mut self, why: &str, step: &mut Step) {
        step.says.push(Say::Note(format!("the connection is lost, trying again: {why}")));
        self.sending.go_blind(&mut step.records);
        self.phase = Phase::Down;
    }

    /// Takes in where the join is, and asks for what was before.
    fn decided(&mut self, join_at: Ts, now: Now, step: &mut Step) {
        step.says.extend(self.sending.follow(Clocks::follow).map(Say::Note));
        let from = match (self.sending.second_lost(), self.warm_up) {
            (Some(begin), _) => {
                if join_at - begin > FILLED {
                    let minutes = (join_at - begin) / MINUTE;
                    step.says.push(Say::Alert(format!(
                        "{minutes} minutes were missed, from {}: too long to be filled",
                        time::format(self.sending.clocks.ours(begin))
                    )));
                    None
                } else {
                    Some(begin)
                }
            }
            (None, WarmUp::None) => None,
            (None, WarmUp::Span(span)) => Some(whole(join_at - span)),
            (None, WarmUp::Day) => {
                let opened = self.days.opened(self.sending.clocks.ours(join_at));
                opened.map(|open| self.sending.clocks.theirs(open))
            }
        };
        let patience = if self.sending.feed.sent().is_some() { PATIENCE } else { PATIENCE_AT_START };
        if let Phase::Joining(join) = &mut self.phase {
            join.wants(from, patience, now.steady);
        }
    }

    fn joining(&mut self, now: Now, step: &mut Step) {
        let there = self.sending.clocks.there(now);
        let Phase::Joining(join) = &mut self.phase else { return };
        match join.pass(there, now.steady) {
            Verdict::Wait => {}
            Verdict::Ask { number, span } => {
                self.asked = number;
                step.wants.push(Want::Bars { number, span });
            }
            Verdict::Joined { bars, failed, lags } => {
                if lags {
                    let since = bars.last().map_or(there, |bar| bar.t.ts().saturating_add(SECOND));
                    let since = time::format(self.sending.clocks.ours(since));
                    let text =
                        format!("the history lags: what traded from {since} until the line began is missing");
                    step.says.push(Say::Alert(text));
                }
                self.join(&bars, failed, step);
            }
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
        // Without the history, trades before the join are better than none.
        self.joined = join.at().filter(|_| failed.is_none());
        let from = self.sending.second_lost();
        let mut count = 0;
        for bar in bars {
            let early = from.is_some_and(|from| bar.t.ts() < from);
            if !early && self.joined.is_some_and(|joined| bar.t.ts() < joined) {
                count += u64::from(self.sending.second(bar, &mut step.records));
            }
        }
        let what = if from.is_some() { "connected again" } else { "live" };
        step.says.push(match (failed, bars.first()) {
            (Some(why), _) => Say::Alert(format!("{what}, but without the seconds before: {why}")),
            (None, Some(first)) if count > 0 => {
                let bars = if count == 1 { "bar" } else { "bars" };
                let since = time::format(self.sending.clocks.ours(first.t.ts()));
                Say::Note(format!("{what}: {count} {bars} of one second from {since} on, then {}", self.name))
            }
            (None, _) => Say::Note(format!("{what}: {}", self.name)),
        });
        if let Some(at) = join.at() {
            let known = self.joined.unwrap_or(at - SECOND);
            self.sending.feed.skip(self.sending.clocks.ours(known));
        }
        for (event, heard) in join.kept() {
            self.market(event, heard, step);
        }
    }

    fn market(&mut self, event: MarketEvent, now: Now, step: &mut Step) {
        let stamp = match &event {
            MarketEvent::Quote { change, .. } => quoted_at(change).map(|[_, said]| said),
            MarketEvent::Print { print, .. } => Some(print.timestamp.ts()),
            MarketEvent::Depth { .. } => None,
        };
        if let Phase::Joining(join) = &mut self.phase {
            if let Some(stamp) = stamp {
                self.sending.clocks.measure(stamp, now);
            }
            return join.keep(event, now);
        }
        if !matches!(self.phase, Phase::Live) {
            return;
        }
        match event {
            MarketEvent::Quote { change, .. } => self.quote(&change, now, step),
            MarketEvent::Print { print, .. } => self.print(&print, now, step),
            MarketEvent::Depth { changes, .. } => self.sending.market.depth(&changes),
        }
    }

    fn quote(&mut self, change: &Quote, now: Now, step: &mut Step) {
        let [stamp, said] = quoted_at(change).unwrap_or([self.sending.clocks.there(now); 2]);
        self.clock(said, now, step);
        let (said, there) = (self.sending.believed(said, now), self.sending.clocks.there(now));
        if self.watch.quoted(said, there, now.steady) {
            self.sending.quote(change, stamp, self.joined, now, &mut step.records);
        } else {
            self.sending.late_quote(change, stamp);
        }
    }

    fn print(&mut self, print: &Print, now: Now, step: &mut Step) {
        self.clock(print.timestamp.ts(), now, step);
        if self.joined.is_some_and(|joined| print.timestamp.ts() < joined) {
            return;
        }
        if let Some(stamp) = self.sending.print(print, now, &mut step.records) {
            self.watch.traded(stamp);
        }
    }

    /// Measures the clocks by a stamp, and sends the heartbeats before it; a line that comes later and later is cut.
    fn clock(&mut self, stamp: Ts, now: Now, step: &mut Step) {
        let late = self.sending.clocks.measure(stamp, now);
        step.says.extend(self.sending.follow(Clocks::follow_ahead).map(Say::Note));
        if let Some(by) = self.watch.late(late, now.steady) {
            let text = format!("what comes is {} s late, or a clock was set: connecting anew", by / SECOND);
            step.says.push(Say::Alert(text));
            step.wants.push(Want::Cut);
        }
        self.sending.beat(now, &mut step.records);
    }

    fn found(&mut self, finding: Finding, step: &mut Step) {
        match finding {
            Finding::Nothing => {}
            Finding::Ask(span) => {
                // Until the next one, what was said last is not what the market is.
                self.sending.blind(&mut step.records);
                step.wants.push(Want::Newest(span));
            }
            Finding::Frozen { since } => {
                let since = time::format(whole(self.sending.clocks.ours(since)));
                let text = format!("quotes stand still since {since} while trades go on: connecting anew");
                step.says.push(Say::Alert(text));
                step.wants.push(Want::Cut);
            }
        }
    }

    fn contract(&mut self, answer: Result<Option<String>, String>, now: Now, step: &mut Step) {
        self.days.answered(answer.is_ok(), now.steady);
        if let Ok(Some(other)) = answer {
            let name = &self.name;
            step.end = Some(format!("{name} is no longer the contract of the day, {other} is: start again"));
        }
    }
}

/// Returns when the market stood so, and when the service said so: of two stamps the earlier one, which those of trades are
/// compared with, and the later one, by which the clocks are measured. In a market that stands still one may be old.
fn quoted_at(change: &Quote) -> Option<[Ts; 2]> {
    let stamps = [change.timestamp, change.last_updated].map(|stamp| stamp.map(|stamp| stamp.ts()));
    let [one, other] = [stamps[0].or(stamps[1])?, stamps[1].or(stamps[0])?];
    Some([one.min(other), one.max(other)])
}

#[cfg(test)]
mod tests;
