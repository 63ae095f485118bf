//! `mes-watch` as a person has it: how long a long day takes until its page can be opened, and how long after its line is
//! in the journal a row is at a client.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock; nothing it measures does")]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write, stdout},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use mes_golden::shell;

use super::{Result, exchange::percentiles, shell_line};

/// Rows that are written one by one.
const ROWS: usize = 100;
const LOAD_S: f64 = 1.0;
const LATE_MS: f64 = 250.0;

/// A `mes-watch` that has printed its address.
struct Watch {
    child: Child,
    address: String,
    token: String,
}

/// Prints both.
pub fn run(folder: &Path) -> Result<()> {
    let made =
        "mes-fetch synth -q --sessions 1 --seed 4 | mes-bars -q | mes-predict -q --rule random --rate 0.01 |
                mes-bt -q --journal day.jsonl > summary.json";
    shell_line(folder, made)?;
    let text = fs::read_to_string(folder.join("day.jsonl"))?;
    let rows = text.lines().filter(|line| line.starts_with("{\"kind\":\"row\"")).count();
    let mut loads = Vec::new();
    for _ in 0..super::RUNS {
        let begun = Instant::now();
        let watch = Watch::start(folder, &["day.jsonl"])?;
        loads.push(begun.elapsed().as_secs_f64());
        drop(watch);
    }
    loads.sort_by(f64::total_cmp);
    let load = loads[loads.len() / 2];
    let mut late = followed(folder, &text)?;
    let [half, most] = percentiles(&mut late).map(|us| us / 1e3);
    let mut out = stdout().lock();
    let met = |met| if met { "MET" } else { "MISSED" };
    writeln!(out, "\nmes-watch: a day of {rows} rows, {} MB", text.len() >> 20)?;
    writeln!(out, "goal: its page can be opened in under {LOAD_S} s   {load:.2} s  {}", met(load < LOAD_S))?;
    let within = format!("p50 {half:.0} ms, p99 {most:.0} ms");
    writeln!(
        out,
        "goal: journal to client under {LATE_MS} ms, {ROWS} rows   {within}  {}",
        met(most < LATE_MS)
    )?;
    Ok(())
}

/// Writes the end of a day row by row while a client listens, and returns the time from each line to its view.
fn followed(folder: &Path, text: &str) -> Result<Vec<Duration>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |line: &&str| line.starts_with("{\"kind\":\"row\"");
    let at = lines.iter().enumerate().filter(|(_, line)| is_row(line)).map(|(at, _)| at).nth_back(ROWS);
    let at = at.ok_or("too few rows")?;
    let mut journal = File::create(folder.join("growing.jsonl"))?;
    journal.write_all((lines[..at].join("\n") + "\n").as_bytes())?;
    let watch = Watch::start(folder, &["--follow", "growing.jsonl"])?;
    let mut client = watch.listen()?;
    let mut before = view(&mut client)?;
    // All of it is read once nothing more comes of it.
    while before.0 + ROWS + 1 < lines.iter().filter(|line| is_row(line)).count() {
        before = view(&mut client)?;
    }
    let mut late = Vec::new();
    for chunk in lines[at..].chunk_by(|_, next| !is_row(next)).take(ROWS) {
        sleep(Duration::from_millis(150));
        let begun = Instant::now();
        journal.write_all((chunk.join("\n") + "\n").as_bytes())?;
        let wanted = before.0 + late.len() + 1;
        while view(&mut client)?.0 < wanted {}
        late.push(begun.elapsed());
    }
    Ok(late)
}

/// Reads the next view and returns how many rows it has.
fn view(client: &mut BufReader<TcpStream>) -> Result<(usize, usize)> {
    let mut line = String::new();
    loop {
        line.clear();
        if client.read_line(&mut line)? == 0 {
            return Err("mes-watch has ended".into());
        }
        let number = |name: &str| {
            let rest = line.split(name).nth(1)?;
            rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
        };
        if let Some(found) = number("{\"rows\":").zip(number("\"row\":")) {
            return Ok(found);
        }
    }
}

impl Watch {
    fn start(folder: &Path, arguments: &[&str]) -> Result<Watch> {
        let mut child = Command::new(shell::tools().join("mes-watch"))
            .arg("-q")
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut url)?;
        let url = url.trim().strip_prefix("http://").ok_or("no address")?;
        let (address, token) = url.split_once("/#").ok_or("no token")?;
        let (address, token) = (address.to_owned(), token.to_owned());
        Ok(Watch { child, address, token })
    }

    /// Gets in, and opens the stream of changes.
    fn listen(&self) -> Result<BufReader<TcpStream>> {
        let Watch { address, token, .. } = self;
        let body = format!("{{\"token\":\"{token}\"}}");
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "POST /open HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let between = |begin: &str, end: char| answer.split(begin).nth(1)?.split(end).next();
        let cookie = between("set-cookie: ", ';').ok_or("no cookie")?;
        let key = between("\"key\":\"", '"').ok_or("no key")?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET /changes HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\nx-mes-key: {key}\r\n\r\n"
        )?;
        Ok(BufReader::new(stream))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
