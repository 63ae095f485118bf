//! What can be asked for: tell, a dry run, a trial of the channels, a look at the TOML, the list of what can be told.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{channel, sync_channel},
    },
    thread,
    time::Duration,
};

use mes_core::time::Now;
use mes_pipe::{
    AnswerArgs, Error, Result,
    answer::print,
    clock::{Clock, Deadline},
    journal::Reader,
    log, stop, survived,
};

use crate::{
    TellArgs,
    alert::Delivery,
    channels::{Channel, Failure, own, record},
    config::Config,
    desk::{Desk, Watch},
    follow::{self, Of},
    kept::Kept,
    kinds,
    news::News,
    post::Terms,
    teller::{Event, Parts, Teller, YOUNG, trial},
    text,
};

/// How many events wait for the one who decides.
const EVENTS: usize = 4096;
/// The longest that a trial waits for a channel.
const TRIAL: Duration = Duration::from_secs(30);

/// Tells until the journal ends or a person stops it.
///
/// # Errors
///
/// What could be told nowhere, the TOML, a person's stop; for a dry run the data.
pub fn tell(args: &TellArgs, config: Option<&PathBuf>) -> Result<()> {
    let journal = args.journal.as_deref().unwrap_or(Path::new("-"));
    let piped = journal == Path::new("-");
    if args.dry_run {
        return dry_run(args, journal, config);
    }
    let told = survived(|| follow(args, journal, config));
    if piped && told.is_err() {
        // Whoever writes is not to die of a mistake in the TOML, or of one of ours.
        if let Err(error @ Error::Usage(_)) = &told {
            log::error(format!("{error}; nothing is told, and stdin read to its end"));
        }
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
    }
    told
}

fn follow(args: &TellArgs, journal: &Path, config: Option<&PathBuf>) -> Result<()> {
    let config = Config::at(config)?;
    let channels = open(&config)?;
    let calendar = args.calendar.read()?.value;
    let clock = args.clock.clone().unwrap_or_else(Clock::machine);
    let kept = match Kept::open(&args.run, clock.now().utc, YOUNG) {
        Err(error @ Error::Usage(_)) => return Err(error),
        Err(error) => {
            log::error(format!("{error}: alerts are told, and not kept"));
            None
        }
        Ok(kept) => Some(kept),
    };
    stop::listen()?;
    let (send, events) = sync_channel(EVENTS);
    let terms = Terms::default();
    let teller = Teller::start(Parts { config, channels, calendar, clock, terms, kept }, &send)?;
    if let Some(folder) = &args.exec {
        follow::file(folder.clone(), Of::Exec, send.clone(), |said| Event::Said(Of::Exec, said))?;
    }
    let of_journal = |said| Event::Said(Of::Journal, said);
    let piped = journal == Path::new("-");
    if piped {
        log::awaits("a journal");
        follow::stdin(send, of_journal)?;
    } else {
        if !journal.exists() {
            log::note(format!("{}: not there yet: waiting for it", journal.display()));
        }
        follow::file(journal.to_owned(), Of::Journal, send, of_journal)?;
    }
    teller.run(&events, piped)
}

fn open(config: &Config) -> Result<BTreeMap<String, Arc<dyn Channel>>> {
    config
        .channels
        .iter()
        .map(|(name, means)| Ok((name.clone(), Arc::from(means.open(name, &own)?))))
        .collect()
}

/// Prints what would be told, on the time of the records alone.
fn dry_run(args: &TellArgs, journal: &Path, config: Option<&PathBuf>) -> Result<()> {
    let plan = Config::at(config)?.plan;
    let calendar = args.calendar.read()?.value;
    let mut reader = Reader::open(journal)?;
    let (mut news, mut line) = (News::default(), 0);
    let mut watch: Option<Watch> = None;
    let mut desk = Desk::new(plan.clone());
    loop {
        let next = reader.next();
        let damaged = next.as_ref().err().map(ToString::to_string);
        line += 1;
        let mut alerts = match &next {
            Ok(Some(record)) => news.record(record, line),
            _ => Vec::new(),
        };
        if let Some(what) = damaged {
            alerts.push(news.alert("damaged", None, what));
        } else if let (Ok(None), Some(missing)) = (&next, reader.missing().filter(|_| news.runs())) {
            let text = format!("the journal stops: {}; last known: {}", missing.words(), news.stands());
            alerts.push(news.alert("cut", None, text));
        }
        let now = Now { utc: news.ts, steady: news.ts };
        if news.ts != 0 {
            let watch = watch.get_or_insert_with(|| Watch::new(&plan, calendar.clone(), now));
            // Nobody waited for these records: none of them came late.
            watch.grown(now);
            let beat = watch.tick(now, news.runs(), || news.stands());
            alerts.extend(beat.map(|(kind, text)| news.alert(kind, None, text)));
        }
        let mut out = desk.tick(now.utc);
        for alert in alerts {
            out.extend(desk.tell(alert, now.utc));
        }
        if !matches!(next, Ok(Some(_))) {
            out.extend(desk.close(now.utc));
        }
        out.iter().try_for_each(|delivery| would(delivery, args.json))?;
        if next?.is_none() {
            return Ok(());
        }
    }
}

