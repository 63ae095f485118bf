//! What holds of every table that a tool reads: canonical types, times that never go back, no NaN.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampNanosecondType},
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::take::{TakeOptions, take};
use mes_core::time;

use crate::{Error, Kind, Result, schema};

/// Returns the schema that rows of `found` get: canonical types under the same names.
pub(crate) fn canonical(found: &Schema) -> Result<SchemaRef> {
    let mut fields = Vec::new();
    for (index, field) in found.fields().iter().enumerate() {
        if found.fields()[..index].iter().any(|other| other.name() == field.name()) {
            return Err(Error::data(format!("column {:?} twice", field.name())));
        }
        if let ("ts", DataType::Timestamp(_, None)) = (field.name().as_str(), field.data_type()) {
            return Err(Error::data(
                "column \"ts\" has no zone: nobody can know what it means, store it as UTC",
            ));
        }
        let wanted = schema::data_type(field.name());
        let data_type = match wanted {
            None => spelled_out(field.data_type()).clone(),
            Some(wanted) if converts(field.data_type(), &wanted) => wanted,
            Some(wanted) => {
                let (found, wanted) = (schema::type_name(field.data_type()), schema::type_name(&wanted));
                return Err(Error::data(format!("column {:?} is {found}, not {wanted}", field.name())));
            }
        };
        fields.push(Field::new(field.name(), data_type, field.name() != "ts"));
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, found.metadata().clone())))
}

/// Finds the kind among `kinds` that a table with these columns is.
pub(crate) fn accept(found: &Schema, kinds: &[Kind]) -> Result<Kind> {
    let kind = Kind::of(found);
    let bars = kind != Kind::Tick;
    let Some(wanted) =
        kinds.iter().copied().find(|wanted| (*wanted != Kind::Tick) == bars).or(kinds.first().copied())
    else {
        return Ok(kind);
    };
    match schema::required(wanted).iter().find(|name| found.column_with_name(name).is_none()) {
        None => Ok(kind.max(wanted)),
        Some(name) => {
            let columns: Vec<_> = found.fields().iter().map(|field| field.name().as_str()).collect();
            let advice = match *name {
                "seg" | "symbol" => ": run mes-bars first",
                "p_dir" | "p_conf" => ": run mes-predict first",
                _ => "",
            };
            Err(Error::data(format!("no column {name:?}{advice} (there are {})", columns.join(" "))))
        }
    }
}

/// Returns the type of a column's values, of which a dictionary holds each but once.
fn spelled_out(found: &DataType) -> &DataType {
    match found {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

fn converts(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        // A naive instant is refused: nobody can know its zone.
        (DataType::Timestamp(_, Some(zone)), DataType::Timestamp(..)) => {
            matches!(&**zone, "UTC" | "+00:00" | "Etc/UTC")
        }
        (DataType::Int32, DataType::Int64) => true,
        (DataType::LargeUtf8 | DataType::Utf8View, DataType::Utf8) => true,
        (DataType::Dictionary(_, values), to) => converts(values, to),
        _ => from == to,
    }
}

/// Converts a batch to the canonical schema.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let arrays =
        batch.columns().iter().zip(schema.fields()).map(|(array, field)| convert(array, field.data_type()));
    Ok(RecordBatch::try_new(schema.clone(), arrays.collect::<Result<_>>()?)?)
}

pub(crate) fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let instants =
        |nanos: TimestampNanosecondArray| -> Result<ArrayRef> { Ok(Arc::new(nanos.with_timezone("UTC"))) };
    let late = || Error::data("a time is out of range");
    Ok(match (array.data_type(), to) {
        (from, to) if from == to => Arc::clone(array),
        (DataType::Dictionary(..), to) => {
            let dictionary = array.as_any_dictionary();
            let bounded = Some(TakeOptions { check_bounds: true });
            convert(&take(dictionary.values(), dictionary.keys(), bounded)?, to)?
        }
        (DataType::Timestamp(unit, _), _) => {
            macro_rules! scaled {
                ($kind:ty, $factor:expr) => {{
                    let times = array.as_any().downcast_ref::<$kind>().ok_or_else(late)?;
                    instants(times.try_unary(|value| value.checked_mul($factor).ok_or_else(late))?)?
                }};
            }
            match unit {
                TimeUnit::Second => scaled!(TimestampSecondArray, 1_000_000_000),
                TimeUnit::Millisecond => scaled!(TimestampMillisecondArray, 1_000_000),
                TimeUnit::Microsecond => scaled!(TimestampMicrosecondArray, 1_000),
                TimeUnit::Nanosecond => instants(array.as_primitive::<TimestampNanosecondType>().clone())?,
            }
        }
        (DataType::Int32, _) => Arc::new(array.as_primitive::<Int32Type>().unary::<_, Int64Type>(i64::from)),
        (DataType::LargeUtf8, _) => Arc::new(array.as_string::<i64>().iter().collect::<StringArray>()),
        (DataType::Utf8View, _) => Arc::new(array.as_string_view().iter().collect::<StringArray>()),
        (from, to) => return Err(Error::data(format!("cannot turn {from} into {to}"))),
    })
}

