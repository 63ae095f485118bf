//! What a search was: the trials it made, and what choosing the best of them is worth.

pub mod overfit;
pub mod trials;
