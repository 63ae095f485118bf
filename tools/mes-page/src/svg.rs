//! Charts as inline SVG. Heights are pixels, widths are shares, so a chart fits a wide screen and a phone with the
//! same letters.

use std::fmt::Write as _;

use crate::{
    html::escape,
    labels::{self, Label},
};

/// A scale with round numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    pub step: f64,
}

impl Axis {
    /// Covers `low` to `high` with about `wanted` steps of 1, 2 or 5 times a power of ten.
    pub fn nice(low: f64, high: f64, wanted: f64) -> Axis {
        let (low, high) = if high > low { (low, high) } else { (low - 1.0, low + 1.0) };
        let step = nice_step((high - low) / wanted);
        Axis { low: (low / step).floor() * step, high: (high / step).ceil() * step, step }
    }

    /// Returns the round numbers from low to high.
    pub fn ticks(&self) -> Vec<f64> {
        let count = ((self.high - self.low) / self.step).round() as i64;
        (0..=count).map(|index| self.low + index as f64 * self.step).collect()
    }

    /// Returns where a value lies, 0 at the bottom and 1 at the top.
    pub fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Says whether a value lies in the picture; a hair beyond it is rounding.
    fn shows(&self, value: f64) -> bool {
        let hair = (self.high - self.low) * 1e-9;
        (self.low - hair..=self.high + hair).contains(&value)
    }
}

/// Returns the smallest of 1, 2, 5 times a power of ten that is not below `rough`.
pub fn nice_step(rough: f64) -> f64 {
    let mut power = 1.0;
    while power > rough {
        power /= 10.0;
    }
    while power * 10.0 <= rough {
        power *= 10.0;
    }
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= rough).unwrap_or(10.0 * power)
}

/// One chart. Horizontal places are shares from 0 to 1.
pub struct Chart {
    label: String,
    height: f64,
    axis: Axis,
    unit: fn(f64) -> String,
    /// Under the shapes, over the grid.
    paths: String,
    shapes: String,
    below: Vec<Label>,
    tips: Vec<String>,
}

impl Chart {
    /// Begins a chart; `label` says what it shows to those who cannot see it, `unit` writes the axis.
    pub fn new(label: &str, height: f64, axis: Axis, unit: fn(f64) -> String) -> Chart {
        let (paths, shapes, below) = (String::new(), String::new(), Vec::new());
        Chart { label: label.to_owned(), height, axis, unit, paths, shapes, below, tips: Vec::new() }
    }

    /// Returns the pixel of a value, with room for half a letter at both ends.
    fn y(&self, value: f64) -> f64 {
        8.0 + (1.0 - self.axis.share(value)) * (self.height - 16.0)
    }

