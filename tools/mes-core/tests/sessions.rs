//! Sessions against a naive computation: every second's wall time from the zone database, every rule from the
//! calendar's text, nothing shared with `session.rs`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike, Weekday,
};
use chrono_tz::America::New_York;
use mes_core::{
    calendar::{self, Calendar},
    day_end::DayEnd,
    schedule::Schedule,
    session::{Day, Filter, Part, Sessions},
    time::{self, MINUTE, SECOND, Ts},
};

const YEARS: std::ops::RangeInclusive<i32> = 2014..=2030;
const FILTERS: [Filter; 3] = [Filter::All, Filter::Rth, Filter::Eth];
const OPEN: u32 = 18 * 3600;
const CLOSE: u32 = 17 * 3600;
/// Until 18 September 2015.
const OLD_CLOSE: u32 = 17 * 3600 + 15 * 60;
const RTH_OPEN: u32 = 9 * 3600 + 30 * 60;
const RTH_CLOSE: u32 = 16 * 3600;
const PAUSE: std::ops::Range<u32> = 16 * 3600 + 15 * 60..16 * 3600 + 30 * 60;

/// The calendar as a person reads it: the second of the day at which a date closes, 0 when it does not open, and the
/// wall times between which the market stood still.
struct Naive(BTreeMap<NaiveDate, u32>, Vec<(NaiveDateTime, NaiveDateTime)>);

impl Naive {
    fn read() -> Self {
        let mut naive = Naive(BTreeMap::new(), Vec::new());
        let lines = calendar::SHIPPED.lines().filter(|line| !line.starts_with('#')).skip(1);
        for fields in lines.map(|line| line.split(',').collect::<Vec<_>>()) {
            let date: NaiveDate = fields[0].parse().expect("a date");
            let second = |clock: &str| {
                let (hour, minute) = clock.split_once(':').expect("a time");
                (hour.parse::<u32>().expect("an hour") * 60 + minute.parse::<u32>().expect("a minute")) * 60
            };
            let wall = |date: NaiveDate, clock: &str| {
                date.and_time(
                    NaiveTime::from_num_seconds_from_midnight_opt(second(clock), 0).expect("a time"),
                )
            };
            match (fields[1], fields[3].split_once(' ')) {
                ("early-close", _) => drop(naive.0.insert(date, second(fields[2]))),
                ("outage", None) => naive.1.push((wall(date, fields[2]), wall(date, fields[3]))),
                ("outage", Some((to, clock))) => {
                    naive.1.push((wall(date, fields[2]), wall(to.parse().expect("a date"), clock)));
                }
                _ => drop(naive.0.insert(date, 0)),
            }
        }
        naive
    }

    fn ordinary(label: NaiveDate) -> u32 {
        if label < date(2015, 9, 19) { OLD_CLOSE } else { CLOSE }
    }

    fn close(&self, label: NaiveDate) -> u32 {
        match label.weekday() {
            Weekday::Sat | Weekday::Sun => 0,
            _ => self.0.get(&label).copied().unwrap_or(Naive::ordinary(label)),
        }
    }

    fn pauses(&self, label: NaiveDate) -> bool {
        label <= date(2021, 6, 25) && self.close(label) == Naive::ordinary(label)
    }

    /// Returns the label and the part of the second that begins at `ts`.
    fn of(&self, ts: Ts) -> (NaiveDate, Part) {
        let utc = DateTime::from_timestamp(ts / SECOND, 0).expect("a time");
        let wall = utc.with_timezone(&New_York).naive_local();
        let second = wall.num_seconds_from_midnight();
        let stands_still = self.1.iter().any(|(from, to)| (*from..*to).contains(&wall));
        if second >= OPEN {
            let label = wall.date() + Days::new(1);
            let part = if stands_still { Part::Pause } else { Part::Overnight };
            return (label, if self.close(label) > 0 { part } else { Part::Closed });
        }
        let label = wall.date();
        let part = match second {
            _ if second >= self.close(label) => Part::Closed,
            _ if stands_still => Part::Pause,
            _ if second < RTH_OPEN => Part::Overnight,
            _ if second < RTH_CLOSE => Part::Rth,
            _ if self.pauses(label) && PAUSE.contains(&second) => Part::Pause,
            _ => Part::Evening,
        };
        (label, part)
    }
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date")
}

