//! Instants as the service writes them: 6 digits of a second by REST, 7 on the hubs, of the same instant.

use mes_core::time::{self, SECOND, Ts};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// An instant in whole microseconds, which is what both ways to write it have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(Ts);

impl Stamp {
    /// Cuts an instant to microseconds.
    pub const fn of(ts: Ts) -> Stamp {
        Stamp(ts.div_euclid(1_000) * 1_000)
    }

    /// Returns nanoseconds since 1970.
    pub const fn ts(self) -> Ts {
        self.0
    }

    /// Writes it as REST does: no zeros at the end, an offset in place of Z.
    pub fn text(self) -> String {
        let whole = time::format(self.0.div_euclid(SECOND) * SECOND);
        let whole = whole.trim_end_matches('Z');
        match self.0.rem_euclid(SECOND) / 1_000 {
            0 => format!("{whole}+00:00"),
            micros => format!("{whole}.{}+00:00", format!("{micros:06}").trim_end_matches('0')),
        }
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        time::parse(&text).map(Stamp::of).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_instant_by_rest_and_on_a_hub_is_the_same() {
        let read = |text: &str| serde_json::from_value::<Stamp>(text.into()).expect(text);
        let rest = read("2026-08-19T20:49:25.393833+00:00");
        assert_eq!(rest, read("2026-08-19T20:49:25.3938333+00:00"));
        assert_eq!(rest.text(), "2026-08-19T20:49:25.393833+00:00");
        for text in ["2026-08-16T23:26:02.15673+00:00", "2026-08-16T23:26:02+00:00"] {
            assert_eq!(read(text).text(), text);
        }
        assert_eq!(read("2026-08-16T23:26:02Z"), read("2026-08-16T19:26:02-04:00"));
        assert!(serde_json::from_str::<Stamp>("\"2026-08-16T23:26:02\"").is_err());
    }
}
