//! Rules that are read, and rules that are refused.

use std::borrow::Cow;

use super::*;
use crate::{order::Side, price::Price, quote::Quote};

#[test]
fn the_shipped_rules_read() {
    for (name, text) in SHIPPED {
        let rules = Rules::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rules.name, name);
    }
    let rules = Rules::parse(MES_1K).expect("the shipped rules");
    assert_eq!(rules.capital(), Cents(100_000));
    assert_eq!(rules.limits.daily_loss_usd, 50.0);
    assert_eq!(rules.tiers.len(), 5);
}

#[test]
fn a_file_with_a_base_says_only_what_differs() {
    let rules = |text: &str| Rules::parse(&whole(text)?);
    let own = rules(
        "base = \"mes-1k\"\nname = \"mine\"\n[limits]\ndaily_loss_usd = 40.0\n[[tier]]\nfrom_usd = 700.0\ncontracts = 1\nrisk_percent = 2.0\n",
    );
    let shipped = Rules::parse(MES_1K).expect("the shipped rules");
    let own = own.expect("rules");
    assert_eq!((own.limits.daily_loss_usd, own.tiers.len(), &*own.name), (40.0, 1, "mine"));
    let limits = Limits { daily_loss_usd: 40.0, ..shipped.limits.clone() };
    assert_eq!(own, Rules { name: own.name.clone(), limits, tiers: own.tiers.clone(), ..shipped.clone() });
    // It may not call itself as the base does and be something else, and nothing is lost on the way.
    let named = |text: &str| rules(text).expect("rules").name;
    assert_eq!(named("base = \"mes-1k\"\n[limits]\ndaily_loss_usd = 40.0\n"), "mes-1k*");
    for (name, text) in SHIPPED {
        assert_eq!(rules(&format!("base = \"{name}\"")).expect("rules"), Rules::parse(text).expect("rules"));
        assert!(matches!(whole(text), Ok(Cow::Borrowed(_))));
    }
    for (text, said) in [
        ("base = \"mes-2k\"", "base = \"mes-2k\": none of mes-1k, "),
        ("base = 1", "base = 1: none of"),
        ("base = \"mes-1k\"\n[limits]\ndaily_los_usd = 40.0", "daily_los_usd"),
        ("base = \"mes-1k\"\nlimits = 3", "limits"),
        ("base = \"mes-1k\"\n[limits]\ndaily_loss_usd = 400.0", "limits.daily_loss_usd = 400"),
    ] {
        let error = rules(text).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_reversal_needs_the_exit_that_it_begins_with() {
    let text = MES_1K.replacen("enabled = false", "enabled = true", 1);
    assert!(Rules::parse(&text).is_ok());
    let error = Rules::parse(&text.replacen("on_opposite_signal = true", "on_opposite_signal = false", 1));
    assert!(error.expect_err("refused").to_string().contains("on_opposite_signal"));
}

#[test]
fn unknown_keys_and_nonsense_are_refused_by_name() {
    for (from, to, name) in [
        ("daily_loss_usd", "daily_los_usd", "daily_los_usd"),
        ("daily_loss_usd = 50.0", "daily_loss_usd = -50.0", "limits.daily_loss_usd"),
        ("daily_loss_usd = 50.0", "daily_loss_usd = nan", "limits.daily_loss_usd"),
        ("stop_ticks = 8", "stop_ticks = 2", "exits.stop_ticks"),
        ("flat_by = \"16:30\"", "flat_by = \"25:30\"", "flat_by"),
        ("stop = \"ticks\"", "stop = \"feeling\"", "feeling"),
        ("max_stop_ticks = 18", "max_stop_ticks = 30", "exits.min_stop_ticks"),
        ("losses_pause_s = 900", "losses_pause_s = -900", "breakers.losses_pause_s"),
        ("volume_ratio = 0.1", "volume_ratio = 10", "breakers.volume_ratio"),
        ("opposite_confidence", "oposite_confidence", "oposite_confidence"),
        ("max_in_range", "max_range", "max_range"),
        ("entry_lifetime_ms = 2000", "entry_lifetime_ms = -1", "entries.entry_lifetime_ms"),
        ("entry_lifetime_ms = 2000", "limit_lifetime_ms = -1", "entries.limit_lifetime_ms"),
        ("entry_lifetime_ms = 2000", "limit_lifetime_ms = 900001", "entries.limit_lifetime_ms"),
        ("entry_lifetime_ms = 2000", "limit_offset_ticks = 41", "entries.limit_offset_ticks"),
        ("entry_lifetime_ms = 2000", "limit_offset_ticks = -41", "entries.limit_offset_ticks"),
        ("entry_lifetime_ms = 2000", "entry = \"stop\"", "unknown variant `stop`"),
        ("stale_rth_ms = 5000", "stale_rth_ms = -1", "entries.stale_rth_ms"),
        ("stale_eth_ms = 30000", "stale_eth_ms = -1", "entries.stale_eth_ms"),
        ("minimum_balance_usd = 700.0", "minimum_balance_usd = -1.0", "limits.minimum_balance_usd"),
        ("per_trade_usd = 25.0", "per_trade_usd = 300.5", "limits.per_trade_usd"),
        ("max_orders_per_minute = 30", "max_orders_per_minute = 0", "guard.max_orders_per_minute"),
        ("from_usd = 700.0", "from_usd = -700.0", "tier.from_usd"),
        ("contracts = 2\n", "contracts = 0\n", "tier.contracts"),
        ("risk_percent = 2.0", "risk_percent = -2.0", "tier.risk_percent"),
        ("risk_percent = 2.0", "risk_percent = 0.0", "tier.risk_percent"),
        ("risk_percent = 2.0", "risk_percent = 101.0", "tier.risk_percent"),
        ("step_usd = 1000.0", "step_usd = 0.0", "tier.step_usd"),
        ("from = 0.60", "from = -0.60", "confidence_multiplier.from"),
        ("multiplier = 1.5", "multiplier = 1e9", "confidence_multiplier.multiplier"),
        ("multiplier = 1.5", "multiplier = -1.5", "confidence_multiplier.multiplier"),
        (
            "flat_by = \"16:30\"             # New York; earlier on days that close early\nsize_multiplier = 0.5",
            "flat_by = \"16:30\"\nsize_multiplier = 1.5",
            "day_end.size_multiplier",
        ),
        ("contract = \"MES\"", "contract = \"SPY\"", "SPY"),
    ] {
        let error = Rules::parse(&MES_1K.replacen(from, to, 1)).expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn limits_rise_unless_a_file_says_unsafe() {
    for (from, to, name) in [
        ("daily_loss_usd = 50.0", "daily_loss_usd = 400.0", "limits.daily_loss_usd = 400"),
        ("daily_drawdown_usd = 75.0", "daily_drawdown_usd = 201.0", "limits.daily_drawdown_usd = 201"),
        ("account_drawdown_usd = 200.0", "account_drawdown_usd = 301.0", "limits.account_drawdown_usd"),
        ("kill_loss_usd = 300.0", "kill_loss_usd = 199.0", "kill_loss_usd = 199"),
    ] {
        let text = MES_1K.replacen(from, to, 1);
        let error = Rules::parse(&text).expect_err(name).to_string();
        assert!(error.contains(name) && error.contains("unsafe = true"), "{error}");
        assert!(Rules::parse(&format!("unsafe = true\n{text}")).expect("meant").any_limits, "{name}");
    }
    let same = MES_1K.replacen("daily_loss_usd = 50.0", "daily_loss_usd = 75.0", 1);
    assert!(Rules::parse(&same).is_ok());
}

#[test]
fn flat_by_lies_before_the_close() {
    let at = |time: &str| Rules::parse(&MES_1K.replacen("16:30", time, 1));
    assert!(at("17:00").is_ok());
    for late in ["17:01", "18:30", "23:59"] {
        let error = at(late).expect_err(late).to_string();
        assert!(error.contains("day_end.flat_by") && error.contains("17:00 New York"), "{error}");
    }
}

#[test]
fn a_rules_file_with_changed_numbers_is_named_with_a_star() {
    let name = |text: &str| Rules::parse(text).expect("rules").name;
    assert_eq!(name(MES_1K), "mes-1k");
    // A comment is no number.
    assert_eq!(name(&format!("# mine\n{MES_1K}")), "mes-1k");
    let changed = MES_1K.replacen("daily_loss_usd = 50.0", "daily_loss_usd = 40.0", 1);
    assert_eq!(name(&changed), "mes-1k*");
    // As a tool writes it down again.
    assert_eq!(name(&changed.replacen("\"mes-1k\"", "\"mes-1k*\"", 1)), "mes-1k*");
    assert_eq!(name(&MES_1K.replacen("\"mes-1k\"", "\"mes-1k*\"", 1)), "mes-1k");
    assert_eq!(name(&changed.replacen("\"mes-1k\"", "\"mine\"", 1)), "mine");
}

#[test]
fn rules_without_a_contract_are_of_mes() {
    let contract = |text: &str| Rules::parse(text).expect("rules").contract;
    assert_eq!(contract(&MES_1K.replacen("contract = \"MES\"", "", 1)), Contract::Mes);
    assert_eq!(contract(&MES_1K.replacen("\"MES\"", "\"MNQ\"", 1)), Contract::Mnq);
}

#[test]
fn rules_of_before_there_were_lifetimes_read() {
    let old = MES_1K.replacen("entry_lifetime_ms = 2000", "", 1);
    assert_eq!(Rules::parse(&old).expect("reads").entries.entry_lifetime_ms, 2000);
}

/// What rules do not say is not written: the records of entries at market are what they were before there were others.
#[test]
fn entries_are_at_market_unless_a_file_says_otherwise() {
    let written = |rules: &Rules| toml::to_string(rules).expect("writes");
    let rules = Rules::parse(MES_1K).expect("reads");
    assert_eq!(rules.entries.entry, EntryBy::Market);
    assert!(!written(&rules).contains("limit_"));
    let lines = "entry = \"limit\"\nlimit_offset_ticks = -2\nlimit_lifetime_ms = 900\n";
    let limits = Rules::parse(&MES_1K.replacen("entry_lifetime_ms = 2000", lines, 1)).expect("reads");
    let Entries { entry, limit_offset_ticks, limit_lifetime_ms, .. } = limits.entries;
    assert_eq!((entry, limit_offset_ticks, limit_lifetime_ms), (EntryBy::Limit, -2, 900));
    assert!(lines.lines().all(|line| written(&limits).contains(line)));
    assert_eq!(Rules::parse(&written(&limits)), Ok(limits));
}

#[test]
fn a_limit_is_measured_from_the_near_side_or_the_close() {
    let [bid, close, ask] = [19_998, 20_000, 20_001].map(Price::from_ticks);
    let quote = Some(Quote { bid, ask });
    for (offset, buy, sell, buy_by_close, sell_by_close) in [
        (0, 19_998, 20_001, 20_000, 20_000),
        (2, 19_996, 20_003, 19_998, 20_002),
        (-3, 20_001, 19_998, 20_003, 19_997),
    ] {
        let mut entries = Rules::parse(MES_1K).expect("reads").entries;
        entries.limit_offset_ticks = offset;
        let found = [quote, None]
            .map(|quote| [Side::Buy, Side::Sell].map(|side| entries.limit(side, close, quote).ticks()));
        assert_eq!(found, [[buy, sell], [buy_by_close, sell_by_close]], "{offset}");
    }
}
