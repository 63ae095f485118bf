//! Empty: it is there for its manifest.
