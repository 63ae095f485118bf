//! What a person can say: halt, resume, review, reset. Each is recorded with its reason and time, and takes effect on the
//! next row, whether the pipeline runs now or later.

use clap::Args;
use mes_core::{
    ledger::Lasts,
    person::{Person, Says},
    time,
};
use mes_pipe::{Error, Result, SettingsArgs, answer::print, clock};

use crate::{
    place::Place,
    state::{Folder, Snapshot},
    told,
};

#[derive(Args, Clone, Debug)]
pub struct SayArgs {
    /// Why; it is kept with the record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    #[command(flatten)]
    pub place: Place,
}

/// A halt is said in a hurry: why is asked for when it is lifted.
#[derive(Args, Clone, Debug)]
pub struct HaltArgs {
    /// Why; it is kept with the record
    #[arg(long, value_name = "TEXT", default_value = "a person")]
    reason: String,
    #[command(flatten)]
    place: Place,
}

impl HaltArgs {
    /// Halts every account found.
    ///
    /// # Errors
    ///
    /// Those of [`say`].
    pub fn halt(&self) -> Result<()> {
        let Self { reason, place } = self.clone();
        say(&SayArgs { reason, place }, Says::Halt, None)
    }
}

#[derive(Args, Clone, Debug)]
pub struct ResumeArgs {
    #[command(flatten)]
    pub say: SayArgs,
    /// Agree that the account goes on under these rules, a name or a file; a state kept under others stops otherwise
    #[arg(long, value_name = "NAME|FILE")]
    pub rules: Option<String>,
}

/// Records a halt of every account found; of the others, one has to be meant.
///
/// # Errors
///
/// `Usage` where no reason is given, no account is found or several are, `Failed` or `Stopped` where one cannot be
/// told.
pub fn say(args: &SayArgs, says: Says, rules: Option<&str>) -> Result<()> {
    if args.reason.trim().is_empty() {
        return Err(Error::usage("--reason is empty: whoever reads the record later wants to know why"));
    }
    let folders = args.place.find()?;
    if folders.len() > 1 && says != Says::Halt {
        let names: Vec<_> = folders.iter().map(Folder::name).collect();
        return Err(Error::usage(format!("which account? --of {}", names.join(", --of "))));
    }
    let rules = rules.map(agreed).transpose()?;
    for folder in &folders {
        let person = Person {
            ts: clock::now(),
            says,
            reason: args.reason.clone(),
            by: "person".into(),
            rules: rules.clone(),
        };
        tell(&args.place, folder, &person)?;
    }
    Ok(())
}

fn agreed(rules: &str) -> Result<String> {
    let settings = SettingsArgs { rules: rules.into(), ..SettingsArgs::default() };
    Ok(settings.read()?.rules.blake3)
}

fn tell(place: &Place, folder: &Folder, person: &Person) -> Result<()> {
    let running = folder.traded();
    let name = folder.name();
    if !running && place.forgets(folder) {
        return Err(Error::usage(format!(
            "{name}: no pipeline runs in {}, and the next one there begins anew, so nothing said now would last: trade \
             with mes-risk --state DIR to keep an account",
            place.run.display()
        )));
    }
    if let Some(snapshot) = folder.read()? {
        sensible(folder, snapshot, person).map_err(|what| Error::usage(format!("{name}: {what}")))?;
    }
    folder.say(person)?;
    let when = if running { "on the next row" } else { "when a pipeline starts" };
    let line = format!(
        "{name}: {} recorded at {}; {when}: {}\n",
        person.says.name(),
        time::format(person.ts),
        effect(person.says)
    );
    print(line)
}

fn effect(says: Says) -> &'static str {
    match says {
        Says::Halt => "everything is closed, and nothing is entered until mes-risk resume",
        Says::Resume => "the halt is lifted; limits and pauses stay",
        Says::Review => "the account's peak is the equity of then",
        Says::Reset => "the account's start and peak are the equity of then",
        Says::Stop => "the day ends there",
    }
}

/// Says why what is said would change nothing, if so; with what was said before it.
fn sensible(folder: &Folder, snapshot: Snapshot, person: &Person) -> std::result::Result<(), String> {
    let Snapshot { mut ledger, told, .. } = snapshot;
    for before in folder.unheard(told).map_err(|error| error.to_string())? {
        told::told(&mut ledger, &before);
    }
    let lasts = ledger.stopped.as_ref().map(|stopped| stopped.lasts);
    let why = match (person.says, lasts) {
        (Says::Halt | Says::Stop, _) => return Ok(()),
        (Says::Resume, _) if ledger.halted.is_some() || person.rules.is_some() => return Ok(()),
        (Says::Review, Some(Lasts::Review)) | (Says::Reset, Some(Lasts::Review | Lasts::Halt)) => {
            return Ok(());
        }
        (Says::Resume, _) => "nobody has halted it",
        (Says::Review, _) => "the drawdown limit of the account is not reached",
        (Says::Reset, _) => "neither the kill switch nor the drawdown limit of the account is reached",
    };
    Err(match ledger.stopped {
        None => format!("{why}: nothing to lift"),
        Some(stopped) => format!("{why}; it is stopped by {}: {}", stopped.rule, lifted_by(stopped.lasts)),
    })
}

/// Says what ends a stop.
pub fn lifted_by(lasts: Lasts) -> &'static str {
    match lasts {
        Lasts::Day => "the next trading day lifts that",
        Lasts::Review => "mes-risk review lifts that",
        Lasts::Halt => "mes-risk reset lifts that",
    }
}
