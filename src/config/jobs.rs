//! The jobs of a configuration: built in or from a folder, with the configuration's own settings over them.

use std::path::{Path, PathBuf};

use super::file::read_text;
use crate::job::{self, Job, JobName};
use crate::settings::{Node, Problem, Problems, Section, SettingSource, nearest};

/// A job's file, read but not understood yet.
pub(super) struct JobFile {
    name: String,
    file: PathBuf,
    text: String,
}

/// The jobs of this build.
pub(super) fn built_in() -> Vec<JobFile> {
    let file = |(name, text): (&str, &str)| JobFile {
        name: name.to_owned(),
        file: PathBuf::from(format!("jobs/{name}.toml (built in)")),
        text: text.to_owned(),
    };
    job::built_in().into_iter().map(file).collect()
}

/// The job files of a folder, sorted by name.
pub(super) fn of_folder(dir: &Path, asked_by: &SettingSource, problems: &Problems) -> Vec<JobFile> {
    let complain = |what: String, remedy: &str| {
        problems.add(
            Problem::at(asked_by, &what).key("jobs_dir").value(&dir.display().to_string()).remedy(remedy),
        );
    };
    let listing = std::fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut files: Vec<PathBuf> = match listing {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(error) => {
            complain(format!("this folder cannot be read: {error}"), "check the path and its permissions");
            return Vec::new();
        }
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    if files.is_empty() {
        complain(
            "this folder has no *.toml".to_owned(),
            "put a job there, or remove the key to use the built-in ones",
        );
    }
    let read = |file: PathBuf| match read_text(&file) {
        Ok(text) => Some(JobFile { name: file.file_stem()?.to_string_lossy().into_owned(), file, text }),
        Err(problem) => {
            problems.add(problem);
            None
        }
    };
    files.into_iter().filter_map(read).collect()
}

/// Reads every job; `settings`, the table `jobs` of the configuration, lies over the files.
pub(super) fn read(
    files: Vec<JobFile>,
    mut settings: Option<Node>,
    streams: &[&str],
    problems: &Problems,
) -> Vec<Job> {
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let mut jobs = Vec::new();
    for JobFile { name, file, text } in files {
        let Some(job_name) = JobName::new(&name) else {
            let problem = Problem::at(
                &SettingSource::new(&file.display().to_string()),
                "the name of this file cannot name a job",
            );
            problems.add(problem.remedy("use 1 to 64 of A-Z a-z 0-9 _ - before .toml"));
            continue;
        };
        let mut tree = match Node::of_toml(&file, &text) {
            Ok(tree) => tree,
            Err(problem) => {
                problems.add(problem);
                continue;
            }
        };
        if let Some(over) = settings.as_mut().and_then(|settings| settings.take(&name)) {
            tree.lay_over(over);
        }
        let section = Section::at(format!("jobs.{name}"), &tree, problems);
        jobs.extend(Job::read(job_name, section, streams));
    }
    let left: Vec<(&str, &SettingSource)> = settings.iter().flat_map(Node::entries).collect();
    for (name, source) in left {
        let remedy = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean jobs.{near}?"),
            None => format!("the jobs are {}", names.join(", ")),
        };
        problems
            .add(Problem::at(source, "there is no such job").key(&format!("jobs.{name}")).remedy(&remedy));
    }
    jobs
}

/// Reports jobs that name accounts nobody configured; right or wrong, `accounts` were. When there are none, that was
/// reported already.
pub(super) fn check_accounts(jobs: &[Job], accounts: &[String], problems: &Problems) {
    if accounts.is_empty() {
        return;
    }
    for job in jobs {
        for wanted in job.accounts.iter().flatten().filter(|wanted| !accounts.contains(wanted)) {
            let near = nearest(wanted, accounts.iter().map(String::as_str));
            let near = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
            let remedy = format!("{near}the accounts are {}", accounts.join(", "));
            let problem =
                Problem::at(&SettingSource::new(&format!("job {}", job.name)), "there is no such account");
            problems.add(problem.key(&format!("jobs.{}.accounts", job.name)).value(wanted).remedy(&remedy));
        }
    }
}
