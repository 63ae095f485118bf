//! Records with one field at an extreme.

use serde_json::{Value, json};

/// Numbers at which sums, products and conversions end.
fn numbers() -> Vec<Value> {
    let mut all = vec![json!(0), json!(-1), json!(i64::MAX), json!(i64::MIN), json!(u64::MAX)];
    all.extend([json!(1_i64 << 62), json!(-(1_i64 << 62)), json!((1_i64 << 53) + 1), json!(u32::MAX)]);
    all.extend([json!(1e300), json!(-1e300), json!(5e-324), json!(1e18), json!(0.1)]);
    all
}

/// Texts where a time, a date, a name or a hash is expected.
fn texts() -> Vec<Value> {
    let times = [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "2199-12-31T23:59:59Z",
        "2262-04-11T23:47:16.854775807Z",
        "1677-09-21T00:12:43.145224193Z",
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
    ];
    let others =
        ["", "0001-01-01", "262142-12-31", "-262143-01-01", "1ms", "24h", "\u{1b}[2J", "00:00", "23:59"];
    times.into_iter().chain(others).map(Value::from).chain([Value::from("x".repeat(70_000))]).collect()
}

/// Picks the values for the field of this number: three of them, other ones for each field.
pub fn some<T: Clone>(of: &[T], field: usize) -> Vec<T> {
    if mes_golden::soak().is_some() {
        return of.to_vec();
    }
    let count = of.len();
    (0..3).map(|step| of[(5 * field + step * count / 3) % count].clone()).collect()
}

/// Returns the record with each of its fields at extremes, one at a time, and in words which.
pub fn at_extremes(record: &Value) -> Vec<(String, Value)> {
    let mut paths = Vec::new();
    collect(record, String::new(), &mut paths);
    let mut all = Vec::new();
    for (field, path) in paths.into_iter().enumerate() {
        let now = record.pointer(&path).cloned().unwrap_or_default();
        let values = match now {
            Value::Number(_) => numbers(),
            Value::String(_) if path == "/kind" => continue,
            Value::String(_) => texts(),
            _ => numbers().into_iter().chain(texts()).collect(),
        };
        for value in some(&values, field) {
            let mut changed = record.clone();
            if let Some(place) = changed.pointer_mut(&path) {
                *place = value.clone();
            }
            let mut text = value.to_string();
            text.truncate(40);
            all.push((format!("{} {path} = {text}", record["kind"].as_str().unwrap_or_default()), changed));
        }
    }
    all
}

/// Finds the fields that hold no further ones.
fn collect(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| collect(value, format!("{path}/{name}"), paths));
        }
        // The first speaks for all.
        Value::Array(values) if !values.is_empty() => collect(&values[0], format!("{path}/0"), paths),
        _ => paths.push(path),
    }
}
