//! What the values of a table can be: [`mes_core::bounds`], a column at a time. The common case costs one pass a column
//! without branches; only where that finds something are rows looked at one by one.

use arrow_array::{
    Array, ArrayRef, PrimitiveArray, RecordBatch,
    cast::AsArray,
    types::{ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int64Type},
};
use arrow_schema::{DataType, Schema};
use mes_core::{
    bar,
    bounds::{self, Bounds},
    prediction::{self, COLUMNS, Prediction},
};

use crate::Error;

/// What is looked at in every batch of a stream.
pub(crate) struct Values {
    columns: Vec<(usize, Column)>,
    /// The places of open, high, low and close.
    range: Option<[usize; 4]>,
    /// The places of [`COLUMNS`], where there is a direction, a confidence or a probability.
    prediction: Option<[Option<usize>; prediction::COLUMNS.len()]>,
}

/// The bounds of a column, by the type of its values.
enum Column {
    Price(Bounds<f64>),
    Single(Bounds<f32>),
    Whole(Bounds<i64>),
    Class(Bounds<i8>),
}

/// The row at fault, and what is wrong with it.
pub(crate) type Fault = (usize, Error);

impl Values {
    /// Looks up what there is to check in tables of this canonical schema.
    pub fn of(schema: &Schema) -> Values {
        let place = |name: &str| schema.column_with_name(name).map(|(index, _)| index);
        let fields = schema.fields().iter().enumerate();
        let columns = fields
            .filter_map(|(index, field)| Some((index, Column::of(field.name(), field.data_type())?)))
            .collect();
        let range = match ["open", "high", "low", "close"].map(place) {
            [Some(open), Some(high), Some(low), Some(close)] => Some([open, high, low, close]),
            _ => None,
        };
        let places = COLUMNS.map(place);
        Values { columns, range, prediction: places[..5].iter().any(Option::is_some).then_some(places) }
    }

    /// Lets bars contradict themselves, for a tool that reports it: only what no sum could hold is refused.
    pub fn any_bar(&mut self) {
        if self.range.take().is_none() {
            return;
        }
        for (_, column) in &mut self.columns {
            match column {
                Column::Price((least, most)) => *least = -*most,
                Column::Whole((least, most)) => *least = -*most,
                Column::Single(_) | Column::Class(_) => {}
            }
        }
    }

    /// Finds the first row of a canonical batch in which a value cannot be.
    pub fn fault(&self, batch: &RecordBatch) -> Option<Fault> {
        let columns = self.columns.iter().filter_map(|(index, column)| {
            let (array, schema) = (batch.column(*index), batch.schema_ref());
            column.fault(schema.field(*index).name(), array)
        });
        columns.chain(self.range(batch)).chain(self.predictions(batch)).min_by_key(|(row, _)| *row)
    }

    /// Finds a bar whose open or close lies outside of its low and high; columns with nulls are not those of bars.
    fn range(&self, batch: &RecordBatch) -> Option<Fault> {
        let columns = self.range?.map(|index| batch.column(index).as_primitive::<Float64Type>());
        if columns.iter().any(|column| column.null_count() > 0) {
            return None;
        }
        let prices = columns.map(|column| column.values());
        let [open, high, low, close] = prices;
        let rows = open.iter().zip(high).zip(low.iter().zip(close));
        if rows.fold(true, |all, ((o, h), (l, c))| all & bar::is_range([*o, *h, *l, *c])) {
            return None;
        }
        (0..batch.num_rows()).find_map(|row| {
            let fault = bar::check_range(prices.map(|column| column[row])).err()?;
            Some((row, Error::data(fault)))
        })
    }

    /// Finds a prediction that means nothing.
    fn predictions(&self, batch: &RecordBatch) -> Option<Fault> {
        let columns = self.prediction?.map(|place| Some(batch.column(place?).as_primitive::<Float32Type>()));
        let [down, flat, up, dir, conf, ..] = columns.map(|column| column.filter(|c| c.null_count() == 0));
        if let (Some(down), Some(flat), Some(up), Some(dir), Some(conf)) = (down, flat, up, dir, conf) {
            let [down, flat, up, dir, conf] = [down, flat, up, dir, conf].map(|column| &column.values()[..]);
            let row = |row: usize| prediction::holds([down[row], flat[row], up[row]], dir[row], conf[row]);
            if (0..batch.num_rows()).fold(true, |all, at| all & row(at)) {
                return None;
            }
        }
        (0..batch.num_rows()).find_map(|row| {
            let value = |column: Option<&PrimitiveArray<Float32Type>>| {
                column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
            };
            let fault = Prediction::from_values(columns.map(value)).check().err()?;
            Some((row, Error::data(fault)))
        })
    }
}

impl Column {
    /// Returns what a column is checked for; `None` where anything goes.
    fn of(name: &str, data_type: &DataType) -> Option<Column> {
        Some(match data_type {
            DataType::Float64 => Column::Price(bounds::price(name).unwrap_or((f64::MIN, f64::MAX))),
            DataType::Float32 => Column::Single(bounds::prediction(name).unwrap_or((f32::MIN, f32::MAX))),
            DataType::Int64 => Column::Whole(bounds::whole(name)?),
            DataType::Int8 => Column::Class(bounds::class(name)?),
            _ => return None,
        })
    }

    /// Finds the first value out of bounds.
    fn fault(&self, name: &str, array: &ArrayRef) -> Option<Fault> {
        match self {
            Column::Price(bounds) => outside::<Float64Type>(array, *bounds)
                .map(|(row, value)| (row, words(name, value, *bounds, value.is_finite()))),
            Column::Single(bounds) => outside::<Float32Type>(array, *bounds)
                .map(|(row, value)| (row, words(name, value, *bounds, value.is_finite()))),
            Column::Whole(bounds) => outside::<Int64Type>(array, *bounds)
                .map(|(row, value)| (row, words(name, value, *bounds, true))),
            Column::Class(bounds) => outside::<Int8Type>(array, *bounds)
                .map(|(row, value)| (row, words(name, value, *bounds, true))),
        }
    }
}

fn words<T: std::fmt::Display + std::fmt::Debug>(
    name: &str,
    value: T,
    bounds: Bounds<T>,
    finite: bool,
) -> Error {
    Error::data(if finite {
        format!("column {name:?}: {}", bounds::words(name, value, bounds))
    } else {
        format!("column {name:?} is not a finite number: leave it empty")
    })
}

/// Finds the first value out of bounds; NaN is.
fn outside<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    (least, most): Bounds<T::Native>,
) -> Option<(usize, T::Native)>
where
    T::Native: PartialOrd,
{
    let column = array.as_primitive::<T>();
    let inside = |value: &T::Native| (least <= *value) & (*value <= most);
    let clean = match column.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => column.values().iter().fold(true, |clean, value| clean & inside(value)),
        // What lies under a null is anything.
        Some(nulls) => column
            .values()
            .iter()
            .zip(nulls.iter())
            .fold(true, |clean, (value, there)| clean & (inside(value) | !there)),
    };
    if clean {
        return None;
    }
    let row = (0..column.len()).find(|&row| column.is_valid(row) && !inside(&column.value(row)))?;
    Some((row, column.value(row)))
}
