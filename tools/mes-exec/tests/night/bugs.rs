//! Mistakes that programs like this one were seen to make, planted between the core and the wire: each has to be caught by
//! the invariant that it breaks, or the nights prove nothing.

use std::collections::{BTreeMap, BTreeSet};

use mes_core::time::{MILLI, Ts};
use mes_exec::topstepx::event::{Answer, Event, Request};
use mes_projectx::{
    Purpose,
    hub::UserEvent,
    wire::{Cancel, Order, OrderKind, Place, Side},
};

use crate::world::{ACCOUNT, CONTRACT};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// An entry that was not answered is sent again.
    PlaceRepeated,
    /// Legs are those whose ids follow on their entry's.
    LegsByIds,
    /// A record of an order counts where its stamp is later.
    StampsForOrder,
    /// Legs are cancelled, then the position is closed.
    CancelFirst,
    /// An exit waits until every entry is acknowledged.
    SeenAsAcknowledged,
    /// The day's end is looked at when a row comes.
    FlatByOnRows,
    /// A list that did not come is an empty one.
    AbsentAsEmpty,
    /// A close is sent once.
    CloseOnce,
    /// Legs are left to the exchange.
    NoSweep,
    /// A position without a stop is left to the exchange.
    NoOwnStop,
    /// A position is closed by an order against what it was.
    ExitByOrder,
    /// What comes twice counts twice.
    DoubledFills,
    /// Fees are not fills' cost.
    NoFees,
    /// A quote is fresh because time has passed.
    QuoteByTimer,
}

impl Bug {
    /// All of them, and what each is caught by.
    pub const ALL: [(Bug, &str); 14] = [
        (Bug::PlaceRepeated, "was filled with"),
        (Bug::LegsByIds, "are left at the exchange"),
        (Bug::StampsForOrder, "stops for"),
        (Bug::CancelFirst, "had 0 stops"),
        (Bug::SeenAsAcknowledged, "not flat"),
        (Bug::FlatByOnRows, "after the day's end"),
        (Bug::AbsentAsEmpty, "are left at the exchange"),
        (Bug::CloseOnce, "not flat"),
        (Bug::NoSweep, "not flat"),
        (Bug::NoOwnStop, "stops for"),
        (Bug::ExitByOrder, "contracts are open"),
        (Bug::DoubledFills, "it was said"),
        (Bug::NoFees, "it was said"),
        (Bug::QuoteByTimer, "an entry on a quote"),
    ];
}

/// What is asked for, and how much later than it was.
pub struct Asked {
    pub after: i64,
    pub call: u64,
    pub purpose: Purpose,
    pub request: Request,
}

/// What the mistakes remember.
#[derive(Default)]
pub struct Bugs {
    entries: BTreeMap<u64, Place>,
    again: Vec<Place>,
    legs: BTreeSet<i64>,
    parents: BTreeMap<i64, String>,
    stamps: BTreeMap<i64, Ts>,
    closed: bool,
    waiting: BTreeSet<u64>,
    questions: BTreeMap<u64, bool>,
    position: i64,
    next: u64,
    quote: Option<Event>,
    timed: Ts,
}

impl Bugs {
    /// Makes of what was heard what such a program makes of it.
    pub fn events(&mut self, bug: Option<Bug>, events: Vec<Event>, now: Ts) -> Vec<Event> {
        let Some(bug) = bug else { return events };
        let mut heard = Vec::new();
        for event in events {
            self.hear(bug, event, &mut heard);
        }
        if bug == Bug::QuoteByTimer && now - self.timed > 500 * MILLI {
            self.timed = now;
            heard.extend(self.quote.clone());
        }
        heard
    }

    fn hear(&mut self, bug: Bug, event: Event, heard: &mut Vec<Event>) {
        match event {
            Event::Quote { .. } => {
                self.quote = Some(event.clone());
                heard.push(event);
            }
            Event::User { user } => self.hear_user(bug, user, heard),
            Event::Answer { call, answer } => {
                let answer = self.answered(bug, call, answer);
                heard.push(Event::Answer { call, answer });
            }
            other => heard.push(other),
        }
    }

    fn hear_user(&mut self, bug: Bug, user: UserEvent, heard: &mut Vec<Event>) {
        let user = match (bug, user) {
            (Bug::LegsByIds | Bug::StampsForOrder, UserEvent::Order(order)) => {
                let Some(order) = self.order(bug, *order) else { return };
                UserEvent::Order(Box::new(order))
            }
            (Bug::DoubledFills, UserEvent::Trade(trade)) => {
                let mut twice = trade.clone();
                twice.id += 1 << 40;
                heard.push(Event::User { user: UserEvent::Trade(twice) });
                UserEvent::Trade(trade)
            }
            (Bug::NoFees, UserEvent::Trade(mut trade)) => {
                (trade.fees, trade.commissions) = (None, Some(Default::default()));
                UserEvent::Trade(trade)
            }
            (_, UserEvent::Position(position)) => {
                self.position = position.contracts().unwrap_or(0);
                UserEvent::Position(position)
            }
            (_, user) => user,
        };
        heard.push(Event::User { user });
    }

