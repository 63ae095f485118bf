//! Whatever goes out: a table in the format that its reader wants, with an end mark only if all went well.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    os::fd::AsFd,
    path::PathBuf,
};

use ::parquet::arrow::ArrowWriter;
use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use arrow_select::coalesce::BatchCoalescer;
use clap::{Args, ValueEnum};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::FileType,
};

use crate::{
    Error, Event, Input, Meta, Result, arrow::STOP_MARK, csv, jsonl, parquet, reader::wants_text, side, stop,
    visible,
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

#[derive(Args, Clone, Debug, Default)]
pub struct OutputArgs {
    /// Output format; Arrow into files and tools of this house, else JSON lines
    #[arg(long, value_name = "FORMAT")]
    pub to: Option<Format>,
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
    Arrow(Box<StreamWriter<Pipe>>),
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
    Text {
        out: BufWriter<File>,
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

/// One table on stdout.
pub struct Output {
    writer: Writer,
    /// Cuts batches anew, for files.
    cut: Option<BatchCoalescer>,
}

impl Output {
    /// Begins the table; `schema` is what every batch will have.
    ///
    /// # Errors
    ///
    /// `Usage` where bytes would go to a terminal, `Failed` where stdout or the side file cannot be written.
    pub fn create(args: &OutputArgs, schema: SchemaRef, meta: &Meta) -> Result<Output> {
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let status = rustix::fs::fstat(&stdout).map_err(io::Error::from)?;
        let kind = FileType::from_raw_mode(status.st_mode);
        let terminal = stdout.is_terminal();
        let format = match args.to {
            Some(format) if terminal && matches!(format, Format::Arrow | Format::Parquet) => {
                let text = format!("--to {format:?} on a terminal is of no use: redirect it").to_lowercase();
                return Err(Error::usage(text));
            }
            Some(format) => format,
            None if terminal || kind == FileType::Fifo && wants_text(&stdout) => Format::Jsonl,
            None => Format::Arrow,
        };
        if let Some(path) = args.lineage_to.as_ref().or(meta.side.as_ref()) {
            side::write(path, meta)?;
        }
        let regular = kind == FileType::RegularFile;
        // Where it is refused, the pipe is only slower.
        let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES);
        let mut out = BufWriter::with_capacity(1 << 16, stdout);
        let schema = meta.onto(&schema);
        let text = |out, rows| Writer::Text { out, rows, bytes: Vec::new(), terminal };
        let writer = match format {
            Format::Arrow => {
                let marked = kind == FileType::Fifo;
                if marked {
                    stop::listen()?;
                }
                let pipe = Pipe { out, marked };
                Writer::Arrow(Box::new(StreamWriter::try_new(pipe, &schema).map_err(refused)?))
            }
            Format::Parquet => Writer::Parquet(Box::new(parquet::writer(out, &schema)?)),
            Format::Csv => {
                let mut header = Vec::new();
                csv::write_header(&schema, &mut header)?;
                out.write_all(&header).map_err(unwritable)?;
                text(out, csv::write_rows)
            }
            Format::Jsonl => {
                if args.header {
                    writeln!(out, "{}", meta.to_header()).map_err(unwritable)?;
                }
                text(out, jsonl::write_rows)
            }
        };
        let cut = match format {
            Format::Parquet => Some(BatchCoalescer::new(schema, FILE_BATCH_ROWS)),
            Format::Arrow if regular => Some(BatchCoalescer::new(schema, FILE_BATCH_ROWS)),
            _ => None,
        };
        Ok(Output { writer, cut })
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
        let Some(cut) = &mut self.cut else { return self.writer.write(batch) };
        // The coalescer compares schemas with their metadata, which batches from upstream do not share.
        let batch = RecordBatch::try_new(cut.schema(), batch.columns().to_vec())?;
        cut.push_batch(batch)?;
        while let Some(batch) = cut.next_completed_batch() {
            self.writer.write(&batch)?;
        }
        Ok(())
    }

    /// Hands everything written so far to the reader. Files are cut in even batches and wait for more.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written; a reader that went away.
    pub fn flush(&mut self) -> Result<()> {
        match &mut self.writer {
            Writer::Arrow(writer) => writer.get_mut().flush().map_err(unwritable),
            Writer::Parquet(_) => Ok(()),
            Writer::Text { out, .. } => out.flush().map_err(unwritable),
        }
    }

    /// Says whether somebody may still read: a tool that has nothing to write would not notice by writing.
    pub fn is_read(&self) -> bool {
        let stdout = io::stdout();
        let mut end = [PollFd::new(&stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A system that does not say is no reason to end.
        !poll(&mut end, Some(&now)).is_ok_and(|_| end[0].revents().contains(PollFlags::ERR))
    }

    /// Ends the table. Without this the reader knows that something went wrong.
    ///
    /// # Errors
    ///
    /// `Failed` where stdout cannot be written; a reader that went away.
    pub fn finish(mut self) -> Result<()> {
        if let Some(cut) = &mut self.cut {
            cut.finish_buffered_batch()?;
            while let Some(batch) = cut.next_completed_batch() {
                self.writer.write(&batch)?;
            }
        }
        match self.writer {
            Writer::Arrow(mut writer) => {
                writer.finish().map_err(refused)?;
                writer.get_mut().marked = false;
                writer.get_mut().flush().map_err(unwritable)
            }
            Writer::Parquet(writer) => {
                let mut out = writer.into_inner().map_err(|error| Error::from(error).at("stdout"))?;
                out.flush().map_err(unwritable)
            }
            Writer::Text { mut out, .. } => out.flush().map_err(unwritable),
        }
    }
}

impl Writer {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Writer::Arrow(writer) => writer.write(batch).map_err(refused),
            Writer::Parquet(writer) => writer.write(batch).map_err(|error| Error::from(error).at("stdout")),
            Writer::Text { out, rows, bytes, terminal } => {
                bytes.clear();
                rows(batch, bytes)?;
                if *terminal {
                    *bytes = visible::lines(&String::from_utf8_lossy(bytes)).into_bytes();
                }
                out.write_all(bytes).map_err(unwritable)
            }
        }
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::from(error).at("stdout")
}

fn refused(error: arrow_schema::ArrowError) -> Error {
    Error::from(error).at("stdout")
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
