//! What a terminal and a person can take: no value of somebody else's file moves the cursor or fills the screen.

use std::fmt::Write as _;

/// Characters of one value that are shown.
const OF_A_VALUE: usize = 200;
/// Characters of one message.
const OF_A_MESSAGE: usize = 2000;

/// Makes a message fit to be shown: a value in it, which is what stands between quotes or between spaces, is cut after
/// 200 characters, controls and marks that turn the writing are spelled out.
pub(crate) fn message(text: &str) -> String {
    let mut shown = Shown::default();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if shown.total == OF_A_MESSAGE {
            shown.close();
            let _ = write!(shown.text, " … ({} characters more)", 1 + rest.count());
            return shown.text;
        }
        shown.take(c);
    }
    shown.close();
    shown.text
}

/// Makes a whole text fit to be shown, lines and all.
pub(crate) fn lines(text: &str) -> String {
    if !text.chars().any(|c| c != '\n' && is_unfit(c)) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' { shown.push(c) } else { put(c, &mut shown) }
    }
    shown
}

/// A message on its way.
#[derive(Default)]
struct Shown {
    text: String,
    /// Characters shown in all, and of the value that goes on.
    total: usize,
    of_value: usize,
    left_out: usize,
    quoted: bool,
    escaped: bool,
}

impl Shown {
    fn take(&mut self, c: char) {
        let ends = if self.quoted { c == '"' && !self.escaped } else { c == ' ' || c == '"' };
        if ends {
            self.close();
            self.quoted ^= c == '"';
            self.text.push(c);
            self.total += 1;
            return;
        }
        self.escaped = self.quoted && c == '\\' && !self.escaped;
        if self.of_value == OF_A_VALUE {
            self.left_out += 1;
            return;
        }
        (self.of_value, self.total) = (self.of_value + 1, self.total + 1);
        put(c, &mut self.text);
    }

    /// Ends a value and says how much of it is not shown.
    fn close(&mut self) {
        if self.left_out > 0 {
            let _ = write!(self.text, "… ({} characters more)", self.left_out);
        }
        (self.of_value, self.left_out, self.escaped) = (0, 0, false);
    }
}

fn put(c: char, shown: &mut String) {
    if is_unfit(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
}

/// Says whether a character does something instead of showing something.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_200_characters_of_a_value_and_no_controls() {
        assert_eq!(message("side \"both\" is neither"), "side \"both\" is neither");
        let long = "a b".repeat(500);
        let cut = message(&format!("side {long:?} is neither buy nor sell"));
        assert!(
            cut.starts_with("side \"a ba ba b")
                && cut.ends_with("(1300 characters more)\" is neither buy nor sell")
        );
        let path = message(&format!("{}: no such file", "x".repeat(1000)));
        assert_eq!(path, format!("{}… (801 characters more) no such file", "x".repeat(200)));
        assert_eq!(message("a\u{1b}[2Jb\u{7}\u{9b}\u{202e}é"), "a\\u{1b}[2Jb\\u{7}\\u{9b}\\u{202e}é");
        let many = message(&"word ".repeat(10_000));
        assert!(many.chars().count() < 2050 && many.ends_with("characters more)"));
    }

    #[test]
    fn a_text_keeps_its_lines() {
        assert_eq!(lines("a\n\u{1b}]0;x\n"), "a\n\\u{1b}]0;x\n");
        assert_eq!(lines("a\nb\n"), "a\nb\n");
    }
}
