//! The page: one file without anything from outside, light or dark as the reader likes it.

use std::fmt::Write as _;

use super::{importance::Linear, table::Table};

/// Pixels of a cell of the correlation matrix, and of the names beside it.
const CELL: usize = 15;
const NAMES: usize = 118;

/// Writes the page.
pub fn page(table: &Table) -> String {
    let model = table.model();
    let mut body = format!(
        "<header><h1>Features</h1><p>{} rows, {} of them without a null; {} features</p></header>\n",
        grouped(table.rows),
        grouped(table.complete as u64),
        table.features().len()
    );
    body += &balance(table);
    body += &importance(table, model.as_ref());
    body += &distributions(table);
    body += &matrix(table);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Features</title>\n\
         <style>\n{}</style></head><body><main>\n{body}</main></body></html>\n",
        include_str!("style.css")
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn section(heading: &str, words: &str, body: &str) -> String {
    format!("<section><h2>{heading}</h2><p>{words}</p>\n{body}</section>\n")
}

fn balance(table: &Table) -> String {
    if table.labels.is_empty() {
        return String::new();
    }
    let mut body = String::new();
    for label in &table.labels {
        let _ = write!(body, "<h3>{}</h3><div class=\"stack\">", escape(&label.name));
        for ((class, share), count) in ["down", "flat", "up"].iter().zip(label.shares()).zip(label.counts) {
            let count = grouped(count);
            let _ = write!(
                body,
                "<span class=\"{class}\" style=\"flex:{share:.4}\" title=\"{class}: {count} rows\">\
                 {class}</span>"
            );
        }
        let ([down, flat, up], unknown) = (label.shares(), grouped(label.counts[3]));
        let _ = writeln!(
            body,
            "</div><p class=\"soft\">{down:.2} % down, {flat:.2} % flat, {up:.2} % up; {unknown} rows have no label</p>"
        );
    }
    section("Class balance", "How often the market was down, flat or up when the label was known.", &body)
}

/// A bar to the right, or of signed values to either side, as a share of the longest.
fn bar(value: Option<f64>, most: f64, digits: usize) -> String {
    let Some(value) = value else { return "<td class=\"bar\">–</td>".to_owned() };
    // Room for the number stays beside the longest.
    let width = if most > 0.0 { 68.0 * value.abs() / most } else { 0.0 };
    let class = if value < 0.0 { "minus" } else { "plus" };
    let value = fixed(value, digits);
    format!("<td class=\"bar\"><i class=\"{class}\" style=\"width:{width:.1}%\"></i><b>{value}</b></td>")
}

/// Writes a number with so many decimals; what rounds to 0 has no sign.
fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.trim_start_matches(['-', '0', '.']).is_empty() { text.replace('-', "") } else { text }
}

fn importance(table: &Table, model: Option<&Linear>) -> String {
    let Some(target) = table.target().map(escape) else { return String::new() };
    let weights = model.map_or_else(|| vec![None; table.features().len()], |model| model.weights.clone());
    let information: Vec<_> = table.features().iter().map(|feature| feature.information()).collect();
    let with: Vec<_> = (0..information.len()).map(|feature| table.with_target(feature)).collect();
    let most = |values: &[Option<f64>]| values.iter().flatten().fold(0.0_f64, |most, x| most.max(x.abs()));
    let mut order: Vec<usize> = (0..information.len()).collect();
    let bits = |feature: usize| information[feature].unwrap_or(0.0);
    order.sort_by(|a, b| bits(*b).total_cmp(&bits(*a)));
    let mut body = format!(
        "<table><thead><tr><th>feature</th><th>mutual information, bits</th><th>correlation with {target}</th>\
         <th>weight in the linear model</th></tr></thead><tbody>\n"
    );
    for feature in order {
        let _ = writeln!(
            body,
            "<tr><th>{}</th>{}{}{}</tr>",
            escape(&table.features()[feature].name),
            bar(information[feature], most(&information), 4),
            bar(with[feature], most(&with), 3),
            bar(weights[feature], most(&weights), 3)
        );
    }
    body += "</tbody></table>\n";
    let explained = model.map_or("has no row without a null to be fitted to".to_owned(), |model| {
        format!("explains {:.3} % of its variance", 100.0 * model.r_squared)
    });
    let words = format!(
        "Baselines, measured on the rows they are fitted to: what each feature alone says about the label, and a \
         linear model of {target} on all of them, which {explained}."
    );
    section("Importance", &words, &body)
}

