//! Rules, costs and calendar: built in, or from a file.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mes_core::{
    calendar::Calendar,
    costs::Costs,
    fills::{Fills, Latency, Model},
    rules::{self, Rules},
    run::Named,
    time::MILLI,
};

use crate::{Error, Result, limits, lineage::hash, suggest::meant};

#[derive(Args, Clone, Debug, Default)]
pub struct CalendarArgs {
    /// Closed days and early closes instead of the calendar built in
    #[arg(long, value_name = "FILE")]
    pub calendar: Option<PathBuf>,
}

impl CalendarArgs {
    /// Reads the calendar.
    ///
    /// # Errors
    ///
    /// `Usage` where the file cannot be read, or is no calendar.
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

#[derive(Args, Clone, Debug)]
pub struct SettingsArgs {
    /// Rules of the account: a name (mes-1k, mes-1k-topstep, mnq-1k, topstep-50k, topstep-100k, topstep-150k) or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "mes-1k")]
    pub rules: String,
    /// Costs of a trade: those that the rules name (rules), another name (owner, topstepx, topstepx-mini) or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "rules")]
    pub costs: String,
    /// How the paper account fills orders
    #[arg(long, value_enum, default_value = "conservative")]
    pub fills: FillModel,
    /// How long an order takes: milliseconds, or a recording (CSV with req and exch in nanoseconds) to draw from
    #[arg(long, value_name = "MS|FILE", default_value = "0")]
    pub latency: String,
    #[command(flatten)]
    pub calendar: CalendarArgs,
}

/// What the flags are where none is given.
impl Default for SettingsArgs {
    fn default() -> Self {
        let (fills, calendar) = (FillModel::default(), CalendarArgs::default());
        SettingsArgs { rules: "mes-1k".into(), costs: "rules".into(), fills, latency: "0".into(), calendar }
    }
}

/// [`Model`] as a flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FillModel {
    /// Market orders at the next open with slippage, targets when traded through, the stop first
    #[default]
    Conservative,
    /// The same, but targets when touched
    Realistic,
    /// Market orders at the signal's close, targets when touched and first: a bound, not a forecast
    Optimistic,
}

impl From<FillModel> for Model {
    fn from(model: FillModel) -> Model {
        match model {
            FillModel::Conservative => Model::Conservative,
            FillModel::Realistic => Model::Realistic,
            FillModel::Optimistic => Model::Optimistic,
        }
    }
}

/// What every decision and every fill depends on beside the rows.
#[derive(Clone, Debug)]
pub struct Settings {
    pub rules: Named<Rules>,
    pub costs: Named<Costs>,
    pub fills: Fills,
    pub calendar: Named<Calendar>,
}

impl SettingsArgs {
    /// Reads them all.
    ///
    /// # Errors
    ///
    /// `Usage` where a name is unknown, a file cannot be read or means nothing, or they do not go together.
    pub fn read(&self) -> Result<Settings> {
        let (_, text) = named("rules", &self.rules, &rules::SHIPPED)?;
        let whole = rules::whole(&text)
            .map_err(|error| Error::usage(format!("{error}{}", base_meant(&text))).at(&self.rules))?;
        let value = Rules::parse(&whole)
            .map_err(|error| Error::usage(flaw(&error.to_string(), whole != text)).at(&self.rules))?;
        let rules = Named { blake3: hash(whole.as_bytes()), value };
        let name = if self.costs == "rules" { &rules.value.costs } else { &self.costs };
        let (blake3, text) = named("costs", name, &mes_core::costs::SHIPPED)?;
        let costs =
            Named { blake3, value: Costs::parse(&text).map_err(|error| Error::usage(error).at(name))? };
        let (contract, contracts) = (rules.value.contract, &costs.value.contracts);
        if !contracts.contains(&contract) {
            let roots: Vec<_> = contracts.iter().map(|contract| contract.root()).collect();
            return Err(Error::usage(format!(
                "the rules trade {contract}, the costs {name} are those of {}: name others by --costs, or by costs in the \
                 rules",
                roots.join(" and ")
            )));
        }
        let fills = Fills { model: self.fills.into(), latency: self.latency()? };
        if fills.model == Model::Optimistic && !fills.latency.is_none() {
            return Err(Error::usage("--fills optimistic fills at the signal: it has no --latency"));
        }
        Ok(Settings { rules, costs, fills, calendar: self.calendar.read()? })
    }

    fn latency(&self) -> Result<Latency> {
        let name = self.latency.as_str();
        let latency = match name.parse::<f64>() {
            Ok(ms) if ms.is_finite() => Latency::constant((ms * MILLI as f64).round() as i64),
            _ => Latency::parse(&read(Path::new(name))?),
        };
        latency.map_err(|error| Error::usage(error).at(format!("--latency {name}")))
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
                "--{what} {name}: neither a file nor one of {}{}",
                names.join(", "),
                meant(name, names.iter().copied())
            )));
        }
    };
    Ok((hash(text.as_bytes()), text))
}

/// Says which of the shipped rules a base that is none of them may mean.
fn base_meant(text: &str) -> String {
    let base = text.lines().find_map(|line| line.trim().strip_prefix("base")?.trim_start().strip_prefix('='));
    let name = base.and_then(|base| base.split('"').nth(1)).unwrap_or_default();
    meant(name, rules::SHIPPED.iter().map(|(name, _)| *name))
}

/// Says what is wrong with rules, and what may have been meant. The lines of a file with a base are counted in a text that
/// nobody wrote, so the line itself stands there.
fn flaw(error: &str, has_base: bool) -> String {
    let quoted = error.lines().filter_map(|line| line.split_once(" | ")).map(|(_, line)| line.trim());
    let line = quoted.filter(|_| has_base).find(|line| !line.is_empty() && !line.starts_with('^'));
    let said = match (line, error.trim_end().lines().last()) {
        (Some(line), Some(last)) => format!("{line}: {last}"),
        _ => error.to_owned(),
    };
    let meant = said.split_once("unknown field `").and_then(|(_, rest)| {
        let mut words = rest.split('`').step_by(2);
        let word = words.next()?;
        Some(meant(word, rest.split('`').skip(2).step_by(2)))
    });
    let rest = !has_base && said.contains("missing field");
    let rest = if rest { "; base = \"mes-1k\" as the first line gives what is not said" } else { "" };
    said + &meant.unwrap_or_default() + rest
}

fn read(path: &Path) -> Result<String> {
    limits::settings_text(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rules_file_is_told_what_was_meant() {
        let said = |text: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("own.toml");
            std::fs::write(&path, text).expect("written");
            let rules = path.display().to_string();
            SettingsArgs { rules, ..SettingsArgs::default() }.read().expect_err("refused").to_string()
        };
        let error = said("base = \"mes1k\"\n");
        assert!(error.ends_with("; is mes-1k meant?"), "{error}");
        let error = said("name = \"own\"\n");
        assert!(error.contains("missing field") && error.contains("base = \"mes-1k\""), "{error}");
    }
}
