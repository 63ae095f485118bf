//! Names of our orders at the exchange: never used twice on an account, and ours to see without any file.
//!
//! `mes.<nonce>.<order>` is an entry, `….m` its smaller second try, `….s1` a stop of our own and `….t1` a target of our own; the
//! exchange adds `-SL` and `-TP` for the legs that it attaches. The nonce is drawn anew for each run, so a lost file cannot
//! make a name come twice.

/// What all of them begin with.
const OURS: &str = "mes.";

/// What an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Entry,
    Stop,
    Target,
}

/// A name that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    pub nonce: &'a str,
    /// The id of the entry that it belongs to.
    pub order: u64,
    pub part: Part,
}

impl Tag<'_> {
    /// Reads the name of an order of ours, of whichever run; `None` for all others.
    pub fn parse(text: &str) -> Option<Tag<'_>> {
        let rest = text.strip_prefix(OURS)?;
        let (rest, attached) = match (rest.strip_suffix("-SL"), rest.strip_suffix("-TP")) {
            (Some(rest), _) => (rest, Some(Part::Stop)),
            (_, Some(rest)) => (rest, Some(Part::Target)),
            _ => (rest, None),
        };
        let mut parts = rest.split('.');
        let (nonce, order) = (parts.next()?, parts.next()?);
        let own = match parts.next().and_then(|leg| leg.chars().next()) {
            Some('s') => Part::Stop,
            Some('t') => Part::Target,
            _ => Part::Entry,
        };
        Some(Tag { nonce, order: order.parse().ok()?, part: attached.unwrap_or(own) })
    }
}

/// Names an entry.
pub fn entry(nonce: &str, order: u64, smaller: bool) -> String {
    format!("{OURS}{nonce}.{order}{}", if smaller { ".m" } else { "" })
}

/// Names a leg of our own, the `count`th of its trade.
pub fn leg(nonce: &str, order: u64, part: Part, count: u32) -> String {
    let letter = if part == Part::Target { 't' } else { 's' };
    format!("{OURS}{nonce}.{order}.{letter}{count}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_read_and_nothing_else() {
        let of = |text: &str| Tag::parse(text).map(|tag| (tag.order, tag.part));
        for smaller in [false, true] {
            let name = entry("k3f9", 12, smaller);
            assert_eq!(of(&name), Some((12, Part::Entry)));
            assert_eq!(of(&format!("{name}-SL")), Some((12, Part::Stop)));
            assert_eq!(of(&format!("{name}-TP")), Some((12, Part::Target)));
        }
        assert_eq!(of(&leg("k3f9", 12, Part::Stop, 2)), Some((12, Part::Stop)));
        assert_eq!(of(&leg("k3f9", 12, Part::Target, 1)), Some((12, Part::Target)));
        assert_eq!(Tag::parse("mes.a.7").map(|tag| tag.nonce), Some("a"));
        assert_eq!(["", "mes.", "mes.x", "mes.x.y", "other.x.1", "-SL"].map(of), [None; 6]);
    }
}
