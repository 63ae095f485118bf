//! All tools in one program with many names, so that what they share is installed once: started by a link called
//! `mes-bars`, or as `mes bars`, it is mes-bars. What is about all of them is its own: `mes demo`, `mes help`.

mod demo;
mod pages;

use std::{
    env,
    ffi::OsStr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use mes_pipe::{Error, Result, answer, log, run, suggest};

struct Tool {
    name: &'static str,
    main: fn() -> ExitCode,
    command: fn() -> clap::Command,
}

macro_rules! tools {
    ($($name:literal $library:ident)*) => {
        [$(Tool {
            name: $name,
            main: || run($name, $library::main),
            command: || command($library::main),
        }),*]
    };
}

/// One tool, one line, in the order that data takes through them.
const TOOLS: [Tool; 14] = tools! {
    "mes-fetch" mes_fetch
    "mes-bars" mes_bars
    "mes-features" mes_features
    "mes-train" mes_train
    "mes-predict" mes_predict
    "mes-risk" mes_risk
    "mes-exec" mes_exec
    "mes-bt" mes_bt
    "mes-lab" mes_lab
    "mes-check" mes_check
    "mes-projectx" mes_projectx
    "mes-alert" mes_alert
    "mes-sim" mes_sim
    "mes-watch" mes_watch
};

impl Tool {
    /// Returns its name without `mes-`.
    fn word(&self) -> &'static str {
        self.name.trim_start_matches("mes-")
    }

    /// Returns the first line of its help.
    fn about(&self) -> String {
        let about = (self.command)().get_about().map(ToString::to_string).unwrap_or_default();
        about.lines().next().unwrap_or_default().to_owned()
    }
}

/// From ticks of MES futures to orders, in small tools joined by pipes.
///
/// mes TOOL is the same as mes-TOOL: `mes bars --help` says what mes-bars reads and writes. Wherever a command line
/// begins with mes-, it may begin with mes and a space.
#[derive(Subcommand)]
enum Verb {
    /// Trade a made-up week with the shipped model, through all tools, to a report; takes seconds
    Demo(demo::DemoArgs),
    /// Explain the pipe, its columns, the money, or a tool
    Help {
        /// pipe, columns, money, or a tool
        topic: Option<String>,
    },
    /// Print the names of the tools, one a line
    #[command(long_flag = "list", hide = true)]
    List,
    /// Write a man page of each verb of each tool into a folder
    #[command(long_flag = "verbs", hide = true)]
    Verbs { folder: PathBuf },
}

/// The words of this program: its own verbs, and every tool.
struct Mes(Verb);

impl CommandFactory for Mes {
    fn command() -> clap::Command {
        let tools = TOOLS.iter().map(|tool| clap::Command::new(tool.word()).about(tool.about()));
        let command = clap::Command::new("mes")
            .disable_help_subcommand(true)
            .subcommand_required(true)
            .subcommand_value_name("TOOL")
            .subcommand_help_heading("Tools")
            .after_help(
                "Examples:
  mes demo                                   # all of it on made-up data, in seconds
  mes help pipe                              # also: columns, money
  mes bars --help                            # what mes-bars reads and writes
  mes bars day.csv | mes features | mes predict --rule ema-cross | mes bt

Exit codes: 0 done, 1 failed, 2 arguments or rules, 3 data, 4 stopped on purpose",
            )
            .subcommands(tools);
        Verb::augment_subcommands(command)
    }

    fn command_for_update() -> clap::Command {
        Self::command()
    }
}

impl FromArgMatches for Mes {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        Verb::from_arg_matches(matches).map(Mes)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Parser for Mes {}

fn main() -> ExitCode {
    let mut words = env::args_os();
    let called = words.next().unwrap_or_default();
    if let Some(tool) = Path::new(&called).file_name().and_then(find) {
        return (tool.main)();
    }
    log::begin("mes", false);
    let Some(word) = words.next() else {
        return told(answer::print(Mes::command().render_help().to_string()), ExitCode::from(2));
    };
    match named(&word) {
        Some(tool) => failed(&become_tool(tool, words)),
        None if own(&word) => run("mes", |mes: Mes| act(&mes.0)),
        None => {
            let word = word.to_string_lossy();
            let known = TOOLS.iter().map(Tool::word).chain(["demo", "help"]);
            let meant = suggest::meant(&word, known);
            failed(&Error::usage(format!("{word}: there is no such tool; `mes --help` lists them{meant}")))
        }
    }
}

/// Says whether a word is for this program itself.
fn own(word: &OsStr) -> bool {
    ["demo", "help"].iter().any(|verb| word == *verb) || word.as_encoded_bytes().starts_with(b"-")
}

fn act(verb: &Verb) -> Result<()> {
    match verb {
        Verb::Demo(args) => demo::run(args),
        Verb::List => answer::print(TOOLS.iter().map(|tool| format!("{}\n", tool.name)).collect::<String>()),
        Verb::Verbs { folder } => {
            pages::verbs(folder, TOOLS.iter().map(|tool| (tool.name, (tool.command)())))
        }
        Verb::Help { topic: None } => answer::print(Mes::command().render_long_help().to_string()),
        Verb::Help { topic: Some(topic) } => match named(OsStr::new(topic)) {
            Some(tool) => Err(become_tool(tool, ["--help"])),
            None => pages::show(topic, TOOLS.iter().map(Tool::word)),
        },
    }
}

/// Starts this program again by the name of the tool, which is then its name for whoever looks at processes. Returns only
/// where that cannot be.
fn become_tool(tool: &Tool, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Error {
    let error = match env::current_exe() {
        Ok(own) => Command::new(own).arg0(tool.name).args(words).exec(),
        Err(error) => error,
    };
    Error::from(error).at(tool.name)
}

/// Finds a tool by its name, with or without `mes-`.
fn named(word: &OsStr) -> Option<&'static Tool> {
    find(word).or_else(|| TOOLS.iter().find(|tool| word == tool.word()))
}

fn find(name: &OsStr) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| name == tool.name)
}

/// Returns what a tool's arguments are.
fn command<A: CommandFactory>(_: fn(A) -> Result<()>) -> clap::Command {
    A::command()
}

fn told(printed: Result<()>, code: ExitCode) -> ExitCode {
    printed.map_or_else(|error| failed(&error), |()| code)
}

fn failed(error: &Error) -> ExitCode {
    if error.code() != 0 {
        log::error(error);
    }
    ExitCode::from(error.code())
}
