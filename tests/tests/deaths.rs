//! Accounts that die, and runs without trades: what backtest, walk-forward and optimize say of them.

use std::{fs, path::Path};

use mes_golden::shell;
use serde_json::Value;

/// Rows on which random entries soon end an account that may lose little.
fn rows(folder: &Path) {
    let line = format!(
        "sed -e 's/^daily_loss_usd.*/daily_loss_usd = 20/' -e 's/^daily_drawdown_usd.*/daily_drawdown_usd = 30/' \
             -e 's/^account_drawdown_usd.*/account_drawdown_usd = 40/' -e 's/^kill_loss_usd.*/kill_loss_usd = 60/' \
             {}/pipelines/rules/mes-1k.toml > small.toml &&
         mes-fetch synth -q --sessions 8 --seed 3 --edge 0 --session rth |
             mes-predict -q --rule random --rate 0.01 --to parquet > chance.parquet",
        shell::root().display()
    );
    shell::ok(folder, &line, b"");
}

fn json(folder: &Path, line: &str) -> Value {
    serde_json::from_slice(&shell::ok(folder, line, b"")).expect("JSON")
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn days_after_a_death_are_not_days() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    rows(folder);
    let summary = json(folder, "mes-bt -q --rules small.toml --out dead chance.parquet");
    let died = summary["account_died"]["day"].as_u64().expect("a death");
    assert!(died < 8, "{summary}");
    assert_eq!((&summary["span"]["days"], &summary["returns"]["days"]), (&died.into(), &died.into()));
    assert_eq!(summary["span"]["days_dead"], 8 - died);
    assert_eq!(read(folder, "dead/days.csv").lines().count() as u64, died + 1);
    let text = read(folder, "dead/summary.txt");
    let first = text.lines().next().expect("a line");
    assert!(first.starts_with(&format!("account died on day {died}: ")), "{first}");
    assert!(first.contains("of data after it count for nothing"), "{first}");
    let per_day = summary["trades"]["per_day"].as_f64().expect("a rate");
    assert!(
        (per_day - summary["trades"]["all"]["trades"].as_f64().expect("trades") / died as f64).abs() < 1e-9
    );
}

#[test]
fn refill_opens_a_new_account_and_counts_deaths() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    rows(folder);
    let summary = json(folder, "mes-bt -q --rules small.toml --refill --out run chance.parquet");
    let deaths = summary["deaths"].as_u64().expect("a count");
    assert!(deaths >= 2, "{summary}");
    assert_eq!((&summary["span"]["days"], &summary["span"]["days_dead"]), (&8.into(), &0.into()));
    let text = read(folder, "run/summary.txt");
    let first = text.lines().next().expect("a line");
    assert!(
        first.starts_with("account died on day ") && first.contains(&format!("{deaths} deaths in 8 days")),
        "{first}"
    );
    // Each account begins with the capital on the day after a death, and goes on with its own equity until then.
    let days: Vec<Vec<String>> = read(folder, "run/days.csv")
        .lines()
        .skip(1)
        .map(|day| day.split(',').map(str::to_owned).collect())
        .collect();
    let anew = (1..days.len()).filter(|day| days[*day][1] != days[day - 1][2]).collect::<Vec<_>>();
    assert!(anew.iter().all(|day| days[*day][1] == "1000.00"), "{days:?}");
    assert!(anew.len() as u64 >= deaths - 1, "{anew:?} {deaths}");
    let nets: f64 = days.iter().map(|day| day[5].parse::<f64>().expect("a net")).sum();
    assert!((summary["account"]["net_usd"].as_f64().expect("a net") - nets).abs() < 0.005);
    // Two accounts that lost are one fall, and the rerun of the report refills too.
    let worst = summary["drawdown"]["max_usd"].as_f64().expect("a fall");
    assert!(worst >= -nets, "{worst} {nets}");
    let verified = json(folder, "mes-bt verify -q --search . run");
    assert!(verified["command"].as_str().is_some_and(|command| command.contains("--refill")), "{verified}");
    // The first account is the one of a run without refill.
    let dead = json(folder, "mes-bt -q --rules small.toml chance.parquet");
    assert_eq!(dead["account_died"], summary["account_died"]);
    let output = shell::run(folder, "mes-bt --refill --journal - chance.parquet", b"");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn optimize_explains_deaths_few_trades_and_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    rows(folder);
    let search = "mes-lab optimize -q --rules small.toml --grid --vary exits.stop_ticks=4,8 --min-trades 1 --holdout 0";
    let outcome = json(folder, &format!("{search} --out dead chance.parquet"));
    assert!(outcome["counts"]["died"].as_u64() > Some(0), "{outcome}");
    let text = read(folder, "dead/optimize.txt");
    assert!(text.contains("the account died in ") && text.contains("most of this is luck"), "{text}");
    for line in read(folder, "dead/trials.jsonl").lines().skip(1) {
        let trial: Value = serde_json::from_str(line).expect("JSON");
        if trial["died"] == true {
            assert_eq!(trial["lived"], trial["death"]["day"], "{trial}");
        }
    }
    let best = &outcome["best"];
    if best["account_died"] == true {
        assert_eq!(best["days"], best["account_death"]["day"], "{best}");
        assert!(text.starts_with("best trial: account died on day "), "{text}");
    }
    let idle = format!("{} --out none", search.replace("--min-trades 1", "--vary entries.confidence=0.99"));
    let flat = "mes-fetch synth -q --sessions 3 --session rth | mes-predict -q --rule ema-cross --to parquet > flat.parquet";
    shell::ok(folder, flat, b"");
    let outcome = json(folder, &format!("{idle} flat.parquet"));
    let why = outcome["why_no_trade"].as_array().expect("lines");
    assert!(
        why.len() >= 2 && why[0].as_str().is_some_and(|line| line.contains("no trial made a trade")),
        "{outcome}"
    );
    assert!(read(folder, "none/optimize.txt").contains("none the confidence to enter"), "{outcome}");
}

