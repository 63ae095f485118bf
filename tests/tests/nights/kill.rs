//! A person's `mes-exec kill` beside a running pipe: of the account that is meant, until the exchange shows neither a position
//! nor an order.

use mes_golden::shell;

use crate::pipe::{CASH, code, exchange, folder, live, trades};

#[test]
fn a_kill_is_of_the_account_that_is_named() {
    let (_kept, folder) = folder(1_000_005);
    let _sim = exchange(&folder, CASH, "2026-11-20T15:00:00Z", 5);
    let mut pipe = live(&folder, "kill", "PRAC-A", "");
    trades(&folder, "kill");
    let say = |words: &str| {
        let line = format!("eval \"$(mes-sim env --run sim)\"; MES_RUN=run-kill mes-exec {words}");
        let output = shell::run(&folder, &line, b"");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code_of, said, notes) = say("kill --account PRAC-B");
    assert_eq!(
        (code_of, &*said),
        (Some(0), "flat: PRAC-B has no position and no working order\n"),
        "{notes}"
    );
    assert!(notes.contains("trades PRAC-A"), "{notes}");
    assert!(!pipe.is_over() && say("status").1.contains("\"account\":\"PRAC-A\""));
    let halts = |account: &str| {
        let line = format!(
            "cat run-kill/state/topstepx-*/exec.halt; mes-exec resume --run run-kill --account {account}"
        );
        shell::run(&folder, &line, b"").status.code()
    };
    assert_eq!(halts("PRAC-B"), Some(2), "nothing of it is kept here, so nothing is halted");

    let (code_of, said, notes) = say("kill");
    assert_eq!(
        (code_of, &*said),
        (Some(0), "flat: PRAC-A has no position and no working order\n"),
        "{notes}"
    );
    pipe.signal("INT");
    assert_eq!(code(&folder, "kill", &mut pipe), Some(4));
}
