//! Rules, costs and calendar: built in, or from a file.

use std::path::{Path, PathBuf};

use clap::Args;
use mes_core::{calendar::Calendar, costs::Costs, rules::Rules, run::Named};

use crate::{Error, Result, lineage::hash};

#[derive(Args, Clone, Debug, Default)]
pub struct CalendarArgs {
    /// Closed days and early closes instead of the calendar built in
    #[arg(long, value_name = "FILE")]
    pub calendar: Option<PathBuf>,
}

impl CalendarArgs {
    /// Reads the calendar.
    pub fn read(&self) -> Result<Named<Calendar>> {
        let Some(path) = &self.calendar else {
            return Ok(Named {
                blake3: hash(mes_core::calendar::SHIPPED.as_bytes()),
                value: Calendar::shipped(),
            });
        };
        let text = read(path)?;
        let value = Calendar::parse(&text).map_err(|error| Error::usage(error).at(path.display()))?;
        Ok(Named { blake3: hash(text.as_bytes()), value })
    }
}

#[derive(Args, Clone, Debug, Default)]
pub struct SettingsArgs {
    /// Rules of the account: a name (mes-1k, mes-1k-topstep, topstep-50k, topstep-100k, topstep-150k) or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "mes-1k")]
    pub rules: String,
    /// Costs of a trade: those that the rules name (rules), another name (owner, topstepx) or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "rules")]
    pub costs: String,
    #[command(flatten)]
    pub calendar: CalendarArgs,
}

/// What every decision and every fill depends on beside the rows.
#[derive(Clone, Debug)]
pub struct Settings {
    pub rules: Named<Rules>,
    pub costs: Named<Costs>,
    pub calendar: Named<Calendar>,
}

const COSTS: [(&str, &str); 2] = [("owner", mes_core::costs::OWNER), ("topstepx", mes_core::costs::TOPSTEPX)];

impl SettingsArgs {
    /// Reads them all.
    pub fn read(&self) -> Result<Settings> {
        let (blake3, text) = named("rules", &self.rules, &mes_core::rules::SHIPPED)?;
        let rules = Named {
            blake3,
            value: Rules::parse(&text).map_err(|error| Error::usage(error).at(&self.rules))?,
        };
        let name = if self.costs == "rules" { &rules.value.costs } else { &self.costs };
        let (blake3, text) = named("costs", name, &COSTS)?;
        let costs =
            Named { blake3, value: Costs::parse(&text).map_err(|error| Error::usage(error).at(name))? };
        Ok(Settings { rules, costs, calendar: self.calendar.read()? })
    }
}

/// Finds a text by a built-in name or a path, and its hash.
fn named(what: &str, name: &str, known: &[(&str, &str)]) -> Result<(String, String)> {
    let text = match known.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => (*text).to_owned(),
        None if Path::new(name).exists() => read(Path::new(name))?,
        None => {
            let names: Vec<_> = known.iter().map(|(known, _)| *known).collect();
            return Err(Error::usage(format!(
                "--{what} {name}: neither a file nor one of {}",
                names.join(", ")
            )));
        }
    };
    Ok((hash(text.as_bytes()), text))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::usage(error).at(path.display()))
}
