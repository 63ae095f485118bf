//! Cuts time into folds: train, validate, test, rolled forward. A fold is a line of JSON that says all there is to say,
//! so that any scheduler can run it.

mod combinatorial;
pub mod length;

use std::io::{Write, stdout};

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use clap::Args;
use mes_core::{
    calendar::Calendar,
    session::{Day, Sessions},
    time::{self, SECOND, Ts},
    tz,
};
use mes_pipe::{Bars, CalendarArgs, Error, Event, Input, InputArgs, Kind, Result, log};
use serde::{Deserialize, Serialize};

use combinatorial::Choice;
use length::{Length, Place};

/// How time is cut.
#[derive(Args, Clone, Debug)]
pub struct CutArgs {
    /// Span to fit on: months (6mo), weeks (2w), days (10d) or trading days (20sessions)
    #[arg(long, value_name = "LENGTH", default_value = "6mo")]
    train: Length,
    /// Span after it, on which a model is calibrated and chosen; 0d for none
    #[arg(long, value_name = "LENGTH", default_value = "1mo")]
    validate: Length,
    /// Span after that, which nothing has seen
    #[arg(long, value_name = "LENGTH", default_value = "1mo")]
    test: Length,
    /// From one fold to the next
    #[arg(long, value_name = "LENGTH", default_value = "1mo")]
    step: Length,
    /// Seconds at the test's edge that nothing may train on, beyond the labels' horizon: what features look back
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    embargo: u32,
}

#[derive(Args)]
pub struct FoldsArgs {
    #[command(flatten)]
    cut: CutArgs,
    /// Instead: cut the trading days into N groups and test every choice of K of them on a model of the rest
    #[arg(long, value_name = "N,K", conflicts_with_all = ["train", "validate", "test", "step"])]
    combinatorial: Option<Choice>,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    calendar: CalendarArgs,
    /// No notes on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// The rows `from < ts <= to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    #[serde(with = "time::text")]
    pub from: Ts,
    #[serde(with = "time::text")]
    pub to: Ts,
    /// Trading days within.
    pub sessions: usize,
}

/// A fold whose spans follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    pub kind: FoldKind,
    pub v: u32,
    /// From 1.
    pub fold: usize,
    pub train: Span,
    pub validate: Span,
    pub test: Span,
    /// How far labels look ahead; a row trains only if its label is known by `until`.
    pub purge_s: i64,
    pub embargo_s: i64,
    /// The end of all training: that of `validate` less the embargo.
    #[serde(with = "time::text")]
    pub until: Ts,
}

/// The word `fold`, so that a line of another kind is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoldKind {
    Fold,
}

/// What a table says of itself as far as folds care.
pub struct Covered {
    /// Trading days that have a row.
    pub sessions: Vec<NaiveDate>,
    pub rows: u64,
    /// The labels' horizon; 0 where the rows do not say.
    pub purge_s: i64,
}

/// Prints the folds of a table, one a line.
///
/// # Errors
///
/// `Usage` where no fold fits, `Data` where rows are none, `Failed` where stdout cannot be written.
pub fn run(args: &FoldsArgs) -> Result<()> {
    let calendar = args.calendar.read()?.value;
    let input = open(&args.input)?;
    let covered = Covered::of(input, &calendar)?;
    match args.combinatorial {
        Some(choice) => {
            print(&combinatorial::folds(choice, i64::from(args.cut.embargo), &covered, &calendar)?)
        }
        None => print(&folds(&args.cut, &covered, &calendar)?),
    }
}

