use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-lab", mes_lab::main)
}
