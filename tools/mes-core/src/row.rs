//! A bar and what the model said of it: what risk judges and what the journal keeps.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap,
};

use crate::{
    bar::{self, Bar},
    bounds::Fault,
    prediction::{COLUMNS, Prediction},
    symbol::Symbol,
    time,
};

/// A bar with what the model said of it.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Row {
    pub bar: Bar,
    pub prediction: Prediction,
}

impl Row {
    /// Makes one of a bar and a prediction, if such a bar can be and the prediction means something.
    fn checked(bar: &Bar<f64>, prediction: Prediction) -> Result<Row, Fault> {
        bar.check()?;
        prediction.check()?;
        Ok(Row { bar: bar.prices_on_grid()?, prediction })
    }
}

/// Which columns the rows of a stream have; the rest is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Columns {
    pub bar: bar::Columns,
    /// One flag for each of [`COLUMNS`].
    pub prediction: [bool; COLUMNS.len()],
}

impl<'a> FromIterator<&'a str> for Columns {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut columns = Columns::default();
        for name in names {
            columns.bar = columns.bar.with(name);
            if let Some(index) = COLUMNS.iter().position(|column| *column == name) {
                columns.prediction[index] = true;
            }
        }
        columns
    }
}

/// A row as the journal's `row` record.
pub(crate) struct Written<'a> {
    pub row: &'a Row,
    pub columns: Columns,
}

struct Instant(time::Ts);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time::text::serialize(&self.0, serializer)
    }
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (bar, columns) = (&self.row.bar, self.columns);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", "row")?;
        map.serialize_entry("ts", &Instant(bar.ts))?;
        for (name, price) in [("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close)]
        {
            map.serialize_entry(name, &price)?;
        }
        map.serialize_entry("volume", &bar.volume)?;
        let counts =
            [("buy_volume", bar.buy_volume), ("sell_volume", bar.sell_volume), ("trades", bar.trades)];
        for (name, count) in counts {
            entry(&mut map, columns, name, &count)?;
        }
        entry(&mut map, columns, "bid", &bar.bid)?;
        entry(&mut map, columns, "ask", &bar.ask)?;
        for (name, count) in [("bid_size", bar.bid_size), ("ask_size", bar.ask_size), ("ofi", bar.ofi)] {
            entry(&mut map, columns, name, &count)?;
        }
        entry(&mut map, columns, "vwap", &bar.vwap)?;
        entry(&mut map, columns, "age_ms", &bar.age_ms)?;
        map.serialize_entry("seg", &bar.seg)?;
        map.serialize_entry("symbol", &bar.symbol)?;
        for ((name, value), has) in COLUMNS.iter().zip(self.row.prediction.values()).zip(columns.prediction) {
            if has {
                map.serialize_entry(name, &value)?;
            }
        }
        map.end()
    }
}

fn entry<M: SerializeMap, V: Serialize>(
    map: &mut M,
    columns: Columns,
    name: &str,
    value: &V,
) -> Result<(), M::Error> {
    if columns.bar.has(name) { map.serialize_entry(name, value) } else { Ok(()) }
}

impl<'de> Deserialize<'de> for Row {
    /// Reads a `row` record and checks it; keys that are not part of a row are passed over.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WithColumns::deserialize(deserializer).map(|read| read.row)
    }
}

/// A row that was read, and which of the columns that a stream may lack it has.
pub struct WithColumns {
    pub row: Row,
    pub columns: Columns,
}

