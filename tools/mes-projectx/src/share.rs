//! Lends the session to the other processes of a run: one line of JSON asks, one answers, over a socket that only this user
//! can open. What is secret goes over the socket alone.

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use mes_pipe::{Error, Result, clock::Deadline, private};
use mes_web::Secret;
use serde::{Deserialize, Serialize};

use crate::{
    limiter::{Purpose, Window},
    session::{Access, Token},
};

/// In the run directory.
const SOCKET: &str = "session.sock";
/// The most bytes of one line.
const LINE_BYTES: u64 = 1 << 14;
/// The longest that a borrower says nothing before it is let go.
const IDLE: Duration = Duration::from_secs(60);
/// The most borrowers at a time.
const MOST: usize = 16;
/// So long after the first answer that did not come a lender is taken to be lost; asked again meanwhile.
const LOST: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Serialize, Deserialize)]
#[serde(tag = "want", rename_all = "snake_case", deny_unknown_fields)]
enum Want {
    Token,
    Call {
        window: Window,
        purpose: Purpose,
    },
    /// The service does not take it.
    Rejected {
        generation: u64,
    },
    /// The service says 429.
    Busy {
        window: Window,
        asked_ms: Option<u64>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Given {
    Token { token: String, generation: u64 },
    Yes,
    Wait { ms: u64 },
    No { why: String },
}

/// Lends until it is dropped.
pub struct Share {
    path: PathBuf,
}

impl Share {
    /// Lends `access` to whoever of this user asks in the run directory.
    ///
    /// # Errors
    ///
    /// `Usage` where another process lends there; `Failed` where the socket cannot be made.
    pub fn open(run: &Path, access: Arc<dyn Access>) -> Result<Share> {
        private::folder(run, &["exec.lock", "risk.lock"])?;
        let path = run.join(SOCKET);
        let at = |error: std::io::Error| Error::from(error).at(path.display());
        match UnixStream::connect(&path) {
            Ok(_) => {
                return Err(Error::usage(format!(
                    "{}: another process holds the session: give another --run",
                    path.display()
                )));
            }
            // Left behind by one that was killed.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                fs::remove_file(&path).map_err(at)?
            }
            Err(_) => {}
        }
        let listener = UnixListener::bind(&path).map_err(at)?;
        private::socket(&path).map_err(at)?;
        let share = Share { path };
        let borrowers = Arc::new(Mutex::new(0_usize));
        thread::Builder::new().name("session".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if !private::is_us(&stream).unwrap_or(false) {
                    continue;
                }
                {
                    let mut count = borrowers.lock().unwrap_or_else(PoisonError::into_inner);
                    if *count >= MOST {
                        continue;
                    }
                    *count += 1;
                }
                let (access, counted) = (Arc::clone(&access), Arc::clone(&borrowers));
                let lent = thread::Builder::new().name("borrower".into()).spawn(move || {
                    // One that goes away is nobody's loss.
                    let _ = lend(&stream, &*access);
                    *counted.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
                });
                if lent.is_err() {
                    *borrowers.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
                }
            }
        })?;
        Ok(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn lend(stream: &UnixStream, access: &dyn Access) -> std::io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(IDLE))?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.by_ref().take(LINE_BYTES).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let given = match serde_json::from_str(&line) {
            Ok(want) => give(&want, access),
            Err(error) => Given::No { why: format!("not understood: {error}") },
        };
        let mut text = serde_json::to_vec(&given)?;
        text.push(b'\n');
        let mut out = stream;
        out.write_all(&text)?;
    }
}

fn give(want: &Want, access: &dyn Access) -> Given {
    match want {
        Want::Token => match access.token() {
            Ok(token) => {
                Given::Token { token: token.secret.reveal().to_owned(), generation: token.generation }
            }
            Err(why) => Given::No { why },
        },
        Want::Call { window, purpose } => match access.spend(*window, *purpose) {
            Ok(()) => Given::Yes,
            Err(wait) => Given::Wait { ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) },
        },
        Want::Rejected { generation } => {
            access.rejected(*generation);
            Given::Yes
        }
        Want::Busy { window, asked_ms } => {
            access.busy(*window, asked_ms.map(Duration::from_millis));
            Given::Yes
        }
    }
}

/// What another process lends.
pub struct Borrowed {
    path: PathBuf,
    patience: Duration,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    stream: Option<BufReader<UnixStream>>,
    /// The last one lent: a secret is taken apart for its redaction once.
    token: Option<Token>,
    /// Whoever lends has not answered in time, and not since.
    late: Option<Late>,
}

/// A lender that is late.
struct Late {
    /// When he is taken to be lost.
    lost: Deadline,
    /// When he is asked again.
    again: Deadline,
}

impl Borrowed {
    /// Asks the process that lends in the run directory; `None` where there is none.
    pub fn from(run: &Path, patience: Duration) -> Option<Borrowed> {
        let path = run.join(SOCKET);
        let stream = connect(&path, patience).ok()?;
        let line = Line { stream: Some(BufReader::new(stream)), ..Line::default() };
        Some(Borrowed { path, patience, line: Mutex::new(line) })
    }