    fn order(&mut self, bug: Bug, mut order: Order) -> Option<Order> {
        if bug == Bug::StampsForOrder {
            let stamp = order.update_timestamp.map_or(0, |stamp| stamp.ts());
            let before = self.stamps.insert(order.id, stamp);
            return before.is_none_or(|before| stamp > before).then_some(order);
        }
        if let Some(tag) = order.custom_tag.clone().filter(|_| order.parent_order_id.is_none()) {
            self.parents.insert(order.id, tag);
        }
        if order.parent_order_id.take().is_some() {
            let of = |before| self.parents.get(&(order.id - before));
            let leg = of(1).map(|tag| format!("{tag}-SL")).or(of(2).map(|tag| format!("{tag}-TP")));
            order.custom_tag = leg;
        }
        Some(order)
    }

    fn answered(&mut self, bug: Bug, call: u64, answer: Answer) -> Answer {
        let unknown = matches!(answer, Answer::Unknown { .. });
        if bug == Bug::PlaceRepeated && unknown {
            self.again.extend(self.entries.remove(&call));
        }
        if !unknown {
            self.waiting.remove(&call);
        }
        match (bug, answer) {
            (Bug::AbsentAsEmpty, Answer::Unknown { .. } | Answer::Refused { .. })
                if self.questions.contains_key(&call) =>
            {
                if self.questions.get(&call) == Some(&true) {
                    Answer::Positions { positions: Vec::new() }
                } else {
                    Answer::Orders { orders: Vec::new() }
                }
            }
            (Bug::LegsByIds | Bug::StampsForOrder, Answer::Orders { orders }) => Answer::Orders {
                orders: orders.into_iter().filter_map(|order| self.order(bug, order)).collect(),
            },
            (Bug::NoFees, Answer::Trades { mut trades }) => {
                for trade in &mut trades {
                    (trade.fees, trade.commissions) = (None, Some(Default::default()));
                }
                Answer::Trades { trades }
            }
            (_, answer) => answer,
        }
    }

    /// Makes of what is asked for what such a program would ask for.
    pub fn asks(&mut self, bug: Option<Bug>, asked: Vec<(u64, Purpose, Request)>) -> Vec<Asked> {
        let mut asks = Vec::new();
        for (call, purpose, request) in asked {
            match bug {
                Some(bug) => self.ask(bug, Asked { after: 0, call, purpose, request }, &mut asks),
                None => asks.push(Asked { after: 0, call, purpose, request }),
            }
        }
        for mut place in std::mem::take(&mut self.again) {
            place.custom_tag = place.custom_tag.map(|tag| format!("{tag}.m"));
            let request = Request::Place { place: Box::new(place), entry: false };
            asks.push(Asked { after: 0, call: self.number(), purpose: Purpose::Trade, request });
        }
        asks
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        (1 << 40) + self.next
    }

    fn ask(&mut self, bug: Bug, mut ask: Asked, asks: &mut Vec<Asked>) {
        let is_close = matches!(ask.request, Request::Close { .. });
        match &ask.request {
            Request::Positions { .. } => drop(self.questions.insert(ask.call, true)),
            Request::Alive { .. } | Request::Recent { .. } => drop(self.questions.insert(ask.call, false)),
            Request::Place { place, entry: true } => {
                self.entries.insert(ask.call, (**place).clone());
                self.waiting.insert(ask.call);
                self.closed = false;
            }
            _ => {}
        }
        match bug {
            Bug::CancelFirst if is_close => {
                for id in std::mem::take(&mut self.legs) {
                    let request = Request::Cancel { cancel: Cancel { account_id: ACCOUNT, order_id: id } };
                    asks.push(Asked { after: 0, call: self.number(), purpose: Purpose::Exit, request });
                }
                ask.after = 600 * MILLI;
            }
            Bug::SeenAsAcknowledged if is_close && !self.waiting.is_empty() => return,
            Bug::CloseOnce if is_close && std::mem::replace(&mut self.closed, true) => return,
            Bug::NoSweep if matches!(ask.request, Request::Cancel { .. }) => return,
            Bug::NoOwnStop if is_own_stop(&ask.request) => return,
            Bug::ExitByOrder if is_close && self.position != 0 => {
                let side = if self.position > 0 { Side::Ask } else { Side::Bid };
                let tag = format!("exit-{}", self.number());
                let place = Place::market(ACCOUNT, CONTRACT, side, self.position.abs(), tag);
                ask.request = Request::Place { place: Box::new(place), entry: false };
            }
            _ => {}
        }
        asks.push(ask);
    }

    /// Remembers which legs work.
    pub fn see_legs(&mut self, legs: impl Iterator<Item = i64>) {
        self.legs = legs.collect();
    }
}

fn is_own_stop(request: &Request) -> bool {
    matches!(request, Request::Place { place, entry: false } if place.kind == OrderKind::Stop)
}
