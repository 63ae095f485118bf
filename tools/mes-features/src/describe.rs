//! What a table of features is like: how many values are missing, where they lie, how they hang together, how often
//! each label occurs, and what each feature alone says about the move to come.

use std::io::{Write, stdout};

use arrow_array::{
    Array, Float32Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Int8Type},
};
use mes_pipe::{Event, Input, InputArgs, Kind, Result};
use serde_json::{Value, json};

/// Pairs at least this correlated are worth a line for people.
const STRONG: f64 = 0.9;

/// Reads the table and prints what it is like.
pub fn describe(args: &InputArgs, as_json: bool) -> Result<()> {
    let mut input = Input::open(args, &[Kind::Feature])?;
    let mut table = Table::of(input.schema());
    loop {
        match input.next()? {
            Event::Batch(batch) => table.add(&batch),
            Event::Idle => {}
            Event::End => break,
        }
    }
    let text = if as_json { format!("{}\n", table.json()) } else { table.text() };
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// One column: what is known of it.
#[derive(Clone)]
struct Column {
    index: usize,
    name: String,
    nulls: u64,
    count: u64,
    sum: f64,
    squares: f64,
    least: f64,
    most: f64,
}

struct Table {
    rows: u64,
    /// The features, and the move last if there is one.
    columns: Vec<Column>,
    moves: bool,
    labels: Vec<Labels>,
    /// Rows without a null, their sums and their sums of products, by pairs of columns.
    complete: f64,
    sums: Vec<f64>,
    products: Vec<f64>,
}

/// How often a label was down, flat, up, unknown.
struct Labels {
    index: usize,
    name: String,
    counts: [u64; 4],
}

impl Table {
    fn of(schema: &arrow_schema::Schema) -> Table {
        let named = |wanted: fn(&str) -> bool| {
            let fields = schema.fields().iter().enumerate();
            fields.filter(move |(_, field)| wanted(field.name())).map(|(index, f)| (index, f.name().clone()))
        };
        let column = |(index, name)| {
            let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
            Column { index, name, nulls: 0, count: 0, sum: 0.0, squares: 0.0, least, most }
        };
        let mut columns: Vec<_> = named(|name| name.starts_with("f_")).map(column).collect();
        let features = columns.len();
        columns.extend(named(|name| name == "y_move").map(column));
        let labels = named(|name| name == "y_dir" || name == "y_barrier").map(|(index, name)| Labels {
            index,
            name,
            counts: [0; 4],
        });
        let width = columns.len();
        Table {
            rows: 0,
            moves: width > features,
            labels: labels.collect(),
            columns,
            complete: 0.0,
            sums: vec![0.0; width],
            products: vec![0.0; width * width],
        }
    }

    fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        let arrays: Vec<&Float32Array> = self
            .columns
            .iter()
            .map(|column| batch.column(column.index).as_primitive::<Float32Type>())
            .collect();
        for (column, array) in self.columns.iter_mut().zip(&arrays) {
            column.add(array);
        }
        for label in &mut self.labels {
            for class in batch.column(label.index).as_primitive::<Int8Type>() {
                label.counts[class.map_or(3, |class| class.clamp(0, 2) as usize)] += 1;
            }
        }
        let mut row = vec![0.0; arrays.len()];
        for at in 0..batch.num_rows() {
            if arrays.iter().all(|array| array.is_valid(at)) {
                row.iter_mut().zip(&arrays).for_each(|(value, array)| *value = f64::from(array.value(at)));
                self.multiply(&row);
            }
        }
    }

    fn multiply(&mut self, row: &[f64]) {
        self.complete += 1.0;
        for ((x, sum), products) in row.iter().zip(&mut self.sums).zip(self.products.chunks_mut(row.len())) {
            *sum += x;
            products.iter_mut().zip(row).for_each(|(product, y)| *product += x * y);
        }
    }

    /// Returns the correlation of two columns over the complete rows; absent where one does not vary.
    fn correlation(&self, a: usize, b: usize) -> Option<f64> {
        let product = |a: usize, b: usize| {
            self.products[a * self.columns.len() + b] * self.complete - self.sums[a] * self.sums[b]
        };
        let spread = (product(a, a) * product(b, b)).sqrt();
        (spread > 0.0).then(|| (product(a, b) / spread).clamp(-1.0, 1.0))
    }

    /// Returns the correlation of a feature with the move that follows.
    fn importance(&self, feature: usize) -> Option<f64> {
        self.moves.then(|| self.correlation(feature, self.columns.len() - 1)).flatten()
    }

    fn features(&self) -> usize {
        self.columns.len() - usize::from(self.moves)
    }

    fn json(&self) -> Value {
        let features = 0..self.features();
        let columns = features.clone().map(|f| {
            let Column { name, nulls, least, most, .. } = &self.columns[f];
            let (mean, sd) = self.columns[f].mean_sd();
            json!({
                "name": name, "nulls": nulls, "mean": mean, "sd": sd, "least": least, "most": most,
                "correlation_with_move": self.importance(f),
            })
        });
        let matrix =
            features.clone().map(|a| features.clone().map(|b| self.correlation(a, b)).collect::<Vec<_>>());
        let labels = self.labels.iter().map(|label| {
            let [down, flat, up, unknown] = label.counts;
            json!({ "name": label.name, "down": down, "flat": flat, "up": up, "null": unknown })
        });
        json!({
            "rows": self.rows,
            "complete_rows": self.complete,
            "labels": labels.collect::<Vec<_>>(),
            "features": columns.collect::<Vec<_>>(),
            "correlation": matrix.collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{} rows, {} without a null\n", self.rows, self.complete);
        for Labels { name, counts, .. } in &self.labels {
            let known = counts[..3].iter().sum::<u64>().max(1) as f64;
            let [down, flat, up] = [0, 1, 2].map(|class| 100.0 * counts[class] as f64 / known);
            let unknown = counts[3];
            text += &format!("{name}: {down:.2} % down, {flat:.2} % flat, {up:.2} % up; {unknown} null\n");
        }
        let move_title = if self.moves { "  corr. with y_move" } else { "" };
        text += &format!("\n{:<16}  null %    mean      sd   least    most{move_title}\n", "feature");
        for (f, column) in self.columns[..self.features()].iter().enumerate() {
            let nulls = 100.0 * column.nulls as f64 / (self.rows.max(1)) as f64;
            let (mean, sd) = column.mean_sd();
            let shown = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.3}"));
            let known = |x: f64| x.is_finite().then_some(x);
            let (least, most) = (shown(known(column.least)), shown(known(column.most)));
            let importance = if self.moves { shown(self.importance(f)) } else { String::new() };
            let (mean, sd, name) = (shown(mean), shown(sd), &column.name);
            text +=
                &format!("{name:<16} {nulls:>7.2} {mean:>7} {sd:>7} {least:>7} {most:>7} {importance:>9}\n");
        }
        text += &format!("\ncorrelated by {STRONG} or more:\n");
        for a in 0..self.features() {
            for b in a + 1..self.features() {
                if let Some(r) = self.correlation(a, b).filter(|r| r.abs() >= STRONG) {
                    text += &format!("{:<16} {:<16} {r:>6.3}\n", self.columns[a].name, self.columns[b].name);
                }
            }
        }
        text
    }
}

impl Column {
    fn add(&mut self, array: &Float32Array) {
        self.nulls += array.null_count() as u64;
        for value in array.iter().flatten().map(f64::from) {
            self.count += 1;
            self.sum += value;
            self.squares += value * value;
            (self.least, self.most) = (self.least.min(value), self.most.max(value));
        }
    }

    fn mean_sd(&self) -> (Option<f64>, Option<f64>) {
        if self.count == 0 {
            return (None, None);
        }
        let mean = self.sum / self.count as f64;
        let variance = (self.squares / self.count as f64 - mean * mean).max(0.0);
        (Some(mean), Some(variance.sqrt()))
    }
}
