use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-nets", mes_nets::main)
}
