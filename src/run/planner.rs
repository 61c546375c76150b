//! What a run of a job reads: from what the warehouse knows to units. Asks nobody and changes nothing, so that `plan` can
//! say what `run` would do.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::order::{Extent, NewCustomers};
use super::refusals::Permission;
use super::walk::Unit;
use crate::job::Job;
use crate::plan::{self, LaneKnowledge, open};
use crate::record::Dependent;
use crate::scope::{Ask, Lane, Role, Scope};
use crate::stream::Stream;
use crate::time::{UtcSecond, Window, seconds};
use crate::walk::{Cursor, Walk};
use crate::warehouse::{Customer, Mark, OpenWalk, Requeue, RunId, Warehouse, WarehouseError};

/// Age up to which a walk that pages by offset is continued: later, rows may have been exchanged before its place.
const RESUMABLE: Duration = Duration::from_mins(15);

/// Age up to which a sorted walk is continued: its rows may have changed since, which later runs look for elsewhere.
pub(super) const SORTED_RESUMABLE: Duration = Duration::from_hours(24);

/// Why something is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadReason {
    /// Orders whose status can still change.
    Open,
    /// Orders paid since the last run.
    Paid,
    /// New orders, and the overlap before them.
    New,
    /// A walk the last run left in the middle.
    Resumed,
    /// Could not be proven complete.
    Disputed,
    /// The last months, again.
    Sweep,
    /// Not read yet.
    Backfill,
    /// A whole list.
    List,
    /// Records of single orders.
    Queue,
}

impl ReadReason {
    /// Whether single orders wait for it. What reads the past again or for the first time may take days.
    pub(super) const fn is_urgent(self) -> bool {
        matches!(self, Self::Open | Self::Paid | Self::New | Self::Resumed)
    }
}

impl fmt::Display for ReadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open orders",
            Self::Paid => "paid since",
            Self::New => "new orders",
            Self::Resumed => "resumed",
            Self::Disputed => "disputed",
            Self::Sweep => "sweep",
            Self::Backfill => "backfill",
            Self::List => "whole list",
            Self::Queue => "queue",
        })
    }
}

/// What is planned for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planner<'a> {
    pub(super) account: &'a str,
    pub(super) role: Role,
    pub(super) stream: &'static dyn Stream,
    pub(super) job: &'a Job,
    pub(super) extent: &'a Extent,
    /// The vendor's time.
    pub(super) now: UtcSecond,
}

/// A unit and why it is read.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) reason: ReadReason,
    pub(super) unit: Unit,
}

/// What a run of a job with windows does.
#[derive(Debug, Default)]
pub(super) struct WindowsPlan {
    /// In the order of their urgency.
    pub(super) units: Vec<Planned>,
    /// Open orders to read one by one.
    pub(super) singles: Vec<open::OpenOrder>,
    /// Marks to set before anything is read.
    pub(super) marks: Vec<(Mark, UtcSecond)>,
    /// Whether walks in the middle are to begin anew.
    pub(super) forgets_walks: bool,
}

/// The whole lists that a run of a job reads.
#[derive(Debug)]
pub(super) struct ListsPlan {
    /// In the order of their urgency.
    pub(super) units: Vec<Planned>,
    pub(super) permission: Permission,
}

impl WindowsPlan {
    /// Writes down what the run must find again if it does not finish.
    pub(super) fn begin(
        &self,
        warehouse: &mut Warehouse,
        account: &str,
        stream: &str,
        run: RunId,
    ) -> Result<(), WarehouseError> {
        if self.forgets_walks {
            warehouse.forget_walks(account, stream, UtcSecond::FAR)?;
        }
        for (mark, at) in &self.marks {
            warehouse.set_mark(account, stream, *mark, *at, run)?;
        }
        let singles: Vec<Dependent> = self.singles.iter().map(open::OpenOrder::dependent).collect();
        warehouse.enqueue_all(account, &singles, Requeue::Leave, run)
    }
}

