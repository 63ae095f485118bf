//! Listens to the loop and keeps what a judgement needs: trades, days, the path of equity, what was denied and why.

use chrono::NaiveDate;
use mes_core::{
    interval::Interval,
    ledger::Ledger,
    money::Cents,
    order::Action,
    prediction::Prediction,
    round_trip::Pairing,
    row::Row,
    run::Run,
    schedule::Schedule,
    statement::{Fill, Statement},
    time::{MINUTE, Ts},
    verdict::Verdict,
    vocabulary::{self, Kind},
};
use mes_pipe::{Result, journal::Journal};

use crate::{
    candles::Candles,
    excursion::Follower,
    facts::{Alert, DayResult, Facts, Point},
    files::equity::EquityFile,
    incidents,
    life::Life,
    opens::Opens,
};

/// Makes facts of what the loop tells.
pub struct Recorder {
    pub facts: Facts,
    /// Equity's last peak, and whether it fell below since.
    peak: Option<(Ts, Cents)>,
    below: bool,
    pairing: Pairing,
    follower: Follower,
    schedule: Option<Schedule>,
    calendar: mes_core::calendar::Calendar,
    file: Option<EquityFile>,
    /// A page is to show the prices.
    shows: bool,
    /// Rows before this only warm up, and days without trading are no days of the result.
    from: Ts,
    begun: bool,
    equity: Cents,
    life: Life,
    /// What accounts before this one lost, less what they won: the path of equity goes on where they ended.
    before: Cents,
    /// There was a position after the last row.
    in_trade: bool,
    /// A locked market kept the position from being closed in the last row.
    locked: bool,
    /// What an entry needs.
    confidence: f32,
    /// Direction of the last row if it was confident, else 0.
    signal: f32,
    /// The last row had a prediction.
    predicted: bool,
    /// What was remembered before the first statement of a run, until that has come.
    first: Option<Ledger>,
    /// The last day after the account's death.
    last_dead: Option<NaiveDate>,
}

impl Recorder {
    /// Records; with `file` also every bar's equity, and the prices that its report shows.
    pub fn new(calendar: mes_core::calendar::Calendar, file: Option<EquityFile>) -> Self {
        Recorder {
            facts: Facts::default(),
            peak: None,
            below: false,
            pairing: Pairing::default(),
            follower: Follower::default(),
            schedule: None,
            calendar,
            shows: file.is_some(),
            file,
            from: Ts::MIN,
            begun: true,
            equity: Cents::ZERO,
            life: Life::default(),
            before: Cents::ZERO,
            first: None,
            in_trade: false,
            locked: false,
            confidence: 1.0,
            signal: 0.0,
            last_dead: None,
            predicted: false,
        }
    }

    /// Keeps the prices that a page shows, also where no file of equity is wanted.
    pub fn showing(self) -> Self {
        Recorder { shows: true, ..self }
    }

    /// Returns what was recorded.
    ///
    /// # Errors
    ///
    /// `Failed` where the file of equity cannot be ended.
    pub fn finish(self) -> Result<Facts> {
        if let Some(file) = self.file {
            file.finish()?;
        }
        Ok(self.facts)
    }

    /// Says whether the account is over: dead, and flat since.
    pub fn is_over(&self) -> bool {
        self.life.is_over()
    }

    /// Counts a day that the account did not live to see.
    fn dead_day(&mut self, ts: Ts) {
        let today = self.schedule.as_mut().and_then(|schedule| schedule.of_bar(ts));
        let Some(date) = today.map(|today| today.label()) else { return };
        let last = self.last_dead.or(self.facts.days.last().map(|day| day.date));
        if last != Some(date) {
            self.facts.days_dead += 1;
            self.last_dead = Some(date);
        }
    }

    fn day(&mut self, statement: &Statement) {
        let Some(today) = self.schedule.as_mut().and_then(|schedule| schedule.of_bar(statement.ts)) else {
            return;
        };
        let date = today.label();
        let equity = statement.equity_cents;
        if self.facts.days.last().is_none_or(|day| day.date != date) {
            self.facts.days.push(DayResult::of_ends(date, self.equity, equity));
        }
        if let Some(day) = self.facts.days.last_mut() {
            day.mark(equity);
            day.overnight |= statement.ts >= today.end.flat && statement.position != 0;
        }
    }

