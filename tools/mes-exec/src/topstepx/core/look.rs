//! Questions: what the exchange has, and whether that is what we know. It is asked at the start, after a gap of the hub,
//! after every unknown, where something is not heard of in time, and every minute.
//!
//! A look is some questions at once: the position and what may still fill; where something is in doubt also what was made
//! lately, and fills; now and then the balance. It agrees where no fill came meanwhile and the position is the one that
//! follows from orders and fills. Where two looks in a row, a second
//! apart, see the same difference, the exchange is right: the rest was somebody else, or is booked where nobody tells.

use mes_core::{
    money::Cents,
    price::Price,
    time::{HOUR, MILLI, SECOND},
};
use mes_projectx::{
    Purpose,
    wire::{OrderKind, Position},
};

use super::{
    Answer, Core, Request, Why,
    looks::{Look, Scope},
};
use crate::topstepx::{orders::Owner, told::Told};

/// How long what the hub says of the position may differ from what follows from orders and fills.
const DIFFERS: i64 = 300 * MILLI;
const DAY: i64 = 24 * HOUR;

impl Core {
    /// Says whether what is known is what the exchange has, as far as anything tells.
    pub(super) fn is_sure(&self) -> bool {
        !self.looks.doubted && self.differs.is_none() && self.orders.exposure() == self.told.position
    }

    pub(super) fn work_look(&mut self) {
        let now = self.now.steady;
        self.compare_with_the_hub(now);
        if now < self.looks.due(now) {
            return;
        }
        let urgent = std::mem::take(&mut self.looks.urgent);
        let scope = self.looks.wanted.take().unwrap_or(Scope::All);
        if scope == Scope::All {
            self.looks.all = now;
        }
        self.looks.tries += 1;
        self.looks.began = Some(now);
        let (account, since) = (self.setup.account, self.since(self.looks.from));
        // What opened a position that is found at the start may be as old as the day.
        let made = if self.starting { self.since(self.looks.from - DAY) } else { since };
        let mut questions = vec![Request::Positions { account }, Request::Alive { account }];
        let unheard = self.told.position != self.orders.exposure();
        if scope >= Scope::Past || unheard {
            questions.push(Request::Trades { account, since: made });
        }
        if scope >= Scope::Past {
            questions.push(Request::Recent { account, since: made });
        }
        if scope >= Scope::All {
            questions.push(Request::Account { account });
        }
        self.looks.look = Some(Look {
            began: self.now,
            scope,
            open: questions.len() as u32,
            failed: false,
            fills: self.orders.count(),
            exposure: self.orders.exposure(),
            position: None,
            paid: None,
            elsewhere: false,
            balance: None,
        });
        for question in questions {
            // The reserve is for what protects and closes, and for the questions that tell whether it has.
            // Before the first look nobody knows whether something is open.
            let second = matches!(question, Request::Recent { .. } | Request::Account { .. });
            let exit = self.starting || urgent && !second;
            self.call(if exit { Purpose::Exit } else { Purpose::Look }, question);
        }
    }

    /// Asks where the hub's position is another than what follows from orders and fills for longer than their events are
    /// apart.
    fn compare_with_the_hub(&mut self, now: i64) {
        let exposure = self.orders.exposure();
        let same = self.shown.is_none_or(|shown| shown == exposure) && self.told.position == exposure;
        if same {
            self.differs = None;
            return;
        }
        let since = *self.differs.get_or_insert(now);
        if now - since > DIFFERS {
            self.looks.want(true);
        }
    }

    /// Takes in an answer to a question that was asked then.
    pub(super) fn looked(&mut self, request: Request, answer: Answer, asked: i64) {
        let mut failed = false;
        let (mut position, mut paid, mut balance) = (None, None, None);
        match (request, answer) {
            (Request::Alive { .. }, Answer::Orders { orders }) => {
                for order in orders.iter().cloned() {
                    self.hear(order, Some(asked));
                }
                self.orders.only_alive(&orders, asked);
                self.see_foreign(&orders);
            }
            (Request::Recent { .. }, Answer::Orders { orders }) => {
                for order in orders {
                    self.hear(order, Some(asked));
                }
            }
            (Request::Trades { .. }, Answer::Trades { mut trades }) => {
                trades.sort_by_key(|trade| trade.id);
                trades.into_iter().for_each(|trade| self.hear_trade(trade));
            }
            (Request::Positions { .. }, Answer::Positions { positions }) => {
                position = Some(self.position_of(&positions));
                paid = positions.iter().find(|one| one.contract_id == self.setup.contract).map(average);
            }
            (Request::Account { .. }, Answer::Account { account: Some(account) }) => {
                self.account(account.can_trade);
                balance = Some(account.balance.cents());
            }
            (_, Answer::Refused { why: Why::Later { ms }, .. }) => {
                let wait = i64::try_from(ms).unwrap_or(1_000).min(5_000) * MILLI;
                self.looks.not_before = self.looks.not_before.max(self.now.steady + wait);
                failed = true;
            }
            _ => failed = true,
        }
        let Some(look) = &mut self.looks.look else { return };
        look.failed |= failed;
        look.open -= 1;
        (look.balance, look.paid) = (look.balance.or(balance), look.paid.or(paid));
        if let Some((contracts, elsewhere)) = position {
            (look.position, look.elsewhere) = (contracts, elsewhere);
        }
        if look.open == 0 {
            self.end_look();
        }
    }

