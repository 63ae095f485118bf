//! What a table of features is like: how many values are missing, where they lie, how they hang together, how often
//! each label occurs, and what features say about the move to come.

use arrow_array::{
    Array, Float32Array, Int8Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Int8Type},
};
use arrow_schema::Schema;
use mes_pipe::Origin;
use serde_json::{Value, json};

use super::importance::{BINS, Linear, bin, linear, mutual_information};

/// Pairs at least this correlated are worth a line for people.
const STRONG: f64 = 0.9;

/// One column: what is known of it.
#[derive(Clone)]
pub struct Column {
    index: usize,
    pub name: String,
    pub nulls: u64,
    count: u64,
    sum: f64,
    squares: f64,
    least: f64,
    most: f64,
    /// How many values of each class of the label fell into a bin; the last is those without a label.
    bins: Vec<[u64; 4]>,
}

/// What is counted of the columns of a table.
pub struct Table {
    pub rows: u64,
    /// Where the rows came from; unknown until it is said.
    pub origin: Origin,
    /// The features, and the target last if there is one.
    columns: Vec<Column>,
    target: Option<Target>,
    pub labels: Vec<Labels>,
    /// Rows without a null, their sums and their sums of products, by pairs of columns.
    pub complete: f64,
    sums: Vec<f64>,
    products: Vec<f64>,
}

/// What the linear model is of: a move in ticks, or a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Move,
    Class,
}

/// How often a label was down, flat, up, unknown.
pub struct Labels {
    index: usize,
    pub name: String,
    pub counts: [u64; 4],
}

impl Column {
    fn new(index: usize, name: &str) -> Column {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        let bins = vec![[0; 4]; BINS];
        Column { index, name: name.to_owned(), nulls: 0, count: 0, sum: 0.0, squares: 0.0, least, most, bins }
    }

    fn add(&mut self, array: &Float32Array, classes: Option<&Int8Array>) {
        self.nulls += array.null_count() as u64;
        for (row, value) in array.iter().enumerate() {
            let Some(value) = value.map(f64::from) else { continue };
            self.count += 1;
            self.sum += value;
            self.squares += value * value;
            (self.least, self.most) = (self.least.min(value), self.most.max(value));
            let class = classes.filter(|classes| classes.is_valid(row)).map(|classes| classes.value(row));
            self.bins[bin(value)][class.map_or(3, |class| class.clamp(0, 2) as usize)] += 1;
        }
    }

    /// Returns mean and standard deviation; none of no values.
    pub fn mean_sd(&self) -> (Option<f64>, Option<f64>) {
        if self.count == 0 {
            return (None, None);
        }
        let mean = self.sum / self.count as f64;
        let variance = (self.squares / self.count as f64 - mean * mean).max(0.0);
        (Some(mean), Some(variance.sqrt()))
    }

    /// Returns the least and the largest value.
    pub fn ends(&self) -> Option<(f64, f64)> {
        (self.count > 0).then_some((self.least, self.most))
    }

    /// Returns how many values fell into each bin.
    pub fn histogram(&self) -> Vec<u64> {
        self.bins.iter().map(|bin| bin.iter().sum()).collect()
    }

    /// Returns what the feature by itself says about the class of the label, in bits.
    pub fn information(&self) -> Option<f64> {
        mutual_information(&self.bins.iter().map(|bin| [bin[0], bin[1], bin[2]]).collect::<Vec<_>>())
    }
}

impl Table {
    /// Begins with no rows.
    pub fn of(schema: &Schema) -> Table {
        let fields = || schema.fields().iter().map(|field| field.name().as_str()).enumerate();
        let features = fields().filter(|(_, name)| name.starts_with("f_"));
        let mut columns: Vec<_> = features.map(|(index, name)| Column::new(index, name)).collect();
        let labels = fields().filter(|(_, name)| ["y_dir", "y_barrier"].contains(name));
        let labels: Vec<_> =
            labels.map(|(index, name)| Labels { index, name: name.to_owned(), counts: [0; 4] }).collect();
        let moves =
            fields().find(|(_, name)| *name == "y_move").map(|(index, name)| (Target::Move, index, name));
        let class = labels.first().map(|label| (Target::Class, label.index, label.name.as_str()));
        let target = moves.or(class);
        columns.extend(target.map(|(_, index, name)| Column::new(index, name)));
        let width = columns.len();
        Table {
            rows: 0,
            origin: Origin::default(),
            target: target.map(|(target, ..)| target),
            labels,
            columns,
            complete: 0.0,
            sums: vec![0.0; width],
            products: vec![0.0; width * width],
        }
    }

