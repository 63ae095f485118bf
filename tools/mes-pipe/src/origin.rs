//! Where rows came from, as far as their chain says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who made the prices. The least that is known of several parts is what is known of all: they are in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// `mes-fetch` brought them in, from a market or from a file that somebody says is of one.
    Recorded,
    /// The chain begins in a pipe, in text without a header, or in a file that mes-fetch did not make.
    #[default]
    Unknown,
    /// `mes-fetch live` from an exchange to practise on, which does not say whose prices it replays.
    Replayed,
    /// `mes-fetch synth`, anywhere in the chain.
    Synthetic,
}

fn links(lineage: &Value) -> &[Value] {
    lineage.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Says whether a link brought rows in; `roll` and a replay only pass on what they are given.
fn fetched(link: &Value) -> bool {
    link["tool"] == "mes-fetch" || (link["tool"] == "mes-fetch live" && link["settings"]["replay"] == false)
}

/// Says whether a link brought rows in from mes-sim; a recording that is replayed has no contract of its own.
fn practised(link: &Value) -> bool {
    let settings = &link["settings"];
    link["tool"] == "mes-fetch live" && settings["replay"] == true && settings["contract"].is_string()
}

impl Origin {
    /// Reads it from the links of a chain; what is no chain is of unknown origin.
    pub fn of(lineage: &Value) -> Origin {
        let links = links(lineage);
        if links.iter().any(|link| link["settings"]["synthetic"] == true) {
            Origin::Synthetic
        } else if links.first().is_some_and(fetched) {
            Origin::Recorded
        } else if links.first().is_some_and(practised) {
            Origin::Replayed
        } else {
            Origin::Unknown
        }
    }

    /// Says it in words.
    pub fn words(self) -> &'static str {
        match self {
            Origin::Synthetic => "synthetic data",
            Origin::Recorded => "recorded prices",
            Origin::Unknown => "prices of unknown origin: bring them in by mes-fetch, and keep their chain",
            Origin::Replayed => "a replay of mes-sim, which does not say whose prices they are",
        }
    }

    /// Says whether they are made up, where that is known.
    pub fn synthetic(self) -> Option<bool> {
        match self {
            Origin::Synthetic => Some(true),
            Origin::Recorded => Some(false),
            Origin::Unknown | Origin::Replayed => None,
        }
    }

    /// Returns what the first line about them begins with.
    pub fn mark(self) -> &'static str {
        match self {
            Origin::Synthetic => "SYNTHETIC DATA: ",
            Origin::Recorded => "",
            Origin::Unknown => "ORIGIN UNKNOWN: ",
            Origin::Replayed => "REPLAY OF MES-SIM: ",
        }
    }

    /// Returns the badge that a page begins with.
    pub fn badge(self) -> &'static str {
        match self {
            Origin::Synthetic => "<span class=\"badge made\">Synthetic data</span>",
            Origin::Recorded => "",
            Origin::Unknown => "<span class=\"badge made\">Origin unknown</span>",
            Origin::Replayed => "<span class=\"badge made\">Replay of mes-sim</span>",
        }
    }

    /// Returns what to beware of.
    pub fn caution(self) -> Option<&'static str> {
        match self {
            Origin::Synthetic => Some("synthetic data: made-up prices say nothing about profit"),
            Origin::Recorded => None,
            Origin::Unknown => Some(
                "origin unknown: these prices may be made up; text keeps no chain (--header and --lineage do), and \
                 files of others come in by mes-fetch import",
            ),
            Origin::Replayed => Some(
                "a replay of mes-sim: these prices may be made up, and fills of practice say nothing about profit",
            ),
        }
    }
}

/// Says whether the rows came as the market made them: from its feed, and through no file since.
pub fn is_live(lineage: &Value) -> bool {
    let links = links(lineage);
    links.first().is_some_and(|link| link["tool"] == "mes-fetch live")
        && links.iter().all(|link| {
            let settings = &link["settings"];
            !link["input"].is_array() && settings["synthetic"] != true && settings["replay"] != true
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn is_what_the_chain_begins_with() {
        let synth = json!({"tool": "mes-fetch", "settings": {"synthetic": true}});
        let import = json!({"tool": "mes-fetch", "settings": {"preset": "x"}, "input": ["ab"]});
        let live = json!({"tool": "mes-fetch live", "settings": {"replay": false}});
        let replay = json!({"tool": "mes-fetch live", "settings": {"replay": true}, "input": ["ab"]});
        let practice =
            json!({"tool": "mes-fetch live", "settings": {"replay": true, "contract": "CON.F.US.MES.Z26"}});
        let piped = json!({"tool": "mes-fetch live", "settings": {"replay": true}, "input": "pipe"});
        let rolled = json!({"tool": "mes-fetch roll", "settings": {}, "input": ["ab"]});
        let bars = json!({"tool": "mes-bars", "settings": {}});
        let from_file = json!({"tool": "mes-bars", "settings": {}, "input": ["ab"]});
        let from_pipe = json!({"tool": "mes-bars", "settings": {}, "input": "pipe"});
        for (chain, origin, is) in [
            (json!([synth, bars]), Origin::Synthetic, false),
            (json!([synth, live, bars]), Origin::Synthetic, false),
            (json!([import, bars]), Origin::Recorded, false),
            (json!([live, bars]), Origin::Recorded, true),
            (json!([live, from_file]), Origin::Recorded, false),
            (json!([replay, bars]), Origin::Unknown, false),
            (json!([piped, bars]), Origin::Unknown, false),
            (json!([practice, bars]), Origin::Replayed, false),
            (json!([rolled]), Origin::Unknown, false),
            (json!([import, rolled]), Origin::Recorded, false),
            (json!([from_file]), Origin::Unknown, false),
            (json!([from_pipe]), Origin::Unknown, false),
            (json!([]), Origin::Unknown, false),
            (json!(null), Origin::Unknown, false),
        ] {
            assert_eq!((Origin::of(&chain), is_live(&chain)), (origin, is), "{chain}");
        }
    }

    #[test]
    fn the_unknown_is_neither_real_nor_made_up() {
        assert_eq!(Origin::Unknown.synthetic(), None);
        assert!(Origin::Unknown.caution().is_some() && !Origin::Unknown.mark().is_empty());
        let parts = [Origin::Recorded, Origin::Unknown];
        assert_eq!(parts.into_iter().max(), Some(Origin::Unknown));
    }
}
