//! The client and the exchange with real sockets between them: what only sockets can do wrong.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use mes_pipe::clock::Clock;
use mes_projectx::{
    Access, Client, Credentials, Keeper, Outcome, Purpose,
    hub::{Hub, HubEvent, Kind, MarketEvent, Subscription, UserEvent, socket::Door},
    wire::{Accounts, Close, Place, Positions, Side},
};
use mes_web::{Base, Secret};
use serde_json::Value;
use tempfile::TempDir;

const CONTRACT: &str = "CON.F.US.MES.Z26";

/// An exchange that runs until it is dropped.
struct Sim {
    child: Child,
    folder: TempDir,
    at: Value,
}

impl Sim {
    fn start(more: &[&str]) -> Sim {
        let folder = TempDir::new().expect("a folder");
        let ticks: String = (0..4_000)
            .map(|nth| {
                let (second, price) = (nth / 10, 6800.0 + f64::from(nth % 7) * 0.25);
                let (minute, second) = (30 + second / 60, second % 60);
                format!(
                    "{{\"ts\":\"2026-11-20T15:{minute:02}:{second:02}.{}Z\",\"price\":{price},\"size\":1,\"bid\":{},\"ask\":{price},\"symbol\":\"MESZ6\"}}\n",
                    nth % 10,
                    price - 0.25
                )
            })
            .collect();
        std::fs::write(folder.path().join("ticks.jsonl"), ticks).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_mes-sim"))
            .args(["ticks.jsonl", "--port", "0"])
            .args(more)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mes-sim");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
        let at = serde_json::from_str(&line).expect("where it is");
        Sim { child, folder, at }
    }

    fn text(&self, field: &str) -> &str {
        self.at[field].as_str().expect("a text")
    }

    fn base(&self) -> Base {
        Base::parse(self.text("api")).expect("an address")
    }

    fn clock(&self) -> Clock {
        Clock::parse(self.text("clock")).expect("a clock")
    }

    /// A client, whose session is kept by the other.
    fn client(&self) -> (Client, Arc<Keeper>) {
        let carrier = Arc::new(mes_web::Client::new(self.base(), "tests"));
        let credentials =
            Credentials { user: Secret::new(self.text("user")), key: Secret::new(self.text("key")) };
        let keeper = Arc::new(Keeper::new(carrier.clone(), credentials, self.clock()));
        (Client::new(carrier, keeper.clone()), keeper)
    }

    fn hub(&self, kind: Kind, access: Arc<dyn Access>, negotiates: bool) -> (Hub, Receiver<HubEvent>) {
        let (sender, receiver) = channel();
        let subscriptions = match kind {
            Kind::User => Subscription::account(7),
            Kind::Market => Subscription::contract(CONTRACT, true),
        };
        let carrier: Arc<dyn mes_projectx::Carrier> = Arc::new(mes_web::Client::new(self.base(), "tests"));
        let negotiate = negotiates.then_some(carrier);
        let door = Door { base: self.base(), kind, negotiate, access, clock: self.clock() };
        let hub =
            Hub::listen(door, subscriptions, move |_, event| drop(sender.send(event))).expect("a thread");
        (hub, receiver)
    }

    fn fault(&self, words: &[&str]) {
        let fault = Command::new(env!("CARGO_BIN_EXE_mes-sim"))
            .arg("fault")
            .args(words)
            .current_dir(self.folder.path())
            .output();
        let fault = fault.expect("mes-sim");
        assert!(fault.status.success(), "{}", String::from_utf8_lossy(&fault.stderr));
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("run/sim/journal.jsonl")).expect("a journal")
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a happening that is `wanted`, past all others.
fn wait<T>(events: &Receiver<HubEvent>, wanted: impl Fn(&HubEvent) -> Option<T>) -> T {
    let mut seen = Vec::new();
    loop {
        let event =
            events.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| unreachable!("after {seen:?}"));
        if let Some(found) = wanted(&event) {
            return found;
        }
        seen.push(event);
    }
}

fn market(side: Side, tag: &str) -> Place {
    Place::market(7, CONTRACT, side, 1, tag)
}

