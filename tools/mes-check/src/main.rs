use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-check", mes_check::main)
}