fn would(delivery: &Delivery, json: bool) -> Result<()> {
    let Delivery { to, message } = delivery;
    if json {
        let mut record = record(message);
        record["to"] = to.clone().into();
        return print(format!("{record}\n"));
    }
    let places = to.join(", else ");
    let lines = text::plain(message, usize::MAX);
    print(lines.lines().map(|line| format!("{places}: {line}\n")).collect::<String>())
}

/// Tells one message on every channel, or on those that are named.
///
/// # Errors
///
/// `Failed` where one was not told, `Usage` where one has no secret or there is none of the name.
pub fn test(config: Option<&PathBuf>, only: &[String]) -> Result<()> {
    let config = Config::at(config)?;
    if let Some(none) = only.iter().find(|name| !config.channels.contains_key(*name)) {
        let names: Vec<_> = config.channels.keys().map(String::as_str).collect();
        return Err(Error::usage(format!("there is no channel {none:?}: {}", names.join(", "))));
    }
    let message = trial(Clock::machine().now());
    let (send, results) = channel();
    let mut waiting = Vec::new();
    for (name, means) in config.channels.iter().filter(|(name, _)| only.is_empty() || only.contains(name)) {
        waiting.push(name.clone());
        let (name, means, send, message) = (name.clone(), means.clone(), send.clone(), message.clone());
        thread::spawn(move || {
            let told = survived(|| {
                Ok(means
                    .open(&name, &own)?
                    .tell(&message)
                    .map_err(|Failure { what, .. }| Error::failed(what)))
            });
            let _ = send.send((name, told.and_then(|told| told)));
        });
    }
    drop(send);
    let deadline = Deadline::after(TRIAL);
    let mut worst: Option<u8> = None;
    while let Ok((name, told)) = results.recv_timeout(deadline.left()) {
        waiting.retain(|other| *other != name);
        let says = match &told {
            Ok(()) => "told".to_owned(),
            Err(error) => {
                format!("not told: {}", error.to_string().trim_start_matches(&format!("channels.{name}: ")))
            }
        };
        worst = worst.max(told.err().map(|error| error.code()));
        print(format!("{name}: {}\n", text::clean(&says)))?;
    }
    for name in &waiting {
        print(format!("{name}: not told: it takes longer than {} s\n", TRIAL.as_secs()))?;
    }
    match worst {
        None if waiting.is_empty() => Ok(()),
        Some(2) => Err(Error::usage("not every channel can be told")),
        _ => Err(Error::failed("not every channel was told")),
    }
}

/// Says who would be told what.
///
/// # Errors
///
/// `Usage` with what is wrong in the TOML, or which secret the environment lacks.
pub fn check(config: Option<&PathBuf>) -> Result<()> {
    let config = Config::at(config)?;
    open(&config)?;
    let mut said = String::new();
    for route in &config.plan.routes {
        let (kinds, least, to) = (route.kinds.join(", "), route.least.name(), route.to.join(", else "));
        let _ = writeln!(said, "{kinds} from {least} on: {to}");
    }
    print(said)
}

/// Lists what can be told.
///
/// # Errors
///
/// Where stdout cannot be written.
pub fn list(answer: AnswerArgs) -> Result<()> {
    let kinds = kinds::all();
    answer.give(&kinds, || {
        let line =
            |kind: &kinds::Kind| format!("{:<24} {:<7} {}\n", kind.name, kind.priority.name(), kind.says);
        kinds.iter().map(line).collect()
    })
}
