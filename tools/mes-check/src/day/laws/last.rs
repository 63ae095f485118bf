//! How a day ends: flat, and nothing left.

use std::collections::BTreeMap;

use mes_core::time::{self, Ts};
use mes_exec::topstepx::{
    event::{Answer, Event},
    tag::Tag,
};
use mes_projectx::wire::Order;

use crate::day::{
    Day,
    exchange::{Told, tag},
    laws::{all_of_the_exchange, at_the_exchange, does_not_replay, entries::schedule, no_exec, no_risk},
    report::Finding,
};

/// Nothing is open at flat-by, whatever is dead.
pub fn flat(day: &Day) -> Finding {
    let Some(first) = day.risk.first() else { return no_risk() };
    if let Some(finding) = does_not_replay(day) {
        return finding;
    }
    let mut schedule = match schedule(day, first) {
        Ok(schedule) => schedule,
        Err(finding) => return finding,
    };
    let mut over = |ts: Ts| schedule.of_bar(ts).map(|today| today.end.flat).filter(|flat| ts >= *flat);
    let mut faults = Vec::new();
    let words =
        |contracts: i64, flat: Ts| format!("{contracts} contracts are open after {}", time::format(flat));
    for run in &day.exec {
        let open = run.steps.iter().filter(|step| !step.view.starting && step.view.exposure != 0);
        let late = open.filter_map(|step| Some((step, over(step.now.utc)?))).next();
        faults
            .extend(late.map(|(step, flat)| run.fault(step.line, step.now, words(step.view.exposure, flat))));
    }
    let Ok((exchange, account, contract)) = all_of_the_exchange(day) else {
        return Finding::of(faults, "as mes-exec knew; at the exchange not checked: --exchange of mes-sim");
    };
    let mut open: Option<(&Told, i64)> = None;
    for (told, contracts) in exchange.positions(account, contract) {
        // It was open up to here.
        if let Some((since, contracts)) = open.filter(|_| contracts == 0)
            && let Some(flat) = over(told.ts)
            && since.ts < flat
        {
            faults.push(exchange.fault(told, words(contracts, flat)));
        }
        if let Some(flat) = over(told.ts).filter(|_| contracts != 0) {
            faults.push(exchange.fault(told, words(contracts, flat)));
        }
        open = (contracts != 0).then_some((told, contracts));
    }
    let end = exchange.records.last().map_or(0, |told| told.ts);
    if let (Some((since, contracts)), Some(flat)) = (open, over(end)) {
        faults.push(exchange.fault(since, words(contracts, flat)));
    }
    Finding::of(faults, "")
}

/// Nothing of ours works, and nothing is open, once the last run is over.
pub fn left(day: &Day) -> Finding {
    match at_the_exchange(day) {
        Ok((exchange, account, contract)) => {
            let mut last: BTreeMap<i64, (&Told, &Order)> = BTreeMap::new();
            last.extend(exchange.orders(account).map(|(told, order)| (order.id, (told, order))));
            let ours = |order: &Order| {
                let parent = order.parent_order_id.and_then(|id| last.get(&id));
                tag(order).is_some() || parent.is_some_and(|(_, parent)| tag(parent).is_some())
            };
            let alive = last.values().filter(|(_, order)| !order.status.is_final() && ours(order));
            let mut faults: Vec<_> = alive
                .map(|(told, order)| exchange.fault(told, format!("order {} works still", order.id)))
                .collect();
            let open = exchange.positions(account, contract).last().filter(|(_, contracts)| *contracts != 0);
            faults.extend(open.map(|(told, contracts)| {
                exchange.fault(told, format!("{contracts} contracts are open still"))
            }));
            Finding::of(faults, "")
        }
        Err(_) => left_by_the_last_look(day),
    }
}

/// Judges by what mes-exec saw last.
fn left_by_the_last_look(day: &Day) -> Finding {
    let Some(run) = day.exec.last() else { return no_exec() };
    let seen = run.steps.iter().rev().find_map(|step| match &step.event {
        Event::Answer { answer: Answer::Orders { orders }, .. } => Some((step, orders)),
        _ => None,
    });
    let Some((step, orders)) = seen else {
        return Finding::NotChecked("mes-exec never saw its orders, and there is no --exchange".into());
    };
    let ours = |order: &&Order| order.custom_tag.as_deref().and_then(Tag::parse).is_some();
    let alive = orders.iter().filter(|order| !order.status.is_final()).filter(ours);
    let mut faults: Vec<_> = alive
        .map(|order| run.fault(step.line, step.now, format!("order {} works still", order.id)))
        .collect();
    if let Some(last) = run.steps.last().filter(|last| last.view.exposure != 0) {
        let words = format!("{} contracts are open still", last.view.exposure);
        faults.push(run.fault(last.line, last.now, words));
    }
    Finding::of(faults, "as mes-exec saw last")
}
