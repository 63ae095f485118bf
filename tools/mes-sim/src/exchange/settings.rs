//! What can be set about the exchange and about an account of it. The defaults are what was measured of TopstepX.

use mes_core::{
    dice::Draw,
    money::Cents,
    time::{MILLI, SECOND},
};

/// A stretch of time that is drawn from, both ends included, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub least: i64,
    pub most: i64,
}

impl Span {
    /// Returns a span in tenths of a millisecond.
    pub const fn tenths_ms(least: i64, most: i64) -> Span {
        Span { least: least * MILLI / 10, most: most * MILLI / 10 }
    }

    /// Draws from it.
    pub fn draw(self, draw: &mut Draw) -> i64 {
        let width = (self.most - self.least).max(0) as usize;
        self.least + draw.below(width + 1) as i64
    }
}

/// How long things take at the exchange.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// From the taking of a limit or stop to its working.
    pub working: Span,
    /// From the taking of a market order to its fill.
    pub market_fill: Span,
    /// The same for what closes a position by its own call.
    pub close_fill: Span,
    /// From an entry's fill to its working bracket: the naked time.
    pub bracket: Span,
    /// From a leg's fill to the cancel of the other one: the time in which both can fill.
    pub sibling: Span,
    /// Between the parts of an order that fills in parts.
    pub part: Span,
}

impl Default for Timings {
    fn default() -> Timings {
        Timings {
            working: Span::tenths_ms(20, 40),
            market_fill: Span::tenths_ms(60, 90),
            close_fill: Span::tenths_ms(27, 35),
            bracket: Span::tenths_ms(100, 110),
            sibling: Span::tenths_ms(110, 140),
            part: Span::tenths_ms(50, 400),
        }
    }
}

/// How orders are matched.
#[derive(Clone, Copy, Debug)]
pub struct Matching {
    /// A limit fills when its price is traded, not only when it is traded through.
    pub touch: bool,
    /// Ticks that a stop slips: from, to.
    pub stop_slippage: (i64, i64),
    /// Ticks between the last trade and the fill of a market order where there is no quote.
    pub unquoted_slippage: i64,
    /// Orders of more than one contract fill in parts.
    pub parts: bool,
}

impl Default for Matching {
    fn default() -> Matching {
        Matching { touch: false, stop_slippage: (0, 2), unquoted_slippage: 1, parts: false }
    }
}

/// What holds for the whole exchange.
#[derive(Clone, Debug)]
pub struct Settings {
    pub seed: u64,
    pub timings: Timings,
    pub matching: Matching,
    /// Fee of the exchange and commission of the firm, per contract and side.
    pub fee: Cents,
    pub commission: Cents,
    /// Hours and the flattening at the end of the day are kept.
    pub hours: bool,
    /// From when before the firm's end of day no position may be opened.
    pub no_entries: i64,
    /// How long before it all is flattened.
    pub flattens: i64,
    /// Orders that an account may ever have: what bounds the memory.
    pub most_orders: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            seed: 1,
            timings: Timings::default(),
            matching: Matching::default(),
            fee: Cents(36),
            commission: Cents(25),
            hours: true,
            no_entries: 120 * SECOND,
            flattens: 10 * SECOND,
            most_orders: 500_000,
        }
    }
}

/// What the platform does about brackets on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// A pair for each entry, as the client asks for it
    AutoOco,
    /// The platform's own, one pair for a position; what a client asks for is refused
    PositionBrackets,
}

/// What becomes of resting legs when a part of a position is closed by another order. All three were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AfterPartial {
    /// All stay
    Left,
    /// Those of the entries that were closed are cancelled
    Exited,
    /// All are cancelled
    Group,
}

/// An account and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    pub id: i64,
    pub name: String,
    pub balance: Cents,
    pub mode: Mode,
    pub after_partial: AfterPartial,
    /// Contracts that may be open at once.
    pub most: i64,
    /// The firm's limits: of a day, and below the highest end of a day.
    pub daily_loss: Option<Cents>,
    pub max_loss: Option<Cents>,
    /// The trader's own: loss of a day, and fills in a day.
    pub own_loss: Option<Cents>,
    pub own_fills: Option<i64>,
    /// Equity that a contract takes.
    pub margin: Option<Cents>,
    /// What the platform attaches to every position in its own mode: ticks to the stop and to the target.
    pub attached: Option<(i64, i64)>,
}

impl Default for AccountSettings {
    fn default() -> AccountSettings {
        AccountSettings {
            id: 7,
            name: "PRAC-V2-1007-1".into(),
            balance: Cents(100_000),
            mode: Mode::AutoOco,
            after_partial: AfterPartial::Left,
            most: 50,
            daily_loss: None,
            max_loss: None,
            own_loss: None,
            own_fills: None,
            margin: None,
            attached: None,
        }
    }
}
