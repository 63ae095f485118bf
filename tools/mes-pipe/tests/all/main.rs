//! Tables and records in every format, whole, damaged and hostile: one program, since each is linked with all there is.

mod bad_files;
mod bad_input;
mod bad_values;
mod bombs;
mod compressed;
mod dbn;
mod durable;
mod formats;
mod fuzz;
mod lineage;
mod pass;
