//! What risk remembers, on disk: one folder an account (`DIR/<broker>-<account>/`), in it the ledger, which only this
//! process writes, and what was said to it, to which people and mes-exec add.
//!
//! Every row is one line: its bar, from which the market is known again, and what it changed. The line is written before
//! any order of its row is. So whatever is killed when, the ledger knows every order that may have been sent, and a
//! restart judges on as if nothing had happened: rows up to the ledger's time pass untouched. The last line of a clean end
//! has no bar: it says how the account was left.
//!
//! It is bound to its rules by their hash: going on under others takes a person's `resume --rules`, with a reason. A
//! limit that fired is not to be got around by an edit.

mod lines;

use std::{
    fs,
    path::{Path, PathBuf},
};

use mes_core::{
    bar::Bar,
    broker::Hello,
    interval::Interval,
    kept::{Book, Memory, difference},
    ledger::Ledger,
    market::Market,
    order::Side,
    person::Person,
    price::Price,
    rules::Rules,
    run::Named,
    statement::{Role, Statement},
};
use mes_pipe::{
    Error, Result,
    account::{self, VERSION},
    durable::{self, Busy, Durable, Follower},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::waiting::waiting;
use lines::{changes, fold, remembered};

/// How the broker of recorded statements begins.
pub const RECORDED: &str = "recorded_";
/// A ledger longer than this goes on in a new file when a pipeline starts; a cash session is about 2 MB.
const RENEW_BYTES: u64 = 16 << 20;

/// What a person wants to see of an open position or an entry that waits, and no verdict depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Glance {
    pub entry_price: Option<f64>,
    pub stop: Option<Price>,
    pub target: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// An entry at its limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub side: Side,
    pub contracts: i64,
    pub price: Price,
}

impl Glance {
    fn of(statement: &Statement) -> Glance {
        let level = |role| statement.working.iter().find(|order| order.role == role)?.price;
        let entry = waiting(statement);
        Glance {
            entry_price: statement.entry_price,
            stop: level(Role::Stop),
            target: level(Role::Target),
            waiting: entry.and_then(|entry| {
                let (side, contracts) = (entry.side, entry.contracts);
                Some(Waiting { side, contracts, price: entry.price? })
            }),
        }
    }
}

/// All that a ledger comes to.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub interval: Interval,
    pub rules: Named<Rules>,
    pub ledger: Ledger,
    /// How many of the things said have taken effect.
    pub told: usize,
    pub glance: Glance,
}

/// The folder of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// Returns the folder of an account in a state directory.
    pub fn of(state: &Path, hello: &Hello) -> Folder {
        Folder(account::folder(state, hello))
    }

    /// Returns the folders of a state directory that hold a ledger, by name.
    ///
    /// # Errors
    ///
    /// `Failed` where it cannot be read.
    pub fn all(state: &Path) -> Result<Vec<Folder>> {
        let entries = match fs::read_dir(state) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::from(error).at(state.display())),
        };
        let mut folders = Vec::new();
        for entry in entries {
            let folder = Folder(entry?.path());
            if durable::exists(&folder.ledger()) {
                folders.push(folder);
            }
        }
        folders.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(folders)
    }

    /// Returns its name: `<broker>-<account>`.
    pub fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    fn person(&self) -> PathBuf {
        account::said(&self.0)
    }

    /// Says whether a pipeline trades the account now.
    pub fn traded(&self) -> bool {
        durable::written(&self.ledger())
    }

    /// Reads what is remembered, whoever is writing it; `None` when the account never began.
    ///
    /// # Errors
    ///
    /// What [`durable::read`] refuses, and `Stopped` where a line of it is no ledger.
    pub fn read(&self) -> Result<Option<Snapshot>> {
        let records = durable::read(&self.ledger(), VERSION)?;
        fold(&self.ledger(), records.get(1..).unwrap_or_default())
    }

    /// Reads what was said and has not taken effect.
    ///
    /// # Errors
    ///
    /// What [`durable::read`] refuses, and `Stopped` where a line of it is nothing that a person says.
    pub fn unheard(&self, told: usize) -> Result<Vec<Person>> {
        let records = durable::read(&self.person(), VERSION)?;
        let said = records.into_iter().skip(1).skip(told).map(|record| person(&self.person(), record));
        said.chain(account::unwritten(&self.0).transpose()).collect()
    }

    /// Adds what a person says, on disk when this returns.
    ///
    /// # Errors
    ///
    /// What [`durable::read`] and [`account::say`] refuse.
    pub fn say(&self, person: &Person) -> Result<()> {
        let records = durable::read(&self.ledger(), VERSION)?;
        let head = records.first().unwrap_or(&Value::Null);
        let name = |key: &str| head[key].as_str().unwrap_or_default();
        account::unlock(&self.0, name("broker"), name("account"))?;
        account::say(&self.0, name("broker"), name("account"), person)
    }
}

