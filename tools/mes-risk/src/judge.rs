//! From a row and the account as of it to verdicts.

mod asked;

use std::borrow::Cow;

use mes_core::{
    calendar::Calendar,
    costs::Costs,
    interval::Interval,
    ledger::{Ledger, Said, Sent, Turn},
    limits::{LimitFacts, Limits},
    money::Cents,
    order::{Action, ExitReason, Order, Side, Signal},
    person::Person,
    row::Row,
    rules::Rules,
    run::Run,
    schedule::{Schedule, Today},
    statement::Statement,
    time::Ts,
    verdict::Verdict,
};

use crate::{
    exits::{exit, opposes},
    memory,
    rules::{self, Denial, View, reversal},
    stops,
    told::told,
    waiting::{limit, waiting},
    witness,
};

/// The judge of one account. Its ledger is all that it remembers.
#[derive(Clone)]
pub struct Risk {
    rules: Rules,
    limits: Limits,
    costs: Costs,
    schedule: Schedule,
    ledger: Ledger,
    row_ns: i64,
    from: Option<Ts>,
    /// The rows have quotes, so that none says that there was none.
    quotes: bool,
    /// Rows up to this one are in the ledger already.
    known: Option<Ts>,
    /// The last order sent by this judge, or that the broker had seen before it: what an earlier one wrote down and the
    /// broker has not seen never left.
    sent: u64,
    /// No statement has been judged yet.
    fresh: bool,
}

/// Why a row leads to nothing.
enum Idle {
    Hold(&'static str),
    Deny(Signal, Denial),
}

impl Risk {
    /// Judges rows of this length by what the run record says. Rows before `from` only warm up.
    pub fn new(run: &Run, calendar: Calendar, interval: Interval, from: Option<Ts>) -> Self {
        let rules = run.rules.value.clone();
        Risk {
            schedule: Schedule::new(calendar, rules.day_end.flat_by, run.broker.cut, run.session),
            limits: Limits::of(&rules),
            rules,
            costs: run.costs.value.clone(),
            ledger: run.ledger.clone(),
            row_ns: interval.nanos(),
            from,
            quotes: run.quotes,
            known: run.ledger.ts,
            sent: run.broker.seen,
            fresh: true,
        }
    }

    /// Returns what is remembered after the last row: a judge that begins with it goes on as this one would.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Takes in a row that is known to change nothing but what is remembered of the market.
    pub fn watch(&mut self, row: &Row) {
        memory::watch(&mut self.ledger, row, self.row_ns, &self.rules);
    }

    /// Returns the same to whoever writes it down.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Says whether the ledger that it began with has this row: then it is not judged again.
    pub fn knows(&self, row: &Row) -> bool {
        self.known.is_some_and(|known| row.bar.ts <= known)
    }

    /// Takes in the account as it was left, and adds to `out` what a person should know of it.
    pub fn closed(&mut self, statement: &Statement, out: &mut Vec<Verdict>) {
        self.check_statement(statement, out);
        memory::end(&mut self.ledger, statement, &self.rules.breakers, out);
    }

    /// Takes in what a person said.
    pub fn told(&mut self, person: &Person) {
        told(&mut self.ledger, person);
    }

