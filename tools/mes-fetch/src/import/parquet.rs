//! Rows of foreign Parquet: prices as floats or whole 1e-9, times with or without a zone, also in an index column.

use std::{fs::File, path::Path, sync::Arc};

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray, types::*};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use arrow_select::take::{TakeOptions, take};
use mes_core::time::{SECOND, Ts};
use mes_pipe::{Error, Result};

use super::{
    dialect::Scale,
    row::{Cells, Read, fixed},
    when::Clock,
};

/// Opens a file and returns the names of its columns and its batches.
///
/// # Errors
///
/// `Failed` where it cannot be opened, `Data` where it is damaged or beyond a limit.
pub fn open(path: &Path) -> Result<(Vec<String>, ParquetRecordBatchReader)> {
    let file = File::open(path).map_err(|error| Error::from(error).at(path.display()))?;
    let file = mes_pipe::open_parquet(file, &path.display().to_string(), |_| true)?;
    Ok((file.schema.fields().iter().map(|field| field.name().clone()).collect(), file.batches))
}

/// Puts the values of a dictionary, as pandas stores categories, in the places where they stand.
///
/// # Errors
///
/// `Data` where a row points beyond its dictionary.
pub fn spelled_out(batch: &RecordBatch) -> Result<RecordBatch> {
    let plain = |column: &ArrayRef| match column.as_any_dictionary_opt() {
        None => Ok(Arc::clone(column)),
        Some(packed) => take(packed.values(), packed.keys(), Some(TakeOptions { check_bounds: true })),
    };
    let columns = batch.columns().iter().map(plain).collect::<std::result::Result<Vec<_>, _>>()?;
    let fields = batch
        .schema()
        .fields()
        .iter()
        .zip(&columns)
        .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true))
        .collect::<Vec<_>>();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// One row of a batch.
pub struct ParquetCells<'a> {
    pub batch: &'a RecordBatch,
    pub row: usize,
    pub scale: Scale,
}

impl ParquetCells<'_> {
    /// Returns a column, or `None` where the row is empty.
    fn column(&self, at: usize) -> Option<&ArrayRef> {
        Some(self.batch.column(at)).filter(|column| column.is_valid(self.row))
    }

    fn whole(&self, column: &ArrayRef) -> Option<i64> {
        let row = self.row;
        Some(match column.data_type() {
            DataType::Int64 => column.as_primitive::<Int64Type>().value(row),
            DataType::Int32 => i64::from(column.as_primitive::<Int32Type>().value(row)),
            DataType::UInt32 => i64::from(column.as_primitive::<UInt32Type>().value(row)),
            DataType::UInt16 => i64::from(column.as_primitive::<UInt16Type>().value(row)),
            DataType::UInt64 => i64::try_from(column.as_primitive::<UInt64Type>().value(row)).ok()?,
            _ => return None,
        })
    }

    fn float(&self, column: &ArrayRef) -> Option<f64> {
        match column.data_type() {
            DataType::Float64 => Some(column.as_primitive::<Float64Type>().value(self.row)),
            DataType::Float32 => Some(f64::from(column.as_primitive::<Float32Type>().value(self.row))),
            _ => None,
        }
    }
}

impl Cells for ParquetCells<'_> {
    fn text(&self, at: usize) -> Read<Option<&str>> {
        let Some(column) = self.column(at) else { return Ok(None) };
        let text = match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value(self.row),
            DataType::LargeUtf8 => column.as_string::<i64>().value(self.row),
            DataType::Utf8View => column.as_string_view().value(self.row),
            other => return Err(format!("column {} holds {other}, not text", at + 1)),
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn time(&self, at: usize, clock: &Clock) -> Read<Option<Ts>> {
        let Some(column) = self.column(at) else { return Ok(None) };
        let (unit, zone) = match column.data_type() {
            DataType::Timestamp(unit, zone) => (unit, zone),
            _ => {
                return match self.whole(column) {
                    Some(number) => clock.read(&number.to_string()).map(Some),
                    None => self.text(at)?.map(|text| clock.read(text)).transpose(),
                };
            }
        };
        let (value, factor) = match unit {
            TimeUnit::Second => (column.as_primitive::<TimestampSecondType>().value(self.row), SECOND),
            TimeUnit::Millisecond => {
                (column.as_primitive::<TimestampMillisecondType>().value(self.row), 1_000_000)
            }
            TimeUnit::Microsecond => {
                (column.as_primitive::<TimestampMicrosecondType>().value(self.row), 1_000)
            }
            TimeUnit::Nanosecond => (column.as_primitive::<TimestampNanosecondType>().value(self.row), 1),
        };
        let ts = value.checked_mul(factor).ok_or_else(|| format!("time {value} is out of range"))?;
        if zone.is_some() {
            return Ok(Some(ts));
        }
        let (local, nanos) = (ts.div_euclid(SECOND), ts.rem_euclid(SECOND));
        let name = mes_core::time::format(ts);
        Ok(Some(clock.instant(local, name.trim_end_matches('Z'))? + nanos))
    }

    fn price(&self, at: usize, name: &str) -> Read<Option<f64>> {
        let Some(column) = self.column(at) else { return Ok(None) };
        let wrong = || format!("{name} is {}, not a number", column.data_type());
        let price = match (self.float(column), self.scale) {
            // Pandas writes NaN where there is nothing.
            (Some(price), _) if price.is_nan() => return Ok(None),
            (Some(price), Scale::By(by)) => price / by,
            (Some(price), Scale::Databento) => price,
            (None, Scale::By(by)) => self.whole(column).ok_or_else(wrong)? as f64 / by,
            (None, Scale::Databento) => return Ok(fixed(self.whole(column).ok_or_else(wrong)?)),
        };
        if price.is_finite() { Ok(Some(price)) } else { Err(format!("{name} {price} is not a number")) }
    }

    fn count(&self, at: usize, name: &str) -> Read<Option<i64>> {
        let Some(column) = self.column(at) else { return Ok(None) };
        if let Some(count) = self.float(column) {
            let whole = count % 1.0 == 0.0 && count.abs() < 9e15;
            let empty = count.is_nan().then_some(Ok(None));
            let wrong = || format!("{name} {count} is not a whole number");
            return empty.unwrap_or_else(|| whole.then_some(Some(count as i64)).ok_or_else(wrong));
        }
        let wrong = || format!("{name} is {}, not a whole number", column.data_type());
        self.whole(column).map(Some).ok_or_else(wrong)
    }
}
