//! A journal that believes nothing it is told: it keeps the account's books, days, streaks and stops by itself, and
//! holds every record against them.

use std::collections::{BTreeMap, BTreeSet};

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    money::Cents,
    order::{Action, ExitReason, Limit, Order, Signal},
    price::Price,
    row::Row,
    rules::{EntryBy, Rules},
    schedule::Schedule,
    session::Filter,
    statement::{Fill, Role, Statement},
    time::{self, MILLI, SECOND, Ts},
    tz,
    verdict::Verdict,
};
use mes_pipe::journal::Journal;
use mes_pipe::{Result, Settings};

use crate::belief::Belief;

const SIDE_COST: i64 = 42;

/// A journal that believes nothing it is told.
pub struct Witness {
    rules: Rules,
    schedule: Schedule,
    row: Row,
    belief: Belief,
    /// A price jumped and stayed.
    pub jumped: bool,
    /// A trade lost more than it ever could by plan, and nobody has said so yet.
    owed: bool,
    ended: bool,
    position: i64,
    balance: Cents,
    entry: Option<Fill>,
    /// Ticks of stop that each entry was sent with; where the stop of the position was last.
    sent: BTreeMap<u64, i64>,
    /// The limit of each entry that had one, and when its wait ends.
    limits: BTreeMap<u64, (Price, Ts)>,
    stop: Option<Price>,
    /// What the open trade has come to, losing ones in a row, and when they let trade again.
    net: Cents,
    losses: u32,
    paused_until: Ts,
    /// Equity at the start, the highest balance at a day's end, and the balance at this day's start.
    first: Cents,
    high: Cents,
    day_balance: Cents,
    /// Equity was at the firm's floor.
    lost: bool,
    /// The loss beyond the limit that was said last.
    said_beyond: Option<Cents>,
    idle: bool,
    last_turn: Option<Ts>,
    day: Option<chrono::NaiveDate>,
    /// Equity when the day began; what exits have cost today beyond their stop and its slippage.
    day_start: Cents,
    beyond: Cents,
    equity: Cents,
    flat_at: Option<Ts>,
    /// The limit that stopped trading, and whether a new day lifts it.
    pub stopped: Option<(String, bool)>,
    last_order: u64,
    refused: BTreeSet<u64>,
    pub fills: usize,
    pub moves: usize,
    pub turns: usize,
    /// When the last entry was decided on, and how many filled later than in the row after that.
    decided: Ts,
    pub waited: usize,
    pub alerts_beyond: usize,
    pub alerts_worse: usize,
    /// Rows that nobody should believe.
    pub doubted: usize,
}

impl Witness {
    pub fn new(settings: &Settings) -> Self {
        let rules = settings.rules.value.clone();
        let capital = rules.capital();
        Witness {
            schedule: Schedule::new(Calendar::shipped(), rules.day_end.flat_by, None, Filter::All),
            rules,
            row: Row::default(),
            belief: Belief::default(),
            jumped: false,
            owed: false,
            ended: false,
            position: 0,
            balance: capital,
            entry: None,
            sent: BTreeMap::new(),
            limits: BTreeMap::new(),
            stop: None,
            net: Cents::ZERO,
            losses: 0,
            paused_until: Ts::MIN,
            first: capital,
            high: capital,
            day_balance: capital,
            lost: false,
            said_beyond: None,
            idle: true,
            last_turn: None,
            day: None,
            day_start: capital,
            beyond: Cents::ZERO,
            equity: capital,
            flat_at: None,
            stopped: None,
            last_order: 0,
            refused: BTreeSet::new(),
            fills: 0,
            moves: 0,
            turns: 0,
            decided: 0,
            waited: 0,
            alerts_beyond: 0,
            alerts_worse: 0,
            doubted: 0,
        }
    }

