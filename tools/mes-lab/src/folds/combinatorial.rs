//! Folds of combinatorial purged cross-validation: every choice of some groups of days is tested on a model of the
//! others, so that each day is tested on several models and the tests join to several whole paths through time.
//! López de Prado (2018), "Advances in Financial Machine Learning", chapter 12.

use std::str::FromStr;

use chrono::NaiveDate;
use mes_core::{
    calendar::Calendar,
    time::{self, SECOND, Ts},
};
use mes_pipe::{Error, Result};
use serde::Serialize;

use super::{Covered, Span, evening, next_session};
use mes_judge::stats::purge;

/// More folds than this are a slip of the keyboard.
const MOST: usize = 100_000;

/// How many groups there are, and how many of them test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    groups: usize,
    tested: usize,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Choice, String> {
        let numbers = text.split_once(',').and_then(|(n, k)| Some((n.parse().ok()?, k.parse().ok()?)));
        let refused = || format!("{text:?} is not groups and how many of them test, such as 6,2");
        let (groups, tested): (usize, usize) = numbers.ok_or_else(refused)?;
        if tested == 0 || tested >= groups {
            return Err(refused());
        }
        // C(n, k) grows by each factor, so that it is over the most before it can overflow.
        let fewer = tested.min(groups - tested);
        let mut count = 1_usize;
        for factor in 1..=fewer {
            count = count.checked_mul(groups - fewer + factor).map_or(MOST + 1, |product| product / factor);
            if count > MOST {
                return Err(format!("{text} makes more than {MOST} folds"));
            }
        }
        Ok(Choice { groups, tested })
    }
}

/// A fold whose test is a choice of groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CombinatorialFold {
    kind: &'static str,
    v: u32,
    /// From 1, of so many; and how many whole paths the tests of all of them make.
    fold: usize,
    folds: usize,
    paths: usize,
    /// What is left of the other groups once rows too near to a test are gone: purge and embargo are out of it.
    train: Vec<Train>,
    test: Vec<Test>,
    purge_s: i64,
    embargo_s: i64,
}

/// The rows `from < ts <= to`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Train {
    #[serde(with = "time::text")]
    from: Ts,
    #[serde(with = "time::text")]
    to: Ts,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Test {
    /// From 1, as the path that this test of the group belongs to.
    group: usize,
    path: usize,
    #[serde(flatten)]
    span: Span,
}

/// Cuts the sessions into groups as even as can be and returns every choice of those that test.
///
/// # Errors
///
/// `Usage` where there are fewer days than groups.
pub fn folds(
    choice: Choice,
    embargo_s: i64,
    covered: &Covered,
    calendar: &Calendar,
) -> Result<Vec<CombinatorialFold>> {
    let (Choice { groups, tested }, sessions) = (choice, &covered.sessions);
    if sessions.len() < groups {
        let days = sessions.len();
        return Err(Error::usage(format!("--combinatorial {groups},{tested}: only {days} trading days")));
    }
    let begins = |session: usize| -> NaiveDate {
        sessions.get(session).copied().unwrap_or_else(|| next_session(sessions[session - 1], calendar))
    };
    let spans: Vec<Span> = purge::folds(sessions.len(), groups)
        .into_iter()
        .map(|days| {
            let [from, to] = [days.start, days.end].map(|session| evening(begins(session)));
            Span { from, to, sessions: days.len() }
        })
        .collect();
    let whole = (spans[0].from, spans[groups - 1].to);
    let (purge, embargo) = (covered.purge_s * SECOND, embargo_s * SECOND);
    let choices = purge::combinations(groups, tested);
    let (count, paths) = (choices.len(), purge::paths(groups, tested));
    covered.tell();
    // A group's first test is of the first path, its second one of the second.
    let mut used = vec![0; groups];
    let mut test = |group: usize| {
        used[group] += 1;
        Test { group: group + 1, path: used[group], span: spans[group] }
    };
    let fold = |(index, choice): (usize, Vec<usize>)| {
        let tests: Vec<_> = choice.iter().map(|group| (spans[*group].from, spans[*group].to)).collect();
        let train = purge::train(whole, &tests, purge, embargo).into_iter();
        CombinatorialFold {
            kind: "combinatorial_fold",
            v: 1,
            fold: index + 1,
            folds: count,
            paths,
            train: train.map(|(from, to)| Train { from, to }).collect(),
            test: choice.into_iter().map(&mut test).collect(),
            purge_s: covered.purge_s,
            embargo_s,
        }
    };
    Ok(choices.into_iter().enumerate().map(fold).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::Datelike;

    use super::*;

    fn covered(days: usize) -> Covered {
        let first: NaiveDate = "2026-10-05".parse().expect("a date");
        // Mondays to Fridays.
        let sessions = first.iter_days().filter(|date| date.weekday().number_from_monday() < 6);
        Covered { sessions: sessions.take(days).collect(), rows: 0, purge_s: 30 }
    }

    fn cut(text: &str, days: usize) -> Result<Vec<CombinatorialFold>> {
        folds(text.parse().expect("a choice"), 300, &covered(days), &Calendar::shipped())
    }

    /// C(6, 2) = 15 splits and 5 paths, C(10, 2) = 45 and 9, C(10, 8) = 45 and 36.
    #[test]
    fn every_choice_once_and_every_path_whole() {
        for (text, groups, count, paths) in [("6,2", 6, 15, 5), ("10,2", 10, 45, 9), ("10,8", 10, 45, 36)] {
            let found = cut(text, 25).expect("folds");
            assert_eq!((found.len(), found[0].folds, found[0].paths), (count, count, paths));
            let tests = || found.iter().flat_map(|fold| &fold.test);
            let places: BTreeSet<_> = tests().map(|test| (test.path, test.group)).collect();
            assert_eq!((places.len(), tests().count()), (paths * groups, paths * groups));
            assert_eq!(places.last(), Some(&(paths, groups)));
            let first_path = tests().filter(|test| test.path == 1).map(|test| test.span.sessions);
            assert_eq!(first_path.sum::<usize>(), 25);
        }
    }

    #[test]
    fn nothing_trains_too_near_to_a_test() {
        let found = cut("3,1", 10).expect("folds");
        let line = serde_json::to_string(&found[1]).expect("writes");
        // Groups of 4, 3, 3 days; the second one tests, Friday the 9th to Tuesday the 13th.
        assert_eq!(
            line,
            "{\"kind\":\"combinatorial_fold\",\"v\":1,\"fold\":2,\"folds\":3,\"paths\":1,\
             \"train\":[{\"from\":\"2026-10-04T22:00:00Z\",\"to\":\"2026-10-08T21:59:30Z\"},\
             {\"from\":\"2026-10-13T22:05:30Z\",\"to\":\"2026-10-18T22:00:00Z\"}],\
             \"test\":[{\"group\":2,\"path\":1,\"from\":\"2026-10-08T22:00:00Z\",\"to\":\"2026-10-13T22:00:00Z\",\
             \"sessions\":3}],\"purge_s\":30,\"embargo_s\":300}"
        );
    }

    #[test]
    fn what_cannot_be_cut_is_an_error() {
        for text in ["", "6", "6,0", "6,6", "2,3", "6,-1", "six,2", "60,30", "18446744073709551615,2"] {
            assert!(text.parse::<Choice>().is_err(), "{text}");
        }
        assert_eq!("100,99".parse(), Ok(Choice { groups: 100, tested: 99 }));
        assert_eq!(cut("6,2", 5).expect_err("too few").code(), 2);
    }
}
