//! Joins the rows of sessions to one stream: segments are numbered on, and the chain says what one run over all files would.

use std::{path::PathBuf, sync::Arc};

use arrow_array::{Int64Array, RecordBatch, StringArray, cast::AsArray, types::Int64Type};
use clap::Args;
use mes_core::time;
use mes_pipe::{Error, Event, Input, InputArgs, Kind, Lineage, Meta, Output, OutputArgs, Result};
use serde_json::{Value, json};

use super::ROWS;
use crate::jobs::{
    collect::{complete, there},
    input::Bytes,
    line::{self, Job, Task},
};

#[derive(Args)]
pub struct JoinArgs {
    /// What mes-lab features --plan wrote
    #[arg(value_name = "JOBS", required = true)]
    jobs: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Writes the rows of sessions in the order of time, whatever that of their lines.
///
/// # Errors
///
/// `Usage` for jobs of another kind, `Data` where a session is missing, damaged or not the next one, what output fails of.
pub fn run(args: &JoinArgs) -> Result<()> {
    let jobs = in_order(line::read(&args.jobs)?)?;
    // Read once more than needed, but a byte that fell over is found before it is written on.
    there(&jobs)?;
    let mut joined = Joined::default();
    for job in &jobs {
        let rows = InputArgs { files: vec![job.out.join(ROWS)], ..InputArgs::default() };
        let mut input = Input::open(&rows, &[Kind::Bar]).map_err(|error| error.at(job.name()))?;
        joined.begin(&input, &jobs, args)?;
        joined.seg.next();
        while let Event::Batch(batch) = input.next()? {
            let batch = joined.numbered(&batch).map_err(|error| error.at(job.name()))?;
            if let Some(output) = &mut joined.output {
                output.write(&batch)?;
            }
        }
    }
    joined.output.map_or(Ok(()), Output::finish)
}

/// Sorts sessions by time.
///
/// # Errors
///
/// `Usage` for jobs of another kind, `Data` where some of the plan are missing or two overlap.
fn in_order(jobs: Vec<Job>) -> Result<Vec<Job>> {
    complete(&jobs)?;
    let span = |job: Job| match &job.task {
        Task::Session(task) => Ok((task.from, task.to, job)),
        Task::Fold(_) | Task::Trials(_) => {
            Err(Error::usage("only the jobs of mes-lab features have rows to join"))
        }
    };
    let mut spans = jobs.into_iter().map(span).collect::<Result<Vec<_>>>()?;
    spans.sort_by_key(|(from, ..)| *from);
    if let Some([.., (from, _, job)]) = spans.windows(2).find(|pair| pair[1].0 < pair[0].1) {
        let what = format!("begins at {}, before the session before it ends", time::format(*from));
        return Err(Error::data(format!("{what}: join the sessions of one plan")).at(job.name()));
    }
    Ok(spans.into_iter().map(|(.., job)| job).collect())
}

/// What is being written.
#[derive(Default)]
struct Joined {
    output: Option<Output>,
    seg: Numbers,
    /// Contracts so far, the last of them the one that is traded now.
    symbols: Vec<String>,
}

/// Segments of one session after those of the ones before.
#[derive(Default)]
struct Numbers {
    /// What the first number of this session is, once it has a row.
    first: Option<i64>,
    /// What it becomes, and the next free one.
    begins: i64,
    free: i64,
}

impl Numbers {
    /// Begins a session.
    fn next(&mut self) {
        (self.first, self.begins) = (None, self.free);
    }

    fn number(&mut self, seg: i64) -> i64 {
        let number = self.begins + seg - *self.first.get_or_insert(seg);
        self.free = number + 1;
        number
    }
}

impl Joined {
    /// Begins the table with the first session, whose columns all have.
    fn begin(&mut self, input: &Input, jobs: &[Job], args: &JoinArgs) -> Result<()> {
        if self.output.is_none() {
            let meta = Meta { lineage: chain(input.meta(), jobs)?, ..input.meta().clone() };
            self.output = Some(Output::create(&args.output, input.schema().clone(), &meta)?);
        }
        Ok(())
    }

