//! Every rule on accounts worked out by hand.

use mes_core::{
    bar::Bar,
    calendar::Calendar,
    ledger::{Day, Pause},
    limits::{LimitFacts, Limits},
    price::Price,
    rules::{MES_1K, Prop, Rung, SHIPPED, SizingFrom},
    schedule::Schedule,
    session::Filter,
    statement::{Barred, Statement},
    time::{self, MILLI, MINUTE, SECOND},
    vocabulary::{Kind, names},
};

use super::*;

#[test]
fn the_rules_are_those_of_the_vocabulary() {
    let rules: Vec<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(names(Kind::Rule).collect::<Vec<_>>(), rules);
}

const PRICE: Price = Price::from_ticks(20_000);

/// An entry at a New York lunch with 8 ticks of stop: $12.09 of risk a contract.
struct Case {
    rules: Rules,
    row: Row,
    statement: Statement,
    ledger: Ledger,
    confidence: f32,
    reversing: bool,
    quotes: bool,
}

impl Case {
    fn new(rules: &str, balance: i64) -> Case {
        let text = SHIPPED.iter().find(|(name, _)| *name == rules).expect("shipped rules").1;
        let ts = time::parse("2026-11-20T17:00:00Z").expect("a time");
        let balance = Cents(balance);
        let mut ledger = Ledger::new(balance);
        let label = "2026-11-20".parse().expect("a date");
        let day = Day { label, start_cents: balance, balance_cents: balance, peak_cents: balance };
        ledger.day = Some(day);
        Case {
            rules: Rules::parse(text).expect("rules"),
            row: Row { bar: Bar { ts, volume: 1, close: PRICE, ..Bar::default() }, ..Row::default() },
            statement: Statement { balance_cents: balance, equity_cents: balance, ..Statement::default() },
            ledger,
            confidence: 0.95,
            reversing: false,
            quotes: false,
        }
    }

    /// Moves the entry so many seconds on.
    fn after(mut self, seconds: i64) -> Case {
        self.row.bar.ts += seconds * SECOND;
        self
    }

    fn contracts(&self) -> Result<i64, Denial> {
        let rules = &self.rules;
        let mut schedule = Schedule::new(Calendar::shipped(), rules.day_end.flat_by, None, Filter::All);
        let today = schedule.of_bar(self.row.bar.ts).copied().expect("a day");
        let facts = LimitFacts::of(&self.ledger).quoted(&self.row, self.statement.position, rules);
        contracts(&View {
            row: &self.row,
            statement: &self.statement,
            rules,
            ledger: &self.ledger,
            today: &today,
            part: today.part_of_bar(self.row.bar.ts),
            confidence: self.confidence,
            balance: super::balance(rules, &self.ledger, &self.statement),
            reversing: self.reversing,
            room: Limits::of(rules).room(&facts),
            quotes: self.quotes,
            risk: Cents(1_209),
        })
    }

    fn denied(&self) -> (String, f64, f64) {
        let denial = self.contracts().expect_err("denied");
        (denial.rule.into_owned(), denial.value, denial.limit)
    }
}

fn size(balance: i64, confidence: f32) -> Result<i64, Denial> {
    Case { confidence, ..Case::new("mes-1k", balance) }.contracts()
}

#[test]
fn golden_sizes() {
    let named = |rule: &str, found: Result<i64, Denial>| assert_eq!(found.expect_err(rule).rule, rule);
    named("size_usd", size(100_000, 0.65));
    assert_eq!(size(100_000, 0.75), Ok(1));
    assert_eq!(size(100_000, 0.85), Ok(2));
    assert_eq!(size(100_000, 0.95), Ok(2));
    // Half size first trades at $1,209, and not a cent before.
    named("size_usd", size(120_899, 0.65));
    assert_eq!(size(120_900, 0.65), Ok(1));
    // $25 caps at two contracts at any balance.
    assert_eq!(size(500_000, 0.95), Ok(2));
    named("minimum_balance_usd", size(69_999, 0.95));
}

#[test]
fn confidence_lands_in_its_band() {
    assert_eq!(size(100_000, 0.70), Ok(1));
    assert_eq!(size(100_000, 0.699_999), size(100_000, 0.60));
}