    fn new_day(&mut self) {
        let Some(label) = self.schedule.of_bar(self.row.bar.ts).map(|today| today.label()) else { return };
        if self.day != Some(label) {
            if self.day.is_some() {
                self.high = self.high.max(self.balance);
            }
            self.day = Some(label);
            (self.day_start, self.day_balance) = (self.equity, self.balance);
            (self.beyond, self.losses, self.said_beyond) = (Cents::ZERO, 0, None);
            self.stopped = self.stopped.take().filter(|(_, daily)| !daily);
        }
    }

    fn book(&mut self, fill: &Fill) {
        assert!(!fill.order.is_some_and(|order| self.refused.contains(&order)), "a refused order filled");
        assert_eq!(fill.commission_cents, Cents(SIDE_COST * fill.contracts));
        self.fills += 1;
        self.position += fill.side.sign() * fill.contracts;
        self.balance += fill.gross_cents - fill.commission_cents;
        self.net += fill.gross_cents - fill.commission_cents;
        if fill.exit.is_none() {
            assert!(!self.belief.implausible, "entered at a price that no market makes");
            (self.entry, self.stop) = (Some(fill.clone()), None);
            if let Some((limit, until)) = fill.order.and_then(|order| self.limits.get(&order)) {
                assert!(fill.side.sign() * (fill.price - *limit) <= 0, "worse than its limit");
                assert!(fill.ts - SECOND <= *until, "entered after its time");
                self.waited += usize::from(fill.ts - SECOND > self.decided);
            }
            return;
        }
        let net = self.net;
        self.count_losses(fill.ts);
        let entry = self.entry.take().expect("an exit without an entry");
        let ticks = entry.side.sign() * (fill.price - entry.price);
        assert_eq!(fill.gross_cents, Cents(ticks * 125 * fill.contracts));
        // The plan counts one tick of slippage at the stop.
        let planned = Cents((self.sent[&entry.order.expect("of an order")] + 1) * 125 * fill.contracts);
        self.beyond += (-fill.gross_cents - planned).max(Cents::ZERO);
        // Slippage was planned at 4 ticks at most.
        let worst = (self.sent[&entry.order.expect("of an order")] + 4) * 125 + 2 * SIDE_COST;
        self.owed |= -net > Cents(worst * fill.contracts);
        let person = matches!(fill.exit, Some(ExitReason::EodFlatten | ExitReason::Limit));
        let behind = fill.ts < self.row.bar.ts;
        assert!(!self.belief.implausible || person || behind, "filled at a price that no market makes");
    }

    fn count_losses(&mut self, ts: Ts) {
        let net = std::mem::take(&mut self.net);
        if net != Cents::ZERO {
            self.losses = if net < Cents::ZERO { self.losses + 1 } else { 0 };
        }
        let breakers = &self.rules.breakers;
        let pause = match self.losses {
            n if net >= Cents::ZERO || n == 0 => None,
            n if breakers.more_losses > 0 && n >= breakers.more_losses => Some(breakers.more_losses_pause_s),
            n if n == breakers.losses => Some(breakers.losses_pause_s),
            _ => None,
        };
        if let Some(seconds) = pause {
            self.paused_until = ts + seconds * SECOND;
        }
    }

    fn check(&mut self, statement: &Statement) {
        for fill in &statement.fills {
            self.book(fill);
        }
        self.refused.extend(statement.refused.iter().map(|refusal| refusal.order));
        assert_eq!((statement.position, statement.balance_cents), (self.position, self.balance));
        let close = self.belief.last.unwrap_or(self.row.bar.close.points());
        let open = self.entry.as_ref().map_or(Cents::ZERO, |entry| {
            let points = entry.side.sign() as f64 * (close - entry.price.points());
            Cents(((points * 500.0) as i64 - SIDE_COST) * entry.contracts)
        });
        assert_eq!(statement.equity_cents, self.balance + open);
        self.equity = statement.equity_cents;
        assert!(self.position.abs() <= self.rules.guard.max_contracts);
        let stop = statement.working.iter().find(|order| order.role == Role::Stop);
        assert_eq!(stop.map_or(0, |stop| stop.contracts), self.position.abs(), "a position without its stop");
        let (old, new) = (self.stop, stop.and_then(|stop| stop.price));
        if let (Some(old), Some(new)) = (old, new) {
            assert!(self.position.signum() * (new - old) >= 0, "a stop that went back from {old} to {new}");
        }
        (self.stop, self.idle) = (new, self.position == 0 && statement.working.is_empty());
        if let Some(prop) = &self.rules.prop {
            let trailing = self.high.0.min(self.first.0 + Cents::from_usd(prop.max_loss_usd).0);
            let floor = trailing - Cents::from_usd(prop.max_loss_usd).0;
            self.lost |= self.equity.0 <= floor;
        }
        if self.position == 0 {
            let lost = self.day_start - self.balance - self.beyond;
            let limit = Cents::from_usd(self.rules.limits.daily_loss_usd);
            assert!(lost <= limit, "{lost} lost on a day with a limit of {limit}");
        }
    }

