//! Statements for whoever reads our stdout, through a queue that drops when nobody does: a pager left open must
//! never stop trading.

use std::{
    io::{Write, stdout},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use mes_pipe::log;
use serde::Serialize;

/// Lines that wait for a slow reader; more than a day of seconds.
const QUEUE_LINES: usize = 1 << 17;

pub struct Printer {
    queue: SyncSender<Vec<u8>>,
    writer: JoinHandle<()>,
    dropped: Arc<AtomicU64>,
}

impl Printer {
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
    pub fn finish(self) {
        drop(self.queue);
        let _ = self.writer.join();
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            log::note(format!("{dropped} statements were not printed: nobody read them"));
        }
    }
}

fn write(lines: &Receiver<Vec<u8>>) {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, stdout());
    while let Ok(first) = lines.recv() {
        let mut batch = out.write_all(&first);
        for line in lines.try_iter() {
            batch = batch.and_then(|()| out.write_all(&line));
        }
        if batch.and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}
