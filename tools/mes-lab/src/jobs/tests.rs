//! Lines that say what they depend on and nothing else; results that are whole, whatever lies in their way.

use std::{fs, path::Path};

use mes_pipe::SettingsArgs;

use super::{
    Machine, check,
    cost::Cost,
    line::{Job, Planned, SettingsLine, Task},
    place::Place,
};
use crate::sessions::SessionTask;

fn job(out: &Path, processor: Option<&str>) -> Job {
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

#[test]
fn a_key_is_of_what_a_result_depends_on() {
    let one = job(Path::new("a"), None);
    let costs = Cost { cpu_s: 3.0, ..Cost::default() };
    let moved = Job { job: 7, out: "b".into(), group: "g".into(), cost: costs, ..one.clone() };
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
    let publish = |job: &Job, text: &str| {
        let part = Place::of(job).begin().expect("begins");
        fs::write(part.path.join("rows"), text).expect("writes");
        part.publish("rows", "a kind", Cost::default()).expect("publishes");
    };
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
