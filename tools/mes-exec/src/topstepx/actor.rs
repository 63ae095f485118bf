//! The thread that owns the account: rows, orders, the hubs, answers, a person and the clock come into one queue. Whoever
//! holds the other end waits for nothing but this thread, and this thread waits for nothing but the queue.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello},
    order::{ExitReason, Order},
    run::Run,
    statement::Statement,
    time::SECOND,
};
use mes_pipe::clock::Clock;

use super::{
    event::Event,
    venue::{Shell, Venue},
};
use crate::guard::Guard;

/// The longest that the end of a day takes: what is open then is named.
const END: i64 = 30 * SECOND;
/// The longest that anybody waits for this thread, which waits for nobody.
const DEAD: Duration = Duration::from_secs(40);
/// Between two looks at the queue.
const LOOK: Duration = Duration::from_millis(500);

type Told = Result<Statement, BrokerError>;

/// What comes into the queue.
pub enum Input {
    Event(Event),
    Begin(Box<Run>, Sender<Result<(), BrokerError>>),
    Row(Box<Bar>, Sender<Told>),
    Order(Box<Order>),
    End {
        reason: ExitReason,
        told: Sender<Told>,
    },
    /// A person asks for the account, in words.
    Status(Sender<Status>),
}

/// The account in a few words.
#[derive(Clone, Debug)]
pub struct Status {
    pub flat: bool,
    pub position: i64,
    pub left: String,
}

/// The other end of the queue: a broker like any other.
pub struct Actor {
    inputs: Sender<Input>,
    hello: Hello,
    statement: Statement,
    person: bool,
    _thread: JoinHandle<()>,
}

impl Actor {
    /// Gives an account to a thread of its own.
    ///
    /// # Errors
    ///
    /// `Failed` where the system gives no thread.
    pub fn start<S: Shell + Send + 'static>(
        guard: Guard<Venue<S>>,
        hello: Hello,
        clock: Clock,
        (sender, inputs): (Sender<Input>, Receiver<Input>),
    ) -> mes_pipe::Result<Actor> {
        let thread = thread::Builder::new()
            .name("account".into())
            .spawn(move || Owner { guard, clock, inputs, failed: None }.run())?;
        let statement = Statement::default();
        Ok(Actor { inputs: sender, hello, statement, person: false, _thread: thread })
    }

    fn ask(&mut self, input: impl FnOnce(Sender<Told>) -> Input) -> Result<&Statement, BrokerError> {
        let (told, hear) = channel();
        let sent = self.inputs.send(input(told)).map_err(|_| dead());
        self.statement = sent.and_then(|()| hear.recv_timeout(DEAD).map_err(|_| dead())?)?;
        Ok(&self.statement)
    }
}

fn dead() -> BrokerError {
    BrokerError::Lost("the thread that holds the account died: close it with mes-exec flatten".into())
}

impl Broker for Actor {
    fn hello(&mut self) -> Result<Hello, BrokerError> {
        Ok(self.hello.clone())
    }

    fn begin(&mut self, run: &Run) -> Result<(), BrokerError> {
        let (told, hear) = channel();
        self.inputs.send(Input::Begin(Box::new(run.clone()), told)).map_err(|_| dead())?;
        hear.recv_timeout(DEAD).map_err(|_| dead())?
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<&Statement, BrokerError> {
        self.ask(|told| Input::Row(Box::new(*bar), told))
    }

    fn submit(&mut self, order: &Order) -> Result<(), BrokerError> {
        self.inputs.send(Input::Order(Box::new(order.clone()))).map_err(|_| dead())
    }

    fn stop(&mut self) {
        self.person = true;
    }

    fn end(&mut self) -> Result<&Statement, BrokerError> {
        let reason = if self.person { ExitReason::Person } else { ExitReason::EndOfData };
        self.ask(|told| Input::End { reason, told })
    }
}

/// The thread's own.
struct Owner<S> {
    guard: Guard<Venue<S>>,
    clock: Clock,
    inputs: Receiver<Input>,
    /// What ended the run, until somebody can be told.
    failed: Option<BrokerError>,
}

impl<S: Shell> Owner<S> {
    fn run(mut self) {
        loop {
            match self.next() {
                Ok(Some(input)) => self.take(input),
                Ok(None) => {}
                Err(()) => return,
            }
        }
    }

    /// Waits for the next input, or for what is due by itself.
    fn next(&mut self) -> Result<Option<Input>, ()> {
        let due = self.guard.due().map_or(LOOK, |due| self.clock.until(due));
        let input = match self.inputs.recv_timeout(due.min(LOOK)) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Err(()),
        };
        if let Err(error) = self.guard.tick(self.clock.now()) {
            self.failed.get_or_insert(error);
        }
        Ok(input)
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Event(event) => self.guard.broker_mut().take(event),
            Input::Begin(run, told) => {
                let _ = told.send(self.guard.begin(&run));
            }
            Input::Row(bar, told) => {
                let statement = match self.failed.take() {
                    Some(error) => Err(error),
                    None => self.guard.on_bar(&bar).cloned(),
                };
                let _ = told.send(statement);
            }
            Input::Order(order) => {
                if let Err(error) = self.guard.submit(&order) {
                    self.failed.get_or_insert(error);
                }
            }
            Input::End { reason, told } => {
                let _ = told.send(self.end(reason));
            }
            Input::Status(told) => {
                let core = self.guard.broker().core();
                let (flat, position, left) = (core.is_flat(), core.exposure(), core.left());
                let _ = told.send(Status { flat, position, left });
            }
        }
    }

    /// Closes everything, and says how the account was left: flat, or after half a minute not.
    fn end(&mut self, reason: ExitReason) -> Told {
        self.guard.broker_mut().finish(reason);
        let until = self.clock.now().steady + END;
        while !self.guard.broker().core().is_flat() && self.clock.now().steady < until {
            match self.next() {
                Ok(Some(input @ (Input::Event(_) | Input::Status(_)))) => self.take(input),
                Ok(_) => {}
                Err(()) => break,
            }
        }
        self.guard.end().cloned()
    }
}
