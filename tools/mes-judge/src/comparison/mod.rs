//! Runs beside each other: their figures with intervals, what their days differ by, and what they were made with that is
//! not the same.

mod figures;
pub mod page;
mod paired;
mod read;
pub mod terminal;

pub use figures::Figure;
pub use paired::Paired;
pub use read::Run;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Two runs or more beside each other.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    pub kind: &'static str,
    pub v: u32,
    pub names: Vec<String>,
    pub figures: Vec<Figure>,
    /// Each run after the first, less the first, on the days that both have.
    pub paired: Vec<Paired>,
    /// Settings and links of the chain that differ, each with its value in every run.
    pub differs: Vec<Differs>,
    /// Each run's net on each of its days, in dollars.
    #[serde(skip)]
    pub runs: Vec<Run>,
}

/// A setting that is not the same in all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Differs {
    pub key: String,
    /// Null where a run has no such key.
    pub values: Vec<Value>,
}

impl Comparison {
    /// Puts runs beside each other; the first is the one that the others are compared with.
    pub fn of(runs: Vec<Run>) -> Comparison {
        let paired = runs.iter().skip(1).filter_map(|run| Paired::of(run, &runs[0])).collect();
        Comparison {
            kind: "comparison",
            v: 1,
            names: runs.iter().map(|run| run.name.clone()).collect(),
            figures: figures::of(&runs),
            paired,
            differs: differs(&runs),
            runs,
        }
    }
}

fn differs(runs: &[Run]) -> Vec<Differs> {
    let all: Vec<BTreeMap<String, Value>> = runs.iter().map(|run| made_with(&run.summary)).collect();
    let mut keys: Vec<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    keys.sort();
    keys.dedup();
    let values =
        |key: &String| all.iter().map(|map| map.get(key).cloned().unwrap_or_default()).collect::<Vec<_>>();
    keys.into_iter()
        .map(|key| Differs { key: key.clone(), values: values(key) })
        .filter(|differs| differs.values.windows(2).any(|pair| pair[0] != pair[1]))
        .collect()
}

/// Returns all that a run was made with, by the path to each value; links of the chain go by their tool.
fn made_with(summary: &Value) -> BTreeMap<String, Value> {
    let mut map = BTreeMap::new();
    leaves("", &summary["settings"], &mut map);
    for key in ["origin", "span"] {
        leaves(key, &summary[key], &mut map);
    }
    for link in summary["lineage"].as_array().into_iter().flatten() {
        let tool = link["tool"].as_str().unwrap_or("?");
        leaves(tool, &link["settings"], &mut map);
        leaves(&format!("{tool} input"), &link["input"], &mut map);
    }
    // The model stands in its link.
    map.retain(|key, _| !key.starts_with("model."));
    map
}

fn leaves(path: &str, value: &Value, map: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(&path, value, map);
            }
        }
        Value::Null => {}
        value => {
            map.insert(path.to_owned(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
