//! An entry that fills in parts keeps its legs whole: the rest may be filled before it is heard of.

use mes_exec::topstepx::event::Request;
use serde_json::json;

use crate::script::Script;

#[test]
fn legs_of_an_entry_that_fills_in_parts_stay_whole() {
    let mut script = Script::entering(2, 8);
    script
        .told(&json!({"id": 10, "type": 2, "side": 0, "status": 1, "fillVolume": 1, "customTag": "mes.n.1"}));
    assert_eq!(script.core.exposure(), 1);
    let asked = script.pass(400);
    assert!(!asked.iter().any(|(_, request)| matches!(request, Request::Modify { .. })), "{asked:?}");
}
