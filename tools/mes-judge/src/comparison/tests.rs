//! Runs beside each other: what they share is paired by day, and what they differ in is named.

use super::*;
use crate::{sample, summary::Summary};

fn run(name: &str, nets: &[i64], change: impl Fn(&mut Value)) -> Run {
    let facts = sample::facts(nets);
    let mut summary = serde_json::to_value(Summary::of(&facts)).expect("writes");
    change(&mut summary);
    let days = facts.days.iter().map(|day| (day.date, (day.end_cents - day.start_cents).usd())).collect();
    Run { name: name.into(), summary, days }
}

fn nets(count: i64, more: i64) -> Vec<i64> {
    (0..count).map(|index| index * 7919 % 3001 - 1500 + more).collect()
}

#[test]
fn what_both_days_had_is_no_part_of_the_difference() {
    // The same days, but for half a dollar more or a dollar more each: by chance none would be sure of that.
    let more: Vec<i64> =
        nets(40, 0).iter().enumerate().map(|(index, net)| net + 50 + 50 * (index as i64 % 2)).collect();
    let comparison = Comparison::of(vec![run("a", &nets(40, 0), |_| ()), run("b", &more, |_| ())]);
    let paired = &comparison.paired[0];
    // One day of the 40 is a holiday.
    assert!((paired.mean_usd - 29.0 / 39.0).abs() < 1e-9, "{paired:?}");
    let (low, high) = paired.interval.expect("an interval");
    assert!(0.5 < low && high < 1.0, "{low} {high}");
    assert!(
        paired.sentence().starts_with("b less a: +$0.74 a day")
            && paired.sentence().contains("more than chance")
    );
    let few = Comparison::of(vec![run("a", &nets(5, 0), |_| ()), run("b", &nets(9, 0), |_| ())]);
    assert_eq!((few.paired[0].days, few.paired[0].days_alone, few.paired[0].interval), (5, 4, None));
}

#[test]
fn what_differs_is_named_and_a_sharpe_is_never_alone() {
    let other = run("<b>", &nets(30, 40), |summary| summary["settings"]["rules"] = "mine".into());
    let comparison = Comparison::of(vec![run("a", &nets(30, 0), |_| ()), other]);
    let keys: Vec<&str> = comparison.differs.iter().map(|differs| differs.key.as_str()).collect();
    assert_eq!(keys, ["rules"]);
    let sharpe =
        comparison.figures.iter().find(|figure| figure.name.starts_with("Sharpe")).expect("a figure");
    assert!(
        sharpe.texts.iter().all(|text| text.contains("95 % from") && text.contains("PSR")),
        "{:?}",
        sharpe.texts
    );
    assert!(
        comparison
            .figures
            .iter()
            .all(|figure| figure.values.iter().all(Option::is_some) || figure.name == "Net, of capital")
    );
    let page = page::page(&comparison);
    assert_eq!(mes_page::flaw(&page), None);
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"), "runs what it is told");
    let text = terminal::text(&comparison);
    assert!(text.contains("  a    ") && text.contains("made with\n  rules\n"), "{text}");
}

#[test]
fn runs_without_a_day_are_compared_all_the_same() {
    let comparison = Comparison::of(vec![run("a", &[], |_| ()), run("b", &[], |_| ())]);
    assert_eq!(mes_page::flaw(&page::page(&comparison)), None);
    assert!(terminal::text(&comparison).contains("no day that two of them have in common"));
}