    /// Holds that the day ends flat, unless nobody takes the other side.
    fn flat_by_the_days_end(&mut self, locked: bool) {
        let ts = self.row.bar.ts;
        if self.flat_at.is_some_and(|flat| flat <= ts) && !locked {
            assert_eq!(self.position, 0, "in a position at {}", time::format(ts));
        }
        self.flat_at = self.schedule.of_bar(ts).map(|today| today.end.flat).filter(|flat| ts < *flat);
    }

    fn ordered(&mut self, order: &Order) {
        assert!(order.id > self.last_order, "order {} after {}", order.id, self.last_order);
        self.last_order = order.id;
        let turn = matches!(order.signal, Signal::ReverseToLong | Signal::ReverseToShort);
        let Action::Enter { contracts, stop_ticks, limit, .. } = order.action else {
            self.moves += usize::from(matches!(order.action, Action::MoveStop { .. }));
            if turn {
                let passed = self.last_turn.map_or(Ts::MAX, |last| order.ts - last);
                assert!(passed >= self.rules.reversals.cooldown_s * SECOND, "turned over too soon");
                self.last_turn = Some(order.ts);
            }
            return;
        };
        assert!(!self.belief.implausible && !self.jumped, "an entry on a price that no market makes");
        let Bar { close, bid, ask, .. } = self.row.bar;
        let near = |side: Price| (side - close).abs() as f64 <= 0.02 * close.ticks() as f64;
        let quoted = bid.zip(ask).is_some_and(|(bid, ask)| bid < ask && near(bid) && near(ask));
        assert!(quoted || self.rules.breakers.quote_band == 0.0, "an entry without a quote");
        self.turns += usize::from(turn);
        self.sent.insert(order.id, stop_ticks);
        self.decided = order.ts;
        assert_eq!(limit.is_some(), self.rules.entries.entry == EntryBy::Limit);
        assert!(turn || self.row.prediction.conf >= Some(self.rules.entries.confidence));
        assert_eq!((self.position, &self.stopped), (0, &None), "an entry in a trade or after a limit");
        assert!(!self.lost, "an entry after the firm's floor was touched");
        assert!(order.ts >= self.paused_until, "an entry in a pause at {}", time::format(order.ts));
        assert!((4..=18).contains(&stop_ticks));
        let worst = Cents(contracts * ((stop_ticks + 1) * 125 + 2 * SIDE_COST));
        assert!(worst <= Cents::from_usd(self.rules.limits.per_trade_usd));
        assert!(self.day_start - self.equity + worst <= Cents::from_usd(self.rules.limits.daily_loss_usd));
        assert!((1..=self.cap(order.ts)).contains(&contracts), "{contracts} contracts");
        let end = self.schedule.of_bar(order.ts).expect("an entry on a closed day").end;
        assert!(order.ts < end.no_entry || order.ts > end.flat, "an entry at {}", time::format(order.ts));
        if let Some(Limit { price, lifetime_ms }) = limit {
            let until = order.ts + i64::from(lifetime_ms) * MILLI;
            assert!(until < end.no_entry, "waits beyond the last entry of the day");
            self.limits.insert(order.id, (price, until));
        }
    }
}

