//! What no plan has room for: losses beyond a trade's worst case, prices that no market makes, contracts that changed
//! under a position, markets that stood at their limit. Each is an alert of its own in the journal; here they are counted.

use serde::Serialize;

use crate::{
    facts::{Alert, Facts, Incident},
    reached::Reached,
    words,
};

/// One kind of incident in the summary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counted {
    pub rule: String,
    pub times: u64,
    pub first: Reached,
    pub worst: Reached,
}

/// Adds an alert to those of its kind.
pub fn count(incidents: &mut Vec<Incident>, alert: Alert) {
    match incidents.iter_mut().find(|incident| incident.first.rule == alert.rule) {
        None => incidents.push(Incident { times: 1, first: alert.clone(), worst: alert }),
        Some(incident) => {
            incident.times += 1;
            let beyond = |alert: &Alert| alert.value - alert.limit;
            if beyond(&alert) > beyond(&incident.worst) {
                incident.worst = alert;
            }
        }
    }
}

/// Returns the incidents of a run.
pub fn of(facts: &Facts) -> Vec<Counted> {
    let counted = |incident: &Incident| Counted {
        rule: incident.first.rule.clone(),
        times: incident.times,
        first: Reached::of(&incident.first),
        worst: Reached::of(&incident.worst),
    };
    facts.incidents.iter().map(counted).collect()
}

impl Counted {
    /// Says what happened, how often, and what it means.
    pub fn sentence(&self) -> String {
        let Counted { rule, times, first, worst } = self;
        let amount = |value| words::amount(rule, value);
        match rule.as_str() {
            "beyond_worst_case_usd" => format!(
                "{} lost more than the worst case; the furthest, on day {}: {} where {} was the most",
                words::count(*times, "trade"),
                worst.day,
                amount(worst.value),
                amount(worst.limit)
            ),
            "price_jump_percent" => format!(
                "{} from day {} on prices moved as no market does (up to {}), and it counted as halted: mes-fetch verify \
                 shows where",
                words::count(*times, "time"),
                first.day,
                amount(worst.value)
            ),
            "new_price_points" => format!(
                "the price went from {} to {} on day {} and stayed there: trading was halted from then on",
                amount(first.limit),
                amount(first.value),
                first.day
            ),
            "roll_points" => format!(
                "{} another contract came under an open position, which was closed at the last price of the old one",
                words::count(*times, "time")
            ),
            _ => format!(
                "{} a locked market kept a position from being closed, first on day {}",
                words::count(*times, "time"),
                first.day
            ),
        }
    }
}

/// Says how many orders a locked market left waiting, if any.
pub fn locked(orders: u64) -> Option<String> {
    (orders > 0).then(|| format!("{} met a locked market and did not fill", words::count(orders, "order")))
}

#[cfg(test)]
mod tests {
    use mes_core::{statement::Refusal, verdict::Verdict};
    use mes_pipe::journal::Journal;

    use super::*;
    use crate::{sample, summary::Summary, terminal};

    /// Records alerts of these rules, values and limits, on the first day.
    fn recorded(alerts: &[(&str, f64, f64)], locked: usize) -> (Summary, Facts) {
        let mut recorder = sample::recorder();
        let mut statement = sample::state(sample::START, mes_core::money::Cents(100_000), Vec::new());
        statement.refused = vec![Refusal { order: 1, reason: "locked".into() }; locked];
        recorder.statement(&statement).expect("records");
        for (rule, value, limit) in alerts {
            let (rule, ts) = ((*rule).to_owned(), sample::START);
            recorder.verdict(&Verdict::Alert { ts, rule, value: *value, limit: *limit }).expect("records");
        }
        let facts = recorder.finish().expect("finishes");
        (Summary::of(&facts), facts)
    }

    #[test]
    fn a_loss_beyond_the_worst_case_stands_in_summary_and_report() {
        let alerts = [("beyond_worst_case_usd", 13.34, 12.09), ("beyond_worst_case_usd", 5006.68, 24.18)];
        let (summary, facts) = recorded(&alerts, 0);
        let value = serde_json::to_value(&summary).expect("writes");
        assert_eq!(value["incidents"][0]["times"], 2);
        assert_eq!(value["incidents"][0]["worst"]["value"], 5006.68);
        assert!(summary.limits.is_empty(), "an incident is no limit");
        let said = "2 trades lost more than the worst case; the furthest, on day 1: $5,006.68 where $24.18 was the most";
        for text in [terminal::text(&summary, &facts), crate::report::page(&summary, &facts)] {
            assert!(text.contains(said), "{text}");
        }
    }

    #[test]
    fn locked_orders_are_counted_and_shown() {
        let (summary, facts) = recorded(&[("locked_s", 60.0, 60.0)], 62);
        assert_eq!(serde_json::to_value(&summary).expect("writes")["locked"], 62);
        for text in [terminal::text(&summary, &facts), crate::report::page(&summary, &facts)] {
            assert!(text.contains("62 orders met a locked market and did not fill"), "{text}");
        }
    }

    #[test]
    fn a_halt_after_a_jump_is_said_with_its_day() {
        let (summary, _) =
            recorded(&[("price_jump_percent", 900.0, 5.0), ("new_price_points", 50_000.0, 5000.0)], 0);
        let said: Vec<_> = summary.warnings.iter().map(String::as_str).collect();
        assert!(
            said.contains(&"the price went from 5000.00 to 50000.00 on day 1 and stayed there: trading was halted from then on"),
            "{said:?}"
        );
    }
}
