//! Where rows came from, as far as their chain says.

use serde_json::Value;

/// Who made the prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `mes-fetch synth`, anywhere in the chain.
    Synthetic,
    /// `mes-fetch` brought them in, from a market or from a file that somebody says is of one.
    Recorded,
    /// The chain begins in a pipe, in text without a header, or in a file that mes-fetch did not make.
    Unknown,
}

fn links(lineage: &Value) -> &[Value] {
    lineage.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn fetched(link: &Value) -> bool {
    link["tool"].as_str().is_some_and(|tool| tool.split(' ').next() == Some("mes-fetch"))
}

impl Origin {
    pub fn of(lineage: &Value) -> Origin {
        let links = links(lineage);
        if links.iter().any(|link| link["settings"]["synthetic"] == true) {
            Origin::Synthetic
        } else if links.first().is_some_and(fetched) {
            Origin::Recorded
        } else {
            Origin::Unknown
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Origin::Synthetic => "synthetic data",
            Origin::Recorded => "recorded prices",
            Origin::Unknown => "prices of unknown origin: bring them in by mes-fetch, and keep their chain",
        }
    }
}

/// Says whether the rows came as the market made them: from its feed, and through no file since.
pub fn is_live(lineage: &Value) -> bool {
    let links = links(lineage);
    links.first().is_some_and(|link| link["tool"] == "mes-fetch live")
        && links.iter().all(|link| !link["input"].is_array() && link["settings"]["synthetic"] != true)
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
        let bars = json!({"tool": "mes-bars", "settings": {}});
        let from_file = json!({"tool": "mes-bars", "settings": {}, "input": ["ab"]});
        let from_pipe = json!({"tool": "mes-bars", "settings": {}, "input": "pipe"});
        for (chain, origin, is) in [
            (json!([synth, bars]), Origin::Synthetic, false),
            (json!([synth, live, bars]), Origin::Synthetic, false),
            (json!([import, bars]), Origin::Recorded, false),
            (json!([live, bars]), Origin::Recorded, true),
            (json!([live, from_file]), Origin::Recorded, false),
            (json!([replay, bars]), Origin::Recorded, false),
            (json!([from_file]), Origin::Unknown, false),
            (json!([from_pipe]), Origin::Unknown, false),
            (json!([]), Origin::Unknown, false),
            (json!(null), Origin::Unknown, false),
        ] {
            assert_eq!((Origin::of(&chain), is_live(&chain)), (origin, is), "{chain}");
        }
    }
}
