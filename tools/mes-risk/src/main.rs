use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-risk", mes_risk::main)
}
