//! The name by which rules are shown. It has to say when they are not what the name stands for.

use super::{Rules, SHIPPED};

/// What is put behind a shipped name over other numbers.
const CHANGED: char = '*';

/// Returns the name of rules: that of a shipped file only with that file's numbers, else with a star behind it.
pub(super) fn shown(rules: &Rules) -> String {
    let name = rules.name.trim_end_matches(CHANGED);
    let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) else {
        return rules.name.clone();
    };
    let same = toml::from_str::<Rules>(text)
        .is_ok_and(|shipped| shipped == Rules { name: shipped.name.clone(), ..rules.clone() });
    if same { name.to_owned() } else { format!("{name}{CHANGED}") }
}
