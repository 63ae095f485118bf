//! A call that changes something is sent once, whatever comes of it, and what came of it is told as it is.

use std::time::Duration;

use crate::scripted::{KEY, Scripted};
use mes_core::time::SECOND;
use mes_projectx::{
    Failure, Outcome, Purpose, Refusal,
    wire::{Accounts, Cancel, CancelCode, Close, CloseCode, OpenOrders, Place, PlaceCode, Side},
};
use mes_web::{Fault, Refusal as Http};

fn entry() -> Place {
    Place::market(7, "CON.F.US.MES.Z26", Side::Bid, 1, "mes-1")
}

fn status(status: u16) -> Result<&'static str, Fault> {
    Err(Fault::Status(Http { status, retry_after: None, body: "<html>\n busy </html>".into() }))
}

#[test]
fn every_end_of_a_call_is_one_of_three_and_nothing_is_sent_twice() {
    let lost = || Err(Fault::Unknown { what: "the line is cut".into(), begun: false, late: false });
    let refused = |code| Outcome::Refused(Refusal::Code { code, message: None, order: None });
    type Case = (Result<&'static str, Fault>, Option<Outcome<i64, PlaceCode>>);
    let cases: Vec<Case> = vec![
        (Ok(r#"{"orderId":9,"success":true,"errorCode":0}"#), Some(Outcome::Done(9))),
        (
            Ok(r#"{"success":false,"errorCode":3,"errorMessage":null}"#),
            Some(refused(PlaceCode::InsufficientFunds)),
        ),
        (
            Ok(r#"{"success":false,"errorCode":9,"errorMessage":null}"#),
            Some(refused(PlaceCode::ContractNotActive)),
        ),
        (
            Err(Fault::Unsent { what: "x".into() }),
            Some(Outcome::Refused(Refusal::Unsent("no answer: x".into()))),
        ),
        (
            Err(Fault::Limited(Http {
                status: 429,
                retry_after: Some(Duration::from_secs(3)),
                body: String::new(),
            })),
            Some(Outcome::Refused(Refusal::Busy { asked: Some(Duration::from_secs(3)) })),
        ),
        (status(401), Some(Outcome::Refused(Refusal::Unauthorized))),
        (
            status(400),
            Some(Outcome::Refused(Refusal::Status { status: 400, body: "<html> busy </html>".into() })),
        ),
        // Nobody knows what became of these.
        (Ok(r#"{"success":false,"errorCode":6,"errorMessage":null}"#), None),
        (Ok(r#"{"success":false,"errorCode":7,"errorMessage":null}"#), None),
        (Ok(r#"{"success":false,"errorCode":99,"errorMessage":null}"#), None),
        (Ok(r#"{"success":true,"errorCode":0}"#), None),
        (Ok(r#"{"orderId":9,"success":true,"errorCode":2}"#), None),
        (Ok("<html>"), None),
        (Ok(""), None),
        (lost(), None),
        (status(500), None),
        (status(503), None),
        (status(408), None),
        (Err(Fault::TooLarge { most: 1 }), None),
    ];
    for (answer, expected) in cases {
        let told = format!("{answer:?}");
        let service = Scripted::answering(move |_, _| answer.clone());
        let outcome = service.client().act(entry(), Purpose::Trade);
        match expected {
            Some(expected) => assert_eq!(outcome, expected, "{told}"),
            None => assert!(matches!(outcome, Outcome::Unknown(_)), "{told}: {outcome}"),
        }
        assert_eq!(service.calls_of("Order/place"), 1, "{told}");
    }
}

#[test]
fn a_question_is_asked_again_after_a_new_login_and_an_action_is_not() {
    let service = Scripted::answering(|path, nth| match (path, nth) {
        ("api/Order/searchOpen" | "api/Position/closeContract", 1) => status(401),
        ("api/Order/searchOpen", _) => Ok(r#"{"orders":[],"success":true,"errorCode":0}"#),
        _ => Ok(r#"{"success":true,"errorCode":0}"#),
    });
    let client = service.client();
    assert_eq!(client.ask(&OpenOrders { account_id: 7 }, Purpose::Look), Ok(vec![]));
    assert_eq!((service.calls_of("loginKey"), service.calls_of("searchOpen")), (2, 2));
    let close = || Close { account_id: 7, contract_id: "CON.F.US.MES.Z26".into() };
    let outcome = client.act(close(), Purpose::Exit);
    assert_eq!(outcome, Outcome::Refused(Refusal::<CloseCode>::Unauthorized));
    assert_eq!(service.calls_of("closeContract"), 1);
    assert!(matches!(client.act(close(), Purpose::Exit), Outcome::Done(_)));
    assert_eq!((service.calls_of("loginKey"), service.calls_of("closeContract")), (3, 2));
}

#[test]
fn questions_never_use_up_what_exits_need() {
    let service = Scripted::answering(|_, _| Ok(r#"{"accounts":[],"success":true,"errorCode":0}"#));
    let client = service.client();
    let mut asked = 0;
    let held = loop {
        match client.ask(&Accounts { only_active_accounts: true }, Purpose::Look) {
            Ok(_) => asked += 1,
            Err(failure) => break failure,
        }
    };
    assert!((130..=140).contains(&asked), "{asked}");
    assert!(
        matches!(held, Failure::Refused(Refusal::Held { wait }) if wait == Duration::from_secs(60)),
        "{held}"
    );
    let before = service.calls();
    let cancel = client.act(Cancel { account_id: 7, order_id: 1 }, Purpose::Exit);
    assert!(!matches!(cancel, Outcome::Refused(Refusal::<CancelCode>::Held { .. })), "{cancel}");
    assert_eq!(service.calls(), before + 1);
    service.clock.pass(61 * SECOND, 0);
    assert!(client.ask(&Accounts { only_active_accounts: true }, Purpose::Look).is_ok());
}

#[test]
fn no_secret_is_told_whatever_the_server_sends_back() {
    for echo in [
        "{}",
        "{token} {key}",
        r#"{"success":false,"errorCode":2,"errorMessage":"{token} {key}"}"#,
        r#"{"{token}":1}"#,
    ] {
        let service = Scripted::answering(move |_, _| Ok(echo));
        let outcome = service.client().act(entry(), Purpose::Trade);
        let looked = service.client().ask(&OpenOrders { account_id: 7 }, Purpose::Look);
        let told = format!("{outcome} {outcome:?} {looked:?}");
        // The key goes to the login alone; who has the token may see its own name.
        for secret in service.secrets().iter().filter(|secret| *secret != KEY) {
            for part in secret.as_bytes().windows(8).map(|part| String::from_utf8_lossy(part).into_owned()) {
                assert!(!told.contains(&part), "{part} of {secret} in {told}");
            }
        }
    }
}