fn distributions(table: &Table) -> String {
    let mut body = String::from("<div class=\"grid\">\n");
    for feature in table.features() {
        let counts = feature.histogram();
        let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let mut bars = String::new();
        for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            // Square roots, so that small bins are seen beside large ones.
            let height = (48.0 * (*count as f64 / most).sqrt()).max(1.0);
            let (x, y) = (bin * 6, 50.0 - height);
            let (from, to) = (bin as f64 / 16.0 - 1.0, (bin + 1) as f64 / 16.0 - 1.0);
            let count = grouped(*count);
            let _ = write!(
                bars,
                "<rect x=\"{x}\" y=\"{y:.1}\" width=\"5\" height=\"{height:.1}\">\
                 <title>{from:.2} to {to:.2}: {count}</title></rect>"
            );
        }
        let nulls = 100.0 * feature.nulls as f64 / table.rows.max(1) as f64;
        let (mean, sd) = feature.mean_sd();
        let shown = |x: Option<f64>| x.map_or("–".to_owned(), |x| fixed(x, 3));
        let _ = writeln!(
            body,
            "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 192 52\" role=\"img\">\
             <line x1=\"96\" x2=\"96\" y1=\"0\" y2=\"51\"/><line x1=\"0\" x2=\"192\" y1=\"50.5\" y2=\"50.5\"/>{bars}</svg>\
             <p class=\"soft\">mean {}, sd {}, null {nulls:.1} %</p></figure>",
            escape(&feature.name),
            shown(mean),
            shown(sd)
        );
    }
    body += "</div>\n";
    section("Distributions", "From -1 to 1; heights are square roots of counts.", &body)
}

fn matrix(table: &Table) -> String {
    let features = table.features();
    let side = NAMES + features.len() * CELL;
    let mut svg = format!(
        "<div class=\"scroll\"><svg class=\"matrix\" width=\"{side}\" height=\"{side}\" role=\"img\" \
         aria-label=\"correlation matrix\">"
    );
    for (a, feature) in features.iter().enumerate() {
        let (at, name) = (NAMES + a * CELL, escape(&feature.name));
        let middle = at + CELL / 2 + 4;
        let _ = write!(svg, "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>", NAMES - 6);
        let _ =
            write!(svg, "<text transform=\"translate({middle} {}) rotate(-90)\">{name}</text>", NAMES - 6);
        for (b, other) in features.iter().enumerate() {
            let Some(r) = table.correlation(a, b) else { continue };
            let class = if r < 0.0 { "minus" } else { "plus" };
            let (x, y) = (NAMES + b * CELL, at);
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" \
                 fill-opacity=\"{:.3}\"><title>{name}, {}: {r:.3}</title></rect>",
                r.abs(),
                escape(&other.name)
            );
        }
    }
    svg += "</svg></div>\n";
    let strong = table.strong();
    if !strong.is_empty() {
        svg += "<h3>Pairs that say much the same</h3><table class=\"narrow\"><tbody>\n";
        for (a, b, r) in strong {
            let _ = writeln!(svg, "<tr><th>{}</th><th>{}</th><td>{r:.3}</td></tr>", escape(a), escape(b));
        }
        svg += "</tbody></table>\n";
    }
    section("Correlation", "Over the rows without a null: blue goes together, red against.", &svg)
}
