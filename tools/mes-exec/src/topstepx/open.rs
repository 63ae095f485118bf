//! The order in which a day begins: who, which account, which contract, what the exchange has; each step one line.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use chrono::NaiveTime;
use mes_core::{
    broker::{Hello, Kind},
    order::ExitReason,
    price::Price,
    rules::Rules,
    time::{MILLI, Now, SECOND},
};
use mes_pipe::{Error, Result, Settings, clock::Clock, log, private};
use mes_projectx::{
    Service, ServiceArgs,
    hub::{Hub, HubEvent, Kind as HubKind, MarketEvent, Subscription},
    wire::{Account, Contract, Quote},
};

use super::{
    actor::{Actor, Input},
    book::Kept,
    core::{Core, Setup},
    event::Event,
    journal::{Entry, Journal},
    shell::{HALT, Threads},
    venue::Venue,
};
use crate::guard::Guard;

/// What the firm demands to be flat by, less two minutes: New York.
const CUT: (u32, u32) = (16, 8);
/// For one call; brackets and closes are answered within milliseconds.
const CALL: Duration = Duration::from_secs(10);
/// For the first look at the account.
const FIRST_LOOK: i64 = 30 * SECOND;
/// Quotes are passed on at most this often, and if nothing changes this often.
const QUOTES: i64 = 250 * MILLI;
const SAME_QUOTES: i64 = SECOND;

/// What `--broker topstepx` needs to know.
#[derive(clap::Args, Clone, Debug)]
pub struct AccountArgs {
    /// The account at TopstepX, by name or id
    #[arg(long, value_name = "NAME", env = "MES_ACCOUNT")]
    pub account: Option<String>,
    /// What to trade; by itself that which the rules are for
    #[arg(long, value_name = "CONTRACT")]
    pub contract: Option<String>,
    /// The account is no practice account: typed back by name at the first start
    #[arg(long)]
    pub real: bool,
    /// Take over a position that is not ours, and protect it
    #[arg(long)]
    pub adopt: bool,
    /// Close what is open at the start
    #[arg(long)]
    pub flatten: bool,
    /// Place stops and targets ourselves, where the account cannot use brackets
    #[arg(long)]
    pub own_oco: bool,
}

/// An account that was found and may be traded.
pub struct Found {
    pub service: Service,
    pub account: Account,
    pub contract: Contract,
    pub kind: Kind,
}

/// Finds the account and its contract of the day, and checks that the rules can be kept there.
///
/// # Errors
///
/// `Usage` where one is not named or not there, or the rules end the day too late; `Failed` where the service does not
/// answer; `Stopped` for an account that nothing may be traded on.
pub fn find(args: &AccountArgs, place: &ServiceArgs, settings: &Settings, service: Service) -> Result<Found> {
    let name = args
        .account
        .as_deref()
        .ok_or_else(|| Error::usage("which account? --account NAME: mes-projectx accounts lists yours"))?;
    let rules = &settings.rules.value;
    in_time(rules)?;
    let account = service.account(Some(name))?;
    let kind = kind_of(&account, place, args.real)?;
    let wanted = args.contract.as_deref().unwrap_or(rules.contract.root());
    let mut contracts = service.contracts(wanted)?;
    let contract = match (contracts.pop(), contracts.len()) {
        (Some(contract), 0) => contract,
        (None, _) => return Err(Error::usage(format!("no contract {wanted:?} is traded today"))),
        (Some(_), _) => {
            return Err(Error::usage(format!(
                "{wanted} means several contracts: give --contract one of them"
            )));
        }
    };
    if contract.tick_value.cents() != rules.contract.tick_value() {
        let (theirs, ours) = (contract.tick_value.cents(), rules.contract.tick_value());
        return Err(Error::usage(format!(
            "a tick of {} is {theirs}, and of the rules' contract {ours}",
            contract.name
        )));
    }
    Ok(Found { service, account, contract, kind })
}

/// Checks that rules end the day before the firm does.
///
/// # Errors
///
/// `Usage` where they do not, with rules that do.
pub fn in_time(rules: &Rules) -> Result<()> {
    let cut = NaiveTime::from_hms_opt(CUT.0, CUT.1, 0).unwrap_or_default();
    if rules.day_end.flat_by <= cut {
        return Ok(());
    }
    let (flat_by, cut) = (rules.day_end.flat_by.format("%H:%M"), cut.format("%H:%M"));
    Err(Error::usage(format!(
        "the rules {} are flat by {flat_by}, and TopstepX closes at 16:10: take rules with flat_by at or before {cut}, \
         such as --rules mes-1k-topstep",
        rules.name
    )))
}

