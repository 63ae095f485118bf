//! Follows journals and tells: one thread decides, by what it reads and by the clock; it waits for no file, disk or receiver.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::Duration,
};

use mes_core::{
    calendar::Calendar,
    record::Record,
    time::{MINUTE, Now},
};
use mes_pipe::{
    Error, Result,
    clock::{Clock, Deadline},
    journal::Missing,
    log, stop,
};

use crate::{
    alert::{Alert, Delivery, Message},
    channels::{Channel, Means, READER_GONE},
    config::Config,
    desk::{Desk, Watch},
    exec::ExecNews,
    follow::{Of, Said},
    kept::{Before, Kept},
    news::News,
    post::{Job, Post, Report, Terms},
};

/// Between two looks at the clock.
const LOOK: Duration = Duration::from_millis(100);
/// What is younger is news to whoever starts this program, and told again where it could not be told.
pub const YOUNG: i64 = 10 * MINUTE;
/// How long the last messages may take.
const LAST: Duration = Duration::from_secs(30);
/// How long stdin may go on after a person stopped us: the end of a day is worth telling.
const REST: Duration = Duration::from_secs(60);

/// What comes to the one who decides.
pub enum Event {
    Said(Of, Said),
    Report(Report),
}

/// The state of it all.
pub struct Teller {
    clock: Clock,
    desk: Desk,
    watch: Watch,
    news: News,
    exec: ExecNews,
    lines: [u64; 2],
    post: Post,
    kept: Option<Kept>,
    known: BTreeSet<String>,
    /// Messages on their way.
    sent: usize,
    undelivered: usize,
    serial: u64,
    /// There is no channel but the console, and whoever read it has had enough.
    console_alone: bool,
    reader_gone: bool,
}

/// What a teller works with.
pub struct Parts {
    pub config: Config,
    pub channels: BTreeMap<String, Arc<dyn Channel>>,
    pub calendar: Calendar,
    pub clock: Clock,
    pub terms: Terms,
    /// Absent where nothing can be kept.
    pub kept: Option<(Kept, Before)>,
}

impl Teller {
    /// Starts the channels; what an earlier run left untold is told first.
    ///
    /// # Errors
    ///
    /// `Failed` where the system gives no thread.
    pub fn start(parts: Parts, events: &SyncSender<Event>) -> Result<Teller> {
        let Parts { config, channels, calendar, clock, terms, kept } = parts;
        let console_alone = config.channels.values().all(|means| matches!(means, Means::Console));
        let reports = events.clone();
        let post = Post::start(channels, terms, move |report| drop(reports.send(Event::Report(report))))?;
        let watch = Watch::new(&config.plan, calendar, clock.now());
        let (kept, before) = kept.map_or((None, Before::default()), |(kept, before)| (Some(kept), before));
        let mut teller = Teller {
            clock,
            desk: Desk::new(config.plan),
            watch,
            news: News::default(),
            exec: ExecNews::default(),
            lines: [0; 2],
            post,
            kept,
            known: before.known,
            sent: 0,
            undelivered: 0,
            serial: 0,
            console_alone,
            reader_gone: false,
        };
        for delivery in before.untold {
            teller.send(Job { delivery, at: 0 });
        }
        Ok(teller)
    }

