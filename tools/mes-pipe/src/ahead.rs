//! Reads ahead in a thread of its own, so that decoding and the tool's own work share two cores. What was read comes
//! through one ordered queue, so nothing changes but the time it takes.

use std::sync::mpsc::{Receiver, sync_channel};

use arrow_schema::SchemaRef;

use crate::{Error, Event, Input, Meta, Result, opened::Place};

/// Batches that the reader may be ahead.
const QUEUE: usize = 4;

/// An [`Input`] that is read by another thread.
pub struct Ahead {
    schema: SchemaRef,
    meta: Meta,
    events: Receiver<(Result<Event>, Place)>,
    place: Place,
}

impl Ahead {
    /// Starts reading.
    ///
    /// # Errors
    ///
    /// `Failed` where the system gives no thread.
    pub fn of(mut input: Input) -> Result<Ahead> {
        let (schema, meta, place) = (input.schema().clone(), input.meta().clone(), input.place());
        let (sent, events) = sync_channel(QUEUE);
        std::thread::Builder::new().spawn(move || {
            loop {
                let event = input.next();
                let last = matches!(event, Ok(Event::End) | Err(_));
                if sent.send((event, input.place())).is_err() || last {
                    return;
                }
            }
        })?;
        Ok(Ahead { schema, meta, events, place })
    }

    /// Returns the columns of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns what travels beside the rows.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Returns what is to be had next, as [`Input::next`] does.
    ///
    /// # Errors
    ///
    /// What [`Input::next`] fails of, and `Failed` where the thread died.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Event> {
        let (event, place) = self.events.recv().map_err(|_| Error::failed("the reading thread died"))?;
        self.place = place;
        event
    }

    /// Returns where the batch given last came from.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Names the place of a row of the batch given last, for messages.
    pub fn at(&self, row: usize) -> String {
        self.place.of(row)
    }
}
