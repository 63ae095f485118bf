//! The few pieces of HTML that the report is made of. Whatever text goes in comes out escaped.

use std::fmt::Write as _;

/// Escapes text for elements and quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

/// Writes a minus where a hyphen stands for one: not within a name or a date.
pub fn minus(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let within = |index: usize| {
        let named = |place: Option<usize>| {
            place.and_then(|place| letters.get(place)).is_some_and(|letter| letter.is_alphanumeric())
        };
        named(index.checked_sub(1)) && named(index.checked_add(1))
    };
    let written =
        |(index, letter): (usize, &char)| if *letter == '-' && !within(index) { '−' } else { *letter };
    letters.iter().enumerate().map(written).collect()
}

/// Says by its class whether an amount is a gain or a loss.
pub fn colour(value: f64) -> &'static str {
    match value {
        value if value > 0.0 => "gain",
        value if value < 0.0 => "loss",
        _ => "",
    }
}

/// A section under a heading; `body` is HTML.
pub fn section(heading: &str, body: &str) -> String {
    format!("<section><h2>{}</h2>\n{body}</section>\n", escape(heading))
}

/// A paragraph of text.
pub fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A cell of a table.
pub enum Cell {
    Text(String),
    /// Aligned to the right.
    Number(String),
    /// A number in the colour of its sign.
    Signed(String, f64),
    /// A bar of this share of the column's width, in the colour of the value's sign.
    Bar(f64, f64),
}

/// A table; a heading that begins with `>` is aligned to the right, `|` is a column of bars.
pub fn table(head: &[&str], rows: &[Vec<Cell>]) -> String {
    let mut out = String::from("<div class=\"scroll\"><table><thead><tr>");
    for name in head {
        let _ = match name.strip_prefix('>') {
            Some(name) => write!(out, "<th class=\"n\">{}</th>", escape(name)),
            None if *name == "|" => write!(out, "<th class=\"bar\"></th>"),
            None => write!(out, "<th>{}</th>", escape(name)),
        };
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = match cell {
                Cell::Text(text) => write!(out, "<td>{}</td>", escape(text)),
                Cell::Number(text) => write!(out, "<td class=\"n\">{}</td>", escape(&minus(text))),
                Cell::Signed(text, value) => {
                    write!(out, "<td class=\"n {}\">{}</td>", colour(*value), escape(&minus(text)))
                }
                Cell::Bar(share, value) => {
                    let (class, width) = (colour(*value), share * 100.0);
                    write!(
                        out,
                        "<td class=\"bar\"><i class=\"{class}\" style=\"width:{width:.1}%\"></i></td>"
                    )
                }
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// A list of names and values.
pub fn facts(rows: &[(&str, String)]) -> String {
    let mut out = String::from("<dl>");
    for (name, value) in rows {
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(&minus(value)));
    }
    out.push_str("</dl>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_have_a_minus() {
        for (text, want) in [
            ("-$5.00 to -0.5", "−$5.00 to −0.5"),
            ("mes-1k-topstep, 2026-11-05", "mes-1k-topstep, 2026-11-05"),
            ("-", "−"),
        ] {
            assert_eq!(minus(text), want);
        }
    }
}
