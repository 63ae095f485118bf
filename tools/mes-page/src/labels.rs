//! What is written under a chart: letters have one size on every screen, so what fits on a wide one may not on a phone.
//!
//! Widths are shares of the plot, so its width in pixels has to be guessed: [`PHONE`] is that of a card on the smallest
//! screen, [`HALF`] that of one of two cards side by side. Labels that would touch on a phone are shown only where
//! there is more room, and those that would touch there not at all.

use std::fmt::Write as _;

use crate::html::escape;

/// Pixels of a plot on a phone of 360, and in one of two cards side by side on a screen of 1080.
const PHONE: f64 = 258.0;
const HALF: f64 = 420.0;
/// Pixels of a letter, and between two labels.
const LETTER: f64 = 6.8;
const GAP: f64 = 3.0;

/// A label and where it is wanted.
pub struct Label {
    /// A share of the width.
    pub place: f64,
    pub text: String,
    /// Whether it names a bar and so never gives way.
    pub name: bool,
}

impl Label {
    fn width(&self) -> f64 {
        self.text.chars().count() as f64 * LETTER
    }

    /// Says at which of its ends it is held, so that it stays inside a plot of so many pixels.
    fn anchor(&self) -> &'static str {
        let half = self.width() / 2.0 / PHONE;
        match self.place {
            place if place < half => "start",
            place if place > 1.0 - half => "end",
            _ => "middle",
        }
    }

    /// Returns where it begins and ends in a plot of so many pixels.
    fn span(&self, plot: f64) -> (f64, f64) {
        let (at, width) = (self.place * plot, self.width());
        match self.anchor() {
            "start" => (at, at + width),
            "end" => (at - width, at),
            _ => (at - width / 2.0, at + width / 2.0),
        }
    }
}

/// Chooses labels from left to right that do not touch in a plot of so many pixels, none of them touching the `kept`.
fn fitting(labels: &[Label], plot: f64, kept: &[bool]) -> Vec<bool> {
    let touches = |a: &Label, b: &Label| {
        let ((a_from, a_to), (b_from, b_to)) = (a.span(plot), b.span(plot));
        a_from < b_to + GAP && b_from < a_to + GAP
    };
    let mut fits = kept.to_vec();
    for index in 0..labels.len() {
        let free = |other: usize| !fits[other] || !touches(&labels[index], &labels[other]);
        fits[index] = kept[index] || (0..labels.len()).all(free);
    }
    fits
}

/// Writes them as the row under a chart.
pub fn row(labels: &[Label]) -> String {
    let names: Vec<bool> = labels.iter().map(|label| label.name).collect();
    let phone = fitting(labels, PHONE, &names);
    let wide = fitting(labels, HALF, &phone);
    // Names that touch on a phone stand on two lines there.
    let crowded = labels.windows(2).any(|pair| match pair {
        [a, b] => a.name && b.name && a.span(PHONE).1 + GAP > b.span(PHONE).0,
        _ => false,
    });
    let mut texts = String::new();
    for (index, label) in labels.iter().enumerate().filter(|(index, _)| wide[*index]) {
        let class = match (phone[index], crowded && index % 2 == 1) {
            (false, _) => " class=\"wide\"",
            (true, true) => " class=\"down\"",
            (true, false) => "",
        };
        let _ = write!(
            texts,
            "<text{class} x=\"{:.2}%\" y=\"12\" text-anchor=\"{}\">{}</text>",
            label.place * 100.0,
            label.anchor(),
            escape(&label.text)
        );
    }
    let class = if crowded { "below crowded" } else { "below" };
    format!("<svg class=\"{class}\" width=\"100%\" height=\"18\">{texts}</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(count: usize, text: &str, name: bool) -> Vec<Label> {
        let label = |index| Label { place: (index as f64 + 0.5) / count as f64, text: text.to_owned(), name };
        (0..count).map(label).collect()
    }

    #[test]
    fn labels_that_would_touch_on_a_phone_are_not_shown_there() {
        let row = row(&labels(6, "2026-11-05", false));
        let shown = row.matches("<text ").count();
        let hidden = row.matches("<text class=\"wide\"").count();
        assert!(hidden >= 1 && shown - hidden >= 2, "{row}");
        let all = labels(6, "2026-11-05", false);
        for (plot, fits) in
            [(PHONE, fitting(&all, PHONE, &[false; 6])), (HALF, fitting(&all, HALF, &[false; 6]))]
        {
            let spans: Vec<_> =
                all.iter().zip(fits).filter(|(_, fits)| *fits).map(|(label, _)| label.span(plot)).collect();
            assert!(spans.windows(2).all(|pair| pair[0].1 < pair[1].0), "{spans:?}");
            assert!(spans.iter().all(|(from, to)| *from >= 0.0 && *to <= plot), "{spans:?}");
        }
    }

    #[test]
    fn names_of_bars_stay_and_stand_on_two_lines() {
        let crowded = row(&labels(5, "Commission", true));
        assert_eq!((crowded.matches("<text").count(), crowded.matches("class=\"down\"").count()), (5, 2));
        assert!(!row(&labels(3, "Net", true)).contains("class=\"down\""));
    }
}
