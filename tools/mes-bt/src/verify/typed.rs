//! What every setting of a link may be, and the flag that gives it again. A report is somebody else's word: each value is
//! read as what it has to be and written anew from that, so nothing of it can be a flag, a path or a program.

use chrono::NaiveDate;
use mes_core::{interval::Interval, symbol::Symbol};
use serde_json::Value;

/// A name of a feature or a group is not longer.
const NAME: usize = 64;

/// What a value has to be.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A whole number from 0.
    Count,
    /// A finite number from 0.
    Number,
    /// Given alone when true.
    Switch,
    Date,
    Interval,
    /// Whole seconds, given as an interval.
    Seconds,
    Symbol,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Names of features or groups, at least one.
    Names,
    /// The BLAKE3 of a file whose name ends in one of these; of any without.
    File(&'static [&'static str]),
}

/// How a setting is given again.
#[derive(Clone, Copy, Debug)]
pub enum Given {
    By(&'static str),
    /// Each value of the word has a flag of its own.
    ByFlag(&'static [(&'static str, &'static str)]),
    /// The tool says it by itself.
    Not,
    /// Names what `script:` reads.
    Script,
    /// Settings within it.
    Within(&'static [Setting]),
}

/// The name of a setting, what its value has to be, and how it is given.
pub type Setting = (&'static str, Type, Given);

use Given::{By, ByFlag, Not, Script, Within};
use Type::{Count, Date, File, Interval as Length, Names, Number, Seconds, Switch, Symbol as Contract, Word};

const CALENDAR: Setting = ("calendar", File(&[".csv"]), By("--calendar"));
const SESSION: Setting = ("session", Word(&["all", "rth", "eth"]), By("--session"));

/// Every setting of a link by tool.
pub const TOOLS: [(&str, &[Setting]); 4] = [
    (
        "mes-fetch",
        &[
            ("synthetic", Switch, Not),
            ("generator", Count, Not),
            ("seed", Count, By("--seed")),
            ("edge", Number, By("--edge")),
            ("no_bounce", Switch, By("--no-bounce")),
            ("ticks", Switch, By("--ticks")),
            SESSION,
            ("from", Date, By("--from")),
            ("until", Date, By("--until")),
            CALENDAR,
        ],
    ),
    (
        "mes-bars",
        &[
            ("interval", Length, By("--interval")),
            ("by", Word(&["time", "tick", "volume", "dollar", "imbalance"]), By("--by")),
            ("size", Count, By("--size")),
            SESSION,
            ("sparse", Switch, By("--sparse")),
            ("carry_s", Count, By("--carry")),
            ("symbol", Contract, By("--symbol")),
            CALENDAR,
        ],
    ),
    (
        "mes-features",
        &[
            ("set", File(&[]), Not),
            ("named", Word(&["live"]), By("--set")),
            ("only", Names, By("--only")),
            ("without", Names, By("--without")),
            ("warm_within", Length, By("--warm-within")),
            ("labels", Switch, Within(&LABELS)),
            CALENDAR,
        ],
    ),
    (
        "mes-predict",
        &[
            ("model", File(&[".onnx"]), By("--model")),
            (
                "in_sample",
                Word(&["skip", "allow"]),
                ByFlag(&[("skip", "--skip-in-sample"), ("allow", "--allow-in-sample")]),
            ),
            ("rule", Word(&["ema-cross", "random", "script"]), By("--rule")),
            ("script", File(&[]), Script),
            ("seed", Count, By("--seed")),
            ("rate", Number, By("--rate")),
        ],
    ),
];

const LABELS: [Setting; 7] = [
    ("kind", Word(&["horizon", "barrier"]), By("--labels")),
    ("horizon", Length, By("--horizon")),
    ("threshold_ticks", Count, By("--threshold")),
    ("stop_ticks", Count, By("--stop")),
    ("target_ticks", Count, By("--target")),
    ("timeout_s", Seconds, By("--timeout")),
    ("slippage_ticks", Count, By("--slippage")),
];

/// Reads a value as what it has to be and writes it as a flag takes it; absent where it is something else.
pub fn read(value: &Value, of: Type) -> Option<String> {
    match of {
        Count => value.as_u64().map(|count| count.to_string()),
        Number => value.as_f64().filter(|n| n.is_finite() && *n >= 0.0).map(|n| n.to_string()),
        Switch => value.as_bool().map(|on| on.to_string()),
        Date => value.as_str()?.parse::<NaiveDate>().ok().map(|date| date.to_string()),
        Length => value.as_str()?.parse::<Interval>().ok().map(|interval| interval.to_string()),
        Seconds => format!("{}s", value.as_u64()?).parse::<Interval>().ok().map(|it| it.to_string()),
        Contract => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_ ".contains(&byte);
            let text = value.as_str().filter(|text| text.bytes().all(plain))?;
            text.parse::<Symbol>().ok().map(|symbol| symbol.as_str().to_owned())
        }
        Word(words) => words.iter().find(|word| value == **word).map(|word| (*word).to_owned()),
        Names => {
            let names: Option<Vec<&str>> = value.as_array()?.iter().map(name).collect();
            names.filter(|names| !names.is_empty()).map(|names| names.join(","))
        }
        File(_) => hash(value).map(str::to_owned),
    }
}

fn name(value: &Value) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    value.as_str().filter(|text| (1..=NAME).contains(&text.len()) && text.bytes().all(plain))
}

/// Reads a BLAKE3 in hex.
pub fn hash(value: &Value) -> Option<&str> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    value.as_str().filter(|text| text.len() == 64 && text.bytes().all(hex))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_read_as_what_it_is_or_not_at_all() {
        for (value, of, read_as) in [
            (json!(7), Count, Some("7")),
            (json!(-7), Count, None),
            (json!("7"), Count, None),
            (json!(u64::MAX), Count, Some("18446744073709551615")),
            (json!(0.25), Number, Some("0.25")),
            (json!("--out=x"), Number, None),
            (json!("2026-11-02"), Date, Some("2026-11-02")),
            (json!("2026-11-02 --out=x"), Date, None),
            (json!("30s"), Length, Some("30s")),
            (json!("-1s"), Length, None),
            (json!(300), Seconds, Some("5m")),
            (json!("MESZ6"), Contract, Some("MESZ6")),
            (json!("../x"), Contract, None),
            (json!("script:/etc/passwd"), Word(&["script"]), None),
            (json!(["ema", "f_ret_1"]), Names, Some("ema,f_ret_1")),
            (json!(["--to", "x"]), Names, None),
            (json!([]), Names, None),
            (json!(".bashrc"), File(&[]), None),
            (json!({"a": 1}), Switch, None),
        ] {
            assert_eq!(read(&value, of).as_deref(), read_as, "{value} {of:?}");
        }
        let blake3 = "0a".repeat(32);
        assert_eq!(read(&json!(blake3), File(&[])), Some(blake3.clone()));
        assert_eq!(read(&json!(blake3.to_uppercase()), File(&[])), None);
    }
}
