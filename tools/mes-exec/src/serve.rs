//! The mirror of risk's loop: a row comes down, a statement goes up, orders come down.
//!
//! Whatever goes wrong, in this order: the halt is written down first, so that nothing is traded after a restart that a
//! person has not looked at; then everything is cancelled and closed; then it is told, the first error first. None of
//! these keeps the next from being tried. A person's stop is no error: cancelled, closed at the last close, no halt.
//!
//! An error halts an account that is kept (`--state`); one that begins anew anyway is not halted.
//!
//! After `end` it reads on until its input closes, so that a `tee` before it can write the last line. Where risk does
//! not answer for 5 s after a person's stop, it closes by itself.

use mes_core::{
    broker::Broker,
    order::{ExitReason, Order},
    person::{Person, Says},
    record::{self, Line},
    row::Row,
    run::Run,
    statement::{Fill, Statement},
};
use mes_pipe::{
    Error, Result,
    clock::Clock,
    messages::{Messages, record},
    stop, survived,
};

use crate::{
    account::Peer,
    events::{Event, Events},
    printer::Printer,
};

/// Serves `broker` to the risk at the other end until it says `end`. `watch` sees every statement.
///
/// # Errors
///
/// [`Error::Stopped`] when the messages end without `end`, since upstream died, or a person ended the day. After any
/// error the account is flat, and `halt` was told why before that; after a person's stop it is not.
pub fn serve<B: Broker>(
    messages: &mut Messages,
    broker: &mut B,
    peer: &mut Peer,
    printer: &Printer,
    clock: &Clock,
    watch: impl Fn(&Statement),
    halt: impl FnOnce(&Error) -> Result<()>,
) -> Result<()> {
    let events = Events::new(clock.clone());
    let mut service = Service {
        broker,
        peer,
        printer,
        clock,
        watch,
        events,
        begun: false,
        rows: 0,
        stopped: None,
        closed: None,
    };
    let mut outcome = survived(|| service.run(messages));
    if matches!(outcome, Err(Error::Stopped(_))) && service.is_stopped() {
        // The other end was stopped too, and may be gone before it could say so.
        outcome = survived(|| service.end());
    }
    let Err(error) = outcome else { return service.said() };
    // Before the run record nothing was traded: an upstream that never began, or two ends that disagree, is no fault.
    let halts = service.begun || !matches!(error, Error::Stopped(_) | Error::Usage(_));
    let halted = if halts { survived(|| halt(&error)).err() } else { None };
    let closed = survived(|| service.close()).err();
    Err(error.and(halted).and(closed))
}

struct Service<'a, B, W> {
    broker: &'a mut B,
    peer: &'a mut Peer,
    printer: &'a Printer,
    clock: &'a Clock,
    watch: W,
    events: Events,
    begun: bool,
    rows: u64,
    /// Who ended the day, if a person did.
    stopped: Option<Person>,
    /// What that closed.
    closed: Option<Fill>,
}

impl<B: Broker, W: Fn(&Statement)> Service<'_, B, W> {
    /// Serves until `end` was answered.
    fn run(&mut self, messages: &mut Messages) -> Result<()> {
        loop {
            match self.events.next(messages, self.peer, &*self.broker)? {
                Event::Line => {
                    if self.line(messages.line()).map_err(|error| messages.here(error))? {
                        self.drain(messages);
                        return Ok(());
                    }
                }
                Event::Stop => self.pass_on(),
                Event::Timer | Event::Broker => self.broker.tick(self.clock.now())?,
                Event::End => {
                    let rows = self.rows;
                    return Err(Error::stopped(format!(
                        "the input stopped after {rows} rows without an end record, so upstream died: cancelled and flat"
                    )));
                }
                Event::Late => {
                    return Err(Error::stopped(
                        "mes-risk is gone, and its last lines do not come: cancelled and flat",
                    ));
                }
            }
        }
    }

    /// Takes a record in; says whether it was the last.
    fn line(&mut self, line: &[u8]) -> Result<bool> {
        let kind = record::kind(line)
            .map_err(|_| Error::data("not a record with a kind: is the input the output of mes-risk?"))?;
        match &*kind {
            "run" if self.begun => return Err(Error::data("a second run record: are these two journals?")),
            "run" => {
                self.broker.begin(&record::<Run>(line)?)?;
                self.begun = true;
            }
            "row" if self.begun => {
                self.rows += 1;
                let statement = self.broker.on_bar(&record::<Row>(line)?.bar)?;
                (self.watch)(statement);
                let statement = Line::Statement(statement);
                self.peer.send(&statement)?;
                self.printer.print(&statement);
            }
            "order" if self.begun => self.broker.submit(&record::<Order>(line)?)?,
            "person" => {
                let person = record::<Person>(line)?;
                if person.says == Says::Stop {
                    self.stopped.get_or_insert(person);
                }
            }
            "end" => {
                self.end()?;
                return Ok(true);
            }
            // Our own, and what concerns nobody but the journal.
            "statement" | "deny" | "hold" | "alert" => {}
            "row" | "order" => return Err(Error::data("a record before the run record")),
            other => return Err(Error::data(format!("a record of unknown kind {other:?}"))),
        }
        Ok(false)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.is_some() || stop::asked()
    }

    /// Tells risk that a person has ended the day: it says so in the journal and ends it. One that is gone is noticed
    /// by the end of its lines.
    fn pass_on(&mut self) {
        if let Some(person) = stop::person() {
            let _ = self.peer.send(&Line::Person(&person));
            self.stopped = Some(person);
        }
    }

    /// Cancels and closes everything, by the end of the data or the person who ended it, and answers with the last
    /// statement.
    fn end(&mut self) -> Result<()> {
        if self.stopped.is_none() {
            self.stopped = stop::person();
        }
        if self.stopped.is_some() {
            self.broker.stop();
        }
        let statement = self.broker.end()?;
        (self.watch)(statement);
        self.closed = statement.fills.iter().find(|fill| fill.exit == Some(ExitReason::Person)).cloned();
        let statement = Line::Statement(statement);
        self.printer.print(&statement);
        match self.peer.send(&statement) {
            // Closed is closed, whoever hears of it.
            Err(_) if self.stopped.is_some() => Ok(()),
            sent => sent,
        }
    }

    /// Reads what still comes after `end`: risk journals the last statement, and a `tee` between us must not die of it.
    fn drain(&mut self, messages: &mut Messages) {
        loop {
            match self.events.next(messages, self.peer, &*self.broker) {
                Ok(Event::Line | Event::Stop | Event::Timer | Event::Broker) => {}
                Ok(Event::Late) if self.stopped.is_none() => self.events.forgive(),
                Ok(Event::Late | Event::End) | Err(_) => return,
            }
        }
    }

    /// Leaves the account flat, after an error. The peer may be gone: the record is for whoever reads our output.
    fn close(&mut self) -> Result<()> {
        let statement = self.broker.end()?;
        (self.watch)(statement);
        if self.rows > 0 {
            self.printer.print(&Line::Statement(statement));
        }
        Ok(())
    }

    /// Says how a run without an error ended.
    fn said(&self) -> Result<()> {
        let Some(who) = &self.stopped else { return Ok(()) };
        let closed = match &self.closed {
            None => "nothing was open".to_owned(),
            Some(fill) => format!("closed {} at {}", count(fill.contracts), fill.price),
        };
        Err(Error::stopped(format!("{}: entries cancelled, {closed}", stop::words(who))))
    }
}

/// Writes a number of contracts.
pub fn count(contracts: i64) -> String {
    format!("{contracts} contract{}", if contracts.abs() == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