#[test]
fn an_order_is_placed_filled_heard_of_and_closed_through_sockets() {
    let sim = Sim::start(&[]);
    let (client, keeper) = sim.client();
    for negotiates in [false, true] {
        let (_user, happenings) = sim.hub(Kind::User, keeper.clone(), negotiates);
        wait(&happenings, |event| matches!(event, HubEvent::Up { gap: None }).then_some(()));
        let (_market, quotes) = sim.hub(Kind::Market, keeper.clone(), negotiates);
        wait(&quotes, |event| {
            matches!(event, HubEvent::Market(MarketEvent::Depth { changes, .. }) if changes.len() > 50)
                .then_some(())
        });
        wait(&quotes, |event| matches!(event, HubEvent::Market(MarketEvent::Quote { .. })).then_some(()));
        let tag = format!("through-sockets-{negotiates}");
        let Outcome::Done(id) = client.act(market(Side::Bid, &tag), Purpose::Trade) else {
            unreachable!("a good day")
        };
        let fill = wait(&happenings, |event| match event {
            HubEvent::User(UserEvent::Trade(trade)) if trade.order_id == id => Some(trade.clone()),
            _ => None,
        });
        assert_eq!((fill.size, fill.profit_and_loss), (1, None));
        let open = client.ask(&Positions { account_id: 7 }, Purpose::Look).expect("positions");
        assert_eq!(open.iter().filter_map(|open| open.contracts()).sum::<i64>(), 1);
        let close = Close { account_id: 7, contract_id: CONTRACT.into() };
        assert!(matches!(client.act(close, Purpose::Exit), Outcome::Done(_)));
        wait(&happenings, |event| match event {
            HubEvent::User(UserEvent::Position(position)) if position.contracts() == Some(0) => Some(()),
            _ => None,
        });
        assert_eq!(client.ping(), Ok(()));
        // The same tag again is no second order.
        assert!(matches!(client.act(market(Side::Bid, &tag), Purpose::Trade), Outcome::Refused(_)));
    }
}

#[test]
fn a_session_that_was_ended_is_no_session() {
    let sim = Sim::start(&[]);
    let (client, keeper) = sim.client();
    let ended = keeper.token().expect("a token");
    assert_eq!(keeper.log_out(), Ok(()));
    assert_eq!(keeper.log_out(), Ok(()), "there is none any more");
    // The next question logs in anew.
    assert!(client.ask(&Accounts { only_active_accounts: true }, Purpose::Look).is_ok());
    assert!(keeper.token().expect("a token").generation > ended.generation);
    assert_eq!(sim.journal().matches("\"kind\":\"login\"").count(), 2);
}

#[test]
fn a_hub_comes_back_after_every_kind_of_loss_and_says_what_it_missed() {
    let sim = Sim::start(&["--unlimited"]);
    let (client, keeper) = sim.client();
    let (hub, happenings) = sim.hub(Kind::User, keeper.clone(), false);
    wait(&happenings, |event| matches!(event, HubEvent::Up { gap: None }).then_some(()));
    for fault in [&["line-cut"][..], &["lines-refused", "--for", "1"], &["expired"], &["evicted"]] {
        sim.fault(fault);
        if fault[0] == "expired" {
            // An open connection outlives its token; the next one takes a new one.
            hub.cut();
        }
        if fault[0] == "evicted" {
            wait(&happenings, |event| matches!(event, HubEvent::Logout).then_some(()));
        }
        let why = wait(&happenings, |event| match event {
            HubEvent::Down { why } => Some(why.clone()),
            _ => None,
        });
        assert!(!why.contains(sim.text("key")), "{why}");
        let (from, to) = wait(&happenings, |event| match event {
            HubEvent::Up { gap } => *gap,
            _ => None,
        });
        assert!(from < to, "{fault:?}");
    }
    // It hears again.
    let Outcome::Done(id) = client.act(market(Side::Ask, "after-all"), Purpose::Trade) else {
        unreachable!("a good day")
    };
    wait(&happenings, |event| match event {
        HubEvent::User(UserEvent::Order(order)) if order.id == id => Some(()),
        _ => None,
    });
    assert!(sim.journal().contains("\"fault\":\"evicted\""));
}

#[test]
fn an_answer_that_is_lost_or_breaks_off_is_unknown_and_the_order_is_found_by_its_tag() {
    let sim = Sim::start(&[]);
    let (client, keeper) = sim.client();
    let client = client.within(Duration::from_secs(1));
    keeper.token().expect("a token");
    for (fault, tag) in [
        ("reply-lost", "lost"),
        ("reply-cut", "cut"),
        ("reply-malformed", "malformed"),
        ("pending", "pending"),
    ] {
        sim.fault(&[fault, "--for", "0.5"]);
        let outcome = client.act(market(Side::Bid, tag), Purpose::Trade);
        assert!(matches!(outcome, Outcome::Unknown(_)), "{fault}: {outcome}");
        std::thread::sleep(Duration::from_millis(600));
        let asked = mes_projectx::wire::OrdersOf {
            account_id: 7,
            start_timestamp: mes_projectx::wire::Stamp::of(0),
            end_timestamp: None,
        };
        let orders = client.ask(&asked, Purpose::Look).expect("orders");
        assert_eq!(
            orders.iter().filter(|order| order.custom_tag.as_deref() == Some(tag)).count(),
            1,
            "{fault}"
        );
    }
    sim.fault(&["busy", "--for", "0.5"]);
    assert!(matches!(client.act(market(Side::Bid, "busy"), Purpose::Trade), Outcome::Refused(_)));
}

