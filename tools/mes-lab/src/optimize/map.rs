//! The mean score over two keys, as a picture and as text: a good place among good ones is worth more than a peak alone.

use std::fmt::Write as _;

use mes_page::html::escape;

use mes_judge::search::trials::Trial;

use super::importance::labels;
use mes_judge::words;

/// Mean score and number of trials by the groups of two keys.
pub struct Map {
    across: String,
    down: String,
    columns: Vec<String>,
    rows: Vec<String>,
    /// By row and column.
    cells: Vec<Vec<Option<(f64, usize)>>>,
}

impl Map {
    /// Puts trials that have a score on a map.
    pub fn of(trials: &[&Trial], across: &str, down: &str) -> Map {
        let (x, y) = (labels(trials, across), labels(trials, down));
        let (columns, rows) = (ordered(&x), ordered(&y));
        let cell = |row: &String, column: &String| {
            let here = x.iter().zip(&y).zip(trials).filter(|((x, y), _)| *x == column && *y == row);
            let scores: Vec<f64> = here.filter_map(|(_, trial)| trial.score).collect();
            let count = scores.len();
            (count > 0).then(|| (scores.iter().sum::<f64>() / count as f64, count))
        };
        let cells = rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()).collect();
        Map { across: across.to_owned(), down: down.to_owned(), columns, rows, cells }
    }

    /// Writes the map as a table.
    pub fn text(&self) -> String {
        let width = self.columns.iter().map(String::len).max().unwrap_or(0).max(7) + 2;
        let head = self.rows.iter().map(String::len).max().unwrap_or(0).max(4);
        let mut out =
            format!("  mean score by {} (down) and {} (across)\n  {:head$}", self.down, self.across, "");
        for column in &self.columns {
            let _ = write!(out, "{column:>width$}");
        }
        out.push('\n');
        for (row, cells) in self.rows.iter().zip(&self.cells) {
            let _ = write!(out, "  {row:>head$}");
            for cell in cells {
                let score = cell.map_or_else(|| "-".to_owned(), |(score, _)| format!("{score:.2}"));
                let _ = write!(out, "{score:>width$}");
            }
            out.push('\n');
        }
        out
    }

    /// Writes the map as a table in colours: blue is good, red is bad, each cell says its score and how many trials.
    pub fn html(&self) -> String {
        let most = self.most();
        let mut out = format!(
            "<p class=\"caption\">Mean score and number of trials by {} (across) and {} (down)</p>\n\
             <div class=\"scroll\"><table class=\"heat\"><thead><tr><th></th>",
            escape(&self.across),
            escape(&self.down)
        );
        for column in &self.columns {
            let _ = write!(out, "<th class=\"n\">{}</th>", escape(column));
        }
        out += "</tr></thead><tbody>\n";
        for (row, cells) in self.rows.iter().zip(&self.cells) {
            let _ = write!(out, "<tr><th>{}</th>", escape(row));
            for (column, cell) in self.columns.iter().zip(cells) {
                let Some((score, count)) = cell else {
                    out += "<td></td>";
                    continue;
                };
                let (class, share) = (if *score < 0.0 { "n minus" } else { "n" }, (score / most).abs());
                let text = format!("{score:.2}").replace('-', "−");
                let (column, row, trials) =
                    (escape(column), escape(row), words::count(*count as u64, "trial"));
                let _ = write!(
                    out,
                    "<td class=\"{class}\" style=\"--share:{share:.3}\" title=\"{column}, {row}: {score:.4}, \
                     {trials}\">{text}<small>{count}</small></td>"
                );
            }
            out += "</tr>\n";
        }
        out + "</tbody></table></div>\n"
    }

    /// Returns the score farthest from 0, never 0.
    fn most(&self) -> f64 {
        let scores = self.cells.iter().flatten().flatten();
        scores.fold(f64::MIN_POSITIVE, |most, (score, _)| most.max(score.abs()))
    }

    /// Draws the map as an SVG of its own: blue is good, red is bad, each cell says its score and how many trials.
    pub fn svg(&self) -> String {
        // Room for the names, and the size of a cell, in pixels.
        let [left, top, wide, high] = [130, 70, 84, 34_usize];
        let (width, height) = (left + wide * self.columns.len() + 20, top + high * self.rows.len() + 20);
        let most = self.most();
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\" font-size=\"12\" text-anchor=\"middle\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
             <text x=\"{}\" y=\"20\">mean score; across {}, down {}</text>\n",
            width / 2,
            escape(&self.across),
            escape(&self.down)
        );
        for (index, column) in self.columns.iter().enumerate() {
            let x = left + wide * index + wide / 2;
            let _ = writeln!(out, "<text x=\"{x}\" y=\"{}\">{}</text>", top - 10, escape(column));
        }
        for (index, (row, cells)) in self.rows.iter().zip(&self.cells).enumerate() {
            let y = top + high * index;
            let middle = y + high / 2 + 4;
            let _ = writeln!(out, "<text x=\"{}\" y=\"{middle}\">{}</text>", left / 2, escape(row));
            for (index, cell) in cells.iter().enumerate() {
                let Some((score, count)) = cell else { continue };
                let x = left + wide * index;
                let (colour, ink) = shade(score / most);
                let _ = writeln!(
                    out,
                    "<g><title>{score:.4}, {count} trials</title><rect x=\"{x}\" y=\"{y}\" width=\"{}\" \
                     height=\"{}\" fill=\"{colour}\"/><text x=\"{}\" y=\"{middle}\" fill=\"{ink}\">{score:.2}</text></g>",
                    wide - 2,
                    high - 2,
                    x + wide / 2
                );
            }
        }
        out + "</svg>\n"
    }
}

/// Returns the colour of a score from −1 to 1, and that of letters on it.
fn shade(score: f64) -> (String, &'static str) {
    let end = if score < 0.0 { [178.0, 24.0, 43.0] } else { [33.0, 102.0, 172.0] };
    let part = score.abs().min(1.0);
    let [red, green, blue] = end.map(|channel| (247.0 + part * (channel - 247.0)) as u8);
    (format!("#{red:02x}{green:02x}{blue:02x}"), if part > 0.6 { "#fff" } else { "#111" })
}

/// Returns the distinct names, numbers by their size.
fn ordered(names: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = names.to_vec();
    let number = |name: &String| name.split("..").next().and_then(|text| text.parse::<f64>().ok());
    distinct.sort_by(|a, b| match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    });
    distinct.dedup();
    distinct
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::optimize::sample::trial;

    #[test]
    fn means_by_place_numbers_in_order() {
        let trials: Vec<Trial> = [(10, 0.6, 1.0), (10, 0.6, 2.0), (9, 0.7, -3.0)]
            .iter()
            .enumerate()
            .map(|(index, (stop, conf, score))| {
                trial("s", index, &[("stop", json!(stop)), ("a<b", json!(conf))], *score, &[])
            })
            .collect();
        let map = Map::of(&trials.iter().collect::<Vec<_>>(), "stop", "a<b");
        assert_eq!(
            map.text(),
            "  mean score by a<b (down) and stop (across)\n              9       10\n   0.6        -     1.50\n   0.7    -3.00        -\n"
        );
        let svg = map.svg();
        assert!(svg.contains("1.50</text>") && svg.contains("a&lt;b") && !svg.contains("NaN"), "{svg}");
        assert_eq!(svg.matches("<g>").count(), 2);
        let html = map.html();
        assert!(html.contains("title=\"10, 0.6: 1.5000, 2 trials\">1.50<small>2</small>"), "{html}");
        assert!(html.contains("class=\"n minus\" style=\"--share:1.000\""), "{html}");
    }
}