fn person(path: &Path, record: Value) -> Result<Person> {
    serde_json::from_value(record).map_err(|error| Error::stopped(format!("{}: {error}", path.display())))
}

/// What is said to the account, as it comes in.
pub struct Inbox {
    follower: Follower,
    path: PathBuf,
}

impl Inbox {
    /// Returns the next thing said, if there is one.
    ///
    /// # Errors
    ///
    /// What [`Follower::next`](durable::Follower::next) fails of, and `Stopped` where a line is nothing that a person
    /// says.
    pub fn next(&mut self) -> Result<Option<Person>> {
        self.follower.next()?.map(|record| person(&self.path, record)).transpose()
    }
}

/// The ledger of a running pipeline.
pub struct State {
    lines: Durable,
    folder: Folder,
    /// Its first line, until the run begins.
    start: Value,
    head: Value,
    /// What is kept from run to run; nothing of an account that begins anew.
    memory: Option<Memory>,
    /// As written last, without the market.
    ledger: Ledger,
    told: usize,
    told_written: usize,
    glance: Glance,
    /// At a real broker an order or a halt outlives the machine's power too.
    real: bool,
}

/// What a state is opened for.
pub struct Opening<'a> {
    pub folder: &'a Folder,
    /// Forget what an earlier run left there.
    pub fresh: bool,
    pub hello: &'a Hello,
    pub rules: &'a Named<Rules>,
    pub interval: Interval,
}

impl State {
    /// Opens the state of an account for this process alone. Returns it, what is said to it, and the ledger to begin with.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] when it is damaged, another account's, or was kept under other rules that no person agreed to.
    pub fn open(opening: &Opening) -> Result<(State, Inbox, Ledger)> {
        let Opening { folder, fresh, hello, rules, interval } = *opening;
        account::renamed(&folder.0)?;
        if fresh {
            durable::remove(&folder.ledger())?;
            durable::remove(&folder.person())?;
        }
        let head = |kind| account::head(kind, &hello.broker, &hello.account);
        account::unlock(&folder.0, &hello.broker, &hello.account)?;
        let (lines, records) = Durable::open(&folder.ledger(), &head("ledger"), Busy::Refuse)?;
        drop(Durable::open(&folder.person(), &head("person"), Busy::Wait)?);
        let before = fold(&folder.ledger(), &records)?;
        let told = before.as_ref().map_or(0, |before| before.told);
        if let Some(before) = &before {
            agreed(folder, &before.rules, rules, told)?;
        }
        let mut inbox = Inbox { follower: Follower::open(&folder.person())?, path: folder.person() };
        for _ in 0..told {
            if inbox.next()?.is_none() {
                let said = folder.person();
                let what = "fewer things said than the ledger beside it took in: put both back from one copy";
                return Err(Error::stopped(format!("{}: {what}", said.display())));
            }
        }
        let glance = before.as_ref().map(|before| before.glance).unwrap_or_default();
        let mut ledger = before.map_or_else(|| Ledger::new(hello.balance_cents), |before| before.ledger);
        let memory = (!fresh).then(|| remembered(&records, ledger.order));
        // Ids are never used again, whoever knows of them.
        ledger.order = ledger.order.max(hello.seen);
        let start = json!({
            "kind": "start", "interval": interval.to_string(), "rules": rules, "ledger": ledger, "told": told,
            "glance": glance,
        });
        let real = hello.kind.is_live();
        let bare = Ledger { market: Market::default(), ..ledger.clone() };
        let (head, folder) = (head("ledger"), folder.clone());
        let state = State {
            lines,
            folder,
            start,
            head,
            memory,
            ledger: bare,
            told,
            told_written: told,
            glance,
            real,
        };
        Ok((state, inbox, ledger))
    }

