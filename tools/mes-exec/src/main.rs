use std::process::ExitCode;

fn main() -> ExitCode {
    mes_pipe::run("mes-exec", mes_exec::main)
}
