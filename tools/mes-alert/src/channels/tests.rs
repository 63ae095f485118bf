//! Every channel against a receiver on this machine that speaks the real protocol.

mod http;
mod smtp;

use mes_pipe::Result;

use super::{Channel, Failure, Means};
use crate::{
    alert::{Alert, Message},
    kinds::Priority,
};

/// What must never be seen in an error.
const SECRET: &str = "123456:Zq7Kp2Wx9Lm4Rt6Yv1Nc8Hs3";

/// A message with everything in it that a receiver might take for its own.
fn message() -> Message {
    let alert = |kind: &str, text: &str| Alert {
        id: format!("1-{kind}"),
        ts: 1_795_185_300_000_000_000,
        kind: kind.into(),
        priority: Priority::Urgent,
        account: "@everyone".into(),
        text: text.into(),
        same: None,
    };
    let alerts = vec![
        alert("daily_loss_usd", "$51.20 lost\r\nBcc: x@example.com"),
        alert("exec", "<!channel> <script>&"),
    ];
    Message { alerts, left_out: 2, failed: vec!["phone: no".into()] }
}

/// Opens a channel of a type with these keys and variables.
fn open(kind: &str, keys: &str, variables: &[(&str, String)]) -> Result<Box<dyn Channel>> {
    let keys: toml::Table = toml::from_str(keys).expect("TOML");
    let means = Means::read(kind, keys, "channels.x").expect("keys");
    let of = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone());
    means.open("x", &of)
}

/// Says why a message was not told, without a secret.
fn failure(channel: &dyn Channel) -> Failure {
    let failure = channel.tell(&message()).expect_err("it is not told");
    for part in [SECRET, &SECRET[..10], &SECRET[8..20]] {
        assert!(!failure.what.contains(part), "{}", failure.what);
    }
    failure
}

#[test]
fn a_secret_that_is_missing_is_named_by_its_variable() {
    for (kind, keys, variable) in [
        (
            "telegram",
            "token_env = \"T\"\nchat_id = \"1\"",
            "token_env names T, which the environment does not have",
        ),
        ("slack", "url_env = \"S\"", "url_env names S"),
        ("discord", "url_env = \"D\"", "url_env names D"),
        ("webhook", "url_env = \"W\"", "url_env names W"),
        (
            "mail",
            "host = \"h\"\nfrom = \"a@b.c\"\nto = [\"d@e.f\"]\nuser = \"u\"\npassword_env = \"P\"",
            "password_env names P",
        ),
    ] {
        let error = open(kind, keys, &[]).err().expect("no secret");
        assert!(error.code() == 2 && error.to_string().contains(variable), "{error}");
    }
    let bad = open("slack", "url_env = \"S\"", &[("S", format!("http://example.com/{SECRET}"))]);
    let error = bad.err().expect("in clear").to_string();
    assert!(error.contains("S with http is for this machine only") && !error.contains(SECRET), "{error}");
    let bad = open("telegram", "token_env = \"T\"\nchat_id = \"1\"", &[("T", format!("{SECRET}/../x"))]);
    assert!(!bad.err().expect("no token").to_string().contains(SECRET));
}
