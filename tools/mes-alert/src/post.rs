//! Carries messages to their channels: a thread and a queue of a fixed length for each, and a deadline on every delivery, so that a
//! receiver that hangs, refuses or floods holds up nothing but itself.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use mes_pipe::{Result, clock::Deadline, survived};

use crate::{
    alert::{Delivery, Message},
    channels::{Channel, Failure},
    kinds::Priority,
};

/// How long and how often is tried.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// For one delivery, whatever the receiver does.
    pub deadline: Duration,
    /// Before the next try; doubled with each further one.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// Until a message that no other channel can take is given up.
    pub patience: Duration,
    /// The longest wait that a receiver can ask for while another channel could take the message.
    pub short_wait: Duration,
    /// How many messages wait for one channel.
    pub queue: usize,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            deadline: Duration::from_secs(20),
            first_wait: Duration::from_secs(2),
            longest_wait: Duration::from_secs(60),
            patience: Duration::from_secs(600),
            short_wait: Duration::from_secs(5),
            queue: 64,
        }
    }
}

/// Deliveries that may hang on one channel at a time.
const HANGING: usize = 2;

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Job {
    pub delivery: Delivery,
    /// Which of its channels is tried.
    pub at: usize,
}

impl Job {
    /// Returns the channel that is tried.
    pub fn channel(&self) -> &str {
        &self.delivery.to[self.at]
    }

    fn is_last(&self) -> bool {
        self.at + 1 == self.delivery.to.len()
    }

    fn is_urgent(&self) -> bool {
        self.delivery.message.priority() == Priority::Urgent
    }
}

/// What became of a message on one channel.
#[derive(Clone, Debug)]
pub struct Report {
    pub job: Job,
    pub result: std::result::Result<(), Failure>,
}

/// The channels at work.
pub struct Post {
    queues: BTreeMap<String, SyncSender<Job>>,
}

impl Post {
    /// Starts a thread for each channel; `report` hears of the end of every message, from those threads.
    ///
    /// # Errors
    ///
    /// `Failed` where the system gives no thread.
    pub fn start(
        channels: BTreeMap<String, Arc<dyn Channel>>,
        terms: Terms,
        report: impl Fn(Report) + Clone + Send + 'static,
    ) -> Result<Post> {
        let mut queues = BTreeMap::new();
        for (name, channel) in channels {
            let (queue, jobs) = sync_channel(terms.queue);
            let report = report.clone();
            let worker = Worker {
                channel,
                terms,
                report,
                waiting: VecDeque::new(),
                down: None,
                hanging: Arc::default(),
            };
            thread::Builder::new().name(name.clone()).spawn(move || worker.work(&jobs))?;
            queues.insert(name, queue);
        }
        Ok(Post { queues })
    }

    /// Hands a message to its channel; never waits.
    ///
    /// # Errors
    ///
    /// The message, where too many wait for it already.
    pub fn send(&self, job: Job) -> std::result::Result<(), Box<Report>> {
        let Some(queue) = self.queues.get(job.channel()) else {
            let result = Err(Failure::lasting("there is no such channel"));
            return Err(Box::new(Report { job, result }));
        };
        queue.try_send(job).map_err(|full| {
            let job = match full {
                std::sync::mpsc::TrySendError::Full(job)
                | std::sync::mpsc::TrySendError::Disconnected(job) => job,
            };
            let result = Err(Failure::passing("too many messages wait for it"));
            Box::new(Report { job, result })
        })
    }
}

/// A channel that failed: it is left alone until then.
struct Down {
    until: Deadline,
    wait: Duration,
    failure: Failure,
}

struct Worker<R> {
    channel: Arc<dyn Channel>,
    terms: Terms,
    report: R,
    /// What no other channel can take, and until when it is tried.
    waiting: VecDeque<(Job, Deadline)>,
    down: Option<Down>,
    hanging: Arc<AtomicUsize>,
}

impl<R: Fn(Report)> Worker<R> {
    fn work(mut self, jobs: &Receiver<Job>) {
        loop {
            let next = match &self.down {
                Some(down) if !self.waiting.is_empty() => jobs.recv_timeout(down.until.left()),
                _ => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => self.again(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, job: Job) {
        if let Some(down) = &self.down
            && !down.until.left().is_zero()
        {
            let failure = down.failure.clone();
            return self.put_off(job, failure);
        }
        match self.once(&job.delivery.message) {
            Ok(()) => {
                self.down = None;
                self.tell(job, Ok(()));
                self.again();
            }
            Err(failure) => {
                if failure.passes {
                    self.rest(&failure);
                }
                self.put_off(job, failure);
            }
        }
    }

    /// Keeps a message that failed for later, or gives it back where another channel can take it or waiting does not help.
    fn put_off(&mut self, job: Job, failure: Failure) {
        let soon = failure.asked.is_some_and(|asked| asked <= self.terms.short_wait) && !job.is_urgent();
        let waits = failure.passes && (job.is_last() || soon) && self.waiting.len() < self.terms.queue;
        if !waits {
            return self.tell(job, Err(failure));
        }
        let patience = if job.is_last() { self.terms.patience } else { self.terms.short_wait * 3 };
        self.waiting.push_back((job, Deadline::after(patience)));
    }

    /// Tries what waits, until something fails.
    fn again(&mut self) {
        while let Some((job, until)) = self.waiting.pop_front() {
            match self.once(&job.delivery.message) {
                Ok(()) => {
                    self.down = None;
                    self.tell(job, Ok(()));
                }
                Err(failure) if failure.passes && !until.left().is_zero() => {
                    self.rest(&failure);
                    self.waiting.push_front((job, until));
                    return;
                }
                Err(failure) => {
                    self.rest(&failure);
                    self.tell(job, Err(failure));
                    return;
                }
            }
        }
    }

    /// Leaves the channel alone for a while, each time for longer.
    fn rest(&mut self, failure: &Failure) {
        let Terms { first_wait, longest_wait, .. } = self.terms;
        let wait = self.down.as_ref().map_or(first_wait, |down| (down.wait * 2).min(longest_wait));
        let pause = failure.asked.map_or(wait, |asked| asked.min(longest_wait));
        self.down = Some(Down { until: Deadline::after(pause), wait, failure: failure.clone() });
    }

    /// Tells it once, and waits no longer than the deadline; what hangs is left to itself.
    fn once(&self, message: &Message) -> std::result::Result<(), Failure> {
        if self.hanging.load(Ordering::Relaxed) >= HANGING {
            return Err(Failure::passing(format!("{HANGING} deliveries before it still hang")));
        }
        self.hanging.fetch_add(1, Ordering::Relaxed);
        let (done, end) = channel();
        let (hanging, channel, message) =
            (Arc::clone(&self.hanging), Arc::clone(&self.channel), message.clone());
        let started = thread::Builder::new().spawn(move || {
            let told = survived(|| Ok(channel.tell(&message)));
            hanging.fetch_sub(1, Ordering::Relaxed);
            let _ = done.send(told.unwrap_or_else(|error| Err(Failure::lasting(error))));
        });
        if let Err(error) = started {
            self.hanging.fetch_sub(1, Ordering::Relaxed);
            return Err(Failure::passing(error));
        }
        end.recv_timeout(self.terms.deadline).unwrap_or_else(|_| {
            Err(Failure::passing(format!("it takes longer than {:?}", self.terms.deadline)))
        })
    }

    fn tell(&self, job: Job, result: std::result::Result<(), Failure>) {
        (self.report)(Report { job, result });
    }
}

#[cfg(test)]
mod tests;
