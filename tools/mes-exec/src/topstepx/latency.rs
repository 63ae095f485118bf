//! How long orders took and what they slipped, from the journal of mes-exec: for `--latency FILE` of a backtest, and for
//! people.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use mes_core::{
    order::{Action as Wanted, Side},
    price::Price,
    time::Ts,
};
use mes_pipe::{Error, Result};
use mes_projectx::{hub::UserEvent, wire::Trade};

use super::{
    event::{Action, Answer, Event, Request},
    journal::{Entry, Line},
    tag::Tag,
};

/// The columns; `req` and `exch` are what `--latency` reads.
pub const HEADER: &str = "order,what,req,taken,sent,answered,exch,side,contracts,price,slippage_ticks\n";

/// One order under way. All times are those of mes-exec's clock, in nanoseconds since 1970; `decided` is the end of the row
/// that it was decided on.
#[derive(Clone, Copy, Debug)]
struct Way {
    what: &'static str,
    decided: Ts,
    taken: Ts,
    sent: Option<Ts>,
    answered: Option<Ts>,
    quote: Option<(Price, Price)>,
}

/// Reads journals, the lines of one after the other.
#[derive(Default)]
pub struct Latencies {
    ways: BTreeMap<u64, Way>,
    /// Calls that are not answered, and whose order each is.
    calls: BTreeMap<u64, u64>,
    /// Orders of ours at the exchange.
    ids: BTreeMap<i64, u64>,
    closing: Option<u64>,
    quote: Option<(Price, Price)>,
    text: String,
}

impl Latencies {
    /// Reads a journal and returns a line of CSV for each entry and each close that was filled, from decision to the
    /// first fill that was heard of: the way back is in it, so it is rather too long than too short.
    ///
    /// # Errors
    ///
    /// `Data` for what is no journal, `Failed` where it cannot be read.
    pub fn read(&mut self, path: &Path) -> Result<String> {
        let file = File::open(path).map_err(|error| Error::from(error).at(path.display()))?;
        let mut lines = BufReader::new(file).lines().enumerate().peekable();
        while let Some((number, line)) = lines.next() {
            let line = line.map_err(|error| Error::from(error).at(path.display()))?;
            match serde_json::from_str::<Line>(&line) {
                Ok(line) => self.take(&line),
                // A kill cuts the last one off.
                Err(_) if lines.peek().is_none() => {}
                Err(error) => {
                    let what = format!("line {}: no line of a journal of mes-exec: {error}", number + 1);
                    return Err(Error::data(what).at(path.display()));
                }
            }
        }
        Ok(std::mem::take(&mut self.text))
    }

    fn take(&mut self, line: &Line) {
        match &line.entry {
            Entry::Begin(_) => {
                *self = Latencies { text: std::mem::take(&mut self.text), ..Latencies::default() }
            }
            Entry::Event(Event::Quote { bid, ask }) => self.quote = Some((*bid, *ask)),
            Entry::Event(Event::Order { order }) => {
                let what = match order.action {
                    Wanted::Enter { limit: None, .. } => "enter",
                    Wanted::Exit { .. } => "exit",
                    // One at a limit waits for its price, which says nothing of the way.
                    _ => return,
                };
                let (decided, taken, quote) = (order.ts, line.ts, self.quote);
                let way = Way { what, decided, taken, sent: None, answered: None, quote };
                self.ways.insert(order.id, way);
                if what == "exit" {
                    self.closing = Some(order.id);
                }
            }
            Entry::Action(Action::Call { call, request, .. }) => self.asked(*call, request, line.ts),
            Entry::Event(Event::Answer { call, answer }) => self.answered(*call, answer, line.ts),
            Entry::Event(Event::User { user: UserEvent::Trade(trade) }) => self.filled(trade, line.ts),
            _ => {}
        }
    }

    fn asked(&mut self, call: u64, request: &Request, ts: Ts) {
        let order = match request {
            Request::Place { place, entry: true } => {
                place.custom_tag.as_deref().and_then(Tag::parse).map(|tag| tag.order)
            }
            Request::Close { .. } => self.closing,
            _ => None,
        };
        if let Some(way) = order.and_then(|order| self.ways.get_mut(&order)) {
            way.sent.get_or_insert(ts);
            self.calls.extend(order.map(|order| (call, order)));
        }
    }

    fn answered(&mut self, call: u64, answer: &Answer, ts: Ts) {
        let Some(order) = self.calls.remove(&call) else { return };
        if let Answer::Placed { id } = answer {
            self.ids.insert(*id, order);
        }
        if let Some(way) = self.ways.get_mut(&order) {
            way.answered.get_or_insert(ts);
        }
    }

    fn filled(&mut self, trade: &Trade, ts: Ts) {
        let order = self.ids.get(&trade.order_id).copied().or_else(|| self.closing.take());
        let Some((order, way)) = order.and_then(|order| Some((order, self.ways.remove(&order)?))) else {
            return;
        };
        let (Some(side), Some(ticks)) = (trade.side.known(), trade.price.ticks()) else { return };
        let Way { what, decided, taken, sent, answered, quote } = way;
        let reference = quote.map(|(bid, ask)| if side == Side::Buy { ask } else { bid });
        let slipped = reference.map(|price| side.sign() * (Price::from_ticks(ticks) - price));
        let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
        let name = if side == Side::Buy { "buy" } else { "sell" };
        let (price, contracts) = (Price::from_ticks(ticks), trade.size);
        let (sent, answered, slipped) = (number(sent), number(answered), number(slipped));
        // A line that cannot be written to memory is none.
        let _ = writeln!(
            self.text,
            "{order},{what},{decided},{taken},{sent},{answered},{ts},{name},{contracts},{price},{slipped}"
        );
    }
}