fn kept(part: Part, filter: Filter) -> bool {
    match (part, filter) {
        (Part::Closed | Part::Pause, _) => false,
        (_, Filter::All) => true,
        (Part::Rth, filter) => filter == Filter::Rth,
        (Part::Overnight | Part::Evening, filter) => filter == Filter::Eth,
    }
}

/// Returns the UTC offset of New York at noon, in seconds.
fn offset(day: NaiveDate) -> i64 {
    let noon = day.and_hms_opt(17, 0, 0).expect("noon");
    i64::from(New_York.offset_from_utc_datetime(&noon).fix().local_minus_utc())
}

/// Days on which the clock changes, with their neighbours; all days of the calendar; some ordinary weeks.
fn days() -> BTreeSet<NaiveDate> {
    let naive = Naive::read();
    let mut days: BTreeSet<_> = naive.0.into_keys().collect();
    assert!(days.len() > 190, "the calendar is short");
    days.extend(naive.1.iter().flat_map(|(from, to)| [from.date(), to.date(), to.date() + Days::new(1)]));
    let mut changes = 0;
    let mut day = date(*YEARS.start(), 1, 1);
    while day.year() <= *YEARS.end() {
        let next = day + Days::new(1);
        if offset(day) != offset(next) {
            changes += 1;
            days.extend([day - Days::new(1), day, next, next + Days::new(1)]);
        }
        let ordinary = day.day() <= 7 && day.month() == 8 && day.year() % 4 == 2;
        let hours_changed = [date(2015, 9, 14)..date(2015, 9, 26), date(2021, 6, 21)..date(2021, 7, 3)];
        if ordinary || hours_changed.iter().any(|days| days.contains(&day)) {
            days.insert(day);
        }
        day = next;
    }
    assert_eq!(changes, 34, "two changes of the clock a year");
    days
}

/// Returns every second of the day from 18:00 to 18:00 labelled `label`.
fn seconds(naive: &Naive, label: NaiveDate) -> Vec<(Ts, Part)> {
    let from = (label - Days::new(1)).and_hms_opt(21, 0, 0).expect("a time").and_utc().timestamp();
    let seconds = (from..from + 27 * 3600).map(|second| second * SECOND);
    seconds
        .map(|ts| (ts, naive.of(ts)))
        .filter(|(_, (l, _))| *l == label)
        .map(|(ts, (_, p))| (ts, p))
        .collect()
}

#[test]
fn every_second_of_every_odd_day() {
    let naive = Naive::read();
    let mut sessions = Sessions::new(Calendar::shipped());
    let mut lengths = BTreeMap::new();
    for label in days() {
        let seconds = seconds(&naive, label);
        *lengths.entry(seconds.len()).or_insert(0) += 1;
        let day = Day::labelled(label, &Calendar::shipped());
        assert_eq!(day.is_some(), naive.close(label) > 0, "{label}");
        for &(ts, part) in &seconds {
            let at = || time::format(ts);
            assert_eq!(sessions.day(ts).copied(), day, "{}", at());
            assert_eq!(sessions.of_instant(ts), part, "{}", at());
            assert_eq!(sessions.of_instant(ts + SECOND - 1), part, "{} + 999,999,999 ns", at());
            assert_eq!(sessions.of_bar(ts + SECOND), part, "the bar that begins at {}", at());
            assert_eq!(sessions.of_bar(ts + 1), part, "the first nanosecond of {}", at());
            assert_eq!(sessions.day_of_bar(ts + SECOND).copied(), day, "the bar that begins at {}", at());
        }
        if let Some(day) = day {
            FILTERS.iter().for_each(|filter| stretches(&day, &seconds, *filter));
        }
    }
    // Days are as long as the clock makes them: the changes fall on Sundays, which end the day labelled so.
    assert_eq!(lengths.keys().copied().collect::<Vec<_>>(), [23 * 3600, 24 * 3600, 25 * 3600]);
}

