//! The laws of a stage, judged one after the other, each by a run or two over rows it has not seen that way.
//!
//! A stage that answers row k before it is given row k + 1 cannot have looked at it; if it answers the same when it is
//! given all at once, it never does. So one drip run and one bulk run prove it for every row. The other runs say what
//! is wrong where it is not so, and prove what the drip run cannot see: columns of stages that hold rows for labels.

use mes_pipe::{Error, Result};

use crate::{
    alter::{Garbage, every_second_segment, other_side_of_the_clock_change},
    compare::{
        Base, Promise, backwards, columns_fault, is_label, predictions_fault, range_fault, rows_fault,
    },
    report::{Fault, Finding, Report, WarmUp},
    runs::{Answers, Pace, Stage, Trouble},
    table::{Cell, Given, same},
};

/// Where the future is changed, as shares of the rows.
const CUTS: [f64; 3] = [0.55, 0.8, 0.97];
/// Rows into a segment at which little can be warm.
const FIRST_ROWS: usize = 5;
/// Runs over which the futures of held rows are changed, at the most.
const LABEL_RUNS: usize = 120;
/// A value that differs so near the end has not come to agree.
const AGREED_ROWS: usize = 60;
/// Another place and language: nothing may depend on either.
const ELSEWHERE: [(&str, &str); 2] = [("TZ", "Pacific/Auckland"), ("LC_ALL", "de_DE.UTF-8")];

/// A stage before its laws.
pub struct Judge<'a> {
    pub stage: Stage,
    pub given: &'a Given,
    pub promise: Promise,
    pub report: Report,
}

/// A run that was to be compared came to nothing: the law is broken by it.
type Compared = Result<Option<Fault>>;

