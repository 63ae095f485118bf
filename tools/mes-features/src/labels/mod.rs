//! Labels: what was still to come. The only code that looks ahead, and it does so by waiting: a row is held until
//! its label is known.

pub mod barrier;
pub mod horizon;

use mes_core::bar::Bar;

/// What a label says, in the order of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    /// 0 down, 1 flat, 2 up.
    pub class: i8,
    /// Ticks.
    pub moved: f32,
}

/// Fell by more than the threshold, or met the lower barrier first.
pub const DOWN: i8 = 0;
/// Moved by no more than the threshold, or met no barrier in time.
pub const FLAT: i8 = 1;
/// Rose by more, or met the upper barrier first.
pub const UP: i8 = 2;

/// A rule that labels rows one after the other.
pub trait Labeller {
    /// Takes the next bar and appends to `known` the labels that it settles, oldest first; `None` is null.
    fn push(&mut self, bar: &Bar, known: &mut Vec<Option<Label>>);
    /// Appends what is left at the end of the stream.
    fn end(&mut self, known: &mut Vec<Option<Label>>);
}