    /// Draws a line through the points.
    pub fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let path = self.path(points);
        let _ = write!(self.paths, "<path class=\"{class}\" d=\"M{path}\"/>");
    }

    /// Fills between two lines over the same places.
    pub fn area(&mut self, class: &str, upper: &[(f64, f64)], lower: &[(f64, f64)]) {
        let back: Vec<_> = lower.iter().rev().copied().collect();
        let (there, back) = (self.path(upper), self.path(&back));
        let _ = write!(self.paths, "<path class=\"{class}\" d=\"M{there}L{back}Z\"/>");
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for (index, (share, value)) in points.iter().enumerate() {
            let joint = if index == 0 { "" } else { "L" };
            let _ = write!(path, "{joint}{:.1} {:.1}", share * 1000.0, self.y(*value));
        }
        path
    }

    /// Draws a bar between two places and from one value to another; `title` is its read-out. One that ends beyond the
    /// picture says how far it goes.
    pub fn bar(&mut self, class: &str, place: (f64, f64), values: (f64, f64), title: &str) {
        let (one, other) = (self.y(values.0), self.y(values.1));
        let (top, height) = (one.min(other), (one - other).abs().max(1.0));
        let (left, width) = (place.0 * 100.0, (place.1 - place.0) * 100.0);
        let _ = write!(
            self.shapes,
            "<rect class=\"{class}\" x=\"{left:.2}%\" y=\"{top:.1}\" width=\"{width:.2}%\" height=\"{height:.1}\">\
             <title>{}</title></rect>",
            escape(title)
        );
        for value in [values.0, values.1].into_iter().filter(|value| !self.axis.shows(*value)) {
            let (arrow, y) =
                if value > self.axis.high { ('↑', top + 13.0) } else { ('↓', top + height - 4.0) };
            let (x, text) = ((left + width / 2.0), (self.unit)(value));
            let _ = write!(
                self.shapes,
                "<text class=\"value\" x=\"{x:.2}%\" y=\"{y:.1}\" text-anchor=\"middle\">{arrow} {}</text>",
                escape(&text)
            );
        }
    }

    /// Draws a dot at a value; `title` is its read-out.
    pub fn dot(&mut self, class: &str, place: f64, value: f64, title: &str) {
        let (x, y) = (place * 100.0, self.y(value));
        let _ = write!(
            self.shapes,
            "<circle class=\"{class}\" cx=\"{x:.2}%\" cy=\"{y:.1}\" r=\"4\"><title>{}</title></circle>",
            escape(title)
        );
    }

    /// Draws an upright line from one value to another: an interval.
    pub fn whisker(&mut self, class: &str, place: f64, values: (f64, f64)) {
        let (x, one, other) = (place * 100.0, self.y(values.0), self.y(values.1));
        let _ = write!(
            self.shapes,
            "<line class=\"{class}\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"{one:.1}\" y2=\"{other:.1}\"/>"
        );
    }

    /// Draws a level across, with its name under it where there is room.
    pub fn level(&mut self, class: &str, value: f64, name: &str) {
        let y = self.y(value);
        let text = if y + 18.0 < self.height { y + 14.0 } else { y - 5.0 };
        let _ = write!(
            self.shapes,
            "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"100%\" y=\"{text:.1}\" text-anchor=\"end\">{}</text>",
            escape(name)
        );
    }

    /// Marks a place from top to bottom.
    pub fn mark(&mut self, class: &str, place: f64, title: &str) {
        let x = place * 100.0;
        let _ = write!(
            self.shapes,
            "<line class=\"{class}\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"0\" y2=\"{}\"><title>{}</title></line>",
            self.height,
            escape(title)
        );
    }

    /// Writes over a value, or under it where it hangs down; a narrow screen shows the `short` form.
    pub fn text(&mut self, place: f64, value: f64, up: bool, [text, short]: [&str; 2]) {
        let y = self.y(value) + if up { -5.0 } else { 15.0 };
        let x = place * 100.0;
        let _ = write!(
            self.shapes,
            "<text class=\"value\" x=\"{x:.2}%\" y=\"{y:.1}\" text-anchor=\"middle\">\
             <tspan class=\"wide\">{}</tspan><tspan class=\"narrow\">{}</tspan></text>",
            escape(text),
            escape(short)
        );
    }

    /// Writes under the chart what stands there on the axis; the ends are kept inside. Where there is no room for all
    /// of them, later ones give way.
    pub fn below(&mut self, place: f64, text: &str) {
        self.below.push(Label { place, text: text.to_owned(), name: false });
    }

    /// Writes under the chart what a bar is, which never gives way: on a narrow screen every other one goes a line down.
    pub fn name(&mut self, place: f64, text: &str) {
        self.below.push(Label { place, text: text.to_owned(), name: true });
    }

    /// Gives read-outs for equal parts of the width, left to right.
    pub fn tips(&mut self, tips: Vec<String>) {
        self.tips = tips;
    }

    /// Writes the chart as HTML.
    pub fn render(&self) -> String {
        let height = self.height;
        let (mut grid, mut scale) = (String::new(), String::new());
        for tick in self.axis.ticks() {
            let y = self.y(tick);
            let class = if tick == 0.0 { "zero" } else { "grid" };
            let _ =
                write!(grid, "<line class=\"{class}\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
            let text = (self.unit)(tick);
            let _ = write!(scale, "<text x=\"52\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>", y + 4.0);
        }
        let below = labels::row(&self.below);
        let tips = match self.tips.is_empty() {
            true => String::new(),
            false => format!(" data-tips=\"{}\"", escape(&self.tips.join("|"))),
        };
        format!(
            "<div class=\"chart\" role=\"img\" aria-label=\"{}\"{tips}>\
             <svg class=\"scale\" width=\"56\" height=\"{height}\">{scale}</svg>\
             <div class=\"view\"><div class=\"inner\"><svg class=\"plot\" width=\"100%\" height=\"{height}\">{grid}\
             <svg width=\"100%\" height=\"{height}\" viewBox=\"0 0 1000 {height}\" preserveAspectRatio=\"none\">{}</svg>\
             {}</svg>{below}</div></div></div>\n",
            escape(&self.label),
            self.paths,
            self.shapes
        )
    }
}

