//! The tool from outside: files in every dialect, real days, a recorded hub. One program, since each is linked with all there is.

mod cli;
mod dialects;
mod live;
mod shared_data;
