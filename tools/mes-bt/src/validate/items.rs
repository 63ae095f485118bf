//! The go-live list. One line of it is one function here and one line in [`ITEMS`].

use mes_pipe::Origin;
use serde_json::Value;

use super::{Evidence, paper};
use mes_judge::words::{self, count, usd};

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

/// The lines of the list, in the order in which they are told.
pub const ITEMS: [(&str, Item); 17] = [
    ("real data", real_data),
    ("evidence of one setup", setup),
    ("walk-forward Sharpe above 1", sharpe),
    ("walk-forward Calmar above 0.5", calmar),
    ("walk-forward makes money", profit),
    ("enough trades", trades),
    ("skill in direction", skill),
    ("limits hold", limits),
    ("flat by day's end", flat),
    ("inference under 10 ms", inference),
    ("no lookahead", lookahead),
    ("tests pass", tests),
    ("two weeks of paper", paper),
    ("sizing tiers", tiers),
    ("breakers", breakers),
    ("kill switch", kill),
    ("reconnects", reconnects),
];

/// How to get a walk-forward.
const WALK: &str = "run mes-lab walk-forward and give its directory: --walk-forward DIR";
const MODEL: &str = "give the model that is to trade: --model FILE";
/// Out-of-sample trades that a fold needs to say anything.
const TRADES_A_FOLD: u64 = 100;
/// The version of an evaluation that says `direction` where it means it.
const EVALUATION: u64 = 2;

/// A met finding if it is true, else an unmet one.
fn judged(met: bool, text: String) -> Finding {
    if met { Met(text) } else { NotMet(text) }
}

fn real_data(evidence: &Evidence) -> Finding {
    if evidence.walk.value().is_none() {
        return evidence.walk.lacking(WALK);
    }
    let mut documents = evidence.documents().map(|(name, document)| (name, Origin::of(&document["lineage"])));
    match documents.find(|(_, origin)| *origin != Origin::Recorded) {
        Some((name, origin)) => NotMet(format!("the {name} is of {}", origin.words())),
        None => Met(Origin::Recorded.words().into()),
    }
}

/// Judges whether all evidence is of the rules, costs, calendar and model that are to trade.
fn setup(evidence: &Evidence) -> Finding {
    if evidence.documents().next().is_none() {
        return NotShown("there is none yet".into());
    }
    for (name, document) in evidence.documents() {
        for (what, hash) in &evidence.hashes {
            let theirs = match *what {
                "model" if name == "evaluation" => &document["model_file"]["blake3"],
                // Each fold trains its own.
                "model" if name == "walk-forward" => continue,
                "model" => &document["settings"]["model"]["model"],
                _ if name == "evaluation" => continue,
                _ => &document["settings"][format!("{what}_blake3")],
            };
            if theirs != hash {
                return NotMet(format!("the {name} is of another {what}"));
            }
        }
    }
    let names: Vec<&str> = evidence.hashes.iter().map(|(what, _)| *what).collect();
    Met(format!("the same {} everywhere", names.join(", ")))
}

/// Judges a number of the stitched out-of-sample days, which has to be of the worst fills.
fn number(evidence: &Evidence, name: &str, above: f64, text: impl Fn(f64) -> String) -> Finding {
    let Some(walk) = evidence.walk.value() else { return evidence.walk.lacking(WALK) };
    let fills = walk["settings"]["fills"]["model"].as_str().unwrap_or("unknown");
    if fills != "conservative" {
        return NotMet(format!("the walk-forward has {fills} fills, not the worst: --fills conservative"));
    }
    match walk["out_of_sample"][name].as_f64() {
        Some(value) => judged(value > above, text(value)),
        None => NotShown(format!("the walk-forward is too short for {name}")),
    }
}

