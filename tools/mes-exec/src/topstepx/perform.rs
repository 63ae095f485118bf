//! Makes a call of the core and says what became of it.

use mes_projectx::{
    Client, Purpose,
    wire::{Accounts, OrderFilter, OrderStatus, Orders, Positions, Trades},
};

use super::event::{Answer, Request};

/// Rows of a page: the most that the service gives.
const PAGE: i64 = 100;
/// More orders than a person ever has at once.
const PAGES: i64 = 50;

/// Makes it, once.
pub fn perform(client: &Client, purpose: Purpose, request: Request) -> Answer {
    match request {
        Request::Place { place, .. } => {
            Answer::of_action(client.act(*place, purpose), |id| Answer::Placed { id })
        }
        Request::Modify { modify } => Answer::of_action(client.act(modify, purpose), |_| Answer::Done),
        Request::Cancel { cancel } => Answer::of_action(client.act(cancel, purpose), |_| Answer::Done),
        Request::Close { close } => Answer::of_action(client.act(close, purpose), |_| Answer::Done),
        Request::Alive { account: account_id } => {
            let statuses = Some(OrderStatus::ALIVE.to_vec());
            let filter = OrderFilter { account_id, statuses, created_after: None, created_before: None };
            orders(client, purpose, filter)
        }
        Request::Recent { account: account_id, since } => {
            let created_after = Some(since);
            let filter = OrderFilter { account_id, statuses: None, created_after, created_before: None };
            orders(client, purpose, filter)
        }
        Request::Positions { account: account_id } => {
            Answer::of_question(client.ask(&Positions { account_id }, purpose), |positions| {
                Answer::Positions { positions }
            })
        }
        Request::Trades { account: account_id, since: start_timestamp } => {
            let question = Trades { account_id, start_timestamp, end_timestamp: None };
            Answer::of_question(client.ask(&question, purpose), |trades| Answer::Trades { trades })
        }
        Request::Account { account } => {
            let question = Accounts { only_active_accounts: false };
            Answer::of_question(client.ask(&question, purpose), |accounts| {
                let account = accounts.into_iter().find(|one| one.id == account);
                Answer::Account { account }
            })
        }
    }
}

/// Asks page by page, by rising id, so that what is made meanwhile comes last and pushes nothing out of sight.
fn orders(client: &Client, purpose: Purpose, filter: OrderFilter) -> Answer {
    let mut all = Vec::new();
    for page in 0..PAGES {
        let question = Orders {
            filter: filter.clone(),
            page_size: Some(PAGE),
            page_offset: Some(page * PAGE),
            sort_by: Some(1),
            sort_direction: Some(0),
            include_total_count: false,
        };
        match client.ask(&question, purpose) {
            Ok(orders) => {
                let last = (orders.len() as i64) < PAGE;
                all.extend(orders);
                if last {
                    return Answer::Orders { orders: all };
                }
            }
            failed => return Answer::of_question(failed, |orders| Answer::Orders { orders }),
        }
    }
    Answer::Unknown { text: "more orders than can be asked for".to_owned() }
}