    /// Adds the verdicts on `row` to `out`; `statement` is the account as of it.
    pub fn judge(&mut self, row: &Row, statement: &Statement, out: &mut Vec<Verdict>) {
        let ts = row.bar.ts;
        self.ledger.ts = Some(ts);
        let today = self.schedule.of_bar(ts).copied();
        let today = today.as_ref();
        self.check_statement(statement, out);
        memory::update(&mut self.ledger, row, self.row_ns, statement, today, &self.rules, out);
        if self.ledger.market.prices.jump().is_none() {
            self.check_limits(row, statement, today, out);
        } else if statement.position == 0 && statement.working.is_empty() {
            // What was lost is cash, whatever the row says of prices.
            self.settle(row, statement, out);
        }
        // An order on its way counts in full until the broker has taken it over, and holds back no exit but another one.
        let in_flight = self.sent > statement.seen;
        let sent = self.ledger.sent.filter(|_| in_flight);
        if let Some((signal, action)) = exit(row, statement, sent, &self.rules, &self.ledger, today)
            && (!in_flight || matches!(action, Action::Exit { .. }))
        {
            let signal = self.turn(row, statement, signal, &action, out);
            self.order(row, signal, action, out);
            return;
        }
        let idle = if in_flight {
            Idle::Hold("in_flight")
        } else if statement.position == 0 && waiting(statement).is_some() {
            Idle::Hold("entry_waits")
        } else if statement.position != 0 || !statement.working.is_empty() {
            Idle::Hold("in_trade")
        } else {
            let turn = self.ledger.reversals.to.take();
            match self.entry(row, statement, today, turn) {
                Ok((signal, action, risk)) => {
                    self.ledger.risk_cents = risk;
                    self.order(row, signal, action, out);
                    return;
                }
                Err(idle) => idle,
            }
        };
        self.say(ts, &idle, out);
    }

    fn order(&mut self, row: &Row, signal: Signal, action: Action, out: &mut Vec<Verdict>) {
        self.ledger.said = None;
        self.sent = memory::next_order(&mut self.ledger);
        self.ledger.sent = Some(Sent::of(&action));
        let (ts, contract) = (row.bar.ts, row.bar.symbol);
        out.push(Verdict::Order(Order { ts, id: self.sent, signal, contract, action }));
    }

    /// Writes a hold or a denial, once.
    fn say(&mut self, ts: Ts, idle: &Idle, out: &mut Vec<Verdict>) {
        let (signal, reason) = match idle {
            Idle::Hold(reason) => (Signal::Hold, Cow::Borrowed(*reason)),
            Idle::Deny(signal, denial) => (*signal, denial.rule.clone()),
        };
        if self.ledger.said.as_ref().is_some_and(|said| said.signal == signal && said.reason == reason) {
            return;
        }
        self.ledger.said = Some(Said { signal, reason });
        out.push(match idle {
            Idle::Hold(reason) => Verdict::Hold { ts, reason: (*reason).into() },
            Idle::Deny(signal, denial) => deny(ts, *signal, denial),
        });
    }

    /// Says what of a statement cannot be true, or leaves a position unprotected: then trading halts, which closes what is
    /// open, and a person has to look.
    fn check_statement(&mut self, statement: &Statement, out: &mut Vec<Verdict>) {
        memory::begin(&mut self.ledger, statement, out);
        let fresh = std::mem::take(&mut self.fresh);
        witness::bare(&mut self.ledger, statement, out);
        let fault = witness::fault(statement, &self.ledger, fresh, &self.rules.exits);
        let before = self.ledger.fault.take();
        let Some(fault) = fault else { return };
        let said = fault.stays && before.is_some_and(|before| before == fault.rule);
        let halts = fault.halts && self.ledger.halted.is_none();
        if halts {
            self.ledger.halted = Some(fault.to_string());
        }
        if halts || !said {
            let (value, limit) = (fault.found, fault.wanted);
            out.push(Verdict::Alert { ts: statement.ts, rule: fault.rule.into(), value, limit });
        }
        self.ledger.fault = Some(fault.rule.into());
    }

    fn check_limits(
        &mut self,
        row: &Row,
        statement: &Statement,
        today: Option<&Today>,
        out: &mut Vec<Verdict>,
    ) {
        let ts = row.bar.ts;
        let flat = statement.position == 0 && statement.working.is_empty();
        let smallest = match today {
            // A market that is wild for a while is no limit reached: it denies entries one by one.
            Some(today) if flat => {
                stops::smallest_risk(&self.rules, &self.costs, today.label(), today.part_of_bar(ts))
            }
            _ => Cents::ZERO,
        };
        let facts = self.facts(row, statement);
        if let Some(reached) = self.limits.reached(&facts, smallest)
            && self.ledger.stopped.as_ref().is_none_or(|stopped| stopped.lasts < reached.lasts)
        {
            let (value, limit) = (reached.value_cents.usd(), reached.limit_cents.usd());
            out.push(Verdict::Alert { ts, rule: reached.rule.into(), value, limit });
            self.ledger.stopped = Some(reached.into());
        }
        if flat {
            self.settle(row, statement, out);
        }
    }

