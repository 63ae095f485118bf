//! One foreign row as one of ours.

use mes_core::{bar::Bar, order::Side, symbol::Symbol, tick::Tick, time::Ts};

use super::{
    dialect::{BarsOf, Dialect, Scale},
    header::Header,
    lines::Fields,
    when::Clock,
};

/// A value that is there, or empty, or says why it cannot be read.
pub type Read<T> = std::result::Result<T, String>;

/// The values of one foreign row by the place of their column.
pub trait Cells {
    fn text(&self, at: usize) -> Read<Option<&str>>;
    fn time(&self, at: usize, clock: &Clock) -> Read<Option<Ts>>;
    fn price(&self, at: usize, name: &str) -> Read<Option<f64>>;
    fn count(&self, at: usize, name: &str) -> Read<Option<i64>>;
}

/// One of our columns and where it is.
#[derive(Clone, Copy)]
struct Pick {
    name: &'static str,
    at: Option<usize>,
}

macro_rules! picks {
    ($($name:ident)*) => {
        /// Where all columns are, looked up once.
        struct Picks { $($name: Pick),* }

        impl Picks {
            fn of(header: &Header) -> Picks {
                Picks { $($name: Pick { name: stringify!($name), at: header.place(stringify!($name)) }),* }
            }
        }
    };
}

picks!(ts date time open high low close volume buy_volume sell_volume trades bid ask bid_size ask_size ofi vwap age_ms
       price size side symbol net_volume instrument_id action rtype);

/// What Databento calls the records that sample a quote: their price is that of the last trade, once more in each.
const SAMPLES: [i64; 2] = [0xc3, 0xc4];

/// Makes rows from cells.
pub struct Maker {
    picks: Picks,
    pub clock: Clock,
    bars_of: Option<BarsOf>,
    symbol: Symbol,
    /// Of rows that tell none.
    volume: Option<i64>,
    /// The only instrument that there may be where rows name it by a number.
    instrument: Option<i64>,
    /// Rows whose signed volume does not fit their volume, so that neither side's is known.
    pub unfit: u64,
    /// Rows whose volume is made up.
    pub made_up: u64,
}

impl Maker {
    /// Makes rows from columns that are taken for what `header` says.
    pub fn new(header: &Header, dialect: &Dialect) -> Maker {
        Maker {
            picks: Picks::of(header),
            clock: dialect.clock(),
            bars_of: dialect.bars_of,
            symbol: dialect.symbol.or_else(|| "MES".parse().ok()).unwrap_or_default(),
            volume: dialect.volume,
            instrument: None,
            unfit: 0,
            made_up: 0,
        }
    }

    /// Returns what a row tells, or what is said of all rows that tell nothing.
    fn or_made_up(&mut self, told: Option<i64>) -> Option<i64> {
        self.made_up += u64::from(told.is_none() && self.volume.is_some());
        told.or(self.volume)
    }

    /// Reads a bar; its time is still that of the table.
    pub fn bar(&mut self, cells: &impl Cells) -> Read<Bar<f64>> {
        self.one_instrument(cells)?;
        let told = count(cells, self.picks.volume)?;
        let volume = needed(self.picks.volume, self.or_made_up(told))?;
        let picks = &self.picks;
        let price = |pick: Pick| needed(pick, price(cells, pick)?);
        let [open, high, low, close] = match self.bars_of {
            None => [price(picks.open)?, price(picks.high)?, price(picks.low)?, price(picks.close)?],
            Some(BarsOf::Close) => [price(picks.close)?; 4],
            Some(BarsOf::Bid) => [price(picks.bid)?; 4],
            Some(BarsOf::Ask) => [price(picks.ask)?; 4],
            Some(BarsOf::Mid) => [(price(picks.bid)? + price(picks.ask)?) / 2.0; 4],
        };
        let (buy_volume, sell_volume) = match count(cells, picks.net_volume)? {
            None => (count(cells, picks.buy_volume)?, count(cells, picks.sell_volume)?),
            Some(net) if net.abs() <= volume && (volume - net) % 2 == 0 => {
                (Some((volume + net) / 2), Some((volume - net) / 2))
            }
            Some(_) => {
                self.unfit += 1;
                (None, None)
            }
        };
        Ok(Bar {
            ts: self.ts(cells)?,
            open,
            high,
            low,
            close,
            volume,
            buy_volume,
            sell_volume,
            trades: count(cells, picks.trades)?,
            bid: self::price(cells, picks.bid)?,
            ask: self::price(cells, picks.ask)?,
            bid_size: count(cells, picks.bid_size)?,
            ask_size: count(cells, picks.ask_size)?,
            ofi: count(cells, picks.ofi)?,
            vwap: self::price(cells, picks.vwap)?,
            age_ms: count(cells, picks.age_ms)?,
            seg: 0,
            symbol: self.symbol(cells)?,
        })
    }

