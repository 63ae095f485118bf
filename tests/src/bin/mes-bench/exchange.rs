//! The exchange to practise on, through sockets: orders, events to ten clients, and memory over a day.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock; nothing it measures does")]

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use mes_core::time::{self, SECOND, Ts};
use mes_golden::shell;
use mes_pipe::clock::Clock;
use mes_projectx::{
    Client, Credentials, Keeper, Outcome, Purpose,
    hub::{Hub, HubEvent, Kind, MarketEvent, Subscription, socket::Door},
    wire::{Place, Side},
};
use mes_web::{Base, Secret};
use serde_json::Value;

use super::Result;

const CONTRACT: &str = "CON.F.US.MES.Z26";
/// 2026-11-19 17:00 Chicago, as a session opens.
const OPEN: Ts = 1_795_129_200 * SECOND;
const DAY_SECONDS: i64 = 22 * 3600;
/// Quotes and trades of a second in the middle of a session.
const QUOTES: i64 = 42;
const TRADES: i64 = 20;
const ORDERS: usize = 1_000;
const CLIENTS: usize = 10;

pub struct Sim {
    child: Child,
    at: Value,
}

impl Sim {
    /// Starts one that reads ticks from us, the first of which it waits for.
    pub fn start(folder: &Path, more: &[&str]) -> Result<(Sim, Ticks)> {
        let mut child = Command::new(shell::tools().join("mes-sim"))
            .args(["--port", "0", "--quiet", "--unlimited", "--no-hours"])
            .args(more)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out: ChildStdout = child.stdout.take().ok_or("no stdout")?;
        let mut ticks =
            Ticks { out: BufWriter::new(child.stdin.take().ok_or("no stdin")?), line: String::new() };
        ticks.second(0)?;
        ticks.flush()?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        Ok((Sim { child, at: serde_json::from_str(&line)? }, ticks))
    }

    pub fn text(&self, field: &str) -> &str {
        self.at[field].as_str().unwrap_or_default()
    }

    pub fn clock(&self) -> Result<Clock> {
        Ok(Clock::parse(self.text("clock"))?)
    }

    fn base(&self) -> Result<Base> {
        Ok(Base::parse(self.text("api"))?)
    }

    pub fn client(&self) -> Result<(Client, Arc<Keeper>)> {
        let carrier = Arc::new(mes_web::Client::new(self.base()?, "mes-bench"));
        let credentials =
            Credentials { user: Secret::new(self.text("user")), key: Secret::new(self.text("key")) };
        let keeper = Arc::new(Keeper::new(carrier.clone(), credentials, Clock::machine()));
        Ok((Client::new(carrier, keeper.clone()), keeper))
    }

    /// Tells when the prints of the market come to a client, by the exchange's clock: the stamp of a print and the instant.
    pub fn listen(&self, access: Arc<Keeper>, tell: impl Fn(Ts, Ts) + Send + 'static) -> Result<Hub> {
        let clock = self.clock()?;
        let door =
            Door { base: self.base()?, kind: Kind::Market, negotiate: None, access, clock: clock.clone() };
        let heard = move |_, event| {
            if let HubEvent::Market(MarketEvent::Print { print, .. }) = event {
                tell(print.timestamp.ts(), clock.now().utc);
            }
        };
        Ok(Hub::listen(door, Subscription::contract(CONTRACT, true), heard)?)
    }

    /// Resident memory, in MB.
    fn memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A market at the rates of a session's middle.
pub struct Ticks {
    out: BufWriter<ChildStdin>,
    line: String,
}

impl Ticks {
    /// Hands all of it over.
    pub fn flush(&mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }

    pub fn second(&mut self, second: i64) -> Result<()> {
        self.second_of(QUOTES + TRADES, second)
    }

    /// Writes a second of so many ticks.
    pub fn second_of(&mut self, count: i64, second: i64) -> Result<()> {
        for nth in 0..count {
            let ts = time::format(OPEN + second * SECOND + nth * SECOND / count);
            let bid = 6800.0 + ((second * 7 + nth * 3) % 40) as f64 * 0.25;
            let ask = bid + 0.25;
            self.line.clear();
            let trade = if nth % 3 == 0 {
                format!("\"price\":{ask},\"size\":1,\"side\":\"buy\",")
            } else {
                String::new()
            };
            write!(self.line, "{{\"ts\":\"{ts}\",{trade}\"bid\":{bid},\"ask\":{ask},\"symbol\":\"MESZ6\"}}")?;
            writeln!(self.out, "{}", self.line)?;
        }
        Ok(())
    }
}

/// Prints all of it.
pub fn run(folder: &Path) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "the exchange to practise on: synthetic ticks, sockets on this machine")?;
    writeln!(out, "{}", orders(folder)?)?;
    writeln!(out, "{}", events(folder, 1)?)?;
    writeln!(out, "{}", events(folder, 20)?)?;
    writeln!(out, "{}", memory(folder)?)?;
    Ok(())
}

