//! What goes wrong in a night, drawn from its seed.

use std::fmt;

use mes_core::dice::Draw;

/// The tools of the pipe.
const TOOLS: [&str; 6] = ["mes-fetch", "mes-bars", "mes-features", "mes-predict", "mes-risk", "mes-exec"];
/// How long the pipe is up at least, in milliseconds of this machine; the clock of the night is ten times as fast.
const SHORTEST: usize = 18_000;
const LONGER: usize = 8_000;
/// What a whole pipeline needs to come up.
const UP: usize = 2_500;
/// Faults at the exchange that end a night by themselves, one night in four has.
const LAST: [&str; 2] = ["evicted", "firm-flattens"];

/// Something that somebody does to the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Kill(&'static str),
    /// Stopped, and so many milliseconds later continued.
    Pause(&'static str, u64),
    /// The hubs are cut.
    Cut,
    /// A person's kill, and a while later their resume.
    Person,
}

/// It, and when: milliseconds after the pipe was started first.
#[derive(Clone, Copy, Debug)]
pub struct Harm {
    pub at_ms: u64,
    pub what: What,
}

/// A night before it begins.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub lasts_ms: u64,
    pub harms: Vec<Harm>,
    /// Faults at the exchange.
    pub faults: usize,
    /// After how many KiB no file of the first pipe grows any more.
    pub full_kib: Option<u64>,
    pub ends_by_itself: bool,
}

impl Plan {
    /// Draws one.
    pub fn draw(seed: u64) -> Plan {
        let mut draw = Draw::new(seed, 0x_717e);
        let lasts = SHORTEST + draw.below(LONGER);
        let mut harms: Vec<Harm> = (0..1 + draw.below(3))
            .map(|_| {
                let at_ms = (UP + draw.below(lasts - UP - 4_000)) as u64;
                let tool = TOOLS[draw.below(TOOLS.len())];
                let what = match draw.below(10) {
                    0..4 => What::Kill(tool),
                    4..7 => What::Pause(tool, 200 + draw.below(4_000) as u64),
                    7..9 => What::Cut,
                    _ => What::Person,
                };
                Harm { at_ms, what }
            })
            .collect();
        harms.sort_by_key(|harm| harm.at_ms);
        let faults = draw.below(20);
        let full_kib = (draw.below(6) == 0).then(|| 64 + draw.below(1_000) as u64);
        let ends_by_itself = draw.below(4) == 0;
        Plan { seed, lasts_ms: lasts as u64, harms, faults, full_kib, ends_by_itself }
    }

    /// Says whether a fault that was drawn belongs to this night.
    pub fn has(&self, fault: &str) -> bool {
        self.ends_by_itself || !LAST.contains(&fault)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} ms, {} faults", self.lasts_ms, self.faults)?;
        for Harm { at_ms, what } in &self.harms {
            write!(f, ", {at_ms}: {what:?}")?;
        }
        match self.full_kib {
            Some(kib) => write!(f, ", full after {kib} KiB"),
            None => Ok(()),
        }
    }
}
