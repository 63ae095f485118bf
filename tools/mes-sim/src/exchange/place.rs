//! Placing an order: what is checked, in which order, and what is said about it.

use std::sync::Arc;

use mes_core::order::Side;
use mes_projectx::wire::Decimal;

use super::{
    Exchange, Phase,
    agenda::Happening,
    event::Event,
    instrument::Instrument,
    order::{Kind, Order, Role, Status},
    refusal::{Call, Refusal, Why, words},
    settings::Mode,
};

/// Ticks that a stop may lie from its entry at least, and anything at most.
const LEAST_STOP: i64 = 4;
const MOST_TICKS: i64 = 100_000;
/// What a trailing stop may lie away.
const MOST_TRAIL: i64 = 1_000;
/// What the tags of legs end with.
pub(super) const STOP_SUFFIX: &str = "-SL";
pub(super) const TARGET_SUFFIX: &str = "-TP";
/// Orders that an account may have beyond its number where they are exits.
const ROOM_FOR_EXITS: usize = 10_000;
/// The share of the last price, in hundredths, within which prices are taken.
const BAND: i64 = 15;

/// A leg that is asked for with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    pub ticks: i64,
    /// The number of an order's kind.
    pub kind: i64,
}

/// A request for an order, as it came: kinds and prices may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub account: i64,
    pub contract: String,
    pub kind: i64,
    pub side: Side,
    pub size: i64,
    pub limit: Option<Decimal>,
    pub stop: Option<Decimal>,
    pub trail: Option<Decimal>,
    pub tag: Option<String>,
    pub stop_loss: Option<Bracket>,
    pub take_profit: Option<Bracket>,
}

/// What a valid order waits for.
struct Terms {
    kind: Kind,
    limit: Option<i64>,
    stop: Option<i64>,
    trail: Option<i64>,
}

impl Exchange {
    /// Places an order and returns its id. One that is not valid is kept as rejected, and its tag is used.
    ///
    /// # Errors
    ///
    /// The refusal, as the service words it.
    pub fn place(&mut self, place: &Place) -> Result<i64, Refusal> {
        let taken = self.try_place(place);
        if let Err(refusal) = &taken {
            let Refusal { code, message, .. } = refusal.clone();
            let (account, tag) = (place.account, place.tag.clone());
            self.tell(Event::Refused { call: Call::Place, account, code, message, tag });
        }
        taken
    }

    fn try_place(&mut self, place: &Place) -> Result<i64, Refusal> {
        let call = Call::Place;
        let instrument = self.instrument(place.account, &place.contract, call)?;
        let exits = self.is_exit(place.account, instrument, place.side, place.size);
        self.may_trade(place.account, exits, call)?;
        if !self.is_active(instrument) && !exits {
            return Err(call.refuse(Why::NotActive));
        }
        if self.uses_a_tag_again(place) {
            return Err(call.because(Why::Invalid, words::TAG));
        }
        // From here on a refusal is an order that was rejected.
        let terms = self.terms(instrument, place);
        let terms = terms.and_then(|terms| self.check_brackets(place).map(|()| terms));
        let terms = terms.and_then(|terms| self.check_size(instrument, place, exits).map(|()| terms));
        match terms {
            Ok(terms) => Ok(self.accept(instrument, place, &terms)),
            Err(refusal) => {
                let id = self.reject(instrument, place);
                Err(Refusal { order: Some(id), ..refusal })
            }
        }
    }

    /// Says whether an order, or a leg of it, would bear a tag that another one had.
    fn uses_a_tag_again(&self, place: &Place) -> bool {
        let used = |tag: &str| self.accounts[&place.account].tags.contains(tag);
        let Some(tag) = &place.tag else { return false };
        let leg = |bracket: Option<Bracket>, suffix| bracket.is_some() && used(&format!("{tag}{suffix}"));
        used(tag) || leg(place.stop_loss, STOP_SUFFIX) || leg(place.take_profit, TARGET_SUFFIX)
    }

    /// Finds account and contract.
    pub(super) fn instrument(&self, account: i64, contract: &str, call: Call) -> Result<Instrument, Refusal> {
        if !self.accounts.contains_key(&account) {
            return Err(call.refuse(Why::NoAccount));
        }
        let known = self.markets.iter().map(|market| market.instrument).find(|known| known.id() == contract);
        known.ok_or_else(|| call.refuse(Why::NoContract))
    }

    /// Says whether an order can only make the position smaller.
    fn is_exit(&self, account: i64, instrument: Instrument, side: Side, size: i64) -> bool {
        let net = self.accounts.get(&account).map_or(0, |account| account.net(instrument));
        net * side.sign() < 0 && size <= net.abs()
    }

