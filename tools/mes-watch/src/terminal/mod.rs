//! The view of a terminal: the same desk, keys in place of buttons.

mod draw;
mod price;

use std::{env, fs::File, io, os::fd::AsFd, sync::Arc, time::Duration};

use mes_pipe::{Error, Result, stop};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{act::Act, desk::Desk};

/// Between two looks for keys and changes.
const LOOK: Duration = Duration::from_millis(60);
/// Looks between two pictures where nothing changes: what counts seconds goes on.
const IDLE: u32 = 8;
/// Rows that a key goes through of a day that is played back.
const STEP: usize = 60;
/// Rows that a look goes on while it plays.
const PACE: usize = 4;

/// What a person has set of the view.
#[derive(Debug, Default)]
struct Screen {
    colour: bool,
    log: Log,
    scroll: usize,
    help: bool,
    /// The second question, before something is done.
    question: Option<Act>,
    /// What came of a key that could do nothing.
    note: String,
    /// The row that is shown; of a running day, the last.
    row: usize,
    playing: bool,
}

/// Which log is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Log {
    #[default]
    Decisions,
    Alerts,
    Trades,
    Health,
}

/// Shows a desk until a person leaves, or the terminal goes.
///
/// # Errors
///
/// `Failed` where the terminal cannot be read or written.
pub fn show(desk: &Arc<Desk>) -> Result<()> {
    // Restores the terminal after a panic, too.
    let mut terminal = ratatui::try_init().map_err(gone)?;
    let shown = look(desk, &mut terminal);
    let restored = ratatui::try_restore().map_err(gone);
    shown.and(restored)
}

fn gone(error: io::Error) -> Error {
    Error::failed(error).at("the terminal")
}

fn look(desk: &Arc<Desk>, terminal: &mut DefaultTerminal) -> Result<()> {
    let mut changes = desk.changes();
    let colour = env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let mut screen = Screen { colour, row: usize::MAX, ..Screen::default() };
    let mut idle = IDLE;
    let keys = File::open("/dev/tty").map_err(gone)?;
    while !stop::asked() && is_there(&keys, LOOK)? {
        let changed = changes.has_changed().unwrap_or(false);
        if changed || screen.playing || idle >= IDLE {
            changes.mark_unchanged();
            idle = 0;
            let view = desk.view(screen.row);
            if screen.playing {
                screen.row = (view.snapshot.row + PACE).min(view.snapshot.rows.saturating_sub(1));
                screen.playing = screen.row > view.snapshot.row;
            }
            terminal.draw(|frame| draw::draw(frame, &screen, &view, &desk.day())).map_err(gone)?;
        }
        idle += 1;
        if event::poll(Duration::ZERO).map_err(gone)? {
            // A key, or another size: either is seen at once.
            idle = IDLE;
            if let Event::Key(key) = event::read().map_err(gone)?
                && key.kind != KeyEventKind::Release
                && !screen.press(key, desk)
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Waits for a key, at most so long, and says whether the terminal is still there: of one that went, whoever reads keys
/// never hears again.
fn is_there(keys: &File, wait: Duration) -> Result<bool> {
    let mut asked = [PollFd::from_borrowed_fd(keys.as_fd(), PollFlags::IN)];
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
    match poll(&mut asked, Some(&wait)) {
        // Another size, or a signal: either is looked at next.
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(gone(error.into())),
    }
    Ok(!asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR))
}

impl Screen {
    /// Does what a key asks for; false where it ends the view.
    fn press(&mut self, key: KeyEvent, desk: &Arc<Desk>) -> bool {
        self.note.clear();
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return false;
        }
        if let Some(act) = self.question.take() {
            self.note = match key.code {
                KeyCode::Char('y') => desk
                    .act(act, "")
                    .map_or_else(|error| format!("{}: NOT done: {error}", act.name()), |_| String::new()),
                _ => format!("{}: not done", act.name()),
            };
            return true;
        }
        if self.help {
            self.help = false;
            return key.code != KeyCode::Char('q');
        }
        match key.code {
            KeyCode::Char('q') => return false,
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('h') => self.ask(Act::Halt, desk),
            KeyCode::Char('f') => self.ask(Act::Flatten, desk),
            KeyCode::Char('k') => self.ask(Act::Kill, desk),
            KeyCode::Tab => {
                self.scroll = 0;
                self.log = match self.log {
                    Log::Decisions => Log::Alerts,
                    Log::Alerts => Log::Trades,
                    Log::Trades => Log::Health,
                    Log::Health => Log::Decisions,
                };
            }
            KeyCode::Up => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::Down => self.scroll += 1,
            _ if desk.replay => self.seek(key.code, desk),
            _ => {}
        }
        true
    }

    fn ask(&mut self, act: Act, desk: &Desk) {
        match desk.hello() {
            _ if desk.replay => self.note = "a day that is over cannot be stopped".into(),
            _ if desk.place.is_none() => self.note = "no pipeline is known that could be stopped".into(),
            None => self.note = "nothing trades here yet".into(),
            Some(hello) if act.works(hello.kind) => self.question = Some(act),
            Some(hello) => self.note = format!("{}: {}", act.name(), act.button(&hello).says),
        }
    }

    /// Goes through a day that is played back.
    fn seek(&mut self, key: KeyCode, desk: &Desk) {
        let last = desk.day().moments.len().saturating_sub(1);
        let row = self.row.min(last);
        self.playing &= key == KeyCode::Char(' ');
        self.row = match key {
            KeyCode::Left => row.saturating_sub(STEP),
            KeyCode::Right => (row + STEP).min(last),
            KeyCode::Char(',') => row.saturating_sub(1),
            KeyCode::Char('.') => (row + 1).min(last),
            KeyCode::Home => 0,
            KeyCode::End => last,
            KeyCode::Char(' ') => {
                self.playing = !self.playing;
                if row == last { 0 } else { row }
            }
            _ => row,
        };
    }
}