    /// Takes in cash that no trade made: days go on from it, and the path of equity as if it had not come; what came before
    /// the first row is what the account began with.
    fn cash(&mut self, statement: &Statement) {
        let moved = self.first.take().map_or(Cents::ZERO, |ledger| ledger.moved_by(statement));
        let cash = moved + statement.adjusted_cents;
        if cash == Cents::ZERO {
            return;
        }
        self.equity += cash;
        if self.facts.curve.is_empty() {
            self.facts.moved_cents += cash;
        } else {
            self.before -= cash;
        }
        let today = self.schedule.as_mut().and_then(|schedule| schedule.of_bar(statement.ts));
        let date = today.map(|today| today.label());
        if let Some(day) = self.facts.days.last_mut().filter(|day| Some(day.date) == date) {
            day.shift(cash);
        }
    }

    /// Takes a fill, and with it the trade that it may end.
    fn fill(&mut self, fill: &Fill) {
        let position = self.pairing.position();
        let ended = self.pairing.fill(fill);
        let tick = self.facts.contract().tick_value();
        self.facts.excursions.extend(self.follower.fill(position, fill, ended.as_ref(), tick));
        self.facts.trades.extend(ended);
    }

    /// Notes the first prediction of a day.
    fn first_predicted(&mut self, ts: Ts) {
        let Facts { days, first_predicted, .. } = &mut self.facts;
        if self.predicted && first_predicted.last().is_none_or(|(day, _)| *day < days.len()) {
            first_predicted.push((days.len(), ts));
        }
    }

    /// Goes on with a new account that begins with `start`.
    fn another(&mut self, run: &Run) {
        let start = run.ledger.equity_cents;
        self.before += self.equity - start;
        self.equity = start;
        self.first = Some(run.ledger.clone());
        self.life = Life::default();
        self.in_trade = false;
        self.signal = 0.0;
    }

    /// Writes the bar's equity to the file, where there is one.
    fn keep(&mut self, statement: &Statement) -> Result<()> {
        match &mut self.file {
            Some(file) => file.push(statement),
            None => Ok(()),
        }
    }

    fn path(&mut self, statement: &Statement) {
        let (ts, equity) = (statement.ts, statement.equity_cents + self.before);
        let (peak_ts, peak) = *self.peak.get_or_insert((ts, equity));
        let fall = (peak - equity).max(Cents::ZERO);
        self.below |= equity < peak;
        if equity >= peak {
            self.surface(ts);
            self.peak = Some((ts, equity));
        }
        let facts = &mut self.facts;
        if fall > facts.drawdown_cents {
            facts.drawdown_cents = fall;
            (facts.drawdown_from, facts.drawdown_to) = (Some(peak_ts), Some(ts));
        }
        if peak > Cents::ZERO {
            facts.drawdown_ratio = facts.drawdown_ratio.max(fall.0 as f64 / peak.0 as f64);
        }
        match facts.curve.last_mut() {
            Some(last) if last.ts.div_euclid(15 * MINUTE) == ts.div_euclid(15 * MINUTE) => {
                let drawdown_cents = last.drawdown_cents.max(fall);
                *last = Point { ts, equity_cents: equity, peak_cents: peak.max(equity), drawdown_cents };
            }
            _ => facts.curve.push(Point {
                ts,
                equity_cents: equity,
                peak_cents: peak.max(equity),
                drawdown_cents: fall,
            }),
        }
    }

    /// Ends a time below a peak, if there is one: equity without a change is not a loss.
    fn surface(&mut self, now: Ts) {
        if let Some((since, _)) = self.peak.filter(|_| std::mem::take(&mut self.below)) {
            self.facts.longest_under_water = self.facts.longest_under_water.max(now - since);
        }
    }

    fn prediction(&mut self, prediction: &Prediction) {
        let (Some(direction), Some(confidence)) = (prediction.dir, prediction.conf) else {
            (self.signal, self.predicted) = (0.0, false);
            return;
        };
        self.predicted = true;
        let facts = &mut self.facts;
        let directed = direction != 0.0;
        let confident = directed && confidence >= self.confidence;
        facts.predicted += 1;
        facts.directed += u64::from(directed);
        facts.confident += u64::from(confident);
        if directed {
            facts.highest_confidence =
                Some(facts.highest_confidence.map_or(confidence, |highest| highest.max(confidence)));
        }
        let signal = if confident { direction } else { 0.0 };
        facts.signals += u64::from(confident && signal != self.signal);
        self.signal = signal;
    }
}