    /// Waits so long from now on.
    #[must_use]
    pub fn within(self, patience: Duration) -> Borrowed {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).stream = None;
        Borrowed { patience, ..self }
    }

    fn want(&self, want: &Want) -> std::result::Result<Given, String> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        self.asked(&mut line, want)
    }

    fn asked(&self, line: &mut Line, want: &Want) -> std::result::Result<Given, String> {
        self.heard(line, want).map_err(|error| {
            format!("{}: who holds the session does not answer: {error}", self.path.display())
        })
    }

    fn heard(&self, line: &mut Line, want: &Want) -> std::io::Result<Given> {
        let heard = self.tried(line, want);
        match &heard {
            Ok(_) => line.late = None,
            Err(error) if is_late(error) => {
                let lost = line.late.take().map_or_else(|| Deadline::after(LOST), |late| late.lost);
                line.late = Some(Late { lost, again: Deadline::after(AGAIN) });
            }
            Err(_) => {}
        }
        heard
    }

    fn tried(&self, line: &mut Line, want: &Want) -> std::io::Result<Given> {
        let mut text = serde_json::to_vec(want)?;
        text.push(b'\n');
        if let Some(kept) = line.stream.take() {
            match ask(kept, &text) {
                Ok((given, stream)) => {
                    line.stream = Some(stream);
                    return Ok(given);
                }
                // Let go while we had nothing to say: whoever lends may still do so.
                Err(error) if !is_late(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let (given, stream) = ask(BufReader::new(connect(&self.path, self.patience)?), &text)?;
        // Kept only while question and answer are in step.
        line.stream = Some(stream);
        Ok(given)
    }
}

fn ask(mut stream: BufReader<UnixStream>, text: &[u8]) -> std::io::Result<(Given, BufReader<UnixStream>)> {
    stream.get_mut().write_all(text)?;
    let mut answer = String::new();
    stream.by_ref().take(LINE_BYTES).read_line(&mut answer)?;
    let given = serde_json::from_str(&answer).map_err(|_| std::io::Error::from(ErrorKind::InvalidData))?;
    Ok((given, stream))
}

/// Says whether somebody is there who has not answered in time.
fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn connect(path: &Path, patience: Duration) -> std::io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    if private::is_us(&stream)? { Ok(stream) } else { Err(ErrorKind::PermissionDenied.into()) }
}

/// Why there is no token.
pub(crate) enum Without {
    /// Who holds the session says so.
    Refused(String),
    /// Nobody holds it any more.
    Lost(String),
}

impl Borrowed {
    /// Asks for the token.
    ///
    /// # Errors
    ///
    /// Whether who holds it has none, or is not there.
    pub(crate) fn lent(&self) -> std::result::Result<Token, Without> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(late) = &line.late {
            // Renewing takes a while, and what was lent is good meanwhile; nobody waits for one who hangs.
            if late.lost.left().is_zero() {
                return Err(Without::Lost(format!("{}: who holds the session hangs", self.path.display())));
            }
            if let Some(token) = line.token.as_ref().filter(|_| !late.again.left().is_zero()) {
                return Ok(token.clone());
            }
        }
        let given = match self.heard(&mut line, &Want::Token) {
            Ok(given) => given,
            Err(error) => {
                // Whoever lends is slow, perhaps because he renews: the last one was good.
                let last = line.token.clone().filter(|_| is_late(&error));
                let lost =
                    || Without::Lost(format!("{}: nobody lends the session: {error}", self.path.display()));
                return last.ok_or_else(lost);
            }
        };
        match given {
            Given::Token { token, generation } => {
                let secret = match line.token.take() {
                    Some(last) if last.generation == generation && last.secret.reveal() == token => {
                        last.secret
                    }
                    _ => Secret::new(token),
                };
                let token = Token { secret, generation };
                line.token = Some(token.clone());
                Ok(token)
            }
            Given::No { why } => Err(Without::Refused(why)),
            Given::Yes | Given::Wait { .. } => {
                Err(Without::Lost("who holds the session answers something else".to_owned()))
            }
        }
    }
}

impl Access for Borrowed {
    fn token(&self) -> std::result::Result<Token, String> {
        self.lent().map_err(|without| match without {
            Without::Refused(why) | Without::Lost(why) => why,
        })
    }

    fn rejected(&self, generation: u64) {
        self.line
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .token
            .take_if(|token| token.generation == generation);
        // Who holds it finds out by its own calls.
        let _ = self.want(&Want::Rejected { generation });
    }

    fn spend(&self, window: Window, purpose: Purpose) -> std::result::Result<(), Duration> {
        let is_late = self.line.lock().unwrap_or_else(PoisonError::into_inner).late.is_some();
        if is_late && purpose == Purpose::Exit {
            return Ok(());
        }
        match self.want(&Want::Call { window, purpose }) {
            Ok(Given::Yes) => Ok(()),
            Ok(Given::Wait { ms }) => Err(Duration::from_millis(ms)),
            // Nobody counts any more: an exit goes out, all else waits.
            _ if purpose == Purpose::Exit => Ok(()),
            _ => Err(self.patience),
        }
    }

    fn busy(&self, window: Window, asked: Option<Duration>) {
        let asked_ms = asked.map(|asked| u64::try_from(asked.as_millis()).unwrap_or(u64::MAX));
        let _ = self.want(&Want::Busy { window, asked_ms });
    }
}
