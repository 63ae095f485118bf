//! A server that sends the key back, in every shape that it may take on the way through somebody's logs.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::case::{Case, Done, JANUARY, files};

/// A key whose parts are in no other text.
const SECRET: &str = "db-Zq7Kp2Wx9Lm4Rt6Yv1Nc8Hs3Jd5Fg";

#[test]
fn no_part_of_the_key_is_told_however_a_server_echoes_it() {
    let code = STANDARD.encode(format!("{SECRET}:"));
    let each = |f: fn(u8) -> String| SECRET.bytes().map(f).collect::<String>();
    let echoes = [
        SECRET.to_owned(),
        SECRET[5..20].to_owned(),
        SECRET.to_uppercase(),
        code.clone(),
        code[6..].to_owned(),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("&#{byte};")),
        each(|byte| format!("<b>{}</b>", char::from(byte))),
    ];
    for echo in echoes {
        let answers = [
            (401, format!(r#"{{"detail": "bad key {echo}"}}"#)),
            (422, format!(r#"{{"detail": {{"case": "{echo}", "message": "no"}}}}"#)),
            (500, format!("<p>bad key {echo}</p>")),
            (200, format!("{echo}{{")),
        ];
        for answer in answers {
            let case = Case::new();
            case.server.state().echo = Some(answer.clone());
            let mut command = case.command(&format!("{JANUARY} --yes"));
            let done = Done::of(command.env("DATABENTO_API_KEY", SECRET).output().expect("it runs"));
            assert!(matches!(done.code, Some(1..=3)), "{:?}: {}", answer, done.said);
            let kept = files(case.dir.path()).into_iter().map(|path| std::fs::read(path).expect("a file"));
            let kept: String = kept.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
            assert_eq!(leaked(&(done.said + &done.out + &kept)), None, "{answer:?}");
        }
    }
}

/// Returns six characters in a row of the key, or what base64 makes of them, that are in a text once its white space and
/// tags are gone.
fn leaked(text: &str) -> Option<String> {
    let plain = text.replace("<b>", "").replace("</b>", "");
    let plain: String = plain.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    let code = STANDARD.encode(SECRET);
    let parts = SECRET.as_bytes().windows(6).chain(code.as_bytes().windows(8));
    parts.map(|part| String::from_utf8_lossy(part).to_lowercase()).find(|part| plain.contains(part.as_str()))
}
