//! Where TopstepX is, what time it is there, and who speaks for the user: the flags that all tools have in common, and
//! what is behind them.
//!
//! One session for a run: whoever trades lends his. Where nobody lends, the tool logs in by itself and lends in its turn
//! ([`ServiceArgs::lending`]), so that what starts later in the same run does not log in as well.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mes_core::{
    contract::Name,
    time::{Now, Ts},
    tz,
};
use mes_pipe::{
    Error, Result,
    clock::{Clock, Deadline},
    stop,
};
use mes_web::Base;

use crate::{
    client::{Client, Question},
    heir::Heir,
    hub::{Kind, socket::Door},
    limiter::Purpose,
    outcome::{Failure, Refusal},
    session::{Access, Credentials, Keeper, is_refused},
    share::{Borrowed, Share, Without},
    wire::{Account, Accounts, AvailableContracts, Bar, Bars, Code, Contract, Endpoint, Stamp, Unit},
};

const REST: &str = "https://api.topstepx.com";
const HUBS: &str = "https://rtc.topstepx.com";
/// The run directory of whoever names none.
const RUN: &str = "run";
/// For whoever holds the session of a run to answer.
pub const LENDER: Duration = Duration::from_secs(15);
/// The same for who inherits it: a close does not wait longer for a lender that hangs.
const TESTATOR: Duration = Duration::from_secs(1);
/// Between two looks whether somebody lends by now.
const LOOK: Duration = Duration::from_millis(50);
/// For one call.
const CALL: Duration = Duration::from_secs(30);
/// Bars of one answer.
const MOST_BARS: i64 = 20_000;

/// Where the service is.
#[derive(Clone, Debug, clap::Args)]
pub struct ServiceArgs {
    /// Where REST is; plain http on this machine only
    #[arg(long, value_name = "URL", env = "TOPSTEPX_API_URL", default_value = REST, global = true, value_parser = base)]
    api: Base,
    /// Where the hubs are; plain http on this machine only
    #[arg(long, value_name = "URL", env = "TOPSTEPX_HUBS_URL", default_value = HUBS, global = true, value_parser = base)]
    hubs: Base,
    /// Run directory: where a mes-exec trades, its session is used in place of a login [default: run]
    #[arg(long, value_name = "DIR", env = "MES_RUN", global = true)]
    run: Option<PathBuf>,
    /// Time of an exchange to practise on, as mes-sim env gives it; refused where anything is elsewhere
    #[arg(long, value_name = "CLOCK", env = "MES_CLOCK", global = true, value_parser = Clock::parse)]
    clock: Option<Clock>,
}

fn base(text: &str) -> std::result::Result<Base, String> {
    Base::parse(text).map_err(|bad| format!("{text:?} {bad}"))
}

/// The service, with a session that is opened by the first call.
pub struct Service {
    pub client: Client,
    pub access: Arc<dyn Access>,
    pub hubs: Base,
    pub clock: Clock,
    /// Another process of the run lends the session.
    pub borrowed: bool,
    /// Lends it to others for as long as it is held.
    pub share: Option<Share>,
}

impl ServiceArgs {
    /// Says whether a run directory was named.
    pub fn names_run(&self) -> bool {
        self.run.is_some()
    }

    /// Returns the run directory.
    pub fn run(&self) -> &Path {
        self.run.as_deref().unwrap_or(Path::new(RUN))
    }

    /// Says whether the service is one to practise on, on this machine.
    pub fn is_practice(&self) -> bool {
        self.api.is_plain() && self.hubs.is_plain()
    }

    /// Uses the session of the run where somebody lends it now, else one of its own. `name` is what the service is told
    /// that asks.
    ///
    /// # Errors
    ///
    /// `Usage` for a clock at a real service, or without user and key.
    pub fn open(&self, name: &str) -> Result<Service> {
        let clock = self.clock()?;
        match Borrowed::from(self.run(), LENDER) {
            Some(borrowed) => Ok(self.service(name, clock, Arc::new(borrowed), true, None)),
            None => {
                let keeper = self.keeper(name, &clock)?;
                Ok(self.service(name, clock, keeper, false, None))
            }
        }
    }

    /// Logs in whoever else holds a session: for what must not wait for one that hangs.
    ///
    /// # Errors
    ///
    /// As [`ServiceArgs::open`].
    pub fn alone(&self, name: &str) -> Result<Service> {
        let clock = self.clock()?;
        let keeper = self.keeper(name, &clock)?;
        Ok(self.service(name, clock, keeper, false, None))
    }

