fn main() -> std::process::ExitCode {
    mes_pipe::run("mes-watch", mes_watch::main)
}
