//! A sound: a command of one's own, or else what this machine has, or else the bell of the terminal.

use std::{
    fs::File,
    io::{IsTerminal, Write, stderr},
};

use serde::Deserialize;

use super::{Channel, Failure, child};
use crate::{alert::Message, kinds::Priority};

/// Samples a second, of one byte each.
const RATE: u32 = 8000;

/// What the TOML says of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// A program and its arguments; absent: what there is.
    #[serde(default)]
    command: Vec<String>,
}

impl Keys {
    /// Makes it ready.
    pub fn open(&self) -> Box<dyn Channel> {
        Box::new(Sound(self.command.clone()))
    }
}

struct Sound(Vec<String>);

impl Channel for Sound {
    fn tell(&self, message: &Message) -> Result<(), Failure> {
        let urgent = message.priority() == Priority::Urgent;
        if let [program, arguments @ ..] = &self.0[..] {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            return child::run(program, &arguments, b"");
        }
        let (event, wave) = (if urgent { "dialog-error" } else { "message" }, wave(urgent));
        let tries: [(&str, &[&str], &[u8]); 4] = [
            ("canberra-gtk-play", &["--id", event], b""),
            ("pw-play", &["-"], &wave),
            // Without the head of 44 bytes.
            ("paplay", &["--raw", "--format=u8", "--rate=8000", "--channels=1"], &wave[44..]),
            ("aplay", &["-q", "-"], &wave),
        ];
        let mut none = String::new();
        for (program, arguments, input) in tries {
            match child::run(program, arguments, input) {
                Ok(()) => return Ok(()),
                Err(failure) => none = failure.what,
            }
        }
        bell().map_err(|error| {
            Failure::lasting(format!("neither a player of sounds ({none}) nor a terminal ({error})"))
        })
    }
}

/// Rings the terminal that this program has, if it has one.
fn bell() -> std::io::Result<()> {
    if stderr().is_terminal() {
        return stderr().write_all(b"\x07");
    }
    File::options().write(true).open("/dev/tty")?.write_all(b"\x07")
}

/// Makes two short tones, twice where it is urgent, as a WAV file.
fn wave(urgent: bool) -> Vec<u8> {
    let tone = |hertz: u32, millis: u32| {
        let half = RATE / hertz / 2;
        (0..RATE * millis / 1000).map(move |at| if (at / half).is_multiple_of(2) { 160 } else { 96 })
    };
    let pause = || std::iter::repeat_n(128, RATE as usize / 10);
    let once: Vec<u8> = tone(660, 120).chain(pause()).chain(tone(880, 180)).chain(pause()).collect();
    let samples = once.repeat(if urgent { 2 } else { 1 });
    let mut file = Vec::with_capacity(samples.len() + 44);
    let bytes = samples.len() as u32;
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(bytes + 36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend_from_slice(&[1, 0, 1, 0]);
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&RATE.to_le_bytes());
    // A byte a frame, eight bits.
    file.extend_from_slice(&[1, 0, 8, 0]);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&bytes.to_le_bytes());
    file.extend_from_slice(&samples);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_says_how_long_it_is() {
        for urgent in [false, true] {
            let wave = wave(urgent);
            let size = |at: usize| u32::from_le_bytes(wave[at..at + 4].try_into().expect("four")) as usize;
            assert_eq!((size(4), size(40)), (wave.len() - 8, wave.len() - 44));
            assert_eq!(&wave[36..40], b"data");
        }
    }
}
