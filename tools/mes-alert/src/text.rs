//! What a message says, for people: plain, fit for any window, no longer than the receiver takes.

use mes_judge::words;

use crate::alert::{Alert, Message};

/// Writes what is to be read on any channel, of so many UTF-16 units at most: that is how the services count.
pub fn plain(message: &Message, most: usize) -> String {
    let mut lines: Vec<String> = message.alerts.iter().map(line).collect();
    if message.left_out > 0 {
        lines.push(format!("and {} more", message.left_out));
    }
    lines.extend(message.failed.iter().map(|failed| format!("(not told on {})", clean(failed))));
    cut(&lines.join("\n"), most)
}

/// Writes one alert on one line: `URGENT PRAC-1, 09:35:02: $51.20 lost today`.
pub fn line(alert: &Alert) -> String {
    // Plain hyphens, for whoever looks for a date.
    let time = words::new_york_second(alert.ts).replace('\u{2011}', "-");
    let who = if alert.account.is_empty() { String::new() } else { format!("{}, ", clean(&alert.account)) };
    let priority = alert.priority.name().to_uppercase();
    format!("{priority} {who}{time}: {} ({})", clean(&alert.text), alert.kind)
}

/// Writes a subject.
pub fn subject(message: &Message) -> String {
    let Some(first) = message.alerts.iter().rev().max_by_key(|alert| alert.priority) else {
        return "mes".into();
    };
    let others = message.alerts.len() as u64 - 1 + message.left_out;
    let more = if others > 0 { format!(" (and {others} more)") } else { String::new() };
    cut(&format!("mes {}: {}{more}", message.priority().name(), clean(&first.text)), 150)
}

/// Takes out what does something instead of showing something: ends of lines, controls, marks that turn the writing.
pub fn clean(text: &str) -> String {
    let unfit = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let spaced: String = text.chars().map(|c| if unfit(c) { ' ' } else { c }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Writes `&`, `<` and `>` so that neither Slack nor a desktop takes them for its own.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let fits = |c: &char| {
        let left = room.checked_sub(c.len_utf16());
        room = left.unwrap_or(0);
        left.is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Priority;

    #[test]
    fn no_text_is_longer_than_it_may_be_or_does_anything() {
        let alert = Alert {
            id: "1".into(),
            ts: 0,
            kind: "exec".into(),
            priority: Priority::Urgent,
            account: "A\u{202e}B\n".into(),
            text: "two\r\nlines \u{1b}[2J<b> \u{1f600}".into(),
            same: None,
        };
        assert!(line(&alert).starts_with("URGENT A B, 1969"), "{}", line(&alert));
        assert!(line(&alert).ends_with(": two lines [2J<b> \u{1f600} (exec)"), "{}", line(&alert));
        let many = Message { alerts: vec![alert; 500], left_out: 7, failed: vec!["phone: no".into()] };
        for most in [1, 2, 99, 2000, 4096] {
            assert!(plain(&many, most).encode_utf16().count() <= most);
        }
        assert!(plain(&many, 1 << 20).ends_with("and 7 more\n(not told on phone: no)"));
        assert!(subject(&many).encode_utf16().count() <= 150);
        assert_eq!(escaped("<!channel> & co"), "&lt;!channel&gt; &amp; co");
    }
}
