//! Files and sockets that are nobody else's.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    process::Stdio,
    thread::sleep,
    time::Duration,
};

use mes_golden::shell;

use super::{folder, rules, trade, traded};

#[test]
fn run_directory_sockets_and_state_are_ours_alone_whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let folder = folder();
        let path = folder.path();
        let rules = rules();
        let mode = |name: &str| {
            let about = fs::metadata(path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            about.permissions().mode() & 0o777
        };
        let mut exec = shell::bash(path, &format!("umask {umask}; exec mes-exec {rules} --state state"))
            .stdin(Stdio::piped())
            .spawn()
            .expect("exec");
        let mut tries = 0;
        while !path.join("run/account.sock").exists() || mode("run/account.sock") != 0o600 {
            tries += 1;
            assert!(tries < 1000, "umask {umask}: the socket is not there, or others may use it");
            assert!(exec.try_wait().expect("a child").is_none(), "umask {umask}: exec is gone");
            sleep(Duration::from_millis(10));
        }
        assert_eq!(mode("run"), 0o700, "umask {umask}");
        drop(exec.stdin.take());
        exec.wait().expect("an end");
        let flags = "--state state";
        let line = format!(
            "umask {umask}; mes-risk {rules} {flags} 0.jsonl | mes-exec {rules} {flags} | cat > /dev/null"
        );
        shell::ok(path, &line, b"");
        for place in ["run", "state/paper-paper"] {
            assert_eq!(mode(place), 0o700, "umask {umask}: {place}");
            for file in fs::read_dir(path.join(place)).expect("files") {
                let name = file.expect("a file").path();
                let name = name.strip_prefix(path).expect("within").display().to_string();
                assert_eq!(mode(&name), 0o600, "umask {umask}: {name}");
            }
        }
    }
}

#[test]
fn a_link_in_the_place_of_a_lock_or_a_state_file_is_not_followed() {
    let folder = folder();
    let path = folder.path();
    traded(path, 0, "state");
    fs::write(path.join("victim"), "precious\n").expect("a file");
    for (file, code) in [
        ("state/paper-paper/halt.reserve", 1),
        ("run/exec.lock", 1),
        ("run/risk.lock", 1),
        ("run/risk.state", 1),
        ("state/paper-paper/ledger-000001.jsonl", 1),
        ("state/paper-paper/ledger.mark", 1),
        ("state/paper-paper/account-000001.jsonl", 1),
        ("state/paper-paper/account.mark", 1),
        ("state/paper-paper/person-000001.jsonl", 1),
    ] {
        let (real, aside) = (path.join(file), path.join("aside"));
        fs::rename(&real, &aside).expect("moved");
        symlink(path.join("victim"), &real).expect("a link");
        let (codes, said) = trade(path, 1, "--state state", "--state state");
        let precious = fs::read_to_string(path.join("victim")).expect("a file");
        assert_eq!(precious, "precious\n", "{file}");
        if file != "state/paper-paper/halt.reserve" {
            assert!(codes.contains(&code), "{file}: {codes:?} {said}");
            assert!(said.contains("it is a link"), "{file}: {said}");
        }
        fs::remove_file(&real).expect("removed");
        fs::rename(&aside, &real).expect("back");
        let _ = fs::remove_file(path.join("state/paper-paper/halt.unwritten"));
    }
}

#[test]
fn a_run_directory_that_everybody_may_write_in_is_refused() {
    let folder = folder();
    shell::ok(folder.path(), "mkdir -m 777 open; touch open/something", b"");
    let (codes, said) = trade(folder.path(), 0, "--run open", "--run open");
    assert_eq!(codes, [2, 2], "{said}");
    assert!(said.contains("everybody may write in open"), "{said}");
}