    /// Says, once the account is flat, by how much the loss went beyond the limit that stopped it.
    fn settle(&mut self, row: &Row, statement: &Statement, out: &mut Vec<Verdict>) {
        let Some(stopped) = self.ledger.stopped.as_ref().filter(|stopped| !stopped.settled) else { return };
        let beyond = self.limits.beyond(&self.facts(row, statement), &stopped.rule);
        if beyond > Cents::ZERO {
            let (value, limit) = (beyond.usd(), stopped.limit_cents.usd());
            out.push(Verdict::Alert { ts: row.bar.ts, rule: "beyond_limit_usd".into(), value, limit });
        }
        if let Some(stopped) = &mut self.ledger.stopped {
            stopped.settled = true;
        }
    }

    /// Returns what is measured against the limits as of `row`, which the ledger knows already.
    fn facts(&self, row: &Row, statement: &Statement) -> LimitFacts {
        LimitFacts::of(&self.ledger).quoted(row, statement.position, &self.rules)
    }

    /// Returns what one contract loses over so many ticks, those to its stop and of exit slippage, and its round turn.
    fn risk(&self, today: &Today, ticks: i64) -> Cents {
        self.rules.contract.tick_value() * ticks + self.costs.rate(today.label()).side() * 2
    }

    /// Returns the signal to close with: a reversal's, where the model is confident enough to enter the other way and
    /// positions are not turned over too often. Whatever else is closed forgets the reversal that was to follow.
    fn turn(
        &mut self,
        row: &Row,
        statement: &Statement,
        signal: Signal,
        action: &Action,
        out: &mut Vec<Verdict>,
    ) -> Signal {
        let Action::Exit { reason } = action else { return signal };
        self.ledger.reversals.to = None;
        let wanted = *reason == ExitReason::Signal
            && self.rules.reversals.enabled
            && opposes(row, statement.position, self.rules.entries.confidence);
        let Some(confidence) = row.prediction.conf.filter(|_| wanted) else { return signal };
        let side = Side::of(statement.position).opposite();
        let reversal = turned(side);
        if let Some(denial) = reversal::denial(&self.rules.reversals, &self.ledger, row.bar.ts) {
            out.push(deny(row.bar.ts, reversal, &denial));
            return signal;
        }
        let range = self.ledger.market.minutes.last_minute();
        let reversals = &mut self.ledger.reversals;
        (reversals.to, reversals.last, reversals.range) =
            (Some(Turn { side, confidence }), Some(row.bar.ts), range);
        reversals.count += 1;
        reversal
    }

    fn entry(
        &self,
        row: &Row,
        statement: &Statement,
        today: Option<&Today>,
        turn: Option<Turn>,
    ) -> std::result::Result<(Signal, Action, Cents), Idle> {
        // The second half of a reversal follows, unless the model has changed its mind meanwhile.
        let turn = turn.filter(|turn| !opposes(row, turn.side.sign(), 0.0));
        let (signal, side, confidence) = match turn {
            Some(Turn { side, confidence }) => (turned(side), side, confidence),
            None => self.signal(row).map_err(Idle::Hold)?,
        };
        if self.from.is_some_and(|from| row.bar.ts < from) {
            return Err(Idle::Hold("warm_up"));
        }
        if let Some(denial) = self.stopped() {
            return Err(Idle::Deny(signal, denial));
        }
        let Some(today) = today else { return Err(Idle::Hold("closed")) };
        let (view, stop_ticks) = self.view(row, statement, today, side, confidence, turn.is_some());
        let contracts = rules::contracts(&view).map_err(|denial| Idle::Deny(signal, denial))?;
        let target_ticks = stops::target_ticks(&self.rules.exits, stop_ticks);
        let limit = limit(row, side, &self.rules, today);
        let action = Action::Enter { side, contracts, stop_ticks, target_ticks, confidence, limit };
        Ok((signal, action, view.risk))
    }