/// Pixels of a cell of a matrix, and of the names beside it.
const CELL: usize = 15;
const NAMES: usize = 118;

/// Draws a square of values from −1 to 1 over and beside their names: blue above 0, red below, pale near it. Its size is
/// fixed, so it scrolls where there is no room. `label` says what it shows to those who cannot see it.
pub fn matrix(label: &str, names: &[&str], value: impl Fn(usize, usize) -> Option<f64>) -> String {
    let names: Vec<String> = names.iter().map(|name| escape(name)).collect();
    let side = NAMES + names.len() * CELL;
    let mut out = format!(
        "<div class=\"scroll\"><svg class=\"matrix\" width=\"{side}\" height=\"{side}\" role=\"img\" \
         aria-label=\"{}\">",
        escape(label)
    );
    let end = NAMES - 6;
    for (down, name) in names.iter().enumerate() {
        let y = NAMES + down * CELL;
        let middle = y + CELL / 2 + 4;
        let _ = write!(
            out,
            "<text x=\"{end}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>\
             <text transform=\"translate({middle} {end}) rotate(-90)\">{name}</text>"
        );
        for (across, other) in names.iter().enumerate() {
            let Some(value) = value(down, across) else { continue };
            let (x, class) = (NAMES + across * CELL, if value < 0.0 { "minus" } else { "plus" });
            let _ = write!(
                out,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" \
                 fill-opacity=\"{:.3}\"><title>{name}, {other}: {value:.3}</title></rect>",
                value.abs()
            );
        }
    }
    out + "</svg></div>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_beyond_the_picture_says_how_far_it_goes() {
        let axis = Axis { low: -1.0, high: 1.0, step: 1.0 };
        let drawn = |value: f64| {
            let mut chart = Chart::new("", 100.0, axis.clone(), |value| format!("{value:.2}"));
            chart.bar("gain", (0.0, 1.0), (0.0, value), "");
            chart.render()
        };
        assert!(drawn(1.5).contains("↑ 1.50") && drawn(-3.0).contains("↓ -3.00"), "{}", drawn(1.5));
        assert!(!drawn(1.0).contains('↑') && !drawn(-1.0).contains('↓'));
    }

    #[test]
    fn axes_are_round_and_cover() {
        let axis = Axis::nice(822.0, 1013.0, 4.0);
        assert_eq!(axis.ticks(), [800.0, 850.0, 900.0, 950.0, 1000.0, 1050.0]);
        for (low, high) in [(0.0, 0.0), (-3.7, 12.1), (0.001, 0.0042), (-1e6, 5e6)] {
            let axis = Axis::nice(low, high, 4.0);
            assert!(axis.low <= low && high <= axis.high, "{axis:?}");
            assert!((2..=8).contains(&axis.ticks().len()), "{axis:?}");
        }
    }
}
