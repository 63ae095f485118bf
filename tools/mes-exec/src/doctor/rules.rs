//! Rules and costs against the broker they are to be kept at.

use mes_core::{costs, tz};

use super::{
    Desk,
    check::{Check, fail, ok, warn},
};
use crate::topstepx::open;

/// Looks whether the rules are flat by the time at which the firm closes.
pub fn rules(desk: &Desk) -> Check {
    let settings = match &desk.settings {
        Ok(settings) => settings,
        Err(error) => return fail("rules", error),
    };
    let rules = &settings.rules.value;
    if let Err(error) = open::in_time(rules) {
        return fail("rules", error);
    }
    let flat_by = rules.day_end.flat_by.format("%H:%M");
    let contract = rules.contract;
    ok("rules", format!("{}: {contract}, flat by {flat_by} New York; TopstepX closes at 16:10", rules.name))
}

/// Looks whether trades are counted at what this broker charges.
pub fn costs(desk: &Desk) -> Check {
    let settings = match &desk.settings {
        Ok(settings) => settings,
        Err(_) => return fail("costs", "not known: see the rules"),
    };
    let (name, today) = (&settings.costs.value.name, tz::new_york(desk.now()).date());
    let rate = settings.costs.value.rate(today);
    let round = rate.side().0 * 2;
    let says = format!("{name}: {}.{:02} a round turn since {}", round / 100, round % 100, rate.from);
    let known = costs::SHIPPED.iter().any(|(shipped, _)| shipped == name);
    if known && !name.starts_with("topstepx") {
        return warn("costs", format!("{says}, which is not what TopstepX charges: --costs topstepx"));
    }
    ok("costs", says)
}
