//! The broker around the core: rows and orders in, statements out. It is run by one thread that nothing blocks.

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello},
    order::{ExitReason, Order},
    price::Price,
    quote::Quote,
    run::Run,
    statement::Statement,
    time::Now,
};
use mes_pipe::clock::Clock;

use super::{
    core::{Core, Fatal},
    event::{Action, Event},
};

/// What the core's words are carried by.
pub trait Shell {
    /// Writes down what happened, before anything is done about it.
    fn record(&mut self, now: Now, event: &Event);
    /// Begins what is asked for; what comes of it is an event.
    fn act(&mut self, now: Now, action: Action);
    /// Writes down that a run has begun.
    ///
    /// # Errors
    ///
    /// That it is of another account, or that the disk does not take it.
    fn begin(&mut self, run: &Run) -> Result<(), BrokerError>;
}

/// The account at the exchange, as a broker.
pub struct Venue<S> {
    core: Core,
    pub shell: S,
    clock: Clock,
    hello: Hello,
    quote_band: f64,
    statement: Statement,
    close: Price,
}

impl<S: Shell> Venue<S> {
    /// Puts a core that has looked at the exchange behind the broker's words.
    pub fn new(core: Core, shell: S, clock: Clock, hello: Hello, quote_band: f64) -> Venue<S> {
        let statement = Statement::default();
        Venue { core, shell, clock, hello, quote_band, statement, close: Price::default() }
    }

    /// Lets something happen now.
    pub fn take(&mut self, event: Event) {
        let now = self.clock.now();
        self.shell.record(now, &event);
        for action in self.core.on(event, now) {
            self.shell.act(now, action);
        }
    }

    /// Returns the machine, to look at.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Says what the account is as the run begins.
    pub fn greet(&mut self, hello: Hello) {
        self.hello = hello;
    }

    /// Returns when something is due by itself, on the steady clock.
    pub fn due(&self) -> i64 {
        self.core.due()
    }

    /// Begins to close everything. What ends a run goes on until [`Core::is_flat`].
    pub fn finish(&mut self, reason: ExitReason) {
        self.take(Event::Halt);
        self.take(Event::Flatten { reason });
    }

    fn fatal(&self) -> Result<(), BrokerError> {
        match self.core.fatal() {
            None => Ok(()),
            Some(Fatal::Setup(why)) => Err(BrokerError::Mismatch(why.clone())),
            Some(Fatal::Stopped(why)) => Err(BrokerError::Stopped(why.clone())),
        }
    }
}

impl<S: Shell> Broker for Venue<S> {
    fn hello(&mut self) -> Result<Hello, BrokerError> {
        Ok(self.hello.clone())
    }

    fn begin(&mut self, run: &Run) -> Result<(), BrokerError> {
        self.shell.begin(run)
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<&Statement, BrokerError> {
        if let Ok(Quote { bid, ask, .. }) = Quote::of(bar, self.quote_band) {
            self.take(Event::Quote { bid, ask });
        }
        self.close = bar.close;
        self.take(Event::Row { close: bar.close });
        self.fatal()?;
        self.statement = self.core.statement(bar.ts, bar.close);
        Ok(&self.statement)
    }

    fn submit(&mut self, order: &Order) -> Result<(), BrokerError> {
        self.take(Event::Order { order: order.clone() });
        Ok(())
    }

    fn used(&mut self, order: u64) {
        self.take(Event::Used { order });
    }

    fn exposure(&self) -> i64 {
        self.core.exposure()
    }

    fn due(&self) -> Option<i64> {
        Some(self.core.due())
    }

    fn tick(&mut self, now: Now) -> Result<(), BrokerError> {
        if now.steady >= self.core.due() {
            self.take(Event::Timer);
        }
        self.fatal()
    }

    /// Says how the account was left. What is not flat by then is named.
    fn end(&mut self) -> Result<&Statement, BrokerError> {
        let flat = self.core.is_flat();
        self.statement = self.core.statement(self.statement.ts, self.close);
        if flat { Ok(&self.statement) } else { Err(BrokerError::Lost(self.core.left())) }
    }
}
