//! Whether help is printed in colour: `--color`, else `NO_COLOR` and what stdout is.

use std::{env, ffi::OsString};

use clap::{Arg, ColorChoice, Command, builder::PossibleValuesParser};

const FLAG: &str = "color";

/// Adds the flag to a tool and to all that it does, and does as it says.
pub(crate) fn flag(command: Command) -> Command {
    let arg = Arg::new(FLAG)
        .long(FLAG)
        .value_name("WHEN")
        .value_parser(PossibleValuesParser::new(["auto", "always", "never"]))
        .hide_possible_values(true)
        .help("Colour in help: auto (a terminal without NO_COLOR), always, never")
        .global(true);
    command.arg(arg).color(wanted(env::args_os().skip(1)))
}

/// Finds the flag among the arguments: how help is printed has to be known before they are understood.
fn wanted(words: impl Iterator<Item = OsString>) -> ColorChoice {
    let mut words = words.map(|word| word.to_string_lossy().into_owned()).take_while(|word| word != "--");
    let mut choice = ColorChoice::Auto;
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        choice = match value.as_deref() {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            Some("auto") => ColorChoice::Auto,
            _ => choice,
        };
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_counts_and_none_behind_two_dashes() {
        let of = |line: &str| wanted(line.split(' ').map(OsString::from));
        assert_eq!(of("day.csv"), ColorChoice::Auto);
        assert_eq!(of("--color never day.csv"), ColorChoice::Never);
        assert_eq!(of("--color=never --color=always"), ColorChoice::Always);
        assert_eq!(of("--colors never"), ColorChoice::Auto);
        assert_eq!(of("-- --color never"), ColorChoice::Auto);
    }
}
