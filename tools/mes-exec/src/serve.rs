//! The mirror of risk's loop: a row comes down, a statement goes up, orders come down.

use mes_core::{
    broker::Broker,
    order::Order,
    record::{Record, Tag},
    row::Row,
    run::Run,
    time::Ts,
};
use mes_pipe::{
    Error, Result,
    messages::{Message, Messages, record},
};

use crate::{account::Peer, printer::Printer};

/// Serves `broker` to the risk at the other end until it says `end`.
///
/// # Errors
///
/// [`Error::Stopped`] when the messages end without `end`: upstream died. After any error the account is flat, and
/// `halt` is told when and why.
pub fn serve<B: Broker>(
    messages: &mut Messages,
    broker: &mut B,
    peer: &mut Peer,
    printer: &Printer,
    halt: impl FnOnce(Ts, &Error) -> Result<()>,
) -> Result<()> {
    let mut service = Service { broker, peer, printer, begun: false, rows: 0 };
    let outcome = loop {
        let served = match messages.next() {
            Ok(Message::Line(line)) => service.line(line),
            Ok(Message::Idle) => continue,
            Err(error) => break Err(error),
            Ok(Message::End) => {
                let rows = service.rows;
                break Err(Error::stopped(format!(
                    "the input stopped after {rows} rows without an end record, so upstream died: cancelled and flat"
                )));
            }
        };
        match served {
            Ok(Next::More) => {}
            Ok(Next::Done) => return drain(messages),
            Err(error) => break Err(messages.here(error)),
        }
    };
    let rows = service.rows;
    // Whatever went wrong, the account is left flat. The peer may be gone, the record is for whoever reads us.
    let statement = broker.end()?;
    if rows > 0 {
        printer.print(&Record::Statement(statement));
        if let Err(error) = &outcome {
            halt(statement.ts, error)?;
        }
    }
    outcome
}

/// Reads what still comes after `end`: risk journals the last statement, and a `tee` between us must not die of it.
fn drain(messages: &mut Messages) -> Result<()> {
    while !matches!(messages.next()?, Message::End) {}
    Ok(())
}

enum Next {
    More,
    Done,
}

struct Service<'a, B> {
    broker: &'a mut B,
    peer: &'a mut Peer,
    printer: &'a Printer,
    begun: bool,
    rows: u64,
}

impl<B: Broker> Service<'_, B> {
    fn line(&mut self, line: &[u8]) -> Result<Next> {
        let tag = serde_json::from_slice::<Tag>(line)
            .map_err(|_| Error::data("not a record with a kind: is the input the output of mes-risk?"))?;
        match &*tag.kind {
            "run" => {
                self.begun = true;
                self.broker.begin(&record::<Run>(line)?)?;
            }
            "row" if self.begun => {
                self.rows += 1;
                let statement = Record::Statement(self.broker.on_bar(&record::<Row>(line)?.bar)?);
                self.peer.send(&statement)?;
                self.printer.print(&statement);
            }
            "order" if self.begun => self.broker.submit(&record::<Order>(line)?)?,
            "end" => {
                let statement = Record::Statement(self.broker.end()?);
                self.printer.print(&statement);
                self.peer.send(&statement)?;
                return Ok(Next::Done);
            }
            // Our own, and what concerns nobody but the journal.
            "statement" | "deny" | "hold" | "alert" | "person" => {}
            "row" | "order" => return Err(Error::data("a record before the run record")),
            other => return Err(Error::data(format!("a record of unknown kind {other:?}"))),
        }
        Ok(Next::More)
    }
}
