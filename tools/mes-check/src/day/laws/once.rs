//! Nothing twice, and nothing too large.

use std::collections::BTreeMap;

use mes_core::order::Action as Wanted;
use mes_exec::topstepx::{
    event::{Action, Answer, Event, Request, Why},
    tag::{Part, Tag},
};
use mes_projectx::wire::OrderStatus;

use crate::day::{
    Day,
    exchange::tag,
    exec::{Entered, Run},
    laws::{all_of_the_exchange, at_the_exchange, no_exec},
    report::{Fault, Finding},
};

/// No tag is placed twice, whatever it is for.
pub fn tags(day: &Day) -> Finding {
    if day.exec.is_empty() {
        return no_exec();
    }
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    let (mut faults, mut count) = (Vec::new(), 0);
    for run in &day.exec {
        for step in &run.steps {
            for (line, action) in &step.actions {
                let Action::Call { request: Request::Place { place, .. }, .. } = action else { continue };
                count += 1;
                let tag = place.custom_tag.clone().unwrap_or_default();
                let here = format!("{}: line {line}", run.name);
                if tag.is_empty() {
                    faults.push(run.fault(*line, step.now, "an order without a tag"));
                } else if let Some(before) = first.insert(tag.clone(), here) {
                    faults.push(run.fault(*line, step.now, format!("{tag} was placed before, at {before}")));
                }
            }
        }
    }
    Finding::of(faults, format!("{count} orders"))
}

/// One entry an order, by any run; a second is the smaller try after the margin refused the first.
pub fn once(day: &Day) -> Finding {
    if day.exec.is_empty() {
        return no_exec();
    }
    let mut by_order: BTreeMap<u64, Vec<(&Run, Entered)>> = BTreeMap::new();
    for run in &day.exec {
        for entered in run.entries() {
            let order = Tag::parse(entered.tag()).map_or(0, |tag| tag.order);
            by_order.entry(order).or_default().push((run, entered));
        }
    }
    let mut faults = Vec::new();
    for (order, tries) in &by_order {
        let second = match &tries[..] {
            [_] => None,
            [(run, first), (other, second)] if run.name == other.name && is_smaller(run, first, second) => {
                None
            }
            [_, second, ..] => Some(second),
            [] => None,
        };
        if let Some((run, entered)) = second {
            let words = format!("order {order} is entered a second time, as {}", entered.tag());
            faults.push(run.fault(entered.line, entered.now, words));
        }
    }
    faults.extend(twice_at_the_exchange(day));
    Finding::of(faults, format!("{} entered", by_order.len()))
}

/// Says whether a second try is the one that is allowed.
fn is_smaller(run: &Run, first: &Entered, second: &Entered) -> bool {
    let refused = run.answer(first.call).is_some_and(|(step, answer)| {
        step.now.steady <= second.now.steady && matches!(answer, Answer::Refused { why: Why::Funds, .. })
    });
    refused && second.tag() == format!("{}.m", first.tag()) && second.place.size < first.place.size
}

/// Finds entries that two orders at the exchange were made of.
fn twice_at_the_exchange(day: &Day) -> Vec<Fault> {
    let Ok((exchange, account, _)) = at_the_exchange(day) else { return Vec::new() };
    let mut first: BTreeMap<u64, i64> = BTreeMap::new();
    let mut faults = Vec::new();
    for (told, order) in exchange.orders(account) {
        let Some(Tag { order: id, part: Part::Entry, .. }) = tag(order) else { continue };
        // What was not taken is an order there too.
        if order.status == OrderStatus::Rejected {
            continue;
        }
        let known = *first.entry(id).or_insert(order.id);
        if known != order.id && first.insert(id, order.id).is_some() {
            let words = format!("the exchange has taken order {id} twice, as {known} and {}", order.id);
            faults.push(exchange.fault(told, words));
        }
    }
    faults
}

/// No entry is larger than its order, and no order than the guard's rules.
pub fn size(day: &Day) -> Finding {
    if day.exec.is_empty() {
        return no_exec();
    }
    let most = day.risk.iter().map(|journal| journal.run.rules.value.guard.max_contracts).max();
    let (mut faults, mut largest) = (Vec::new(), 0);
    for run in &day.exec {
        let mut wanted = BTreeMap::new();
        for step in &run.steps {
            if let Event::Order { order } = &step.event
                && let Wanted::Enter { side, contracts, .. } = order.action
            {
                wanted.insert(order.id, (side, contracts));
            }
        }
        for entered in run.entries() {
            let order = Tag::parse(entered.tag()).map_or(0, |tag| tag.order);
            let size = entered.place.size;
            largest = largest.max(size);
            let words = match wanted.get(&order) {
                None => format!("an entry that no order asked for: {}", entered.tag()),
                Some((side, _)) if entered.place.side.known() != Some(*side) => {
                    format!("order {order} is entered on the other side")
                }
                Some((_, contracts)) if size > *contracts => {
                    format!("{size} contracts for order {order}, which asked for {contracts}")
                }
                _ if most.is_some_and(|most| size > most) => {
                    format!("{size} contracts, and the rules' guard allows {}", most.unwrap_or(0))
                }
                _ => continue,
            };
            faults.push(run.fault(entered.line, entered.now, words));
        }
    }
    let rules = if most.is_some() { "" } else { "; the rules' limit not checked: --journal" };
    Finding::of(faults, format!("largest: {largest}{rules}"))
}

/// The exchange never has more open, either way, than the largest entry, unless somebody else trades there.
pub fn position(day: &Day) -> Finding {
    let (exchange, account, contract) = match all_of_the_exchange(day) {
        Ok(found) => found,
        Err(finding) => return finding,
    };
    let entered = day.exec.iter().flat_map(Run::entries).map(|entered| entered.place.size).max().unwrap_or(0);
    // What was open before the day's first record is nobody's of the day.
    let before = day.exec.iter().map(|run| first_exposure(run).abs()).max().unwrap_or(0);
    let most = entered.max(before);
    let mut largest = 0;
    let mut faults = Vec::new();
    for (told, contracts) in exchange.positions(account, contract) {
        largest = largest.max(contracts.abs());
        if contracts.abs() > most {
            faults.push(
                exchange
                    .fault(told, format!("{contracts} contracts are open, and at most {most} were entered")),
            );
        }
    }
    Finding::of(faults, format!("largest: {largest}"))
}

fn first_exposure(run: &Run) -> i64 {
    run.steps.iter().find(|step| !step.view.starting).map_or(0, |step| step.view.exposure)
}
