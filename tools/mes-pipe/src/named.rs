//! A file that a table goes to by `-o`: its name says the format, and it has the name only once it is whole.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

use crate::{Error, Result, output::Shape, write::part_of};

/// What names end in, and what is written then.
const ENDS: [(&str, Shape); 6] = [
    ("arrow", Shape::ArrowFile),
    ("feather", Shape::ArrowFile),
    ("arrows", Shape::ArrowStream),
    ("parquet", Shape::Parquet),
    ("csv", Shape::Csv),
    ("jsonl", Shape::Jsonl),
];
/// The level that zstd itself takes.
const ZSTD_LEVEL: i32 = 3;

/// How text is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Packing {
    #[default]
    None,
    Gzip,
    Zstd,
}

/// Reads from a name what is to be written.
///
/// # Errors
///
/// `Usage` where the name does not say.
pub(crate) fn shape(path: &Path) -> Result<(Shape, Packing)> {
    let refused = |what: &str| Err(Error::usage(what).at(path.display()));
    let end = |path: &Path| path.extension().map(|end| end.to_string_lossy().to_lowercase());
    let (packing, inner) = match end(path).as_deref() {
        Some("gz") => (Packing::Gzip, path.with_extension("")),
        Some("zst") => (Packing::Zstd, path.with_extension("")),
        _ => (Packing::None, path.to_owned()),
    };
    let end = end(&inner);
    let Some((_, shape)) = ENDS.iter().find(|(name, _)| end.as_deref() == Some(name)) else {
        return refused(
            "-o tells the format from the name, which ends in .arrow or .feather (Arrow file), .arrows (Arrow stream), \
             .parquet, .csv or .jsonl, text also with .gz or .zst after it; for another name redirect stdout and say --to",
        );
    };
    if packing != Packing::None && !matches!(shape, Shape::Csv | Shape::Jsonl) {
        return refused("only text is packed by -o: leave off .gz or .zst");
    }
    if path.exists() && !path.is_file() {
        return refused("-o writes a file, and this is none: redirect stdout and say --to");
    }
    Ok((*shape, packing))
}

/// A file under another name until it is whole; dropped before, it is removed.
pub(crate) struct Part {
    path: PathBuf,
    part: PathBuf,
    whole: bool,
}

impl Part {
    /// Begins it, with the folder that it lies in.
    ///
    /// # Errors
    ///
    /// `Failed` where it cannot be written.
    pub fn create(path: &Path) -> Result<(Part, File)> {
        let part = Part { path: path.to_owned(), part: part_of(path), whole: false };
        let made = match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => fs::create_dir_all(folder),
            None => Ok(()),
        };
        match made.and_then(|()| File::create(&part.part)) {
            Ok(file) => Ok((part, file)),
            Err(error) => Err(Error::failed(format!("cannot be written: {error}")).at(path.display())),
        }
    }

    /// Gives it its name, when all of it is on the disk.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it.
    pub fn finish(mut self) -> Result<()> {
        let kept = File::open(&self.part).and_then(|file| file.sync_all());
        kept.and_then(|()| fs::rename(&self.part, &self.path))
            .map_err(|error| Error::failed(error).at(self.path.display()))?;
        self.whole = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.whole {
            // Why it is not whole is said by whoever found out.
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Text on its way out.
pub(crate) enum Packed {
    None(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Packed {
    /// Packs what will be written.
    ///
    /// # Errors
    ///
    /// `Failed` where there is no memory for it.
    pub fn new(out: BufWriter<File>, packing: Packing) -> io::Result<Packed> {
        Ok(match packing {
            Packing::None => Packed::None(out),
            Packing::Gzip => Packed::Gzip(GzEncoder::new(out, Compression::default())),
            Packing::Zstd => {
                let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Packed::Zstd(encoder)
            }
        })
    }

    /// Writes what is left and the end.
    ///
    /// # Errors
    ///
    /// What the file says.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Packed::None(out) => Ok(out),
            Packed::Gzip(encoder) => encoder.finish(),
            Packed::Zstd(encoder) => encoder.finish(),
        }?
        .flush()
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packed::None(out) => out.write(bytes),
            Packed::Gzip(encoder) => encoder.write(bytes),
            Packed::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Packed::None(out) => out.flush(),
            Packed::Gzip(encoder) => encoder.flush(),
            Packed::Zstd(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_format_or_is_refused() {
        let of = |name: &str| shape(Path::new(name)).map_err(|error| (error.code(), error.to_string()));
        assert_eq!(of("a/b.arrow"), Ok((Shape::ArrowFile, Packing::None)));
        assert_eq!(of("b.FEATHER"), Ok((Shape::ArrowFile, Packing::None)));
        assert_eq!(of("b.arrows"), Ok((Shape::ArrowStream, Packing::None)));
        assert_eq!(of("b.x.parquet"), Ok((Shape::Parquet, Packing::None)));
        assert_eq!(of("b.csv.gz"), Ok((Shape::Csv, Packing::Gzip)));
        assert_eq!(of("b.jsonl.zst"), Ok((Shape::Jsonl, Packing::Zstd)));
        for (name, what) in [
            ("b", "tells the format"),
            ("csv", "tells the format"),
            ("b.txt", "tells the format"),
            ("b.gz", "tells the format"),
            ("b.parquet.gz", "only text"),
            ("b.arrow.zst", "only text"),
        ] {
            let (code, text) = of(name).expect_err(name);
            assert!(code == 2 && text.starts_with(name) && text.contains(what), "{text}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("a.csv");
        fs::create_dir(&inner).expect("a folder");
        assert!(shape(&inner).expect_err("a folder").to_string().contains("this is none"));
    }
}