    /// Tells until stdin ends (`piped`), or for as long as nobody stops it.
    ///
    /// # Errors
    ///
    /// `Stopped` by a person, `Failed` where something could be told nowhere.
    pub fn run(mut self, events: &Receiver<Event>, piped: bool) -> Result<()> {
        let mut rest: Option<Deadline> = None;
        loop {
            match events.recv_timeout(LOOK) {
                Ok(Event::Said(of, said)) => {
                    let ends = matches!(said, Said::End { .. });
                    self.said(of, said);
                    if ends {
                        break;
                    }
                }
                Ok(Event::Report(report)) => self.report(report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tick();
            if self.reader_gone && !piped {
                break;
            }
            if stop::asked() {
                let rest =
                    rest.get_or_insert_with(|| Deadline::after(if piped { REST } else { Duration::ZERO }));
                if rest.left().is_zero() {
                    break;
                }
            }
        }
        self.finish(events)
    }

    fn said(&mut self, of: Of, said: Said) {
        match said {
            Said::Line { bytes, old } => self.line(of, &bytes, old),
            Said::TooLong => {
                self.lines[of as usize] += 1;
                self.damaged(of, "it is longer than a line may be");
            }
            Said::Caught => {
                if self.news.runs() && of == Of::Journal {
                    log::note(format!("told from here on; {}", self.news.stands()));
                }
            }
            Said::Replaced { cut } => {
                self.cut(of, cut);
                self.lines[of as usize] = 0;
                match of {
                    Of::Journal => self.news = News::at(self.clock.now().utc),
                    Of::Exec => self.exec = ExecNews::default(),
                }
            }
            Said::End { cut } => self.cut(of, cut),
            Said::Trouble(what) => {
                log::error(&what);
                self.now("damaged", Some(&what), what.clone());
            }
        }
    }

    fn line(&mut self, of: Of, bytes: &[u8], old: bool) {
        self.lines[of as usize] += 1;
        let number = self.lines[of as usize];
        let alerts = match of {
            Of::Journal => {
                self.grown();
                match Record::read(bytes) {
                    Ok(record) => self.news.record(&record, number),
                    Err(error) => return self.damaged(of, error),
                }
            }
            Of::Exec => match self.exec.line(bytes, number, &self.news.account) {
                Ok(alert) => alert.into_iter().collect(),
                Err(error) => return self.damaged(of, error),
            },
        };
        let now = self.clock.now();
        for alert in alerts {
            let stale = old && (now.utc.saturating_sub(alert.ts) > YOUNG || self.known.contains(&alert.id));
            if !stale {
                self.tell(alert, now);
            }
        }
    }

    fn grown(&mut self) {
        if let Some((kind, text)) = self.watch.grown(self.clock.now()) {
            self.now(kind, None, text);
        }
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        let news = &self.news;
        if let Some((kind, text)) = self.watch.tick(now, news.runs(), || news.stands()) {
            self.now(kind, None, text);
        }
        let due = self.desk.tick(now.utc);
        self.take(due, now);
    }

    /// Says that a journal stopped before its end, if it did.
    fn cut(&mut self, of: Of, within: bool) {
        let missing = if within { Some(Missing::Line) } else { self.news.missing() };
        if of == Of::Journal
            && self.news.runs()
            && let Some(missing) = missing
        {
            let text = format!("the journal stops: {}; last known: {}", missing.words(), self.news.stands());
            self.now("cut", None, text);
        }
    }

    fn damaged(&mut self, of: Of, error: impl std::fmt::Display) {
        let whose = if of == Of::Journal { "the journal" } else { "the journal of mes-exec" };
        let text = format!("{whose}, line {}: {error}", self.lines[of as usize]);
        self.now("damaged", Some(whose), text);
    }

    /// Tells something that this program itself has noticed.
    fn now(&mut self, kind: &str, same: Option<&str>, text: impl Into<String>) {
        let now = self.clock.now();
        self.serial += 1;
        let alert = self.news.alert(kind, same, text);
        let id = format!("{}-{kind}-{}", now.utc, self.serial);
        self.tell(Alert { id, ts: now.utc, ..alert }, now);
    }

    fn tell(&mut self, alert: Alert, now: Now) {
        let due = self.desk.tell(alert, now.utc);
        self.take(due, now);
    }

    fn take(&mut self, deliveries: Vec<Delivery>, now: Now) {
        for delivery in deliveries {
            if let Some(kept) = &self.kept {
                kept.due(now.utc, &delivery);
            }
            self.send(Job { delivery, at: 0 });
        }
    }

    fn send(&mut self, job: Job) {
        self.sent += 1;
        if let Err(report) = self.post.send(job) {
            self.report(*report);
        }
    }

    /// Takes in what became of a message: where it failed, the next channel has it.
    fn report(&mut self, report: Report) {
        let mut report = report;
        loop {
            let Report { mut job, result } = report;
            self.sent -= 1;
            let now = self.clock.now().utc;
            let Err(failure) = result else {
                if let Some(kept) = &self.kept {
                    kept.told(now, &job.delivery, job.channel());
                }
                return;
            };
            if failure.what == READER_GONE && self.console_alone {
                self.reader_gone = true;
                return;
            }
            let failed = format!("{}: {}", job.channel(), failure.what);
            job.delivery.message.failed.push(failed.clone());
            job.at += 1;
            if job.at == job.delivery.to.len() {
                return self.give_up(&job.delivery);
            }
            log::note(format!("not told on {failed}; on {} then", job.channel()));
            self.sent += 1;
            match self.post.send(job) {
                Ok(()) => return,
                Err(again) => report = *again,
            }
        }
    }

    fn give_up(&mut self, delivery: &Delivery) {
        self.undelivered += delivery.message.alerts.len();
        let why = delivery.message.failed.join("; ");
        for alert in &delivery.message.alerts {
            log::error(format!("told nowhere ({why}): {}", crate::text::line(alert)));
        }
        if let Some(kept) = &self.kept {
            kept.undelivered(self.clock.now().utc, delivery, &why);
        }
    }

    /// Tells what waits, and waits for what is on its way, but not for ever.
    fn finish(mut self, events: &Receiver<Event>) -> Result<()> {
        let now = self.clock.now();
        let rest = self.desk.close(now.utc);
        self.take(rest, now);
        let deadline = Deadline::after(LAST);
        while self.sent > 0 && !deadline.left().is_zero() {
            match events.recv_timeout(LOOK.min(deadline.left())) {
                Ok(Event::Report(report)) => self.report(report),
                Ok(Event::Said(..)) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some(kept) = &self.kept {
            kept.finish();
        }
        if self.reader_gone {
            return Err(Error::ReaderGone);
        }
        let left = self.sent;
        let place =
            self.kept.as_ref().map(|kept| format!(": see {}", kept.path().display())).unwrap_or_default();
        if self.undelivered > 0 || left > 0 {
            let count = self.undelivered.max(left);
            return Err(Error::failed(format!("could not be told: {count}{place}")));
        }
        if stop::asked() { Err(stop::error()) } else { Ok(()) }
    }
}

/// Makes the message by which a channel is tried.
pub fn trial(now: Now) -> Message {
    let mut news = News::at(now.utc);
    Message::of(news.alert("test", None, "a trial by mes-alert test: this channel works"))
}

#[cfg(test)]
mod tests;
