//! Statements for whoever reads our stdout, through a queue that drops when nobody does: a pager left open must
//! never stop trading.

use std::{
    io::{self, ErrorKind, Write, stdout},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use mes_pipe::{Error, Result, log};
use serde::Serialize;

/// Lines that wait for a slow reader; more than a day of seconds.
const QUEUE_LINES: usize = 1 << 17;

/// Stdout, written by a thread of its own.
pub struct Printer {
    queue: SyncSender<Vec<u8>>,
    writer: JoinHandle<io::Result<()>>,
    dropped: Arc<AtomicU64>,
}

impl Printer {
    /// Starts the thread.
    pub fn start() -> Printer {
        let (queue, lines) = sync_channel(QUEUE_LINES);
        let writer = std::thread::spawn(move || write(&lines));
        Printer { queue, writer, dropped: Arc::new(AtomicU64::new(0)) }
    }

    /// Queues one record.
    pub fn print<T: Serialize>(&self, record: &T) {
        let Ok(mut line) = serde_json::to_vec(record) else { return };
        line.push(b'\n');
        // A reader that is gone is not missed.
        if let Err(TrySendError::Full(_)) = self.queue.try_send(line) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything queued is written. Trading is over, so there is time.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] when stdout could not be written, as on a full disk. A reader that went away is no error.
    pub fn finish(self) -> Result<()> {
        drop(self.queue);
        let written =
            self.writer.join().unwrap_or_else(|_| Err(io::Error::other("the printing thread died")));
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            log::note(format!("{dropped} statements were not printed: nobody read them"));
        }
        written
            .map_err(|error| Error::failed(format!("stdout: {error}: statements from here on are not there")))
    }
}

/// Writes lines until there are no more, or nobody wants them. Trading goes on without us.
fn write(lines: &Receiver<Vec<u8>>) -> io::Result<()> {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, stdout());
    while let Ok(first) = lines.recv() {
        let mut batch = out.write_all(&first);
        for line in lines.try_iter() {
            batch = batch.and_then(|()| out.write_all(&line));
        }
        match batch.and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => {
                log::error(format!("stdout: {error}: trading goes on, and nobody sees its statements"));
                return Err(error);
            }
        }
    }
    Ok(())
}
