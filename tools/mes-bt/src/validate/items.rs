//! The go-live list. One line of it is one function here and one line in [`ITEMS`].

use serde_json::Value;

use super::{Evidence, paper};
use crate::words::{self, count, usd};

/// What the evidence says of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    Met(String),
    NotMet(String),
    /// There is no evidence; how to get it.
    NotShown(String),
}

use Finding::{Met, NotMet, NotShown};

/// Judges one line of the list.
type Item = fn(&Evidence) -> Finding;

pub const ITEMS: [(&str, Item); 15] = [
    ("real data", real_data),
    ("walk-forward Sharpe above 1", sharpe),
    ("walk-forward Calmar above 0.5", calmar),
    ("walk-forward makes money", profit),
    ("enough trades", trades),
    ("skill above the baselines", skill),
    ("limits hold", limits),
    ("flat by day's end", flat),
    ("inference under 10 ms", inference),
    ("no lookahead", lookahead),
    ("tests pass", tests),
    ("two weeks of paper", paper),
    ("sizing tiers", tiers),
    ("breakers", breakers),
    ("reconnects", reconnects),
];

/// How to get a walk-forward.
const WALK: &str = "run mes-bt walk-forward and give its directory: --walk-forward DIR";
/// Out-of-sample trades that a fold needs to say anything.
const TRADES_A_FOLD: u64 = 100;

/// A met finding if it is true, else an unmet one.
fn judged(met: bool, text: String) -> Finding {
    if met { Met(text) } else { NotMet(text) }
}

fn real_data(evidence: &Evidence) -> Finding {
    let Some(walk) = &evidence.walk else { return NotShown(WALK.into()) };
    let made_up = walk["synthetic"] != false;
    judged(!made_up, if made_up { "the walk-forward is of synthetic data" } else { "recorded prices" }.into())
}

/// Judges a number of the stitched out-of-sample days; the fills of it are the worst case.
fn number(evidence: &Evidence, name: &str, above: f64, text: impl Fn(f64) -> String) -> Finding {
    let Some(walk) = &evidence.walk else { return NotShown(WALK.into()) };
    match walk["out_of_sample"][name].as_f64() {
        Some(value) => judged(value > above, text(value)),
        None => NotShown(format!("the walk-forward is too short for {name}")),
    }
}

fn sharpe(evidence: &Evidence) -> Finding {
    let interval = |value: f64| {
        let known = evidence.walk.as_ref().map(|walk| &walk["out_of_sample"]["intervals"]["sharpe"]);
        let ends = known.and_then(|known| known[0].as_f64().zip(known[1].as_f64()));
        match ends {
            Some((low, high)) => format!("{value:.2}, 95 % within {low:.2} and {high:.2}, worst fills"),
            None => format!("{value:.2}, worst fills"),
        }
    };
    number(evidence, "sharpe", 1.0, interval)
}

fn calmar(evidence: &Evidence) -> Finding {
    number(evidence, "calmar", 0.5, |value| format!("{value:.2}, worst fills"))
}

fn profit(evidence: &Evidence) -> Finding {
    number(evidence, "net_usd", 0.0, |value| format!("{} after costs", words::signed_usd(value)))
}

fn trades(evidence: &Evidence) -> Finding {
    let folds = evidence.walk.as_ref().and_then(|walk| walk["folds"].as_array());
    let Some(folds) = folds.filter(|folds| !folds.is_empty()) else { return NotShown(WALK.into()) };
    let of = |fold: &Value| fold["out_of_sample"]["trades"].as_u64().unwrap_or_default();
    let fewest = folds.iter().map(of).min().unwrap_or_default();
    let text = format!("at least {fewest} in each of {}", count(folds.len() as u64, "fold"));
    judged(fewest >= TRADES_A_FOLD, text)
}

