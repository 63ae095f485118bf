//! Who is told what and when, in virtual time.

use chrono::NaiveTime;
use mes_core::{
    calendar::Calendar,
    time::{self, MINUTE, Now, SECOND, Ts},
};

use super::*;
use crate::kinds;

const HOUR: i64 = 60 * MINUTE;

fn at(text: &str) -> Ts {
    time::parse(text).expect("a time")
}

fn alert(kind: &str, same: Option<&str>, ts: Ts) -> Alert {
    let priority = kinds::priority(kind);
    let (kind, account) = (kind.to_owned(), "PRAC".to_owned());
    Alert {
        id: format!("{ts}"),
        ts,
        text: format!("{kind} it is"),
        kind,
        priority,
        account,
        same: same.map(str::to_owned),
    }
}

fn plan(routes: &[(&[&str], Priority, &[&str])], per_minute: u32) -> Plan {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let routes: Vec<_> = routes
        .iter()
        .map(|(kinds, least, to)| Route { kinds: owned(kinds), least: *least, to: owned(to) })
        .collect();
    let names = routes.iter().flat_map(|route| route.to.clone());
    let channels = names.map(|name| (name, Pace { per_minute, quiet: true })).collect();
    Plan { routes, channels, ..Plan::console() }
}

fn said(deliveries: &[Delivery]) -> Vec<(String, Vec<&str>, u64)> {
    let texts = |delivery: &'_ Delivery| delivery.message.alerts.len();
    deliveries
        .iter()
        .map(|delivery| {
            let kinds = delivery.message.alerts.iter().map(|alert| alert.kind.as_str()).collect();
            assert!(texts(delivery) > 0);
            (delivery.to.join(","), kinds, delivery.message.left_out)
        })
        .collect()
}

#[test]
fn a_route_takes_its_kinds_from_a_priority_on_and_nobody_is_told_twice() {
    let plan = plan(
        &[
            (&["daily_*", "exit"], Priority::Info, &["phone", "mail"]),
            (&["*"], Priority::Urgent, &["phone"]),
            (&["*"], Priority::Info, &["desk"]),
        ],
        60,
    );
    let mut desk = Desk::new(plan);
    let told = |desk: &mut Desk, kind| {
        desk.tell(alert(kind, None, 0), 0).iter().map(|delivery| delivery.to.join(",")).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut desk, "daily_loss_usd"), ["phone,mail", "desk"]);
    assert_eq!(told(&mut desk, "kill_loss_usd"), ["phone", "desk"]);
    assert_eq!(told(&mut desk, "entry"), ["desk"]);
    for (pattern, name, fit) in [
        ("*", "", true),
        ("a*c", "abc", true),
        ("a*c", "abd", false),
        ("*_usd", "a_usd", true),
        ("a", "ab", false),
    ] {
        assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
    }
}

#[test]
fn the_same_thing_is_told_once_and_then_how_often() {
    let mut desk = Desk::new(plan(&[(&["*"], Priority::Info, &["desk"])], 600));
    let mut told = Vec::new();
    for second in 0..300 {
        told.extend(desk.tell(alert("spread_ticks", Some("x"), second * SECOND), second * SECOND));
        told.extend(desk.tick(second * SECOND));
    }
    assert_eq!(told.len(), 1);
    told = desk.tick(300 * SECOND);
    assert_eq!(told.len(), 1);
    let text = &told[0].message.alerts[0].text;
    assert!(text.ends_with("(299 times more within 4 min 59 s)"), "{text}");
    assert!(desk.tick(301 * SECOND).is_empty());
    let other = desk.tell(alert("spread_ticks", Some("y"), 0), 300 * SECOND);
    assert_eq!(other.len(), 1, "another thing of the same kind");
    assert_eq!(desk.tell(alert("entry", None, 0), 0).len() + desk.tell(alert("entry", None, 0), 0).len(), 2);
}

#[test]
fn what_comes_too_fast_comes_together_and_the_urgent_at_once() {
    let mut desk = Desk::new(plan(&[(&["*"], Priority::Info, &["phone"])], 6));
    let mut now = 0;
    let mut told = Vec::new();
    for _ in 0..100 {
        told.extend(desk.tell(alert("entry", None, now), now));
        now += SECOND / 100;
    }
    assert_eq!(told.len(), 6);
    assert_eq!(said(&desk.tell(alert("daily_loss_usd", None, now), now)).len(), 1, "not held up");
    assert!(desk.tick(now).is_empty());
    let rest = desk.tick(now + 10 * SECOND);
    assert_eq!(said(&rest), [("phone".to_owned(), vec!["entry"; 50], 44)]);
    let flood: usize = (0..200).map(|_| desk.tell(alert("daily_loss_usd", None, now), now).len()).sum();
    assert_eq!(flood, 29, "a flood of the urgent comes together as well");
    let rest = desk.close(now);
    assert_eq!(rest[0].message.alerts.len() as u64 + rest[0].message.left_out, 171);
}

