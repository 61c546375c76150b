//! The worker that stays: what runs when, under a clock that can be set, and the real program with its signals.

mod agenda;
mod crowd;
mod scripted;
mod stops;
mod talks;
mod week;

use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::mpsc;
use std::time::Duration;

use bss_sync::job::{Job, JobName};
use bss_sync::stream::CATALOGUE;
use bss_sync::time::UtcSecond;

/// A job of a stream on a schedule in a zone.
fn job(name: &str, stream: &str, schedule: &str, zone: &str) -> Job {
    let text = format!("stream = \"{stream}\"\nschedule = \"{schedule}\"\ntime_zone = \"{zone}\"\n");
    let streams: Vec<&str> = CATALOGUE.iter().map(|stream| stream.name()).collect();
    Job::parse(JobName::new(name).unwrap(), Path::new("job.toml"), &text, &streams).unwrap()
}

fn at(text: &str) -> UtcSecond {
    UtcSecond::parse(text).unwrap_or_else(|| panic!("no time: {text}"))
}

/// Longer than anything here takes; so that a broken test ends.
const LONGEST: Duration = Duration::from_mins(1);

/// Sends a signal to a worker.
fn signal(worker: &Child, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", worker.id())]).status().unwrap();
    assert!(sent.success());
}

/// What a worker left that ended by itself; one that does not is killed.
fn end_of(worker: Child) -> Output {
    let id = worker.id();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(worker.wait_with_output()));
    let Ok(ended) = told.recv_timeout(LONGEST) else {
        let _ = Command::new("sh").args(["-c", &format!("kill -KILL {id}")]).status();
        panic!("the worker did not end")
    };
    ended.unwrap()
}