fn sharpe(evidence: &Evidence) -> Finding {
    let interval = |value: f64| {
        let known = evidence.walk.value().map(|walk| &walk["out_of_sample"]["intervals"]["sharpe"]);
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
    let folds = evidence.walk.value().and_then(|walk| walk["folds"].as_array());
    let Some(folds) = folds.filter(|folds| !folds.is_empty()) else { return evidence.walk.lacking(WALK) };
    let of = |fold: &Value| fold["out_of_sample"]["trades"].as_u64().unwrap_or_default();
    let fewest = folds.iter().map(of).min().unwrap_or_default();
    let text = format!("at least {fewest} in each of {}", count(folds.len() as u64, "fold"));
    judged(fewest >= TRADES_A_FOLD, text)
}

/// Judges whether the model knows up from down; knowing how far the market goes trades nothing.
fn skill(evidence: &Evidence) -> Finding {
    let Some(eval) = evidence.eval.value() else {
        let how = "run mes-predict eval --json out of sample and give its output: --eval FILE";
        return evidence.eval.lacking(how);
    };
    let origin = Origin::of(&eval["lineage"]);
    let (gain, ends) = (&eval["direction_gate"]["value"], &eval["direction_gate"]["interval"]);
    let figures = match (gain.as_f64(), ends[0].as_f64(), ends[1].as_f64()) {
        (Some(value), Some(low), Some(high)) => {
            let right = words::or_dash(eval["direction_right"]["value"].as_f64(), words::percent);
            format!("{right} right, {value:.5} nats a move better, 95 % within {low:.5} and {high:.5}")
        }
        _ => "no interval".into(),
    };
    let verdict = match eval["v"].as_u64() {
        Some(EVALUATION) => eval["skill"].as_str().unwrap_or("none"),
        _ => "not told by this version of mes-predict eval: run it again",
    };
    let text = format!("{verdict}: {figures}, on {}", origin.words());
    judged(origin == Origin::Recorded && verdict == "direction" && eval["in_sample"] == false, text)
}

fn limits(evidence: &Evidence) -> Finding {
    let (held, text) = evidence.drill.held();
    judged(held, text)
}

fn flat(evidence: &Evidence) -> Finding {
    let Some(backtest) = evidence.backtest.value() else {
        return evidence.backtest.lacking("run mes-bt --out DIR and give it: --backtest DIR");
    };
    let days = backtest["span"]["days"].as_u64().unwrap_or_default();
    let open = backtest["days_not_flat"].as_u64();
    let text = format!("{} of {} ended with a position", open.unwrap_or(days), count(days, "day"));
    judged(open == Some(0) && days > 0, text)
}

fn inference(evidence: &Evidence) -> Finding {
    match evidence.inference_us.value() {
        Some(p99) => judged(*p99 < 10_000.0, format!("p99 of a live row {p99:.0} µs (mes-predict bench)")),
        None => evidence.inference_us.lacking(MODEL),
    }
}

fn lookahead(evidence: &Evidence) -> Finding {
    match evidence.lookahead.value() {
        Some((stage, None)) => Met(format!("{stage}: no row depends on a later one (mes-check stage)")),
        Some((stage, Some(why))) => NotMet(format!("{stage}: {why}")),
        None => evidence.lookahead.lacking(MODEL),
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
    let Some(paper) = evidence.paper.value() else {
        return evidence.paper.lacking("give the folder of paper journals: --paper DIR");
    };
    let days = count(paper.days() as u64, "day");
    if let Some(first) = paper.errors.first() {
        return NotMet(format!("{}, first: {first}", count(paper.errors.len() as u64, "error")));
    }
    let mut text = format!("{days}, {}", count(paper.fills, "fill"));
    for (why, journals) in &paper.left_out {
        text += &format!("; {} {why}, not counted", count(*journals, "journal"));
    }
    judged(paper.days() >= paper::DAYS && paper.fills > 0, text)
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
    if !off.is_empty() {
        return NotMet(format!("off in {}: {}", evidence.rules.name, off.join(", ")));
    }
    let pauses = evidence.drill.pauses();
    let text = format!("all on; drill: losses in a row paused it {}", count(pauses, "time"));
    judged(pauses > 0, text)
}

fn kill(evidence: &Evidence) -> Finding {
    let (killed, text) = evidence.drill.killed();
    let by_hand = live(evidence, |live| live.closed_by_person);
    judged(killed, format!("{text}; closed by a person: {by_hand}"))
}

fn reconnects(evidence: &Evidence) -> Finding {
    let Some(paper) = evidence.paper.value() else {
        return evidence.paper.lacking("give the folder of journals of practice days: --paper DIR");
    };
    let text = live(evidence, |live| live.reconnects);
    let real = ["practice", "real"].iter().filter_map(|kind| paper.live.get(kind));
    // An exercise on this machine shows that it works there, and not at the service.
    if real.map(|live| live.reconnects).sum::<u64>() > 0 { Met(text) } else { NotShown(text) }
}

/// Counts something on accounts at exchanges, by what they are.
fn live(evidence: &Evidence, of: impl Fn(&paper::Live) -> u64) -> String {
    let Some(paper) = evidence.paper.value() else { return "no journals".into() };
    let counted = paper.live.iter().map(|(kind, live)| format!("{} on {kind}", of(live)));
    let counted: Vec<String> = counted.collect();
    if counted.is_empty() { "no day at an exchange".into() } else { counted.join(", ") }
}
