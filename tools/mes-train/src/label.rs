//! The label rule of a stream: from its lineage, else from the command line.

use mes_core::interval::Interval;
use mes_pipe::{Error, Lineage, Result};
use mes_predict::model::card::Label;
use serde_json::Value;

/// What is said of rows without labels.
pub const UNLABELLED: &str = "no column \"y_dir\" to learn: run mes-features with --labels";

/// A rule, and who says so.
#[derive(Debug, PartialEq)]
pub struct Rule {
    pub label: Label,
    /// The rows carry it; else it is the command line's word, and rows are held against it.
    pub carried: bool,
}

/// Finds the rule by which the rows were labelled. Flags stand in for a lineage that is silent, and may not
/// contradict one that is not.
///
/// # Errors
///
/// `Usage` where neither says, both say different things, or the labels are of a kind that cannot be learnt; `Data` for
/// rows without labels, or a rule in the lineage that cannot be understood.
pub fn find(
    lineage: &Lineage,
    labelled: bool,
    horizon: Option<Interval>,
    threshold: Option<f64>,
) -> Result<Rule> {
    let settings = lineage.settings("mes-features");
    match settings.map(|settings| &settings["labels"]).filter(|rule| rule.is_object()) {
        Some(rule) => Ok(Rule { label: read(rule, horizon, threshold)?, carried: true }),
        // No flag helps rows that have none.
        None if !labelled => Err(Error::data(UNLABELLED)),
        None => {
            let (Some(horizon), Some(threshold_ticks)) = (horizon, threshold) else {
                return Err(Error::usage(
                    "the rows do not say how they were labelled (text carries no lineage): give --horizon and \
                     --threshold",
                ));
            };
            let label = Label { kind: "horizon".into(), horizon: horizon.to_string(), threshold_ticks };
            Ok(Rule { label, carried: false })
        }
    }
}

fn read(rule: &Value, horizon: Option<Interval>, threshold: Option<f64>) -> Result<Label> {
    // Before anything else: rules of another kind have other fields.
    if let Some(kind) = rule["kind"].as_str().filter(|kind| *kind != "horizon") {
        return Err(Error::usage(format!(
            "rows labelled by {kind}: y_dir is learnt from horizon labels alone (mes-features --labels=horizon)"
        )));
    }
    let label: Label = serde_json::from_value(rule.clone())
        .map_err(|error| Error::data(format!("the label rule {rule} in the lineage: {error}")))?;
    let contradicted = horizon.is_some_and(|horizon| horizon.to_string() != label.horizon)
        || threshold.is_some_and(|threshold| threshold != label.threshold_ticks);
    if contradicted {
        return Err(Error::usage(format!(
            "--horizon and --threshold contradict the rows, which were labelled by {rule}"
        )));
    }
    Ok(label)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labelled(rule: Value) -> Lineage {
        Lineage::from_json(&json!([{ "tool": "mes-features", "settings": { "labels": rule } }]))
            .expect("a chain")
    }

    #[test]
    fn the_kind_is_looked_at_first() {
        let barrier = labelled(json!({ "kind": "barrier", "stop_ticks": 8 }));
        let error = find(&barrier, false, None, None).expect_err("refused");
        assert!(error.code() == 2 && error.to_string().contains("--labels=horizon"), "{error}");
        let horizon = labelled(json!({ "kind": "horizon", "horizon": "30s", "threshold_ticks": 3 }));
        let rule = find(&horizon, true, None, Some(3.0)).expect("a rule");
        assert!(rule.carried && rule.label.words() == "horizon 30s over 3 ticks", "{rule:?}");
        assert_eq!(find(&horizon, true, None, Some(4.0)).expect_err("refused").code(), 2);
        let broken = labelled(json!({ "kind": "horizon" }));
        assert_eq!(find(&broken, true, None, None).expect_err("refused").code(), 3);
        let error = find(&labelled(json!(null)), false, None, None).expect_err("refused");
        assert!(error.code() == 3 && error.to_string().contains("--labels"), "{error}");
    }
}
