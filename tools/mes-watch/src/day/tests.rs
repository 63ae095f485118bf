//! Days that are made up.
