//! Records as JSON lines, or as a table for a person.

use mes_pipe::{Result, answer::print};
use serde::Serialize;
use serde_json::Value;

/// A column of a table: what stands above it, and the field.
pub type Column = (&'static str, &'static str);

/// Prints records: all fields of each as a line of JSON, or some as a table.
///
/// # Errors
///
/// A stdout that cannot be written.
pub fn show<T: Serialize>(records: &[T], columns: &[Column], json: bool) -> Result<()> {
    let values: Vec<Value> =
        records.iter().map(|record| serde_json::to_value(record).unwrap_or_default()).collect();
    if json {
        return print(values.iter().map(|value| format!("{value}\n")).collect::<String>());
    }
    print(table(&values, columns))
}

/// Prints one record as [`show`] does, as it comes.
///
/// # Errors
///
/// A stdout that cannot be written.
pub fn line(record: &impl Serialize) -> Result<()> {
    print(format!("{}\n", serde_json::to_value(record).unwrap_or_default()))
}

fn table(values: &[Value], columns: &[Column]) -> String {
    let head = columns.iter().map(|(head, _)| (*head).to_owned()).collect::<Vec<_>>();
    let rows =
        values.iter().map(|value| columns.iter().map(|(_, field)| cell(value, field)).collect::<Vec<_>>());
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let number = |text: &str| text.parse::<f64>().is_ok();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(text, width)| {
            if number(text) { format!("{text:>width$}") } else { format!("{text:<width$}") }
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let text: String = rows.iter().map(line).collect();
    if values.is_empty() { text + "none\n" } else { text }
}

fn cell(value: &Value, field: &str) -> String {
    match value.get(field) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_as_wide_as_what_is_in_it() {
        let rows = [json!({"id": 7, "name": "PRAC-1"}), json!({"id": 1234, "name": null})];
        let columns = [("ID", "id"), ("NAME", "name")];
        assert_eq!(table(&rows, &columns), "ID    NAME\n   7  PRAC-1\n1234  -\n");
        assert_eq!(table(&[], &columns), "ID  NAME\nnone\n");
    }
}
