use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-features", mes_features::main)
}
