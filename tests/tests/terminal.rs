//! A person who forgot the pipe, or the FILE, is told what a tool waits for, on stderr and before it waits.

use mes_golden::shell;

/// Runs a line on a terminal of its own, on which nothing is typed but the end of the input, as often as it is asked for.
fn typed(line: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let output = shell::run(folder.path(), &format!("script -qec '{line}' /dev/null"), &[4; 8]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_tool_that_waits_on_a_terminal_says_for_what() {
    let waiting = [
        ("mes-bars", "ticks or bars"),
        ("mes-features", "bars"),
        ("mes-features describe", "rows with features"),
        ("mes-train logistic --out model.onnx", "rows with features"),
        ("mes-predict --rule ema-cross", "bars"),
        ("mes-predict eval", "rows with predictions"),
        ("mes-bt", "rows with predictions"),
        ("mes-lab folds", "bars"),
        ("mes-fetch verify", "ticks or bars"),
        ("mes-fetch import --preset firstrate", "bars or ticks of another shape"),
        ("mes-exec", "the journal that mes-risk writes"),
        ("mes-risk --account none", "rows with predictions"),
    ];
    // Side by side: what takes long is that nothing is typed.
    std::thread::scope(|scope| {
        for (line, what) in waiting {
            scope.spawn(move || {
                let said = typed(line);
                let tool = line.split(' ').next().unwrap_or_default();
                let wanted = format!("{tool}: nothing is piped in: waiting for {what}");
                assert!(said.contains(&wanted), "{line}: no {wanted:?} in {said}");
            });
        }
    });
    assert!(!typed("mes-bars --quiet").contains("waiting"));
    let piped = shell::run(tempfile::tempdir().expect("a folder").path(), "mes-bars", b"");
    assert!(!String::from_utf8_lossy(&piped.stderr).contains("waiting"));
}
