use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-projectx", mes_projectx::main)
}