#[test]
fn no_bytes_of_a_client_end_the_exchange() {
    let sim = Sim::start(&[]);
    let address = sim.text("api").trim_start_matches("http://").to_owned();
    let upgrade = "GET /hubs/user?access_token=x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let huge = format!(
        "POST /api/Order/place HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{}",
        "x".repeat(1 << 20)
    );
    let odd: Vec<Vec<u8>> = vec![
        b"\0\xff\xfe".repeat(1000),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        upgrade.replace("13", "99").into_bytes(),
        upgrade.into(),
        huge.into_bytes(),
        b"POST /api/Auth/loginKey HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{{{{".to_vec(),
        b"POST /sim/fault HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"fault\":\"expired\"}".to_vec(),
        format!("GET /{} HTTP/1.1\r\n\r\n", "a/".repeat(40_000)).into_bytes(),
    ];
    for bytes in odd {
        let mut line = TcpStream::connect(&address).expect("it listens");
        line.set_read_timeout(Some(Duration::from_millis(300))).expect("set");
        // It may close before it has read all.
        let _ = line.write_all(&bytes);
        let mut answer = [0; 64];
        let count = line.read(&mut answer).unwrap_or(0);
        assert!(
            !answer[..count].starts_with(b"HTTP/1.1 200") && !answer[..count].starts_with(b"HTTP/1.1 101")
        );
    }
    let (client, _) = sim.client();
    assert_eq!(
        client.ask(&Accounts { only_active_accounts: true }, Purpose::Look).map(|accounts| accounts.len()),
        Ok(1)
    );
    assert!(!sim.journal().contains("\"fault\""), "who does not know the token lets nothing go wrong");
}

#[test]
fn the_tool_shows_an_account_without_telling_who_may() {
    let sim = Sim::start(&[]);
    let tool = Path::new(env!("CARGO_BIN_EXE_mes-sim")).with_file_name("mes-projectx");
    let say = |words: &[&str], key: &str| {
        let output = Command::new(&tool)
            .args(words)
            .current_dir(sim.folder.path())
            .env("TOPSTEPX_USERNAME", sim.text("user"))
            .env("TOPSTEPX_API_KEY", key)
            .env("TOPSTEPX_API_URL", sim.text("api"))
            .env("TOPSTEPX_HUBS_URL", sim.text("hubs"))
            .env("MES_CLOCK", sim.text("clock"))
            .output()
            .expect("mes-projectx: build it first, cargo build --release --workspace");
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains(key), "{text}");
        (output.status.code(), text)
    };
    let key = sim.text("key").to_owned();
    for (words, wanted) in [
        (&["login"][..], "\"loggedIn\":true"),
        (&["accounts"], "PRAC-V2-1007-1"),
        (&["contracts", "MES"], "CON.F.US.MES.Z26"),
        (&["positions"], ""),
        (&["orders"], ""),
        (&["trades"], ""),
        (&["bars", "MES", "--interval", "1s"], ""),
    ] {
        let (code, text) = say(words, &key);
        assert!(code == Some(0) && text.contains(wanted), "{words:?}: {code:?} {text}");
    }
    for (words, wanted) in [
        (&["positions", "--account", "x"][..], "no account \"x\": there are PRAC-V2-1007-1"),
        (&["bars", "CL"], "no contract \"CL\""),
        (&["bars", "MES", "--interval", "2weeks"], "a bar lasts"),
        (
            &["bars", "MES", "--from", "2026-11-21T00:00:00Z", "--until", "2026-11-20T00:00:00Z"],
            "--from is not before",
        ),
        (&["--api", "http://api.topstepx.com", "login"], "for this machine only"),
        (&["--api", "https://api.topstepx.com", "login"], "unset MES_CLOCK"),
        (&["orders", "--until", "2026-11-20T00:00:00Z"], "--until needs --from"),
    ] {
        let (code, text) = say(words, &key);
        assert!(code == Some(2) && text.contains(wanted), "{words:?}: {code:?} {text}");
    }
    let (code, text) = say(&["login"], "another-key-of-nobody");
    assert!(
        code == Some(2) && text.contains("InvalidCredentials") && text.contains("TOPSTEPX_USERNAME"),
        "{text}"
    );
}
