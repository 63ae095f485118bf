//! The frame of every tool: arguments, `--man` and the like, errors as one line, exit codes.

use std::{
    env,
    io::{Write, stderr},
    path::Path,
    process::ExitCode,
};

use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, Parser};

use crate::{Error, Result, answer::print, colour, limits, log, schema, suggest::nearest, visible};

/// Parses the arguments, runs the tool and turns its result into an exit code.
pub fn run<A: Parser>(tool: &'static str, main: fn(A) -> Result<()>) -> ExitCode {
    let told = command::<A>(tool);
    // What only prints needs none.
    let needs_verb = told.is_subcommand_required_set();
    if let Some(meant) = misspelt(&told) {
        log::begin(tool, false);
        log::error(&meant);
        return ExitCode::from(meant.code());
    }
    let matches = match told.subcommand_required(false).try_get_matches() {
        Ok(matches) => matches,
        Err(asked) => return tell(&asked),
    };
    log::begin(tool, quiet(&matches));
    limits::begin(&matches);
    let printed = if matches.get_flag("schema") {
        Some(print(schema::describe(tool)))
    } else if matches.get_flag("man") {
        Some(man::<A>(tool))
    } else {
        matches.get_one::<clap_complete::Shell>("completions").map(|shell| {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut command::<A>(tool), tool, &mut text);
            print(&text)
        })
    };
    let done = printed.unwrap_or_else(|| match A::from_arg_matches(&matches) {
        _ if needs_verb && matches.subcommand().is_none() => {
            Err(Error::usage(format!("no command given: {tool} --help lists them")))
        }
        Ok(args) => main(args),
        Err(refused) => Err(Error::usage(refused.render())),
    });
    match done {
        Ok(()) => {
            log::settle();
            ExitCode::SUCCESS
        }
        Err(error) => {
            if error.code() != 0 {
                log::error(&error);
            }
            log::settle();
            ExitCode::from(error.code())
        }
    }
}

/// Refuses a first word that is no file and nearly a verb, before anything waits for it or takes a lock: whoever types `hlat`
/// is in a hurry.
fn misspelt(told: &Command) -> Option<Error> {
    let word = env::args_os().nth(1)?.into_string().ok()?;
    let verbs = || told.get_subcommands().map(Command::get_name);
    let is_word = word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    if !is_word
        || word.starts_with('-')
        || verbs().any(|verb| verb == word || word == "help")
        || Path::new(&word).exists()
    {
        return None;
    }
    nearest(&word, verbs())
        .map(|verb| Error::usage(format!("{word}: no such file or verb; is {verb} meant?")))
}

/// Finds `--quiet`, also behind a subcommand.
fn quiet(matches: &ArgMatches) -> bool {
    matches.try_get_one::<bool>("quiet").ok().flatten().copied().unwrap_or(false)
        || matches.subcommand().is_some_and(|(_, matches)| quiet(matches))
}

fn command<A: CommandFactory>(tool: &'static str) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).action(ArgAction::SetTrue).exclusive(true)
    };
    colour::flag(limits::flags(A::command()))
        .name(tool)
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(100)
        .arg(flag("schema", "Print the columns it reads and writes"))
        .arg(flag("man", "Print the man page"))
        .arg(
            Arg::new("completions")
                .long("completions")
                .value_name("SHELL")
                .help("Print shell completions")
                .value_parser(clap::value_parser!(clap_complete::Shell))
                .exclusive(true),
        )
}

fn man<A: CommandFactory>(tool: &'static str) -> Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command::<A>(tool)).render(&mut page)?;
    print(&page)
}

/// Prints help and version on stdout with 0, a misused argument on stderr with 2.
fn tell(asked: &clap::Error) -> ExitCode {
    if asked.use_stderr() {
        // What was given may be the name of a file that came from anywhere.
        let _ = stderr().lock().write_all(visible::lines(&asked.render().to_string()).as_bytes());
        return ExitCode::from(2);
    }
    match asked.print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(Error::from(error).code()),
    }
}
