//! The stream of changes: a line of JSON for what there is to see now, whenever that changes. Whoever reads slowly gets
//! fewer lines, never old ones, and whoever does not read at all is cut off.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::mpsc::{self, Sender},
    time::timeout,
};

use super::{Line, Served};

/// The most streams at once.
const STREAMS: usize = 16;
/// Between two lines.
const PAUSE: Duration = Duration::from_millis(80);
/// The longest silence: a page that hears nothing for twice as long says that it is cut off.
const PULSE: Duration = Duration::from_secs(2);
/// For a line to be taken.
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens a stream on a connection; nothing where too many are open.
pub fn open(served: &Arc<Served>, line: &Arc<Line>) -> Option<mpsc::Receiver<Bytes>> {
    if served.streams.fetch_add(1, Ordering::Relaxed) >= STREAMS {
        served.streams.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    line.lasts.store(true, Ordering::Relaxed);
    let (sender, receiver) = mpsc::channel(1);
    let (served, line) = (Arc::clone(served), Arc::clone(line));
    tokio::spawn(async move {
        send(&served, &sender).await;
        served.streams.fetch_sub(1, Ordering::Relaxed);
        // What it has not taken by now it never will.
        line.cut.notify_one();
    });
    Some(receiver)
}

async fn send(served: &Served, sender: &Sender<Bytes>) {
    let mut changes = served.desk.changes();
    loop {
        changes.mark_unchanged();
        let Ok(mut text) = serde_json::to_vec(&served.desk.view(usize::MAX)) else { return };
        text.push(b'\n');
        match timeout(PATIENCE, sender.send(text.into())).await {
            Ok(Ok(())) => {}
            _ => return,
        }
        tokio::time::sleep(PAUSE).await;
        let _ = timeout(PULSE, changes.changed()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use mes_core::broker::Kind;
    use tokio::runtime::Builder;

    use super::*;
    use crate::{
        act::Act,
        desk::Desk,
        sample::{records, taken},
        serve::gate::Gate,
    };

    /// One line is on its way and one waits: there is no third.
    #[test]
    fn who_takes_nothing_is_given_up() {
        let desk = Arc::new(Desk::replay(taken(records(Kind::Paper, "", 5, &[])), None));
        let gate = Gate::new(1).expect("a gate");
        let served = Arc::new(Served { desk: Arc::clone(&desk), gate, streams: AtomicUsize::new(0) });
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let line = Arc::new(Line::default());
            let mut receiver = open(&served, &line).expect("a stream");
            tokio::time::sleep(PAUSE * 2).await;
            desk.begin(Act::Halt);
            timeout(PULSE + PATIENCE * 2, line.cut.notified()).await.expect("cut off");
            assert!(receiver.recv().await.is_some() && receiver.recv().await.is_none());
        });
        assert_eq!(served.streams.load(Ordering::Relaxed), 0);
    }
}
