//! Days of a line in virtual time: whatever is lost, late or ahead, what is sent makes the seconds that were traded.

use std::collections::BTreeMap;

use mes_core::{dice::Draw, time::parse};
use mes_projectx::wire::{Decimal, Side, Stamp};

use super::*;
use crate::live::{feed::Record, seconds::Second};

/// A market, a service whose clock is off, and the line that listens to it.
struct World {
    draw: Draw,
    line: Line,
    /// What the service's clock is ahead of ours by.
    ahead: i64,
    /// In our time; the service's stamps are ahead.
    begin: Ts,
    now: Ts,
    ticks: i64,
    /// All that traded, in the service's time.
    traded: BTreeMap<Ts, Second>,
    /// On its way: when it arrives, and what.
    coming: Vec<(Ts, Event)>,
    is_up: bool,
    quotes: bool,
    records: Vec<Record>,
    says: Vec<String>,
    wants: Vec<Want>,
    /// The history lags so far, and fails one time in so many.
    lag: i64,
    fails: usize,
}

impl World {
    fn new(seed: u64, ahead: i64, warm_up: WarmUp) -> World {
        let begin = parse("2026-11-20T15:00:00Z").expect("an instant");
        World {
            draw: Draw::new(seed, 1),
            line: Line::new("MESZ6".parse().expect("short"), warm_up, Calendar::shipped()),
            ahead,
            begin,
            now: begin,
            ticks: 27_000,
            traded: BTreeMap::new(),
            coming: Vec::new(),
            is_up: false,
            quotes: true,
            records: Vec::new(),
            says: Vec::new(),
            wants: Vec::new(),
            lag: 0,
            fails: usize::MAX,
        }
    }

    fn clock(&self) -> Now {
        Now { utc: self.now, steady: self.now - self.begin }
    }

    /// Lets so many milliseconds pass.
    fn run(&mut self, millis: i64) {
        for _ in 0..millis / 5 {
            self.now += 5 * MILLI;
            self.trade();
            let (come, coming) =
                std::mem::take(&mut self.coming).into_iter().partition(|(at, _)| *at <= self.now);
            self.coming = coming;
            let _: &Vec<_> = &come;
            for (_, event) in come {
                let step = self.line.take(event, self.clock());
                self.carry_out(step);
            }
            let step = self.line.pass(self.clock());
            self.carry_out(step);
        }
    }

    fn trade(&mut self) {
        let there = self.now + self.ahead;
        let quiet = there / (20 * SECOND) % 3 == 0;
        for _ in 0..self.draw.below(if quiet { 200 } else { 12 }) % 4 {
            self.ticks += [-1, 0, 0, 1][self.draw.below(4)];
            let (price, size) = (self.ticks, 1 + self.draw.below(9) as i64);
            let second = whole(there);
            self.traded
                .entry(second)
                .and_modify(|known| known.add(there, price, size))
                .or_insert_with(|| Second::trade(there, price, size));
            let print = Print {
                symbol_id: None,
                price: Decimal::of_ticks(price),
                timestamp: Stamp::of(there),
                side: Side::Ask,
                volume: size,
            };
            self.tell(MarketEvent::Print { contract: String::new(), print });
        }
        if self.quotes && self.draw.below(20) == 0 {
            let stamp = Some(Stamp::of(there));
            let [bid, ask] = [self.ticks - 1, self.ticks + 1].map(|ticks| Some(Decimal::of_ticks(ticks)));
            let change = Quote { best_bid: bid, best_ask: ask, last_updated: stamp, ..Quote::default() };
            self.tell(MarketEvent::Quote { contract: String::new(), change });
        }
    }

    /// Sends something on its way, in order: 20 to 220 ms.
    fn tell(&mut self, event: MarketEvent) {
        if self.is_up {
            let most = if self.draw.below(50) == 0 { 200 } else { 20 };
            let way = (20 + self.draw.below(most) as i64) * MILLI;
            let last = self
                .coming
                .iter()
                .filter(|(_, event)| matches!(event, Event::Hub(_)))
                .map(|(at, _)| *at)
                .max();
            self.coming.push((last.unwrap_or(0).max(self.now + way), Event::Hub(HubEvent::Market(event))));
        }
    }

    fn up(&mut self) {
        self.is_up = true;
        let step = self.line.take(Event::Hub(HubEvent::Up { gap: None }), self.clock());
        self.carry_out(step);
    }

