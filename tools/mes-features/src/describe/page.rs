//! What a table of features is like, as a page with pictures.

use mes_core::money::grouped;
use mes_page::{
    html::{Cell, paragraph, section, table},
    svg::{Axis, Chart, matrix},
};

use super::{
    importance::Linear,
    table::{Column, Labels, Table},
};

/// Writes the whole page.
pub fn page(features: &Table) -> String {
    let model = features.model();
    let rows = format!(
        "{} rows, {} of them without a null; {} features",
        grouped(features.rows),
        grouped(features.complete as u64),
        features.features().len()
    );
    let mut body =
        format!("<header>{}<h1>Features</h1>{}</header>\n", features.origin.badge(), paragraph(&rows));
    body += &balance(&features.labels);
    body += &importance(features, model.as_ref());
    body += &distributions(features);
    body += &correlation(features);
    mes_page::page("mes features", &body)
}

fn balance(labels: &[Labels]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let mut body = paragraph("How often the market was down, flat or up when the label was known.");
    for label in labels {
        let classes = [("Down", -1.0), ("Flat", 0.0), ("Up", 1.0)];
        let rows = classes.into_iter().zip(label.shares()).zip(label.counts);
        let row = |(((class, sign), percent), count): (((&str, f64), f64), u64)| {
            vec![
                Cell::Text(class.to_owned()),
                Cell::Bar(percent / 100.0, sign),
                Cell::Number(format!("{percent:.2} %")),
                Cell::Number(grouped(count)),
            ]
        };
        let mut rows: Vec<Vec<Cell>> = rows.map(row).collect();
        let unknown = Cell::Number(grouped(label.counts[3]));
        rows.push(vec![Cell::Text("None".into()), Cell::Bar(0.0, 0.0), Cell::Number(String::new()), unknown]);
        body += &table(&[&label.name, "|", ">Share", ">Rows"], &rows);
    }
    section("Class balance", &body)
}

/// A number and its bar, as a share of the longest; red where it is below 0.
fn bar(value: Option<f64>, all: &[Option<f64>], digits: usize) -> [Cell; 2] {
    let most = all.iter().flatten().fold(0.0_f64, |most, x| most.max(x.abs()));
    let share = value.filter(|_| most > 0.0).map_or(0.0, |value| value.abs() / most);
    let sign = value.unwrap_or_default().min(0.0);
    [Cell::Number(value.map_or("–".into(), |value| fixed(value, digits))), Cell::Bar(share, sign)]
}

/// Writes a number with so many decimals; what rounds to 0 has no sign.
fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.trim_start_matches(['-', '0', '.']).is_empty() { text.replace('-', "") } else { text }
}

fn importance(features: &Table, model: Option<&Linear>) -> String {
    let Some(target) = features.target() else { return String::new() };
    let all = features.features();
    let weights = model.map_or_else(|| vec![None; all.len()], |model| model.weights.clone());
    let information: Vec<_> = all.iter().map(Column::information).collect();
    let with: Vec<_> = (0..all.len()).map(|feature| features.with_target(feature)).collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    let bits = |feature: usize| information[feature].unwrap_or(0.0);
    order.sort_by(|a, b| bits(*b).total_cmp(&bits(*a)));
    let row = |feature: usize| {
        let mut row = vec![Cell::Text(all[feature].name.clone())];
        row.extend(bar(information[feature], &information, 4));
        row.extend(bar(with[feature], &with, 3));
        row.extend(bar(weights[feature], &weights, 3));
        row
    };
    let rows: Vec<Vec<Cell>> = order.into_iter().map(row).collect();
    let head = ["Feature", ">Bits", "|", ">Correlation", "|", ">Weight", "|"];
    let explained = model.map_or("has no row without a null to be fitted to".to_owned(), |model| {
        format!("explains {:.3} % of its variance", 100.0 * model.r_squared)
    });
    let words = format!(
        "Baselines, measured on the rows they are fitted to: what each feature alone says about the label (mutual \
         information, bits), its correlation with {target}, and its weight in a linear model of {target} on all of \
         them, which {explained}."
    );
    section("Importance", &(paragraph(&words) + &table(&head, &rows)))
}

fn distributions(features: &Table) -> String {
    let mut body = paragraph("From −1 to 1; heights are square roots of counts.") + "<div class=\"small\">\n";
    for feature in features.features() {
        let nulls = 100.0 * feature.nulls as f64 / features.rows.max(1) as f64;
        let (mean, sd) = feature.mean_sd();
        let shown = |x: Option<f64>| x.map_or("–".to_owned(), |x| fixed(x, 3));
        let words = format!("mean {}, sd {}, null {nulls:.1} %", shown(mean), shown(sd));
        let words = mes_page::html::escape(&mes_page::html::minus(&words));
        let name = mes_page::html::escape(&feature.name);
        body += &format!(
            "<div><h3>{name}</h3>{}<p class=\"caption\">{words}</p></div>\n",
            histogram(feature).render()
        );
    }
    section("Distributions", &(body + "</div>\n"))
}

/// Square roots of counts, so that small bins are seen beside large ones.
fn histogram(feature: &Column) -> Chart {
    let counts = feature.histogram();
    let (bins, most) = (counts.len() as f64, counts.iter().copied().max().unwrap_or(0).max(1) as f64);
    let axis = Axis { low: 0.0, high: 1.0, step: 1.0 };
    let mut chart = Chart::new(&format!("Distribution of {}", feature.name), 64.0, axis, |_| String::new());
    chart.mark("level", 0.5, "0");
    for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let [left, right] = [bin, bin + 1].map(|edge| edge as f64 / bins);
        let [from, to] = [left, right].map(|share| 2.0 * share - 1.0);
        let title = format!("{from:.2} to {to:.2}: {}", grouped(*count));
        let height = (*count as f64 / most).sqrt();
        chart.bar("count", (left, right - 0.2 / bins), (0.0, height), &title);
    }
    [(0.0, "−1"), (0.5, "0"), (1.0, "1")].into_iter().for_each(|(place, text)| chart.below(place, text));
    chart
}

fn correlation(features: &Table) -> String {
    let names: Vec<&str> = features.features().iter().map(|feature| feature.name.as_str()).collect();
    let mut body = paragraph("Over the rows without a null: blue goes together, red against.");
    body += &matrix("Correlation of features", &names, |a, b| features.correlation(a, b));
    let row = |(a, b, r): (&str, &str, f64)| {
        vec![Cell::Text(a.to_owned()), Cell::Text(b.to_owned()), Cell::Number(format!("{r:.3}"))]
    };
    let strong: Vec<Vec<Cell>> = features.strong().into_iter().map(row).collect();
    if !strong.is_empty() {
        body += "<h3>Pairs that say much the same</h3>\n";
        body += &table(&["Feature", "Feature", ">Correlation"], &strong);
    }
    section("Correlation", &body)
}