fn kind_of(account: &Account, place: &ServiceArgs, real: bool) -> Result<Kind> {
    let name = &account.name;
    if !account.simulated {
        return Err(Error::usage(format!(
            "{name} is a live funded account: the firm forbids programs on it"
        )));
    }
    if !account.can_trade {
        return Err(Error::stopped(format!("{name} cannot trade: look at it at TopstepX")));
    }
    if place.is_practice() {
        Ok(Kind::Exercise)
    } else if name.starts_with("PRAC-") {
        Ok(Kind::Practice)
    } else if real {
        Ok(Kind::Real)
    } else {
        Err(Error::usage(format!("{name} is no practice account: --real, if you mean it")))
    }
}

impl Found {
    /// Introduces the account as it is before anything was looked at.
    pub fn hello(&self) -> Hello {
        let (id, root) = (self.account.id.to_string(), self.contract.symbol_id.trim_start_matches("F.US."));
        Hello {
            account: id,
            name: self.account.name.clone(),
            contract: root.to_owned(),
            can_trade: self.account.can_trade,
            cut: NaiveTime::from_hms_opt(CUT.0, CUT.1, 0),
            ..Hello::new(self.kind, "topstepx", self.account.balance.cents())
        }
    }

    /// Says in one line what was found.
    pub fn says(&self) -> String {
        let kind = match self.kind {
            Kind::Exercise => "an exercise on this machine",
            Kind::Practice => "practice",
            _ => "REAL",
        };
        let (name, balance) = (&self.account.name, self.account.balance.cents());
        format!("account {name}: {kind}, balance {balance}; contract {}", self.contract.name)
    }
}

/// A day that has begun.
pub struct Day {
    pub actor: Actor,
    pub account: Account,
    pub inputs: Sender<Input>,
    pub folder: PathBuf,
    _hubs: [Hub; 2],
    /// Holds the session that others of the run borrow.
    _service: Service,
}

/// Begins a day on an account: keeps it, listens to both hubs, looks at what it has.
///
/// # Errors
///
/// What stands in the way, before anything was placed; over a position of ours its stop was secured first.
pub fn begin(found: Found, args: &AccountArgs, settings: &Settings, state: &Path) -> Result<Day> {
    let mut hello = found.hello();
    let kept = Kept::open(state, &hello)?;
    if found.kind == Kind::Real {
        confirm(&kept.folder, &found.account.name)?;
    }
    let clock = found.service.clock.clone();
    let (sender, inputs) = channel();
    let setup = setup(&found, args, settings, kept.book.order);
    (hello.kept, hello.seen) = (Some(kept.book.clone()), kept.book.order);
    let folder = kept.folder.clone();
    let kept = Arc::new(Mutex::new(kept));
    let now = clock.now();
    let journal = journal(&folder, &clock, (&setup, now), Arc::clone(&kept))?;
    log::note(format!("journal {}", journal.path.display()));
    let client = found.service.client.clone().within(CALL);
    let halt = folder.join(HALT);
    let threads = Threads { client, inputs: sender.clone(), journal, kept, halt };
    let core = Core::new(setup, now);
    let band = settings.rules.value.breakers.quote_band;
    let mut venue = Venue::new(core, threads, clock.clone(), hello.clone(), band);
    let hubs = listen(&found, &sender)?;
    look(&mut venue, &inputs, &clock)?;
    settle(&mut venue, args, &inputs, &clock)?;
    let core = venue.core();
    (hello.position, hello.balance_cents) = (core.exposure(), core.balance());
    hello.working = core.working();
    venue.greet(hello.clone());
    let guard = Guard::new(venue, settings, clock.clone())?;
    let actor = Actor::start(guard, hello, clock, (sender.clone(), inputs))?;
    Ok(Day { actor, account: found.account, inputs: sender, folder, _hubs: hubs, _service: found.service })
}

fn setup(found: &Found, args: &AccountArgs, settings: &Settings, seen: u64) -> Setup {
    let rules = &settings.rules.value;
    let today = mes_core::tz::new_york(found.service.now().utc).date();
    Setup {
        account: found.account.id,
        contract: found.contract.id.clone(),
        nonce: mes_pipe::account::nonce().chars().take(10).collect(),
        own_oco: args.own_oco,
        adopt: args.adopt,
        tick_value: rules.contract.tick_value(),
        side_cost: settings.costs.value.rate(today).side(),
        lifetime: rules.entries.lifetime(),
        widest_ticks: rules.guard.max_stop_ticks,
        seen,
        balance: found.account.balance.cents(),
    }
}

fn journal(
    folder: &Path,
    clock: &Clock,
    (setup, now): (&Setup, Now),
    kept: Arc<Mutex<Kept>>,
) -> Result<Journal> {
    let stamp = mes_core::time::format(now.utc / SECOND * SECOND).replace([':', '-'], "");
    let path = folder.join(format!("exec-{stamp}-{}.jsonl", setup.nonce));
    let took = move |order| kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).took(order);
    let journal = Journal::begin(path, clock.clone(), took)?;
    journal.add(now, Entry::Begin(setup.clone()));
    Ok(journal)
}