    /// Loses the connection, and all that was on its way.
    fn down(&mut self) {
        self.is_up = false;
        self.coming.retain(|(_, event)| !matches!(event, Event::Hub(_)));
        let step = self.line.take(Event::Hub(HubEvent::Down { why: "lost".into() }), self.clock());
        self.carry_out(step);
    }

    fn carry_out(&mut self, step: Step) {
        self.records.extend(step.records);
        self.says.extend(step.says.into_iter().map(|say| match say {
            Say::Note(text) | Say::Alert(text) => text,
        }));
        for want in step.wants {
            self.wants.push(want);
            let at = self.now + 80 * MILLI;
            let known = self.now + self.ahead - self.lag;
            let bars = |[from, until]: [Ts; 2]| {
                let bars = self.traded.range(from..until).filter(|(begin, _)| **begin + SECOND <= known);
                bars.map(|(_, second)| bar(second)).collect::<Vec<_>>()
            };
            match want {
                Want::Bars { number, span } => {
                    let fails = self.fails != usize::MAX && self.draw.below(self.fails) == 0;
                    let answer = if fails { Err("503".to_owned()) } else { Ok(bars(span)) };
                    self.coming.push((at, Event::Bars(number, answer)));
                }
                Want::Newest(span) => {
                    let newest = bars(span).last().map(|bar| bar.t.ts());
                    self.coming.push((at, Event::Newest(Ok(newest))));
                }
                Want::Contract => {}
                Want::Cut => {
                    self.down();
                    self.up();
                }
            }
        }
    }

    /// Makes seconds of what was sent, in our time, and holds them against what traded.
    fn check(&self, from: Ts, what: &str) {
        let mut made: BTreeMap<Ts, Second> = BTreeMap::new();
        for pair in self.records.windows(2) {
            assert!(pair[0].tick.ts <= pair[1].tick.ts, "{what}: {pair:?}");
        }
        for Record { tick, .. } in &self.records {
            let (Some(price), Some(size)) = (tick.price, tick.size) else { continue };
            let price = (price * 4.0) as i64;
            made.entry(whole(tick.ts))
                .and_modify(|known| known.add(tick.ts, price, size))
                .or_insert_with(|| Second::trade(tick.ts, price, size));
        }
        // The clocks differ by whole seconds as far as seconds go.
        let shift = (self.ahead + SECOND / 2).div_euclid(SECOND) * SECOND;
        let last = whole(self.now) - 2 * SECOND;
        let wanted = self
            .traded
            .iter()
            .map(|(begin, second)| (begin - shift, Second { begin: begin - shift, ..*second }));
        let wanted: Vec<_> = wanted.filter(|(begin, _)| (from..last).contains(begin)).collect();
        let made: Vec<_> = made.into_iter().filter(|(begin, _)| (from..last).contains(begin)).collect();
        assert!(wanted.len() > 10, "{what}");
        for (made, wanted) in made.iter().zip(&wanted) {
            assert_eq!(made, wanted, "{what}");
        }
        assert_eq!(made.len(), wanted.len(), "{what}");
    }
}

fn bar(second: &Second) -> Bar {
    let [o, h, l, c] = [second.open, second.high, second.low, second.close].map(Decimal::of_ticks);
    Bar { t: Stamp::of(second.begin), o, h, l, c, v: second.volume }
}

/// Started in mid-session, cut again and again, by a service whose clock is off and whose history lags and fails: no
/// second is missing, doubled or another one.
#[test]
fn what_is_sent_makes_the_seconds_that_were_traded() {
    for seed in 0..40 {
        let ahead = [0, 300, -400, 5_000, -5_000, 4_700][seed as usize % 6] * MILLI;
        let mut world = World::new(seed, ahead, WarmUp::Span(60 * SECOND));
        world.run(70_000 + 10 * (seed as i64 * 37 % 100));
        world.lag = [0, 0, 900, 2_500][seed as usize % 4] * MILLI;
        world.fails = if seed % 3 == 0 && world.lag == 0 { 3 } else { usize::MAX };
        world.up();
        for nth in 0..4 {
            world.run(20_000 + nth * 1_115);
            world.down();
            world.run([5, 400, 3_000, 17_000][(seed as usize + nth as usize) % 4]);
            world.up();
        }
        world.run(30_000);
        let what = format!("seed {seed}, {} s ahead: {:?}", ahead as f64 / SECOND as f64, world.says);
        assert_eq!(*world.line.counts(), Counts::default(), "{what}");
        let first = world.records.first().expect("records").tick.ts;
        let warm = world.begin + 9 * SECOND + 100 * MILLI;
        // A history that fails again and again holds it up for longer than the first connection lasts.
        let latest = warm + if world.fails == usize::MAX { 6 } else { 60 } * SECOND;
        assert!((warm..latest).contains(&first), "{what}: {}", time::format(first));
        world.check(whole(first), &what);
        let asked = world.wants.iter().filter(|want| matches!(want, Want::Bars { .. })).count();
        assert!(asked >= 5, "{what}");
    }
}

