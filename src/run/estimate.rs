//! What a run would ask now: how many requests, for which reason, and how long the quotas make it take. Made from the same
//! plan that a run follows; asks nobody and changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::order::{Extent, Order};
use super::planner::{Planned, Planner, ReadReason};
use super::reach::reads;
use crate::client::{Pace, PageLimits};
use crate::config::Account;
use crate::job::Job;
use crate::quota::Quota;
use crate::rate::words::QuotaOrigin;
use crate::request::Endpoint;
use crate::scope::{Ask, Lane, Scope};
use crate::stream::{self, Reading, Stream};
use crate::time::{UtcSecond, Window};
use crate::walk::Paging;
use crate::warehouse::{Warehouse, WarehouseError};

/// How far a number of requests can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// So many, unless something changes at the vendor meanwhile.
    #[default]
    Exact,
    /// More when there is more: some of it was never read, or only reading tells what else must be read.
    AtLeast,
}

/// A number of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// How many; repeated ones after failures are not foreseen.
    pub count: u64,
    /// How far that can be relied on.
    pub certainty: Certainty,
}

impl Requests {
    const fn exactly(count: u64) -> Self {
        Self { count, certainty: Certainty::Exact }
    }

    const fn at_least(count: u64) -> Self {
        Self { count, certainty: Certainty::AtLeast }
    }

    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.certainty = self.certainty.max(other.certainty);
    }

    fn sum(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum.add(one);
            sum
        })
    }
}

/// What a job would ask for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Why.
    pub reason: ReadReason,
    /// Windows, lists or orders.
    pub units: u64,
    /// What they take.
    pub requests: Requests,
}

/// What a job would ask for an account.
#[derive(Clone, Debug)]
pub struct JobPlan {
    /// The job.
    pub job: String,
    /// Its stream.
    pub stream: &'static dyn Stream,
    /// In the order of their urgency.
    pub rows: Vec<PlanRow>,
}

impl JobPlan {
    /// All requests of the job.
    #[must_use]
    pub fn requests(&self) -> Requests {
        Requests::sum(self.rows.iter().map(|row| row.requests))
    }
}

/// What one endpoint would be asked.
#[derive(Clone, Copy, Debug)]
pub struct EndpointPlan {
    /// The endpoint's short name.
    pub endpoint: &'static str,
    /// Requests of all jobs.
    pub requests: Requests,
    /// The quota that is kept to; `None`: no limit of our own.
    pub quota: Option<Quota>,
    /// Where it comes from.
    pub origin: QuotaOrigin,
    /// Rows that its pages have.
    pub limit: u32,
    /// The documents' largest page.
    pub documented_limit: u32,
    /// The shortest time the requests take, at the share of the quota that is used.
    pub time: Duration,
}

/// What an invocation would ask for one account.
#[derive(Clone, Debug)]
pub struct AccountPlan {
    /// The account.
    pub account: String,
    /// Its jobs, in the order of the data's way.
    pub jobs: Vec<JobPlan>,
    /// The endpoints that would be asked.
    pub endpoints: Vec<EndpointPlan>,
}

impl AccountPlan {
    /// All requests.
    #[must_use]
    pub fn requests(&self) -> Requests {
        Requests::sum(self.jobs.iter().map(JobPlan::requests))
    }

    /// The shortest time: endpoints have quotas of their own and are asked side by side.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.endpoints.iter().map(|endpoint| endpoint.time).max().unwrap_or_default()
    }
}

/// What a run would ask at `now` (by the vendor's clock), account by account.
///
/// # Errors
/// When the warehouse fails.
pub fn estimate(
    order: &Order<'_>,
    warehouse: &Warehouse,
    now: UtcSecond,
) -> Result<Vec<AccountPlan>, WarehouseError> {
    order.accounts.iter().map(|account| estimate_account(order, account, warehouse, now)).collect()
}

