//! Looks a finished page over: what would make it load something, show no number, or break its layout.

/// What no page holds: it would load something, or show a number that is none.
const BAD: [&str; 6] = ["http", "src=", "@import", "url(", "NaN", "Infinity"];

/// Returns what is wrong with a page, for tests of those that write one.
pub fn flaw(page: &str) -> Option<String> {
    // Information may begin like an infinite number, so that has to stand as a word.
    let infinite = || page.split(|letter: char| !letter.is_alphanumeric()).find(|word| *word == "inf");
    let bad = BAD.iter().copied().find(|bad| page.contains(bad)).or_else(infinite);
    bad.map(|bad| format!("{bad:?} is in it")).or_else(|| unbalanced(page))
}

/// Goes through the tags and returns the first that does not close the one that is open.
fn unbalanced(page: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let body = page.split("<script>").next().unwrap_or_default().replace("<!DOCTYPE html>", "");
    for part in body.split('<').skip(1) {
        let tag = part.split('>').next().unwrap_or_default();
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or_default();
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Some(format!("{open:?} then <{tag}>"));
            }
        } else if !tag.ends_with('/') && name != "meta" {
            open.push(name);
        }
    }
    (open != ["html", "body"]).then(|| format!("{open:?} at the end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_open_and_what_loads() {
        assert_eq!(flaw(&crate::page("a", "<p>b</p>")), None);
        assert!(flaw("<html><body><p><b></p>").is_some());
        assert!(flaw(&crate::page("a", "<p>NaN</p>")).is_some());
        assert!(flaw(&crate::page("a", "<p>$-inf</p>")).is_some());
        assert_eq!(flaw(&crate::page("a", "<p>for information</p>")), None);
        assert!(flaw(&crate::page("a", "<img src=\"x\"/>")).is_some());
    }
}
