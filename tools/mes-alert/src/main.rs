use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-alert", mes_alert::main)
}
