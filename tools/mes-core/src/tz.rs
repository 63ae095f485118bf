//! New York time. The one place where a time zone is looked up.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::America::New_York;

use crate::time::{SECOND, Ts};

/// Returns the wall time in New York at `ts`.
pub fn new_york(ts: Ts) -> NaiveDateTime {
    let utc = DateTime::from_timestamp_nanos(ts).naive_utc();
    utc + New_York.offset_from_utc_datetime(&utc).fix()
}

/// Returns the instant of a New York wall time. Of a time that happens twice it is the first; a time that
/// is skipped is taken an hour on. Sessions never start or end at either.
pub fn instant(date: NaiveDate, time: NaiveTime) -> Ts {
    let wall = date.and_time(time);
    let utc = match New_York.from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.naive_utc(),
        LocalResult::None => wall + chrono::TimeDelta::hours(5),
    };
    utc.and_utc().timestamp() * SECOND
}
