//! What a batch takes when dictionaries and views are written out, counted beforehand: a text that lies in a file once may
//! stand in every row.

use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow_schema::DataType;

use crate::{Error, limits};

/// Errors when a text of a batch is too long, or what its dictionaries and views unfold to is too large. Before an error
/// stands the index of the row at fault.
pub(crate) fn check(batch: &RecordBatch) -> std::result::Result<(), (usize, Error)> {
    let mut sum = 0_u64;
    for (column, field) in batch.columns().iter().zip(batch.schema_ref().fields()) {
        let fits = |row: usize, bytes: usize| limits::cell(field.name(), bytes).map_err(|error| (row, error));
        match column.data_type() {
            DataType::Utf8 if in_all(column) as u64 > limits::get().cell => {
                (0..column.len()).try_for_each(|row| fits(row, length(column, row)))?;
            }
            DataType::Utf8View | DataType::BinaryView | DataType::LargeUtf8 => {
                for row in 0..column.len() {
                    let bytes = length(column, row);
                    fits(row, bytes)?;
                    sum += bytes as u64;
                }
            }
            DataType::Dictionary(..) => {
                let packed = column.as_any_dictionary();
                let keys = if packed.values().is_empty() { Vec::new() } else { packed.normalized_keys() };
                let lengths: Vec<usize> =
                    (0..packed.values().len()).map(|at| length(packed.values(), at)).collect();
                for (row, key) in keys.into_iter().enumerate() {
                    let bytes = lengths.get(key).copied().unwrap_or(0);
                    fits(row, bytes)?;
                    sum += bytes as u64;
                }
            }
            _ => {}
        }
    }
    limits::block("a batch", sum).map_err(|error| (0, error))
}

/// Returns the bytes of all texts.
fn in_all(column: &ArrayRef) -> usize {
    let offsets = column.as_string::<i32>().value_offsets();
    offsets.last().zip(offsets.first()).map_or(0, |(last, first)| (last - first) as usize)
}

/// Returns the bytes of a value; of what is neither text nor number, those of all values.
fn length(column: &ArrayRef, row: usize) -> usize {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value_length(row) as usize,
        DataType::LargeUtf8 => column.as_string::<i64>().value_length(row) as usize,
        DataType::Binary => column.as_binary::<i32>().value_length(row) as usize,
        DataType::LargeBinary => column.as_binary::<i64>().value_length(row) as usize,
        // The lower half of a view begins with the length.
        DataType::Utf8View => column.as_string_view().views()[row] as u32 as usize,
        DataType::BinaryView => column.as_binary_view().views()[row] as u32 as usize,
        other => other.primitive_width().unwrap_or_else(|| column.get_array_memory_size()),
    }
}
