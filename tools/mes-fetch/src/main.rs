use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-fetch", mes_fetch::main)
}
