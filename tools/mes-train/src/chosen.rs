//! The family that the command line names. Flags that all families share may stand before its name or behind it; its
//! own options, and the files, stand behind it.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand, error::ErrorKind};
use mes_pipe::InputArgs;
use serde_json::Value;

use crate::family::{FAMILIES, Trainer};

/// A family with what it was told, and the rows it is to learn from.
pub struct Chosen {
    pub name: &'static str,
    pub trainer: Box<dyn Trainer>,
    /// Its options by name, for the lineage.
    pub options: Value,
    pub input: InputArgs,
}

impl FromArgMatches for Chosen {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Chosen, clap::Error> {
        let unnamed =
            || clap::Error::raw(ErrorKind::MissingSubcommand, "no FAMILY: mes-train --help lists them");
        let (name, matches) = matches.subcommand().ok_or_else(unnamed)?;
        let family = FAMILIES.iter().find(|family| family.name == name).ok_or_else(unnamed)?;
        let (trainer, options) = family.read(matches)?;
        Ok(Chosen { name: family.name, trainer, options, input: InputArgs::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Chosen::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Chosen {
    fn augment_subcommands(command: Command) -> Command {
        let input = InputArgs::augment_args(Command::new("input"));
        let (files, flags): (Vec<Arg>, Vec<Arg>) =
            input.get_arguments().cloned().partition(Arg::is_positional);
        command
            .args(flags)
            .mut_args(|flag| flag.global(true))
            .subcommands(FAMILIES.iter().map(|family| family.command().args(&files)))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Chosen::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        FAMILIES.iter().any(|family| family.name == name)
    }
}
