//! The columns of every stream: their names, order and types. A column's name decides its type.

use std::fmt::Write as _;

use arrow_schema::{DataType, TimeUnit};

use mes_core::prediction;

use crate::Kind;

/// Columns of a tick, in order; only `ts` has to be there, and alone it is a heartbeat.
pub const TICK: [&str; 9] = ["ts", "price", "size", "side", "bid", "ask", "bid_size", "ask_size", "symbol"];

/// Columns of a bar, in order.
pub const BAR: [&str; 18] = [
    "ts",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "buy_volume",
    "sell_volume",
    "trades",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "ofi",
    "vwap",
    "age_ms",
    "seg",
    "symbol",
];

/// Returns the type of `ts`.
pub fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// Returns the type that a column of this name has, or `None` when the name is not one of ours.
pub fn data_type(name: &str) -> Option<DataType> {
    Some(match name {
        // What mes-fetch live keeps of a tick that came too late for its place.
        "ts" | "ts_event" => instant(),
        "price" | "bid" | "ask" | "open" | "high" | "low" | "close" | "vwap" => DataType::Float64,
        "size" | "bid_size" | "ask_size" | "volume" | "buy_volume" | "sell_volume" | "trades" | "ofi"
        | "age_ms" | "seg" => DataType::Int64,
        "side" | "symbol" => DataType::Utf8,
        "y_dir" | "y_barrier" => DataType::Int8,
        _ if ["f_", "y_", "p_"].iter().any(|prefix| name.starts_with(prefix)) => DataType::Float32,
        _ => return None,
    })
}

/// Tells a name that means something to our tools, so that it is no other name written wrongly.
pub(crate) fn is_ours(name: &str) -> bool {
    TICK.contains(&name) || BAR.contains(&name) || prediction::COLUMNS.contains(&name)
}

/// Returns the columns that a stream of this kind cannot lack.
pub fn required(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Tick | Kind::Record => &["ts"],
        Kind::Ohlcv => &["ts", "open", "high", "low", "close", "volume"],
        Kind::Bar | Kind::Feature => &["ts", "open", "high", "low", "close", "volume", "seg", "symbol"],
        Kind::Prediction => {
            &["ts", "open", "high", "low", "close", "volume", "seg", "symbol", "p_dir", "p_conf"]
        }
    }
}

/// What predictions mean.
const PREDICTION: [(&str, &str); 5] = [
    ("p_down p_flat p_up", "probabilities of the classes of y_dir, in [0, 1], of sum 1; a rule has none"),
    ("p_dir", "-1 down, 0 flat, 1 up"),
    ("p_conf", "in [0, 1]: the largest probability, or what a rule says"),
    ("p_move p_vol", "expected move and volatility over the horizon, in ticks"),
    ("p_size", "optional, from a stage of yours: at most so many contracts; a fraction is rounded down"),
];

/// What a tool reads and writes, in the words of [`describe`].
const TOOLS: [(&str, &str, &str); 13] = [
    ("mes-fetch", "-", "tick or bar"),
    ("mes-bars", "tick or bar", "bar"),
    ("mes-features", "bar", "bar + f_* (+ y_*)"),
    ("mes-train", "bar + f_* + y_*", "a model"),
    ("mes-nets", "an order and scaled rows, from mes-train", "how far it is, then weights and logits"),
    ("mes-predict", "bar + f_*", "bar + f_* + p_*"),
    ("mes-risk", "bar + p_*, statement", "run, row, statement, order, deny, hold, alert, end"),
    ("mes-exec", "run, row, order, end", "statement"),
    ("mes-bt", "bar + p_*", "a summary; trades, equity, report, journal"),
    ("mes-check", "a program", "what it breaks of the laws of a stage"),
    ("mes-lab", "bar, bar + f_* + y_*, bar + p_*", "folds, bars of a span, outcomes and reports"),
    ("mes-projectx", "-", "what TopstepX tells, in its own words"),
    ("mes-sim", "tick or bar", "where it is; what TopstepX tells, over HTTP and WebSockets; a journal"),
];

/// Describes what a tool reads and writes.
pub fn describe(tool: &str) -> String {
    let mut text = String::new();
    if let Some((_, reads, writes)) = TOOLS.iter().find(|(name, _, _)| *name == tool) {
        let _ = write!(text, "reads   {reads}\nwrites  {writes}\n\n");
    }
    for (kind, columns) in [(Kind::Tick, &TICK[..]), (Kind::Bar, &BAR[..])] {
        let _ = writeln!(text, "{} (v{})", kind.name(), Kind::VERSION);
        for name in columns {
            let presence = if required(kind).contains(name) { "" } else { "  optional" };
            let _ = writeln!(
                text,
                "  {name:<12} {}{presence}",
                type_name(&data_type(name).unwrap_or(DataType::Null))
            );
        }
    }
    text.push_str("f_*            f32, features in [-1, 1] or [0, 1], null until warm\n");
    text.push_str("y_dir          i8, label: 0 down, 1 flat, 2 up; other y_* f32\n");
    text.push_str("p_*            f32, null until warm\n");
    for (name, meaning) in PREDICTION {
        let _ = writeln!(text, "  {name:<18} {meaning}");
    }
    let _ = writeln!(text, "A label counts classes from 0, a direction has a sign: y_dir 2 is p_dir 1.");
    let _ = writeln!(text, "Law of p_*, else exit 3 with row and column: {}.", prediction::LAW);
    text
}

/// Returns a type's name as a reader of the docs knows it.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => "instant, ns UTC; RFC 3339 with Z in text".into(),
        DataType::Float64 => "f64".into(),
        DataType::Float32 => "f32".into(),
        DataType::Int64 => "i64".into(),
        DataType::Int8 => "i8".into(),
        DataType::Utf8 => "text".into(),
        other => other.to_string(),
    }
}