/// Compares each second's stretch with the longest run of seconds around it that the filter keeps.
fn stretches(day: &Day, seconds: &[(Ts, Part)], filter: Filter) {
    for run in seconds.chunk_by(|(_, a), (_, b)| kept(*a, filter) == kept(*b, filter)) {
        let (from, to) = (run[0].0, run[run.len() - 1].0 + SECOND);
        let expected = kept(run[0].1, filter).then_some((from, to));
        for (ts, part) in run {
            assert_eq!(
                filter.keeps(*part) && *part != Part::Pause && *part != Part::Closed,
                expected.is_some()
            );
            assert_eq!(day.stretch(*ts, filter), expected, "{} {}", time::format(*ts), filter.name());
        }
    }
}

#[test]
fn a_bar_belongs_to_its_interval() {
    let mut sessions = Sessions::new(Calendar::shipped());
    let mut part = |text: &str| sessions.of_bar(time::parse(text).expect("a time"));
    for (stamp, expected) in [
        ("2026-11-20T09:30:00-05:00", Part::Overnight),
        ("2026-11-20T09:30:01-05:00", Part::Rth),
        ("2026-11-20T16:00:00-05:00", Part::Rth),
        ("2026-11-20T16:00:01-05:00", Part::Evening),
        ("2026-11-20T17:00:00-05:00", Part::Evening),
        ("2026-11-20T17:00:01-05:00", Part::Closed),
        ("2026-11-22T18:00:00-05:00", Part::Closed),
        ("2026-11-22T18:00:01-05:00", Part::Overnight),
        ("2021-06-25T16:15:01-04:00", Part::Pause),
        ("2021-06-25T16:30:00-04:00", Part::Pause),
        ("2021-06-25T16:30:01-04:00", Part::Evening),
        ("2021-06-28T16:20:00-04:00", Part::Evening),
        // The day after the clocks went forward.
        ("2026-03-09T09:30:01-04:00", Part::Rth),
        // Good Friday with a jobs report: closed before the cash session would begin.
        ("2026-04-03T09:15:00-04:00", Part::Overnight),
        ("2026-04-03T09:15:01-04:00", Part::Closed),
        ("2026-11-27T13:15:00-05:00", Part::Rth),
        ("2026-11-27T13:15:01-05:00", Part::Closed),
    ] {
        assert_eq!(part(stamp), expected, "{stamp}");
    }
}

#[test]
fn an_outage_is_a_halt_that_nobody_foresaw() {
    let at = |text: &str| time::parse(text).expect("a time");
    let (stop, resume) = (at("2019-02-26T18:40:00-06:00"), at("2019-02-26T21:45:00-06:00"));
    let mut schedule = Schedule::new(Calendar::shipped(), NaiveTime::MIN, None, Filter::All);
    let today = *schedule.of_bar(stop).expect("a day");
    assert_eq!(today.label(), date(2019, 2, 27));
    for (ts, part) in [
        (stop, Part::Overnight),
        (stop + SECOND, Part::Pause),
        (resume, Part::Pause),
        (resume + SECOND, Part::Overnight),
    ] {
        assert_eq!(today.part_of_bar(ts), part, "{}", time::format(ts));
    }
    assert_eq!(today.day.stretch(stop - 1, Filter::All), Some((today.day.open, stop)));
    let pause = at("2019-02-27T16:15:00-05:00");
    assert_eq!(today.day.stretch(resume, Filter::All), Some((resume, pause)));
    // What is decided before it does not know of it.
    assert_eq!(today.stretch_end(stop), Some(pause));
}

