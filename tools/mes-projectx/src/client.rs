//! Asks and acts: each call once, with the token of the day, within the budget.

use std::{sync::Arc, time::Duration};

use mes_web::{Call, Limits};

use crate::{
    carrier::{Carrier, LIMITS, call},
    limiter::{Purpose, Window},
    outcome::{Failure, Outcome, Refusal},
    session::Access,
    wire::{Bars, Cancel, Close, Endpoint, LookCode, Modify, PartialClose, Place},
};

/// A call that changes something.
pub trait Action: Endpoint {}

impl Action for Place {}
impl Action for Modify {}
impl Action for Cancel {}
impl Action for Close {}
impl Action for PartialClose {}

/// A question, and the budget that it counts against.
pub trait Question: Endpoint {
    /// Which of the service's limits it counts against.
    const WINDOW: Window = Window::Calls;
}

impl Question for Bars {
    const WINDOW: Window = Window::History;
}

macro_rules! questions {
    ($($request:ident),+) => { $(impl Question for crate::wire::$request {})+ };
}
questions!(
    Accounts,
    SearchContracts,
    AvailableContracts,
    ContractById,
    OrdersOf,
    OpenOrders,
    OrderById,
    Orders,
    Positions,
    Trades
);

/// One user at TopstepX.
#[derive(Clone)]
pub struct Client {
    carrier: Arc<dyn Carrier>,
    access: Arc<dyn Access>,
    limits: Limits,
}

impl Client {
    /// Makes one that asks by `carrier`, with tokens and a budget from `access`.
    pub fn new(carrier: Arc<dyn Carrier>, access: Arc<dyn Access>) -> Client {
        Client { carrier, access, limits: LIMITS }
    }

    /// Gives every call so long.
    pub fn within(self, deadline: Duration) -> Client {
        Client {
            limits: Limits { deadline, head: deadline, stall: deadline.min(LIMITS.stall), ..LIMITS },
            ..self
        }
    }

    /// Asks a question. A token that is not taken is replaced, and the question asked once more.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn ask<E: Question>(&self, question: &E, purpose: Purpose) -> Result<E::Answer, Failure<E::Code>> {
        match self.call(question, E::WINDOW, purpose) {
            Err(Failure::Refused(Refusal::Unauthorized)) => self.call(question, E::WINDOW, purpose),
            answered => answered,
        }
    }

    /// Does something, once: whatever comes of it, it is not sent again. A token that is not taken is replaced for what
    /// comes after.
    pub fn act<E: Action>(&self, action: E, purpose: Purpose) -> Outcome<E::Answer, E::Code> {
        Outcome::of(self.call(&action, Window::Calls, purpose))
    }

    /// Asks whether the service is there: the one call that needs no token and counts against nothing.
    ///
    /// # Errors
    ///
    /// Why it is not.
    pub fn ping(&self) -> Result<(), Failure<LookCode>> {
        let call = Call::get("api/Status/ping", &[]).accepting("text/plain").within(self.limits);
        match self.carrier.carry(call).map_err(Failure::of)? {
            pong if pong.trim_ascii() == b"pong" => Ok(()),
            _ => Err(Failure::Unanswered("api/Status/ping: the answer makes no sense".to_owned())),
        }
    }

    fn call<E: Endpoint>(
        &self,
        request: &E,
        window: Window,
        purpose: Purpose,
    ) -> Result<E::Answer, Failure<E::Code>> {
        let token = self.access.token().map_err(Refusal::NoToken)?;
        self.access.spend(window, purpose).map_err(|wait| Refusal::Held { wait })?;
        let answered = call(&*self.carrier, request, Some(&token.secret), &[], self.limits);
        match &answered {
            Err(Failure::Refused(Refusal::Unauthorized)) => self.access.rejected(token.generation),
            Err(Failure::Refused(Refusal::Busy { asked })) => self.access.busy(window, *asked),
            _ => {}
        }
        answered
    }
}
