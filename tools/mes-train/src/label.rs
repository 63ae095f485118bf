//! The label rule of a stream: from its lineage, else from the command line.

use mes_core::interval::Interval;
use mes_pipe::{Error, Lineage, Result};
use mes_predict::model::card::Label;

/// Finds the rule by which the rows were labelled. Flags stand in for a lineage that is silent, and may not
/// contradict one that is not.
pub fn find(lineage: &Lineage, horizon: Option<Interval>, threshold: Option<f64>) -> Result<Label> {
    let carried =
        lineage.settings("mes-features").map(|settings| &settings["labels"]).filter(|rule| rule.is_object());
    let Some(rule) = carried else {
        let (Some(horizon), Some(threshold_ticks)) = (horizon, threshold) else {
            return Err(Error::usage(
                "the rows do not say how they were labelled (text carries no lineage): give --horizon and --threshold",
            ));
        };
        return Ok(Label { kind: "horizon".into(), horizon: horizon.to_string(), threshold_ticks });
    };
    let label: Label = serde_json::from_value(rule.clone())
        .map_err(|error| Error::data(format!("the label rule {rule} in the lineage: {error}")))?;
    if label.kind != "horizon" {
        return Err(Error::usage(format!(
            "rows labelled by {:?}: y_dir is learnt from horizon labels",
            label.kind
        )));
    }
    let contradicted = horizon.is_some_and(|horizon| horizon.to_string() != label.horizon)
        || threshold.is_some_and(|threshold| threshold != label.threshold_ticks);
    if contradicted {
        return Err(Error::usage(format!(
            "--horizon and --threshold contradict the rows, which were labelled by {rule}"
        )));
    }
    Ok(label)
}