    /// Reads a tick.
    pub fn tick(&mut self, cells: &impl Cells) -> Read<Tick> {
        self.one_instrument(cells)?;
        let picks = &self.picks;
        // Records of a book that are no trades change only the quote.
        let sample =
            picks.rtype.at.is_some() && count(cells, picks.rtype)?.is_some_and(|t| SAMPLES.contains(&t));
        let trade = !sample && text(cells, picks.action)?.is_none_or(|action| action == "T");
        let mut tick = Tick {
            ts: self.ts(cells)?,
            price: None,
            size: None,
            side: None,
            bid: price(cells, picks.bid)?,
            ask: price(cells, picks.ask)?,
            bid_size: count(cells, picks.bid_size)?,
            ask_size: count(cells, picks.ask_size)?,
            symbol: self.symbol(cells)?,
        };
        if trade {
            tick.price = price(cells, picks.price)?;
            tick.side = side(text(cells, picks.side)?)?;
            let told = count(cells, picks.size)?;
            tick.size = if tick.price.is_some() { self.or_made_up(told) } else { told };
        }
        Ok(tick)
    }

    fn ts(&self, cells: &impl Cells) -> Read<Ts> {
        if let Some(at) = self.picks.ts.at {
            return cells.time(at, &self.clock)?.ok_or_else(|| "no time".to_owned());
        }
        let part = |pick| text(cells, pick)?.ok_or_else(|| "no time".to_owned());
        self.clock.read_pair(part(self.picks.date)?, part(self.picks.time)?)
    }

    fn symbol(&self, cells: &impl Cells) -> Read<Symbol> {
        match text(cells, self.picks.symbol)? {
            None => Ok(self.symbol),
            Some(text) => text.parse().map_err(|error: mes_core::Error| error.to_string()),
        }
    }

    /// Refuses a second instrument where no symbol tells them apart.
    fn one_instrument(&mut self, cells: &impl Cells) -> Read<()> {
        if self.picks.instrument_id.at.is_none() || self.picks.symbol.at.is_some() {
            return Ok(());
        }
        let id = count(cells, self.picks.instrument_id)?;
        match (self.instrument, id) {
            (Some(first), Some(id)) if first != id => {
                Err(format!("instrument {id} beside {first}: import one at a time, or with a symbol column"))
            }
            _ => {
                self.instrument = id;
                Ok(())
            }
        }
    }
}

fn text(cells: &impl Cells, pick: Pick) -> Read<Option<&str>> {
    pick.at.map_or(Ok(None), |at| cells.text(at))
}

fn price(cells: &impl Cells, pick: Pick) -> Read<Option<f64>> {
    pick.at.map_or(Ok(None), |at| cells.price(at, pick.name))
}

fn count(cells: &impl Cells, pick: Pick) -> Read<Option<i64>> {
    pick.at.map_or(Ok(None), |at| cells.count(at, pick.name))
}

/// Takes a value that no row may lack.
fn needed<T>(pick: Pick, value: Option<T>) -> Read<T> {
    value.ok_or_else(|| format!("no {}", pick.name))
}