    /// Waits so long for somebody who lends the session of the run, else takes one of its own and lends that.
    ///
    /// # Errors
    ///
    /// As [`ServiceArgs::open`]; `Stopped` where a person ends the wait; what a run directory is refused for.
    pub fn lending(&self, name: &str, wait: Duration) -> Result<Service> {
        let clock = self.clock()?;
        let lent = || Borrowed::from(self.run(), LENDER);
        let borrowed = |borrowed, clock| self.service(name, clock, Arc::new(borrowed), true, None);
        let until = Deadline::after(wait);
        loop {
            if let Some(found) = lent() {
                return Ok(borrowed(found, clock));
            }
            if stop::asked() {
                return Err(stop::error());
            }
            match until.left() {
                Duration::ZERO => break,
                left => std::thread::sleep(left.min(LOOK)),
            }
        }
        let keeper = self.keeper(name, &clock)?;
        // Whoever was quicker lends to us.
        match Share::open(self.run(), keeper.clone()) {
            Ok(share) => Ok(self.service(name, clock, keeper, false, Some(share))),
            Err(error) => lent().map(|found| borrowed(found, clock)).ok_or(error),
        }
    }

    /// Lends a session of its own, or borrows that of the run and takes it over once its lender is gone: for whoever holds an
    /// account. For the first token of who lends it waits so long.
    ///
    /// # Errors
    ///
    /// As [`ServiceArgs::open`], what a run directory is refused for, and what who lends says of a login that is refused.
    pub fn inheriting(&self, name: &str, first: Duration) -> Result<Service> {
        let clock = self.clock()?;
        let keeper = self.keeper(name, &clock)?;
        let lent = match Borrowed::from(self.run(), first) {
            Some(lent) => lent,
            None => match Share::open(self.run(), keeper.clone()) {
                Ok(share) => return Ok(self.service(name, clock, keeper, false, Some(share))),
                // Whoever was quicker lends to us.
                Err(error) => Borrowed::from(self.run(), first).ok_or(error)?,
            },
        };
        match lent.lent() {
            Ok(_) => {
                let heir = Heir::new(lent.within(TESTATOR), keeper, self.run());
                Ok(self.service(name, clock, Arc::new(heir), true, None))
            }
            Err(Without::Refused(why)) => Err(Error::failed(why)),
            Err(Without::Lost(_)) => {
                let share = Share::open(self.run(), keeper.clone()).ok();
                Ok(self.service(name, clock, keeper, false, share))
            }
        }
    }

    fn service(
        &self,
        name: &str,
        clock: Clock,
        access: Arc<dyn Access>,
        borrowed: bool,
        share: Option<Share>,
    ) -> Service {
        let carrier = Arc::new(mes_web::Client::new(self.api.clone(), name));
        let client = Client::new(carrier, Arc::clone(&access)).within(CALL);
        Service { client, access, hubs: self.hubs.clone(), clock, borrowed, share }
    }

    fn keeper(&self, name: &str, clock: &Clock) -> Result<Arc<Keeper>> {
        let carrier = Arc::new(mes_web::Client::new(self.api.clone(), name));
        Ok(Arc::new(Keeper::new(carrier, Credentials::from_env()?, clock.clone())))
    }

    /// Returns where REST is.
    pub fn api(&self) -> &Base {
        &self.api
    }

    /// Returns the clock of the service: this machine's, or that of an exchange to practise on.
    ///
    /// # Errors
    ///
    /// `Usage` for a made-up clock at a real service.
    pub fn clock(&self) -> Result<Clock> {
        match &self.clock {
            // A made-up time at a real broker would be no time at all.
            Some(_) if !self.is_practice() => {
                Err(Error::usage("--clock is for an exchange on this machine: unset MES_CLOCK"))
            }
            Some(clock) => Ok(clock.clone()),
            None => Ok(Clock::machine()),
        }
    }
}

impl Service {
    /// Returns the time at the service.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Asks a question.
    ///
    /// # Errors
    ///
    /// Why there is no answer, with the exit code of its kind.
    pub fn ask<E: Question>(&self, question: &E) -> Result<E::Answer> {
        self.client.ask(question, Purpose::Look).map_err(|failure| told::<E>(failure))
    }

    /// Opens a hub.
    pub fn door(&self, kind: Kind) -> Door {
        let (base, access, clock) = (self.hubs.clone(), Arc::clone(&self.access), self.clock.clone());
        Door { base, kind, negotiate: None, access, clock }
    }