#[test]
fn walk_forward_explains_deaths_and_compares_by_the_day() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    rows(folder);
    let features =
        "mes-fetch synth -q --sessions 7 --seed 3 --edge 1 --session rth | mes-bars -q --session rth |
                    mes-features -q --labels=horizon --to parquet > features.parquet";
    shell::ok(folder, features, b"");
    let walk = "mes-lab walk-forward -q --train 3sessions --validate 1sessions --test 1sessions --step 1sessions \
                --train-args='--without f_delta_30,f_spread,f_queue,f_micro' --rules small.toml features.parquet";
    let outcome = json(folder, &format!("{walk} --out walk"));
    let text = read(folder, "walk/walk-forward.txt");
    let died = |fold: &&Value| !fold["out_of_sample"]["account_died"].is_null();
    let folds = outcome["folds"].as_array().expect("folds");
    let dead = folds.iter().filter(died).count();
    assert_eq!(outcome["out_of_sample"]["deaths"], dead, "{outcome}");
    assert_eq!(text.lines().filter(|line| line.contains(": account died on day ")).count(), dead, "{text}");
    if outcome["out_of_sample"]["trades"] == 0 {
        assert!(
            text.contains("no trade out of sample")
                && outcome["out_of_sample"]["why_no_trade"][0].is_string()
        );
    }
    assert!(text.contains("a day") && text.contains("bar by bar"), "{text}");
    // The headline falls at least as far as the deepest fold, in dollars.
    let deepest = folds
        .iter()
        .filter_map(|fold| fold["out_of_sample"]["max_drawdown_usd"].as_f64())
        .fold(0.0, f64::max);
    assert!(outcome["out_of_sample"]["max_drawdown_usd"].as_f64() >= Some(deepest), "{outcome}");
    for fold in folds {
        let side = &fold["in_sample"];
        let (net, days) = (side["net_usd"].as_f64().expect("a net"), side["days"].as_f64().expect("days"));
        assert!((side["net_per_day_usd"].as_f64().expect("a rate") - net / days).abs() < 1e-9, "{side}");
    }
    assert!(read(folder, "walk/report.html").contains("Net a trading day of each fold"));
}
