//! How a call gets to the service and its answer back, once.

use std::time::Duration;

use mes_web::{Answer, Call, Fault, Limits, Secret};

use crate::{
    outcome::{Failure, Refusal},
    wire::{Endpoint, Envelope},
};

/// Carries a call to the service, once, and brings back the body of its answer.
pub trait Carrier: Send + Sync {
    /// Carries it.
    ///
    /// # Errors
    ///
    /// A [`Fault`], which says whether it may have happened all the same.
    fn carry(&self, call: Call) -> Result<Vec<u8>, Fault>;
}

impl Carrier for mes_web::Client {
    fn carry(&self, call: Call) -> Result<Vec<u8>, Fault> {
        self.send(call).and_then(Answer::bytes)
    }
}

/// How long and how much one call may take. Brackets and closes are answered within milliseconds.
pub const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(10),
    head: Duration::from_secs(10),
    stall: Duration::from_secs(5),
    most_bytes: 16 << 20,
};

/// Makes one call and reads its envelope.
pub(crate) fn call<E: Endpoint>(
    carrier: &dyn Carrier,
    request: &E,
    token: Option<&Secret>,
    hidden: &[&Secret],
    limits: Limits,
) -> Result<E::Answer, Failure<E::Code>> {
    let call = Call::json(E::PATH, request).map_err(Failure::of)?;
    let call = token.into_iter().fold(call, |call, token| call.bearer(token));
    let call = hidden.iter().fold(call, |call, secret| call.hiding(secret)).within(limits);
    let bytes = carrier.carry(call).map_err(Failure::of)?;
    let plain = |text: String| {
        let secrets = token.into_iter().chain(hidden.iter().copied());
        secrets.fold(text, |text, secret| secret.redact(&text))
    };
    match Envelope::read(&bytes, E::FIELD) {
        Ok(Envelope::Done(answer)) => Ok(answer),
        Ok(Envelope::Refused { code, message, order }) => {
            Err(Refusal::Code { code, message: message.map(plain), order }.into())
        }
        Err(what) => {
            Err(Failure::Unanswered(format!("{}: the answer makes no sense: {}", E::PATH, plain(what))))
        }
    }
}
