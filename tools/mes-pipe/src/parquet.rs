//! Parquet, for whatever is kept.

use std::{fs::File, io::Write, sync::Arc};

use arrow_schema::SchemaRef;
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    },
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::WriterProperties,
    schema::types::ColumnPath,
};

use crate::{Error, Result};

const BATCH_ROWS: usize = 8192;

/// Opens a file and returns its schema, how many rows it has, and its batches.
pub(crate) fn open(file: File, name: &str) -> Result<(SchemaRef, u64, ParquetRecordBatchReader)> {
    let at = |error| Error::from(error).at(name);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(at)?;
    let rows = builder.metadata().file_metadata().num_rows().max(0) as u64;
    let schema = builder.schema().clone();
    Ok((schema, rows, builder.with_batch_size(BATCH_ROWS).build().map_err(at)?))
}

/// Begins a file. Times are stored as differences, which rise evenly; the rest by dictionary.
pub(crate) fn writer<W: Write + Send>(out: W, schema: &SchemaRef) -> Result<ArrowWriter<W>> {
    let ts = ColumnPath::from("ts");
    let properties = WriterProperties::builder()
        .set_created_by("mes".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_column_dictionary_enabled(ts.clone(), false)
        .set_column_encoding(ts, Encoding::DELTA_BINARY_PACKED)
        .build();
    Ok(ArrowWriter::try_new(out, Arc::clone(schema), Some(properties))?)
}
