//! A real day of ES, where the folder of market data lies beside the repository.

use std::fs;

use mes_core::dice::Draw;
use mes_golden::{market, shell, soak};
use serde_json::{Value, json};

const DAY: &str = "es-1s-2019-12-16";
const ROWS: usize = 24_471;

#[test]
fn bars_of_the_ticks_are_the_recorded_bars() {
    let Some(data) = shell::shared_data() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let line = format!("mes-bars -q --sparse --to csv {}/{DAY}/ESH0_20191216_ticks.csv.gz", data.display());
    let made = String::from_utf8(shell::ok(folder.path(), &line, b"")).expect("text");
    let recorded =
        shell::ok(folder.path(), &format!("zcat {}/{DAY}/ESH0_20191216_1s.csv.gz", data.display()), b"");
    let recorded = String::from_utf8(recorded).expect("text");
    let names: Vec<_> = made.lines().next().expect("a header").split(',').collect();
    let wanted = ["open", "high", "low", "close", "volume", "trades"];
    let places = wanted.map(|name| names.iter().position(|other| *other == name).expect(name));
    let mut rows = 0;
    for (made, recorded) in made.lines().skip(1).zip(recorded.lines().skip(1)) {
        let fields: Vec<_> = made.split(',').collect();
        let (stamp, values) = recorded.split_once(',').expect("a stamp");
        // The recorded bars are stamped at their opens, a second before.
        let close = mes_core::time::parse(stamp).expect("a stamp") + mes_core::time::SECOND;
        assert_eq!(fields[0], mes_core::time::format(close), "row {rows}");
        assert_eq!(places.map(|place| fields[place]).join(","), values, "row {rows}, {stamp}");
        rows += 1;
    }
    assert_eq!((rows, made.lines().count()), (ROWS, ROWS + 1));
}

#[test]
fn dbn_bars_are_the_bars_of_the_ticks() {
    let Some(data) = shell::shared_data() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let data = data.join(DAY);
    let line = format!(
        "mes-bars -q --sparse --symbol ES --to csv {0}/ESH0_20191216_ticks.csv.gz | cut -d, -f1-6 > ticks.csv &&
         mes-bars -q --sparse --symbol ES --to csv {0}/ESH0_20191216_ohlcv-1s.dbn.zst | cut -d, -f1-6 > dbn.csv &&
         cmp ticks.csv dbn.csv && wc -l < dbn.csv",
        data.display()
    );
    assert_eq!(String::from_utf8_lossy(&shell::ok(folder.path(), &line, b"")), format!("{}\n", ROWS + 1));
}

#[test]
fn the_journals_of_the_day_are_equal() {
    let Some(data) = shell::shared_data() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let line = format!(
        "mes-bars -q --symbol MES --to jsonl --header {}/{DAY}/ESH0_20191216_ticks.csv.gz",
        data.display()
    );
    let bars = String::from_utf8(shell::ok(folder.path(), &line, b"")).expect("text");
    // One day must hold all the trades, so its limits are wide and no streak of losses pauses it.
    let rules = fs::read_to_string(shell::root().join(market::RULES)).expect("rules");
    let wide = rules
        .replace("capital_usd = 2000.0", "capital_usd = 20000.0")
        .replace("daily_loss_usd = 400.0", "daily_loss_usd = 4000.0")
        .replace("daily_drawdown_usd = 38.0", "daily_drawdown_usd = 4000.0")
        + "\n[breakers]\nlosses = 0\nmore_losses = 0\n";
    fs::write(folder.path().join("wide.toml"), wide).expect("rules");
    let rules = "wide.toml";
    for seed in 1..=soak().map_or(1, |_| 3) {
        let mut draw = Draw::of(seed);
        let mut rows = String::new();
        for line in bars.lines() {
            let mut row: Value = serde_json::from_str(line).expect("a row");
            if row.get("ts").is_some() {
                let (dir, conf) = match draw.bits() % 100 {
                    0 => (1.0, 0.85),
                    1 => (-1.0, 0.65),
                    _ => (0.0, 0.9),
                };
                row["p_dir"] = json!(dir);
                row["p_conf"] = json!(conf);
            }
            rows += &format!("{row}\n");
        }
        fs::write(folder.path().join("rows.jsonl"), rows).expect("rows");
        let line = format!(
            "mes-bt -q --rules {rules} --journal bt.jsonl rows.jsonl > summary.json &&
             mes-risk --rules {rules} < rows.jsonl | tee pipe.jsonl | mes-exec --rules {rules} > statements.jsonl &&
             cmp bt.jsonl pipe.jsonl"
        );
        shell::ok(folder.path(), &line, b"");
        let journal = fs::read_to_string(folder.path().join("bt.jsonl")).expect("the journal");
        let entries: usize = journal
            .lines()
            .filter(|line| line.starts_with("{\"kind\":\"statement\""))
            .map(|line| serde_json::from_str::<Value>(line).expect("a statement"))
            .map(|statement| {
                let fills = statement["fills"].as_array().expect("fills");
                fills.iter().filter(|fill| fill["exit"].is_null()).count()
            })
            .sum();
        assert!(entries >= 50, "seed {seed}: {entries} entries prove little");
    }
}
