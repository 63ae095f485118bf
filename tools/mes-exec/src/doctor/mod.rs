//! What a day needs, looked at before it begins: one line a check, what is wrong with what to do about it. Nothing is
//! changed but for a few bytes written to the run directory and taken away again, and nobody is logged in unless asked for.

pub mod check;
mod clock;
mod days;
pub mod key;
mod machine;
mod model;
mod place;
mod rules;

use std::path::{Path, PathBuf};

use mes_core::calendar::Calendar;
use mes_pipe::{
    Error, Result, Settings, SettingsArgs,
    answer::{pretty, print},
};
use mes_projectx::ServiceArgs;

use check::{Came, Check};

/// What is asked of `mes-exec doctor`.
#[derive(clap::Args)]
#[command(mut_arg("rules", |arg| arg.default_value("mes-1k-topstep")))]
pub struct DoctorArgs {
    /// The account at TopstepX, by name or id: for --login
    #[arg(long, value_name = "NAME", env = "MES_ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// The file from which a unit takes user and key [default: ~/.config/mes/env, if it is there]
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
    /// Log in too, and look for account and contract
    #[arg(long)]
    login: bool,
    /// Ask nobody
    #[arg(long, conflicts_with = "login")]
    offline: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Where everything is.
struct Desk<'a> {
    args: &'a DoctorArgs,
    service: &'a ServiceArgs,
    state: PathBuf,
    settings: Result<Settings>,
}

impl Desk<'_> {
    fn run(&self) -> &Path {
        self.service.run()
    }

    /// Returns the calendar that was asked for, else that which is built in.
    fn calendar(&self) -> Calendar {
        self.settings
            .as_ref()
            .map_or_else(|_| Calendar::shipped(), |settings| settings.calendar.value.clone())
    }
}

/// Looks at everything and says it line by line; with `quiet` only what is not well.
///
/// # Errors
///
/// `Usage` where something will not do, `Failed` where it is the network alone, which may be back in a minute.
pub fn run(args: &DoctorArgs, service: &ServiceArgs, state: PathBuf, quiet: bool) -> Result<()> {
    let desk = Desk { args, service, state, settings: args.settings.read() };
    let mut checks: Vec<Check> = Vec::new();
    for look in LOOKS {
        for check in look(&desk) {
            // As it is found: some take seconds.
            if !args.json && (!quiet || check.came != Came::Ok) {
                print(check.line())?;
            }
            checks.push(check);
        }
    }
    if args.json {
        print(pretty(&checks)?)?;
    }
    verdict(&checks)
}

/// What is looked at, in this order: what takes long comes last.
const LOOKS: [fn(&Desk) -> Vec<Check>; 15] = [
    |desk| vec![key::look(desk.args.env.as_deref())],
    |desk| vec![rules::rules(desk)],
    |desk| vec![rules::costs(desk)],
    |desk| vec![days::calendar(desk)],
    |desk| vec![days::session(desk)],
    |desk| vec![place::owned(desk)],
    |desk| vec![place::alone(desk)],
    |desk| vec![place::halted(desk)],
    |desk| vec![place::journal(desk)],
    |desk| vec![machine::disk(desk)],
    |_| vec![machine::memory(), machine::files(), machine::sleep()],
    |_| machine::timer().into_iter().collect(),
    |_| vec![model::look()],
    |_| vec![clock::zones()],
    clock::reach,
];

fn verdict(checks: &[Check]) -> Result<()> {
    let bad = |came: Came| checks.iter().filter(move |check| check.came == came).map(|check| check.check);
    let names: Vec<_> = bad(Came::Fail).chain(bad(Came::Away)).collect();
    let says = format!("not fit for a day: {}", names.join(", "));
    match (bad(Came::Fail).count(), names.is_empty()) {
        (0, true) => Ok(()),
        (0, false) => Err(Error::failed(says)),
        _ => Err(Error::usage(says)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use check::{away, fail, ok, warn};

    #[test]
    fn a_network_that_may_be_back_is_worth_another_try_and_nothing_else_is() {
        let code = |checks: &[Check]| verdict(checks).map_or_else(|error| error.code(), |()| 0);
        assert_eq!(code(&[ok("a", ""), warn("b", "")]), 0);
        assert_eq!(code(&[warn("a", ""), away("b", "")]), 1);
        assert_eq!(code(&[away("a", ""), fail("b", "")]), 2);
    }
}
