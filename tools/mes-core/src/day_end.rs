//! When the day has to be over. F is the instant by which the account is flat.

use chrono::NaiveTime;

use crate::{
    session::{Day, Filter},
    time::{MINUTE, SECOND, Ts},
    tz,
};

/// The day's last steps: half size from F−30 min, no entries from F−15, exits at market from F−5, flat at F.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayEnd {
    pub half_size: Ts,
    pub no_entry: Ts,
    pub exit: Ts,
    pub flat: Ts,
}

impl DayEnd {
    /// Works out the schedule of `day` for a stream with this filter. F is the earliest of the rules' `flat_by`,
    /// the broker's cut (both New York times) and 15 minutes before a close or pause that contains or touches
    /// it, 17 at a broker with a cut, who closes a quarter of an hour before it himself; a stream of the cash session alone ends it 60 s before its own last second.
    pub fn of(day: &Day, flat_by: NaiveTime, broker_cut: Option<NaiveTime>, filter: Filter) -> DayEnd {
        let wanted = tz::instant(day.label, broker_cut.map_or(flat_by, |cut| cut.min(flat_by)));
        let margin = if broker_cut.is_some() { 17 } else { 15 } * MINUTE;
        let mut flat = wanted;
        if wanted >= day.close {
            flat = day.close - margin;
        }
        if let Some((from, to)) = day.pause
            && (from..=to).contains(&wanted)
        {
            flat = from - margin;
        }
        if let (Filter::Rth, Some((_, close))) = (filter, day.rth) {
            flat = flat.min(close - 60 * SECOND);
        }
        DayEnd { half_size: flat - 30 * MINUTE, no_entry: flat - 15 * MINUTE, exit: flat - 5 * MINUTE, flat }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{calendar::Calendar, session::clock};

    fn flat(date: &str, by: (u32, u32), filter: Filter) -> String {
        flat_at(None, date, by, filter)
    }

    fn flat_at(cut: Option<NaiveTime>, date: &str, by: (u32, u32), filter: Filter) -> String {
        let day = Day::labelled(date.parse().expect("a date"), &Calendar::shipped()).expect("a session");
        let end = DayEnd::of(&day, clock(by.0, by.1), cut, filter);
        tz::new_york(end.flat).format("%H:%M").to_string()
    }

    #[test]
    fn moves_with_pauses_and_early_closes() {
        assert_eq!(flat("2026-11-20", (16, 30), Filter::All), "16:30");
        assert_eq!(flat("2021-06-25", (16, 30), Filter::All), "16:00");
        assert_eq!(flat("2021-06-25", (16, 10), Filter::All), "16:10");
        assert_eq!(flat("2021-06-28", (16, 30), Filter::All), "16:30");
        assert_eq!(flat("2026-11-27", (16, 30), Filter::All), "13:00");
        assert_eq!(flat("2026-11-26", (16, 30), Filter::All), "12:45");
        assert_eq!(flat("2026-04-03", (16, 30), Filter::All), "09:00");
        assert_eq!(flat("2026-11-20", (16, 30), Filter::Rth), "15:59");
    }

    #[test]
    fn is_two_minutes_before_a_broker_who_closes_by_himself() {
        let cut = Some(clock(16, 8));
        assert_eq!(flat_at(cut, "2026-11-20", (16, 30), Filter::All), "16:08");
        assert_eq!(flat_at(cut, "2026-11-20", (16, 0), Filter::All), "16:00");
        assert_eq!(flat_at(cut, "2026-11-27", (16, 0), Filter::All), "12:58");
    }
}
