//! The golden cases of `tests/golden/mes-bars`.

#[test]
fn golden_cases() {
    let failures = mes_golden::golden::failures("mes-bars");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
