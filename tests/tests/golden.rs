//! The golden cases of every tool, one test a tool.

use mes_golden::golden::failures;

macro_rules! golden {
    ($($name:ident $tool:literal)*) => {
        $(
            #[test]
            fn $name() {
                let failures = failures($tool);
                assert!(failures.is_empty(), "{}", failures.join("\n"));
            }
        )*
    };
}

golden! {
    mes_bars "mes-bars"
    mes_features "mes-features"
    mes_predict "mes-predict"
    mes_risk "mes-risk"
    mes_exec "mes-exec"
    mes_bt "mes-bt"
    mes_lab "mes-lab"
    mes_fetch "mes-fetch"
    mes_alert "mes-alert"
    mes_watch "mes-watch"
}