    /// Checks what holds for any order of an account now.
    pub(super) fn may_trade(&mut self, account: i64, exits: bool, call: Call) -> Result<(), Refusal> {
        let phase = self.phase();
        let Some(account) = self.accounts.get(&account) else { return Err(call.refuse(Why::NoAccount)) };
        match account.lock {
            Some(super::account::Lock::Dead) => return Err(call.refuse(Why::AccountRejected)),
            Some(super::account::Lock::Day) => return Err(call.refuse(Why::Violation)),
            None => {}
        }
        match phase {
            Phase::Closed => return Err(call.refuse(Why::Hours)),
            Phase::Shut | Phase::Halted => return Err(call.because(Why::Invalid, words::STATUS)),
            Phase::Exits if !exits => return Err(call.refuse(Why::Hours)),
            Phase::Exits | Phase::Open => {}
        }
        if !exits && account.settings.own_fills.is_some_and(|most| account.day_fills >= most) {
            return Err(call.refuse(Why::Violation));
        }
        // An exit has room beyond: nobody is to be shut in.
        let most_orders = self.settings.most_orders.saturating_add(if exits { ROOM_FOR_EXITS } else { 0 });
        if account.orders >= most_orders {
            return Err(
                call.because(Why::Invalid, "This practice account has had all the orders it may have.")
            );
        }
        Ok(())
    }

    fn terms(&self, instrument: Instrument, place: &Place) -> Result<Terms, Refusal> {
        let invalid = |message: &str| Call::Place.because(Why::Invalid, message);
        if place.size <= 0 {
            return Err(invalid(words::SIZE));
        }
        let market = self.market_of(instrument);
        let last = market.and_then(|market| market.last);
        let need = |price: Option<Decimal>| price.ok_or_else(|| invalid(words::RANGE));
        let mut terms = Terms { kind: Kind::Market, limit: None, stop: None, trail: None };
        match place.kind {
            2 => {}
            1 => {
                terms.kind = Kind::Limit;
                terms.limit = Some(self.level(instrument, need(place.limit)?, Call::Place)?);
            }
            4 => {
                terms.kind = Kind::Stop;
                let stop = self.level(instrument, need(place.stop)?, Call::Place)?;
                self.check_stop(instrument, place.side, stop, Call::Place)?;
                terms.stop = Some(stop);
            }
            5 => {
                terms.kind = Kind::TrailingStop;
                let trail = place.trail.ok_or_else(|| invalid(words::NO_TRAIL))?;
                let level = trail.ticks().ok_or_else(|| invalid(words::TRAIL_ALIGNED))?;
                let last = last.ok_or_else(|| invalid(words::NO_LAST))?;
                let distance = last.saturating_sub(level).saturating_abs();
                if distance > MOST_TRAIL {
                    return Err(invalid(words::FAR_TRAIL));
                }
                (terms.trail, terms.stop) =
                    (Some(distance), Some(last - place.side.opposite().sign() * distance));
            }
            6 | 7 => {
                terms.kind = Kind::Limit;
                let quote = market.and_then(|market| if place.kind == 6 { market.bid } else { market.ask });
                terms.limit = Some(quote.ok_or_else(|| invalid(words::STATUS))?);
            }
            _ => return Err(invalid("Invalid order type.")),
        }
        Ok(terms)
    }

    /// Reads a price: on the grid, and within a band around the last one.
    pub(super) fn level(&self, instrument: Instrument, price: Decimal, call: Call) -> Result<i64, Refusal> {
        let level = price.ticks().ok_or_else(|| call.because(Why::Invalid, words::ALIGNED))?;
        let last = self.market_of(instrument).and_then(|market| market.last);
        let within = match last {
            Some(last) => (level - last).abs() <= last * BAND / 100,
            None => (1..=4_000_000).contains(&level),
        };
        if within { Ok(level) } else { Err(call.because(Why::Invalid, words::RANGE)) }
    }

    /// A stop lies beyond the last price.
    pub(super) fn check_stop(
        &self,
        instrument: Instrument,
        side: Side,
        stop: i64,
        call: Call,
    ) -> Result<(), Refusal> {
        let last = self.market_of(instrument).and_then(|market| market.last);
        match last {
            Some(last) if (stop - last) * side.sign() <= 0 => Err(call.because(Why::Invalid, words::RANGE)),
            _ => Ok(()),
        }
    }

