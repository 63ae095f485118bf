use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-predict", mes_predict::main)
}
