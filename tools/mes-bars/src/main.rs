use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-bars", mes_bars::main)
}