#[test]
fn heartbeats_come_by_the_clock_while_quotes_do_and_end_with_them() {
    let mut world = World::new(1, 0, WarmUp::None);
    world.up();
    world.run(10_000);
    world.quotes = false;
    world.run(4_000);
    let beats = |records: &[Record]| records.iter().filter(|record| record.tick.symbol.is_empty()).count();
    assert!(world.says.iter().all(|say| !say.contains("stand still")));
    world.run(1_300);
    let said = world.says.iter().filter(|say| say.contains("quotes stand still since")).count();
    assert_eq!(said, 1, "{:?}", world.says);
    assert!(world.wants.contains(&Want::Cut));
    world.run(3_000);
    let (before, sent) = (beats(&world.records), world.records.len());
    world.run(20_000);
    assert_eq!(beats(&world.records), before, "no heartbeats without quotes");
    assert!(world.records.len() > sent + 100, "trades go on");
    // Nobody is left to believe the quote that was told last.
    let quote = world.records.iter().rev().find(|record| record.tick.bid.is_some()).expect("a quote");
    assert_eq!(quote.tick.ask, None);
    world.quotes = true;
    world.run(20_000);
    assert!(world.records.iter().rev().take(200).any(|record| record.tick.ask.is_some()));
    for record in world.records.iter().filter(|record| record.tick.symbol.is_empty()) {
        assert_eq!((record.tick.ts % SECOND, record.due - record.tick.ts), (0, 500 * MILLI));
    }
    world.check(world.begin + 3 * SECOND, "frozen");
}

/// A connection may not be given up again at once; what it told last is not believed for that.
#[test]
fn a_quote_that_stands_still_again_and_again_is_withdrawn_each_time() {
    let mut world = World::new(8, 0, WarmUp::None);
    world.up();
    for _ in 0..4 {
        world.quotes = true;
        world.run(4_000);
        world.quotes = false;
        world.run(5_500);
        let quote = world.records.iter().rev().find(|record| record.tick.bid.is_some()).expect("a quote");
        assert_eq!(quote.tick.ask, None, "{:?}", world.says);
    }
}

#[test]
fn a_loss_that_is_too_long_is_told_and_not_filled() {
    let mut world = World::new(2, 0, WarmUp::None);
    world.up();
    world.run(10_000);
    world.down();
    let sent = world.records.len();
    world.run(400_000);
    assert_eq!(world.records.len(), sent, "nothing without a line");
    world.up();
    world.run(10_000);
    assert!(world.says.iter().any(|say| say.contains("6 minutes were missed")), "{:?}", world.says);
    assert!(world.wants.iter().all(|want| !matches!(want, Want::Bars { .. })));
    assert!(world.records[sent].tick.ts > world.begin + 400 * SECOND);
}

/// A line that dies without a word: heartbeats have ended seconds whose trades come later, lifted, and none is lost.
#[test]
fn what_a_dead_line_did_not_bring_comes_late_and_whole() {
    let mut world = World::new(7, 0, WarmUp::None);
    world.up();
    world.run(10_000);
    let first = world.records.iter().find(|record| record.tick.price.is_some()).expect("a trade").tick.ts;
    world.is_up = false;
    world.run(6_000);
    world.down();
    world.run(1_000);
    world.up();
    world.run(10_000);
    let from = whole(first) + SECOND;
    let until = whole(world.now) - SECOND;
    let traded: i64 = world.traded.range(from..until).map(|(_, second)| second.volume).sum();
    let own = |record: &Record| record.ts_event.unwrap_or(record.tick.ts);
    let sent = world.records.iter().filter(|record| (from..until).contains(&own(record)));
    assert_eq!(sent.filter_map(|record| record.tick.size).sum::<i64>(), traded, "{:?}", world.says);
    assert!(world.line.counts().moved > 10 && world.records.is_sorted_by_key(|record| record.tick.ts));
}

