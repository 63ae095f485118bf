//! Somebody who trades by the client, at random, and compares what it is told with what the exchange itself has.

use std::collections::BTreeMap;

use mes_core::{
    dice::Draw,
    time::{MILLI, SECOND},
};
use mes_projectx::{
    Client, Failure, Outcome, Purpose, Refusal,
    client::Action,
    wire::{
        Bracket, Cancel, Close, Modify, Order, OrderFilter, OrderKind, OrderStatus, Orders, OrdersOf,
        PartialClose, Place, Positions, Side, Stamp, Trades,
    },
};
use mes_sim::exchange::{OrderFilter as Filter, order::Status};

use crate::world::{ACCOUNT, CONTRACT, World};

pub struct Trader<'a> {
    world: &'a World,
    client: Client,
    draw: Draw,
    nonce: u64,
    /// What was said of each entry, by its tag.
    entries: BTreeMap<String, Said>,
    acted: usize,
    pub done: usize,
    pub refused: usize,
    pub unknown: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    Done(i64),
    Refused,
    Unknown,
}

type Checked = Result<(), String>;

fn check(holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(what()) }
}

impl<'a> Trader<'a> {
    pub fn new(world: &'a World, seed: u64) -> Trader<'a> {
        Trader {
            world,
            client: world.client(),
            draw: Draw::new(seed, 5),
            nonce: seed,
            entries: BTreeMap::new(),
            acted: 0,
            done: 0,
            refused: 0,
            unknown: 0,
        }
    }

    /// Trades for so long, waits until nothing goes wrong any more, settles and closes, and compares all of it.
    pub fn day(&mut self, ms: u64) -> Checked {
        let end = self.world.clock.now().utc + ms as i64 * MILLI;
        while self.world.clock.now().utc < end {
            self.world.run((200 + self.draw.below(2_500) as i64) * MILLI);
            match self.draw.below(8) {
                0..=2 => self.enter()?,
                3 => self.close()?,
                4 => self.reduce()?,
                5 | 6 => self.touch_a_leg()?,
                _ => self.look()?,
            }
        }
        // The longest fault lasts 25 s, the longest wait for a login 32 s.
        self.world.run(100 * SECOND);
        check(self.world.is_connected(), || "the hub was not called again".to_owned())?;
        self.settle()?;
        self.flatten()?;
        let leaks = self.world.leaks();
        check(leaks.is_empty(), || format!("secrets left: {leaks:?}"))
    }

    /// Does something, and sees to it that it is sent at most once and told without secrets.
    fn act<E: Action>(&mut self, action: E) -> Result<Outcome<E::Answer, E::Code>, String>
    where
        E::Answer: std::fmt::Debug,
    {
        let before = self.world.calls_of(E::PATH);
        let outcome = self.client.act(action, Purpose::Exit);
        let sent = self.world.calls_of(E::PATH) - before;
        check(sent <= 1, || format!("{} was sent {sent} times", E::PATH))?;
        self.acted += 1;
        match &outcome {
            Outcome::Done(_) => self.done += 1,
            Outcome::Refused(_) => self.refused += 1,
            Outcome::Unknown(_) => self.unknown += 1,
        }
        let text = format!("{outcome} {outcome:?}");
        match self.world.secret_in(&text) {
            Some(secret) => Err(format!("{secret} is told: {text}")),
            None => Ok(outcome),
        }
    }

    fn enter(&mut self) -> Checked {
        self.nonce += 1_000_000;
        let tag = format!("mes-{}", self.nonce);
        let (side, sign) = if self.draw.below(2) == 0 { (Side::Bid, 1) } else { (Side::Ask, -1) };
        let size = 1 + self.draw.below(3) as i64;
        let outcome = self.act(Place {
            stop_loss_bracket: Some(Bracket { ticks: -8 * sign, kind: OrderKind::Stop }),
            take_profit_bracket: Some(Bracket { ticks: 12 * sign, kind: OrderKind::Limit }),
            ..Place::market(ACCOUNT, CONTRACT, side, size, tag.as_str())
        })?;
        let said = match outcome {
            Outcome::Done(id) => Said::Done(id),
            Outcome::Refused(_) => Said::Refused,
            Outcome::Unknown(_) => Said::Unknown,
        };
        self.entries.insert(tag.clone(), said);
        self.compare(&tag, said)
    }

    /// Compares what was said of an entry with what the exchange has.
    fn compare(&self, tag: &str, said: Said) -> Checked {
        let truth = self.world.look(|exchange| {
            let all = Filter::default();
            let of_tag: Vec<_> =
                exchange.orders(ACCOUNT, &all).filter(|order| order.tag.as_deref() == Some(tag)).collect();
            of_tag.iter().map(|order| (order.id, order.status)).collect::<Vec<_>>()
        });
        check(truth.len() <= 1, || format!("{tag}: {truth:?} at the exchange"))?;
        let taken = truth.first().filter(|(_, status)| *status != Status::Rejected);
        match said {
            Said::Done(id) => check(taken.is_some_and(|(taken, _)| *taken == id), || {
                format!("{tag}: done, and there is {truth:?}")
            }),
            Said::Refused => check(taken.is_none(), || format!("{tag}: refused, and there is {truth:?}")),
            Said::Unknown => Ok(()),
        }
    }

    fn close(&mut self) -> Checked {
        let net = self.net();
        let outcome = self.act(Close { account_id: ACCOUNT, contract_id: CONTRACT.into() })?;
        check(net != 0 || !matches!(outcome, Outcome::Done(_)), || "closed what was not open".to_owned())
    }

    fn reduce(&mut self) -> Checked {
        self.act(PartialClose { account_id: ACCOUNT, contract_id: CONTRACT.into(), size: 1 }).map(drop)
    }

    fn touch_a_leg(&mut self) -> Checked {
        let legs = match self.ask_alive() {
            Ok(legs) => legs,
            Err(_) => return Ok(()),
        };
        let stops: Vec<&Order> =
            legs.iter().filter(|leg| leg.kind == OrderKind::Stop && leg.stop_price.is_some()).collect();
        if stops.is_empty() {
            return Ok(());
        }
        let stop = stops[self.draw.below(stops.len())].clone();
        if self.draw.below(3) == 0 {
            return self.act(Cancel { account_id: ACCOUNT, order_id: stop.id }).map(drop);
        }
        let modify = Modify {
            account_id: ACCOUNT,
            order_id: stop.id,
            size: None,
            limit_price: None,
            stop_price: stop.stop_price,
            trail_price: None,
        };
        self.act(modify).map(drop)
    }

    /// Asks for all that may still fill; an answer is what the exchange has.
    fn ask_alive(&self) -> Result<Vec<Order>, Failure<mes_projectx::wire::LookCode>> {
        let statuses = Some(OrderStatus::ALIVE.to_vec());
        let filter = OrderFilter { account_id: ACCOUNT, statuses, created_after: None, created_before: None };
        let (page_size, sort_by, sort_direction) = (Some(100), Some(1), Some(0));
        let orders = Orders {
            filter,
            page_size,
            page_offset: None,
            sort_by,
            sort_direction,
            include_total_count: false,
        };
        self.client.ask(&orders, Purpose::Look)
    }

    fn look(&mut self) -> Checked {
        let answered = self.client.ask(&Positions { account_id: ACCOUNT }, Purpose::Look);
        let net = self.net();
        match answered {
            Ok(positions) => {
                let told: i64 = positions.iter().filter_map(|position| position.contracts()).sum();
                // Between the answer and now a leg may have been filled.
                check(told == net || self.just_filled(), || format!("told {told} contracts, there are {net}"))
            }
            Err(failure) => {
                let text = format!("{failure} {failure:?}");
                check(self.world.secret_in(&text).is_none(), || format!("a secret is told: {text}"))
            }
        }
    }

    fn just_filled(&self) -> bool {
        let since = self.world.clock.now().utc - 3 * SECOND;
        self.world.look(|exchange| exchange.trades(ACCOUNT, since, None).next().is_some())
    }

    fn net(&self) -> i64 {
        self.world.look(|exchange| {
            exchange.positions(ACCOUNT).iter().map(|position| position.side.sign() * position.size).sum()
        })
    }

    /// Finds out what became of every entry of which that is unknown.
    fn settle(&mut self) -> Checked {
        let asked = OrdersOf { account_id: ACCOUNT, start_timestamp: Stamp::of(0), end_timestamp: None };
        let orders = self
            .client
            .ask(&asked, Purpose::Look)
            .map_err(|failure| format!("no orders in quiet times: {failure}"))?;
        let trades = Trades { account_id: ACCOUNT, start_timestamp: Stamp::of(0), end_timestamp: None };
        let trades = self
            .client
            .ask(&trades, Purpose::Look)
            .map_err(|failure| format!("no trades in quiet times: {failure}"))?;
        for (tag, said) in self.entries.clone() {
            let found = orders.iter().find(|order| order.custom_tag.as_ref() == Some(&tag));
            let taken = found.filter(|order| order.status != OrderStatus::Rejected);
            let settled = taken.map_or(Said::Refused, |order| Said::Done(order.id));
            // What was taken may be rejected later: a market that is halted fills nothing.
            let rejected = found.is_some_and(|order| said == Said::Done(order.id) && order.filled() == 0);
            if said != Said::Unknown {
                check(settled == said || rejected, || format!("{tag}: was {said:?}, now found {settled:?}"))?;
            }
            self.compare(&tag, settled)?;
            if let Some(order) = taken {
                let filled: i64 =
                    trades.iter().filter(|trade| trade.order_id == order.id).map(|trade| trade.size).sum();
                check(filled == order.filled(), || {
                    format!("{tag}: {} filled, {filled} in trades", order.filled())
                })?;
            }
        }
        Ok(())
    }

    /// Closes first, cancels what is left, and looks again.
    fn flatten(&mut self) -> Checked {
        for _ in 0..10 {
            if self.net() != 0 {
                let _ = self.act(Close { account_id: ACCOUNT, contract_id: CONTRACT.into() })?;
            }
            self.world.run(SECOND);
            let left = self.ask_alive().map_err(|failure| format!("no answer in quiet times: {failure}"))?;
            if self.net() == 0 && left.is_empty() {
                return Ok(());
            }
            for order in left {
                if let Outcome::Refused(Refusal::Held { .. }) =
                    self.act(Cancel { account_id: ACCOUNT, order_id: order.id })?
                {
                    return Err("no call left for an exit".to_owned());
                }
            }
            self.world.run(SECOND);
        }
        Err(format!("{} contracts are left", self.net()))
    }
}