    fn numbered(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = || Error::data("rows without seg and symbol: no features of mes-features");
        let (place, _) = batch.schema_ref().column_with_name("seg").ok_or_else(columns)?;
        let segs = batch.column(place).as_primitive_opt::<Int64Type>().ok_or_else(columns)?;
        let segs: Int64Array = segs.values().iter().map(|seg| self.seg.number(*seg)).collect();
        let symbols = batch.column_by_name("symbol").and_then(|column| column.as_string_opt::<i32>());
        self.follow(symbols.ok_or_else(columns)?)?;
        let mut columns = batch.columns().to_vec();
        columns[place] = Arc::new(segs);
        Ok(RecordBatch::try_new(batch.schema(), columns)?)
    }

    /// Refuses a contract that was left before, as one run would.
    fn follow(&mut self, symbols: &StringArray) -> Result<()> {
        for symbol in symbols.iter().flatten() {
            if self.symbols.last().is_some_and(|last| last == symbol) {
                continue;
            }
            if self.symbols.iter().any(|left| left == symbol) {
                return Err(Error::data(format!(
                    "{symbol} again after {}: one contract after the other",
                    self.symbols.join(", ")
                )));
            }
            self.symbols.push(symbol.to_owned());
        }
        Ok(())
    }
}

/// Returns the chain of one run over all files: without the slices, and with the hashes of all files where they were read.
fn chain(meta: &Meta, jobs: &[Job]) -> Result<Lineage> {
    let mut links = match meta.lineage.to_json() {
        Value::Array(links) => links,
        _ => Vec::new(),
    };
    let tools: Vec<&str> = links.iter().filter_map(|link| link["tool"].as_str()).collect();
    let [.., "mes-lab", "mes-bars", "mes-features", "mes-lab"] = tools.as_slice() else {
        return Err(Error::data("the rows of a session do not say that mes-bars and mes-features made them"));
    };
    links.pop();
    let slice = links.len() - 3;
    links.remove(slice);
    let mut hashes: Vec<&str> = Vec::new();
    let mut before: &[Bytes] = &[];
    for job in jobs {
        // Sessions that follow each other may share files.
        let new = job.inputs.iter().filter(|input| !before.contains(input));
        hashes.extend(new.map(|input| input.blake3.as_str()));
        before = &job.inputs;
    }
    links[slice]["input"] = json!(hashes);
    Lineage::from_json(&Value::Array(links)).ok_or_else(|| Error::data("a chain that is none"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::jobs::tests::plan;

    #[test]
    fn segments_go_on_where_the_session_before_ended() {
        let mut numbers = Numbers::default();
        let mut session = |segs: &[i64]| {
            numbers.next();
            segs.iter().map(|seg| numbers.number(*seg)).collect::<Vec<_>>()
        };
        assert_eq!(session(&[0, 0, 1, 2]), [0, 0, 1, 2]);
        // The row before the session, which is not kept, had 0; a session without rows takes no number.
        assert_eq!(session(&[1, 1, 2]), [3, 3, 4]);
        assert_eq!(session(&[]), [] as [i64; 0]);
        assert_eq!(session(&[1]), [5]);
    }

    #[test]
    fn a_contract_that_was_left_does_not_come_back() {
        let mut joined = Joined::default();
        assert!(joined.follow(&StringArray::from(vec!["MESZ6", "MESZ6", "MESH7"])).is_ok());
        assert!(joined.follow(&StringArray::from(vec!["MESH7"])).is_ok());
        assert_eq!(joined.follow(&StringArray::from(vec!["MESZ6"])).expect_err("left").code(), 3);
    }

    #[test]
    fn sessions_are_joined_in_the_order_of_time() {
        let jobs = plan(Path::new("p"), &["a", "b", "c"]);
        let names = |jobs: Vec<Job>| jobs.iter().map(Job::name).collect::<Vec<_>>();
        let mixed = vec![jobs[2].clone(), jobs[0].clone(), jobs[1].clone()];
        assert_eq!(names(in_order(mixed).expect("whole")), names(jobs.clone()));
        let mut twice = jobs.clone();
        if let Task::Session(task) = &mut twice[1].task {
            task.to += 1;
        }
        for wrong in [jobs[..2].to_vec(), twice] {
            assert_eq!(in_order(wrong).expect_err("not one run").code(), 3);
        }
    }
}
