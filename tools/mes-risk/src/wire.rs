//! The broker at the other end of the pipe. The order is already on stdout; the statement comes back on the
//! account channel.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    time::Duration,
};

use mes_core::{
    bar::Bar,
    broker::{Broker, BrokerError, Hello},
    order::Order,
    run::Run,
    statement::Statement,
    time,
};
use mes_pipe::{Error, Result, limits, log, private, stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::journal::Lines;

/// Between two knocks.
const KNOCK: Duration = Duration::from_millis(20);
/// Knocks before a person is told what we wait for.
const PATIENCE: u32 = 250;
/// Knocks after which nobody will come: something between the two, such as a tee, hides its death.
const LONGEST: u32 = 6 * PATIENCE;
/// How the only record begins that is not a statement: a person has stopped mes-exec. Its statements go on.
const STOPPED: &[u8] = b"{\"kind\":\"person\",";
const SILENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// The broker that reads our stdout and answers over a socket.
pub struct Wire {
    stream: BufReader<UnixStream>,
    lines: Lines,
    line: Vec<u8>,
    statement: Statement,
    hello: Option<Hello>,
}

impl Wire {
    /// Knocks at the run directory until mes-exec answers.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] when the reader of our stdout is gone: then nobody ever will.
    pub fn connect(run: &Path, lines: Lines) -> Result<Wire> {
        let path = run.join("account.sock");
        for knock in 0_u32.. {
            match UnixStream::connect(&path) {
                Ok(stream) => {
                    if !private::is_us(&stream)? {
                        let path = path.display();
                        return Err(Error::usage(format!(
                            "{path}: another user listens there: give another --run"
                        )));
                    }
                    let (line, statement) = (Vec::new(), Statement::default());
                    return Ok(Wire { stream: BufReader::new(stream), lines, line, statement, hello: None });
                }
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {}
                Err(error) => return Err(Error::failed(format!("{}: {error}", path.display()))),
            }
            if stop::asked() {
                return Err(stop::error());
            }
            if reader_is_gone()? {
                return Err(Error::failed("mes-exec is gone before it opened the account"));
            }
            if knock == LONGEST {
                return Err(Error::failed(format!(
                    "mes-exec did not come to {} in 30 s: what it says on stderr is why",
                    path.display()
                )));
            }
            if knock == PATIENCE {
                let path = path.display();
                log::note(format!(
                    "waiting for mes-exec at {path} (--account none prints verdicts without one)"
                ));
            }
            std::thread::sleep(KNOCK);
        }
        Err(Error::failed("mes-exec never came"))
    }

    /// Returns a descriptor that tells of the death of mes-exec.
    ///
    /// # Errors
    ///
    /// `Failed` where the process has no descriptor left.
    pub fn peer(&self) -> Result<OwnedFd> {
        Ok(self.stream.get_ref().as_fd().try_clone_to_owned()?)
    }

    /// Waits for what mes-exec says first: it listens at once and says hello when it has looked at its account, which at a
    /// broker takes a login. Meanwhile a person may end it.
    fn await_hello(&self) -> std::result::Result<(), BrokerError> {
        let stopped = || BrokerError::Stopped(stop::error().to_string());
        let mut told = false;
        loop {
            if stop::asked() {
                return Err(stopped());
            }
            let (stream, told_to_stop) = (self.stream.get_ref(), stop::descriptor());
            let mut polled = vec![PollFd::new(stream, PollFlags::IN)];
            polled.extend(told_to_stop.as_ref().map(|stop| PollFd::new(stop, PollFlags::IN)));
            let came = poll(&mut polled, Some(&SILENCE));
            if matches!(came, Ok(0)) && !told {
                told = true;
                log::note("mes-exec is there and has not opened the account yet");
            }
            if matches!(came, Ok(count) if count > 0) && !polled[0].revents().is_empty() {
                return Ok(());
            }
        }
    }

    /// Reads the next line, after everything of ours is on its way.
    fn read(&mut self) -> std::result::Result<(), BrokerError> {
        let lost = |what: String| BrokerError::Lost(what);
        self.lines.borrow_mut().flush().map_err(|error| lost(format!("mes-exec is gone: {error}")))?;
        if self.stream.buffer().is_empty() {
            let mut polled = [PollFd::new(self.stream.get_ref(), PollFlags::IN)];
            if matches!(poll(&mut polled, Some(&SILENCE)), Ok(0)) {
                log::note(
                    "no statement for 5 s: does something between mes-risk and mes-exec hold lines back? (jq --unbuffered)",
                );
            }
        }
        self.line.clear();
        let longest = limits::get().line.saturating_add(1);
        match self.stream.by_ref().take(longest).read_until(b'\n', &mut self.line) {
            Ok(read) if read as u64 == longest => {
                limits::line(longest).map_err(|error| BrokerError::Data(format!("account channel: {error}")))
            }
            Ok(_) if self.line.last() == Some(&b'\n') => Ok(()),
            Ok(_) => Err(lost("mes-exec is gone".into())),
            Err(error) => Err(lost(format!("mes-exec is gone: {error}"))),
        }
    }

    fn receive(&mut self) -> std::result::Result<(), BrokerError> {
        self.read()?;
        while self.line.starts_with(STOPPED) {
            stop::tell(parse(&self.line)?);
            self.read()?;
        }
        self.statement = parse(&self.line)?;
        Ok(())
    }
}

/// Reads what mes-exec says from its line.
fn parse<T: serde::de::DeserializeOwned>(line: &[u8]) -> std::result::Result<T, BrokerError> {
    serde_json::from_slice(line).map_err(|error| BrokerError::Data(format!("account channel: {error}")))
}

/// Checks that a statement answers the bar of `ts`.
pub(crate) fn answers(statement: &Statement, ts: time::Ts) -> std::result::Result<(), BrokerError> {
    if statement.ts == ts {
        return Ok(());
    }
    let (theirs, ours) = (time::format(statement.ts), time::format(ts));
    Err(BrokerError::Data(format!("account channel: a statement of {theirs} for the row of {ours}")))
}

/// Says whether nobody will ever read our stdout.
fn reader_is_gone() -> Result<bool> {
    let stdout = std::io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).map_err(std::io::Error::from)?;
    Ok(polled[0].revents().contains(PollFlags::ERR))
}

impl Broker for Wire {
    fn hello(&mut self) -> std::result::Result<Hello, BrokerError> {
        if let Some(hello) = &self.hello {
            return Ok(hello.clone());
        }
        self.await_hello()?;
        self.read()?;
        let hello: Hello = parse(&self.line)?;
        self.hello = Some(hello.clone());
        Ok(hello)
    }

    fn begin(&mut self, _run: &Run) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn on_bar(&mut self, bar: &Bar) -> std::result::Result<&Statement, BrokerError> {
        self.receive()?;
        answers(&self.statement, bar.ts)?;
        Ok(&self.statement)
    }

    fn submit(&mut self, _order: &Order) -> std::result::Result<(), BrokerError> {
        Ok(())
    }

    fn end(&mut self) -> std::result::Result<&Statement, BrokerError> {
        self.receive()?;
        Ok(&self.statement)
    }
}
