//! The name that was meant, where one is given that there is not.

/// From here on two names look alike: a letter too many, too few, or two in the wrong order.
const ALIKE: f64 = 0.8;

/// Returns the name most like `word`, if any is like it.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &'a str| (strsim::jaro(word, name), name);
    let best = names.into_iter().map(likeness).max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// Returns `"; is NAME meant?"`, or nothing where no name is like it: the end of a message that refuses `word`.
pub fn meant<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, names).map_or_else(String::new, |name| format!("; is {name} meant?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_meant_and_nothing_else() {
        let names = ["f_rsi_14", "f_ema_9", "f_ema_21", "volume"];
        assert_eq!(nearest("f_rsi14", names), Some("f_rsi_14"));
        assert_eq!(nearest("f_ema21", names), Some("f_ema_21"));
        assert_eq!(nearest("vloume", names), Some("volume"));
        assert_eq!(nearest("quantity", names), None);
        assert_eq!(meant("volumes", names), "; is volume meant?");
        assert_eq!(meant("x", names), "");
    }
}
