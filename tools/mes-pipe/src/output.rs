//! Whatever goes out: a table in the format that its reader wants, with an end mark only if all went well.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use ::parquet::arrow::ArrowWriter;
use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::SchemaRef;
use arrow_select::coalesce::BatchCoalescer;
use clap::{Args, ValueEnum};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::FileType,
};

use crate::{
    Error, Event, Input, Meta, Result,
    arrow::STOP_MARK,
    csv, jsonl,
    named::{self, Packed, Packing, Part},
    parquet,
    reader::wants_text,
    side, stop, visible,
};

/// Rows of a batch in files, always, so that equal rows make equal files.
const FILE_BATCH_ROWS: usize = 8192;
/// The largest pipe that needs no privilege.
const PIPE_BYTES: usize = 1 << 20;

/// The formats of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Arrow,
    Jsonl,
    Csv,
    Parquet,
}

/// The forms in which a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    ArrowStream,
    /// With an index at its end, as other programs map it.
    ArrowFile,
    Jsonl,
    Csv,
    Parquet,
}

impl From<Format> for Shape {
    fn from(format: Format) -> Shape {
        match format {
            Format::Arrow => Shape::ArrowStream,
            Format::Jsonl => Shape::Jsonl,
            Format::Csv => Shape::Csv,
            Format::Parquet => Shape::Parquet,
        }
    }
}

#[derive(Args, Clone, Debug, Default)]
pub struct OutputArgs {
    /// Output format; Arrow into files and tools of this house, else JSON lines
    #[arg(long, value_name = "FORMAT")]
    pub to: Option<Format>,
    /// Write this file instead of stdout, in the format of its name: .arrow or .feather (Arrow file), .arrows (Arrow
    /// stream), .parquet, .csv, .jsonl, .csv.gz, .jsonl.zst and the like; it is there once it is whole
    #[arg(short, long, value_name = "FILE", conflicts_with = "to")]
    pub out: Option<PathBuf>,
    /// Begin JSON lines with a header (kind, interval, session, lineage)
    #[arg(long)]
    pub header: bool,
    /// Write what the rows are and came from to this side file, for text, which has no place for it, whatever came in
    #[arg(long, value_name = "FILE")]
    pub lineage_to: Option<PathBuf>,
    /// No notes on stderr
    #[arg(short, long)]
    pub quiet: bool,
}

enum Writer {
    Stream(Box<StreamWriter<Pipe>>),
    File(Box<FileWriter<BufWriter<File>>>),
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
    Text {
        out: Packed,
        rows: fn(&RecordBatch, &mut Vec<u8>) -> Result<()>,
        bytes: Vec<u8>,
        /// A person reads, whose cursor no value is to move.
        terminal: bool,
    },
}

/// Bytes to whoever reads an Arrow stream, with the mark of a person's stop where the end mark never came.
struct Pipe {
    out: BufWriter<File>,
    /// Of a pipe; a file that was not finished has neither mark.
    marked: bool,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if self.marked && stop::person().is_some() {
            // A reader that is gone has been told otherwise.
            let _ = self.out.write_all(&STOP_MARK).and_then(|()| self.out.flush());
        }
    }
}

/// One table on stdout, or in a file that was named.
pub struct Output {
    writer: Writer,
    /// Cuts batches anew, for files.
    cut: Option<BatchCoalescer>,
    /// The file that was named.
    part: Option<Part>,
    /// What errors call where it goes.
    name: String,
}

/// Where a table goes, and in which form.
struct Place {
    file: File,
    part: Option<Part>,
    name: String,
    shape: Shape,
    packing: Packing,
    kind: FileType,
    terminal: bool,
}

impl Place {
    fn named(path: &Path) -> Result<Place> {
        let (shape, packing) = named::shape(path)?;
        // Whoever stops the tool finds nothing that is not whole.
        stop::listen()?;
        let (part, file) = Part::create(path)?;
        let (part, name, kind) = (Some(part), path.display().to_string(), FileType::RegularFile);
        Ok(Place { file, part, name, shape, packing, kind, terminal: false })
    }

    fn stdout(to: Option<Format>) -> Result<Place> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let status = rustix::fs::fstat(&file).map_err(io::Error::from)?;
        let kind = FileType::from_raw_mode(status.st_mode);
        let terminal = file.is_terminal();
        let format = match to {
            Some(format) if terminal && matches!(format, Format::Arrow | Format::Parquet) => {
                let text = format!("--to {format:?} on a terminal is of no use: redirect it").to_lowercase();
                return Err(Error::usage(text));
            }
            Some(format) => format,
            None if terminal || kind == FileType::Fifo && wants_text(&file) => Format::Jsonl,
            None => Format::Arrow,
        };
        let (shape, packing) = (Shape::from(format), Packing::None);
        Ok(Place { file, part: None, name: "stdout".into(), shape, packing, kind, terminal })
    }
}