impl<'de> Deserialize<'de> for WithColumns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = WithColumns;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<WithColumns, M::Error> {
                let (mut bar, mut columns) = (Bar::default(), Columns::default());
                let mut values = [None; COLUMNS.len()];
                let mut needed = ["ts", "open", "high", "low", "close", "volume", "seg"].map(Some);
                while let Some(name) = map.next_key::<&str>()? {
                    for slot in needed.iter_mut().filter(|slot| **slot == Some(name)) {
                        *slot = None;
                    }
                    if let Some(index) = COLUMNS.iter().position(|column| *column == name) {
                        (values[index], columns.prediction[index]) = (map.next_value()?, true);
                    } else {
                        columns.bar = columns.bar.with(name);
                        bar_field(&mut bar, name, &mut map)?;
                    }
                }
                match needed.into_iter().flatten().next() {
                    Some(name) => Err(M::Error::custom(format!("no {name:?}"))),
                    None => Row::checked(&bar, Prediction::from_values(values))
                        .map(|row| WithColumns { row, columns })
                        .map_err(M::Error::custom),
                }
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

fn bar_field<'de, M: MapAccess<'de>>(bar: &mut Bar<f64>, name: &str, map: &mut M) -> Result<(), M::Error> {
    match name {
        "ts" => bar.ts = time::parse(map.next_value::<&str>()?).map_err(M::Error::custom)?,
        "open" => bar.open = map.next_value()?,
        "high" => bar.high = map.next_value()?,
        "low" => bar.low = map.next_value()?,
        "close" => bar.close = map.next_value()?,
        "volume" => bar.volume = map.next_value()?,
        "buy_volume" => bar.buy_volume = map.next_value()?,
        "sell_volume" => bar.sell_volume = map.next_value()?,
        "trades" => bar.trades = map.next_value()?,
        "bid" => bar.bid = map.next_value()?,
        "ask" => bar.ask = map.next_value()?,
        "bid_size" => bar.bid_size = map.next_value()?,
        "ask_size" => bar.ask_size = map.next_value()?,
        "ofi" => bar.ofi = map.next_value()?,
        "vwap" => bar.vwap = map.next_value()?,
        "age_ms" => bar.age_ms = map.next_value()?,
        "seg" => bar.seg = map.next_value()?,
        "symbol" => bar.symbol = map.next_value::<Symbol>()?,
        _ => drop(map.next_value::<IgnoredAny>()?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let bar = Bar {
            ts: 1_000_000_000,
            open: 0.25,
            high: 5000.25,
            low: 0.25,
            close: 5000.25,
            bid: Some(5000.0),
            seg: 3,
            ..Bar::default()
        };
        let bar = bar.on_grid().expect("on the grid");
        let row = Row { bar, prediction: Prediction { conf: Some(0.7), ..Prediction::default() } };
        let columns = ["bid", "ask", "p_conf", "p_dir"].into_iter().collect();
        let text = serde_json::to_string(&Written { row: &row, columns }).expect("writes");
        assert_eq!(
            text,
            r#"{"kind":"row","ts":"1970-01-01T00:00:01Z","open":0.25,"high":5000.25,"low":0.25,"close":5000.25,"volume":0,"bid":5000.0,"ask":null,"seg":3,"symbol":"","p_dir":null,"p_conf":0.7}"#
        );
        assert_eq!(serde_json::from_str::<Row>(&text).expect("reads"), row);
        assert!(serde_json::from_str::<Row>(r#"{"ts":"1970-01-01T00:00:01Z"}"#).is_err());
    }

    #[test]
    fn a_row_that_cannot_be_is_refused_by_its_column() {
        let text = r#"{"ts":"1970-01-01T00:00:01Z","open":10.0,"high":11.0,"low":9.0,"close":10.0,"volume":1,"bid":10.0,"age_ms":1,"seg":0,"symbol":"MES","p_dir":1,"p_conf":0.9}"#;
        assert!(serde_json::from_str::<Row>(text).is_ok());
        for (from, to, column) in [
            ("\"p_conf\":0.9", "\"p_conf\":1.5", "p_conf"),
            ("\"p_dir\":1", "\"p_dir\":5", "p_dir"),
            ("\"age_ms\":1", "\"age_ms\":-1", "age_ms"),
            ("\"volume\":1", "\"volume\":-1", "volume"),
            ("\"volume\":1", "\"volume\":4611686018427387904", "volume"),
            ("\"bid\":10.0", "\"bid\":0.0", "bid"),
            ("\"high\":11.0", "\"high\":8.0", "high"),
            ("\"high\":11.0", "\"high\":1e308", "high"),
            ("\"open\":10.0", "\"open\":8.0", "open"),
            ("\"close\":10.0", "\"close\":12.0", "close"),
            ("\"close\":10.0", "\"close\":-10.0", "close"),
            ("\"open\":10.0", "\"open\":10.1", "open"),
            ("\"seg\":0", "\"seg\":9223372036854775807", "seg"),
        ] {
            let error = serde_json::from_str::<Row>(&text.replacen(from, to, 1)).expect_err(to).to_string();
            assert!(error.starts_with(&format!("column {column:?}: ")), "{to}: {error}");
        }
    }
}
