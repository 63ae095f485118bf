//! A note on the desktop, by `notify-send`.

use super::{Channel, Failure, child, text};
use crate::{alert::Message, kinds::Priority};

/// Longer ones do not fit on a screen.
const MOST: usize = 500;

/// Notes on the desktop.
pub struct Desktop;

impl Channel for Desktop {
    fn tell(&self, message: &Message) -> Result<(), Failure> {
        let urgency = match message.priority() {
            Priority::Info => "--urgency=low",
            Priority::Notice => "--urgency=normal",
            Priority::Urgent => "--urgency=critical",
        };
        // The body is markup, the summary is not.
        let body = text::escaped(&text::plain(message, MOST));
        child::run("notify-send", &["--app-name=mes", urgency, "--", &text::subject(message), &body], b"")
    }
}
