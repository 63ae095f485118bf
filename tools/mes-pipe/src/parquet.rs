//! Parquet, for whatever is kept.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use parquet::{
    arrow::{
        ArrowWriter, ProjectionMask,
        arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    },
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::WriterProperties,
    schema::types::ColumnPath,
};

use crate::{Error, Result, damage::caught};

const BATCH_ROWS: usize = 8192;

/// Opens a file and returns its schema, how many rows it has, and its batches, of the columns to keep.
pub(crate) fn open(
    file: File,
    name: &str,
    keep: fn(&str) -> bool,
) -> Result<(SchemaRef, u64, ParquetRecordBatchReader)> {
    let at = |error: Error| error.at(format!("{name}: not a whole Parquet file"));
    let builder = caught(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(at)?;
    let rows = builder.metadata().file_metadata().num_rows().max(0) as u64;
    let fields = builder.schema().fields().iter().enumerate();
    let kept: Vec<usize> = fields.filter(|(_, field)| keep(field.name())).map(|(index, _)| index).collect();
    let schema = Arc::new(builder.schema().project(&kept)?);
    let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
    let reader = caught(|| builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()).map_err(at)?;
    Ok((schema, rows, reader))
}

/// Begins a file. Times are stored as differences, which rise evenly; 32-bit numbers, nearly all of which differ, byte
/// by byte, which takes half the time and four fifths of the room of a dictionary; the rest by dictionary.
pub(crate) fn writer<W: Write + Send>(out: W, schema: &SchemaRef) -> Result<ArrowWriter<W>> {
    let ts = ColumnPath::from("ts");
    let mut properties = WriterProperties::builder()
        .set_created_by("mes".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_column_dictionary_enabled(ts.clone(), false)
        .set_column_encoding(ts, Encoding::DELTA_BINARY_PACKED);
    for field in schema.fields().iter().filter(|field| field.data_type() == &DataType::Float32) {
        let column = ColumnPath::from(field.name().as_str());
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::BYTE_STREAM_SPLIT);
    }
    Ok(ArrowWriter::try_new(out, Arc::clone(schema), Some(properties.build()))?)
}

/// Removes half a file, which on a full disk would only be in the way, and says whose it was.
fn given_up(error: Error, part: &Path) -> Error {
    let _ = std::fs::remove_file(part);
    error.at(part.display())
}

/// A Parquet file beside the stream: written under another name and renamed when it is whole.
pub struct TableFile<W: Write + Send> {
    writer: ArrowWriter<W>,
    path: PathBuf,
    part: PathBuf,
}

impl TableFile<BufWriter<File>> {
    /// Begins the file.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<Self> {
        let part = path.with_extension("parquet.part");
        let file = File::create(&part).map_err(|error| Error::from(error).at(part.display()))?;
        let writer = writer(BufWriter::new(file), schema)?;
        Ok(TableFile { writer, path: path.to_owned(), part })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| given_up(error.into(), &self.part))
    }

    /// Ends the file and gives it its name.
    pub fn finish(self) -> Result<()> {
        let TableFile { writer, path, part } = self;
        let flushed = writer.into_inner().map_err(Error::from).and_then(|mut out| Ok(out.flush()?));
        flushed.and_then(|()| Ok(std::fs::rename(&part, &path)?)).map_err(|error| given_up(error, &part))
    }
}
