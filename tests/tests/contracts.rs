//! Rules name the contract that they trade: its ticks are what money is counted by, and rows of another are refused.

use std::fs;

use mes_core::rules;
use mes_golden::{market, shell};
use serde_json::Value;

/// Rows of a market under another symbol.
fn rows(root: &str) -> String {
    market::eventful(1).replace("MESH6", &format!("{root}H6")).replace("MESM6", &format!("{root}M6"))
}

/// The rules of these markets for another contract, with all dollars times `times`.
fn rules(root: &str, costs: &str, times: f64) -> String {
    let text = fs::read_to_string(shell::root().join(market::RULES)).expect("rules");
    let text = rules::whole(&text).expect("rules with a base");
    let own = |line: &&str| !line.starts_with("contract = ") && !line.starts_with("costs = ");
    let lines = text.lines().filter(own).map(|line| {
        let Some((name, value)) = line.split_once(" = ").filter(|(name, _)| name.ends_with("_usd")) else {
            return line.to_owned();
        };
        let usd: f64 = value.split_whitespace().next().and_then(|usd| usd.parse().ok()).expect("dollars");
        format!("{name} = {:?}", usd * times)
    });
    let lines: Vec<_> = lines.collect();
    format!("contract = \"{root}\"\ncosts = \"{costs}\"\n{}\n", lines.join("\n"))
}

#[test]
fn money_is_that_of_the_contract_to_the_cent() {
    // Cents of a point, and of one side of one contract.
    for (root, costs, times, point, side) in [
        ("ES", "topstepx-mini", 10.0, 5000, 189),
        ("MNQ", "topstepx", 1.0, 200, 61),
        ("NQ", "topstepx-mini", 10.0, 2000, 189),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("rules.toml"), rules(root, costs, times)).expect("rules");
        let line = "mes-bt --rules rules.toml --journal - | jq -c 'select(.kind == \"statement\" or .kind == \"run\")'";
        let journal = shell::ok(folder.path(), line, rows(root).as_bytes());
        let (mut balance, mut entry, mut trips) = (0, None, 0);
        for line in String::from_utf8(journal).expect("text").lines() {
            let record: Value = serde_json::from_str(line).expect("a record");
            if record["kind"] == "run" {
                assert_eq!(record["rules"]["value"]["contract"], root);
                balance = record["broker"]["balance_cents"].as_i64().expect("cents");
                continue;
            }
            for fill in record["fills"].as_array().into_iter().flatten() {
                let contracts = fill["contracts"].as_i64().expect("contracts");
                let price = fill["price"].as_f64().expect("a price");
                assert_eq!(fill["commission_cents"], side * contracts, "{root}: {fill}");
                balance -= side * contracts;
                let Some(entered) = entry.take() else {
                    entry = Some(price);
                    continue;
                };
                let sign = if fill["side"] == "sell" { 1.0 } else { -1.0 };
                let gross = (sign * (price - entered) * 4.0) as i64 * contracts * point / 4;
                assert_eq!(fill["gross_cents"], gross, "{root}: {fill} entered at {entered}");
                balance += gross;
                trips += 1;
            }
            if entry.is_none() {
                assert_eq!(record["balance_cents"], balance, "{root}: {record}");
            }
        }
        assert!(trips > 20, "{root}: {trips} trades");
    }
}

#[test]
fn rows_of_another_contract_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rules.toml"), rules("MNQ", "topstepx", 1.0)).expect("rules");
    let ran = |command: &str, rows: &str| {
        let output = shell::run(folder.path(), command, rows.as_bytes());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (command, root) in [
        ("mes-bt", "ES"),
        ("mes-bt", "MNQ"),
        ("mes-risk --account none", "NQ"),
        ("mes-bt --rules rules.toml", "MES"),
        ("mes-bt --rules rules.toml", "NQ"),
    ] {
        let (code, said) = ran(command, &rows(root));
        assert!(code == Some(3) && said.contains(&format!("\"{root}H6\"")), "{command}: {code:?} {said}");
        assert!(said.contains("line 2") || said.contains("row 1"), "{said}");
    }
    // Rows that do not say are taken for what the rules say.
    let unnamed = rows("MES").replace("\"MESH6\"", "\"\"").replace("\"MESM6\"", "\"\"");
    assert_eq!(ran("mes-bt --rules rules.toml > /dev/null", &unnamed).0, Some(0));
}

#[test]
fn costs_of_another_contract_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = shell::run(folder.path(), "mes-bt --costs topstepx-mini", rows("MES").as_bytes());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("trade MES") && said.contains("ES and NQ"), "{said}");
}

/// The rules of a contract for a test: those that are shipped, or a Combine's with another contract in them.
fn shipped(root: &str) -> (String, String) {
    let text = |name: &str| {
        fs::read_to_string(shell::root().join(format!("pipelines/rules/{name}.toml"))).expect("rules")
    };
    match root {
        "MES" => ("mes-1k".into(), text("mes-1k")),
        "MNQ" => ("mnq-1k".into(), text("mnq-1k")),
        root => {
            let text = text("topstep-150k")
                .replace("\"MES\"", &format!("\"{root}\""))
                .replace("\"topstepx\"", "\"topstepx-mini\"")
                .replace("name = \"topstep-150k\"", &format!("name = \"{root}\""));
            (root.to_lowercase(), text)
        }
    }
}

#[test]
fn each_goes_from_made_up_ticks_to_a_report() {
    for root in ["MES", "ES", "MNQ", "NQ"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (name, text) = shipped(root);
        fs::write(folder.path().join(format!("{name}.toml")), text).expect("rules");
        let line = format!(
            "mes-fetch synth -q --contract {root} --sessions 1 --session rth --to csv > made.csv
             mes-fetch verify -q --interval 1s made.csv > verified.json
             mes-fetch import -q --stamp close --interval 1s --to parquet made.csv > bars.parquet
             mes-bars -q bars.parquet | mes-features -q | mes-predict -q --rule random --seed 7 --rate 0.05 > rows.arrow
             mes-bt -q --rules {name}.toml --out out --journal journal.jsonl rows.arrow > summary.json
             mes-risk -q --rules {name}.toml rows.arrow | tee pipe.jsonl | mes-exec -q --rules {name}.toml > statements.jsonl
             cmp journal.jsonl pipe.jsonl
             test -s out/report.html
             head -n 2 made.csv"
        );
        let said = String::from_utf8(shell::ok(folder.path(), &line, b"")).expect("text");
        assert!(said.contains(&format!("{root}Z6")), "{root}: {said}");
        let summary: Value =
            serde_json::from_slice(&fs::read(folder.path().join("summary.json")).expect("a summary"))
                .expect("JSON");
        let trades = summary["trades"]["all"]["trades"].as_u64().unwrap_or_default();
        assert!(trades > 0, "{root}: no trades: {}", summary["blocked"]);
    }
}