    /// Finds an account by its name or its id; without either, the only one that can trade.
    ///
    /// # Errors
    ///
    /// As [`Service::ask`], and `Usage` with the names that there are.
    pub fn account(&self, wanted: Option<&str>) -> Result<Account> {
        let accounts = self.ask(&Accounts { only_active_accounts: false })?;
        let names = || accounts.iter().map(|account| account.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = match wanted {
            Some(wanted) => {
                let is_it = |account: &&Account| account.name == wanted || account.id.to_string() == wanted;
                let found = accounts.iter().find(is_it);
                found.ok_or_else(|| format!("no account {wanted:?}: there are {}", names()))
            }
            None => {
                let mut able = accounts.iter().filter(|account| account.can_trade);
                match (able.next(), able.next()) {
                    (Some(only), None) => Ok(only),
                    (Some(_), Some(_)) => Err(format!("several accounts: --account one of {}", names())),
                    (None, _) if accounts.is_empty() => Err("this key opens no account".to_owned()),
                    (None, _) => Err(format!("no account can trade: --account one of {}", names())),
                }
            }
        };
        found.cloned().map_err(Error::usage)
    }

    /// Finds the contracts that are meant among those that can be traded now, by `MES`, `MESZ6` or `CON.F.US.MES.Z26`.
    ///
    /// # Errors
    ///
    /// As [`Service::ask`].
    pub fn contracts(&self, text: &str) -> Result<Vec<Contract>> {
        let today = tz::new_york(self.now().utc).date();
        let root =
            |contract: &Contract| Name::parse(&contract.id, today).ok().map(|name| name.root().to_owned());
        let mut contracts = self.ask(&AvailableContracts { live: false })?;
        contracts.retain(|contract| {
            contract.id == text || contract.name == text || root(contract).as_deref() == Some(text)
        });
        Ok(contracts)
    }

    /// Returns the bars that begin within a span, the oldest first.
    ///
    /// # Errors
    ///
    /// As [`Service::ask`].
    pub fn bars(&self, contract: &str, length: (Unit, i64), span: [Ts; 2]) -> Result<Vec<Bar>> {
        self.client.bars(contract, length, span).map_err(told::<Bars>)
    }
}

impl Client {
    /// Returns the bars that begin within a span, the oldest first: asked for backwards from the end, since the last bars
    /// of a span are what an answer holds, until one says that there are no more or the beginning is reached.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub fn bars(
        &self,
        contract: &str,
        (unit, unit_number): (Unit, i64),
        [from, until]: [Ts; 2],
    ) -> std::result::Result<Vec<Bar>, Failure<<Bars as Endpoint>::Code>> {
        let mut bars: Vec<Bar> = Vec::new();
        let mut end = Stamp::of(until);
        while end.ts() > from {
            let question = Bars {
                contract_id: contract.to_owned(),
                live: false,
                start_time: Stamp::of(from),
                end_time: end,
                unit,
                unit_number,
                limit: MOST_BARS,
                include_partial_bar: false,
            };
            let mut page = self.ask(&question, Purpose::Look)?;
            page.retain(|bar| bar.t < end && bar.t.ts() >= from);
            page.sort_by_key(|bar| bar.t);
            page.dedup_by_key(|bar| bar.t);
            let Some(oldest) = page.first().map(|bar| bar.t) else { break };
            bars.splice(0..0, page);
            end = oldest;
        }
        Ok(bars)
    }
}

/// Says what became of a question, with the exit code of its kind.
fn told<E: Endpoint>(failure: Failure<E::Code>) -> Error {
    let what = format!("{}: {failure}", E::PATH.trim_start_matches("api/"));
    match failure {
        Failure::Unanswered(text) if text.contains("makes no sense") => Error::data(what),
        Failure::Unanswered(_) => Error::failed(what),
        Failure::Refused(refusal) => refused(&refusal, what),
    }
}

fn refused<C: Code>(refusal: &Refusal<C>, what: String) -> Error {
    match refusal {
        Refusal::Code { .. } | Refusal::Unauthorized | Refusal::Status { .. } => Error::usage(what),
        Refusal::NoToken(why) if is_refused(why) => Error::usage(what),
        // Nobody answered, or not yet.
        Refusal::NoToken(_) => Error::failed(what),
        Refusal::Busy { .. } | Refusal::Held { .. } | Refusal::Unsent(_) => Error::failed(what),
    }
}