impl Journal for Recorder {
    fn run(&mut self, run: &Run) -> Result<()> {
        let (contract, slippage) = (run.rules.value.contract, run.costs.value.slippage);
        self.pairing = Pairing::of(contract, slippage);
        let flat_by = run.rules.value.day_end.flat_by;
        self.schedule = Some(Schedule::new(self.calendar.clone(), flat_by, run.broker.cut, run.session));
        if self.facts.run.is_some() {
            self.another(run);
            return Ok(());
        }
        self.from = run.from.unwrap_or(Ts::MIN);
        self.begun = run.from.is_none();
        self.equity = run.ledger.equity_cents;
        self.first = Some(run.ledger.clone());
        self.pairing = Pairing::holding(contract, slippage, run.ledger.position);
        self.confidence = run.rules.value.entries.confidence;
        self.facts.opens = run.interval.parse().ok().map(|interval: Interval| Opens::new(interval.nanos()));
        let candles = |interval: Interval| Candles::new(interval.nanos());
        self.facts.candles = if self.shows { run.interval.parse().ok().map(candles) } else { None };
        self.facts.run = Some(run.clone());
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<()> {
        self.begun = row.bar.ts >= self.from;
        if !self.begun {
            return Ok(());
        }
        if self.life.is_over() {
            self.dead_day(row.bar.ts);
            return Ok(());
        }
        self.facts.rows += 1;
        self.facts.first.get_or_insert(row.bar.ts);
        self.facts.last = Some(row.bar.ts);
        self.prediction(&row.prediction);
        if let Some(opens) = &mut self.facts.opens {
            opens.push(&row.bar);
        }
        self.follower.row(&row.bar);
        if let Some(candles) = &mut self.facts.candles {
            candles.row(&row.bar);
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        self.cash(statement);
        if !self.begun {
            return Ok(());
        }
        for fill in &statement.fills {
            self.facts.entries += u64::from(fill.exit.is_none());
            self.fill(fill);
        }
        if statement.position == 0 {
            self.pairing.flat();
        }
        self.follower.bar(statement.position, statement.ts, &statement.working);
        if self.life.is_over() {
            return self.keep(statement);
        }
        for refusal in &statement.refused {
            *self.facts.refused.entry(refusal.reason.clone()).or_default() += 1;
        }
        self.facts.locked_exits += u64::from(statement.locked && !self.locked);
        self.locked = statement.locked;
        let in_trade = statement.position != 0;
        let any = in_trade || self.in_trade || !statement.fills.is_empty();
        self.facts.rows_in_trade += u64::from(any);
        self.in_trade = in_trade;
        if let Some(candles) = &mut self.facts.candles {
            candles.traded(statement.ts, any);
        }
        self.day(statement);
        self.first_predicted(statement.ts);
        self.path(statement);
        self.equity = statement.equity_cents;
        self.life.statement(statement);
        self.keep(statement)
    }

    fn verdict(&mut self, verdict: &Verdict) -> Result<()> {
        if !self.begun {
            return Ok(());
        }
        match verdict {
            Verdict::Order(order) => {
                self.facts.orders += u64::from(matches!(order.action, Action::Enter { .. }));
                self.pairing.order(order);
                self.follower.order(order);
            }
            Verdict::Deny { .. } | Verdict::Hold { .. } if self.life.is_over() => {}
            Verdict::Deny { rule, .. } => *self.facts.denied.entry(rule.clone()).or_default() += 1,
            Verdict::Hold { reason, .. } => *self.facts.held.entry(reason.clone()).or_default() += 1,
            Verdict::Alert { ts, rule, value, limit } => {
                let (day, rule) = (self.facts.days.len(), rule.clone());
                self.facts.deaths += usize::from(self.life.alert(&rule));
                let incident = vocabulary::is(&rule, Kind::Incident);
                let alert = Alert { ts: *ts, day, rule, value: *value, limit: *limit };
                if incident {
                    incidents::count(&mut self.facts.incidents, alert);
                } else {
                    self.facts.alerts.push(alert);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        if let Some(last) = self.facts.last {
            self.surface(last);
        }
        Ok(())
    }
}