/// Who trades cannot wait for ever for the past.
#[test]
fn a_history_that_does_not_answer_is_done_without() {
    let mut world = World::new(6, 300 * MILLI, WarmUp::Day);
    world.fails = 1;
    world.up();
    world.run(63_000);
    assert!(world.says.iter().any(|say| say.contains("live, but without the seconds before: 503")));
    let first = world.records.first().expect("records").tick.ts;
    assert!(first < world.begin + SECOND, "all that was kept back: {}", time::format(first));
    world.check(world.begin + SECOND, "without a past");
    world.down();
    world.run(1_000);
    world.up();
    world.run(25_000);
    assert!(world.says.iter().any(|say| say.contains("connected again, but without")), "{:?}", world.says);
    world.check(world.begin + 66 * SECOND, "with a hole");
}

#[test]
fn a_clock_that_is_set_under_way_is_followed() {
    let mut world = World::new(3, 0, WarmUp::None);
    world.up();
    world.run(10_000);
    world.ahead = 5 * SECOND;
    world.run(10_000);
    assert!(world.says.iter().any(|say| say.contains("5 s ahead")), "{:?}", world.says);
    let last = world.records.last().expect("one").tick.ts;
    assert!((world.now - last) < 1_500 * MILLI && last <= world.now, "in our time");
    world.ahead = 0;
    world.run(12_000);
    assert!(world.says.iter().any(|say| say.contains("late, or a clock was set")), "{:?}", world.says);
    assert!(world.says.iter().any(|say| say.contains("agree again")), "{:?}", world.says);
    assert!(world.records.is_sorted_by_key(|record| record.tick.ts));
    assert!(world.line.counts().moved > 0);
}

#[test]
fn a_lone_absurd_tick_is_left_out_and_counted() {
    let mut world = World::new(4, 0, WarmUp::None);
    world.up();
    world.run(10_000);
    let now = world.clock();
    let print = |ticks: i64, millis: i64| Print {
        symbol_id: None,
        price: Decimal::of_ticks(ticks),
        timestamp: Stamp::of(now.utc + millis * MILLI),
        side: Side::Other(7),
        volume: 1,
    };
    let ticks = world.ticks;
    for (price, millis) in [(ticks * 2, 0), (1, 0), (-4, 0), (ticks, 3_600_000), (ticks, -3_600_000)] {
        let event = MarketEvent::Print { contract: String::new(), print: print(price, millis) };
        let step = world.line.take(Event::Hub(HubEvent::Market(event)), now);
        for record in &step.records {
            assert!(
                record.tick.ts <= now.utc
                    && record.tick.price.is_none_or(|price| price == ticks as f64 / 4.0)
            );
        }
        world.carry_out(step);
    }
    let step = world.line.take(Event::Hub(HubEvent::Malformed("?".into())), now);
    world.carry_out(step);
    let counts = Counts { malformed: 2, implausible: 2, moved: 1 };
    assert_eq!(*world.line.counts(), counts, "what is long before the join is left to the history");
    world.run(3_000);
    assert!(world.records.is_sorted_by_key(|record| record.tick.ts));
}

#[test]
fn a_new_day_with_another_contract_ends_it() {
    let mut world = World::new(5, 0, WarmUp::None);
    let at = |text: &str| Now { utc: parse(text).expect("an instant"), steady: 0 };
    assert_eq!(world.line.pass(at("2026-11-20T20:00:00Z")).wants, []);
    assert_eq!(world.line.pass(at("2026-11-22T23:00:00Z")).wants, [Want::Contract]);
    assert_eq!(world.line.take(Event::Contract(Ok(None)), at("2026-11-22T23:00:00Z")).end, None);
    let end = world.line.take(Event::Contract(Ok(Some("MESH7".into()))), at("2026-11-22T23:00:00Z")).end;
    assert!(end.is_some_and(|why| why.contains("MESZ6") && why.contains("MESH7")));
    world.up();
}
