//! One login at a time, a token renewed long before it ends, and a session that others of the run may use.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    sync::Arc,
    thread,
    time::Duration,
};

use crate::scripted::{KEY, Scripted};
use mes_core::time::{HOUR, SECOND};
use mes_pipe::clock::Clock;
use mes_projectx::{
    Access, Purpose, Window,
    heir::Heir,
    share::{Borrowed, Share},
};
use mes_web::Fault;

fn lost() -> Result<String, Fault> {
    Err(Fault::Unknown { what: "the line is cut".into(), begun: false, late: true })
}

#[test]
fn a_token_is_renewed_at_half_of_its_life_and_never_by_a_login() {
    let service = Scripted::answering(|_, _| Ok("{renewed}"));
    for hour in 0..60 {
        let generation = service.keeper.token().expect("a token").generation;
        assert_eq!(generation, 1 + hour / 12, "hour {hour}");
        service.clock.pass(HOUR, 0);
    }
    assert_eq!((service.calls_of("loginKey"), service.calls_of("validate")), (1, 4));
    // A server may find the old one good: it goes on to its end, and not beyond.
    let service = Scripted::answering(|_, _| Ok(r#"{"newToken":null,"success":true,"errorCode":0}"#));
    let first = service.keeper.token().expect("a token").secret;
    for _ in 0..23 {
        assert_eq!(service.keeper.token().expect("a token").secret.reveal(), first.reveal());
        service.clock.pass(HOUR, 0);
    }
    service.clock.pass(HOUR, 0);
    assert_ne!(service.keeper.token().expect("a token").secret.reveal(), first.reveal());
}

#[test]
fn a_renewal_without_an_answer_leaves_the_old_token_and_one_that_is_refused_logs_in() {
    let service = Scripted::answering(|_, nth| {
        if nth < 4 { lost() } else { Ok(r#"{"newToken":null,"success":false,"errorCode":3}"#.to_owned()) }
    });
    let first = service.keeper.token().expect("a token");
    service.clock.pass(13 * HOUR, 0);
    for _ in 0..3 {
        assert_eq!(service.keeper.token().expect("a token").generation, first.generation);
        // Not asked again at once.
        assert_eq!(service.keeper.token().expect("a token").generation, first.generation);
        service.clock.pass(2 * HOUR, 0);
    }
    assert_eq!(service.calls_of("validate"), 3);
    assert_eq!(service.keeper.token().expect("a token").generation, first.generation + 1);
    assert_eq!(service.calls_of("loginKey"), 2);
    // Past its end nothing is asked of an old token.
    service.clock.pass(25 * HOUR, 0);
    assert!(service.keeper.token().is_ok());
    assert_eq!((service.calls_of("validate"), service.calls_of("loginKey")), (4, 3));
}

#[test]
fn many_who_need_a_token_log_in_once() {
    let service = Scripted::new(Box::new(|_, _| {
        thread::sleep(Duration::from_millis(30));
        Ok("{login}".to_owned())
    }));
    let generations = |service: &Scripted| {
        let all = (0..8).map(|_| {
            let service = service.clone();
            thread::spawn(move || service.keeper.token().expect("a token").generation)
        });
        all.collect::<Vec<_>>().into_iter().map(|one| one.join().expect("a generation")).collect::<Vec<_>>()
    };
    assert_eq!(generations(&service), [1; 8]);
    // All eight are told that it is not taken: one new login, not eight.
    let token = service.keeper.token().expect("a token");
    for _ in 0..8 {
        service.keeper.rejected(token.generation);
    }
    assert_eq!(generations(&service), [2; 8]);
    service.keeper.rejected(token.generation);
    assert_eq!(service.keeper.token().expect("a token").generation, 2);
    assert_eq!((service.calls_of("loginKey"), service.most_at_once()), (2, 1));
}

#[test]
fn a_login_that_is_refused_is_not_hammered_and_says_what_to_do() {
    let service = Scripted::new(Box::new(|_, _| {
        Ok(format!(r#"{{"token":null,"success":false,"errorCode":3,"errorMessage":"{KEY} is wrong"}}"#))
    }));
    let why = service.keeper.token().expect_err("refused");
    assert!(
        why.contains("InvalidCredentials") && why.contains("TOPSTEPX_USERNAME") && !why.contains(KEY),
        "{why}"
    );
    for _ in 0..100 {
        assert!(service.keeper.token().expect_err("refused").contains("the next try in 2 s"));
    }
    assert_eq!(service.calls_of("loginKey"), 1);
    let mut tried = Vec::new();
    for second in 0..600 {
        let before = service.calls_of("loginKey");
        let _ = service.keeper.token();
        if service.calls_of("loginKey") > before {
            tried.push(second);
        }
        service.clock.pass(SECOND, 0);
    }
    assert_eq!(tried, [2, 6, 14, 30, 62, 126, 254, 510]);
}

#[test]
fn another_process_of_the_run_uses_the_same_token_and_the_same_budget() {
    let service = Scripted::answering(|_, _| Ok(r#"{"success":true,"errorCode":0}"#));
    let place = tempfile::tempdir().expect("a folder");
    let run = place.path().join("run");
    assert!(Borrowed::from(&run, Duration::from_secs(1)).is_none());
    let share = Share::open(&run, service.keeper.clone()).expect("lent");
    let mode = fs::metadata(run.join("session.sock")).expect("a socket").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(Share::open(&run, service.keeper.clone()).is_err(), "two lend in one run");
    let borrowed = Arc::new(Borrowed::from(&run, Duration::from_secs(5)).expect("a lender"));
    let own = service.keeper.token().expect("a token");
    let lent = borrowed.token().expect("a token");
    assert_eq!((lent.secret.reveal(), lent.generation), (own.secret.reveal(), own.generation));
    let spent = (0..200).filter(|_| borrowed.spend(Window::Calls, Purpose::Look).is_ok()).count();
    assert_eq!(spent, 139, "all but the login and what is kept for exits");
    assert!(service.keeper.spend(Window::Calls, Purpose::Look).is_err());
    assert!(borrowed.spend(Window::Calls, Purpose::Exit).is_ok());
    borrowed.busy(Window::History, Some(Duration::from_secs(9)));
    assert_eq!(service.keeper.spend(Window::History, Purpose::Look), Err(Duration::from_secs(9)));
    borrowed.rejected(lent.generation);
    assert_eq!(borrowed.token().expect("a token").generation, own.generation + 1);
    drop(share);
    assert!(!run.join("session.sock").exists());
}

#[test]
fn a_lender_that_is_gone_holds_back_no_exit() {
    let service = Scripted::answering(|_, _| Ok(r#"{"success":true,"errorCode":0}"#));
    let place = tempfile::tempdir().expect("a folder");
    let socket = place.path().join("session.sock");
    // One that takes the call and never answers.
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
    let borrowed = Borrowed::from(place.path(), Duration::from_millis(50)).expect("a lender");
    assert!(borrowed.token().is_err());
    assert!(borrowed.spend(Window::Calls, Purpose::Look).is_err());
    assert!(borrowed.spend(Window::Calls, Purpose::Exit).is_ok());
    drop(listener);
    // What a kill left behind is no lender.
    let _share = Share::open(place.path(), service.keeper.clone()).expect("lent");
    assert!(Borrowed::from(place.path(), Duration::from_secs(5)).expect("a lender").token().is_ok());
}

#[test]
fn whoever_holds_an_account_takes_the_session_over_from_a_lender_that_is_gone() {
    let service = Scripted::answering(|_, _| Ok(r#"{"success":true,"errorCode":0}"#));
    let place = tempfile::tempdir().expect("a folder");
    let listener = std::os::unix::net::UnixListener::bind(place.path().join("session.sock")).expect("bound");
    let heir = || {
        let borrowed = Borrowed::from(place.path(), Duration::from_millis(50)).expect("a lender");
        Heir::new(borrowed, service.keeper.clone(), place.path())
    };
    // One that hangs keeps its place, and holds nobody back.
    let hangs = heir();
    assert!(hangs.token().is_ok() && hangs.spend(Window::Calls, Purpose::Look).is_ok());
    assert_eq!(service.calls_of("loginKey"), 1);
    // One that died leaves its place, too.
    let died = heir();
    drop(listener);
    assert!(died.token().is_ok());
    let others = Borrowed::from(place.path(), Duration::from_secs(5)).expect("lent by the heir");
    assert!(others.token().is_ok());
    // While somebody lends nobody logs in.
    let waits = Heir::new(others, service.keeper_by(service.clock.clone()), place.path());
    assert!(waits.token().is_ok());
    assert_eq!(service.calls_of("loginKey"), 1);
}

#[test]
fn a_lender_that_stops_answering_costs_no_call_its_time_and_is_inherited() {
    let service = Scripted::answering(|_, _| Ok(r#"{"success":true,"errorCode":0}"#));
    let place = tempfile::tempdir().expect("a folder");
    let listener = std::os::unix::net::UnixListener::bind(place.path().join("session.sock")).expect("bound");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("an heir");
        BufReader::new(&stream).read_line(&mut String::new()).expect("a question");
        stream.write_all(b"{\"token\":{\"token\":\"lent\",\"generation\":1}}\n").expect("an answer");
        // Alive, and dumb from now on.
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    let borrowed = Borrowed::from(place.path(), Duration::from_millis(100)).expect("a lender");
    let heir = Heir::new(borrowed, service.keeper.clone(), place.path());
    assert_eq!(heir.token().expect("lent").secret.reveal(), "lent");
    let asked = mes_pipe::clock::Deadline::after(Duration::from_millis(1_500));
    for _ in 0..50 {
        assert_eq!(heir.token().expect("the last one").secret.reveal(), "lent");
        assert!(heir.spend(Window::Calls, Purpose::Exit).is_ok());
    }
    assert!(!asked.left().is_zero(), "each of fifty calls waited");
    thread::sleep(Duration::from_secs(3));
    assert_ne!(heir.token().expect("our own").secret.reveal(), "lent");
    assert!(heir.spend(Window::Calls, Purpose::Look).is_ok());
    assert_eq!(service.calls_of("loginKey"), 1);
}

#[test]
fn a_clock_that_is_days_off_does_not_log_in_at_every_call() {
    let service = Scripted::answering(|_, _| Ok(r#"{"accounts":[],"success":true,"errorCode":0}"#));
    let skewed = Clock::by_hand(service.clock.now().utc + 9 * 24 * HOUR);
    let keeper = service.keeper_by(skewed);
    for _ in 0..9 {
        keeper.token().expect("a token");
    }
    assert_eq!(service.calls_of("loginKey"), 1);
}
