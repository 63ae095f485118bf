//! How a person reaches a running mes-exec from another terminal: a socket in the run directory, a word there, a line of
//! JSON back.

use std::{
    io::{BufRead, BufReader, ErrorKind, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use mes_core::order::ExitReason;
use mes_pipe::{Error, Result, log, private};
use serde::{Deserialize, Serialize};

use super::{
    actor::{Input, Status},
    event::Event,
    shell::HALT,
};

const SOCKET: &str = "control.sock";
/// How long a running mes-exec may take to answer.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Status,
    /// Close everything.
    Flatten,
    /// Let nothing be entered any more, then close everything.
    Kill,
    /// Entries again.
    Resume,
}

/// A word, and which account it is for; for whichever is traded, where none is said.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Said {
    word: Word,
    account: Option<String>,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The account that is traded, by id and name.
    pub id: i64,
    pub account: String,
    /// Where it is traded.
    pub api: String,
    pub flat: bool,
    pub position: i64,
    pub left: String,
}

/// What is traded, and where.
#[derive(Clone, Debug)]
pub struct Whose {
    pub id: i64,
    pub account: String,
    pub api: String,
}

/// Listens until it is dropped.
pub struct Control {
    path: PathBuf,
}

impl Control {
    /// Listens in the run directory, which this process has locked; a kill is also written down in `folder`.
    ///
    /// # Errors
    ///
    /// `Failed` where the socket cannot be made.
    pub fn open(run: &Path, inputs: Sender<Input>, folder: PathBuf, whose: Whose) -> Result<Control> {
        let path = run.join(SOCKET);
        let at = |error: std::io::Error| Error::from(error).at(path.display());
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(at)?;
        private::socket(&path).map_err(at)?;
        let control = Control { path };
        thread::Builder::new().name("control".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let (inputs, folder, whose) = (inputs.clone(), folder.clone(), whose.clone());
                // One that goes away is nobody's loss.
                let _ = thread::Builder::new()
                    .name("person".into())
                    .spawn(move || serve(&stream, &inputs, &folder, whose));
            }
        })?;
        Ok(control)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(
    stream: &UnixStream,
    inputs: &Sender<Input>,
    folder: &Path,
    Whose { id, account, api }: Whose,
) -> Option<()> {
    if !private::is_us(stream).ok()? {
        return None;
    }
    for line in BufReader::new(stream).lines() {
        let said: Said = serde_json::from_str(&line.ok()?).ok()?;
        if is_of((id, &account), said.account.as_deref()) {
            obey(said.word, inputs, folder)?;
        }
        let (told, hear) = channel();
        inputs.send(Input::Status(told)).ok()?;
        let Status { flat, position, left } = hear.recv_timeout(PATIENCE).ok()?;
        let reply = Reply { id, account: account.clone(), api: api.clone(), flat, position, left };
        let mut text = serde_json::to_vec(&reply).ok()?;
        text.push(b'\n');
        let mut out = stream;
        out.write_all(&text).ok()?;
    }
    Some(())
}

fn obey(word: Word, inputs: &Sender<Input>, folder: &Path) -> Option<()> {
    let say = |event| inputs.send(Input::Event(event)).ok();
    let close = Event::Flatten { reason: ExitReason::Person };
    match word {
        Word::Status => Some(()),
        Word::Flatten => say(close),
        Word::Kill => {
            // In memory first: a disk that hangs holds back no closing.
            say(Event::Halt)?;
            say(close)?;
            drop(halt(folder));
            Some(())
        }
        Word::Resume => {
            resume(folder);
            say(Event::Resume)
        }
    }
}

/// Writes down, in a thread of its own, that nothing may be entered on an account until a person resumes it; what comes back
/// hears once that is done.
pub fn halt(folder: &Path) -> Receiver<()> {
    let path = folder.join(HALT);
    let (done, hear) = channel();
    let _ = thread::Builder::new().name("halt".into()).spawn(move || {
        if let Err(error) = private::write(&path, b"kill\n") {
            log::error(format!("{}: {error}: the halt is in memory alone", path.display()));
        }
        let _ = done.send(());
    });
    hear
}

/// Lifts a halt that was written down; says whether there was one.
pub fn resume(folder: &Path) -> bool {
    std::fs::remove_file(folder.join(HALT)).is_ok()
}

/// Says whether a kill has halted an account.
pub fn is_halted(folder: &Path) -> bool {
    folder.join(HALT).exists()
}

impl Reply {
    /// Says whether it is of the account that a person means, by name or id; of any, where none was said.
    pub fn is_of(&self, whose: Option<&str>) -> bool {
        is_of((self.id, &self.account), whose)
    }
}

fn is_of((id, name): (i64, &str), whose: Option<&str>) -> bool {
    whose.is_none_or(|whose| whose == name || whose == id.to_string())
}

/// A running mes-exec, as a person's tool sees it.
pub struct Line(BufReader<UnixStream>);

impl Line {
    /// Reaches the mes-exec that trades in a run directory; `None` where none answers.
    pub fn reach(run: &Path) -> Option<Line> {
        let stream = UnixStream::connect(run.join(SOCKET)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        private::is_us(&stream).ok()?.then(|| Line(BufReader::new(stream)))
    }

    /// Says a word to whoever trades the account; `None` where nobody answers in time. Of another account nothing is done.
    pub fn say(&mut self, word: Word, account: Option<&str>) -> Option<Reply> {
        let said = Said { word, account: account.map(str::to_owned) };
        let mut text = serde_json::to_vec(&said).ok()?;
        text.push(b'\n');
        self.0.get_mut().write_all(&text).ok()?;
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}
