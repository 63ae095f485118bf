//! Numbers that may come as text: one client saw all numbers of user events so.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// Reads a whole number, written as a number or as its digits.
///
/// # Errors
///
/// Whatever is not a whole number within the bounds of `T`.
pub fn whole<'de, T: TryFrom<i64>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Whole(PhantomData))
}

/// Reads the same, or null.
///
/// # Errors
///
/// As [`whole`].
pub fn whole_or_null<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    struct Number<T>(T);
    impl<'de, T: TryFrom<i64>> Deserialize<'de> for Number<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            whole(deserializer).map(Number)
        }
    }
    Ok(Option::<Number<T>>::deserialize(deserializer)?.map(|number| number.0))
}

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<i64>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a whole number or its digits")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::custom(format!("{number} is out of bounds")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        let number = i64::try_from(number).map_err(|_| E::custom(format!("{number} is out of bounds")))?;
        self.visit_i64(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        // 3.0 is 3; beyond 2^53 a double no longer knows which whole number it is.
        let whole = number as i64;
        if whole as f64 != number || whole.unsigned_abs() > 1 << 53 {
            return Err(E::custom(format!("{number} is no whole number")));
        }
        self.visit_i64(whole)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let number = text.trim().parse().map_err(|_| E::custom(format!("{text:?} is no whole number")))?;
        self.visit_i64(number)
    }
}
