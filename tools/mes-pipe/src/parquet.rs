//! Parquet, for whatever is kept.
//!
//! Columns that hold lists are not read, and said so: one row of a few bytes may hold any number of values, and no tool
//! of this house has a use for them. Texts are read as views and written out only after they have been measured.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Schema, SchemaRef};
use parquet::{
    arrow::{
        ArrowWriter, ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder,
        },
    },
    basic::{Compression, Encoding, Type, ZstdLevel},
    file::properties::WriterProperties,
    schema::types::ColumnPath,
};

use crate::{
    Error, Result,
    damage::caught,
    limits, log,
    pages::{DELTA_ROWS, Pages},
};

const BATCH_ROWS: usize = 8192;

/// What a batch of fixed-width values may take.
const BATCH_BYTES: usize = 1 << 28;
/// The index of a file unfolds to some ten times its bytes.
const INDEX_UNFOLDS: u64 = 16;

/// An opened file.
pub struct ParquetFile {
    /// Of the columns that are read; texts are views, so that a long one in a dictionary is not written out for every row
    /// before anybody has measured it.
    pub schema: SchemaRef,
    pub rows: u64,
    pub batches: ParquetRecordBatchReader,
    /// The columns that are not read.
    pub left_out: Vec<String>,
}

/// Opens a file to read the columns to keep.
///
/// # Errors
///
/// [`Error::Data`] when it is not whole or beyond the limits of a reader.
pub fn open(file: File, name: &str, keep: fn(&str) -> bool) -> Result<ParquetFile> {
    let at = |error: Error| error.at(format!("{name}: not a whole Parquet file"));
    index(&file).map_err(|error| error.at(name))?;
    let found = caught(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())).map_err(at)?;
    limits::columns(found.schema().fields().len()).map_err(|error| error.at(name))?;
    let metadata = Arc::clone(found.metadata());
    let rows = metadata.file_metadata().num_rows().max(0) as u64;
    let Kept { roots, leaves } = Kept::of(&found, name, keep);
    let fields = found.schema().fields().iter().enumerate();
    let left_out = fields.filter(|(root, _)| roots.binary_search(root).is_err());
    let left_out = left_out.map(|(_, field)| field.name().clone()).collect();
    let views = found.schema().fields().iter().map(as_view).collect::<Vec<_>>();
    let schema = Arc::new(Schema::new_with_metadata(views, found.schema().metadata().clone()));
    let mask = ProjectionMask::roots(found.parquet_schema(), roots.iter().copied());
    let batch_rows = batch_rows(&found, &leaves);
    let pages = caught(|| Pages::of(file, &metadata, &leaves, batch_rows)).map_err(at)?;
    let options = ArrowReaderOptions::new().with_schema(Arc::clone(&schema));
    let reader = caught(|| {
        let metadata = ArrowReaderMetadata::try_new(metadata, options)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(pages, metadata);
        builder.with_projection(mask).with_batch_size(batch_rows).build()
    });
    let schema = Arc::new(schema.project(&roots)?);
    Ok(ParquetFile { schema, rows, batches: reader.map_err(at)?, left_out })
}

/// Errors when the index of a file would fill the memory.
fn index(mut file: &File) -> Result<()> {
    let mut tail = [0; 8];
    let whole = file.metadata()?.len();
    if whole < tail.len() as u64 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut tail)?;
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    limits::block("an index", length.min(whole).saturating_mul(INDEX_UNFOLDS))
}

/// The columns that are read.
struct Kept {
    roots: Vec<usize>,
    /// The same, as the file counts them.
    leaves: Vec<usize>,
}

impl Kept {
    /// Picks the columns to keep. A list, of which one row may hold any number of values, is left out and said so.
    fn of(found: &ArrowReaderMetadata, name: &str, keep: fn(&str) -> bool) -> Kept {
        let columns = found.parquet_schema();
        let root = |leaf: &usize| columns.get_column_root_idx(*leaf);
        let all = 0..columns.num_columns();
        let lists = all.clone().filter(|leaf| columns.column(*leaf).max_rep_level() > 0);
        let lists: BTreeSet<usize> = lists.map(|leaf| root(&leaf)).collect();
        let fields = found.schema().fields();
        let (roots, left): (BTreeSet<_>, BTreeSet<_>) = (0..fields.len())
            .filter(|index| keep(fields[*index].name()))
            .partition(|index| !lists.contains(index));
        if !left.is_empty() {
            let names: Vec<_> = left.into_iter().map(|index| fields[index].name().as_str()).collect();
            log::note(format!("{name}: lists are not read: {}", names.join(", ")));
        }
        let leaves = all.filter(|leaf| roots.contains(&root(leaf))).collect();
        Kept { roots: roots.into_iter().collect(), leaves }
    }
}

/// Returns a column as it is to be read.
fn as_view(field: &FieldRef) -> FieldRef {
    let values = match field.data_type() {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    match values {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
        }
        DataType::Binary | DataType::LargeBinary => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::BinaryView))
        }
        _ => Arc::clone(field),
    }
}

/// Returns how many rows a batch has, so that it stays small however wide they are.
fn batch_rows(found: &ArrowReaderMetadata, leaves: &[usize]) -> usize {
    let width = |leaf: &usize| {
        let column = found.parquet_schema().column(*leaf);
        match column.physical_type() {
            Type::FIXED_LEN_BYTE_ARRAY => usize::try_from(column.type_length()).unwrap_or(1),
            _ => size_of::<u128>(),
        }
    };
    let row = leaves.iter().map(width).fold(1, usize::saturating_add);
    let most = if Pages::has_deltas(found.metadata(), leaves) { DELTA_ROWS } else { BATCH_ROWS };
    (BATCH_BYTES / row).clamp(1, most)
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
    ///
    /// # Errors
    ///
    /// `Failed` where the folder does not take it.
    pub fn create(path: &Path, schema: &SchemaRef) -> Result<Self> {
        let part = path.with_extension("parquet.part");
        let file = File::create(&part).map_err(|error| Error::from(error).at(part.display()))?;
        let writer = writer(BufWriter::new(file), schema)?;
        Ok(TableFile { writer, path: path.to_owned(), part })
    }

    /// Adds a batch.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it; what was written is removed then.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| given_up(error.into(), &self.part))
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it; what was written is removed then.
    pub fn finish(self) -> Result<()> {
        let TableFile { writer, path, part } = self;
        let flushed = writer.into_inner().map_err(Error::from).and_then(|mut out| Ok(out.flush()?));
        flushed.and_then(|()| Ok(std::fs::rename(&part, &path)?)).map_err(|error| given_up(error, &part))
    }
}
