use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-sim", mes_sim::main)
}