    /// Counts rows in.
    pub fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        let of_class = |array: &Int8Array| {
            array.iter().map(|class| class.map(|class| f32::from(class) - 1.0)).collect::<Float32Array>()
        };
        let arrays: Vec<Float32Array> = self
            .columns
            .iter()
            .map(|column| match batch.column(column.index).as_primitive_opt::<Int8Type>() {
                Some(classes) => of_class(classes),
                None => batch.column(column.index).as_primitive::<Float32Type>().clone(),
            })
            .collect();
        for label in &mut self.labels {
            for class in batch.column(label.index).as_primitive::<Int8Type>() {
                label.counts[class.map_or(3, |class| class.clamp(0, 2) as usize)] += 1;
            }
        }
        let classes = self.labels.first().map(|label| batch.column(label.index).as_primitive::<Int8Type>());
        for (column, array) in self.columns.iter_mut().zip(&arrays) {
            column.add(array, classes);
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
    pub fn correlation(&self, a: usize, b: usize) -> Option<f64> {
        let product = |a: usize, b: usize| {
            self.products[a * self.columns.len() + b] * self.complete - self.sums[a] * self.sums[b]
        };
        let spread = (product(a, a) * product(b, b)).sqrt();
        (spread > 0.0).then(|| (product(a, b) / spread).clamp(-1.0, 1.0))
    }

    /// Returns the correlation of a feature with the target.
    pub fn with_target(&self, feature: usize) -> Option<f64> {
        self.target.and_then(|_| self.correlation(feature, self.columns.len() - 1))
    }

    /// Returns the columns `f_*`, in the order of the table.
    pub fn features(&self) -> &[Column] {
        &self.columns[..self.columns.len() - usize::from(self.target.is_some())]
    }

    /// Returns the name of what the linear model is of.
    pub fn target(&self) -> Option<&str> {
        self.target.and_then(|_| self.columns.last()).map(|column| column.name.as_str())
    }

    /// Returns a linear model of the target; absent without one.
    pub fn model(&self) -> Option<Linear> {
        self.target?;
        let with: Vec<_> = (0..self.features().len()).map(|feature| self.with_target(feature)).collect();
        linear(|a, b| self.correlation(a, b), &with)
    }

    /// Returns it for programs.
    pub fn json(&self) -> Value {
        let model = self.model();
        let features = 0..self.features().len();
        let columns = features.clone().map(|f| {
            let column = &self.columns[f];
            let ((mean, sd), ends) = (column.mean_sd(), column.ends());
            let mut value = json!({
                "name": column.name, "nulls": column.nulls, "mean": mean, "sd": sd,
                "least": ends.map(|ends| ends.0), "most": ends.map(|ends| ends.1),
                "histogram": column.histogram(),
            });
            if self.target.is_some() {
                let with = if self.target == Some(Target::Move) { "move" } else { "class" };
                value[format!("correlation_with_{with}")] = json!(self.with_target(f));
                value["information_bits"] = json!(column.information());
                value["weight"] = json!(model.as_ref().and_then(|model| model.weights[f]));
            }
            value
        });
        let matrix =
            features.clone().map(|a| features.clone().map(|b| self.correlation(a, b)).collect::<Vec<_>>());
        let labels = self.labels.iter().map(|label| {
            let [down, flat, up, unknown] = label.counts;
            json!({ "name": label.name, "down": down, "flat": flat, "up": up, "null": unknown })
        });
        json!({
            "origin": self.origin,
            "rows": self.rows,
            "complete_rows": self.complete,
            "labels": labels.collect::<Vec<_>>(),
            "features": columns.collect::<Vec<_>>(),
            "model": model.map(|model| json!({ "target": self.target(), "r_squared": model.r_squared })),
            "correlation": matrix.collect::<Vec<_>>(),
        })
    }

    /// Returns it for people.
    pub fn text(&self) -> String {
        let mut text =
            format!("{}{} rows, {} without a null\n", self.origin.mark(), self.rows, self.complete);
        for label in &self.labels {
            let ([down, flat, up], unknown) = (label.shares(), label.counts[3]);
            text += &format!(
                "{}: {down:.2} % down, {flat:.2} % flat, {up:.2} % up; {unknown} null\n",
                label.name
            );
        }
        let model = self.model();
        if let (Some(model), Some(target)) = (&model, self.target()) {
            let explained = 100.0 * model.r_squared;
            text += &format!("a linear model of {target} explains {explained:.3} % of it, in sample\n");
        }
        let titles = if self.target.is_some() { "  corr.    bits  weight" } else { "" };
        text += &format!("\n{:<16}  null %    mean      sd   least    most{titles}\n", "feature");
        let shown = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.3}"));
        for (f, column) in self.features().iter().enumerate() {
            let nulls = 100.0 * column.nulls as f64 / (self.rows.max(1)) as f64;
            let ((mean, sd), ends) = (column.mean_sd(), column.ends());
            let numbers = [mean, sd, ends.map(|ends| ends.0), ends.map(|ends| ends.1)];
            text += &format!("{:<16} {nulls:>7.2}", column.name);
            numbers.into_iter().for_each(|number| text += &format!(" {:>7}", shown(number)));
            if self.target.is_some() {
                let bits = column.information().map_or("-".to_owned(), |bits| format!("{bits:.4}"));
                let weight = model.as_ref().and_then(|model| model.weights[f]);
                text += &format!(" {:>7} {bits:>7} {:>7}", shown(self.with_target(f)), shown(weight));
            }
            text.push('\n');
        }
        text += &format!("\ncorrelated by {STRONG} or more:\n");
        for (a, b, r) in self.strong() {
            text += &format!("{a:<16} {b:<16} {r:>6.3}\n");
        }
        text
    }

    /// Returns the pairs of features that say much the same.
    pub fn strong(&self) -> Vec<(&str, &str, f64)> {
        let features = self.features();
        let pairs = (0..features.len()).flat_map(|a| (a + 1..features.len()).map(move |b| (a, b)));
        let strong = pairs.filter_map(|(a, b)| {
            let r = self.correlation(a, b).filter(|r| r.abs() >= STRONG)?;
            Some((features[a].name.as_str(), features[b].name.as_str(), r))
        });
        strong.collect()
    }
}

impl Labels {
    /// Returns how many percent of the known ones are down, flat, up.
    pub fn shares(&self) -> [f64; 3] {
        let known = self.counts[..3].iter().sum::<u64>().max(1) as f64;
        [0, 1, 2].map(|class| 100.0 * self.counts[class] as f64 / known)
    }
}
