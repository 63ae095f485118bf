//! What a result depends on beside the rows, by names and hashes, as summaries and the outcomes of walk-forward, optimize
//! and montecarlo say it.

use mes_core::{fills::Fills, run::Run};
use mes_pipe::Settings;
use serde::Serialize;

/// Rules, costs, calendar and fills of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Terms {
    pub rules: String,
    pub rules_blake3: String,
    pub costs: String,
    pub costs_blake3: String,
    pub calendar_blake3: String,
    /// The model, and the percentiles of latency.
    pub fills: Fills,
}

impl Terms {
    /// Names the settings of a command.
    pub fn of(settings: &Settings) -> Terms {
        Terms {
            rules: settings.rules.value.name.clone(),
            rules_blake3: settings.rules.blake3.clone(),
            costs: settings.costs.value.name.clone(),
            costs_blake3: settings.costs.blake3.clone(),
            calendar_blake3: settings.calendar.blake3.clone(),
            fills: settings.fills.clone(),
        }
    }

    /// Names the settings of a run that is over.
    pub fn of_run(run: &Run) -> Terms {
        Terms {
            rules: run.rules.value.name.clone(),
            rules_blake3: run.rules.blake3.clone(),
            costs: run.costs.value.name.clone(),
            costs_blake3: run.costs.blake3.clone(),
            calendar_blake3: run.calendar.clone(),
            fills: run.fills.clone(),
        }
    }
}
