//! Features in, calibrated probabilities out.

pub mod model;
pub mod scores;
