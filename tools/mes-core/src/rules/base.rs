//! A rules file that says only what differs from a shipped one: `base = "mes-1k"` above its first section.

use std::borrow::Cow;

use toml::{Table, Value};

use super::SHIPPED;
use crate::Error;

const BASE: &str = "base";

/// Returns a rules file as a whole one: where it has a base, the base with what the file says put over it, key by key within
/// a section; a list (`[[tier]]`) is replaced. Of this text a hash is taken, so that a base that changes is a change.
///
/// # Errors
///
/// [`Error::Rules`] where the base is no shipped file.
pub fn whole(text: &str) -> Result<Cow<'_, str>, Error> {
    // What is no TOML is told by whoever reads it as rules.
    let Ok(mut own) = text.parse::<Table>() else { return Ok(text.into()) };
    let Some(base) = own.remove(BASE) else { return Ok(text.into()) };
    let shipped = SHIPPED.iter().find(|(name, _)| base.as_str() == Some(name));
    let Some((_, shipped)) = shipped else {
        let names: Vec<_> = SHIPPED.iter().map(|(name, _)| *name).collect();
        return Err(Error::Rules(format!("base = {base}: none of {}", names.join(", "))));
    };
    let wrong = |error: &dyn std::fmt::Display| Error::Rules(format!("base = {base}: {error}"));
    let mut all = shipped.parse::<Table>().map_err(|error| wrong(&error))?;
    overlay(&mut all, own);
    toml::to_string(&all).map(Cow::from).map_err(|error| wrong(&error))
}

fn overlay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => overlay(under, over),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}