/// Asks a person to type the name of an account that is no practice account, once.
fn confirm(folder: &Path, name: &str) -> Result<()> {
    let mark = folder.join("real");
    if mark.exists() {
        return Ok(());
    }
    let tty = |error: std::io::Error| {
        Error::usage(format!("/dev/tty: {error}: the first start on {name} needs a person"))
    };
    fs::write("/dev/tty", format!("{name} is a REAL account. Type its name to trade it: ")).map_err(tty)?;
    let mut typed = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(fs::File::open("/dev/tty").map_err(tty)?),
        &mut typed,
    )
    .map_err(tty)?;
    if typed.trim() != name {
        return Err(Error::usage("that is not its name: nothing was done"));
    }
    private::write(&mark, name.as_bytes()).map_err(|error| Error::from(error).at(mark.display()))
}

/// Listens to what happens on the account and to the best prices of its contract.
fn listen(found: &Found, inputs: &Sender<Input>) -> Result<[Hub; 2]> {
    let told = inputs.clone();
    let tell = move |_: Now, event: HubEvent| {
        let event = match event {
            HubEvent::User(user) => Event::User { user },
            HubEvent::Up { gap } => Event::Up { gap: gap.is_some() },
            HubEvent::Down { why } => Event::Down { why },
            HubEvent::Malformed(what) => Event::Malformed { what },
            HubEvent::Logout => Event::Logout,
            HubEvent::Market(_) => return,
        };
        let _ = told.send(Input::Event(event));
    };
    let user = Hub::listen(found.service.door(HubKind::User), Subscription::account(found.account.id), tell)?;
    let (told, contract) = (inputs.clone(), found.contract.id.clone());
    let (mut known, mut sent) = (Quote::default(), (None, i64::MIN));
    let tell = move |now: Now, event: HubEvent| {
        if matches!(event, HubEvent::Logout) {
            let _ = told.send(Input::Event(Event::Logout));
        }
        // What the connection before knew is no part of what the next one tells, which may begin before it is confirmed.
        if matches!(event, HubEvent::Down { .. }) {
            known = Quote::default();
        }
        let HubEvent::Market(MarketEvent::Quote { contract: of, change }) = event else { return };
        if of != contract {
            return;
        }
        known.merge(&change);
        let price = |decimal: Option<mes_projectx::wire::Decimal>| decimal?.ticks().map(Price::from_ticks);
        let (Some(bid), Some(ask)) = (price(known.best_bid), price(known.best_ask)) else { return };
        let apart = if sent.0 == Some((bid, ask)) { SAME_QUOTES } else { QUOTES };
        if bid < ask && now.steady.saturating_sub(sent.1) >= apart {
            sent = (Some((bid, ask)), now.steady);
            let _ = told.send(Input::Event(Event::Quote { bid, ask }));
        }
    };
    let contract = Subscription::contract(&found.contract.id, false);
    let market = Hub::listen(found.service.door(HubKind::Market), contract, tell)?;
    Ok([user, market])
}

/// Lets events come until the exchange was looked at.
fn look(venue: &mut Venue<Threads>, inputs: &Receiver<Input>, clock: &Clock) -> Result<()> {
    venue.take(Event::Timer);
    let until = clock.now().steady + FIRST_LOOK;
    pump(venue, inputs, clock, until, |core| !core.is_starting());
    if venue.core().is_starting() {
        return Err(Error::failed("TopstepX does not say what is on the account: nothing was done"));
    }
    Ok(())
}

/// Decides what becomes of a position that is open already.
fn settle(
    venue: &mut Venue<Threads>,
    args: &AccountArgs,
    inputs: &Receiver<Input>,
    clock: &Clock,
) -> Result<()> {
    let (open, ours) = (venue.core().exposure(), venue.core().is_ours());
    if open == 0 {
        return Ok(());
    }
    if args.flatten {
        venue.take(Event::Flatten { reason: ExitReason::Outside });
        pump(venue, inputs, clock, clock.now().steady + FIRST_LOOK, Core::is_flat);
        return if venue.core().is_flat() { Ok(()) } else { Err(Error::stopped(venue.core().left())) };
    }
    if !ours && !args.adopt {
        return Err(Error::stopped(format!(
            "{open} contracts are open that are not ours: close them, or give --adopt to protect them, or --flatten"
        )));
    }
    // What protects it comes first, whatever the two ends then say to each other.
    let until = clock.now().steady + 3 * SECOND;
    pump(venue, inputs, clock, until, Core::is_protected);
    log::note(format!("{open} contracts are open and taken over"));
    Ok(())
}

fn pump(
    venue: &mut Venue<Threads>,
    inputs: &Receiver<Input>,
    clock: &Clock,
    until: i64,
    enough: impl Fn(&Core) -> bool,
) {
    while !enough(venue.core()) && clock.now().steady < until {
        if let Ok(Input::Event(event)) = inputs.recv_timeout(clock.until(venue.due().min(until))) {
            venue.take(event);
        }
        if clock.now().steady >= venue.due() {
            venue.take(Event::Timer);
        }
    }
}
