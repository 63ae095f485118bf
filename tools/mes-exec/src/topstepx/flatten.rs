//! Closing an account alone, without a pipeline and without anything that is known: ask, close, cancel, ask again, until the
//! exchange shows flat and no order.

use std::{thread, time::Duration};

use mes_pipe::{Error, Result, answer::print, log, stop};
use mes_projectx::{
    Client, Purpose, Service,
    wire::{Account, Cancel, Close},
};

use super::{
    event::{Answer, Request},
    perform::perform,
};

/// Between tries; positions and orders are asked for in each.
const APART: Duration = Duration::from_millis(1_000);
/// After what was done, before it is looked what came of it.
const SOON: Duration = Duration::from_millis(150);

/// Closes every position and cancels every order of an account.
///
/// # Errors
///
/// `Stopped` where a person ends it before it is flat.
pub fn alone(service: &Service, account: &Account) -> Result<()> {
    let client = &service.client.clone().within(Duration::from_secs(10));
    let mut tries = 0;
    loop {
        tries += 1;
        match once(client, account) {
            Ok(0) => return print(format!("flat: {} has no position and no working order\n", account.name)),
            Ok(acted) => log::note(format!("{}: {acted} closed or cancelled, looking again", account.name)),
            Err(why) => log::note(format!("{}: not yet: {why}", account.name)),
        }
        if stop::asked() {
            return Err(Error::stopped(format!("{} may not be flat: look at it at TopstepX", account.name)));
        }
        thread::sleep(if tries < 3 { SOON } else { APART });
    }
}

/// Does once what there is to do, positions before orders; returns how much that was.
fn once(client: &Client, account: &Account) -> std::result::Result<usize, String> {
    let id = account.id;
    let ask = |request| perform(client, Purpose::Exit, request);
    let positions = match ask(Request::Positions { account: id }) {
        Answer::Positions { positions } => positions,
        other => return Err(said(&other)),
    };
    let open: Vec<_> = positions.into_iter().filter(|position| position.size != 0).collect();
    for position in &open {
        let close = Close { account_id: id, contract_id: position.contract_id.clone() };
        let closed = ask(Request::Close { close });
        if closed != Answer::Done {
            log::note(format!("close of {}: {}", position.contract_id, said(&closed)));
        }
    }
    if !open.is_empty() {
        // What protects it is cancelled once it is closed, and not before.
        return Ok(open.len());
    }
    let orders = match ask(Request::Alive { account: id }) {
        Answer::Orders { orders } => orders,
        other => return Err(said(&other)),
    };
    for order in &orders {
        let cancel = Cancel { account_id: id, order_id: order.id };
        let cancelled = ask(Request::Cancel { cancel });
        if cancelled != Answer::Done {
            log::note(format!("cancel of order {}: {}", order.id, said(&cancelled)));
        }
    }
    Ok(orders.len())
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Refused { text, .. } | Answer::Unknown { text } => text.clone(),
        _ => "an answer to something else".to_owned(),
    }
}
