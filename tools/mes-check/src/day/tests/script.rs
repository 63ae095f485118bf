//! A small day, written by hand: the machine of mes-exec, an exchange of a few lines and what risk would have written, so
//! that all three records agree.

use std::{fs, path::Path};

use mes_core::{
    broker::{Hello, Kind},
    ledger::Ledger,
    money::Cents,
    order::{Action as Wanted, ExitReason, Order, Side, Signal},
    price::Price,
    record,
    run::{Run, VERSION},
    time::{self, MILLI, Now},
    verdict::Verdict,
};
use mes_exec::topstepx::{
    core::{Core, Setup},
    event::{Action, Answer, Event, Request},
    journal::{Entry, Line},
};
use mes_pipe::{CalendarArgs, SettingsArgs};
use mes_projectx::hub::UserEvent;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::day::{Day, DayArgs, judge, report::Report};

pub const CONTRACT: &str = "CON.F.US.MES.Z26";
const BALANCE: Cents = Cents(100_000);

/// The three records, line by line.
#[derive(Clone)]
pub struct Records {
    pub exec: Vec<Value>,
    pub risk: Vec<Value>,
    pub exchange: Vec<Value>,
    pub log: String,
}

/// Who writes them.
pub struct Script {
    core: Core,
    now: Now,
    pub records: Records,
    /// What the exchange has: the position, and its orders and trades in the words of the wire.
    position: i64,
    orders: Vec<Value>,
    trades: Vec<Value>,
    balance: Cents,
    close: Price,
}

impl Script {
    /// Begins a day at an instant: the exchange was looked at, the hub is up, a quote and a row have come.
    pub fn begin(at: &str) -> Script {
        let now = Now { utc: time::parse(at).expect("a time"), steady: 0 };
        let setup = Setup {
            account: 7,
            contract: CONTRACT.into(),
            nonce: "n".into(),
            own_oco: false,
            tick_value: Cents(125),
            side_cost: Cents(61),
            lifetime: 2_000 * MILLI,
            widest_ticks: 18,
            adopt: false,
            seen: 0,
            balance: BALANCE,
        };
        let records =
            Records { exec: Vec::new(), risk: vec![run_record()], exchange: Vec::new(), log: String::new() };
        let (core, close) = (Core::new(setup.clone(), now), Price::from_ticks(27_000));
        let mut script = Script {
            core,
            now,
            records,
            position: 0,
            orders: Vec::new(),
            trades: Vec::new(),
            balance: BALANCE,
            close,
        };
        script.line(Entry::Begin(setup));
        script.told(json!({"kind": "login", "good": true}));
        script.hear(Event::Timer);
        script.hear(Event::Up { gap: false });
        script.quiet(2_000);
        script.row();
        script
    }

    /// Lets a row come, with its quote, and risk be told.
    pub fn row(&mut self) {
        let bid = Price::from_ticks(self.close.ticks() - 1);
        self.hear(Event::Quote { bid, ask: self.close });
        self.hear(Event::Row { close: self.close });
        let statement = self.core.statement(self.now.utc, self.close);
        self.wrote(record::Line::Statement(&statement));
    }

    /// Has risk order something.
    pub fn order(&mut self, id: u64, action: Wanted) {
        let (ts, signal) = (self.now.utc, Signal::LongEntry);
        let order = Order { ts, id, signal, contract: Default::default(), action };
        self.wrote(record::Line::Verdict(&Verdict::Order(order.clone())));
        self.hear(Event::Order { order });
    }

    /// Has risk enter two contracts.
    pub fn enter(&mut self, id: u64) {
        let (side, contracts) = (Side::Buy, 2);
        let (stop_ticks, target_ticks) = (8, 16);
        let enter = Wanted::Enter { side, contracts, stop_ticks, target_ticks, confidence: 0.7, limit: None };
        self.order(id, enter);
    }

    /// Lets time pass, in steps of 100 ms, in which mes-exec looks at its clock.
    pub fn quiet(&mut self, ms: i64) {
        for _ in 0..ms / 100 {
            (self.now.utc, self.now.steady) = (self.now.utc + 100 * MILLI, self.now.steady + 100 * MILLI);
            self.hear(Event::Timer);
        }
    }

