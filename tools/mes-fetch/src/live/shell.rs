//! The sockets and threads around [`line`](super::line): the hub's own thread tells what comes, another asks REST, and
//! this one writes. All of it comes into one queue, in the order in which it came.

use std::{
    fs::File,
    io::stdout,
    os::{fd::AsFd, unix::fs::FileTypeExt},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use mes_core::{
    calendar::Calendar,
    session::Filter,
    time::{Now, Ts},
};
use mes_pipe::{Error, Kind, Meta, Result, clock::Clock, log, stop};
use mes_projectx::{
    Service,
    hub::{self, Hub, Subscription, socket::Door},
    wire::{Contract, Unit},
};
use serde_json::json;

use super::{
    Args,
    day::DayEnd,
    line::Line,
    message::{Event, Say, Step, Want},
    records::Records,
};

/// Who asks.
const NAME: &str = concat!("mes-fetch/", env!("CARGO_PKG_VERSION"));
/// Happenings that may wait to be written: while more do, the hub's own socket is held up.
const WAITING: usize = 1 << 16;
/// Between two looks whether a person has ended the day, or nobody reads any more.
const LOOK: Duration = Duration::from_millis(100);
/// The length of the bars of the past.
const BARS: (Unit, i64) = (Unit::Second, 1);
/// For a lender, where a run is named, and where the reader may be one.
const NAMED: Duration = Duration::from_secs(5);
const PIPED: Duration = Duration::from_secs(2);

type Heard = (Now, Event);

/// Listens until somebody ends it.
///
/// # Errors
///
/// As [`super::run`].
pub fn run(args: &Args) -> Result<()> {
    if let Some(path) = &args.output.out {
        let why = "what comes from a market ends by a stop, and a file of -o is there only once it is whole: redirect stdout, \
                   into which every row goes at once";
        return Err(Error::usage(why).at(path.display()));
    }
    stop::listen()?;
    let mut service = args.service.lending(NAME, wait(args))?;
    // Until the end of this, whatever a thread still waits for.
    let _share = service.share.take();
    let service = Arc::new(service);
    let contract = contract(&service, &args.contract)?;
    let whose = if service.borrowed { "the session of the run" } else { "a session of its own" };
    log::note(format!("{} ({}), with {whose}", contract.name, contract.id));
    let settings = json!({
        // What comes from an exchange to practise on was recorded or made up: nobody is to take it for the market.
        "replay": args.service.is_practice(), "contract": contract.id, "warm_up": args.warm_up.to_string(),
    });
    let meta = Meta::source("mes-fetch live", Kind::Tick, None, Filter::All, settings);
    let records = Records::create(&args.output, &meta, |_| true)?;
    let line = Line::new(contract.name.parse()?, args.warm_up, Calendar::shipped());
    let (sender, heard) = sync_channel(WAITING);
    let (wants, asked) = channel();
    asker(Arc::clone(&service), contract.clone(), args.contract.clone(), asked, sender.clone())?;
    let door = Door {
        base: service.hubs.clone(),
        kind: hub::Kind::Market,
        negotiate: None,
        access: Arc::clone(&service.access),
        clock: service.clock.clone(),
    };
    let hub = Hub::listen(door, Subscription::contract(&contract.id, true), move |now, event| {
        // Nobody listens any more once the writing has ended.
        let _ = sender.send((now, Event::Hub(event)));
    })?;
    let day_end = args.until_close.then(|| DayEnd::new(Calendar::shipped()));
    Shell { clock: service.clock.clone(), line, day_end, records, hub, wants }.listen(&heard)
}

/// Returns how long to wait for a lender.
fn wait(args: &Args) -> Duration {
    match args.wait {
        Some(seconds) => Duration::from_secs(seconds.into()),
        None if args.service.names_run() => NAMED,
        None if is_pipe() => PIPED,
        None => Duration::ZERO,
    }
}

/// Says whether stdout is a pipe: at its end may be a mes-exec that is just starting.
fn is_pipe() -> bool {
    let stdout = stdout().as_fd().try_clone_to_owned().map(File::from);
    stdout.and_then(|stdout| stdout.metadata()).is_ok_and(|about| about.file_type().is_fifo())
}

/// Finds the one contract that can be traded now; which month that is, the service says.
fn contract(service: &Service, text: &str) -> Result<Contract> {
    let mut found = service.contracts(text)?;
    found.retain(|contract| contract.active_contract);
    let names = found.iter().map(|contract| contract.name.as_str()).collect::<Vec<_>>().join(", ");
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => {
            Err(Error::usage(format!("several contracts {text:?}: --contract one of {names}")))
        }
        (None, _) => Err(Error::usage(format!(
            "no contract {text:?} can be traded now: mes-projectx contracts lists those that can"
        ))),
    }
}

