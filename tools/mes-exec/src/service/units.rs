//! The texts of the units. Pure: settings in, units out.

use std::path::{Path, PathBuf};

use mes_pipe::{Error, Result};

/// How every unit of ours begins; another is not written over.
pub const MARK: &str = "# Made by mes-exec service: ";

/// What mes-exec takes to close (30 s), and as much again for what stands before and behind it.
const STOP_S: u32 = 60;

/// What the units are to do.
pub struct Plan {
    pub name: String,
    pub account: String,
    pub rules: String,
    pub costs: String,
    pub run: PathBuf,
    pub dir: PathBuf,
    pub bin: PathBuf,
    pub env: PathBuf,
    /// Entries all day, not in the cash session alone.
    pub all_day: bool,
    pub pack_after: u16,
    /// What live.sh is told by its environment, in its order.
    pub told: Vec<(&'static str, String)>,
    pub beside: Vec<(String, String)>,
    pub command: Vec<String>,
    /// Writes the reports of days that ended without one; nobody but live.sh has such.
    pub report: Option<PathBuf>,
}

/// A file of systemd.
pub struct Unit {
    pub name: String,
    pub text: String,
}

/// Writes all units.
///
/// # Errors
///
/// `Usage` where something holds what a unit cannot: a line break, or what is no text.
pub fn all(plan: &Plan) -> Result<Vec<Unit>> {
    let mut units = vec![
        Unit { name: format!("{}.service", plan.name), text: service(plan)? },
        Unit { name: format!("{}.timer", plan.name), text: timer(plan)? },
    ];
    if let Some(script) = &plan.report {
        units.push(Unit { name: format!("{}-report.service", plan.name), text: report(plan, script)? });
    }
    for (name, command) in &plan.beside {
        units
            .push(Unit { name: format!("{}-{name}.service", plan.name), text: beside(plan, name, command)? });
    }
    Ok(units)
}

fn service(plan: &Plan) -> Result<String> {
    let tool = program(&text(&plan.bin.join("mes-exec"))?)?;
    let (account, rules, costs) = (quoted(&plan.account)?, quoted(&plan.rules)?, quoted(&plan.costs)?);
    let env = text(&plan.env)?;
    let mut words = plan.command.iter();
    let program = words.next().map_or(Ok(String::new()), |word| program(word))?;
    let words = words.map(|word| quoted(word)).collect::<Result<Vec<_>>>()?;
    let command = [vec![program], words].concat().join(" ");
    let report = match plan.report {
        None => String::new(),
        Some(_) => format!(
            "# A day that something ended by a signal has no report yet; a unit of its own writes it, and a restart waits for nothing.\n\
             ExecStopPost=-/usr/bin/env systemctl --user --no-block start {}-report.service\n",
            plan.name
        ),
    };
    let pack = match plan.pack_after {
        0 => String::new(),
        days => format!(
            "ExecStopPost=-/usr/bin/env find {} -name *.jsonl -mtime +{days} -exec zstd -q --rm {{}} +\n",
            quoted(&text(&plan.run.join("journals"))?)?
        ),
    };
    Ok(format!(
        "{head}\
[Unit]
Description=mes trades {about}
# Starts that fail five times in ten minutes need a person.
StartLimitIntervalSec=10min
StartLimitBurst=5

[Service]
Type=exec
{place}{told}EnvironmentFile={env_file}
UMask=0077
# Also before each restart: no session, no start, and no failure.
ExecCondition={tool} due
# What it finds is for the log; a start has to take over an open position whatever is wrong.
ExecStartPre=-{tool} doctor --quiet --account {account} --rules {rules} --costs {costs} --env {env}
ExecStart={command}
{report}{pack}\
# 0 the day is over, 2 arguments, 3 data, 4 stopped on purpose and flat: these stay down. 1 and a death by a signal start
# again: the stop rests at the exchange, and the start takes over what is open and enters nothing before that is settled.
Restart=on-failure
RestartPreventExitStatus=2 3 4
RestartSec=5
# To all tools of the pipe, as ^C does; they close within 30 s.
KillMode=control-group
KillSignal=SIGTERM
TimeoutStopSec={STOP_S}
",
        head = head(plan)?,
        about = specifiers(&format!("{} by {}", plan.account, plan.rules))?,
        place = place(plan)?,
        told = told(plan)?,
        env_file = specifiers(&env)?,
        env = quoted(&env)?,
    ))
}

fn timer(plan: &Plan) -> Result<String> {
    let (when, why) = if plan.all_day {
        ("Sun,Mon..Thu *-*-* 17:50:00", "Ten minutes before the day opens at 18:00")
    } else {
        (
            "Mon..Fri *-*-* 09:15:00",
            "A quarter of an hour before the cash session, the only one that is entered in",
        )
    };
    Ok(format!(
        "{head}\
[Unit]
Description=mes trades {account} every day

[Timer]
# {why}. Holidays: the start asks the calendar.
OnCalendar={when} America/New_York
# Started in the middle of a day, this machine goes on with it.
OnStartupSec=30
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
",
        head = head(plan)?,
        account = specifiers(&plan.account)?,
    ))
}

fn report(plan: &Plan, script: &Path) -> Result<String> {
    Ok(format!(
        "{head}\
[Unit]
Description=mes reports days of {live} that ended without one

[Service]
Type=oneshot
{place}# MES_AGAINST, where there is a backtest to hold the days against. It never sees the key.
EnvironmentFile=-%E/mes/report.env
UMask=0077
ExecStart={script}
# The next start may be trading by now.
Nice=10
",
        head = head(plan)?,
        live = plan.name,
        place = place(plan)?,
        script = program(&text(script)?)?,
    ))
}

fn beside(plan: &Plan, name: &str, command: &str) -> Result<String> {
    Ok(format!(
        "{head}\
[Unit]
Description=mes {name} beside {live}

[Service]
Type=exec
{place}# Secrets of its own, if it has any. It never sees the key.
EnvironmentFile=-%E/mes/{name}.env
UMask=0077
ExecStart=/usr/bin/env bash -c {command}
# Whatever becomes of it, trading goes on; and it goes on when that ends, to tell of it.
Restart=always
RestartSec=10
Nice=5

[Install]
WantedBy=default.target
",
        head = head(plan)?,
        live = plan.name,
        place = place(plan)?,
        command = quoted(command)?,
    ))
}

fn head(plan: &Plan) -> Result<String> {
    Ok(format!("{MARK}{}\n", specifiers(&plan.name)?))
}

/// Says where it runs, and where its tools are: the PATH of systemd is not that of a person.
fn place(plan: &Plan) -> Result<String> {
    let path = assigned("PATH", &format!("{}:/usr/local/bin:/usr/bin:/bin", text(&plan.bin)?))?;
    let run = assigned("MES_RUN", &text(&plan.run)?)?;
    Ok(format!("WorkingDirectory={}\nEnvironment={path} {run}\n", specifiers(&text(&plan.dir)?)?))
}

fn told(plan: &Plan) -> Result<String> {
    if plan.told.is_empty() {
        return Ok(String::new());
    }
    let words = plan.told.iter().map(|(name, value)| assigned(name, value)).collect::<Result<Vec<_>>>()?;
    Ok(format!("Environment={}\n", words.join(" ")))
}

fn text(path: &Path) -> Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        Error::usage(format!("{}: a name that is no text cannot stand in a unit", path.display()))
    })
}

