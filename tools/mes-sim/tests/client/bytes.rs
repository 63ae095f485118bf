//! No bytes of one end make the other panic or grow, or take for an answer what is none: paths, tokens, bodies, envelopes,
//! frames. `SOAK=n` sends n times as many.

use mes_core::{
    dice::Draw,
    tick::Tick,
    time::{SECOND, Ts},
};
use mes_projectx::{
    hub::{
        Kind, Subscription, event,
        link::{Heard, Link},
    },
    wire::{
        Accounts, AvailableContracts, Bars, Endpoint, Envelope, OpenOrders, Place, Positions, Trades,
        Validate,
    },
};
use mes_sim::{
    exchange::{
        instrument::Instrument,
        settings::{AccountSettings, Settings},
    },
    service::{Service, Setup},
};
use serde_json::Value;

const NOW: Ts = 1_795_186_800 * SECOND;
const PATHS: [&str; 20] = [
    "api/Auth/loginKey",
    "api/Auth/validate",
    "api/Auth/logout",
    "api/Account/search",
    "api/Contract/search",
    "api/Contract/available",
    "api/Contract/searchById",
    "api/History/retrieveBars",
    "api/Order/place",
    "api/Order/modify",
    "api/Order/cancel",
    "api/Order/search",
    "api/Order/searchOpen",
    "api/Order/searchById",
    "api/Order/v2/query",
    "api/Position/searchOpen",
    "api/Position/closeContract",
    "api/Position/partialCloseContract",
    "api/Trade/search",
    "api/Status/ping",
];
/// A body that every endpoint finds its fields in, and a day's frames of a client.
const BODY: &str = r#"{"userName":"u","apiKey":"k","onlyActiveAccounts":true,"searchText":"MES","live":false,
    "contractId":"CON.F.US.MES.Z26","startTime":"2026-11-20T14:00:00Z","endTime":"2026-11-20T16:00:00Z","unit":1,"unitNumber":1,
    "limit":100,"includePartialBar":true,"accountId":7,"type":2,"side":0,"size":1,"limitPrice":6800,"stopPrice":6790.25,
    "trailPrice":6780,"customTag":"t","stopLossBracket":{"ticks":-8,"type":4},"takeProfitBracket":{"ticks":8,"type":1},
    "orderId":3425270001,"startTimestamp":"2026-11-20T14:00:00Z","filter":{"accountId":7,"statuses":[1,6,7,8]},"pageSize":100,
    "pageOffset":0,"includeTotalCount":true}"#;
const FRAMES: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}\
    {\"type\":1,\"invocationId\":\"0\",\"target\":\"SubscribeOrders\",\"arguments\":[7]}\u{1e}\
    {\"type\":1,\"target\":\"SubscribeContractMarketDepth\",\"arguments\":[\"CON.F.US.MES.Z26\"]}\u{1e}\
    {\"type\":6}\u{1e}{\"type\":1,\"target\":\"UnsubscribeOrders\",\"arguments\":[7]}\u{1e}";

const ENVELOPE: &str = r#"{"accounts":[{"id":7,"name":"PRAC","balance":149848.64,"canTrade":true,"isVisible":true,"simulated":true}],
    "orders":[{"id":9,"accountId":7,"contractId":"CON.F.US.MES.Z26","creationTimestamp":"2026-08-19T20:49:25.39383+00:00",
    "updateTimestamp":null,"status":1,"type":4,"side":1,"size":1,"limitPrice":null,"stopPrice":6800.25,"fillVolume":0,
    "filledPrice":null,"customTag":"t-SL","parentOrderId":8}],"positions":[],"trades":[],"contracts":[],"bars":[],"orderId":9,
    "newToken":"x","success":true,"errorCode":0,"errorMessage":null}"#;
const CALLS: &str = "{}\u{1e}{\"type\":3,\"invocationId\":\"0\"}\u{1e}{\"type\":1,\"target\":\"GatewayUserOrder\",\"arguments\":\
    [{\"action\":1,\"data\":{\"id\":3425270858,\"accountId\":7,\"contractId\":\"CON.F.US.MNQ.U26\",\"creationTimestamp\":\
    \"2026-08-19T20:49:25.3938333+00:00\",\"status\":5,\"type\":2,\"side\":1,\"size\":1,\"fillVolume\":0}}]}\u{1e}\
    {\"type\":1,\"target\":\"GatewayQuote\",\"arguments\":[\"CON.F.US.MES.Z26\",[null,{\"symbol\":\"F.US.MES\",\"bestBid\":29547,\
    \"lastUpdated\":\"2026-08-19T20:51:31.4347534+00:00\"}]]}\u{1e}{\"type\":6}\u{1e}{\"type\":7,\"error\":\"x\"}\u{1e}";
