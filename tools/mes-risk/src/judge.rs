//! From a row and the account as of it to verdicts.

use mes_core::{
    calendar::Calendar,
    contract::TICK_VALUE,
    costs::Costs,
    money::Cents,
    order::{Action, Order, Side, Signal},
    row::Row,
    rules::Rules,
    run::Run,
    schedule::{Schedule, Today},
    session::Part,
    statement::Statement,
    time::Ts,
    verdict::Verdict,
};
use mes_pipe::Result;

use crate::{
    exits::exit,
    limits,
    memory::Memory,
    rules::{self, Denial, View},
};

/// The judge of one account.
pub struct Risk {
    rules: Rules,
    costs: Costs,
    schedule: Schedule,
    memory: Memory,
    from: Option<Ts>,
    /// Why nothing was done last; written again only when it changes.
    last: Option<(Signal, &'static str)>,
}

/// Why a row leads to nothing.
enum Idle {
    Hold(&'static str),
    Deny(Signal, Denial),
}

impl Risk {
    /// Judges by what the run record says. Rows before `from` only warm up.
    pub fn new(run: &Run, calendar: Calendar, from: Option<Ts>) -> Self {
        let rules = run.rules.value.clone();
        Risk {
            schedule: Schedule::new(calendar, rules.day_end.flat_by, run.broker.cut, run.session),
            rules,
            costs: run.costs.value.clone(),
            memory: Memory::new(run.ledger.clone()),
            from,
            last: None,
        }
    }

    /// Adds the verdicts on `row` to `out`; `statement` is the account as of it.
    pub fn judge(&mut self, row: &Row, statement: &Statement, out: &mut Vec<Verdict>) -> Result<()> {
        let ts = row.bar.ts;
        let today = self.schedule.of_bar(ts).copied();
        self.memory.update(row, statement, today.as_ref());
        self.check_limits(row, statement, today.as_ref(), out);
        // An order on its way counts in full until the broker has seen it.
        let idle = if self.memory.ledger.order > statement.seen {
            Idle::Hold("in_flight")
        } else if let Some((signal, action)) = exit(row, statement, &self.rules, &self.memory, today.as_ref())
        {
            self.order(ts, signal, action, out);
            return Ok(());
        } else if statement.position != 0 || !statement.working.is_empty() {
            Idle::Hold("in_trade")
        } else {
            match self.entry(row, statement, today.as_ref()) {
                Ok((signal, action)) => {
                    self.order(ts, signal, action, out);
                    return Ok(());
                }
                Err(idle) => idle,
            }
        };
        self.say(ts, &idle, out);
        Ok(())
    }

    fn order(&mut self, ts: Ts, signal: Signal, action: Action, out: &mut Vec<Verdict>) {
        self.last = None;
        out.push(Verdict::Order(Order { ts, id: self.memory.next_order(), signal, action }));
    }

    /// Writes a hold or a denial, once.
    fn say(&mut self, ts: Ts, idle: &Idle, out: &mut Vec<Verdict>) {
        let now = match idle {
            Idle::Hold(reason) => (Signal::Hold, *reason),
            Idle::Deny(signal, denial) => (*signal, denial.rule),
        };
        if self.last.replace(now) == Some(now) {
            return;
        }
        out.push(match idle {
            Idle::Hold(reason) => Verdict::Hold { ts, reason: (*reason).into() },
            Idle::Deny(signal, Denial { rule, value, limit }) => {
                Verdict::Deny { ts, signal: *signal, rule: (*rule).into(), value: *value, limit: *limit }
            }
        });
    }

    fn check_limits(
        &mut self,
        row: &Row,
        statement: &Statement,
        today: Option<&Today>,
        out: &mut Vec<Verdict>,
    ) {
        let flat = statement.position == 0 && statement.working.is_empty();
        let smallest = match today {
            Some(today) if flat => self.risk(today, row.bar.ts, self.rules.exits.stop_ticks),
            _ => Cents::ZERO,
        };
        let Some(reached) = limits::reached(&self.rules.limits, &self.memory, smallest) else { return };
        if self.memory.stopped.is_some_and(|stopped| stopped.lasts >= reached.lasts) {
            return;
        }
        self.memory.stopped = Some(reached);
        let (value, limit) = (reached.value.usd(), reached.limit.usd());
        out.push(Verdict::Alert { ts: row.bar.ts, rule: reached.rule.into(), value, limit });
    }

    /// Returns what one contract loses at a stop of this many ticks: distance, exit slippage, round turn.
    fn risk(&self, today: &Today, ts: Ts, stop_ticks: i64) -> Cents {
        let slippage = self.costs.slippage;
        let rth = today.part_of_bar(ts) == Part::Rth;
        let slippage_ticks = if rth { slippage.rth_ticks } else { slippage.eth_ticks };
        TICK_VALUE * (stop_ticks + slippage_ticks) + self.costs.rate(today.label()).side() * 2
    }

    fn entry(
        &self,
        row: &Row,
        statement: &Statement,
        today: Option<&Today>,
    ) -> std::result::Result<(Signal, Action), Idle> {
        let (Some(dir), Some(confidence)) = (row.prediction.dir, row.prediction.conf) else {
            return Err(Idle::Hold("no_prediction"));
        };
        let (signal, side) = match dir {
            d if d > 0.0 => (Signal::LongEntry, Side::Buy),
            d if d < 0.0 => (Signal::ShortEntry, Side::Sell),
            _ => return Err(Idle::Hold("flat")),
        };
        if confidence < self.rules.entries.confidence {
            return Err(Idle::Hold("confidence"));
        }
        if self.from.is_some_and(|from| row.bar.ts < from) {
            return Err(Idle::Hold("warm_up"));
        }
        if let Some(stopped) = self.memory.stopped {
            let denial =
                Denial { rule: stopped.rule, value: stopped.value.usd(), limit: stopped.limit.usd() };
            return Err(Idle::Deny(signal, denial));
        }
        let Some(today) = today else { return Err(Idle::Hold("closed")) };
        let exits = &self.rules.exits;
        let view = View {
            row,
            statement,
            rules: &self.rules,
            memory: &self.memory,
            today,
            part: today.part_of_bar(row.bar.ts),
            confidence,
            risk: self.risk(today, row.bar.ts, exits.stop_ticks),
        };
        let contracts = rules::contracts(&view).map_err(|denial| Idle::Deny(signal, denial))?;
        let (stop_ticks, target_ticks) = (exits.stop_ticks, exits.target_ticks);
        Ok((signal, Action::Enter { side, contracts, stop_ticks, target_ticks, confidence }))
    }
}
