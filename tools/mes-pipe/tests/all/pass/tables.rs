//! Tables whose values bite.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray,
};

use super::table;

pub const START: i64 = 1_763_994_600_000_000_000;
/// Two ticks from then on.
pub const TICKS: &str = "ts,price,size\n2025-11-24T14:30:00Z,5000.25,1\n2025-11-24T14:30:01Z,5000.5,2\n";
/// The same.
pub const LINES: &str = "{\"ts\":\"2025-11-24T14:30:00Z\",\"price\":5000.25,\"size\":1}\n\
                     {\"ts\":\"2025-11-24T14:30:01Z\",\"price\":5000.5,\"size\":2}\n";

fn f64s() -> Vec<f64> {
    let subnormal = f64::from_bits(1);
    let mut values = vec![
        0.1,
        0.2,
        0.1 + 0.2,
        1e-300,
        subnormal,
        -subnormal,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        0.0,
        -0.0,
        1.0,
        -1.0,
        5000.25,
        6671.75,
        1e15,
        1e16,
        1e17,
        123_456_789.123_456_78,
        2f64.powi(53),
        2f64.powi(53) + 2.0,
        9_007_199_254_740_993.0,
        1.0 / 3.0,
        f64::EPSILON,
        1.0 + f64::EPSILON,
        2.225_073_858_507_201e-308,
        8.41e21,
        9.2e18,
        1e22,
        1e23,
    ];
    // Neighbours of powers of ten and two, where shortest decimals are hardest.
    for exponent in (-300..300).step_by(37) {
        let ten = 10f64.powi(exponent);
        let two = 2f64.powi(exponent);
        values.extend([ten, ten.next_up(), ten.next_down(), two, two.next_up(), two.next_down()]);
    }
    values
}

fn f32s(rows: usize) -> Vec<f32> {
    let mut values = vec![
        0.1f32,
        0.2,
        1.0 / 3.0,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        f32::MAX,
        f32::MIN,
        -0.0,
        0.0,
        16_777_216.0,
        16_777_217.0,
        8.5e9,
        1e-10,
        3.355_443_2e7,
        1.175_494_2e-38,
    ];
    // f32 whose shortest decimal, read as f64 and narrowed, may be another one.
    let mut bits: u32 = 0x1234_5678;
    while values.len() < rows {
        bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let value = f32::from_bits(bits);
        if value.is_finite() {
            values.push(value);
        }
    }
    values
}

/// Makes prices of numbers: a column of ours holds what can be; one that nobody knows, anything.
fn prices(numbers: &[f64]) -> Vec<f64> {
    let can_be = numbers.iter().copied().filter(|v| (f64::MIN_POSITIVE..=1e6).contains(v));
    can_be.cycle().take(numbers.len()).collect()
}

