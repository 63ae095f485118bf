//! Lines that say what they depend on and nothing else; results that are whole, whatever lies in their way.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use mes_pipe::{Error, SettingsArgs};

use super::{
    Machine, check,
    collect::{complete, kinds, mixed, there},
    cost::Cost,
    input::Bytes,
    line::{self, Job, Planned, SettingsLine, Task, numbered},
    place::Place,
    unchanged,
};
use crate::sessions::SessionTask;

/// Returns a job of a session.
pub fn job(out: &Path, processor: Option<&str>) -> Job {
    let args = SettingsArgs::default();
    let settings = args.read().expect("what is built in");
    let plan = Planned {
        tools: "a build".into(),
        processor: processor.map(str::to_owned),
        inputs: Vec::new(),
        settings: SettingsLine::of(&args, &settings),
    };
    let task = SessionTask {
        bars_args: String::new(),
        features_args: String::new(),
        after: 0,
        until: 2,
        from: 0,
        to: 1,
        rows: 3,
    };
    Job::new(Task::Session(task), out.to_owned(), "", &plan)
}

/// Returns the session jobs of a plan, as many as there are names.
pub fn plan(folder: &Path, names: &[&str]) -> Vec<Job> {
    let named = |(index, name): (usize, &&str)| {
        let mut job = job(&folder.join(name), None);
        if let Task::Session(task) = &mut job.task {
            (task.from, task.to) = (index as i64, index as i64 + 1);
        }
        Job { key: job.key(), ..job }
    };
    numbered(names.iter().enumerate().map(named).collect())
}

fn publish(job: &Job, text: &str) {
    let part = Place::of(job).begin().expect("begins");
    fs::write(part.path.join("rows"), text).expect("writes");
    part.publish("rows", "a kind", Cost::default()).expect("publishes");
}

fn refused(error: &Error, code: u8, told: &str) {
    assert!(error.code() == code && error.to_string().contains(told), "{error}");
}

#[test]
fn a_key_is_of_what_a_result_depends_on() {
    let one = job(Path::new("a"), None);
    let costs = Cost { cpu_s: 3.0, ..Cost::default() };
    let moved = Job {
        job: 7,
        of: 9,
        plan: "p".into(),
        out: "b".into(),
        group: "g".into(),
        cost: costs,
        ..one.clone()
    };
    assert_eq!(moved.key(), one.key);
    assert_eq!(Job::parse(&one.line().expect("writes")).expect("reads"), one);
    let mut settings = one.settings.clone();
    settings.blake3 = "others".into();
    for other in [
        Job { tools: "another build".into(), ..one.clone() },
        Job { processor: Some("a kind".into()), ..one.clone() },
        Job { settings, ..one.clone() },
    ] {
        assert_ne!(other.key(), one.key);
        assert_eq!(Job::parse(&other.line().expect("writes")).expect_err("changed").code(), 2);
    }
}

#[test]
fn a_pinned_job_runs_on_no_other_processor() {
    let machine = Machine::here(None);
    let error = check(&job(Path::new("a"), Some("z80")), &machine).expect_err("another kind");
    assert!(error.code() == 2 && error.to_string().contains("kind \"z80\""), "{error}");
    // What comes after it is the build, which is none here.
    let error = check(&job(Path::new("a"), Some(&machine.processor)), &machine).expect_err("no build");
    assert!(!error.to_string().contains("kind"), "{error}");
}

#[test]
fn a_result_takes_the_place_of_an_older_one_and_gives_way_to_its_like() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("result");
    let (old, new) = (job(&out, Some("old")), job(&out, None));
    publish(&old, "old");
    assert!(Place::of(&old).done().is_some() && Place::of(&new).done().is_none());
    publish(&new, "new");
    publish(&new, "later");
    let place = Place::of(&new);
    let done = place.done().expect("there");
    assert_eq!((done.processor.as_str(), place.bytes(&done).expect("whole")), ("a kind", b"new".to_vec()));
    // A run that was killed leaves its folder; the next one that ends well takes it away.
    let killed = place.begin().expect("begins");
    std::mem::forget(killed);
    assert_eq!(place.begun(), 1);
    place.clear();
    assert_eq!((place.begun(), fs::read_dir(folder.path()).expect("a folder").count()), (0, 1));
    fs::write(out.join("rows"), "nEw").expect("writes");
    assert_eq!(place.bytes(&done).expect_err("damaged").code(), 3);
}