/// Reads the aggressor: a trade at the ask was a buyer's. Databento's `A` is the seller's side.
fn side(text: Option<&str>) -> Read<Option<Side>> {
    let Some(text) = text else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "buy" | "b" | "ask" => Ok(Some(Side::Buy)),
        "sell" | "s" | "a" | "bid" => Ok(Some(Side::Sell)),
        "n" | "none" => Ok(None),
        _ => Err(format!("side {text:?} is neither buy nor sell")),
    }
}

/// One line of text.
pub struct TextCells<'a> {
    pub fields: Fields<'a>,
    /// What parts the whole from the fraction.
    pub point: u8,
    pub scale: Scale,
}

impl TextCells<'_> {
    fn field(&self, at: usize) -> Option<&str> {
        Some(self.fields.get(at)).filter(|text| !text.is_empty())
    }
}

impl Cells for TextCells<'_> {
    fn text(&self, at: usize) -> Read<Option<&str>> {
        Ok(self.field(at))
    }

    fn time(&self, at: usize, clock: &Clock) -> Read<Option<Ts>> {
        self.field(at).map(|text| clock.read(text)).transpose()
    }

    fn price(&self, at: usize, name: &str) -> Read<Option<f64>> {
        let Some(text) = self.field(at) else { return Ok(None) };
        let wrong = || format!("{name} {text:?} is not a number");
        match self.scale {
            Scale::Databento if !text.contains(['.', 'e']) => {
                Ok(text.parse().map(fixed).map_err(|_| wrong())?)
            }
            Scale::By(by) if by != 1.0 => Ok(Some(decimal(text, self.point).ok_or_else(wrong)? / by)),
            _ => decimal(text, self.point).map(Some).ok_or_else(wrong),
        }
    }

    fn count(&self, at: usize, name: &str) -> Read<Option<i64>> {
        let Some(text) = self.field(at) else { return Ok(None) };
        // Some write counts as 12.0.
        let (whole, rest) = text.split_once(char::from(self.point)).unwrap_or((text, ""));
        let count = whole.parse().ok().filter(|_| rest.bytes().all(|byte| byte == b'0'));
        count.map(Some).ok_or_else(|| format!("{name} {text:?} is not a whole number"))
    }
}

/// Returns the price that whole 1e-9 stand for; the largest number is Databento's word for none.
pub fn fixed(price: i64) -> Option<f64> {
    (price != i64::MAX).then(|| price as f64 / 1e9)
}

const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Reads a decimal. Up to 15 digits are exact over a power of ten that is exact too, so one division rounds right
/// (Clinger 1990); the rest goes to the library.
fn decimal(text: &str, point: u8) -> Option<f64> {
    let (digits, negative) = text.strip_prefix('-').map_or((text, false), |rest| (rest, true));
    let (mut whole, mut count, mut decimals) = (0_i64, 0, None);
    for &byte in digits.as_bytes() {
        if byte == point && decimals.is_none() {
            decimals = Some(0);
        } else if byte.is_ascii_digit() && count < 15 {
            whole = whole * 10 + i64::from(byte - b'0');
            count += 1;
            decimals = decimals.map(|decimals: usize| decimals + 1);
        } else {
            let text =
                if point == b',' { text.replace('.', "x").replacen(',', ".", 1) } else { text.to_owned() };
            return text.parse().ok().filter(|price: &f64| price.is_finite());
        }
    }
    let price = whole as f64 / TENS[decimals.unwrap_or(0)];
    (count > 0).then_some(if negative { -price } else { price })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_those_of_the_library() {
        for text in ["0", "6800.25", "-0.05", "25753.0", "1e3", "0.1", "123456789012345678.25", ".5", "5."] {
            assert_eq!(decimal(text, b'.'), text.parse().ok(), "{text}");
        }
        assert_eq!(decimal("25753,25", b','), Some(25753.25));
        for text in ["", "-", "1.2.3", "1,5", "NaN", "inf", "abc", "1_000"] {
            assert_eq!(decimal(text, b'.'), None, "{text}");
        }
        assert_eq!((decimal("1.234,5", b','), decimal("1.5", b',')), (None, None));
    }
}