    /// Returns the contracts that are open in ours, and whether something is open elsewhere.
    fn position_of(&self, positions: &[Position]) -> (Option<i64>, bool) {
        let (ours, others): (Vec<_>, Vec<_>) =
            positions.iter().partition(|position| position.contract_id == self.setup.contract);
        let contracts = ours.iter().map(|position| position.contracts()).sum::<Option<i64>>();
        (contracts, others.iter().any(|position| position.size != 0))
    }

    /// Sees whether somebody else has orders on the account. A close has no tag, and is nobody else's while we close.
    fn see_foreign(&mut self, alive: &[mes_projectx::wire::Order]) {
        let foreign = alive.iter().any(|order| {
            let ours =
                self.orders.get(order.id).is_some_and(|known| matches!(known.owner, Owner::Ours { .. }));
            let close = self.closing.is_some() && order.kind == OrderKind::Market;
            !ours && !close
        });
        if foreign && !self.foreign {
            self.alert("an order on the account is not ours: no entries until it is gone".into());
        }
        self.foreign = foreign;
    }

    fn end_look(&mut self) {
        let Some(look) = self.looks.look.take() else { return };
        let now = self.now.steady;
        let (Some(shown), false) = (look.position, look.failed) else {
            return self.looks.wanted = self.looks.wanted.max(Some(look.scope));
        };
        self.looks.answered = Some(look.began.steady);
        self.looks.shows = shown;
        if look.scope >= Scope::Past {
            self.looks.past = Some(look.began.steady);
            self.entry_looked_for(look.began.steady);
        }
        if look.elsewhere && !self.elsewhere {
            self.alert(
                "a position in another contract is open on the account: no entries until it is closed".into(),
            );
        }
        self.elsewhere = look.elsewhere;
        let moved = look.fills != self.orders.count() || look.exposure != self.orders.exposure();
        if self.starting {
            return if moved { self.looks.want_all() } else { self.start(shown, &look) };
        }
        let exposure = self.orders.exposure();
        if shown != exposure || self.told.position != exposure {
            return self.disagrees(shown, exposure, now);
        }
        self.looks.difference = None;
        self.shown = Some(shown);
        if moved {
            // It agrees with what came meanwhile: the next one says whether that was all.
            self.looks.want(false);
        }
        self.looks.agreed = Some(look.began.steady);
        self.looks.agreed_utc = Some(look.began.utc);
        self.looks.tries = 0;
        if look.scope >= Scope::Past {
            self.looks.from = look.began.utc;
            self.looks.doubted = false;
        } else if self.looks.doubted {
            self.looks.want(true);
        }
        if !moved && let Some(balance) = look.balance {
            self.count_cash(balance);
        }
    }

    /// Takes up what the first look saw: from here on everything is a change of it.
    fn start(&mut self, shown: i64, look: &Look) {
        let Some(balance) = look.balance else { return self.looks.want_all() };
        self.starting = false;
        self.orders.put_right(shown);
        self.told = Told::new(balance);
        if shown != 0 {
            self.told.put_right(shown, look.paid.unwrap_or_default());
            self.take_up();
            self.held = !self.is_ours() && !self.setup.adopt;
        }
        self.orders.grow_old();
        self.looks.doubted = false;
        self.looks.tries = 0;
        (self.looks.agreed, self.looks.agreed_utc) = (Some(look.began.steady), Some(look.began.utc));
        self.looks.from = look.began.utc;
        self.shown = Some(shown);
    }

    /// Takes the exchange's word where it says the same thing twice, a second apart.
    fn disagrees(&mut self, shown: i64, exposure: i64, now: i64) {
        self.looks.want(true);
        match self.looks.difference {
            Some((before, ours, since)) if (before, ours) == (shown, exposure) => {
                if now - since < SECOND {
                    return;
                }
                self.alert(format!(
                    "the exchange shows {shown} contracts, and orders and fills come to {exposure}: it is right"
                ));
                self.orders.put_right(shown);
                let at = self.row.or(self.quote.map(|(bid, _, _)| bid)).unwrap_or_default();
                self.told.put_right(shown, at);
                self.shown = Some(shown);
                self.looks.difference = None;
            }
            _ => self.looks.difference = Some((shown, exposure, now)),
        }
    }

    /// Compares cash with the balance, where nothing was filled meanwhile: what two looks in a row see is so.
    fn count_cash(&mut self, balance: Cents) {
        if balance == self.told.balance {
            self.looks.cash = None;
        } else if self.looks.cash == Some(balance) {
            let (ours, theirs) = (self.told.balance, balance);
            self.alert(format!(
                "the balance is {theirs}, and the fills come to {ours}: the exchange is right"
            ));
            self.told.adjust(balance);
            self.looks.cash = None;
        } else {
            self.looks.cash = Some(balance);
            self.looks.wanted = Some(Scope::All);
        }
    }
}

/// Returns the tick nearest to what a position was paid with.
fn average(position: &Position) -> Price {
    Price::nearest(position.average_price.nearest())
}