impl Witness {
    /// Returns the most contracts that the row, tier, guard, ladder and announcements allow.
    fn cap(&self, ts: Ts) -> i64 {
        let tier = self.rules.tiers.iter().rev().find(|tier| self.balance.usd() >= tier.from_usd);
        let mut cap = tier.expect("an entry below the lowest tier").contracts;
        cap = cap.min(self.rules.guard.max_contracts);
        cap = self.row.prediction.size.map_or(cap, |size| cap.min(size as i64));
        if let Some(prop) = &self.rules.prop {
            let gain = (self.day_balance - self.first).usd();
            let rungs = prop.ladder.iter().filter(|rung| rung.from_usd <= gain);
            cap = cap.min(rungs.map(|rung| rung.contracts).max().unwrap_or(0));
        }
        if let Some(news) = &self.rules.news {
            let wall = tz::new_york(ts);
            let near = news.at.iter().any(|at| {
                let seconds = (wall - *at).num_seconds();
                -news.before_s <= seconds && seconds < news.after_s
            });
            cap = if near { cap.min(news.contracts) } else { cap };
        }
        cap
    }

    /// Holds that what was lost beyond the day's limit has been said.
    fn nothing_is_owed(&self) {
        let stopped = self.stopped.as_ref().is_some_and(|(rule, _)| rule == "daily_loss_usd");
        let limit = Cents::from_usd(self.rules.limits.daily_loss_usd);
        let beyond = self.day_start - self.equity - limit;
        if stopped && self.idle && beyond > Cents::ZERO {
            assert_eq!(self.said_beyond, Some(beyond), "lost beyond the limit, and not said");
        }
        assert!(!self.owed, "lost beyond the worst case, and not said");
    }
}

impl Journal for Witness {
    fn row(&mut self, row: &Row) -> Result<()> {
        self.nothing_is_owed();
        self.row = *row;
        self.jumped |= self.belief.push(&row.bar);
        self.doubted += usize::from(self.belief.implausible);
        self.new_day();
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        assert_eq!(statement.ts, self.row.bar.ts);
        self.check(statement);
        if self.ended {
            assert_eq!((self.position, statement.working.len()), (0, 0));
        }
        self.flat_by_the_days_end(statement.locked);
        Ok(())
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        match verdict {
            Verdict::Alert { rule, value, .. } if rule == "beyond_limit_usd" => {
                assert!(self.idle && self.stopped.is_some());
                self.said_beyond = Some(Cents::from_usd(*value));
                self.alerts_beyond += 1;
            }
            Verdict::Alert { rule, value, limit, .. } if rule == "beyond_worst_case_usd" => {
                assert!(value > limit && *limit > 0.0);
                self.owed = false;
                self.alerts_worse += 1;
            }
            Verdict::Alert { rule, .. } if rule == "price_jump_percent" => {
                assert!(self.belief.implausible);
            }
            Verdict::Alert { rule, .. } if rule == "new_price_points" => assert!(self.jumped),
            Verdict::Alert { rule, .. } if rule == "locked_s" => assert!(self.position != 0),
            Verdict::Alert { rule, .. } => {
                assert!(!self.belief.implausible, "{rule} of a price that no market makes");
                let daily = rule.starts_with("daily");
                // A harder limit takes the place of a softer one, never the other way round.
                let before = self.stopped.as_ref().map_or(0, |(rule, _)| hardness(rule));
                assert!(before < hardness(rule), "{rule} after {:?}", self.stopped);
                self.stopped = Some((rule.clone(), daily));
            }
            Verdict::Order(order) => self.ordered(order),
            Verdict::Hold { .. } | Verdict::Deny { .. } => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.nothing_is_owed();
        self.ended = true;
        Ok(())
    }
}

/// Returns how long a limit of this name stops trading: a day, until a review, for good.
fn hardness(rule: &str) -> u8 {
    match rule {
        "daily_loss_usd" | "daily_drawdown_usd" => 1,
        "account_drawdown_usd" => 2,
        _ => 3,
    }
}
