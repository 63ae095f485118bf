//! Which of the varied keys mattered.

use serde::Serialize;

use mes_judge::search::trials::Trial;

/// Values of a range are taken together in so many groups.
const GROUPS: usize = 6;

/// A key and the share of the scores' variance that its value alone explains, 0 to 1: ω² of the main effect in an
/// analysis of variance, (SS_b − (k − 1)·MS_w)/(SS_t + MS_w), and 0 where that is below 0. Hays (1963), "Statistics for
/// Psychologists". Plain η² = SS_b/SS_t gives a key with many values a share for nothing, (k − 1)/(N − 1) of it. Shares
/// need not add up to 1: keys act together, and a search does not try all alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    pub key: String,
    pub share: f64,
}

/// Ranks the keys of trials that have a score, the most important first.
pub fn of(trials: &[&Trial]) -> Vec<Importance> {
    let Some(first) = trials.first() else { return Vec::new() };
    let scores: Vec<f64> = trials.iter().filter_map(|trial| trial.score).collect();
    let mut all: Vec<Importance> = first
        .values
        .keys()
        .map(|key| {
            let groups: Vec<String> = labels(trials, key);
            Importance { key: key.clone(), share: explained(&groups, &scores) }
        })
        .collect();
    all.sort_by(|a, b| b.share.total_cmp(&a.share));
    all
}

/// Names the group that each trial's value of a key falls into: the value itself, or a sixth of its range where there
/// are more values than [`GROUPS`] twice over.
pub fn labels(trials: &[&Trial], key: &str) -> Vec<String> {
    let texts: Vec<String> = trials.iter().map(|trial| text(&trial.values[key])).collect();
    let mut distinct = texts.clone();
    distinct.sort();
    distinct.dedup();
    let numbers: Option<Vec<f64>> = trials.iter().map(|trial| trial.values[key].as_f64()).collect();
    let Some(numbers) = numbers.filter(|_| distinct.len() > 2 * GROUPS) else { return texts };
    let (low, high) = numbers.iter().fold((f64::MAX, f64::MIN), |(low, high), n| (low.min(*n), high.max(*n)));
    let width = (high - low) / GROUPS as f64;
    let name = |number: &f64| {
        let group = (((number - low) / width) as usize).min(GROUPS - 1);
        let edge = |group: usize| format!("{:.4}", low + group as f64 * width);
        let short = |text: String| text.trim_end_matches('0').trim_end_matches('.').to_owned();
        format!("{}..{}", short(edge(group)), short(edge(group + 1)))
    };
    numbers.iter().map(name).collect()
}

/// Writes a value as in flags.
pub fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn explained(groups: &[String], scores: &[f64]) -> f64 {
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let total: f64 = scores.iter().map(|score| (score - mean) * (score - mean)).sum();
    let mut names: Vec<&String> = groups.iter().collect();
    names.sort();
    names.dedup();
    let count = names.len();
    let between: f64 = names
        .into_iter()
        .map(|name| {
            let of =
                || groups.iter().zip(scores).filter(|(group, _)| *group == name).map(|(_, score)| *score);
            let count = of().count() as f64;
            let apart = of().sum::<f64>() / count - mean;
            count * apart * apart
        })
        .sum();
    omega_squared(between, total, count, scores.len())
}

/// Returns ω² of `count` groups of `of` values by their sums of squares; 0 where each group is a single value.
fn omega_squared(between: f64, total: f64, count: usize, of: usize) -> f64 {
    let free = of.saturating_sub(count);
    if free == 0 || total <= 0.0 {
        return 0.0;
    }
    let within = (total - between) / free as f64;
    ((between - (count as f64 - 1.0) * within) / (total + within)).max(0.0)
}

#[cfg(test)]
mod tests {
    use mes_core::dice::Draw;
    use serde_json::json;

    use super::*;
    use crate::optimize::sample::trial;

    #[test]
    fn what_decides_comes_first() {
        let trials: Vec<Trial> = (0..60)
            .map(|index| {
                let (a, b, c) = (index % 3, index / 3 % 2, index as f64 / 60.0);
                let values = [("b", json!(b == 1)), ("a", json!(a)), ("c", json!(c))];
                trial("s", index + 1, &values, a as f64 + 0.1 * b as f64, &[])
            })
            .collect();
        let found = of(&trials.iter().collect::<Vec<_>>());
        let keys: Vec<&str> = found.iter().map(|importance| importance.key.as_str()).collect();
        assert_eq!(keys[0], "a");
        // Sums of squares 40 between and 0.15 within, of 3 groups of 60 values.
        let within = 0.15 / 57.0;
        assert!((found[0].share - (40.0 - 2.0 * within) / (40.15 + within)).abs() < 1e-9, "{found:?}");
        assert!(found[1].share < 0.1 && found[2].share < 0.1);
        let groups = labels(&trials.iter().collect::<Vec<_>>(), "c");
        assert_eq!((groups[0].as_str(), groups[59].as_str()), ("0..0.1639", "0.8194..0.9833"));
        assert!(of(&[]).is_empty());
    }

    /// A key that does nothing has no share on average, however many values it has; η² of 12 values would be 0.19.
    #[test]
    fn many_values_are_no_importance() {
        let mut draw = Draw::new(7, 7);
        let mut share = |values: usize| {
            let trials: Vec<Trial> = (0..60)
                .map(|index| trial("s", index + 1, &[("a", json!(index % values))], draw.unit(), &[]))
                .collect();
            of(&trials.iter().collect::<Vec<_>>())[0].share
        };
        let mean = |shares: Vec<f64>| shares.iter().sum::<f64>() / shares.len() as f64;
        let many = mean((0..100).map(|_| share(12)).collect());
        assert!(many < 0.06, "{many}");
    }
}
