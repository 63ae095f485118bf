use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-train", mes_train::main)
}