/// Asks REST in a thread of its own, one question after the other.
fn asker(
    service: Arc<Service>,
    ours: Contract,
    text: String,
    wants: Receiver<Want>,
    answers: SyncSender<Heard>,
) -> Result<()> {
    thread::Builder::new().name("asker".into()).spawn(move || {
        let bars = |span: [Ts; 2]| service.bars(&ours.id, BARS, span).map_err(|error| error.to_string());
        for want in wants {
            let event = match want {
                Want::Bars { number, span } => Event::Bars(number, bars(span)),
                Want::Newest(span) => Event::Newest(bars(span).map(|bars| bars.last().map(|bar| bar.t.ts()))),
                Want::Contract => Event::Contract(other(&service, &text, &ours.name)),
                Want::Cut => continue,
            };
            if answers.send((service.now(), event)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// Returns which contract it is now, where it is not ours any more.
fn other(service: &Service, text: &str, ours: &str) -> std::result::Result<Option<String>, String> {
    let found = contract(service, text).map_err(|error| error.to_string())?;
    Ok((found.name != ours).then_some(found.name))
}

struct Shell {
    clock: Clock,
    line: Line,
    day_end: Option<DayEnd>,
    records: Records,
    hub: Hub,
    wants: Sender<Want>,
}

impl Shell {
    fn listen(mut self, heard: &Receiver<Heard>) -> Result<()> {
        let ended = self.follow(heard);
        if let Some(words) = self.line.counts().words() {
            log::note(words);
        }
        match ended {
            // In order: the rows end here, and are all there are.
            Ok(why) => {
                self.records.finish()?;
                why.map_or(Ok(()), |why| Err(Error::stopped(why)))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes what comes; returns why it ends in order, if not by the close that was waited for.
    fn follow(&mut self, heard: &Receiver<Heard>) -> Result<Option<String>> {
        loop {
            let wait = self.clock.until(self.line.due(self.clock.now())).min(LOOK);
            let first = match heard.recv_timeout(wait) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::failed("the hub's thread has ended"));
                }
            };
            let mut end = None;
            for (now, event) in first.into_iter().chain(heard.try_iter().take(WAITING)) {
                let step = self.line.take(event, now);
                end = self.carry_out(step)?.or(end);
            }
            let step = self.line.pass(self.clock.now());
            end = self.carry_out(step)?.or(end);
            // Nothing more waits.
            self.records.flush()?;
            if end.is_some() {
                return Ok(end);
            }
            let now = self.clock.now().utc;
            if self.day_end.as_mut().is_some_and(|day| day.has_come(now)) {
                log::note("the day has closed");
                return Ok(None);
            }
            if stop::asked() {
                return Err(stop::error());
            }
            if !self.records.is_read() {
                return Err(Error::ReaderGone);
            }
        }
    }

    /// Does what is to be done; returns why it ends, if it does.
    fn carry_out(&mut self, step: Step) -> Result<Option<String>> {
        for record in &step.records {
            self.records.push(record)?;
        }
        for want in step.wants {
            if want == Want::Cut {
                self.hub.cut();
            } else {
                self.wants.send(want).map_err(|_| Error::failed("the thread that asks has ended"))?;
            }
        }
        for say in step.says {
            match say {
                Say::Note(text) => log::note(text),
                Say::Alert(text) => log::error(text),
            }
        }
        Ok(step.end)
    }
}