/// $50,000 at a broker, of which $1,000 are at risk: sizes and the minimum balance are those of $1,000.
#[test]
fn sizes_count_from_the_capital_where_the_rules_say_so() {
    let mut case = Case::new("mes-1k-topstep", 5_000_000);
    assert_eq!(case.rules.sizing_from, SizingFrom::Capital);
    assert_eq!(Case { confidence: 0.75, ..Case::new("mes-1k-topstep", 5_000_000) }.contracts(), Ok(1));
    case.confidence = 0.65;
    assert_eq!(case.denied(), ("size_usd".to_owned(), 12.09, 10.0));
    case.ledger.equity_cents += Cents(20_900);
    assert_eq!(case.contracts(), Ok(1));
    // A reset moves the start of the kill switch, never what sizes are counted from.
    case.ledger.start_cents += Cents(20_900);
    assert_eq!(case.contracts(), Ok(1));
    case.ledger.equity_cents -= Cents(50_901);
    assert_eq!(case.denied(), ("minimum_balance_usd".to_owned(), 699.99, 700.0));
}

#[test]
fn a_pause_after_losses_ends_to_the_second() {
    let from = Case::new("mes-1k", 100_000).row.bar.ts;
    for (seconds, denied) in [(0, true), (899, true), (900, false)] {
        let mut case = Case::new("mes-1k", 100_000).after(seconds);
        case.ledger.pause = Some(Pause { from, until: from + 15 * MINUTE });
        assert_eq!(case.contracts().is_err(), denied, "{seconds}");
        if denied {
            assert_eq!(case.denied(), ("losses_pause_s".to_owned(), seconds as f64, 900.0));
        }
    }
}

#[test]
fn an_exit_cools_down_but_a_reversal_goes_on() {
    for (seconds, reversing, denied) in [(29, false, true), (30, false, false), (1, true, false)] {
        let mut case = Case { reversing, ..Case::new("mes-1k", 100_000) };
        case.ledger.last_exit = Some(case.row.bar.ts - seconds * SECOND);
        assert_eq!(case.contracts().is_err(), denied, "{seconds} {reversing}");
    }
}

#[test]
fn a_stage_may_want_less_and_never_gets_more() {
    for (size, contracts) in [(Some(1.0), 1), (Some(1.99), 1), (Some(2.0), 2), (Some(1e6), 2), (None, 2)] {
        let mut case = Case::new("mes-1k", 100_000);
        case.row.prediction.size = size;
        assert_eq!(case.contracts(), Ok(contracts), "{size:?}");
    }
    for none in [0.0, 0.5] {
        let mut case = Case::new("mes-1k", 100_000);
        case.row.prediction.size = Some(none);
        assert_eq!(case.denied(), ("p_size_contracts".to_owned(), f64::from(none), 1.0));
    }
}

#[test]
fn a_wide_spread_pauses() {
    let mut case = Case::new("mes-1k", 100_000);
    case.ledger.wide_spread = true;
    (case.row.bar.bid, case.row.bar.ask) = (Some(PRICE), Some(PRICE + 2));
    assert_eq!(case.denied(), ("spread_ticks".to_owned(), 2.0, 1.0));
}

/// Minutes of a steady market, then of one that moves so far and trades so much.
fn after_minutes(case: &mut Case, ticks: i64, volume: i64) {
    let mut bar = case.row.bar;
    bar.ts -= 120 * MINUTE;
    for minute in 0..120 {
        let wild = minute >= 100;
        let (range, traded) = if wild { (ticks, volume) } else { (4, 1000) };
        bar.ts += MINUTE;
        (bar.high, bar.low, bar.volume) = (bar.close + range, bar.close, traded);
        case.ledger.market.push(&bar, MINUTE);
    }
}

#[test]
fn a_wild_market_and_a_dead_one_halve_and_half_of_one_is_none() {
    let mut case = Case::new("mes-1k", 100_000);
    after_minutes(&mut case, 4, 1000);
    assert_eq!(case.contracts(), Ok(2));
    let mut case = Case::new("mes-1k", 100_000);
    after_minutes(&mut case, 30, 1000);
    assert_eq!(case.contracts(), Ok(1));
    case.confidence = 0.75;
    assert_eq!(case.denied().0, "atr_ticks");
    let mut case = Case::new("mes-1k", 100_000);
    after_minutes(&mut case, 4, 39);
    // Of the last 30 minutes 10 were usual: a tenth of (10 · 1000 + 20 · 39) / 30 is 35.9.
    assert_eq!(case.contracts(), Ok(2));
    let mut case = Case::new("mes-1k", 100_000);
    after_minutes(&mut case, 4, 35);
    assert_eq!(case.contracts(), Ok(1));
    case.rules.breakers.size_multiplier = 0.0;
    assert_eq!(case.denied().0, "volume_contracts");
}

fn combine(balance: i64) -> Case {
    Case::new("topstep-50k", balance)
}

