//! Runs beside each other at a terminal: a block for each figure, since one with its interval fills a line.

use std::fmt::Write as _;

use serde_json::Value;

use super::Comparison;

/// Writes it.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    let wide = comparison.names.iter().map(|name| name.chars().count()).max().unwrap_or_default().min(24);
    for figure in &comparison.figures {
        let _ = writeln!(out, "{}", figure.name);
        for (name, text) in comparison.names.iter().zip(&figure.texts) {
            let _ = writeln!(out, "  {name:<wide$}  {text}");
        }
    }
    out.push('\n');
    match comparison.paired.is_empty() {
        true => out += "no day that two of them have in common\n",
        false => comparison.paired.iter().for_each(|paired| {
            let _ = writeln!(out, "{}", paired.sentence());
        }),
    }
    if comparison.differs.is_empty() {
        out += "\nmade with the same settings, rules, model and input\n";
        return out;
    }
    out += "\nmade with\n";
    for differs in &comparison.differs {
        let _ = writeln!(out, "  {}", differs.key);
        for (name, value) in comparison.names.iter().zip(&differs.values) {
            let _ = writeln!(out, "    {name:<wide$}  {}", shown(value));
        }
    }
    out
}

/// Writes a value short enough for a line.
pub fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.chars().count() {
        0..=80 => text,
        _ => text.chars().take(79).chain(['…']).collect(),
    }
}