    /// Ends the day as ^C does; returns what was written.
    pub fn end(mut self) -> Records {
        self.hear(Event::Halt);
        self.hear(Event::Flatten { reason: ExitReason::Person });
        self.quiet(3_000);
        assert!(self.core.is_flat(), "{}", self.core.left());
        self.wrote(record::Line::End);
        let statement = self.core.statement(self.now.utc, self.close);
        self.wrote(record::Line::Statement(&statement));
        self.records
    }

    fn line(&mut self, entry: Entry) {
        let line = Line { ts: self.now.utc, steady: self.now.steady, entry };
        self.records.exec.push(serde_json::to_value(line).expect("JSON"));
    }

    fn wrote(&mut self, line: record::Line) {
        self.records.risk.push(serde_json::to_value(line).expect("JSON"));
    }

    /// Writes down what happened at the exchange.
    fn told(&mut self, mut record: Value) {
        record["ts"] = json!(time::format(self.now.utc));
        self.records.exchange.push(record);
    }

    fn hear(&mut self, event: Event) {
        self.line(Entry::Event(event.clone()));
        let actions = self.core.on(event, self.now);
        actions.iter().for_each(|action| self.line(Entry::Action(action.clone())));
        let mut news = Vec::new();
        for action in actions {
            let Action::Call { call, request, .. } = action else { continue };
            let answer = self.answer(request, &mut news);
            news.push(Event::Answer { call, answer });
        }
        for event in news {
            // Everything takes a millisecond.
            (self.now.utc, self.now.steady) = (self.now.utc + MILLI, self.now.steady + MILLI);
            self.hear(event);
        }
    }

