//! A real day of ES, where the folder of market data lies beside the repository: bars against the ticks they are of.

use std::{collections::BTreeMap, path::PathBuf};

use mes_core::time::{self, MINUTE};
use mes_golden::shell;

fn ticks() -> Option<PathBuf> {
    Some(shell::shared_data()?.join("es-1s-2019-12-16/ESH0_20191216_ticks.csv.gz"))
        .filter(|path| path.is_file())
}

fn lines(line: &str) -> Vec<String> {
    let text = String::from_utf8(shell::ok(shell::root(), line, b"")).expect("text");
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn five_minute_bars_equal_an_independent_computation() {
    let Some(path) = ticks() else { return };
    let mut wanted: BTreeMap<i64, (f64, f64, f64, f64, i64)> = BTreeMap::new();
    for line in lines(&format!("zcat {}", path.display())) {
        let mut fields = line.split(',');
        let ts = time::parse(fields.next().expect("a time")).expect("a time");
        let price: f64 = fields.next().expect("a price").parse().expect("a price");
        let size: i64 = fields.next().expect("a size").parse().expect("a size");
        let end = ts - ts % (5 * MINUTE) + 5 * MINUTE;
        let bar = wanted.entry(end).or_insert((price, price, price, price, 0));
        *bar = (bar.0, bar.1.max(price), bar.2.min(price), price, bar.4 + size);
    }
    let made =
        lines(&format!("mes-bars -q --interval 5m --sparse --to csv {} | cut -d, -f1-6", path.display()));
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(end, (open, high, low, close, volume))| {
            format!("{},{open:?},{high:?},{low:?},{close:?},{volume}", time::format(*end))
        })
        .collect();
    assert!(wanted.len() > 200, "{} bars", wanted.len());
    assert_eq!(made, wanted);
}

#[test]
fn volume_bars_hold_the_volume_of_the_day() {
    let Some(path) = ticks() else { return };
    let column = |line: &str, place: usize| -> Vec<i64> {
        let field = |line: &String| line.split(',').nth(place).and_then(|field| field.parse().ok());
        lines(line).iter().map(|line| field(line).expect("a whole number")).collect()
    };
    let sizes = column(&format!("zcat {}", path.display()), 2);
    let largest = sizes.iter().max().copied().unwrap_or(0);
    for size in [100, 1000, 25_000] {
        let bars = column(&format!("mes-bars -q --by volume --size {size} --to csv {}", path.display()), 5);
        assert_eq!(bars.iter().sum::<i64>(), sizes.iter().sum::<i64>(), "bars of {size}");
        assert!(bars.iter().all(|volume| *volume < size + largest), "bars of {size}");
        // Short are only the last bars of the two segments, before the pause and at the end.
        assert!(bars.iter().filter(|volume| **volume < size).count() <= 2, "bars of {size}");
    }
}

/// A pause in the middle of the input makes the tool flush; its bars stay the same.
#[test]
fn a_slow_input_gives_the_same_bars() {
    let Some(path) = ticks() else { return };
    for kind in ["--by tick --size 100", "--by imbalance --size 50", "--interval 5s"] {
        let make = |feed: &str| {
            shell::ok(
                shell::root(),
                &format!("zcat {} | sed -n 1,3000p | {feed} | mes-bars -q {kind} --to csv", path.display()),
                b"",
            )
        };
        assert_eq!(make("(head -c 700; sleep 0.1; head -c 9001; sleep 0.1; cat)"), make("cat"), "{kind}");
    }
}