#[test]
fn a_list_that_lost_jobs_is_refused() {
    let jobs = plan(Path::new("p"), &["a", "b", "c"]);
    assert!(complete(&jobs).is_ok() && complete(&[&jobs[2..], &jobs[..2]].concat()).is_ok());
    refused(&complete(&jobs[..2]).expect_err("cut"), 3, "1 of 3 planned jobs are not in the list: job 3;");
    let longer = plan(Path::new("q"), &["a", "b", "c", "d"]);
    refused(&complete(&[jobs.as_slice(), &longer].concat()).expect_err("two plans"), 2, "another plan");
    let others = plan(Path::new("q"), &["x", "y", "z"]);
    refused(&complete(&[&jobs[..], &others].concat()).expect_err("twice"), 2, "6 jobs where 3 were planned");
    // Numbers that fit are not enough.
    let pinned = jobs.iter().map(|job| Job { processor: Some("z80".into()), ..job.clone() });
    let pinned = numbered(pinned.map(|job| Job { key: job.key(), ..job }).collect());
    refused(&complete(&[&jobs[..2], &pinned[2..]].concat()).expect_err("mixed"), 2, "another plan");
}

#[test]
fn one_plan_twice_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = |name: &str| {
        let jobs = plan(&folder.path().join(name), &["a", "b"]);
        let path = folder.path().join(name).with_extension("jsonl");
        fs::write(&path, jobs.iter().map(|job| job.line().expect("writes")).collect::<String>())
            .expect("writes");
        (path, jobs)
    };
    let ((one, jobs), (other, _)) = (list("one"), list("other"));
    assert_eq!(line::read(&[one, other]).expect("reads"), jobs);
}

#[test]
fn what_is_damaged_is_named_and_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = plan(folder.path(), &["a", "b", "c", "d"]);
    jobs[..3].iter().for_each(|job| publish(job, "rows"));
    fs::write(jobs[0].out.join("rows"), "rowS").expect("writes");
    fs::remove_file(jobs[2].out.join("rows")).expect("removes");
    let error = there(&jobs).expect_err("damaged");
    refused(&error, 3, "1 of 4 results are missing: ");
    refused(&error, 3, "2 of 4 results are damaged: ");
    refused(&error, 3, "c/rows; run");
    assert!(Place::of(&jobs[0]).recorded().is_some() && Place::of(&jobs[0]).done().is_none());
    jobs.iter().for_each(|job| publish(job, "rows"));
    assert_eq!(there(&jobs).expect("whole").len(), 4);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 4);
}

#[test]
fn a_failure_counts_unless_a_run_began_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let job = job(&folder.path().join("a"), None);
    let place = Place::of(&job);
    // What a kill leaves.
    let part: PathBuf = {
        let part = place.begin().expect("begins");
        let path = part.path.clone();
        std::mem::forget(part);
        path
    };
    let began =
        |from: SystemTime| File::open(&part).and_then(|part| part.set_modified(from)).expect("a time");
    let _ = place.fail(Error::data("no rows"), Vec::new());
    let minute = Duration::from_secs(60);
    let now = part.metadata().and_then(|about| about.modified()).expect("a time");
    began(now - minute);
    assert_eq!((place.failure().map(|failure| failure.code), place.begun()), (Some(3), 1));
    began(now + minute);
    assert_eq!((place.failure(), place.begun()), (None, 1));
}

#[test]
fn inputs_that_changed_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("days.csv");
    fs::write(&path, "one").expect("writes");
    let job = Job { inputs: vec![Bytes::of(path.clone()).expect("reads")], ..job(Path::new("a"), None) };
    assert!(unchanged(&job).is_ok());
    fs::write(&path, "two").expect("writes");
    refused(&unchanged(&job).expect_err("changed"), 3, "days.csv: its bytes are not those that were planned");
}

#[test]
fn kinds_of_processors_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = plan(folder.path(), &["a", "b"]);
    jobs.iter().for_each(|job| publish(job, "rows"));
    let mut done = there(&jobs).expect("whole");
    assert_eq!((kinds(&done), mixed(&kinds(&done))), (vec!["a kind"], None));
    done[0].processor = "z80".into();
    assert!(mixed(&kinds(&done)).is_some_and(|told| told.contains("2 kinds of processors (a kind; z80)")));
}
