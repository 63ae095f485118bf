//! Reads a table of TOML whose keys are all known, and says what was meant where one is not.

use serde::de::DeserializeOwned;

/// Reads a table; `place` is what errors call it.
///
/// # Errors
///
/// A key that is unknown or missing, or says what cannot be.
pub fn table<T: DeserializeOwned>(table: toml::Table, place: &str) -> Result<T, String> {
    T::deserialize(toml::Value::Table(table)).map_err(|error| {
        let text = error.message().to_owned();
        let what = unknown(&text).unwrap_or(text);
        let key = error.to_string();
        // Where in the table it is stands on a line of its own: "in `quiet`".
        let within = key.lines().find_map(|line| line.trim().strip_prefix("in `")?.strip_suffix('`'));
        let within = within.filter(|within| !what.contains(&format!("key {within}:")));
        let places = [Some(place).filter(|place| !place.is_empty()), within];
        let places: Vec<_> = places.into_iter().flatten().collect();
        if places.is_empty() { what } else { format!("{}: {what}", places.join(".")) }
    })
}

/// Reads serde's words on a key that is unknown: which it is and which there are.
fn unknown(text: &str) -> Option<String> {
    let rest = text.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2);
    Some(format!("unknown key {key}{}", likest(key, known)))
}

/// Says which of the names somebody meant, where one is near.
pub fn likest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> String {
    let nearest = names.map(|name| (distance(given, name), name)).min();
    match nearest {
        Some((far, name)) if far <= 1 + given.chars().count() / 4 => format!(": did you mean {name}?"),
        _ => String::new(),
    }
}

/// Counts the letters to add, drop or change to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let change = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters() {
        for (one, other, far) in
            [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("ab", "ba", 2)]
        {
            assert_eq!(distance(one, other), far, "{one} {other}");
        }
    }
}
