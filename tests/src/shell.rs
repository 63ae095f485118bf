//! Runs shell lines with the built tools first in PATH.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

/// By its path: a name is looked for in the PATH of what is started, for which a copy of this whole process has to be made.
static BASH: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = env::var_os("PATH").unwrap_or_default();
    let bash = env::split_paths(&path).map(|folder| folder.join("bash")).find(|bash| bash.is_file());
    bash.expect("bash in the PATH")
});

/// Returns the folder that holds the tools this test was built with.
pub fn tools() -> PathBuf {
    let test = env::current_exe().expect("the path of the running test");
    let folder = test.ancestors().find(|folder| folder.join("mes-bars").is_file());
    folder.expect("mes-bars beside the tests: build first, `cargo build --release --workspace`").to_owned()
}

/// Returns the root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository")
}

/// Returns the folder of real market data beside the repository, or says that it is not there.
pub fn shared_data() -> Option<PathBuf> {
    let folder = root().parent()?.join("shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    let _ = writeln!(std::io::stderr(), "skipped: no shared data");
    None
}

/// Returns a bash that will run `line` in `folder`, in an odd zone and the plainest locale; a failed stage of a pipe
/// fails the line.
pub fn bash(folder: &Path, line: &str) -> Command {
    let path = env::join_paths(
        std::iter::once(tools()).chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    );
    let mut command = Command::new(&*BASH);
    command.args(["-o", "pipefail", "-c", line]).current_dir(folder);
    command.env("PATH", path.expect("a PATH")).env("LC_ALL", "C").env("TZ", "Asia/Tokyo");
    for name in [
        "MES_RUN",
        "MES_MODEL",
        "TOPSTEPX_USERNAME",
        "TOPSTEPX_API_KEY",
        "TOPSTEPX_API_URL",
        "TOPSTEPX_HUBS_URL",
        "MES_CLOCK",
    ] {
        // No test speaks for anybody.
        command.env_remove(name);
    }
    // What tools remember of a person is not to be this person's.
    command.env("XDG_STATE_HOME", tools().join("state"));
    command
}

/// Runs `line` in `folder` with `input` on stdin.
pub fn run(folder: &Path, line: &str, input: &[u8]) -> Output {
    let mut child = bash(folder, line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash starts");
    let mut stdin = child.stdin.take().expect("stdin");
    let input = input.to_owned();
    // A tool that stops early does not read all of it.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("bash ends");
    feeder.join().expect("the feeder ends");
    output
}

/// Runs `line`, which must succeed, and returns its stdout.
pub fn ok(folder: &Path, line: &str, input: &[u8]) -> Vec<u8> {
    let output = run(folder, line, input);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}\nexit {:?}\n{stderr}", output.status.code());
    output.stdout
}