    /// Returns what an entry is judged by, and its stop in ticks.
    fn view<'a>(
        &'a self,
        row: &'a Row,
        statement: &'a Statement,
        today: &'a Today,
        side: Side,
        confidence: f32,
        reversing: bool,
    ) -> (View<'a>, i64) {
        let stop_ticks = stops::stop_ticks(&self.rules.exits, &self.ledger, side, row.bar.close);
        let part = today.part_of_bar(row.bar.ts);
        let slippage_ticks = self.costs.slippage.ticks(part, &self.ledger.market.minutes);
        let view = View {
            row,
            statement,
            rules: &self.rules,
            ledger: &self.ledger,
            today,
            part,
            confidence,
            balance: rules::balance(&self.rules, &self.ledger, statement),
            reversing,
            quotes: self.quotes,
            room: self.limits.room(&self.facts(row, statement)),
            risk: self.risk(today, stop_ticks + slippage_ticks),
        };
        (view, stop_ticks)
    }

    /// Judges a row on the side and shows what an entry is judged by, where one is asked for: the view and its stop.
    pub(crate) fn considered<T>(
        &self,
        row: &Row,
        statement: &Statement,
        show: impl FnOnce(&View, i64) -> T,
    ) -> Option<T> {
        if self.ledger.reversals.to.is_none() && self.signal(row).is_err() {
            return None;
        }
        let mut aside = self.clone();
        let today = aside.schedule.of_bar(row.bar.ts).copied();
        let (ledger, said) = (&mut aside.ledger, &mut Vec::new());
        memory::update(ledger, row, aside.row_ns, statement, today.as_ref(), &aside.rules, said);
        let turn = aside.ledger.reversals.to.filter(|turn| !opposes(row, turn.side.sign(), 0.0));
        let (side, confidence) = match turn {
            Some(Turn { side, confidence }) => (side, confidence),
            None => aside.signal(row).ok().map(|(_, side, confidence)| (side, confidence))?,
        };
        let (view, stop_ticks) =
            aside.view(row, statement, today.as_ref()?, side, confidence, turn.is_some());
        Some(show(&view, stop_ticks))
    }

    /// Returns what the prediction of a row asks for, or why it asks for nothing.
    fn signal(&self, row: &Row) -> std::result::Result<(Signal, Side, f32), &'static str> {
        let (Some(dir), Some(confidence)) = (row.prediction.dir, row.prediction.conf) else {
            return Err("no_prediction");
        };
        match dir {
            _ if dir != 0.0 && confidence < self.rules.entries.confidence => Err("confidence"),
            d if d > 0.0 => Ok((Signal::LongEntry, Side::Buy, confidence)),
            d if d < 0.0 => Ok((Signal::ShortEntry, Side::Sell, confidence)),
            _ => Err("flat"),
        }
    }

    /// Returns what has stopped trading, a person or a limit.
    fn stopped(&self) -> Option<Denial> {
        if self.ledger.halted.is_some() {
            return Some(Denial { rule: "halted".into(), value: 1.0, limit: 0.0 });
        }
        let stopped = self.ledger.stopped.as_ref()?;
        let (value, limit) = (stopped.value_cents.usd(), stopped.limit_cents.usd());
        Some(Denial { rule: stopped.rule.clone(), value, limit })
    }
}

fn turned(side: Side) -> Signal {
    if side == Side::Buy { Signal::ReverseToLong } else { Signal::ReverseToShort }
}

fn deny(ts: Ts, signal: Signal, denial: &Denial) -> Verdict {
    Verdict::Deny { ts, signal, rule: denial.rule.to_string(), value: denial.value, limit: denial.limit }
}
