//! All tools in one program with many names, so that what they share is installed once: started by a link called
//! `mes-bars`, or as `mes bars`, it is mes-bars.

use std::{
    env,
    ffi::OsStr,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, ExitCode},
};

use clap::CommandFactory;
use mes_pipe::{Result, answer, log, run};

struct Tool {
    name: &'static str,
    main: fn() -> ExitCode,
    about: fn() -> String,
}

macro_rules! tools {
    ($($name:literal $library:ident)*) => {
        [$(Tool {
            name: $name,
            main: || run($name, $library::main),
            about: || about($library::main),
        }),*]
    };
}

/// One tool, one line, in the order that data takes through them.
const TOOLS: [Tool; 12] = tools! {
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
};

fn main() -> ExitCode {
    let mut words = env::args_os();
    let called = words.next().unwrap_or_default();
    if let Some(tool) = Path::new(&called).file_name().and_then(find) {
        return (tool.main)();
    }
    log::begin("mes", false);
    let Some(word) = words.next() else {
        return told(answer::print(help()), ExitCode::from(2));
    };
    match word.to_str() {
        Some("-h" | "--help" | "help") => told(answer::print(help()), ExitCode::SUCCESS),
        Some("-V" | "--version") => {
            told(answer::print(concat!("mes ", env!("CARGO_PKG_VERSION"), "\n")), ExitCode::SUCCESS)
        }
        Some("--list") => {
            let names: String = TOOLS.iter().map(|tool| format!("{}\n", tool.name)).collect();
            told(answer::print(names), ExitCode::SUCCESS)
        }
        _ => become_tool(&word, words),
    }
}

/// Starts this program again by the name of the tool, which is then its name for whoever looks at processes.
fn become_tool(word: &OsStr, rest: env::ArgsOs) -> ExitCode {
    let mut name = OsStr::new("mes-").to_owned();
    name.push(word);
    let Some(tool) = find(word).or_else(|| find(&name)) else {
        return failed(&mes_pipe::Error::usage(format!(
            "{}: there is no such tool; `mes --help` lists them",
            word.to_string_lossy()
        )));
    };
    let error = match env::current_exe() {
        Ok(own) => Command::new(own).arg0(tool.name).args(rest).exec(),
        Err(error) => error,
    };
    failed(&mes_pipe::Error::from(error).at(tool.name))
}

fn find(name: &OsStr) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| name == tool.name)
}

fn help() -> String {
    let lines = TOOLS.iter().map(|tool| format!("  {:<13} {}\n", tool.name, (tool.about)()));
    let lines: String = lines.collect();
    format!(
        "From ticks of MES futures to orders, in small tools joined by pipes.\n\n\
         Usage: mes <TOOL> [ARGUMENT]...    the same as mes-<TOOL> [ARGUMENT]...\n\n\
         {lines}\n\
         mes <TOOL> --help says what each reads and writes; mes --list prints their names alone.\n"
    )
}

/// Returns the first line of a tool's help.
fn about<A: CommandFactory>(_: fn(A) -> Result<()>) -> String {
    let about = A::command().get_about().map(ToString::to_string).unwrap_or_default();
    about.lines().next().unwrap_or_default().to_owned()
}

fn told(printed: Result<()>, code: ExitCode) -> ExitCode {
    printed.map_or_else(|error| failed(&error), |()| code)
}

fn failed(error: &mes_pipe::Error) -> ExitCode {
    if error.code() != 0 {
        log::error(error);
    }
    ExitCode::from(error.code())
}
