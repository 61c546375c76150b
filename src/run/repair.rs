//! Reads again what a verification found different, the way every run reads: nothing is believed here that a run would
//! not believe.

use std::sync::Arc;

use tokio::sync::watch;

use super::board::RunProgress;
use super::error::RunError;
use super::invocation::run;
use super::order::{Extent, NewCustomers, Order, ShortAnswers};
use super::outcome::JobReport;
use super::reach::by_stream;
use super::verify::{ComparedPart, Comparison, Verified, Verify};
use crate::config::Account;
use crate::job::Job;
use crate::record::Dependent;
use crate::scope::Role;
use crate::stream::{self, Reading, Stream};
use crate::time::Window;
use crate::warehouse::{Requeue, Writer};

/// Reads the months, lists and orders again that differ, of the accounts whose comparison did not end early. Returns a
/// report for each job and account that ran.
///
/// # Errors
/// As [`run`].
pub async fn repair(
    order: &Verify<'_>,
    found: &[Verified],
    writer: &Writer,
    progress: &Arc<RunProgress>,
    stop: watch::Receiver<bool>,
) -> Result<Vec<JobReport>, RunError> {
    let mut reports = Vec::new();
    for verified in found.iter().filter(|verified| verified.stopped.is_none()) {
        let Some(account) = order.accounts.iter().find(|account| account.name == verified.account) else {
            continue;
        };
        let repair = Repair { order, account, verified, writer, progress, stop: &stop };
        reports.extend(repair.run().await?);
    }
    Ok(reports)
}

/// The repair of one account.
struct Repair<'a> {
    order: &'a Verify<'a>,
    account: &'a Account,
    verified: &'a Verified,
    writer: &'a Writer,
    progress: &'a Arc<RunProgress>,
    stop: &'a watch::Receiver<bool>,
}

impl Repair<'_> {
    async fn run(&self) -> Result<Vec<JobReport>, RunError> {
        let jobs = by_stream(&self.order.jobs, self.account);
        let mut reports = self.windows_and_orders(&jobs).await?;
        reports.extend(self.lists(&jobs).await?);
        Ok(reports)
    }

    fn differing(&self) -> impl Iterator<Item = &Comparison> {
        self.verified.comparisons.iter().filter(|comparison| !comparison.agrees())
    }

    /// The months that differ, and what belongs to the orders that differ or that come back with them.
    async fn windows_and_orders(
        &self,
        jobs: &[(&Job, &'static dyn Stream)],
    ) -> Result<Vec<JobReport>, RunError> {
        let mut windows: Vec<Window> = Vec::new();
        let mut streams = Vec::new();
        for comparison in self.differing() {
            match &comparison.part {
                // Both ends belong to what was compared.
                ComparedPart::Month { asked, .. } => {
                    windows.extend(Window::new(asked.begin(), asked.end().plus(1)));
                }
                ComparedPart::Dependents { orders, .. } => {
                    streams.push(comparison.stream);
                    let stream = comparison.stream;
                    self.enqueue(orders.iter().map(|order| order.dependent(stream)).collect()).await?;
                }
                // Read where the list is, or with the details; the bounds may belong to a window or not.
                ComparedPart::Members { orders, .. } if comparison.stream == stream::orders().name() => {
                    let created = || orders.iter().filter_map(|member| member.created);
                    let (first, last) = (created().min(), created().max());
                    windows.extend(
                        first.zip(last).and_then(|(first, last)| Window::new(first.plus(-1), last.plus(2))),
                    );
                }
                ComparedPart::Members { orders, .. } => {
                    streams.push(comparison.stream);
                    let stream = comparison.stream;
                    self.enqueue(orders.iter().map(|member| member.dependent(stream)).collect()).await?;
                }
                ComparedPart::List { .. } => {}
            }
        }
        // Newest first, like all windows.
        windows.sort_unstable_by(|a, b| b.cmp(a));
        let is_needed = |stream: &'static dyn Stream| {
            let reads_orders = stream.reading() == Reading::Windows;
            streams.contains(&stream.name()) && !reads_orders
                || !windows.is_empty() && stream.reading().drains_queue()
        };
        let jobs: Vec<&Job> =
            jobs.iter().filter(|(_, stream)| is_needed(*stream)).map(|(job, _)| *job).collect();
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        self.run_jobs(jobs, Extent::Windows(windows)).await
    }

    async fn enqueue(&self, orders: Vec<Dependent>) -> Result<(), RunError> {
        let (account, run) = (self.account.name.clone(), self.verified.run);
        let enqueue = move |warehouse: &mut crate::warehouse::Warehouse| {
            warehouse.enqueue_all(&account, &orders, Requeue::Renew, run)
        };
        Ok(self.writer.write(enqueue).await?)
    }

    /// The whole lists that differ; where rows are to be gone, twice, because one reading does not prove that. With orders
    /// or customers that were missing come customers whose lists were never read.
    async fn lists(&self, jobs: &[(&Job, &'static dyn Stream)]) -> Result<Vec<JobReport>, RunError> {
        let feeds_others =
            |comparison: &Comparison| stream::find(comparison.stream).is_some_and(<dyn Stream>::feeds_others);
        let mut new = match self.account.role {
            Role::Partner if self.differing().any(feeds_others) => NewCustomers::Read,
            Role::Partner | Role::Customer => NewCustomers::Leave,
        };
        let mut reports = Vec::new();
        for has_more in [false, true] {
            let lists: Vec<(&str, Option<&String>)> = self
                .differing()
                .filter(|comparison| {
                    // What was refused is refused again.
                    comparison.difference().is_some_and(|difference| !has_more || difference > 0)
                })
                .filter_map(|comparison| match &comparison.part {
                    ComparedPart::List { customer_id } => Some((comparison.stream, customer_id.as_ref())),
                    ComparedPart::Month { .. }
                    | ComparedPart::Dependents { .. }
                    | ComparedPart::Members { .. } => None,
                })
                .collect();
            let is_needed = |stream: &'static dyn Stream| {
                lists.iter().any(|(of, _)| *of == stream.name())
                    || new == NewCustomers::Read
                        && stream.reading().reads_whole()
                        && stream.partner_names_customer()
            };
            let jobs: Vec<&Job> =
                jobs.iter().filter(|(_, stream)| is_needed(*stream)).map(|(job, _)| *job).collect();
            if !jobs.is_empty() && !*self.stop.borrow() {
                let customers = lists.iter().filter_map(|(_, customer)| customer.cloned()).collect();
                reports.extend(self.run_jobs(jobs, Extent::Lists { customers, new }).await?);
            }
            new = NewCustomers::Leave;
        }
        Ok(reports)
    }

    async fn run_jobs(&self, jobs: Vec<&Job>, extent: Extent) -> Result<Vec<JobReport>, RunError> {
        // The count of a month with orders showed one: an empty answer about another month or order is then no sign of the
        // wrong credential.
        let has_rows = |comparison: &Comparison| {
            matches!(comparison.part, ComparedPart::Month { .. })
                && comparison.vendor.is_some_and(|number| number > 0)
        };
        let saw_rows = self.verified.comparisons.iter().any(has_rows);
        let order = Order {
            jobs,
            accounts: vec![self.account],
            extent,
            word: if saw_rows { ShortAnswers::RowsWereSeen } else { ShortAnswers::None },
            deadline: self.order.deadline,
        };
        run(order, self.writer, self.progress, self.stop.clone()).await
    }
}