#[test]
fn a_day_beyond_the_calendar_is_refused() {
    let mut schedule = Schedule::new(Calendar::shipped(), NaiveTime::MIN, None, Filter::All);
    let mut check = |text: &str| schedule.check_bar(time::parse(text).expect("a time"));
    for covered in ["2014-01-01T23:00:01Z", "2013-12-31T23:00:01Z", "2030-12-31T22:00:00Z"] {
        assert_eq!(check(covered), Ok(()), "{covered}");
    }
    for beyond in ["2013-12-31T22:00:00Z", "2030-12-31T23:00:01Z", "2031-01-02T15:00:00Z"] {
        let told = check(beyond).expect_err(beyond).to_string();
        assert!(told.contains("is beyond the calendar, which covers 2014-01-01 to 2030-12-31"), "{told}");
    }
}

/// F worked out on the wall clock, in minutes of the day.
fn flat_minute(naive: &Naive, label: NaiveDate, wanted: u32, margin: u32, filter: Filter) -> u32 {
    let close = naive.close(label) / 60;
    let mut flat = wanted;
    if wanted >= close {
        flat = close - margin;
    } else if naive.pauses(label) && (16 * 60 + 15..=16 * 60 + 30).contains(&wanted) {
        flat = 16 * 60 + 15 - margin;
    }
    if filter == Filter::Rth && close > RTH_OPEN / 60 {
        flat = flat.min(close.min(RTH_CLOSE / 60) - 1);
    }
    flat
}

#[test]
fn day_ends_of_all_days() {
    let naive = Naive::read();
    let clock = |minute: u32| NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).expect("a time");
    let cuts =
        [(16 * 60 + 30, None), (16 * 60 + 10, None), (17 * 60, None), (16 * 60 + 30, Some(16 * 60 + 8))];
    let mut moved = 0;
    for (flat_by, cut) in cuts {
        for filter in FILTERS {
            let mut schedule = Schedule::new(Calendar::shipped(), clock(flat_by), cut.map(clock), filter);
            let mut label = date(*YEARS.start(), 1, 1);
            while label.year() <= *YEARS.end() {
                // The clock never changes between 03:00 and midnight.
                let midnight =
                    label.and_hms_opt(0, 0, 0).expect("midnight").and_utc().timestamp() - offset(label);
                let at = |minute: u32| (midnight + i64::from(minute) * 60) * SECOND;
                let close = naive.close(label) / 60;
                let today = schedule.of_bar(at(if close > 0 { close } else { 12 * 60 })).copied();
                assert_eq!(today.is_some(), close > 0, "{label}");
                if let Some(today) = today {
                    let wanted = cut.unwrap_or(flat_by).min(flat_by);
                    let margin = if cut.is_some() { 17 } else { 15 };
                    let minute = flat_minute(&naive, label, wanted, margin, filter);
                    let flat = at(minute);
                    moved += usize::from(minute != wanted);
                    let steps = |back: i64| flat - back * MINUTE;
                    let expected =
                        DayEnd { half_size: steps(30), no_entry: steps(15), exit: steps(5), flat: steps(0) };
                    assert_eq!(today.end, expected, "{label}, {} by {}", filter.name(), clock(wanted));
                    assert_eq!(today.label(), label);
                    let part = today.part_of_bar(at(close));
                    assert_ne!(part, Part::Closed, "the last bar of {label}");
                    let end = kept(part, filter).then(|| {
                        at(close.min(if part == Part::Rth && filter == Filter::Rth {
                            16 * 60
                        } else {
                            close
                        }))
                    });
                    assert_eq!(today.stretch_end(at(close)), end, "{label} {}", filter.name());
                }
                label = label + Days::new(1);
            }
        }
    }
    assert!(moved > 1000, "holidays and pauses move the day's end, only {moved} did");
}
