//! A day told from its first line to its last, by a clock that is moved by hand.

use std::sync::{Mutex, mpsc::sync_channel};

use mes_core::time::{self, SECOND};

use super::*;
use crate::{
    channels::Failure,
    desk::{Pace, Plan, Route},
    kinds::Priority,
};

/// A live day: two trades, a lost line, an unknown order, a limit, a halt, its end.
const DAY: &str = include_str!("../../../../tests/golden/mes-alert/day/in");

/// Keeps what it is told, or refuses it.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Message>>,
    deaf: bool,
}

impl Channel for Ear {
    fn tell(&self, message: &Message) -> std::result::Result<(), Failure> {
        if self.deaf {
            return Err(Failure::lasting("nobody there"));
        }
        self.heard.lock().expect("whole").push(message.clone());
        Ok(())
    }
}

impl Ear {
    fn kinds(&self) -> Vec<String> {
        let heard = self.heard.lock().expect("whole");
        heard.iter().flat_map(|message| message.alerts.iter().map(|alert| alert.kind.clone())).collect()
    }
}

struct Desk {
    ears: BTreeMap<String, Arc<Ear>>,
    clock: Clock,
    teller: Teller,
    events: Receiver<Event>,
}

/// Sits down at `at` with these channels, one behind the other; `!` is one that refuses.
fn sit(names: &[&str], at: &str, kept: Option<(Kept, Before)>) -> Desk {
    let bare = |name: &str| name.trim_start_matches('!').to_owned();
    let ears: BTreeMap<String, Arc<Ear>> = names
        .iter()
        .map(|name| (bare(name), Arc::new(Ear { deaf: name.starts_with('!'), ..Ear::default() })))
        .collect();
    let to: Vec<String> = names.iter().map(|name| bare(name)).collect();
    let routes = vec![Route { kinds: vec!["*".into()], least: Priority::Info, to }];
    let pace = Pace { per_minute: 6000, quiet: true };
    let paces = ears.keys().map(|name| (name.clone(), pace)).collect();
    let config =
        Config { plan: Plan { routes, channels: paces, ..Plan::console() }, channels: BTreeMap::new() };
    let clock = Clock::by_hand(time::parse(at).expect("a time"));
    let channels =
        ears.iter().map(|(name, ear)| (name.clone(), Arc::clone(ear) as Arc<dyn Channel>)).collect();
    let (send, events) = sync_channel(4096);
    let (calendar, terms) = (Calendar::shipped(), Terms { queue: 1000, ..Terms::default() });
    let parts = Parts { config, channels, calendar, clock: clock.clone(), terms, kept };
    Desk { ears, clock, teller: Teller::start(parts, &send).expect("starts"), events }
}

impl Desk {
    fn lines(&mut self, lines: impl Iterator<Item = &'static str>, old: bool) {
        for line in lines {
            self.teller.said(Of::Journal, Said::Line { bytes: line.as_bytes().to_vec(), old });
            self.teller.tick();
        }
    }

    /// Ends, and returns what the channel has heard.
    fn heard(self, name: &str) -> (Result<()>, Vec<String>) {
        let ended = self.teller.finish(&self.events);
        (ended, self.ears[name].kinds())
    }
}

#[test]
fn a_day_is_told_and_where_the_first_fails_the_next_one_hears() {
    let mut desk = sit(&["!phone", "mail"], "2026-11-20T14:31:00Z", None);
    desk.lines(DAY.lines(), false);
    let ears = desk.ears.clone();
    let (ended, heard) = desk.heard("mail");
    ended.expect("all told");
    for kind in ["start", "entry", "exit", "connection", "unknown_order", "daily_loss_usd", "halted", "end"] {
        assert!(heard.iter().any(|other| other == kind), "{kind} in {heard:?}");
    }
    let first = ears["mail"].heard.lock().expect("whole")[0].clone();
    assert_eq!(first.failed, ["phone: nobody there"]);
    let (all_deaf, _) = {
        let mut desk = sit(&["!phone", "!mail"], "2026-11-20T14:31:00Z", None);
        desk.lines(DAY.lines(), false);
        desk.heard("mail")
    };
    let error = all_deaf.expect_err("told nowhere");
    assert!(error.code() == 1 && error.to_string().contains("could not be told"), "{error}");
}

#[test]
fn what_stood_there_before_is_known_and_not_told_unless_it_is_young() {
    let mut late = sit(&["desk"], "2026-11-20T20:00:00Z", None);
    late.lines(DAY.lines(), true);
    assert!(late.heard("desk").1.is_empty());
    let mut soon = sit(&["desk"], "2026-11-20T14:42:00Z", None);
    let half = DAY.lines().take_while(|line| !line.contains("15:00:00Z"));
    soon.lines(half, true);
    let told = soon.heard("desk").1;
    assert!(told.contains(&"halted".to_owned()), "{told:?}");
}

#[test]
fn a_journal_that_stops_is_told_by_the_clock_and_one_that_ends_within_a_line_is_cut() {
    let mut desk = sit(&["desk"], "2026-11-20T14:31:00Z", None);
    desk.lines(DAY.lines().take(8), false);
    for _ in 0..40 {
        desk.clock.pass(SECOND, 0);
        desk.teller.tick();
    }
    desk.lines(DAY.lines().skip(8).take(1), false);
    desk.teller.said(Of::Journal, Said::End { cut: true });
    let told = desk.heard("desk").1;
    let order: Vec<_> = ["silence", "growing", "cut"]
        .iter()
        .map(|kind| told.iter().position(|other| other == kind).expect(kind))
        .collect();
    assert!(order.is_sorted(), "{told:?}");
    assert_eq!(told.iter().filter(|kind| *kind == "silence").count(), 1);
}

#[test]
fn a_line_that_is_none_is_told_and_the_next_one_read() {
    let mut desk = sit(&["desk"], "2026-11-20T14:31:00Z", None);
    desk.lines(DAY.lines().take(2), false);
    for bytes in [&b"{\"kind\":\"row\",\"ts\":12}"[..], b"\xff\xfe", b"{\"kind\":\"of another mes\"}"] {
        desk.teller.said(Of::Journal, Said::Line { bytes: bytes.to_vec(), old: false });
    }
    desk.teller.said(Of::Journal, Said::TooLong);
    desk.lines(DAY.lines().skip(2), false);
    let told = desk.heard("desk").1;
    assert!(told.contains(&"damaged".to_owned()) && told.contains(&"end".to_owned()), "{told:?}");
}

#[test]
fn what_a_kill_left_untold_is_told_at_the_next_start_and_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = "2026-11-20T14:31:00Z";
    let now = time::parse(at).expect("a time");
    let kept = |now| Some(Kept::open(&folder.path().join("run"), now, YOUNG).expect("opens"));
    let mut killed = sit(&["!desk"], at, kept(now));
    killed.lines(DAY.lines().take(3), false);
    // What is on its way is refused; a kill has the same end.
    drop(killed.teller.finish(&killed.events));
    let mut next = sit(&["desk"], at, kept(now + SECOND));
    next.lines(DAY.lines().take(3), true);
    let (ended, told) = next.heard("desk");
    ended.expect("told");
    assert_eq!(told, ["start"]);
    let mut third = sit(&["desk"], at, kept(now + 2 * SECOND));
    third.lines(DAY.lines().take(3), true);
    assert!(third.heard("desk").1.is_empty(), "told once");
}

#[test]
fn the_console_is_there_without_a_file() {
    assert!(matches!(Config::console().channels["console"], Means::Console));
}