impl Output {
    /// Begins the table; `schema` is what every batch will have.
    ///
    /// # Errors
    ///
    /// `Usage` where bytes would go to a terminal, or a file is named that says no format; `Failed` where stdout, the
    /// file or the side file cannot be written.
    pub fn create(args: &OutputArgs, schema: SchemaRef, meta: &Meta) -> Result<Output> {
        let place = match &args.out {
            Some(path) => Place::named(path)?,
            None => Place::stdout(args.to)?,
        };
        if let Some(path) = args.lineage_to.as_ref().or(meta.side.as_ref()) {
            side::write(path, meta)?;
        }
        // Where it is refused, the pipe is only slower.
        let _ = rustix::pipe::fcntl_setpipe_size(&place.file, PIPE_BYTES);
        let schema = meta.onto(&schema);
        let regular = place.kind == FileType::RegularFile;
        let cut = match place.shape {
            Shape::Parquet | Shape::ArrowFile => true,
            Shape::ArrowStream => regular,
            Shape::Csv | Shape::Jsonl => false,
        };
        let cut = cut.then(|| BatchCoalescer::new(schema.clone(), FILE_BATCH_ROWS));
        let header = (place.shape == Shape::Jsonl && args.header).then(|| format!("{}\n", meta.to_header()));
        let Place { file, part, name, shape, packing, kind, terminal } = place;
        let out = BufWriter::with_capacity(1 << 16, file);
        let writer = match shape {
            Shape::ArrowStream => {
                let marked = kind == FileType::Fifo;
                if marked {
                    stop::listen()?;
                }
                let writer = StreamWriter::try_new(Pipe { out, marked }, &schema);
                Writer::Stream(Box::new(writer.map_err(|error| refused(error, &name))?))
            }
            Shape::ArrowFile => {
                let writer = FileWriter::try_new(out, &schema);
                Writer::File(Box::new(writer.map_err(|error| refused(error, &name))?))
            }
            Shape::Parquet => Writer::Parquet(Box::new(parquet::writer(out, &schema)?)),
            Shape::Csv | Shape::Jsonl => {
                let mut out = Packed::new(out, packing)?;
                let mut head = header.unwrap_or_default().into_bytes();
                if shape == Shape::Csv {
                    csv::write_header(&schema, &mut head)?;
                }
                out.write_all(&head).map_err(|error| refused(error, &name))?;
                let rows = if shape == Shape::Csv { csv::write_rows } else { jsonl::write_rows };
                Writer::Text { out, rows, bytes: Vec::new(), terminal }
            }
        };
        Ok(Output { writer, cut, part, name })
    }

    /// Writes rows.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] when a person has ended the day.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if stop::asked() {
            return Err(stop::error());
        }
        let Some(cut) = &mut self.cut else { return self.writer.write(batch, &self.name) };
        // The coalescer compares schemas with their metadata, which batches from upstream do not share.
        let batch = RecordBatch::try_new(cut.schema(), batch.columns().to_vec())?;
        cut.push_batch(batch)?;
        while let Some(batch) = cut.next_completed_batch() {
            self.writer.write(&batch, &self.name)?;
        }
        Ok(())
    }

    /// Hands everything written so far to the reader. Files are cut in even batches and wait for more.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written; a reader that went away.
    pub fn flush(&mut self) -> Result<()> {
        let flushed = match &mut self.writer {
            // Nobody reads it before it has its name.
            _ if self.part.is_some() => Ok(()),
            Writer::Stream(writer) => writer.get_mut().flush(),
            Writer::Parquet(_) | Writer::File(_) => Ok(()),
            Writer::Text { out, .. } => out.flush(),
        };
        flushed.map_err(|error| refused(error, &self.name))
    }

    /// Says whether somebody may still read: a tool that has nothing to write would not notice by writing.
    pub fn is_read(&self) -> bool {
        if self.part.is_some() {
            return true;
        }
        let stdout = io::stdout();
        let mut end = [PollFd::new(&stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A system that does not say is no reason to end.
        !poll(&mut end, Some(&now)).is_ok_and(|_| end[0].revents().contains(PollFlags::ERR))
    }

    /// Ends the table. Without this the reader knows that something went wrong, and a file that was named is not there.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout or the file cannot be written; a reader that went away.
    pub fn finish(mut self) -> Result<()> {
        if let Some(cut) = &mut self.cut {
            cut.finish_buffered_batch()?;
            while let Some(batch) = cut.next_completed_batch() {
                self.writer.write(&batch, &self.name)?;
            }
        }
        self.writer.finish().map_err(|error| error.at(&self.name))?;
        self.part.map_or(Ok(()), Part::finish)
    }
}

impl Writer {
    fn write(&mut self, batch: &RecordBatch, name: &str) -> Result<()> {
        match self {
            Writer::Stream(writer) => writer.write(batch).map_err(|error| refused(error, name)),
            Writer::File(writer) => writer.write(batch).map_err(|error| refused(error, name)),
            Writer::Parquet(writer) => writer.write(batch).map_err(|error| refused(error, name)),
            Writer::Text { out, rows, bytes, terminal } => {
                bytes.clear();
                rows(batch, bytes)?;
                if *terminal {
                    *bytes = visible::lines(&String::from_utf8_lossy(bytes)).into_bytes();
                }
                out.write_all(bytes).map_err(|error| refused(error, name))
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Writer::Stream(mut writer) => {
                writer.finish()?;
                writer.get_mut().marked = false;
                Ok(writer.get_mut().flush()?)
            }
            Writer::File(writer) => Ok(writer.into_inner()?.flush()?),
            Writer::Parquet(writer) => Ok(writer.into_inner()?.flush()?),
            Writer::Text { out, .. } => Ok(out.finish()?),
        }
    }
}

fn refused(error: impl Into<Error>, name: &str) -> Error {
    error.into().at(name)
}

/// Runs a filter that turns every batch of rows into a batch of as many rows.
///
/// # Errors
///
/// What `f` says, with the place of the batch, and what [`Input::next`] and [`Output::write`] fail of.
pub fn filter(
    mut input: Input,
    mut output: Output,
    mut f: impl FnMut(RecordBatch) -> Result<RecordBatch>,
) -> Result<()> {
    loop {
        match input.next()? {
            Event::Batch(batch) => {
                let at = input.at(0);
                output.write(&f(batch).map_err(|error| error.at(at))?)?;
            }
            Event::Idle => output.flush()?,
            Event::End => return output.finish(),
        }
    }
}
