//! One order, resource or customer with everything that the warehouse knows of it: a dispute on one screen.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::answer::{Answer, AnswerShape};
use super::subject::{Subject, SubjectKind};
use super::versions::RowVersions;
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// What an id stands for, and all that is known of it.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Account.
    pub account: String,
    /// What it is.
    pub kind: SubjectKind,
    /// Its id, as it is stored.
    pub id: String,
    /// How the id that was asked for led here, when it is another one.
    pub found_by: Option<&'static str>,
    /// The parts, empty ones included: they were looked for.
    pub parts: Vec<Answer>,
    /// Rows that changed since they were first stored, and the row itself.
    pub versions: Vec<RowVersions>,
    /// Rows of the checks that name it, check by check.
    pub checks: Answer,
    /// The runs that are named above.
    pub runs: Answer,
}

/// How complete the orders of an account are: what it means that something was not found.
#[derive(Clone, Debug)]
pub struct SearchedAccount {
    /// Account.
    pub account: String,
    /// First billing month, and last one; `None`: nothing was read yet.
    pub months: Option<(String, String)>,
    /// First month that is neither complete nor running.
    pub first_incomplete: Option<String>,
    /// Up to then its orders were read completely, UTC.
    pub data_as_of: Option<String>,
    /// Orders of which something is still to be read.
    pub queued: i64,
}

impl Warehouse {
    /// All that is known of an id, in every account or in the named ones; nothing when no row has it.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn explain(&self, id: &str, accounts: &[String]) -> Result<Vec<Explanation>, WarehouseError> {
        self.at_one_moment(|| {
            let subjects = self.subjects(id, accounts)?;
            subjects.into_iter().map(|subject| self.explain_subject(subject)).collect()
        })
    }

    fn explain_subject(&self, subject: Subject) -> Result<Explanation, WarehouseError> {
        let parts = self.answers(&subject)?;
        let versions = self.versions(&subject)?;
        let mut runs: BTreeSet<i64> = parts.iter().flat_map(Answer::runs).collect();
        runs.extend(versions.iter().flat_map(RowVersions::runs));
        let checks = self.checks(&subject.account, &subject.id)?;
        let runs = self.named_runs(&runs)?;
        let Subject { account, kind, id, found_by } = subject;
        Ok(Explanation { account, kind, id, found_by, parts, versions, checks, runs })
    }

    /// The one place where the checks come in: every row of a view `check_rc…` whose key or note names the id.
    fn checks(&self, account: &str, id: &str) -> Result<Answer, WarehouseError> {
        let views: Vec<String> = self.read(
            "select name from sqlite_schema
             where type = 'view' and name like 'check\\_rc%' escape '\\' and name not like '%\\_as\\_of' escape '\\'
             order by name",
            [],
            |row| row.get(0),
        )?;
        let mut found = Answer::empty("checks", "Checks that name it", AnswerShape::Table);
        for view in views {
            let sql = format!(
                "select check_id, severity, key, expected, actual, diff, currency, period, first_seen, note
                 from \"{view}\"
                 where account = :account and (instr(key, :id) > 0 or instr(note, :id) > 0)
                 order by key"
            );
            found.rows.extend(self.named_rows(&sql, account, id)?);
        }
        Ok(found)
    }

    fn named_runs(&self, runs: &BTreeSet<i64>) -> Result<Answer, WarehouseError> {
        let mut part = Answer::empty("runs", "The runs named here", AnswerShape::Table);
        let list = Value::from(runs.iter().copied().collect::<Vec<_>>()).to_string();
        let sql = "select run_id, job, program_version, started_at, finished_at, outcome, reason, requests, throttled
                   from runs where run_id in (select value from json_each(:id)) and :account is not null order by run_id";
        part.rows = self.named_rows(sql, "", &list)?;
        Ok(part)
    }

    /// What was searched, account by account.
    ///
    /// # Errors
    /// When the warehouse fails.
    pub fn searched(&self, accounts: &[String]) -> Result<Vec<SearchedAccount>, WarehouseError> {
        let mut searched = Vec::new();
        for (account, data_as_of) in self.data_as_of()? {
            if !accounts.is_empty() && !accounts.contains(&account) {
                continue;
            }
            let months = self.read(
                "select min(month), max(month), min(iif(state in ('complete', 'open'), null, month))
                 from coverage_by_month where account = ?1 and stream = 'orders'",
                [&account],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            let (first, last, first_incomplete) = months.into_iter().next().unwrap_or_default();
            let queued = self.read(
                "select count(distinct parent_id) from queue where account = ?1",
                [&account],
                |row| row.get(0),
            )?;
            searched.push(SearchedAccount {
                months: Option::zip(first, last),
                first_incomplete,
                data_as_of,
                queued: queued.into_iter().next().unwrap_or_default(),
                account,
            });
        }
        Ok(searched)
    }
}

impl Explanation {
    /// All of it as JSON, amounts as text.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("account".to_owned(), Value::from(self.account.as_str()));
        object.insert("kind".to_owned(), Value::from(self.kind.as_str()));
        object.insert("id".to_owned(), Value::from(self.id.as_str()));
        object.insert("found_by".to_owned(), Value::from(self.found_by));
        for part in self.parts.iter().chain([&self.checks, &self.runs]) {
            object.insert(part.name.clone(), part.to_json());
        }
        let versions = self.versions.iter().map(RowVersions::to_json).collect();
        object.insert("versions".to_owned(), Value::Array(versions));
        Value::Object(object)
    }
}