/// Checks that a further file has the columns of the first.
pub(crate) fn joins(first: &Schema, next: &Schema) -> Result<()> {
    let names = |schema: &Schema| {
        schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(" ")
    };
    if names(first) != names(next) {
        return Err(Error::data(format!("columns {} after {}", names(next), names(first))));
    }
    match first.fields().iter().zip(next.fields()).find(|(a, b)| a.data_type() != b.data_type()) {
        None => Ok(()),
        Some((a, b)) => {
            let (was, is) = (schema::type_name(a.data_type()), schema::type_name(b.data_type()));
            Err(Error::data(format!("column {:?} is {is} after a file in which it is {was}", a.name())))
        }
    }
}

/// Times that make sense.
const YEARS_1970_TO_2200: std::ops::Range<i64> = 0..7_258_118_400 * time::SECOND;

/// Checks the values of canonical batches in the order they come.
pub(crate) struct Checks {
    required: &'static [&'static str],
    last: i64,
    ordered: bool,
}

impl Checks {
    pub fn new(kind: Kind) -> Self {
        Checks { required: schema::required(kind), last: i64::MIN, ordered: true }
    }

    /// Lets times go back.
    pub fn any_order(&mut self) {
        self.ordered = false;
    }

    /// Checks that nothing required is null; the error begins with the index of the row at fault.
    pub fn nulls(&self, batch: &RecordBatch) -> std::result::Result<(), (usize, Error)> {
        // Predictions are empty while the model's inputs warm up.
        for name in self.required.iter().filter(|name| !name.starts_with("p_")) {
            if let Some(nulls) =
                batch.column_by_name(name).and_then(|column| column.nulls().filter(|n| n.null_count() > 0))
            {
                let row = nulls.iter().position(|there| !there).unwrap_or(0);
                return Err((row, Error::data(format!("column {name:?} is empty"))));
            }
        }
        Ok(())
    }

    /// Checks the times and values of the next batch, likewise.
    pub fn batch(&mut self, batch: &RecordBatch) -> std::result::Result<(), (usize, Error)> {
        if let Some(ts) = batch.column_by_name("ts").filter(|_| self.ordered) {
            let times = ts.as_primitive::<TimestampNanosecondType>().values();
            if let Some(row) = times
                .iter()
                .zip(std::iter::once(&self.last).chain(times.iter()))
                .position(|(now, last)| now < last)
            {
                let before = if row == 0 { self.last } else { times[row - 1] };
                let (now, before) = (time::format(times[row]), time::format(before));
                return Err((
                    row,
                    Error::data(format!("time goes back from {before} to {now}: sort the rows by ts")),
                ));
            }
            // In order, so all lie between the first and the last. Beyond, sums of times overflow.
            for row in [0, times.len().saturating_sub(1)] {
                if let Some(ts) = times.get(row).filter(|ts| !YEARS_1970_TO_2200.contains(ts)) {
                    let at = time::format(*ts);
                    return Err((row, Error::data(format!("time {at} is not between 1970 and 2200"))));
                }
            }
            self.last = times.last().copied().unwrap_or(self.last);
        }
        for (array, field) in batch.columns().iter().zip(batch.schema_ref().fields()) {
            if let Some(row) = not_finite(array) {
                return Err((
                    row,
                    Error::data(format!("column {:?} is not a finite number: leave it empty", field.name())),
                ));
            }
        }
        Ok(())
    }
}

/// Finds the first value that is NaN or infinite. The common case costs one pass without branches.
fn not_finite(array: &ArrayRef) -> Option<usize> {
    match array.data_type() {
        DataType::Float64 => {
            let column = array.as_primitive::<Float64Type>();
            let clean = column.values().iter().fold(true, |clean, value| clean & value.is_finite());
            if clean {
                None
            } else {
                (0..column.len()).find(|&row| column.is_valid(row) && !column.value(row).is_finite())
            }
        }
        DataType::Float32 => {
            let column = array.as_primitive::<Float32Type>();
            let clean = column.values().iter().fold(true, |clean, value| clean & value.is_finite());
            if clean {
                None
            } else {
                (0..column.len()).find(|&row| column.is_valid(row) && !column.value(row).is_finite())
            }
        }
        _ => None,
    }
}