/// A table with every kind of column and value that bites.
pub fn tricky() -> RecordBatch {
    let numbers = f64s();
    let rows = numbers.len();
    let prices = prices(&numbers);
    let volumes = [0, 1, 7, 99_999_999, 100_000_000];
    let sparse = |row: usize| !row.is_multiple_of(3);
    let counts = [0, 1, -1, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1];
    let texts =
        ["plain", "a,b", "say \"so\"", "\\ back", "tab\there", "ü€🙂", " spaces ", "'", "null", "true"];
    let times = (0..rows as i64).map(|row| START + row * row * 1_000_003).collect();
    let maybe: Vec<_> = prices.iter().enumerate().map(|(row, price)| sparse(row).then_some(*price)).collect();
    let floats: Vec<_> = f32s(rows).into_iter().take(rows).collect();
    let whole = |pick: &dyn Fn(usize) -> Option<i64>| {
        Arc::new((0..rows).map(pick).collect::<Int64Array>()) as ArrayRef
    };
    table(
        times,
        vec![
            ("open", Arc::new(Float64Array::from(prices.clone())) as ArrayRef),
            ("high", Arc::new(Float64Array::from(prices.clone()))),
            ("low", Arc::new(Float64Array::from(prices.clone()))),
            ("close", Arc::new(Float64Array::from(prices.clone()))),
            ("volume", whole(&|row| Some(volumes[row % 5]))),
            ("bid", Arc::new(Float64Array::from(maybe))),
            ("bid_size", whole(&|row| sparse(row).then_some(volumes[row % 5]))),
            ("seg", whole(&|row| Some(row as i64))),
            (
                "symbol",
                Arc::new(
                    (0..rows)
                        .map(|row| Some(if row % 2 == 0 { "MESZ6" } else { "MESH7" }))
                        .collect::<StringArray>(),
                ),
            ),
            ("f_x", Arc::new(Float32Array::from(floats.clone()))),
            (
                "f_y",
                Arc::new(
                    (0..rows).map(|row| sparse(row + 1).then_some(floats[row])).collect::<Float32Array>(),
                ),
            ),
            (
                "y_dir",
                Arc::new(
                    (0..rows).map(|row| sparse(row).then_some((row / 3 % 3) as i8)).collect::<Int8Array>(),
                ),
            ),
            // Unknown columns; the first row tells text formats their types.
            (
                "other_f64",
                Arc::new(
                    (0..rows).map(|row| sparse(row + 1).then_some(numbers[row])).collect::<Float64Array>(),
                ),
            ),
            ("other_i64", whole(&|row| sparse(row + 1).then_some(counts[row % 7]))),
            (
                "other_bool",
                Arc::new(
                    (0..rows).map(|row| sparse(row + 1).then_some(row % 2 == 0)).collect::<BooleanArray>(),
                ),
            ),
            (
                "other_text",
                Arc::new(
                    (0..rows).map(|row| sparse(row + 1).then_some(texts[row % 10])).collect::<StringArray>(),
                ),
            ),
        ],
    )
}

/// A long walk with every optional column of a tick.
pub fn walk(rows: usize) -> RecordBatch {
    let number = |row: usize, every: usize| (!row.is_multiple_of(every)).then_some(row as i64 % 9);
    let price =
        |row: usize, every: usize| (!row.is_multiple_of(every)).then_some(5000.0 + (row % 97) as f64 / 4.0);
    let side = |row: usize| ["buy", "sell"].get(row % 3).copied();
    table(
        (0..rows as i64).map(|row| START + row * 7_000_001).collect(),
        vec![
            ("price", Arc::new((0..rows).map(|row| price(row, 5)).collect::<Float64Array>()) as ArrayRef),
            ("size", Arc::new((0..rows).map(|row| number(row, 5)).collect::<Int64Array>())),
            ("side", Arc::new((0..rows).map(side).collect::<StringArray>())),
            ("bid", Arc::new((0..rows).map(|row| price(row, 2)).collect::<Float64Array>())),
            ("ask", Arc::new((0..rows).map(|row| price(row, 3)).collect::<Float64Array>())),
            ("bid_size", Arc::new((0..rows).map(|row| number(row, 2)).collect::<Int64Array>())),
            ("ask_size", Arc::new((0..rows).map(|row| number(row, 3)).collect::<Int64Array>())),
            (
                "symbol",
                Arc::new((0..rows).map(|row| (row % 11 != 0).then_some("MESZ6")).collect::<StringArray>()),
            ),
        ],
    )
}

/// A price a second.
pub fn ticks(prices: Vec<f64>) -> RecordBatch {
    let times = (0..prices.len() as i64).map(|row| START + row * 1_000_000_000).collect();
    table(times, vec![("price", Arc::new(Float64Array::from(prices)) as ArrayRef)])
}

/// Bytes without their last ones.
pub fn cut(bytes: &[u8], from_end: usize) -> Vec<u8> {
    bytes[..bytes.len() - from_end].to_vec()
}

/// Rows whose second batch or row goes back in time.
pub fn back(rows: usize) -> Vec<u8> {
    super::arrow_stream(&table(vec![START, START + 5, START + 4], vec![]), rows)
}
