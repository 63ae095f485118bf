//! Rows of JSON: objects in one array or one after the other, or arrays of values. Read one row at a time, each value
//! as the text that it would be in a table.

use std::{
    cell::Cell as Count,
    fmt,
    io::{self, Read},
};

use mes_pipe::{Error, Result, limits};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{
    Import,
    dialect::{Decimal, Dialect},
    header::Header,
    lines::{Fields, Lines},
    placed,
    row::{Maker, TextCells},
    sink::{Refused, Sink},
};

impl Import<'_> {
    /// JSON: the keys of the first row are the header, or the names that are given.
    pub(super) fn json(&mut self, lines: &mut Lines, dialect: &Dialect) -> Result<()> {
        let name = lines.name().to_owned();
        let mut made: Option<(JsonRows, Maker, Sink, bool)> = None;
        let point = if dialect.decimal == Some(Decimal::Comma) { b',' } else { b'.' };
        each(lines.bytes(), &name, |number, found| {
            let at = |what: String| Error::data(format!("{name}: row {number}: {what}"));
            if made.is_none() {
                let rows = JsonRows::of(&found, &dialect.names).map_err(at)?;
                let names: Vec<_> = rows.names().iter().map(String::as_str).collect();
                let header =
                    Header::read(&names, dialect, &self.args.columns).map_err(|error| error.at(&name))?;
                let sink = self.sink(dialect, &header, " (JSON)", &name)?;
                made = Some((rows, Maker::new(&header, dialect), sink, header.bars));
            }
            let Some((rows, maker, sink, bars)) = &mut made else { return Ok(()) };
            let cells = TextCells { fields: rows.fields(found).map_err(at)?, point, scale: dialect.scale };
            let pushed = match bars {
                true => maker.bar(&cells).map_err(Refused::Row).and_then(|bar| sink.bar(bar)),
                false => maker.tick(&cells).map_err(Refused::Row).and_then(|tick| sink.tick(tick)),
            };
            pushed.map_err(|refused| placed(refused, at))
        })?;
        let Some((_, maker, sink, _)) = made else {
            return Err(Error::data(format!("{name}: empty: no rows")));
        };
        self.done(&name, &maker, sink);
        Ok(())
    }
}

/// The values of one row; arrays have no keys.
pub struct Found {
    keys: Option<Vec<String>>,
    values: Vec<String>,
}

/// Hands every row and its number, from 1, to `row`.
///
/// # Errors
///
/// Those of `row`, or [`Error::Data`] with the place of what is no JSON.
pub fn each(bytes: impl Read, name: &str, row: impl FnMut(u64, Found) -> Result<()>) -> Result<()> {
    let left = Count::new(most());
    let mut reader = serde_json::Deserializer::from_reader(Bounded { bytes, left: &left });
    let mut state = State { number: 0, row, refused: None, left: &left };
    let mut read = Ok(());
    while read.is_ok() && reader.end().is_err() {
        read = reader.deserialize_any(All(&mut state));
    }
    match (state.refused, read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => Err(Error::data(format!("{name}: no rows of JSON: {error}"))),
    }
}

/// Returns how long a row may be, and one byte more, to know that it is longer.
fn most() -> u64 {
    limits::get().line.saturating_add(1)
}

/// Bytes that end in a row which is too long.
struct Bounded<'a, R> {
    bytes: R,
    left: &'a Count<u64>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            limits::line(most()).map_err(|error| io::Error::other(error.to_string()))?;
        }
        let fits = into.len().min(usize::try_from(self.left.get()).unwrap_or(usize::MAX));
        let count = self.bytes.read(&mut into[..fits])?;
        self.left.set(self.left.get() - count as u64);
        Ok(count)
    }
}

/// Who takes the rows.
struct State<'a, F> {
    number: u64,
    row: F,
    refused: Option<Error>,
    /// Bytes that the row may still have.
    left: &'a Count<u64>,
}

impl<F: FnMut(u64, Found) -> Result<()>> State<'_, F> {
    fn hand<E: serde::de::Error>(&mut self, found: Found) -> std::result::Result<(), E> {
        self.number += 1;
        self.left.set(most());
        (self.row)(self.number, found).map_err(|error| {
            self.refused = Some(error);
            E::custom("refused")
        })
    }
}