#[test]
fn a_firms_size_is_its_ladders_and_grows_from_day_to_day() {
    assert_eq!(combine(5_000_000).contracts(), Ok(8), "$100 a trade");
    let ladder = vec![Rung { from_usd: 0.0, contracts: 2 }, Rung { from_usd: 1500.0, contracts: 3 }];
    let with = |day_start: i64| {
        let mut case = combine(5_000_000);
        let prop = case.rules.prop.take().expect("a firm");
        case.rules.prop = Some(Prop { ladder: ladder.clone(), ..prop });
        case.ledger.day = case.ledger.day.map(|day| Day { balance_cents: Cents(day_start), ..day });
        case
    };
    assert_eq!(with(5_000_000).contracts(), Ok(2));
    assert_eq!(with(5_149_999).contracts(), Ok(2));
    assert_eq!(with(5_150_000).contracts(), Ok(3));
    assert_eq!(with(4_999_999).denied(), ("ladder_contracts".to_owned(), -0.01, 0.0));
    // What the day itself has earned is no rung.
    let mut case = with(5_000_000);
    case.ledger.equity_cents = Cents(5_150_000);
    assert_eq!(case.contracts(), Ok(2));
}

#[test]
fn the_best_day_ends_at_its_share_of_the_target() {
    for (earned, denied) in [(164_999, false), (165_000, true)] {
        let mut case = combine(5_000_000);
        case.ledger.equity_cents += Cents(earned);
        assert_eq!(case.contracts().is_err(), denied, "{earned}");
    }
    let mut case = combine(5_000_000);
    case.ledger.equity_cents += Cents(170_000);
    assert_eq!(case.denied(), ("best_day_usd".to_owned(), 1700.0, 1650.0));
}

/// The consumer price index comes at 08:30 New York, in the night of the futures.
#[test]
fn few_contracts_around_an_announcement() {
    for (clock, contracts) in [("13:24:49", 8), ("13:24:50", 1), ("13:34:59", 1), ("13:35:00", 8)] {
        let mut case = combine(5_000_000);
        case.rules.entries.session = mes_core::rules::EntrySession::All;
        case.row.bar.ts = time::parse(&format!("2026-12-10T{clock}Z")).expect("a time");
        assert_eq!(case.contracts(), Ok(contracts), "{clock}");
        assert_eq!(news::too_large(&case.row, -2, &case.rules), contracts == 1, "{clock}");
        if let Some(news) = &mut case.rules.news {
            news.contracts = 0;
        }
        assert_eq!(case.contracts().is_err(), contracts == 1, "{clock}");
    }
}

#[test]
fn nothing_is_entered_beyond_what_the_floor_leaves() {
    // $48,050 with the floor at $48,000: four contracts of $12.09.
    let mut case = combine(5_000_000);
    let day = case.ledger.day.expect("a day");
    case.ledger.equity_cents = Cents(4_805_000);
    case.statement.balance_cents = Cents(4_805_000);
    case.ledger.day = Some(Day { start_cents: Cents(4_805_000), peak_cents: Cents(4_805_000), ..day });
    case.ledger.peak_cents = Cents(4_805_000);
    assert_eq!(case.contracts(), Ok(4));
    case.ledger.equity_cents = Cents(4_801_208);
    assert_eq!(case.denied(), ("room_usd".to_owned(), 12.09, 12.08));
}

#[test]
fn reversals_have_a_cooldown_and_a_number() {
    let reversals = Rules::parse(MES_1K).expect("rules").reversals;
    let now = 1_000 * SECOND;
    let denial = |seconds: i64, count: u32| {
        let mut ledger = Ledger::new(Cents(100_000));
        (ledger.reversals.last, ledger.reversals.count) = (Some(now - seconds * SECOND), count);
        reversal::denial(&reversals, &ledger, now).map(|denial| denial.rule.into_owned())
    };
    assert_eq!(reversal::denial(&reversals, &Ledger::new(Cents(100_000)), now), None);
    assert_eq!(denial(29, 1).as_deref(), Some("reversal_cooldown_s"));
    assert_eq!(denial(30, 1), None);
    assert_eq!(denial(300, 2).as_deref(), Some("reversals_in_range"));
}

#[test]
fn no_entry_on_an_account_that_nobody_has_looked_at_or_that_the_broker_bars() {
    let mut case = combine(5_000_000);
    let told_at = case.row.bar.ts + SECOND;
    case.statement.told_at = Some(told_at);
    for (age_ms, denied) in [(5_000, false), (5_001, true)] {
        case.statement.known_as_of = Some(told_at - age_ms * MILLI);
        assert_eq!(case.contracts().is_err(), denied, "{age_ms}");
    }
    assert_eq!(case.denied(), ("account_stale_ms".to_owned(), 5001.0, 5000.0));
    case.statement.known_as_of = None;
    for barred in [Barred::Outside, Barred::Broker, Barred::Reconcile] {
        case.statement.barred = Some(barred);
        assert_eq!(case.denied().0, "account_barred");
    }
}
