//! Numbers that options take, and what is said of others.

/// Reads a number above 0.
///
/// # Errors
///
/// What is wrong with any other text.
pub fn positive(text: &str) -> Result<f64, String> {
    number(text, |value| value > 0.0).ok_or_else(|| "not a number above 0".into())
}

/// Reads a number from 0 up.
///
/// # Errors
///
/// What is wrong with any other text.
pub fn not_negative(text: &str) -> Result<f64, String> {
    number(text, |value| value >= 0.0).ok_or_else(|| "not a number from 0 up".into())
}

/// Reads a share that may be all.
///
/// # Errors
///
/// What is wrong with any other text.
pub fn share(text: &str) -> Result<f64, String> {
    number(text, |value| value > 0.0 && value <= 1.0)
        .ok_or_else(|| "not a share above 0, of 1 at most".into())
}

/// Reads the share that sets may miss.
///
/// # Errors
///
/// What is wrong with any other text.
pub fn miss(text: &str) -> Result<f64, String> {
    number(text, |value| value > 0.0 && value < 1.0).ok_or_else(|| "not a share between 0 and 1".into())
}

fn number(text: &str, fits: fn(f64) -> bool) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite() && fits(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_where_it_says() {
        type Reader = fn(&str) -> Result<f64, String>;
        let ranges: [(Reader, &[&str], &[&str]); 4] = [
            (positive, &["1e-9", "7"], &["0", "-1", "inf", "x"]),
            (not_negative, &["0", "7"], &["-0.1", "nan", ""]),
            (share, &["0.1", "1"], &["0", "1.1"]),
            (miss, &["0.1"], &["0", "1"]),
        ];
        for (read, within, beyond) in ranges {
            assert!(within.iter().all(|text| read(text) == Ok(text.parse().expect("a number"))));
            assert!(beyond.iter().all(|text| read(text).is_err_and(|said| said.starts_with("not a "))));
        }
    }
}