/// A row, or an array of them.
struct All<'a, 'b, F>(&'a mut State<'b, F>);

impl<'de, F: FnMut(u64, Found) -> Result<()>> Visitor<'de> for All<'_, '_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("objects, or an array of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<(), A::Error> {
        self.0.hand(object(map)?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> std::result::Result<(), A::Error> {
        while let Some(found) = rows.next_element_seed(One)? {
            self.0.hand(found)?;
        }
        Ok(())
    }
}

/// A row in an array.
struct One;

impl<'de> DeserializeSeed<'de> for One {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object, or an array of values")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Found, A::Error> {
        object(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> std::result::Result<Found, A::Error> {
        let mut values = Vec::new();
        while let Some(Cell(value)) = cells.next_element()? {
            limits::columns(values.len() + 1).map_err(A::Error::custom)?;
            values.push(value);
        }
        Ok(Found { keys: None, values })
    }
}

fn object<'de, A: MapAccess<'de>>(mut map: A) -> std::result::Result<Found, A::Error> {
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    while let Some((key, Cell(value))) = map.next_entry::<String, Cell>()? {
        if keys.contains(&key) {
            return Err(A::Error::custom(format!("the key {key:?} twice in one row")));
        }
        limits::columns(keys.len() + 1).map_err(A::Error::custom)?;
        keys.push(key);
        values.push(value);
    }
    Ok(Found { keys: Some(keys), values })
}

/// A value as text; null is empty, and what is deeper is nothing that a column could be taken from.
struct Cell(String);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Cell, D::Error> {
        deserializer.deserialize_any(AsText)
    }
}

struct AsText;

impl<'de> Visitor<'de> for AsText {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Cell, E> {
        Ok(Cell(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Cell, E> {
        Ok(Cell(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Cell, E> {
        Ok(Cell(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Cell, E> {
        Ok(Cell(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Cell, E> {
        Ok(Cell(value.to_owned()))
    }

    fn visit_unit<E>(self) -> std::result::Result<Cell, E> {
        Ok(Cell(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> std::result::Result<Cell, A::Error> {
        while cells.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell("[…]".to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell("{…}".to_owned()))
    }
}

/// Puts rows into the order of the first one.
pub struct JsonRows {
    names: Vec<String>,
    keyed: bool,
    text: String,
    ends: Vec<usize>,
}

impl JsonRows {
    /// Learns the columns of the first row: its keys, or the list of names that is as long as it.
    ///
    /// # Errors
    ///
    /// Says that no list of names is as long.
    pub fn of(found: &Found, lists: &[Vec<String>]) -> std::result::Result<JsonRows, String> {
        let count = found.values.len();
        let names = match &found.keys {
            Some(keys) => keys.clone(),
            None => lists
                .iter()
                .find(|names| names.len() == count)
                .cloned()
                .ok_or_else(|| format!("an array of {count} values: say what they are with --names"))?,
        };
        Ok(JsonRows { names, keyed: found.keys.is_some(), text: String::new(), ends: Vec::new() })
    }

    /// Returns the names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the values of a row in the order of the names; a key that it lacks is empty.
    ///
    /// # Errors
    ///
    /// Says how it differs from the first row.
    pub fn fields(&mut self, found: Found) -> std::result::Result<Fields<'_>, String> {
        let Found { keys, mut values } = found;
        match keys {
            Some(keys) if self.keyed && keys == self.names => {}
            Some(keys) if self.keyed => values = self.sorted(keys, values)?,
            None if !self.keyed && values.len() == self.names.len() => {}
            _ => return Err(format!("not like the first row, which has {} values", self.names.len())),
        }
        self.text.clear();
        self.ends.clear();
        for value in values {
            self.text.push_str(&value);
            self.ends.push(self.text.len());
        }
        Ok(Fields::joined(&self.text, &self.ends))
    }

    fn sorted(&self, keys: Vec<String>, values: Vec<String>) -> std::result::Result<Vec<String>, String> {
        let mut sorted = vec![String::new(); self.names.len()];
        for (key, value) in keys.into_iter().zip(values) {
            let place = self.names.iter().position(|name| *name == key);
            sorted[place.ok_or_else(|| format!("the key {key:?}, which the first row lacks"))?] = value;
        }
        Ok(sorted)
    }
}
