//! What went wrong, and so the exit code: 1 failed, 2 arguments or rules, 3 data, 4 stopped on purpose.

use std::{fmt::Display, io, path::Path};

use arrow_schema::ArrowError;
use mes_core::broker::BrokerError;

/// What a library of the house returns.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, by what the tool's exit code says of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A retry may help: a lost peer, a full disk.
    #[error("{0}")]
    Failed(String),
    /// The arguments or the rules.
    #[error("{0}")]
    Usage(String),
    /// The data: says what, where and what to do.
    #[error("{0}")]
    Data(String),
    /// A limit, a guard or a person stopped it.
    #[error("{0}")]
    Stopped(String),
    /// Whoever read our output has had enough. Not a failure.
    #[error("the reader is gone")]
    ReaderGone,
}

impl Error {
    /// Makes a [`Error::Failed`].
    pub fn failed(what: impl Display) -> Self {
        Error::Failed(what.to_string())
    }

    /// Makes a [`Error::Usage`].
    pub fn usage(what: impl Display) -> Self {
        Error::Usage(what.to_string())
    }

    /// Makes a [`Error::Data`].
    pub fn data(what: impl Display) -> Self {
        Error::Data(what.to_string())
    }

    /// Makes a [`Error::Stopped`].
    pub fn stopped(what: impl Display) -> Self {
        Error::Stopped(what.to_string())
    }

    /// Makes a [`Error::Usage`] of a file or folder that was named and cannot be read.
    pub fn unread(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Error::usage("no such file").at(path.display()),
            _ => Error::usage(error).at(path.display()),
        }
    }

    /// Returns the exit code of a tool that ends with this error.
    pub fn code(&self) -> u8 {
        match self {
            Error::ReaderGone => 0,
            Error::Failed(_) => 1,
            Error::Usage(_) => 2,
            Error::Data(_) => 3,
            Error::Stopped(_) => 4,
        }
    }

    /// Says too what went wrong after it; the exit code stays that of the first.
    pub fn and(self, later: Option<Error>) -> Self {
        let Some(later) = later else { return self };
        let both = |what: String| format!("{what}; and then: {later}");
        match self {
            Error::Failed(what) => Error::Failed(both(what)),
            Error::Usage(what) => Error::Usage(both(what)),
            Error::Data(what) => Error::Data(both(what)),
            Error::Stopped(what) => Error::Stopped(both(what)),
            Error::ReaderGone => later,
        }
    }

    /// Puts where it happened before the words.
    pub fn at(self, place: impl Display) -> Self {
        let put = |what: String| format!("{place}: {what}");
        match self {
            Error::Failed(what) => Error::Failed(put(what)),
            Error::Usage(what) => Error::Usage(put(what)),
            Error::Data(what) => Error::Data(put(what)),
            Error::Stopped(what) => Error::Stopped(put(what)),
            Error::ReaderGone => Error::ReaderGone,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Error::ReaderGone,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Error::Data(error.to_string()),
            _ => Error::Failed(error.to_string()),
        }
    }
}

impl From<mes_core::Error> for Error {
    fn from(error: mes_core::Error) -> Self {
        match error {
            mes_core::Error::Rules(_) | mes_core::Error::Costs(_) | mes_core::Error::Interval(_) => {
                Error::usage(error)
            }
            _ => Error::data(error),
        }
    }
}

impl From<BrokerError> for Error {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Lost(_) => Error::failed(error),
            BrokerError::Mismatch(_) => Error::usage(error),
            BrokerError::Stopped(_) => Error::stopped(error),
            BrokerError::Data(_) => Error::data(error),
        }
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => error.into(),
            other => Error::data(other),
        }
    }
}

impl From<::parquet::errors::ParquetError> for Error {
    fn from(error: ::parquet::errors::ParquetError) -> Self {
        match error {
            ::parquet::errors::ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(error) => (*error).into(),
                Err(other) => Error::data(other),
            },
            other => Error::data(other),
        }
    }
}