impl Planner<'_> {
    /// The last instant a window may reach: younger rows may still be on their way.
    pub(super) fn horizon(&self) -> UtcSecond {
        self.now.minus(self.job.settle)
    }

    fn history_start(&self) -> UtcSecond {
        UtcSecond::midnight(self.job.history_start)
    }

    fn planned(&self, reason: ReadReason, scope: Scope) -> Planned {
        let walk = Walk::start(self.stream.paging(&scope), 1);
        Planned { reason, unit: Unit::new(Ask { scope, customer_id: None }, walk) }
    }

    /// Whether a walk that the last run left in the middle may go on where it is.
    fn is_resumable(&self, open: &OpenWalk) -> bool {
        let age = match open.walk.cursor {
            Cursor::Keyset { .. } => SORTED_RESUMABLE,
            Cursor::Offset(_) if open.keys.len() == open.walk.seen => RESUMABLE,
            Cursor::Offset(_) => return false,
        };
        // A walk that has not begun is as good as new.
        open.walk.started_at.is_none_or(|started| started > self.now.minus(age).unix())
    }

    /// New orders, orders paid since, orders that can still change, the walks the last run left in the middle, what
    /// a sweep reads again, and what was never read.
    pub(super) fn windows(&self, warehouse: &Warehouse) -> Result<WindowsPlan, WarehouseError> {
        let (account, stream) = (self.account, self.stream.name());
        if let Extent::Windows(windows) = self.extent {
            let planned = |window: &Window| self.planned(ReadReason::Disputed, Scope::Created(*window));
            return Ok(WindowsPlan {
                units: windows.iter().map(planned).collect(),
                // The months of a warehouse that no run has filled yet begin somewhere, too.
                marks: vec![(Mark::Begin(Lane::Created), self.history_start())],
                ..WindowsPlan::default()
            });
        }
        let is_full = *self.extent == Extent::Full;
        let mut plan = WindowsPlan { forgets_walks: is_full, ..WindowsPlan::default() };
        let resumed: Vec<OpenWalk> = if is_full {
            Vec::new()
        } else {
            let mut open = warehouse.open_walks(account, stream)?;
            open.retain(|walk| walk.ask.scope.window().is_some() && self.is_resumable(walk));
            open
        };
        let paid = self.paid(warehouse, &resumed, &mut plan)?;
        let created = warehouse.covered(account, stream, Lane::Created)?;
        let covered: Vec<Window> = created.iter().map(|covered| covered.window).collect();
        let disputed = warehouse.disputed_windows(account, stream, Lane::Created)?;
        let mut new = self.lane(warehouse, Lane::Created, self.history_start(), &covered, &resumed)?;
        plan.marks.push((Mark::Begin(Lane::Created), self.history_start()));
        if let (false, Some(newest)) = (covered.is_empty(), new.first_mut()) {
            self.open(warehouse, newest, &mut plan)?;
        }
        let begun = resumed.iter().filter_map(|open| open.ask.scope.window());
        let planned: Vec<Window> = new.iter().copied().chain(begun).collect();
        let sweep = self.sweep(warehouse, &created, &planned, &mut plan)?;
        plan.units.extend(paid.into_iter().map(|window| self.planned(ReadReason::Paid, Scope::Paid(window))));
        let mut older = new.into_iter();
        plan.units.extend(older.next().map(|newest| self.planned(ReadReason::New, Scope::Created(newest))));
        let resumed =
            resumed.into_iter().map(|open| Planned { reason: ReadReason::Resumed, unit: open.into() });
        plan.units.extend(resumed);
        plan.units
            .extend(sweep.into_iter().map(|window| self.planned(ReadReason::Sweep, Scope::Created(window))));
        plan.units.extend(older.map(|window| {
            let is_disputed = window.minus(&disputed).is_empty();
            let reason = if is_disputed { ReadReason::Disputed } else { ReadReason::Backfill };
            self.planned(reason, Scope::Created(window))
        }));
        Ok(plan)
    }

    /// The windows of a time field that no run has read completely, and the overlap.
    fn lane(
        &self,
        warehouse: &Warehouse,
        lane: Lane,
        start: UtcSecond,
        covered: &[Window],
        resumed: &[OpenWalk],
    ) -> Result<Vec<Window>, WarehouseError> {
        let disputed = warehouse.disputed_windows(self.account, self.stream.name(), lane)?;
        let of_lane = resumed.iter().filter(|open| open.ask.scope.lane() == Some(lane));
        let begun: Vec<Window> = of_lane.filter_map(|open| open.ask.scope.window()).collect();
        let known = LaneKnowledge { start, end: self.horizon(), covered, begun: &begun, disputed: &disputed };
        Ok(plan::windows(known, self.job.overlap, self.job.window))
    }

    /// Whatever is paid from the first run on is found by its payment time; what was paid before, the load sees.
    fn paid(
        &self,
        warehouse: &Warehouse,
        resumed: &[OpenWalk],
        plan: &mut WindowsPlan,
    ) -> Result<Vec<Window>, WarehouseError> {
        let (account, stream) = (self.account, self.stream.name());
        let Some((start, _)) = warehouse.mark(account, stream, Mark::Begin(Lane::Paid))? else {
            let start = self.horizon().minus(self.job.overlap);
            plan.marks.push((Mark::Begin(Lane::Paid), start));
            return Ok(Vec::new());
        };
        let covered = warehouse.covered_windows(account, stream, Lane::Paid)?;
        self.lane(warehouse, Lane::Paid, start, &covered, resumed)
    }

    /// How to look again at orders whose status can still change, the cheapest way.
    fn open(
        &self,
        warehouse: &Warehouse,
        newest: &mut Window,
        plan: &mut WindowsPlan,
    ) -> Result<(), WarehouseError> {
        let (orders, stored) = warehouse.open_orders(self.account, newest.begin())?;
        let ways = open::cheapest(&orders, newest.end(), open::PAGE.saturating_sub(stored));
        let widened = ways.widen_to.and_then(|begin| Window::new(begin.min(newest.begin()), newest.end()));
        *newest = widened.unwrap_or(*newest);
        plan.units.extend(
            ways.statuses.into_iter().map(|status| self.planned(ReadReason::Open, Scope::Status(status))),
        );
        plan.units.extend(
            ways.windows.into_iter().map(|window| self.planned(ReadReason::Open, Scope::Created(window))),
        );
        plan.singles = ways.singles.into_iter().filter_map(|at| orders.get(at).cloned()).collect();
        Ok(())
    }

    /// What the sweep in hand still has to read again; begins one when it is time.
    fn sweep(
        &self,
        warehouse: &Warehouse,
        created: &[crate::warehouse::CoveredWindow],
        planned: &[Window],
        plan: &mut WindowsPlan,
    ) -> Result<Vec<Window>, WarehouseError> {
        let (account, stream) = (self.account, self.stream.name());
        let begun = warehouse.mark(account, stream, Mark::Sweep)?;
        let from = warehouse.mark(account, stream, Mark::SweepFrom)?.map(|(from, _)| from);
        let window = self.job.window;
        if let (Some((at, run)), Some(from), Extent::Incremental) = (begun, from, self.extent) {
            let fresh: Vec<Window> =
                created.iter().filter(|covered| covered.run >= run).map(|covered| covered.window).collect();
            let rest = plan::sweep(Window::new(from, at.min(self.horizon())), &fresh, planned, window);
            // What fails in every run must not keep all else from being swept again: it does not wait for it for ever.
            let patience = if rest.is_empty() { 1 } else { 2 };
            if self.now < at.plus(seconds(self.job.sweep).saturating_mul(patience)) {
                return Ok(rest);
            }
        }
        let from = match self.extent {
            Extent::Full | Extent::Windows(_) => self.history_start(),
            Extent::Incremental | Extent::Lists { .. } => {
                self.now.minus(self.job.sweep_reach).max(self.history_start())
            }
        };
        plan.marks.extend([(Mark::Sweep, self.now), (Mark::SweepFrom, from)]);
        if begun.is_none() && *self.extent == Extent::Incremental {
            // The first load is the first sweep.
            return Ok(Vec::new());
        }
        Ok(plan::sweep(Window::new(from, self.horizon()), &[], planned, window))
    }

    /// The whole lists that are older than the job wants them; a partner's customer by customer.
    pub(super) fn lists(&self, warehouse: &Warehouse) -> Result<ListsPlan, WarehouseError> {
        let (account, stream) = (self.account, self.stream.name());
        let is_full = matches!(self.extent, Extent::Full | Extent::Lists { .. });
        let is_due = |read_at: Option<UtcSecond>| is_full || self.is_old(read_at);
        let permission = self.permission(warehouse)?;
        let customers: Vec<Option<String>> = if self.names_customer() {
            let customers = warehouse.customers_by_expected_change(account, stream)?;
            let is_wanted = |customer: &Customer| match self.extent {
                Extent::Lists { customers, new } => {
                    customers.contains(&customer.id)
                        || *new == NewCustomers::Read && customer.read_at.is_none()
                }
                Extent::Incremental | Extent::Full | Extent::Windows(_) => is_due(customer.read_at),
            };
            let due = customers.into_iter().filter(is_wanted);
            due.map(|customer| Some(customer.id)).collect()
        } else {
            is_due(warehouse.last_whole_reading(account, stream)?).then_some(None).into_iter().collect()
        };
        if customers.is_empty() || matches!(self.extent, Extent::Windows(_)) {
            return Ok(ListsPlan { units: Vec::new(), permission });
        }
        let mut begun: HashMap<Ask, OpenWalk> = HashMap::new();
        if !is_full {
            let open = warehouse.open_walks(account, stream)?.into_iter();
            begun.extend(open.filter(|open| self.is_resumable(open)).map(|open| (open.ask.clone(), open)));
        }
        let unit = |customer_id| {
            let ask = Ask { scope: Scope::Whole, customer_id };
            match begun.remove(&ask) {
                Some(open) => open.into(),
                None => Unit::new(ask, Walk::start(self.stream.paging(&Scope::Whole), 1)),
            }
        };
        let planned = |unit| Planned { reason: ReadReason::List, unit };
        let units = customers.into_iter().map(unit).map(planned).collect();
        Ok(ListsPlan { units, permission })
    }

    /// Whether a whole list that was read then is older than the job wants it.
    fn is_old(&self, read_at: Option<UtcSecond>) -> bool {
        read_at.is_none_or(|at| at <= self.now.minus(self.job.refresh))
    }

    /// Whether a customer's list was shown so lately that it is not due.
    pub(super) fn permission(&self, warehouse: &Warehouse) -> Result<Permission, WarehouseError> {
        if !self.names_customer() {
            return Ok(Permission::Unproven);
        }
        let customers = warehouse.customers_by_expected_change(self.account, self.stream.name())?;
        let is_proven = customers.iter().any(|customer| !self.is_old(customer.read_at));
        Ok(if is_proven { Permission::Proven } else { Permission::Unproven })
    }

    /// The walks of single orders that the last run left in the middle.
    pub(super) fn begun_parents(
        &self,
        warehouse: &Warehouse,
    ) -> Result<HashMap<Ask, OpenWalk>, WarehouseError> {
        let mut open = warehouse.open_walks(self.account, self.stream.name())?;
        open.retain(|open| open.ask.scope.parent().is_some() && self.is_resumable(open));
        Ok(open.into_iter().map(|open| (open.ask.clone(), open)).collect())
    }

    /// Whether each request must name the customer it is about.
    pub(super) fn names_customer(&self) -> bool {
        self.role == Role::Partner && self.stream.partner_names_customer()
    }
}