/// Writes a word of a command so that systemd reads just that.
fn quoted(word: &str) -> Result<String> {
    Ok(format!("\"{}\"", within_quotes(word)?.replace('$', "$$")))
}

/// Writes the path of a program, in which systemd suffers less than in words.
fn program(path: &str) -> Result<String> {
    match path.chars().find(|letter| "\"'\\$".contains(*letter)) {
        Some(letter) => {
            Err(Error::usage(format!("{path}: systemd starts nothing with {letter} in its path")))
        }
        None => quoted(path),
    }
}

/// Writes an assignment; in those a dollar is a dollar.
fn assigned(name: &str, value: &str) -> Result<String> {
    Ok(format!("\"{name}={}\"", within_quotes(value)?))
}

fn within_quotes(word: &str) -> Result<String> {
    Ok(specifiers(word)?.replace('\\', "\\\\").replace('"', "\\\""))
}

fn specifiers(word: &str) -> Result<String> {
    if word.chars().any(char::is_control) {
        return Err(Error::usage(format!("{word:?} holds what cannot stand in a unit")));
    }
    Ok(word.replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_would_read_otherwise_is_quoted() {
        assert_eq!(quoted(r#"a b"c\d%e$f"#).expect("a word"), r#""a b\"c\\d%%e$$f""#);
        assert_eq!(assigned("A", "x $y%").expect("an assignment"), r#""A=x $y%%""#);
        assert!(quoted("a\nExecStart=/bin/evil").is_err() && program("/a'b/mes-exec").is_err());
    }
}
