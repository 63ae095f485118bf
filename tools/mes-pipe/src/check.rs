//! What holds of every table that a tool reads: canonical types, times that never go back, values that can be.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, RecordBatch, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
    cast::AsArray,
    types::{Int32Type, Int64Type, TimestampNanosecondType},
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::take::{TakeOptions, take};
use mes_core::time;

use crate::{
    Error, Kind, Result, schema, suggest,
    values::{Fault, Values},
};

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
                _ if kind == Kind::Tick && wanted != Kind::Tick && columns.contains(&"price") => {
                    ": run mes-bars first"
                }
                _ => "",
            };
            let meant = suggest::meant(name, columns.iter().copied().filter(|name| !schema::is_ours(name)));
            Err(Error::data(format!("no column {name:?}{advice}{meant} (there are {})", columns.join(" "))))
        }
    }
}

/// Returns the type of a column's values, of which a dictionary holds each but once.
fn spelled_out(found: &DataType) -> &DataType {
    match found {
        DataType::Dictionary(_, values) => spelled_out(values),
        // As Parquet is read, so that it can be measured.
        DataType::Utf8View => &DataType::Utf8,
        DataType::BinaryView => &DataType::Binary,
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
        (DataType::BinaryView, DataType::Binary) => {
            Arc::new(array.as_binary_view().iter().collect::<BinaryArray>())
        }
        (DataType::Utf8View, _) => Arc::new(array.as_string_view().iter().collect::<StringArray>()),
        (from, to) => return Err(Error::data(format!("cannot turn {from} into {to}"))),
    })
}

/// Checks that all times make sense, in whatever order they come. Beyond, sums of times overflow.
pub(crate) fn times(batch: &RecordBatch) -> std::result::Result<(), (usize, Error)> {
    let Some(ts) = batch.column_by_name("ts") else { return Ok(()) };
    let times = ts.as_primitive::<TimestampNanosecondType>().values();
    // The common case costs one pass without branches.
    if times.iter().fold(true, |fit, ts| fit & time::TIMES.contains(ts)) {
        return Ok(());
    }
    let at =
        times.iter().enumerate().find_map(|(row, ts)| time::bounded(*ts).err().map(|error| (row, error)));
    at.map_or(Ok(()), |(row, error)| Err((row, Error::data(error))))
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

/// Checks the values of canonical batches in the order they come.
pub(crate) struct Checks {
    required: &'static [&'static str],
    values: Values,
    last: i64,
    ordered: bool,
}

impl Checks {
    /// Checks rows of this kind and canonical schema.
    pub fn new(kind: Kind, schema: &Schema) -> Self {
        Checks { required: schema::required(kind), values: Values::of(schema), last: i64::MIN, ordered: true }
    }

    /// Lets times go back.
    pub fn any_order(&mut self) {
        self.ordered = false;
    }

    /// Lets bars contradict themselves.
    pub fn any_bar(&mut self) {
        self.values.any_bar();
    }

    /// Checks that nothing required is null; the error begins with the index of the row at fault.
    ///
    /// # Errors
    ///
    /// `Data`: the first required column that has a null.
    pub fn nulls(&self, batch: &RecordBatch) -> std::result::Result<(), Fault> {
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

    /// Checks the times and values of the next batch, likewise: of all that is wrong, what comes first.
    ///
    /// # Errors
    ///
    /// `Data`: the first row whose time or value cannot be.
    pub fn batch(&mut self, batch: &RecordBatch) -> std::result::Result<(), Fault> {
        let times = self.times(batch);
        let first = times.into_iter().chain(self.values.fault(batch)).min_by_key(|(row, _)| *row);
        first.map_or(Ok(()), Err)
    }

    /// Finds a time that goes back, or is none.
    fn times(&mut self, batch: &RecordBatch) -> Option<Fault> {
        let ts = batch.column_by_name("ts").filter(|_| self.ordered)?;
        let times = ts.as_primitive::<TimestampNanosecondType>().values();
        let last = self.last;
        self.last = times.last().copied().unwrap_or(last);
        let before = |row: usize| if row == 0 { last } else { times[row - 1] };
        let row = times
            .iter()
            .zip(std::iter::once(&last).chain(times.iter()))
            .position(|(now, last)| now < last)?;
        let (now, before) = (time::format(times[row]), time::format(before(row)));
        Some((row, Error::data(format!("time goes back from {before} to {now}: sort the rows by ts"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_where_bars_are_wanted_lack_mes_bars() {
        let fields = ["ts", "price", "size"].map(|name| Field::new(name, DataType::Int64, true));
        let error = accept(&Schema::new(fields.to_vec()), &[Kind::Bar]).expect_err("refused").to_string();
        assert!(error.contains("\"open\": run mes-bars first"), "{error}");
    }
}
