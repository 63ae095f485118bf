use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-bt", mes_bt::main)
}