/// Prints a line a fold.
fn print(folds: &[impl Serialize]) -> Result<()> {
    let mut out = stdout().lock();
    for fold in folds {
        let line = serde_json::to_string(fold).map_err(Error::failed)?;
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

/// Opens a table of which only the bars are looked at.
///
/// # Errors
///
/// What [`Input::open_columns`] refuses.
pub fn open(args: &InputArgs) -> Result<Input> {
    let bar = |name: &str| !name.starts_with("f_") && !name.starts_with("y_") && !name.starts_with("p_");
    Input::open_columns(args, &[Kind::Bar], bar)
}

impl Covered {
    /// Warns where nothing can be purged.
    fn tell(&self) {
        if self.purge_s == 0 {
            log::note("the rows do not say how far their labels look ahead: purge_s is 0");
        }
    }

    /// Reads a table through.
    ///
    /// # Errors
    ///
    /// What [`Input::next`] fails of, and `Data` where rows are no bars.
    pub fn of(mut input: Input, calendar: &Calendar) -> Result<Covered> {
        let horizon = input
            .meta()
            .lineage
            .settings("mes-features")
            .and_then(|settings| settings["labels"]["horizon"].as_str()?.parse().ok())
            .map_or(0, mes_core::interval::Interval::nanos);
        let mut sessions = Sessions::new(calendar.clone());
        let mut labels: Vec<NaiveDate> = Vec::new();
        let mut count = 0;
        loop {
            match input.next()? {
                Event::Batch(batch) => {
                    let bars = Bars::of(&batch)?;
                    count += bars.len() as u64;
                    // A batch mostly lies within one day.
                    let days = [0, bars.len() - 1]
                        .map(|row| sessions.day_of_bar(bars.get(row).ts).map(|day| day.label));
                    let rows = if days[0] == days[1] { 0..1 } else { 0..bars.len() };
                    for row in rows {
                        let day = sessions.day_of_bar(bars.get(row).ts).map(|day| day.label);
                        labels.extend(day.filter(|day| labels.last() != Some(day)));
                    }
                }
                Event::Idle => {}
                Event::End => {
                    return Ok(Covered { sessions: labels, rows: count, purge_s: horizon / SECOND });
                }
            }
        }
    }
}

/// Cuts the sessions into folds; an error when not even one fits.
///
/// # Errors
///
/// `Usage` where not one fits or a span is empty, `Data` where no row lies in a trading day.
pub fn folds(cut: &CutArgs, covered: &Covered, calendar: &Calendar) -> Result<Vec<Fold>> {
    let sessions = &covered.sessions;
    let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else {
        return Err(Error::data("no row lies in a trading day"));
    };
    if cut.train.is_zero() || cut.test.is_zero() || cut.step.is_zero() {
        return Err(Error::usage("--train, --test and --step must be longer than 0"));
    }
    let end = next_session(*last, calendar);
    let mut start = Some(Place { date: *first, session: 0 });
    let mut all: Vec<Fold> = Vec::new();
    while let Some(from) = start {
        let step = |place: Place, length: Length| length.from(place, sessions, end);
        let Some(fold) = fold(cut, covered, from, &step) else { break };
        // A hole in the data may leave a span without a day.
        if fold.train.sessions > 0 && fold.test.sessions > 0 {
            all.push(Fold { fold: all.len() + 1, ..fold });
        }
        start = step(from, cut.step);
    }
    if all.is_empty() {
        return Err(Error::usage(format!(
            "--train {} --validate {} --test {}: not one fold fits into {} trading days, {first} to {last}{}",
            cut.train,
            cut.validate,
            cut.test,
            sessions.len(),
            that_fit(sessions.len())
        )));
    }
    covered.tell();
    Ok(all)
}

/// Names lengths that fit into so many trading days: half of them to train on, and a few folds.
fn that_fit(sessions: usize) -> String {
    let (train, test) = (sessions / 2, sessions / 12);
    match (train, test) {
        (0, _) => "; a fold takes two at least".into(),
        (_, 0) => {
            format!("; these do: --train {train}sessions --validate 0d --test 1sessions --step 1sessions")
        }
        _ => format!(
            "; these do: --train {train}sessions --validate {test}sessions --test {test}sessions --step {test}sessions"
        ),
    }
}

fn fold(
    cut: &CutArgs,
    covered: &Covered,
    from: Place,
    step: &impl Fn(Place, Length) -> Option<Place>,
) -> Option<Fold> {
    let validate = step(from, cut.train)?;
    let test = step(validate, cut.validate)?;
    let end = step(test, cut.test)?;
    let span = |from: Place, to: Place| Span {
        from: evening(from.date),
        to: evening(to.date),
        sessions: to.session - from.session,
    };
    let (train, validate) = (span(from, validate), span(validate, test));
    let embargo_s = i64::from(cut.embargo);
    Some(Fold {
        kind: FoldKind::Fold,
        v: 1,
        fold: 0,
        train,
        validate,
        test: span(test, end),
        purge_s: covered.purge_s,
        embargo_s,
        until: validate.to - embargo_s * SECOND,
    })
}

/// Returns when the trading day of this date begins: at 18:00 the day before, so spans go from evening to evening.
pub fn evening(date: NaiveDate) -> Ts {
    tz::instant(date - TimeDelta::days(1), EVENING)
}

/// Returns the date of the trading day whose evening-to-evening span holds an instant.
pub fn day_of(ts: Ts) -> NaiveDate {
    (tz::new_york(ts) + TimeDelta::hours(6)).date()
}

const EVENING: NaiveTime = match NaiveTime::from_hms_opt(18, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// Returns the trading day after `last`: data that lack only days without a session lack nothing.
fn next_session(last: NaiveDate, calendar: &Calendar) -> NaiveDate {
    let open = |date: &NaiveDate| Day::labelled(*date, calendar).is_some();
    last.iter_days().skip(1).take(14).find(open).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(from: &str, to: &str) -> Covered {
        let (from, to): (NaiveDate, NaiveDate) = (from.parse().expect("a date"), to.parse().expect("a date"));
        let open = |date: &NaiveDate| Day::labelled(*date, &Calendar::shipped()).is_some();
        let sessions = from.iter_days().take_while(|date| *date <= to).filter(open).collect();
        Covered { sessions, rows: 0, purge_s: 30 }
    }

    fn cut(train: &str, validate: &str, test: &str, step: &str) -> CutArgs {
        let length = |text: &str| text.parse().expect("a length");
        CutArgs {
            train: length(train),
            validate: length(validate),
            test: length(test),
            step: length(step),
            embargo: 300,
        }
    }

    #[test]
    fn months_roll_by_the_calendar() {
        let found = folds(
            &cut("6mo", "1mo", "1mo", "1mo"),
            &covered("2025-01-02", "2025-12-31"),
            &Calendar::shipped(),
        )
        .expect("folds");
        // From the first day of the data, the 2nd. The last ends on January 2nd, the next session: it is whole.
        assert_eq!(found.len(), 5);
        let line = serde_json::to_string(&found[0]).expect("writes");
        assert_eq!(
            line,
            "{\"kind\":\"fold\",\"v\":1,\"fold\":1,\
             \"train\":{\"from\":\"2025-01-01T23:00:00Z\",\"to\":\"2025-07-01T22:00:00Z\",\"sessions\":128},\
             \"validate\":{\"from\":\"2025-07-01T22:00:00Z\",\"to\":\"2025-08-01T22:00:00Z\",\"sessions\":23},\
             \"test\":{\"from\":\"2025-08-01T22:00:00Z\",\"to\":\"2025-09-01T22:00:00Z\",\"sessions\":21},\
             \"purge_s\":30,\"embargo_s\":300,\"until\":\"2025-08-01T21:55:00Z\"}"
        );
        assert_eq!(serde_json::from_str::<Fold>(&line).expect("reads"), found[0]);
        assert!(serde_json::from_str::<Fold>(&line.replacen("fold", "row", 1)).is_err());
    }

    #[test]
    fn sessions_roll_by_trading_days_and_spans_abut() {
        let data = covered("2026-10-01", "2026-11-20");
        let found =
            folds(&cut("10sessions", "2sessions", "3sessions", "3sessions"), &data, &Calendar::shipped())
                .expect("folds");
        assert_eq!(found.len(), (data.sessions.len() - 15) / 3 + 1);
        for (index, fold) in found.iter().enumerate() {
            assert_eq!(fold.fold, index + 1);
            assert_eq!((fold.train.sessions, fold.validate.sessions, fold.test.sessions), (10, 2, 3));
            assert_eq!((fold.train.to, fold.validate.to), (fold.validate.from, fold.test.from));
            assert!(fold.until < fold.test.from);
        }
        for pair in found.windows(2) {
            assert_eq!(pair[0].test.to, pair[1].test.from);
        }
        let whole = folds(&cut("10sessions", "0d", "3sessions", "99sessions"), &data, &Calendar::shipped());
        assert_eq!(whole.expect("one")[0].validate.sessions, 0);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let data = covered("2026-10-01", "2026-10-20");
        for cut in [cut("6mo", "1mo", "1mo", "1mo"), cut("5d", "0d", "0d", "5d"), cut("0d", "0d", "5d", "5d")]
        {
            assert_eq!(folds(&cut, &data, &Calendar::shipped()).expect_err("none").code(), 2);
        }
        // What the error says instead does fit, into as few days as there may be.
        for days in [2, 3, 11, 12, 60] {
            let mut data = covered("2026-06-01", "2026-10-20");
            data.sessions.truncate(days);
            let refused = folds(&cut("6mo", "1mo", "1mo", "1mo"), &data, &Calendar::shipped());
            let text = refused.expect_err("too few").to_string();
            let (_, said) = text.rsplit_once("these do: ").expect(&text);
            let words: Vec<_> = said.split(' ').skip(1).step_by(2).collect();
            let [train, validate, test, step]: [&str; 4] = words.try_into().expect(&text);
            assert!(
                !folds(&cut(train, validate, test, step), &data, &Calendar::shipped())
                    .expect(&text)
                    .is_empty()
            );
        }
        let nothing = Covered { sessions: Vec::new(), rows: 0, purge_s: 0 };
        assert_eq!(
            folds(&cut("5d", "0d", "1d", "1d"), &nothing, &Calendar::shipped()).expect_err("none").code(),
            3
        );
    }
}