fn skill(evidence: &Evidence) -> Finding {
    let Some(eval) = &evidence.eval else {
        return NotShown("run mes-predict eval --json out of sample and give its output: --eval FILE".into());
    };
    let (gain, ends) = (&eval["gain"]["value"], &eval["gain"]["interval"]);
    let text = match (gain.as_f64(), ends[0].as_f64(), ends[1].as_f64()) {
        (Some(value), Some(low), Some(high)) => {
            format!("{value:.5} nats a row better, 95 % within {low:.5} and {high:.5}")
        }
        _ => "the evaluation has no interval".into(),
    };
    judged(eval["skill"] == "shown" && eval["in_sample"] == false && eval["synthetic"] == false, text)
}

fn limits(evidence: &Evidence) -> Finding {
    let (held, text) = evidence.drill.held();
    judged(held, text)
}

fn flat(evidence: &Evidence) -> Finding {
    let Some(backtest) = &evidence.backtest else {
        return NotShown("run mes-bt --out DIR and give it: --backtest DIR".into());
    };
    let days = backtest["span"]["days"].as_u64().unwrap_or_default();
    let open = backtest["days_not_flat"].as_u64();
    let text = format!("{} of {} ended with a position", open.unwrap_or(days), count(days, "day"));
    judged(open == Some(0) && days > 0, text)
}

fn inference(evidence: &Evidence) -> Finding {
    match evidence.inference_us {
        Some(p99) => judged(p99 < 10_000.0, format!("p99 of a live row {p99:.0} µs (mes-predict bench)")),
        None => NotShown("give the model that is to trade: --model FILE".into()),
    }
}

fn lookahead(evidence: &Evidence) -> Finding {
    match &evidence.lookahead {
        Some((stage, None)) => Met(format!("{stage}: no row depends on a later one (mes-bt check stage)")),
        Some((stage, Some(why))) => NotMet(format!("{stage}: {why}")),
        None => NotShown("give the model that is to trade: --model FILE".into()),
    }
}

fn tests(evidence: &Evidence) -> Finding {
    match evidence.tested {
        Some(true) => Met("make test passed after these tools were built".into()),
        Some(false) => NotMet("the tools are newer than the last make test that passed".into()),
        None => NotShown("run make test".into()),
    }
}

fn paper(evidence: &Evidence) -> Finding {
    let Some(paper) = &evidence.paper else {
        return NotShown("give the folder of paper journals: --paper DIR".into());
    };
    let days = count(paper.days() as u64, "day");
    if let Some(first) = paper.errors.first() {
        return NotMet(format!("{}, first: {first}", count(paper.errors.len() as u64, "error")));
    }
    let made_up = if paper.synthetic > 0 {
        format!("; {} synthetic, not counted", paper.synthetic)
    } else {
        String::new()
    };
    let text = format!("{days} in {}{made_up}", count(paper.journals as u64, "journal"));
    judged(paper.days() >= paper::DAYS, text)
}

fn tiers(evidence: &Evidence) -> Finding {
    let rules = &evidence.rules;
    let steps: Vec<String> =
        rules.tiers.iter().map(|tier| format!("{} → {}", usd(tier.from_usd), tier.contracts)).collect();
    judged(rules.tiers.is_sorted_by_key(|tier| tier.contracts), steps.join(", "))
}

fn breakers(evidence: &Evidence) -> Finding {
    let breakers = &evidence.rules.breakers;
    let off: Vec<&str> = [
        ("losses in a row", breakers.losses > 0),
        ("volatility", breakers.atr_times_normal > 0.0),
        ("spread", breakers.spread_ticks > 0.0),
        ("volume", breakers.volume_ratio > 0.0),
    ]
    .into_iter()
    .filter_map(|(name, on)| (!on).then_some(name))
    .collect();
    match off.is_empty() {
        true => Met("losses in a row, volatility, spread and volume are on".into()),
        false => NotMet(format!("off in {}: {}", evidence.rules.name, off.join(", "))),
    }
}

fn reconnects(_: &Evidence) -> Finding {
    NotShown("this build has no broker but the paper account: nothing has been reconnected to".into())
}
