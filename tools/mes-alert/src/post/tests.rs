//! Whatever a receiver does, the others are told, the next one is, and nothing waits for it.

use std::{
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
    },
    thread::sleep,
};

use super::*;
use crate::{alert::Alert, kinds::Priority};

type Told = std::result::Result<(), Failure>;

/// A receiver that answers by the number of the delivery.
struct By<F>(Mutex<usize>, F);

impl<F: Fn(usize) -> Told + Send + Sync> Channel for By<F> {
    fn tell(&self, _: &Message) -> Told {
        let number = {
            let mut number = self.0.lock().expect("whole");
            *number += 1;
            *number
        };
        (self.1)(number)
    }
}

fn by(answer: impl Fn(usize) -> Told + Send + Sync + 'static) -> Arc<dyn Channel> {
    Arc::new(By(Mutex::new(0), answer))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn terms() -> Terms {
    Terms {
        deadline: ms(100),
        first_wait: ms(20),
        longest_wait: ms(40),
        patience: ms(2000),
        short_wait: ms(50),
        queue: 4,
    }
}

fn post(channels: Vec<(&str, Arc<dyn Channel>)>, terms: Terms) -> (Post, Receiver<Report>) {
    let (send, reports) = channel();
    let channels = channels.into_iter().map(|(name, channel)| (name.to_owned(), channel)).collect();
    (Post::start(channels, terms, move |report| drop(send.send(report))).expect("starts"), reports)
}

fn job(id: &str, priority: Priority, to: &[&str]) -> Job {
    let (kind, account, text) = ("exit".to_owned(), String::new(), "x".to_owned());
    let alert = Alert { id: id.into(), ts: 0, kind, priority, account, text, same: None };
    let to = to.iter().map(|name| (*name).to_owned()).collect();
    Job { delivery: Delivery { to, message: Message::of(alert) }, at: 0 }
}

fn next(reports: &Receiver<Report>) -> (String, Told) {
    let report = reports.recv_timeout(Duration::from_secs(10)).expect("a report");
    (report.job.delivery.message.alerts[0].id.clone(), report.result)
}

#[test]
fn one_that_hangs_is_left_to_itself_and_the_others_are_told() {
    let hangs = by(|_| {
        sleep(Duration::from_secs(3));
        Ok(())
    });
    let (post, reports) = post(vec![("hangs", hangs), ("works", by(|_| Ok(())))], terms());
    let begun = Deadline::after(Duration::from_secs(2));
    for id in ["1", "2", "3"] {
        post.send(job(id, Priority::Urgent, &["hangs", "works"])).expect("taken");
    }
    post.send(job("w", Priority::Info, &["works"])).expect("taken");
    assert_eq!(next(&reports), ("w".into(), Ok(())));
    for id in ["1", "2", "3"] {
        let (told, result) = next(&reports);
        assert_eq!(told, id);
        assert!(result.expect_err("it hangs").what.contains("longer than 100ms"));
    }
    assert!(!begun.left().is_zero(), "none waited for the one before it to come to an end");
}

#[test]
fn one_that_fails_for_a_while_is_tried_again_where_no_other_can_take_it() {
    let answer = |number| if number < 4 { Err(Failure::passing("not now")) } else { Ok(()) };
    let (post, reports) = post(vec![("phone", by(answer))], terms());
    post.send(job("1", Priority::Notice, &["phone"])).expect("taken");
    post.send(job("2", Priority::Notice, &["phone"])).expect("taken");
    assert_eq!(next(&reports), ("1".into(), Ok(())));
    assert_eq!(next(&reports), ("2".into(), Ok(())));
}

#[test]
fn one_that_never_works_is_given_up_and_what_does_not_pass_at_once() {
    let short = Terms { patience: ms(150), ..terms() };
    let (given, reports) = post(vec![("phone", by(|_| Err(Failure::passing("never"))))], short);
    given.send(job("1", Priority::Notice, &["phone"])).expect("taken");
    assert_eq!(next(&reports), ("1".into(), Err(Failure::passing("never"))));
    let (refused, reports) = post(vec![("phone", by(|_| Err(Failure::lasting("401"))))], terms());
    refused.send(job("2", Priority::Notice, &["phone"])).expect("taken");
    assert_eq!(next(&reports), ("2".into(), Err(Failure::lasting("401"))));
}

#[test]
fn a_short_wait_that_is_asked_for_is_kept_but_not_by_the_urgent() {
    let busy = |number| {
        let failure = Failure { asked: Some(ms(30)), ..Failure::passing("429") };
        if number == 1 { Err(failure) } else { Ok(()) }
    };
    for (priority, told) in [(Priority::Notice, true), (Priority::Urgent, false)] {
        let (post, reports) = post(vec![("phone", by(busy)), ("mail", by(|_| Ok(())))], terms());
        post.send(job("1", priority, &["phone", "mail"])).expect("taken");
        assert_eq!(next(&reports).1.is_ok(), told, "{priority:?}");
    }
}

#[test]
fn a_full_queue_and_a_panic_are_failures_like_any_other() {
    let slow = by(|_| {
        sleep(ms(80));
        Ok(())
    });
    let (full, _reports) = post(vec![("slow", slow)], terms());
    let refused = (0..20).filter(|_| full.send(job("1", Priority::Info, &["slow"])).is_err()).count();
    assert!(refused >= 15, "{refused} of 20");
    let (panics, reports) = post(vec![("odd", by(|_| unreachable!("on purpose")))], terms());
    panics.send(job("1", Priority::Info, &["odd"])).expect("taken");
    assert!(next(&reports).1.is_err());
}