impl Judge<'_> {
    /// Judges all laws; `wants` says which.
    ///
    /// # Errors
    ///
    /// Where the check itself cannot go on, as [`Stage::run`].
    pub fn all(mut self, wants: impl Fn(&str) -> bool) -> Result<Report> {
        let whole = match self.stage.run(self.given, Pace::Whole, |_| 0)? {
            Ok(answers) => answers,
            Err(trouble) => {
                self.report.broken("runs", trouble_fault(trouble, ""));
                self.report.close("it does not run");
                return Ok(self.report);
            }
        };
        self.report.found("runs", Finding::Holds);
        self.shape(&whole);
        if self.report.is_broken("rows") || self.report.is_broken("end") {
            self.report.close("rows out are not rows in");
            return Ok(self.report);
        }
        let base = Base::of(whole, self.given, self.promise);
        if self.promise.horizon.is_none() && base.made.iter().any(|name| is_label(name)) {
            let advice = "say with --horizon how far ahead they look";
            return Err(Error::usage(format!("stage: it makes y_* columns: {advice}")));
        }
        let fault = self.elsewhere(&base)?;
        self.report.judged("same", fault);
        if self.report.is_broken("same") {
            self.report.close("no two runs agree");
            return Ok(self.report);
        }
        self.futures(&base)?;
        if !self.report.is_broken("future") {
            self.drip(&base)?;
        }
        if !self.report.is_broken("future") && !self.report.is_broken("batch") && wants("batch") {
            let fault = self.batches(&base)?;
            self.report.judged("batch", fault);
        }
        if !["future", "batch", "runs"].iter().any(|law| self.report.is_broken(law)) {
            self.independence(&base, wants)?;
        }
        self.report.close("another law is broken first");
        Ok(self.report)
    }

    /// Looks at one bulk run: rows, columns, range, predictions.
    fn shape(&mut self, whole: &Answers) {
        if self.promise.resamples {
            self.report.judged("rows", backwards(whole));
            self.report.found("columns", Finding::NotJudged("it makes rows of its own".into()));
        } else {
            let fault = rows_fault(self.given, whole);
            let cut = fault.is_none() && whole.rows.len() < self.given.rows.len();
            self.report.judged("rows", fault);
            if cut {
                let (got, all) = (whole.rows.len(), self.given.rows.len());
                let words = format!("the last {} of {all} rows never came", all - got);
                self.report.broken("end", Fault::new(words));
            }
            if !self.report.is_broken("rows") && !whole.rows.is_empty() {
                self.report.judged("columns", columns_fault(self.given, whole));
            }
        }
        self.report.judged("range", range_fault(whole));
        self.report.judged("predictions", predictions_fault(whole));
    }

    /// Runs it once more, elsewhere.
    fn elsewhere(&mut self, base: &Base) -> Compared {
        self.stage.environment = ELSEWHERE.to_vec();
        let outcome = self.stage.run(self.given, Pace::Whole, |_| 0)?;
        self.stage.environment.clear();
        let words = "in a second run, in another time zone and locale";
        Ok(match outcome {
            Ok(other) => base.all_differ(&other, words),
            Err(trouble) => Some(trouble_fault(trouble, words)),
        })
    }

    /// Changes what comes after some rows, and ends the input after one.
    fn futures(&mut self, base: &Base) -> Result<()> {
        for from in self.cuts() {
            let Some(cut) = self.cut(from) else { continue };
            if let Some(fault) = self.probe(base, cut)? {
                self.report.broken("future", fault);
                return Ok(());
            }
        }
        self.report.found("future", Finding::Holds);
        if !self.report.is_broken("end") {
            self.report.found("end", Finding::Holds);
        }
        Ok(())
    }

    /// Chooses rows: some shares of all, the beginning of the longest segment, and for each column with nulls a row
    /// on which it is null, since that is where values are filled in from later ones.
    fn cuts(&self) -> Vec<usize> {
        let given = self.given;
        let count = given.rows.len();
        let mut cuts: Vec<usize> = CUTS.iter().map(|share| (count as f64 * share) as usize).collect();
        let longest = given.segments().into_iter().max_by_key(|segment| segment.len());
        cuts.extend(longest.map(|segment| segment.start + FIRST_ROWS));
        for column in 0..given.schema.fields().len() {
            let null = |row: &usize| matches!(given.rows[*row][column], Cell::Null);
            if !cuts.iter().any(|row| *row < count && null(row)) {
                cuts.extend((count / 2..count).find(|row| null(row) && self.cut(*row) == Some(*row)));
            }
        }
        cuts
    }

    /// Finds the next row that has a row of a later time after it in its segment.
    fn cut(&self, from: usize) -> Option<usize> {
        let given = self.given;
        (from..given.rows.len().saturating_sub(1))
            .find(|&row| given.seg(row) == given.seg(row + 1) && given.ts(row) < given.ts(row + 1))
    }

    /// Compares the rows up to `cut` where all later ones are others, and where there are none.
    fn probe(&mut self, base: &Base, cut: usize) -> Compared {
        let given = self.given;
        let mut other = given.clone();
        Garbage::of(given).put(&mut other, cut + 1..given.rows.len());
        let words = format!("when the rows after row {} of the input are others", cut + 1);
        if let Some(fault) = self.compare_up_to(base, &other, cut, &words)? {
            return Ok(Some(fault));
        }
        let words = format!("when the input ends with row {}", cut + 1);
        let prefix = given.with(given.rows[..=cut].to_vec());
        self.compare_up_to(base, &prefix, cut, &words)
    }

    fn compare_up_to(&mut self, base: &Base, other: &Given, cut: usize, words: &str) -> Compared {
        let answers = match self.stage.run(other, Pace::Whole, |_| 0)? {
            Ok(answers) => answers,
            Err(trouble) => {
                self.report.broken("runs", trouble_fault(trouble, words));
                return Ok(None);
            }
        };
        let judged = |row: usize, label: bool| base.settled(self.given, row, cut, label);
        let due = (0..base.answers.rows.len()).take_while(|row| judged(*row, false)).count();
        if answers.rows.len() < due {
            let words = format!("{due} rows were due and {} came {words}", answers.rows.len());
            self.report.broken("end", Fault::new(words));
        }
        Ok(base.differs(&answers, Some, judged, words))
    }

    /// Gives each row only after all answers due before it have come.
    fn drip(&mut self, base: &Base) -> Result<()> {
        let due = base.due(self.given);
        let (row, fault) = match self.stage.run(self.given, Pace::Steps(1), |rows| due[rows])? {
            Ok(answers) => {
                self.report.found("flush", Finding::Holds);
                match base.all_differ(&answers, "when given row by row") {
                    None => return Ok(()),
                    Some(fault) => (fault.row.unwrap_or(0), ("batch", fault)),
                }
            }
            Err(Trouble::Late { row, answered }) => {
                let seconds = self.stage.program.patience.as_secs_f64();
                let words = format!("given it and {answered} answers later, nothing more within {seconds} s");
                let fault = Fault { row: Some(row), ts: Some(self.given.ts(row)), ..Fault::new(words) };
                (row, ("flush", fault))
            }
            Err(trouble) => {
                self.report.broken("runs", trouble_fault(trouble, "when given row by row"));
                return Ok(());
            }
        };
        // Is it that later rows matter, or only that they are there in one piece?
        let probed = if row + 1 < self.given.rows.len() { self.probe(base, row)? } else { None };
        match probed {
            Some(future) => self.report.broken("future", future),
            None => self.report.broken(fault.0, fault.1),
        }
        Ok(())
    }

    /// Hands rows over in other pieces.
    fn batches(&mut self, base: &Base) -> Compared {
        let due = base.due(self.given);
        let mut paces =
            vec![(Pace::Rows(7), "in pieces of 7 rows"), (Pace::Rows(1024), "in pieces of 1024 rows")];
        paces.push((Pace::Bytes(997), "in pieces of 997 bytes"));
        if !self.report.is_broken("flush") {
            paces.push((Pace::Steps(7), "7 rows at a time"));
        }
        for (pace, how) in paces {
            let words = format!("when given {how}");
            let fault = match self.stage.run(self.given, pace, |rows| due[rows])? {
                Ok(answers) => base.all_differ(&answers, &words),
                Err(trouble) => Some(trouble_fault(trouble, &words)),
            };
            if fault.is_some() {
                return Ok(fault);
            }
        }
        Ok(None)
    }

    /// Segments, clock changes, held rows and warm-up: all of them need one row out for one row in.
    fn independence(&mut self, base: &Base, wants: impl Fn(&str) -> bool) -> Result<()> {
        if self.promise.resamples {
            for law in ["segments", "clocks"] {
                self.report.found(law, Finding::NotJudged("it makes rows of its own".into()));
            }
            return Ok(());
        }
        if wants("segments") {
            let finding = self.segments(base)?;
            self.report.found("segments", finding);
        }
        if wants("clocks") && !self.report.is_broken("segments") {
            let finding = self.clocks(base)?;
            self.report.found("clocks", finding);
        }
        if !self.report.is_broken("segments")
            && let Some(fault) = self.held_rows(base)?
        {
            self.report.broken("future", fault);
        }
        self.report.warm_up = self.warm_up(base)?;
        Ok(())
    }

    fn segments(&mut self, base: &Base) -> Result<Finding> {
        if self.given.segments().len() < 2 {
            return Ok(Finding::NotJudged("the rows have one segment".into()));
        }
        let words = "when other segments come before";
        for first in [0, 1] {
            let (other, kept) = every_second_segment(self.given, first);
            if let Some(fault) = self.compare_made(base, &other, &kept, |_| true, words)? {
                return Ok(Finding::Broken(fault));
            }
        }
        Ok(Finding::Holds)
    }

    fn clocks(&mut self, base: &Base) -> Result<Finding> {
        if !base.made.iter().any(|name| name.starts_with("f_")) {
            return Ok(Finding::NotJudged("it makes no f_* column".into()));
        }
        let Some((other, kept)) = other_side_of_the_clock_change(self.given) else {
            return Ok(Finding::NotJudged("no day of the rows has its like there".into()));
        };
        let words = "at the same New York time after the clocks changed";
        let fault = self.compare_made(base, &other, &kept, |name| name.starts_with("f_"), words)?;
        Ok(fault.map_or(Finding::Holds, Finding::Broken))
    }

    /// Compares the columns that the stage makes on some of the rows, `kept` in number.
    fn compare_made(
        &mut self,
        base: &Base,
        other: &Given,
        kept: &[usize],
        column: impl Fn(&str) -> bool,
        words: &str,
    ) -> Compared {
        let answers = match self.stage.run(other, Pace::Whole, |_| 0)? {
            Ok(answers) if answers.rows.len() == kept.len() => answers,
            Ok(answers) => {
                let words = format!("{} rows for {} {words}", answers.rows.len(), kept.len());
                return Ok(Some(Fault::new(words)));
            }
            Err(trouble) => return Ok(Some(trouble_fault(trouble, words))),
        };
        let names = base.made.iter().filter(|name| column(name)).map(String::as_str).collect::<Vec<_>>();
        Ok(base.differs_in(&names, &answers, |row| kept.get(row).copied(), |_, _| true, words))
    }

    /// Changes the future of rows that are held for their labels: no other column may know of it.
    fn held_rows(&mut self, base: &Base) -> Compared {
        let Some(horizon) = self.promise.horizon.filter(|_| base.made.iter().any(|name| is_label(name)))
        else {
            return Ok(None);
        };
        let garbage = Garbage::of(self.given);
        let names = base.made.iter().filter(|name| !is_label(name)).map(String::as_str).collect::<Vec<_>>();
        // Cuts lie a horizon apart, so that every row has one before its label is known.
        let stride = |segment: &std::ops::Range<usize>| {
            let end = self.given.ts(segment.start) + horizon;
            segment.clone().take_while(|row| self.given.ts(*row) < end).count().max(1)
        };
        for run in 0..LABEL_RUNS {
            let (mut rows, mut kept, mut judged) = (Vec::new(), Vec::new(), Vec::new());
            for segment in self.given.segments() {
                let step = stride(&segment);
                let cut = segment.start + (run + 1) * step - 1;
                let end = segment.end.min(cut + 1 + step);
                if cut + 1 >= end {
                    continue;
                }
                rows.extend_from_slice(&self.given.rows[segment.start..=cut]);
                rows.extend((cut + 1..end).map(|row| garbage.instead(self.given, row)));
                kept.extend(segment.start..end);
                judged.extend((segment.start..end).map(|row| row <= cut));
            }
            if rows.is_empty() {
                break;
            }
            let other = self.given.with(rows);
            let words = "when what its label looks at is changed";
            let answers = match self.stage.run(&other, Pace::Whole, |_| 0)? {
                Ok(answers) => answers,
                Err(trouble) => return Ok(Some(trouble_fault(trouble, words))),
            };
            let at = |row: usize| kept.get(row).copied().filter(|_| judged[row]);
            let fault = base.differs_in(&names, &answers, at, |_, _| true, words);
            if fault.is_some() {
                return Ok(fault);
            }
        }
        Ok(None)
    }

    /// Begins in the midst of the longest segment and looks when values agree with those of the whole of it.
    fn warm_up(&mut self, base: &Base) -> Result<Option<(usize, Vec<WarmUp>)>> {
        let longest = self.given.segments().into_iter().max_by_key(|segment| segment.len());
        let Some(segment) = longest.filter(|segment| segment.len() > 4 * AGREED_ROWS) else {
            return Ok(None);
        };
        let from = segment.start + segment.len() * 3 / 10;
        let other = self.given.with(self.given.rows[from..segment.end].to_vec());
        let Ok(answers) = self.stage.run(&other, Pace::Whole, |_| 0)? else { return Ok(None) };
        if answers.rows.len() != other.rows.len() {
            return Ok(None);
        }
        let within = other.rows.len();
        let columns = base.made.iter().filter(|name| !is_label(name)).filter_map(|name| {
            let (mine, theirs) = (base.answers.place(name)?, answers.place(name)?);
            let differs =
                |row: &usize| !same(&base.answers.rows[from + row][mine], &answers.rows[*row][theirs]);
            let rows = (0..within).rev().find(differs).map_or(0, |row| row + 1);
            Some(WarmUp { column: name.clone(), rows: (rows + AGREED_ROWS <= within).then_some(rows) })
        });
        Ok(Some((within, columns.collect())))
    }
}

fn trouble_fault(trouble: Trouble, when: &str) -> Fault {
    let words = match trouble {
        Trouble::Broken(words) => words,
        Trouble::Late { row, answered } => format!("silent after row {}, with {answered} answers", row + 1),
        Trouble::Ended { row, how } => format!("it ended when row {} was given: {how}", row + 1),
    };
    Fault::new(format!("{words} {when}").trim_end())
}