const NUMBERS: [&str; 10] =
    ["-1", "0", "9223372036854775807", "-9223372036854775808", "1e308", "1.5", "\"7\"", "null", "[]", "true"];

fn times() -> i64 {
    crate::number("SOAK").map_or(1, |times| times as i64)
}

/// Changes a text in a few places: a number for another, bytes for any.
fn mutated(draw: &mut Draw, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..draw.below(4) {
        let at = draw.below(bytes.len().max(1));
        match draw.below(4) {
            0 => {
                let digits =
                    bytes[at.min(bytes.len())..].iter().position(u8::is_ascii_digit).map(|skip| at + skip);
                let Some(from) = digits else { continue };
                let length = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                bytes.splice(from..from + length, NUMBERS[draw.below(NUMBERS.len())].bytes());
            }
            1 => bytes.truncate(at),
            2 => bytes.insert(at.min(bytes.len()), draw.bits() as u8),
            _ => bytes.extend_from_within(at.min(bytes.len())..),
        }
        bytes.truncate(20_000);
    }
    bytes
}

#[test]
fn no_bytes_of_a_client_make_it_panic_or_grow() {
    let mut draw = Draw::new(3, 3);
    let setup = Setup {
        limited: false,
        ..Setup::new(Settings::default(), vec![AccountSettings::default()], "u", "k")
    };
    let mut service = Service::new(setup, NOW, &[]);
    let instrument =
        Instrument::parse("CON.F.US.MES.Z26", "2026-11-20".parse().expect("a date")).expect("known");
    let (mut now, mut ok, mut lines) = (NOW, 0, Vec::new());
    let mut token = String::new();
    for _ in 0..20_000 * times() {
        now += draw.below(50_000_000) as i64;
        let price = Some(6800.0 + draw.below(80) as f64 * 0.25);
        service.tick(instrument, &Tick { ts: now, price, size: Some(1), ..Tick::default() });
        if !service.knows(&token) {
            let said = service.call(now, "api/Auth/loginKey", None, BODY.as_bytes());
            let said: Value = serde_json::from_str(&said.body).expect("JSON");
            token = said["token"].as_str().expect("a token").to_owned();
        }
        let body = mutated(&mut draw, BODY);
        let said = service.call(now, PATHS[draw.below(PATHS.len())], Some(&token), &body);
        assert!(matches!(said.status, 200 | 400 | 401 | 413), "{said:?}");
        ok += usize::from(said.body.contains("\"success\":true"));
        let kind = if draw.below(2) == 0 { Kind::User } else { Kind::Market };
        if let Ok(line) = service.open(now, kind, Some(&token)) {
            lines.push(line);
        }
        for line in &lines {
            if draw.below(3) == 0 {
                service.frame(now, *line, &mutated(&mut draw, FRAMES));
            }
            service.take(now, *line);
        }
        if lines.len() > 20 {
            lines.drain(..).for_each(|line| service.gone(line));
        }
        service.journal().clear();
    }
    assert!(ok > 5_000, "{ok} calls made sense");
}

fn read<E: Endpoint>(bytes: &[u8]) -> bool {
    matches!(Envelope::<E::Answer, E::Code>::read(bytes, E::FIELD), Ok(Envelope::Done(_)))
}

#[test]
fn no_bytes_of_a_server_make_the_client_panic_or_grow() {
    let mut draw = Draw::new(5, 5);
    let (mut done, mut heard) = (0, 0);
    for nth in 0..20_000 * times() {
        let bytes = mutated(&mut draw, ENVELOPE);
        let reads = [
            read::<Accounts>,
            read::<OpenOrders>,
            read::<Positions>,
            read::<Trades>,
            read::<AvailableContracts>,
            read::<Bars>,
            read::<Place>,
            read::<Validate>,
        ];
        let good = reads.iter().filter(|read| read(&bytes)).count();
        // Whatever is taken for done is JSON that says so.
        if good > 0 {
            let whole: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            assert_eq!(whole["success"], true);
        }
        done += good;
        let (mut link, _) = Link::open(Subscription::account(7), 0);
        for part in mutated(&mut draw, CALLS).chunks(1 + draw.below(400)) {
            let step = link.frame(part, nth);
            assert!(step.say.len() <= 8);
            for one in step.heard {
                if let Heard::Called { target, arguments } = one {
                    drop(event::read(&target, arguments));
                    heard += 1;
                }
            }
        }
        drop(link.pass(40 * SECOND));
    }
    assert!(done > 10_000 && heard > 10_000, "{done} answers, {heard} calls made sense");
}
