//! A small table that a person or another program wrote: an instant and a few numbers a row, in any order of columns and
//! rows, of any width of number, in every format that the tools read. What else it holds is nobody's concern.

use std::path::Path;

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int8Type, Int32Type, Int64Type, TimestampNanosecondType},
};
use arrow_schema::{DataType, Schema};
use mes_core::time::{self, Ts};

use crate::{
    Error, Event, Result,
    check::convert,
    opened::{Opened, Place},
    schema,
    source::Source,
};

/// The rows in the order of the file, and the BLAKE3 of its bytes.
pub struct Written<const N: usize> {
    pub rows: Vec<Line<N>>,
    pub blake3: String,
}

/// One row and where it stands.
pub struct Line<const N: usize> {
    pub ts: Ts,
    pub numbers: [f64; N],
    pub place: String,
}

/// Reads the columns `ts` and `names` of a file.
///
/// # Errors
///
/// Usage (2) where there is no such file; data (3) where a column is missing, or a value is empty or not of its kind.
pub fn read<const N: usize>(path: &Path, names: [&str; N]) -> Result<Written<N>> {
    // A pipe too has a hash once it lies in a file.
    let source = Source::open(path)?;
    let mut opened = Opened::new(Source::new(source.name.clone(), source.into_file()?)?, |_| true)?;
    // Also of a table without rows.
    for name in ["ts"].into_iter().chain(names) {
        if opened.schema.column_with_name(name).is_none() {
            return Err(absent(name, &opened.schema).at(path.display()));
        }
    }
    let blake3 = opened.hash.clone().unwrap_or_default();
    let (mut rows, mut before) = (Vec::new(), 0);
    loop {
        match opened.next()? {
            Event::Batch(batch) => {
                let place = opened.place(before, batch.num_rows() as u64);
                take(&batch, names, &place, &mut rows)?;
                before += batch.num_rows() as u64;
            }
            Event::Idle => {}
            Event::End => return Ok(Written { rows, blake3 }),
        }
    }
}

fn take<const N: usize>(
    batch: &RecordBatch,
    names: [&str; N],
    place: &Place,
    rows: &mut Vec<Line<N>>,
) -> Result<()> {
    let here = |row: usize| move |error: Error| error.at(place.of(row));
    let times = column(batch, "ts").and_then(instants).map_err(here(0))?;
    let mut values = Vec::with_capacity(N);
    for name in names {
        values.push(column(batch, name).and_then(|array| numbers(name, array)).map_err(here(0))?);
    }
    for (row, ts) in times.into_iter().enumerate() {
        let ts = ts.and_then(|ts| ts.ok_or_else(|| empty("ts"))).map_err(here(row))?;
        let mut numbers = [0.0; N];
        for ((number, values), name) in numbers.iter_mut().zip(&values).zip(names) {
            *number = values[row].ok_or_else(|| empty(name)).map_err(here(row))?;
        }
        rows.push(Line { ts, numbers, place: place.of(row) });
    }
    Ok(())
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| absent(name, batch.schema_ref()))
}

fn absent(name: &str, schema: &Schema) -> Error {
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    Error::data(format!("no column {name:?} (there are {})", names.join(" ")))
}

fn empty(name: &str) -> Error {
    Error::data(format!("column {name:?} is empty"))
}

/// Reads instants, also from text.
fn instants(array: &ArrayRef) -> Result<Vec<Result<Option<Ts>>>> {
    match array.data_type() {
        DataType::Timestamp(_, None) => {
            Err(Error::data("column \"ts\" has no zone: nobody can know what it means, store it as UTC"))
        }
        DataType::Timestamp(..) => {
            let nanos = convert(array, &schema::instant())?;
            Ok(nanos.as_primitive::<TimestampNanosecondType>().iter().map(Ok).collect())
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let text = convert(array, &DataType::Utf8)?;
            let parse = |text: Option<&str>| Ok(text.map(time::parse).transpose()?);
            Ok(text.as_string::<i32>().iter().map(parse).collect())
        }
        other => Err(Error::data(format!("column \"ts\" is {}, not an instant", schema::type_name(other)))),
    }
}