    fn check_brackets(&self, place: &Place) -> Result<(), Refusal> {
        let invalid = |message: String| Err(Call::Place.because(Why::Invalid, message));
        if place.stop_loss.is_none() && place.take_profit.is_none() {
            return Ok(());
        }
        let mode = self.accounts[&place.account].settings.mode;
        if mode == Mode::PositionBrackets || self.conditions.no_brackets {
            return invalid(words::MODE.to_owned());
        }
        let long = place.side == Side::Buy;
        if let Some(Bracket { ticks, kind }) = place.stop_loss {
            if !matches!(kind, 4 | 5) {
                return invalid(format!("Invalid stop loss type ({})", kind_name(kind)));
            }
            let said = |what: &str| invalid(format!("Invalid stop loss ticks ({ticks}). {what}"));
            if !(-MOST_TICKS..=MOST_TICKS).contains(&ticks) {
                return invalid(words::RANGE.to_owned());
            }
            match ticks * place.side.sign() {
                _ if kind == 5 && ticks.abs() > MOST_TRAIL => return invalid(words::FAR_TRAIL.to_owned()),
                1.. if long => return said("Ticks should be less than zero when longing."),
                away if away > -LEAST_STOP => {
                    return said("Stop loss tick value should be at least 4 ticks.");
                }
                _ => {}
            }
        }
        if let Some(Bracket { ticks, kind }) = place.take_profit {
            if kind != 1 {
                return invalid(format!("Invalid take profit type ({})", kind_name(kind)));
            }
            let way = if long { "greater than zero when longing" } else { "less than zero when going short" };
            if !(-MOST_TICKS..=MOST_TICKS).contains(&ticks) {
                return invalid(words::RANGE.to_owned());
            }
            if ticks * place.side.sign() <= 0 {
                return invalid(format!("Invalid take profit ticks ({ticks}). Ticks should be {way}."));
            }
        }
        Ok(())
    }

    /// Makes an order of a request.
    fn of_request(&self, id: i64, instrument: Instrument, place: &Place, terms: &Terms) -> Order {
        Order {
            id,
            account: place.account,
            instrument,
            created: self.now,
            updated: self.now,
            status: Status::Pending,
            kind: terms.kind,
            side: place.side,
            size: place.size,
            limit: terms.limit,
            stop: terms.stop,
            trail: terms.trail,
            filled: 0,
            paid: 0,
            tag: place.tag.as_deref().map(Arc::from),
            role: Role::Plain,
        }
    }

    fn accept(&mut self, instrument: Instrument, place: &Place, terms: &Terms) -> i64 {
        let id = self.next_id();
        let mut order = self.of_request(id, instrument, place, terms);
        self.use_tag(place.account, order.tag.clone());
        let legs = self.suspend_legs(&mut order, place);
        let takes = if self.is_immediate(&order) {
            self.settings.timings.market_fill
        } else {
            self.settings.timings.working
        };
        self.keep(order);
        // A child is heard of before its parent.
        let (first, rest) = legs.split_at(legs.len().min(1));
        first.iter().for_each(|leg| self.tell_order(*leg));
        self.tell_order(id);
        rest.iter().for_each(|leg| self.tell_order(*leg));
        let due = self.now + takes.draw(&mut self.draw);
        self.agenda.put(due, Happening::Enter { order: id });
        id
    }

    fn reject(&mut self, instrument: Instrument, place: &Place) -> i64 {
        let id = self.next_id();
        let kind = match place.kind {
            1 | 6 | 7 => Kind::Limit,
            4 => Kind::Stop,
            5 => Kind::TrailingStop,
            _ => Kind::Market,
        };
        let ticks = |price: Option<Decimal>| price.and_then(Decimal::ticks);
        let terms = Terms { kind, limit: ticks(place.limit), stop: ticks(place.stop), trail: None };
        let order = Order { status: Status::Rejected, ..self.of_request(id, instrument, place, &terms) };
        self.use_tag(place.account, order.tag.clone());
        self.keep(order);
        self.tell_order(id);
        id
    }

    pub(super) fn use_tag(&mut self, account: i64, tag: Option<Arc<str>>) {
        if let (Some(account), Some(tag)) = (self.accounts.get_mut(&account), tag) {
            account.tags.insert(tag);
        }
    }
}

/// Names a kind by its number, as the service does.
fn kind_name(kind: i64) -> &'static str {
    match kind {
        1 => "Limit",
        2 => "Market",
        3 => "StopLimit",
        4 => "Stop",
        5 => "TrailingStop",
        6 => "JoinBid",
        7 => "JoinAsk",
        _ => "Unknown",
    }
}
