//! Who reads a pipe decides whether it carries Arrow or text; a reader that is about to become another is waited for.

use mes_golden::shell;

/// A shell that is busy before it becomes what stands behind it.
const LATE: &str = "bash -c 'for ((i = 0; i < 50000; i++)); do :; done; exec \"$@\"' late";

#[test]
fn a_tool_behind_a_launcher_gets_arrow_and_a_program_gets_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "mes-fetch synth -q --sessions 1 --seed 3 --session rth > bars.arrow";
    shell::ok(folder.path(), line, b"");
    let predict = "mes-predict -q --rule ema-cross bars.arrow";
    for launcher in ["", LATE, "nice", "env A=1", "timeout 20"] {
        // As text the rows would not say how long they are.
        let line = format!("{predict} | {launcher} mes-risk -q --account none | jq -r .kind | sort -u");
        let kinds = shell::ok(folder.path(), &line, b"");
        assert!(String::from_utf8_lossy(&kinds).contains("row"), "{launcher}");
        let line = format!("{predict} | {launcher} head -n 1");
        assert!(shell::ok(folder.path(), &line, b"").starts_with(b"{"), "{launcher}");
    }
}

/// Of a shell's `<( )`, and of a script that starts a tool and reads what it writes, also through a shell.
#[test]
fn a_program_that_does_not_read_stdin_gets_text_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "mes-fetch synth -q --sessions 1 --seed 3 --session rth > bars.arrow";
    shell::ok(folder.path(), line, b"");
    let script =
        |call: &str| format!("python3 -c 'import subprocess as s; print(s.check_output({call})[:7])'");
    for (line, begins) in [
        ("cat <(mes-bars -q bars.arrow) | sed -n 1p".to_owned(), "{\"ts\":"),
        ("head -n 1 <(mes-bars -q bars.arrow)".to_owned(), "{\"ts\":"),
        // Text would not say how long the rows are.
        ("mes-features -q --to csv --only f_ret_1 <(mes-bars -q bars.arrow) | sed -n 1p".to_owned(), "ts,"),
        (script("[\"mes-bars\", \"-q\", \"bars.arrow\"]"), "b'{\"ts\":"),
        (script("\"mes-bars -q bars.arrow | mes-bars -q\", shell=True"), "b'{\"ts\":"),
    ] {
        let found = shell::ok(folder.path(), &line, b"");
        let found = String::from_utf8_lossy(&found);
        assert!(found.starts_with(begins), "{line}: {}", &found[..found.len().min(60)]);
    }
}
