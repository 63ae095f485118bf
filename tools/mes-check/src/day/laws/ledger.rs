//! The books: fills, cash, and which orders were taken over.

use std::collections::BTreeMap;

use mes_core::{
    money::Cents,
    order::Side,
    statement::Fill,
    time::{SECOND, Ts},
};
use mes_exec::topstepx::event::Event;
use mes_projectx::wire::Trade;

use crate::day::{
    Day,
    exchange::{Exchange, Told, What},
    laws::{at_the_exchange, no_risk},
    report::{Fault, Finding},
    risk::{self, Journal},
};

/// How long news of a fill may take where nothing else is known to be wrong.
const NEWS: i64 = 3 * SECOND;

/// The service's stamps may be so far from its own clock.
const SKEW: i64 = 6 * SECOND;

/// What a fill is known by on both sides, but for its time: side, size, price in ticks.
type Key = (i64, i64, i64);

fn key(trade: &Trade) -> Key {
    let sign = trade.side.known().map_or(0, Side::sign);
    let price = trade.price.ticks().unwrap_or_else(|| trade.price.floor_ticks());
    (sign, trade.size, price)
}

/// Every fill told is one of the exchange, once, with its costs; every fill of the exchange was told, but for those after
/// the last statement of a run that was killed.
pub fn fills(day: &Day) -> Finding {
    let (exchange, account, _) = match at_the_exchange(day) {
        Ok(found) => found,
        Err(finding) => return finding,
    };
    if day.risk.is_empty() {
        return no_risk();
    }
    let mut kept: Kept = BTreeMap::new();
    for (told, trade) in exchange.trades(account) {
        kept.entry(key(trade)).or_default().push((told, trade));
    }
    let (mut faults, mut count) = (Vec::new(), 0);
    for journal in &day.risk {
        for (line, statement) in &journal.statements {
            for fill in &statement.fills {
                count += 1;
                let words = match taken(&mut kept, fill) {
                    None => "a fill is told that the exchange has not, or told already".to_owned(),
                    // By REST commissions are not always told.
                    Some(trade)
                        if trade.commissions.is_some()
                            && booked(trade) != fill.gross_cents - fill.commission_cents =>
                    {
                        format!(
                            "a fill is told as {}, and the exchange booked {}",
                            fill.gross_cents - fill.commission_cents,
                            booked(trade)
                        )
                    }
                    Some(_) => continue,
                };
                faults.push(journal.fault(*line, fill.ts, words));
            }
        }
    }
    let mut lost = 0;
    for (told, trade) in kept.into_values().flatten() {
        if day.risk.iter().any(|journal| should_know(journal, told.ts)) {
            faults.push(exchange.fault(told, format!("trade {} was never told", trade.id)));
        } else {
            lost += 1;
        }
    }
    let unheard = if lost == 0 { String::new() } else { format!(", {lost} while nobody could be told") };
    Finding::of(faults, format!("{count} fills told{unheard}"))
}

type Kept<'a> = BTreeMap<Key, Vec<(&'a Told, &'a Trade)>>;

/// Takes the trade that a fill tells of from those that were not told yet: of several that are alike the nearest.
fn taken<'a>(kept: &mut Kept<'a>, fill: &Fill) -> Option<&'a Trade> {
    let alike = kept.get_mut(&(fill.side.sign(), fill.contracts, fill.price.ticks()))?;
    let away = |(_, trade): &(&Told, &Trade)| (trade.creation_timestamp.ts() - fill.ts).abs();
    let (at, _) = alike.iter().enumerate().min_by_key(|(_, one)| away(one))?;
    (away(&alike[at]) <= SKEW).then(|| alike.remove(at).1)
}

fn booked(trade: &Trade) -> Cents {
    let cents = |part: Option<mes_projectx::wire::Decimal>| part.map_or(Cents::ZERO, |part| part.cents());
    cents(trade.profit_and_loss) - cents(trade.fees) - cents(trade.commissions)
}

/// Says whether a journal should have a fill of that time.
fn should_know(journal: &Journal, ts: Ts) -> bool {
    let until = if journal.whole { journal.last() } else { journal.known() - NEWS };
    (journal.first()..=until).contains(&ts)
}

/// From statement to statement cash changes by what is told; at the end it is the exchange's.
pub fn cash(day: &Day) -> Finding {
    if day.risk.is_empty() {
        return no_risk();
    }
    let (mut faults, mut adjusted) = (Vec::new(), Cents::ZERO);
    for journal in &day.risk {
        let mut before = journal.run.broker.balance_cents;
        for (line, statement) in &journal.statements {
            let fills = statement.fills.iter().map(|fill| fill.gross_cents - fill.commission_cents);
            let came = before + fills.sum::<Cents>() + statement.adjusted_cents;
            adjusted += statement.adjusted_cents;
            if came != statement.balance_cents {
                let words = format!("the balance is {}, and fills come to {came}", statement.balance_cents);
                faults.push(journal.fault(*line, risk::told(statement), words));
            }
            before = statement.balance_cents;
        }
    }
    let more =
        if adjusted == Cents::ZERO { String::new() } else { format!("{adjusted} that no fill explains") };
    match at_the_exchange(day) {
        Ok((exchange, account, _)) if exchange.is_whole => {
            let whole = day.risk.iter().filter(|journal| journal.whole);
            faults.extend(whole.filter_map(|journal| other_cash(exchange, account, journal)));
            Finding::of(faults, more)
        }
        _ => {
            let comma = if more.is_empty() { "" } else { "; " };
            Finding::of(faults, format!("{more}{comma}the exchange's own not checked: --exchange of mes-sim"))
        }
    }
}

/// Compares what a run ended with, flat, with the cash at the exchange then.
fn other_cash(exchange: &Exchange, account: i64, journal: &Journal) -> Option<Fault> {
    let (line, last) = journal.statements.last().filter(|(_, last)| last.position == 0)?;
    let then = risk::told(last);
    let balance =
        exchange.records.iter().take_while(|told| told.ts <= then).filter_map(|told| match &told.what {
            What::Account(of) if of.id == account => Some(of.balance.cents()),
            _ => None,
        });
    let balance = balance.last()?;
    (balance != last.balance_cents).then(|| {
        let words = format!("ends with {}, and the exchange has {balance}", last.balance_cents);
        journal.fault(*line, then, words)
    })
}

/// What a run of mes-exec has taken over counts as seen in its next statement, and never less later. A later run knows of
/// entries alone: what else was asked for is over with the run that it was asked of.
pub fn seen(day: &Day) -> Finding {
    if day.risk.is_empty() {
        return no_risk();
    }
    let mut faults = Vec::new();
    for journal in &day.risk {
        let run = day.exec.iter().rfind(|run| run.begun.utc <= journal.first());
        let taken = run.into_iter().flat_map(|run| &run.steps).filter_map(|step| match &step.event {
            Event::Order { order } => Some((step.now.utc, order.id)),
            _ => None,
        });
        let (mut taken, mut highest) = (taken.peekable(), 0);
        for (line, statement) in &journal.statements {
            let told = risk::told(statement);
            while let Some((_, id)) = taken.next_if(|(ts, _)| *ts < told) {
                highest = highest.max(id);
            }
            if statement.seen < highest {
                let words = format!("seen is {}, and {highest} was taken over before", statement.seen);
                faults.push(journal.fault(*line, told, words));
            }
            highest = highest.max(statement.seen);
        }
    }
    let without = if day.exec.is_empty() { "against mes-exec not checked: --exec" } else { "" };
    Finding::of(faults, without)
}
