//! What time it is: the rules of New York, who keeps this clock, how far it is from that of the service, and whether that
//! can be reached at all.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use mes_core::time::SECOND;
use mes_projectx::reach::Reached;

use super::{
    Desk,
    check::{Check, away, fail, ok, warn},
    days::seconds,
};
use crate::{
    CLIENT,
    topstepx::open::{self, AccountArgs},
};

/// For the one call that needs no key.
const PATIENCE: Duration = Duration::from_secs(3);
/// Differences below are taken out of all stamps by mes-fetch; above, somebody set this clock.
const OFF: i64 = 2 * SECOND;
const FAR_OFF: i64 = 30 * SECOND;
const ZONE: &str = "/usr/share/zoneinfo/America/New_York";
/// What the law has been since 2007; a file of a zone ends with the rule of all years to come.
const RULE: &str = "EST5EDT,M3.2.0,M11.1.0";

/// Looks whether this machine, whose timer starts the day, knows the same New York as the tools, who end it.
pub fn zones() -> Check {
    let ours = chrono_tz::IANA_TZDB_VERSION;
    let Ok(zone) = fs::read(ZONE) else {
        return warn(
            "zones",
            format!("built in: {ours}; {ZONE} is not there, which a timer of systemd needs: install tzdata"),
        );
    };
    let text = String::from_utf8_lossy(&zone);
    let rule = text.trim_end().lines().last().unwrap_or_default();
    if rule != RULE {
        return warn(
            "zones",
            format!("this machine's New York changes by {rule:?}, and the tools' ({ours}) by {RULE}"),
        );
    }
    ok("zones", format!("New York changes by {RULE}, built in ({ours}) and on this machine"))
}

/// Looks who keeps the clock, what time it is at the service, and with --login what it says of the account.
pub fn reach(desk: &Desk) -> Vec<Check> {
    let mut checks = vec![kept(desk)];
    if desk.args.offline {
        checks.push(warn("service", "not asked (--offline)"));
        return checks;
    }
    let api = desk.service.api().as_str();
    match desk.service.reach(CLIENT, PATIENCE) {
        Err(error) if error.code() == 2 => checks.push(fail("service", error)),
        Err(error) => checks.push(away("service", format!("{api} does not answer: {error}"))),
        Ok(reached) => {
            let times = desk.service.clock().map_or(1, |clock| clock.times());
            let ms = reached.took / mes_core::time::MILLI / i64::from(times.max(1));
            checks.push(ok("service", format!("{api} answers in {ms} ms")));
            checks.push(offset(&reached));
            if desk.args.login {
                checks.push(account(desk));
            }
        }
    }
    checks
}

fn offset(reached: &Reached) -> Check {
    let Some((ahead, unsure)) = reached.ahead() else {
        return warn("offset", "the service does not say what time it is");
    };
    let way = if ahead < 0 { "behind" } else { "ahead of" };
    let says =
        format!("this clock is {} {way} that of the service (±{})", seconds(ahead.abs()), seconds(unsure));
    match ahead.abs().saturating_sub(unsure) {
        off if off >= FAR_OFF => fail("offset", format!("{says}: set it, timedatectl set-ntp true")),
        off if off >= OFF => {
            warn("offset", format!("{says}: taken out of all stamps, but let a time server keep it"))
        }
        _ => ok("offset", says),
    }
}

/// Looks whether a time server keeps this clock.
fn kept(desk: &Desk) -> Check {
    if desk.service.is_practice() && desk.service.clock().is_ok_and(|clock| clock.times() != 1) {
        return ok("clock", "of an exercise");
    }
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return ok("clock", "kept by systemd-timesyncd");
    }
    let mut asked = Command::new("timedatectl");
    asked.args(["show", "--property=NTPSynchronized", "--value"]).stdin(Stdio::null()).stderr(Stdio::null());
    match asked.output() {
        Ok(output) if output.stdout.trim_ascii() == b"yes" => ok("clock", "kept by a time server"),
        Ok(output) if output.status.success() => warn("clock", "kept by nobody: timedatectl set-ntp true"),
        _ => warn("clock", "nothing here says whether a time server keeps it"),
    }
}

/// Logs in, or borrows the session of a run, and looks for account and contract.
fn account(desk: &Desk) -> Check {
    let settings = match &desk.settings {
        Ok(settings) => settings,
        Err(_) => return fail("account", "not looked for: see the rules"),
    };
    // Looking at an account that is real trades nothing.
    let (wanted, contract) = (desk.args.account.clone(), None);
    let args =
        AccountArgs { account: wanted, contract, real: true, adopt: false, flatten: false, own_oco: false };
    let found =
        desk.service.open(CLIENT).and_then(|service| open::find(&args, desk.service, settings, service));
    match found {
        Ok(found) => ok("account", found.says()),
        Err(error) if error.code() == 1 => away("account", error),
        Err(error) => fail("account", error),
    }
}