    fn answer(&mut self, request: Request, news: &mut Vec<Event>) -> Answer {
        let alive = |order: &&Value| !matches!(order["status"].as_i64(), Some(2 | 3));
        match request {
            Request::Positions { .. } => {
                let open = (self.position != 0).then(|| of(self.open()));
                Answer::Positions { positions: open.into_iter().collect() }
            }
            Request::Alive { .. } => {
                Answer::Orders { orders: self.orders.iter().filter(alive).cloned().map(of).collect() }
            }
            Request::Recent { .. } => {
                Answer::Orders { orders: self.orders.iter().cloned().map(of).collect() }
            }
            Request::Trades { .. } => {
                Answer::Trades { trades: self.trades.iter().cloned().map(of).collect() }
            }
            Request::Account { .. } => Answer::Account { account: Some(of(self.account())) },
            Request::Place { place, entry: true } => {
                self.fill(1, &place.custom_tag.clone().unwrap_or_default(), 0, 2, news);
                for (id, kind, end) in [(2, 4, "-SL"), (3, 1, "-TP")] {
                    let mut leg = self.made(id, 1, 2, 1, kind);
                    leg["customTag"] =
                        json!(format!("{}{end}", place.custom_tag.clone().unwrap_or_default()));
                    (leg["parentOrderId"], leg["stopPrice"]) = (json!(1), json!(6748));
                    self.change(leg, news);
                }
                Answer::Placed { id: 1 }
            }
            Request::Close { .. } => {
                self.fill(4, "", 1, self.position, news);
                Answer::Done
            }
            Request::Cancel { cancel } => {
                let is_it = |order: &&Value| order["id"] == cancel.order_id;
                let mut leg = self.orders.iter().find(is_it).cloned().expect("a leg");
                leg["status"] = json!(3);
                self.change(leg, news);
                Answer::Done
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// Describes an order that works.
    fn made(&self, id: i64, side: i64, size: i64, status: i64, kind: i64) -> Value {
        json!({"id": id, "accountId": 7, "contractId": CONTRACT, "creationTimestamp": time::format(self.now.utc),
            "status": status, "type": kind, "side": side, "size": size, "fillVolume": 0})
    }

    /// Keeps an order as it is now, and tells of it.
    fn change(&mut self, order: Value, news: &mut Vec<Event>) {
        self.orders.retain(|other| other["id"] != order["id"]);
        self.orders.push(order.clone());
        self.told_as("order", order.clone());
        news.push(Event::User { user: UserEvent::Order(Box::new(of(order))) });
    }

    fn told_as(&mut self, kind: &str, mut record: Value) {
        record["kind"] = json!(kind);
        self.told(record);
    }

    /// Fills an order at market.
    fn fill(&mut self, id: i64, tag: &str, side: i64, size: i64, news: &mut Vec<Event>) {
        let mut order = self.made(id, side, size, 2, 2);
        order["fillVolume"] = json!(size);
        if !tag.is_empty() {
            order["customTag"] = json!(tag);
        }
        self.change(order, news);
        let trade = json!({"id": 100 + id, "accountId": 7, "contractId": CONTRACT,
            "creationTimestamp": time::format(self.now.utc), "price": 6750, "side": side, "size": size, "orderId": id,
            "fees": 0.72, "commissions": 0.50, "profitAndLoss": (side == 1).then_some(0.0)});
        self.trades.push(trade.clone());
        self.balance -= Cents(122);
        self.position += if side == 0 { size } else { -size };
        self.told_as("trade", trade.clone());
        let (open, account) = (self.open(), self.account());
        self.told_as("position", open);
        self.told_as("account", account);
        news.push(Event::User { user: UserEvent::Trade(of(trade)) });
    }

    fn open(&self) -> Value {
        let kind = self.position.signum().rem_euclid(3);
        json!({"id": 5, "accountId": 7, "contractId": CONTRACT, "creationTimestamp": time::format(self.now.utc),
            "type": kind, "size": self.position.abs(), "averagePrice": 6750})
    }

    fn account(&self) -> Value {
        json!({"id": 7, "name": "A", "balance": self.balance.0 as f64 / 100.0, "canTrade": true, "isVisible": true,
            "simulated": true})
    }
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the words of the wire")
}

fn run_record() -> Value {
    let rules = SettingsArgs { rules: "mes-1k-topstep".into(), ..SettingsArgs::default() };
    let settings = rules.read().expect("shipped rules");
    let broker = Hello { account: "7".into(), ..Hello::new(Kind::Exercise, "topstepx", BALANCE) };
    let run = Run {
        v: VERSION,
        interval: "1s".into(),
        session: mes_core::session::Filter::All,
        quotes: true,
        rules: settings.rules,
        costs: settings.costs,
        fills: settings.fills,
        calendar: settings.calendar.blake3,
        from: None,
        ledger: Ledger::new(BALANCE),
        broker,
        kept: None,
        lineage: json!([]),
    };
    serde_json::to_value(record::Line::Run(&run)).expect("JSON")
}

impl Records {
    /// Judges them.
    pub fn judge(&self) -> Report {
        let folder = tempfile::tempdir().expect("a folder");
        judge(&self.read(folder.path()))
    }

    /// Judges them as those of a machine that has these faults itself, and so comes to them again.
    pub fn judge_faulty(&self) -> Report {
        let folder = tempfile::tempdir().expect("a folder");
        let mut day = self.read(folder.path());
        day.exec.iter_mut().for_each(|run| run.replayed = Ok(0));
        judge(&day)
    }

    fn read(&self, folder: &Path) -> Day {
        let write = |name: &str, lines: &[Value]| {
            let path = folder.join(name);
            let text: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
            fs::write(&path, text.concat()).expect("written");
            path
        };
        let log = folder.join("err.txt");
        fs::write(&log, &self.log).expect("written");
        let none = self.exchange.is_empty();
        let args = DayArgs {
            exec: vec![write("exec.jsonl", &self.exec)],
            journal: vec![write("journal.jsonl", &self.risk)],
            exchange: (!none).then(|| write("exchange.jsonl", &self.exchange)).into_iter().collect(),
            log: vec![log],
            calendar: CalendarArgs::default(),
            answer: answer(),
        };
        Day::read(&args).expect("a day")
    }

    /// Returns the place of the first line of mes-exec's journal that says this.
    pub fn exec_line(&self, says: &str) -> usize {
        self.exec.iter().position(|line| line.to_string().contains(says)).expect(says)
    }

    /// Returns a copy of such a line with another instant.
    pub fn at(&self, line: usize, ms: i64) -> Value {
        let mut line = self.exec[line].clone();
        for name in ["ts", "steady"] {
            line[name] = json!(line[name].as_i64().expect("a time") + ms * MILLI);
        }
        line
    }
}

/// Parses what nobody has typed.
fn answer() -> mes_pipe::AnswerArgs {
    use clap::Parser;
    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        answer: mes_pipe::AnswerArgs,
    }
    Only::parse_from(["day", "--json"]).answer
}
