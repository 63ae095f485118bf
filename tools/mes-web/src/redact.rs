//! Takes a secret out of what others say, in whatever shape they send it back.
//!
//! A server that means harm, or only logs too much, may echo the key cut, in capitals, over several lines, in base64 or
//! hex, with tags between, with escapes of JSON, URLs or HTML, and those escaped once more. So a text is looked at as it
//! stands, without its tags and with its escapes undone, letter case and white space aside, for every stretch of the
//! secret of [`PART`] characters and for what base64 and hex make of such stretches.

use std::collections::HashSet;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};

/// How many characters of the secret are too many.
const PART: usize = 6;
/// What they come to in base64, wherever in a longer text they stand, and in hex.
const PART_BASE64: usize = 7;
const PART_HEX: usize = 12;
/// How often something may be escaped over again.
const DEPTH: usize = 4;

/// A secret, as all that a part of it may be written as.
pub struct Redaction {
    /// Stretches of one length each.
    needles: [(usize, HashSet<Vec<u8>>); 3],
}

/// One character as it is meant, and the bytes of the text that it is written with.
#[derive(Clone, Copy)]
struct Unit {
    byte: u8,
    from: usize,
    to: usize,
}

impl Redaction {
    /// Prepares to look for a secret.
    pub fn of(secret: &str) -> Redaction {
        let stretches = |length: usize, texts: &[Vec<u8>]| {
            let lower = texts.iter().map(|text| text.to_ascii_lowercase());
            (
                length,
                lower.flat_map(|text| text.windows(length).map(<[u8]>::to_vec).collect::<Vec<_>>()).collect(),
            )
        };
        let encoded: Vec<_> = (0..3).flat_map(|before| base64_within(secret, before)).collect();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        Redaction {
            needles: [
                stretches(PART, &[secret.as_bytes().to_vec()]),
                stretches(PART_BASE64, &encoded),
                stretches(PART_HEX, &[hex.into_bytes()]),
            ],
        }
    }

    /// Returns the text with an ellipsis for every part of the secret.
    pub fn apply(&self, text: &str) -> String {
        let units: Vec<_> = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| byte.is_ascii_graphic())
            .map(|(at, byte)| Unit { byte, from: at, to: at + 1 })
            .collect();
        let mut told = self.found_within(without_tags(&units));
        told.extend(self.found_within(units));
        told.sort_unstable();
        let (mut out, mut at) = (String::new(), 0);
        for (from, to) in told {
            if to <= at {
                continue;
            }
            if from > at || out.is_empty() {
                out.push_str(&text[at..from.max(at)]);
                out.push('…');
            }
            at = to;
        }
        out.push_str(&text[at..]);
        out
    }

    /// Returns where parts of the secret stand, escaped however often.
    fn found_within(&self, mut units: Vec<Unit>) -> Vec<(usize, usize)> {
        let mut found = self.found(&units);
        for _ in 0..DEPTH {
            let plain = unescaped(&units);
            if plain.len() == units.len() {
                break;
            }
            found.extend(self.found(&plain));
            units = plain;
        }
        found
    }

    /// Returns where parts of the secret stand.
    fn found(&self, units: &[Unit]) -> Vec<(usize, usize)> {
        let lower: Vec<u8> = units.iter().map(|unit| unit.byte.to_ascii_lowercase()).collect();
        let mut found = Vec::new();
        for (length, needles) in &self.needles {
            let hits = lower.windows(*length).enumerate().filter(|(_, window)| needles.contains(*window));
            found.extend(hits.map(|(at, _)| (units[at].from, units[at + length - 1].to)));
        }
        found
    }
}

/// Returns what base64 makes of the secret after so many other bytes, less the characters that depend on its
/// neighbours, in both alphabets.
fn base64_within(secret: &str, before: usize) -> [Vec<u8>; 2] {
    let text = [&vec![0; before], secret.as_bytes()].concat();
    // Of a secret of one character none may be left.
    let last = text.len() * 8 / 6;
    let first = (before * 8).div_ceil(6).min(last);
    [STANDARD.encode(&text), URL_SAFE.encode(&text)].map(|code| code.as_bytes()[first..last].to_vec())
}

/// Leaves out what stands between `<` and `>`.
fn without_tags(units: &[Unit]) -> Vec<Unit> {
    let mut inside = false;
    let kept = |unit: &&Unit| {
        inside = (inside || unit.byte == b'<') && unit.byte != b'>';
        !inside && unit.byte != b'>'
    };
    units.iter().filter(kept).copied().collect()
}

/// Undoes one layer of escapes.
fn unescaped(units: &[Unit]) -> Vec<Unit> {
    let mut plain = Vec::with_capacity(units.len());
    let mut rest = units;
    while let Some(first) = rest.first() {
        let (byte, length) = escape(rest).unwrap_or((first.byte, 1));
        plain.push(Unit { byte, from: first.from, to: rest[length - 1].to });
        rest = &rest[length..];
    }
    plain
}