    /// Returns what is kept from run to run.
    pub fn memory(&self) -> Option<&Memory> {
        self.memory.as_ref()
    }

    /// Writes down that a run begins, of the account that the broker keeps, if it keeps one.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when that is another account, or another past of this one.
    pub fn begin(&mut self, book: Option<&Book>) -> Result<()> {
        if let (Some(book), Some(memory)) = (book, &self.memory) {
            let elsewhere =
                || (!durable::written(&self.folder.0.join("account"))).then_some(account::ELSEWHERE);
            if let Some(why) = difference(book, memory).or_else(elsewhere) {
                return Err(Error::usage(account::disagree(&self.folder.0, why)));
            }
            self.start["account"] = json!({ "id": book.id, "run": book.next, "past": book.past });
        }
        let start = std::mem::take(&mut self.start);
        if self.lines.bytes() > RENEW_BYTES {
            self.lines.renew(&self.head, &start)
        } else {
            self.lines.append(&start)
        }
    }

    /// Counts a thing said as heard.
    pub fn hear(&mut self) {
        self.told += 1;
    }

    /// Writes a row and what it changed; without one what the end of the rows changed.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it: no order of that row may go out then.
    pub fn keep(&mut self, ledger: &mut Ledger, bar: Option<&Bar>, statement: &Statement) -> Result<()> {
        // Hundreds of numbers that follow from the bars: not to be compared or copied on every row.
        let market = std::mem::take(&mut ledger.market);
        let kept = self.write(ledger, bar, statement);
        ledger.market = market;
        kept
    }

    fn write(&mut self, ledger: &Ledger, bar: Option<&Bar>, statement: &Statement) -> Result<()> {
        let mut line = Map::new();
        line.insert("kind".into(), if bar.is_some() { "row" } else { "end" }.into());
        if let Some(&Bar { ts, high, low, close, volume, seg, .. }) = bar {
            line.insert("bar".into(), json!([ts, high, low, close, volume, seg]));
        }
        // The bar says when it was.
        self.ledger.ts = ledger.ts;
        if *ledger != self.ledger {
            line.insert("ledger".into(), changes(&self.ledger, ledger)?);
        }
        if self.told != self.told_written {
            line.insert("told".into(), self.told.into());
        }
        let glance = Glance::of(statement);
        if glance != self.glance {
            line.insert("glance".into(), serde_json::to_value(glance).map_err(Error::failed)?);
        }
        self.lines.append(&line)?;
        if self.real && (ledger.order != self.ledger.order || ledger.halted != self.ledger.halted) {
            self.lines.sync()?;
        }
        self.ledger.clone_from(ledger);
        (self.glance, self.told_written) = (glance, self.told);
        Ok(())
    }
}

/// Checks that the rules are those of before, or that a person has agreed to them since.
fn agreed(folder: &Folder, before: &Named<Rules>, now: &Named<Rules>, told: usize) -> Result<()> {
    if before.blake3 == now.blake3 {
        return Ok(());
    }
    let said = folder.unheard(told)?;
    if said.iter().any(|person| person.rules.as_ref() == Some(&now.blake3)) {
        return Ok(());
    }
    let short = |rules: &Named<Rules>| {
        format!("{} ({})", rules.value.name, rules.blake3.chars().take(8).collect::<String>())
    };
    Err(Error::stopped(format!(
        "{}: kept under the rules {}, and these are {}. If that is meant, say so and why: mes-risk resume --rules ... \
         --reason \"...\", with the same --state and the new rules; then start again",
        folder.0.display(),
        short(before),
        short(now)
    )))
}
