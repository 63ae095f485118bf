//! The account as risk is told of it: a position is the sum of the fills told, cash is what they made of it.

use mes_core::{
    money::Cents,
    order::{ExitReason, Side},
    price::Price,
    statement::Fill,
};
use mes_projectx::wire::Trade;

/// Position, cost and cash of one cut.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub position: i64,
    /// What the open contracts were paid with, in ticks times contracts, signed as the position.
    paid: i64,
    pub balance: Cents,
    /// Since the statement before.
    pub fills: Vec<Fill>,
    /// Cash that nothing explains, since the statement before.
    pub adjusted: Cents,
}

impl Told {
    /// Begins flat, with so much cash.
    pub fn new(balance: Cents) -> Told {
        Told { balance, ..Told::default() }
    }

    /// Books a fill that `order` asked for. Where the service does not say its commission, `side_cost` of a contract
    /// counts.
    pub fn book(&mut self, trade: &Trade, order: Option<u64>, exit: Option<ExitReason>, side_cost: Cents) {
        let Some(side) = trade.side.known() else { return };
        let price = trade.price.ticks().unwrap_or_else(|| trade.price.floor_ticks());
        let fees = trade.fees.map_or(Cents::ZERO, |fees| fees.cents());
        let whole = side_cost * trade.size;
        let cost = trade.commissions.map_or(Cents(whole.0.max(fees.0)), |part| fees + part.cents());
        let gross = trade.profit_and_loss.map_or(Cents::ZERO, |gross| gross.cents());
        let signed = side.sign() * trade.size;
        self.paid = if self.position == 0 || (self.position > 0) == (signed > 0) {
            self.paid + price * signed
        } else if signed.abs() <= self.position.abs() {
            // The mean of what stays is as it was.
            self.paid * (self.position + signed) / self.position
        } else {
            price * (self.position + signed)
        };
        self.position += signed;
        self.balance += gross - cost;
        self.fills.push(Fill {
            ts: trade.creation_timestamp.ts(),
            order,
            side,
            contracts: trade.size,
            price: Price::from_ticks(price),
            slippage_ticks: None,
            spread_ticks: None,
            commission_cents: cost,
            gross_cents: gross,
            exit,
            ambiguous: None,
        });
    }

    /// Takes over what the exchange says is open where no fill explains it.
    pub fn put_right(&mut self, position: i64, at: Price) {
        self.paid = at.ticks() * position;
        self.position = position;
    }

    /// Takes over the balance of the exchange.
    pub fn adjust(&mut self, balance: Cents) {
        self.adjusted += balance - self.balance;
        self.balance = balance;
    }

    /// Returns the mean price of what is open, in points.
    pub fn entry_price(&self) -> Option<f64> {
        (self.position != 0).then(|| self.paid as f64 / self.position as f64 * mes_core::price::TICK)
    }

    /// Returns what the account has, marked at `close`, less what its exit will cost.
    pub fn equity(&self, close: Price, tick_value: Cents, side_cost: Cents) -> Cents {
        let open = close.ticks() * self.position - self.paid;
        self.balance + tick_value * open - side_cost * self.position.abs()
    }

    /// Returns the side that opened the position.
    pub fn side(&self) -> Side {
        Side::of(self.position)
    }
}
