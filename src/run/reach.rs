//! Which jobs read which accounts.

use crate::config::Account;
use crate::job::Job;
use crate::request::ResellerIn;
use crate::stream::{self, CATALOGUE, Stream};

/// Whether a job reads an account.
#[must_use]
pub fn reads(job: &Job, account: &Account) -> bool {
    why_not(job, account).is_none()
}

/// The streams of an account that any of these jobs reads, in the catalogue's order.
pub fn streams_of(jobs: &[Job], account: &Account) -> impl Iterator<Item = &'static dyn Stream> {
    let is_read = |stream: &&'static dyn Stream| {
        jobs.iter().any(|job| job.stream == stream.name() && reads(job, account))
    };
    CATALOGUE.iter().copied().filter(is_read)
}

/// Why a job does not read an account, said before anybody is asked: with the wrong kind of credential an endpoint may
/// answer success without rows (vendor-contract.md §4).
#[must_use]
pub fn why_not(job: &Job, account: &Account) -> Option<String> {
    let Account { name, role, profile, secrets: _ } = account;
    let stream = stream::find(&job.stream)?;
    if let Some(only) = stream.only_for().filter(|only| only != role) {
        let stream = stream.name();
        return Some(format!("only a {only} may ask for {stream}, and the role of account {name} is {role}"));
    }
    if !job.reads(name, *role) {
        return Some(format!("the job {} is not meant for account {name} (role {role})", job.name));
    }
    profile.reseller.as_ref().filter(|_| cannot_name_reseller(stream, account)).map(|reseller| {
        format!(
            "the vendor has no way to ask for the {} of customers of a reseller, and account {name} is for those of \
             {reseller}",
            stream.name()
        )
    })
}

/// Whether the account is for a reseller's customers and the stream has no way to name the reseller.
pub(super) fn cannot_name_reseller(stream: &dyn Stream, account: &Account) -> bool {
    account.profile.reseller.is_some() && stream.endpoint().reseller == ResellerIn::Impossible
}

/// The streams that are read for an account, each with its job: of several the one that goes back the furthest.
pub(super) fn by_stream<'a>(jobs: &[&'a Job], account: &Account) -> Vec<(&'a Job, &'static dyn Stream)> {
    let mut chosen: Vec<(&Job, &'static dyn Stream)> = Vec::new();
    for job in jobs.iter().copied().filter(|job| reads(job, account)) {
        let Some(stream) = stream::find(&job.stream) else { continue };
        match chosen.iter_mut().find(|(_, known)| known.name() == stream.name()) {
            Some((known, _)) if job.history_start < known.history_start => *known = job,
            Some(_) => {}
            None => chosen.push((job, stream)),
        }
    }
    chosen
}