fn orders(folder: &Path) -> Result<String> {
    let (sim, mut ticks) = Sim::start(folder, &["--account", "PRAC,max=1000000000"])?;
    (1..60).try_for_each(|second| ticks.second(second))?;
    ticks.flush()?;
    let (client, _) = sim.client()?;
    let (begun, mut taken) = (Instant::now(), Vec::new());
    for nth in 0..ORDERS {
        let one = Instant::now();
        let side = if nth % 2 == 0 { Side::Bid } else { Side::Ask };
        // Exits are not held back by the budget of questions; it is used up all the same.
        let placed = client.act(Place::market(7, CONTRACT, side, 1, format!("bench-{nth}")), Purpose::Exit);
        match placed {
            Outcome::Done(_) => taken.push(one.elapsed()),
            Outcome::Refused(mes_projectx::Refusal::Held { .. }) => break,
            other => return Err(format!("order {nth}: {other}").into()),
        }
    }
    let rate = taken.len() as f64 / begun.elapsed().as_secs_f64();
    let [half, most] = percentiles(&mut taken);
    Ok(format!(
        "place -> answer    {rate:>10.0} orders/s     p50 {half:>8.0} us   p99 {most:>8.0} us   ({} orders)",
        taken.len()
    ))
}

fn events(folder: &Path, speed: i64) -> Result<String> {
    let (sim, mut ticks) = Sim::start(folder, &["--speed", &speed.to_string()])?;
    let (_, keeper) = sim.client()?;
    let (heard, late) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
    let hubs = (0..CLIENTS).map(|_| {
        let (heard, late, clock) = (Arc::clone(&heard), Arc::clone(&late), sim.clock()?);
        let door = Door {
            base: sim.base()?,
            kind: Kind::Market,
            negotiate: None,
            access: keeper.clone(),
            clock: clock.clone(),
        };
        let tell = move |_, event| {
            heard.fetch_add(1, Ordering::Relaxed);
            if let HubEvent::Market(MarketEvent::Print { print, .. }) = event {
                let nanos = clock.now().utc.saturating_sub(print.timestamp.ts()).max(0) / speed;
                if let Ok(mut late) = late.lock() {
                    late.push(Duration::from_nanos(nanos as u64));
                }
            }
        };
        Ok(Hub::listen(door, Subscription::contract(CONTRACT, true), tell)?)
    });
    let hubs: Vec<Hub> = hubs.collect::<Result<_>>()?;
    (1..25 * speed).try_for_each(|second| ticks.second(second))?;
    ticks.flush()?;
    sleep(Duration::from_secs(5));
    heard.store(0, Ordering::Relaxed);
    late.lock().map_err(|_| "poisoned")?.clear();
    sleep(Duration::from_secs(10));
    let rate = heard.load(Ordering::Relaxed) as f64 / 10.0;
    drop(hubs);
    let mut late = late.lock().map_err(|_| "poisoned")?;
    let [half, most] = percentiles(&mut late);
    Ok(format!(
        "tick -> hub -> {CLIENTS} clients {rate:>6.0} events/s     p50 {half:>8.0} us   p99 {most:>8.0} us   ({speed}x 42 quotes, 20 trades a second, and depth)"
    ))
}

fn memory(folder: &Path) -> Result<String> {
    let (sim, mut ticks) = Sim::start(folder, &["--speed", "max"])?;
    let begun = Instant::now();
    let mut seen = Vec::new();
    for second in 1..DAY_SECONDS {
        ticks.second(second)?;
        if second % (DAY_SECONDS / 4) == 0 || second == DAY_SECONDS - 1 {
            ticks.flush()?;
            seen.push(sim.memory()?);
        }
    }
    let rows = (DAY_SECONDS * (QUOTES + TRADES)) as f64;
    let rate = rows / begun.elapsed().as_secs_f64();
    let seen: Vec<String> = seen.iter().map(|megabytes| format!("{megabytes:.1}")).collect();
    Ok(format!(
        "a day of {rows:.0} ticks {rate:>10.0} ticks/s      MB resident after each quarter: {}",
        seen.join(", ")
    ))
}

/// Returns the median and the 99th percentile, in microseconds.
pub fn percentiles(times: &mut [Duration]) -> [f64; 2] {
    times.sort_unstable();
    [50, 99].map(|percent| {
        times.get(times.len() * percent / 100).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    })
}
