//! A table whose rows a reader can put in order and choose from. Without scripts it is a plain table.

use std::fmt::Write as _;

use crate::html::{escape, minus};

/// A column: its heading, and what can be done with it.
pub struct Column {
    pub name: &'static str,
    /// Aligned to the right.
    pub number: bool,
    /// Rows can be chosen by its values.
    pub choose: bool,
}

impl Column {
    /// A column of numbers.
    pub const fn number(name: &'static str) -> Column {
        Column { name, number: true, choose: false }
    }

    /// A column of text.
    pub const fn text(name: &'static str) -> Column {
        Column { name, number: false, choose: false }
    }

    /// A column of a few words, by which rows can be chosen.
    pub const fn choice(name: &'static str) -> Column {
        Column { name, number: false, choose: true }
    }
}

/// A value: as it is shown, and what it is put in order by; text goes by its letters where there is no number.
pub struct Value {
    pub text: String,
    pub by: Option<f64>,
    /// In the colour of its sign.
    pub signed: bool,
}

impl Value {
    /// Text that goes by its letters.
    pub fn text(text: impl Into<String>) -> Value {
        Value { text: text.into(), by: None, signed: false }
    }

    /// A number, and how it is written.
    pub fn number(by: f64, text: impl Into<String>) -> Value {
        Value { text: text.into(), by: Some(by), signed: false }
    }

    /// The same in the colour of its sign.
    pub fn signed(by: f64, text: impl Into<String>) -> Value {
        Value { text: text.into(), by: Some(by), signed: true }
    }
}

/// Writes the table; `label` says what it holds to those who cannot see it. With `jumps` a row tells the page's candles
/// to show the trade of its number, which counts from 0 and stands before its values.
pub fn sortable(label: &str, columns: &[Column], rows: &[(usize, Vec<Value>)], jumps: bool) -> String {
    let jumps = if jumps { " data-jumps" } else { "" };
    let mut out = format!(
        "<div class=\"scroll tall\"><table class=\"sortable\" aria-label=\"{}\"{jumps}><thead><tr>",
        escape(label)
    );
    for column in columns {
        let class = if column.number { " class=\"n\"" } else { "" };
        let choose = if column.choose { " data-choose" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}{choose}>{}</th>", escape(column.name));
    }
    out.push_str("</tr></thead><tbody>\n");
    for (number, values) in rows {
        let _ = write!(out, "<tr data-number=\"{number}\">");
        for (column, value) in columns.iter().zip(values) {
            cell(&mut out, column, value);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn cell(out: &mut String, column: &Column, value: &Value) {
    let by = value.by.filter(|by| by.is_finite());
    let colour = if value.signed { by.map_or("", crate::html::colour) } else { "" };
    let class = match (column.number, colour) {
        (false, "") => String::new(),
        (true, "") => " class=\"n\"".to_owned(),
        (true, colour) => format!(" class=\"n {colour}\""),
        (false, colour) => format!(" class=\"{colour}\""),
    };
    let by = by.map(|by| format!(" data-by=\"{by}\"")).unwrap_or_default();
    let text = if column.number { minus(&value.text) } else { value.text.clone() };
    let _ = write!(out, "<td{class}{by}>{}</td>", escape(&text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_carry_what_they_go_by_and_are_escaped() {
        let columns = [Column::choice("Why"), Column::number("Net")];
        let rows = [(7, vec![Value::text("<b>"), Value::signed(-1.5, "-$1.50")])];
        let table = sortable("Trades", &columns, &rows, true);
        for part in [
            "data-jumps",
            "<th scope=\"col\" data-choose>Why",
            "data-number=\"7\"",
            "&lt;b&gt;",
            "<td class=\"n loss\" data-by=\"-1.5\">−$1.50</td>",
        ] {
            assert!(table.contains(part), "{part} in {table}");
        }
        let unknown = sortable("", &columns[1..], &[(0, vec![Value::signed(f64::NAN, "-")])], false);
        assert!(unknown.contains("<td class=\"n\">−</td>") && !unknown.contains("jumps"), "{unknown}");
    }
}