/// Reads numbers of any width.
fn numbers(name: &str, array: &ArrayRef) -> Result<Vec<Option<f64>>> {
    macro_rules! wide {
        ($kind:ty, $wide:expr) => {
            Ok(array.as_primitive::<$kind>().iter().map(|value| value.map($wide)).collect())
        };
    }
    match array.data_type() {
        DataType::Float64 => wide!(Float64Type, |value| value),
        DataType::Float32 => wide!(Float32Type, f64::from),
        DataType::Int64 => wide!(Int64Type, |value| value as f64),
        DataType::Int32 => wide!(Int32Type, f64::from),
        DataType::Int8 => wide!(Int8Type, f64::from),
        other => Err(Error::data(format!("column {name:?} is {}, not a number", schema::type_name(other)))),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use arrow_array::{Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use arrow_schema::Field;
    use mes_core::time::SECOND;

    use super::*;

    fn of(bytes: &[u8]) -> Result<Written<2>> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), bytes).expect("writes");
        read(file.path(), ["p_dir", "p_conf"])
    }

    fn parquet(ts: ArrayRef) -> Vec<u8> {
        let arrays: Vec<ArrayRef> =
            vec![Arc::new(Float64Array::from(vec![0.5])), ts, Arc::new(Int64Array::from(vec![-1]))];
        let names = ["p_conf", "ts", "p_dir"];
        let fields: Vec<_> = names
            .iter()
            .zip(&arrays)
            .map(|(name, a)| Field::new(*name, a.data_type().clone(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let mut bytes = Vec::new();
        let mut writer =
            ::parquet::arrow::ArrowWriter::try_new(&mut bytes, Arc::clone(&schema), None).expect("a writer");
        writer.write(&RecordBatch::try_new(schema, arrays).expect("a batch")).expect("writes");
        writer.close().expect("closes");
        bytes
    }

    #[test]
    fn every_format_and_width_of_number_is_read() {
        let instant = TimestampMicrosecondArray::from(vec![3_000_000]);
        let zoned: ArrayRef = Arc::new(instant.clone().with_timezone("America/New_York"));
        let text: ArrayRef = Arc::new(StringArray::from(vec!["1970-01-01T00:00:03+0000"]));
        for bytes in [
            parquet(zoned),
            parquet(text),
            b"p_conf,note,ts,p_dir\n0.5,hm,1970-01-01 00:00:03+00:00,-1\n".to_vec(),
            b"{\"p_dir\":-1,\"ts\":\"1970-01-01T01:00:03+0100\",\"p_conf\":0.5}\n".to_vec(),
        ] {
            let written = of(&bytes).expect("reads");
            assert_eq!(written.blake3, crate::hash(&bytes));
            let rows: Vec<_> = written.rows.iter().map(|line| (line.ts, line.numbers)).collect();
            assert_eq!(rows, [(3 * SECOND, [-1.0, 0.5])]);
        }
        let naive = of(&parquet(Arc::new(instant))).err().expect("no zone");
        assert!(naive.to_string().contains("row 1: column \"ts\" has no zone"), "{naive}");
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        for (text, what) in [
            ("ts,p_dir\n", "no column \"p_conf\" (there are ts p_dir)"),
            ("ts,p_dir,p_conf\n1970-01-01T00:00:03Z,,1\n", "line 2: column \"p_dir\" is empty"),
            ("ts,p_dir,p_conf\n,1,1\n", "line 2: column \"ts\" is empty"),
            (
                "ts,p_dir,p_conf\n1970-01-01T00:00:03Z,up,1\n",
                "line 2: column \"p_dir\": \"up\" is not a number",
            ),
        ] {
            let error = of(text.as_bytes()).err().expect(text);
            assert!(error.code() == 3 && error.to_string().contains(what), "{error}");
        }
    }
}