fn estimate_account(
    order: &Order<'_>,
    account: &Account,
    warehouse: &Warehouse,
    now: UtcSecond,
) -> Result<AccountPlan, WarehouseError> {
    let jobs: Vec<(&Job, &'static dyn Stream)> = order
        .jobs
        .iter()
        .filter(|job| reads(job, account))
        .filter_map(|job| Some((*job, stream::find(&job.stream)?)))
        .collect();
    let (name, host) = (&account.name, account.profile.endpoint.host());
    let sizes = PageLimits::new(name.clone(), warehouse.page_limits(name, host, now)?);
    let mut plans = Vec::with_capacity(jobs.len());
    // Feeding jobs first: what they do not know, those behind them know even less.
    let mut fed = Certainty::Exact;
    for feeds in [true, false] {
        for (job, stream) in jobs.iter().filter(|(_, stream)| stream.feeds_others() == feeds) {
            let wish = Planner {
                account: &account.name,
                role: account.role,
                stream: *stream,
                job,
                extent: &order.extent,
                now,
            };
            let rows = Counting { wish, warehouse, sizes: &sizes, fed }.rows()?;
            let plan = JobPlan { job: job.name.to_string(), stream: *stream, rows };
            if feeds {
                fed = fed.max(plan.requests().certainty);
            }
            plans.push(plan);
        }
    }
    plans.sort_by_key(|plan| jobs.iter().position(|(job, _)| job.name.as_str() == plan.job));
    let known = warehouse.rate_state(name, host)?;
    let pace = Pace::new(name.clone(), account.profile.quotas.clone(), known);
    let mut sums: Vec<(&'static Endpoint, Requests)> = Vec::new();
    for plan in &plans {
        let endpoint = plan.stream.endpoint();
        if let Some((_, sum)) = sums.iter_mut().find(|(known, _)| *known == endpoint) {
            sum.add(plan.requests());
        } else {
            sums.push((endpoint, plan.requests()));
        }
    }
    let in_time = |(endpoint, requests)| at_pace(endpoint, requests, &pace, &sizes);
    let endpoints = sums.into_iter().map(in_time).collect();
    Ok(AccountPlan { account: account.name.clone(), jobs: plans, endpoints })
}

/// How long requests to an endpoint take at the pace that a run would keep.
fn at_pace(endpoint: &'static Endpoint, requests: Requests, pace: &Pace, sizes: &PageLimits) -> EndpointPlan {
    let nanos = pace.spacing(endpoint).as_nanos().saturating_mul(u128::from(requests.count));
    let (quota, origin) = pace.quota(endpoint);
    EndpointPlan {
        endpoint: endpoint.name,
        requests,
        quota,
        origin,
        limit: sizes.limit(endpoint),
        documented_limit: endpoint.max_limit(),
        time: Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
    }
}

/// Requests for so many rows: pages overlap by a row, and behind a full page a run looks for more.
fn pages(rows: u64, limit: u32) -> u64 {
    rows.div_ceil(u64::from(limit.max(2)) - 1).max(1)
}

/// Whether all of a window was read, but for what is younger than anything that was read.
fn is_known(window: Window, covered: &[Window]) -> bool {
    let newest = covered.iter().map(Window::end).max();
    newest.is_some_and(|newest| window.minus(covered).iter().all(|rest| rest.begin() >= newest))
}

/// Counts the requests of one job.
struct Counting<'a> {
    wish: Planner<'a>,
    warehouse: &'a Warehouse,
    sizes: &'a PageLimits,
    /// How well it is known what the jobs before put into the queue.
    fed: Certainty,
}

impl Counting<'_> {
    fn rows(&self) -> Result<Vec<PlanRow>, WarehouseError> {
        let Planner { account, stream, now, .. } = self.wish;
        let reading = stream.reading();
        let mut rows: BTreeMap<ReadReason, (u64, Requests)> = BTreeMap::new();
        let mut add = |reason, units, requests| {
            let (all_units, all_requests) = rows.entry(reason).or_default();
            *all_units += units;
            all_requests.add(requests);
        };
        let mut own = self.fed;
        if reading == Reading::Windows {
            let plan = self.wish.windows(self.warehouse)?;
            let created = self.warehouse.covered_windows(account, stream.name(), Lane::Created)?;
            for planned in &plan.units {
                let requests = self.requests(planned, &created)?;
                // What was never read may hold orders that are to be read once more by themselves.
                own = own.max(requests.certainty);
                add(planned.reason, 1, requests);
            }
            for order in &plan.singles {
                if !self.warehouse.is_queued(account, stream.name(), &order.id)? {
                    add(ReadReason::Open, 1, Requests::exactly(1));
                }
            }
        }
        if reading.drains_queue() {
            let mut due = self.warehouse.count_due(account, stream.name(), now)?;
            if *self.wish.extent != Extent::Incremental {
                // It tries at once what failed and waits.
                let waiting = self.warehouse.failed_and_waiting(account, stream.name(), now)?;
                due += waiting.map_or(0, |(orders, _)| orders);
            }
            let parent = Scope::Parent(String::new());
            let is_one_answer = stream.paging(&parent) == Paging::Unpaged || reading == Reading::Windows;
            let is_exact = own == Certainty::Exact && (is_one_answer || due == 0);
            if due > 0 || !is_exact {
                add(
                    ReadReason::Queue,
                    due,
                    if is_exact { Requests::exactly(due) } else { Requests::at_least(due) },
                );
            }
        }
        if reading.reads_whole() {
            for planned in &self.wish.lists(self.warehouse)?.units {
                add(planned.reason, 1, self.requests(planned, &[])?);
            }
            if self.wish.names_customer() && self.fed == Certainty::AtLeast {
                add(ReadReason::List, 0, Requests::at_least(0));
            }
        }
        Ok(rows.into_iter().map(|(reason, (units, requests))| PlanRow { reason, units, requests }).collect())
    }

    /// What a unit takes.
    fn requests(&self, planned: &Planned, created: &[Window]) -> Result<Requests, WarehouseError> {
        let Planner { account, stream, .. } = self.wish;
        let Ask { scope, customer_id } = &planned.unit.ask;
        let limit = stream.limit(scope, planned.unit.walk.attempt).min(self.sizes.limit(stream.endpoint()));
        let of = |rows: u64, is_known: bool| {
            let count = pages(rows, limit);
            if is_known { Requests::exactly(count) } else { Requests::at_least(count) }
        };
        let walk = &planned.unit.walk;
        if walk.requests > 0 {
            let rest = walk.expected.map(|expected| expected.saturating_sub(walk.seen));
            return Ok(of(rest.unwrap_or_default(), rest.is_some()));
        }
        Ok(match scope {
            Scope::Created(window) => {
                let rows = self.warehouse.count_orders(account, window.begin(), window.end(), None)?;
                of(rows, is_known(*window, created))
            }
            Scope::Paid(window) => {
                // An order's payment is known from whatever showed the order last.
                let start = UtcSecond::midnight(self.wish.job.history_start);
                let are_loaded = Window::new(start, window.end()).is_some_and(|all| is_known(all, created));
                of(self.warehouse.count_paid(account, *window)?, are_loaded)
            }
            Scope::Status(status) => of(self.warehouse.count_status(account, *status)?, true),
            Scope::Parent(_) => Requests::exactly(1),
            Scope::Whole | Scope::Slice(_) => {
                let seen = self.warehouse.seen_in_list(account, stream.name(), customer_id.as_deref())?;
                of(seen.unwrap_or_default(), seen.is_some())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::QuotaOverrides;

    fn window(begin: i64, end: i64) -> Window {
        Window::new(UtcSecond::from_unix(begin), UtcSecond::from_unix(end)).expect("not empty")
    }

    #[test]
    fn pages_overlap_by_a_row_and_a_full_one_is_not_the_last() {
        for (rows, requests) in [(0, 1), (1, 1), (99, 1), (100, 2), (198, 2), (199, 3), (1000, 11)] {
            assert_eq!(pages(rows, 100), requests, "{rows}");
        }
        assert_eq!(pages(10_000, u32::MAX), 1);
    }

    #[test]
    fn in_a_known_window_only_what_is_younger_than_all_read_may_be_unread() {
        let covered = [window(0, 50), window(60, 100)];
        assert!(is_known(window(10, 40), &covered));
        assert!(is_known(window(80, 120), &covered));
        assert!(!is_known(window(40, 70), &covered));
        assert!(!is_known(window(80, 120), &[]));
    }

    #[test]
    fn a_sum_is_as_uncertain_as_its_least_certain_part() {
        let sum = |parts: &[Requests]| Requests::sum(parts.iter().copied());
        assert_eq!(sum(&[Requests::exactly(2), Requests::exactly(3)]), Requests::exactly(5));
        assert_eq!(sum(&[Requests::exactly(2), Requests::at_least(0)]), Requests::at_least(2));
        assert_eq!(sum(&[]), Requests::exactly(0));
    }

    #[test]
    fn endpoints_are_asked_side_by_side() {
        let orders = stream::find("orders").expect("a stream");
        let lines = stream::find("order_lines").expect("a stream");
        let pace = Pace::new(String::new(), QuotaOverrides::default(), Vec::new());
        let sizes = PageLimits::new(String::new(), Vec::new());
        let plan = |stream: &'static dyn Stream, count| {
            at_pace(stream.endpoint(), Requests::exactly(count), &pace, &sizes)
        };
        let endpoints = vec![plan(orders, 180), plan(lines, 180)];
        assert_eq!(endpoints[0].quota, Some(Quota::per_second(20)));
        let time = AccountPlan { account: String::new(), jobs: Vec::new(), endpoints }.time();
        assert!(
            (18_000..19_000).contains(&time.as_millis()),
            "180 requests at hardly less than 10 a second: {time:?}"
        );
    }
}