#[test]
fn quiet_hours_hold_all_but_the_urgent_in_their_own_zone() {
    let clock = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
    let quiet = Quiet { from: clock(22), to: clock(7), zone: chrono_tz::Europe::Berlin };
    // The clocks of Berlin go back in the night to 2026-10-25.
    for (text, holds) in [
        ("2026-10-24T19:59:59Z", false),
        ("2026-10-24T20:00:00Z", true),
        ("2026-10-25T05:59:59Z", true),
        ("2026-10-25T06:00:00Z", false),
        ("2026-10-25T21:00:00Z", true),
    ] {
        assert_eq!(quiet.holds(at(text)), holds, "{text}");
    }
    let mut plan =
        plan(&[(&["*"], Priority::Info, &["phone", "mail"]), (&["*"], Priority::Info, &["desk"])], 60);
    plan.quiet = Some(quiet);
    plan.channels.insert("desk".into(), Pace { per_minute: 60, quiet: false });
    let mut desk = Desk::new(plan);
    let night = at("2026-11-20T23:00:00Z");
    assert_eq!(said(&desk.tell(alert("exit", None, night), night))[0].0, "desk");
    assert_eq!(said(&desk.tell(alert("entry", None, night), night)).len(), 1);
    let urgent = said(&desk.tell(alert("silence", None, night), night)).len();
    assert_eq!(urgent, 2, "never silenced");
    assert!(desk.tick(night + HOUR).is_empty());
    let morning = desk.tick(at("2026-11-21T06:00:00Z"));
    assert_eq!(said(&morning), [("phone,mail".to_owned(), vec!["exit", "entry"], 0)]);
}

#[test]
fn a_priority_of_the_persons_own_counts() {
    let mut plan = plan(&[(&["*"], Priority::Urgent, &["phone"])], 60);
    plan.priorities.insert("exit".into(), Priority::Urgent);
    plan.priorities.insert("daily_loss_usd".into(), Priority::Info);
    let mut desk = Desk::new(plan);
    assert_eq!(desk.tell(alert("exit", None, 0), 0).len(), 1);
    assert!(desk.tell(alert("daily_loss_usd", None, 0), 0).is_empty());
}

/// Lets a watch live through a stretch of seconds; returns what it says, with the seconds since the beginning.
fn watched(from: &str, seconds: i64, grows: impl Fn(i64) -> bool, runs: bool) -> Vec<(i64, &'static str)> {
    let plan = Plan { heartbeat: Some(600 * SECOND), ..Plan::console() };
    let start = at(from);
    let now = |second: i64| Now { utc: start + second * SECOND, steady: second * SECOND };
    let mut watch = Watch::new(&plan, Calendar::shipped(), now(0));
    let mut told = Vec::new();
    for second in 0..seconds {
        if grows(second) {
            told.extend(watch.grown(now(second)).map(|(kind, _)| (second, kind)));
        }
        told.extend(watch.tick(now(second), runs, || "flat".into()).map(|(kind, _)| (second, kind)));
    }
    told
}

#[test]
fn a_journal_that_stops_in_session_is_told_and_told_again_until_it_grows() {
    // A Friday, 10:00 in New York.
    let told = watched("2026-11-20T15:00:00Z", 800, |second| !(100..750).contains(&second), true);
    assert_eq!(told, [(129, "silence"), (729, "silence"), (750, "growing")]);
    assert!(watched("2026-11-20T15:00:00Z", 500, |_| false, false).is_empty(), "it has ended");
    assert!(watched("2026-11-21T15:00:00Z", 500, |_| false, true).is_empty(), "a Saturday");
    // Open again at 18:00, and silent then.
    let told = watched("2026-11-22T22:59:00Z", 120, |_| false, true);
    assert_eq!(told, [(90, "silence")]);
    // An early close, 13:15 New York on the day after Thanksgiving.
    assert!(watched("2026-11-27T18:16:00Z", 300, |_| false, true).is_empty());
}

#[test]
fn a_heartbeat_comes_at_round_times_while_all_is_well() {
    let told = watched("2026-11-20T15:05:00Z", 1800, |_| true, true);
    assert_eq!(told, [(300, "heartbeat"), (900, "heartbeat"), (1500, "heartbeat")]);
}
