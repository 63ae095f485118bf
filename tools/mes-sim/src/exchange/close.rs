//! The two calls that close a position: each is a plain market order without a tag, and leaves resting legs as they are.

use mes_core::order::Side;

use super::{
    Exchange,
    agenda::Happening,
    instrument::Instrument,
    order::{Kind, Order, Role, Status},
    refusal::{Call, Refusal, Why},
};

impl Exchange {
    /// Closes all that is open in a contract.
    ///
    /// # Errors
    ///
    /// The refusal, as the service words it.
    pub fn close(&mut self, account: i64, contract: &str) -> Result<(), Refusal> {
        let done = self.try_close(account, contract, None, Call::Close);
        self.note_refused(Call::Close, account, &done);
        done
    }

    /// Closes so many contracts.
    ///
    /// # Errors
    ///
    /// The refusal, as the service words it.
    pub fn partial_close(&mut self, account: i64, contract: &str, size: i64) -> Result<(), Refusal> {
        let done = self.try_close(account, contract, Some(size), Call::PartialClose);
        self.note_refused(Call::PartialClose, account, &done);
        done
    }

    fn try_close(
        &mut self,
        account: i64,
        contract: &str,
        size: Option<i64>,
        call: Call,
    ) -> Result<(), Refusal> {
        let instrument = self.instrument(account, contract, call)?;
        let net = self.accounts[&account].net(instrument);
        if net == 0 {
            return Err(call.refuse(Why::NotFound));
        }
        let size = size.unwrap_or(net.abs());
        if size <= 0 || size > net.abs() {
            return Err(call.refuse(Why::CloseSize));
        }
        self.may_trade(account, true, call).map_err(|refusal| Refusal { message: None, ..refusal })?;
        let side = if net > 0 { Side::Sell } else { Side::Buy };
        let id = self.market_order(account, instrument, side, size, Role::Close);
        self.tell_order(id);
        let due = self.now + self.settings.timings.close_fill.draw(&mut self.draw);
        self.agenda.put(due, Happening::Enter { order: id });
        Ok(())
    }

    /// Keeps a new market order without a tag and returns its id.
    pub(super) fn market_order(
        &mut self,
        account: i64,
        instrument: Instrument,
        side: Side,
        size: i64,
        role: Role,
    ) -> i64 {
        let id = self.next_id();
        self.keep(Order {
            id,
            account,
            instrument,
            created: self.now,
            updated: self.now,
            status: Status::Pending,
            kind: Kind::Market,
            side,
            size,
            limit: None,
            stop: None,
            trail: None,
            filled: 0,
            paid: 0,
            tag: None,
            role,
        });
        id
    }

    /// Closes all that is open on an account, at once: the firm does not wait.
    pub(super) fn close_all(&mut self, account: i64) {
        let instruments: Vec<Instrument> = self.markets.iter().map(|market| market.instrument).collect();
        for instrument in instruments {
            // Each anew: the fill before may have broken a limit, which closes them all.
            let position = self.accounts.get(&account).and_then(|account| account.position(instrument));
            let Some(position) = position.cloned() else { continue };
            let side = position.side.opposite();
            let market = self.market_of(position.instrument);
            let price =
                market.and_then(|market| market.opposite(side, self.settings.matching.unquoted_slippage));
            let Some(price) = price else { continue };
            let size = position.size();
            let id = self.market_order(account, position.instrument, side, size, Role::House);
            self.tell_order(id);
            self.fill(id, size, price);
        }
    }
}