/// Reads an escape of a printable character: `%6b`, `=6B`, `\x6b`, `\u006b`, `\u{6b}`, `&#107;`, `&#x6b;`, `\-`.
/// Returns the character and how many units it takes.
fn escape(units: &[Unit]) -> Option<(u8, usize)> {
    let head: Vec<u8> = units.iter().take(10).map(|unit| unit.byte).collect();
    let until =
        |from: usize, end: u8| Some(from..from + head.get(from..)?.iter().position(|byte| *byte == end)?);
    let (digits, radix, length) = match head.as_slice() {
        [b'%' | b'=', ..] => (1..3, 16, 3),
        [b'\\', b'x', ..] => (2..4, 16, 4),
        [b'\\', b'u', b'{', ..] => until(3, b'}').map(|digits| (digits.clone(), 16, digits.end + 1))?,
        [b'\\', b'u', ..] => (2..6, 16, 6),
        [b'&', b'#', b'x' | b'X', ..] => until(3, b';').map(|digits| (digits.clone(), 16, digits.end + 1))?,
        [b'&', b'#', ..] => until(2, b';').map(|digits| (digits.clone(), 10, digits.end + 1))?,
        [b'\\', byte, ..] => return Some((*byte, 2)),
        _ => return None,
    };
    let code = std::str::from_utf8(head.get(digits)?).ok()?;
    let byte = u8::try_from(u32::from_str_radix(code, radix).ok()?).ok()?;
    byte.is_ascii_graphic().then_some((byte, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "db-Zq7Kp2Wx9Lm4Rt6Yv1Nc8Hs3Jd5Fg";

    /// Says how many characters of the secret in a row are in a text.
    fn longest(text: &str) -> usize {
        let text = text.to_ascii_lowercase();
        let secret = SECRET.to_ascii_lowercase();
        (1..=secret.len())
            .rev()
            .find(|length| (0..=secret.len() - length).any(|at| text.contains(&secret[at..at + length])))
            .unwrap_or(0)
    }

    #[test]
    fn no_part_of_six_characters_passes_in_any_shape() {
        let redaction = Redaction::of(SECRET);
        let each = |f: &dyn Fn(u8) -> String| SECRET.bytes().map(f).collect::<String>();
        let percent = each(&|byte| format!("%{byte:02x}"));
        let shapes = [
            SECRET.to_owned(),
            SECRET.to_uppercase(),
            SECRET[9..15].to_owned(),
            percent.replace('%', "%25").replace("%25", "%2525"),
            percent,
            each(&|byte| format!("\\u{byte:04x}")),
            each(&|byte| format!("\\\\u{byte:04X}")),
            each(&|byte| format!("\\x{byte:02X}")),
            each(&|byte| format!("\\u{{{byte:x}}}")),
            each(&|byte| format!("&#{byte};")),
            each(&|byte| format!("&#x{byte:x};")),
            each(&|byte| format!("{byte:02X}")),
            SECRET.split("").filter(|part| !part.is_empty()).collect::<Vec<_>>().join("</b><b>"),
            SECRET.split("").filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" \n\u{200b}"),
        ];
        for shape in shapes {
            let told = redaction.apply(&format!("key {shape} is not known"));
            assert_eq!(told, "key … is not known", "{shape}");
        }
        for before in 0..7 {
            for (from, to) in [(0, SECRET.len()), (3, 32), (10, 16), (11, 18)] {
                let code = STANDARD.encode(format!("{}{}:", &"bearer "[..before], &SECRET[from..to]));
                for end in 8..=code.len() {
                    let told = redaction.apply(&code[..end]);
                    for shift in 0..4 {
                        for piece in told.split('…').filter_map(|piece| piece.get(shift..)) {
                            let bytes = STANDARD.decode(&piece[..piece.len() / 4 * 4]).unwrap_or_default();
                            let text = String::from_utf8_lossy(&bytes);
                            assert!(longest(&text) < PART, "{code} to {told}: {text}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_secret_too_short_to_be_found_is_no_fault() {
        for length in 0..PART {
            assert_eq!(Redaction::of(&SECRET[..length]).apply("db-Zq7Kp2"), "db-Zq7Kp2");
        }
    }

    #[test]
    fn every_cut_is_seen_and_other_words_stay() {
        let redaction = Redaction::of(SECRET);
        for from in 0..SECRET.len() {
            for to in from..=SECRET.len() {
                let part = &SECRET[from..to];
                let told = redaction.apply(&format!("»{part}«"));
                assert_eq!(told == format!("»{part}«"), part.len() < PART, "{told}");
                assert!(longest(&told) < PART, "{told}");
            }
        }
        for text in
            ["", "%", "\\", "&#;", "%zz \\u00 &#x", "Authorization failed: 100 % of 2026-11-20T15:00:00Z — é"]
        {
            assert_eq!(redaction.apply(text), text);
        }
    }
}
