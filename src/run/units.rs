//! What a run of a job walks: from what the warehouse knows to units.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::Extent;
use super::job::Context;
use super::outcome::Stop;
use super::walker::Unit;
use crate::plan::{self, Known};
use crate::scope::{Ask, Lane, Scope};
use crate::time::{UtcSecond, Window};
use crate::walk::{Cursor, Walk};
use crate::warehouse::WarehouseError;

/// Age up to which a walk that pages by offset is continued: later, rows may have been exchanged before its place.
const RESUMABLE: Duration = Duration::from_mins(15);

/// Statuses the order list can be filtered by (`CONTRACT` §7.1); the others are read order by order.
const FILTERABLE_STATUSES: &[i64] = &[1, 3, 4, 5, 6, 9];

/// Open orders of one status from which on listing them is cheaper than reading them one by one: a page of
/// 100, or one request each.
const LIST_FROM: u64 = 2;

/// New orders, orders paid since, orders that can still change, and the walks the last run left in the middle.
pub(super) async fn plan_windows(context: &Arc<Context>) -> Result<Vec<Unit>, Stop> {
    let (account, stream) = (context.account.clone(), context.stream.name());
    let full = context.extent == Extent::Full;
    let (begun, created, paid, paid_from) = context
        .writer
        .call(move |warehouse| {
            if full {
                // Wanted again: if this run does not finish, the next one goes on.
                warehouse.forget_windows(&account, stream)?;
            }
            Ok((
                warehouse.open_walks(&account, stream)?,
                warehouse.covered_windows(&account, stream, Lane::Created)?,
                warehouse.covered_windows(&account, stream, Lane::Paid)?,
                warehouse.lane_start(&account, stream, Lane::Paid)?,
            ))
        })
        .await?;
    let end = context.horizon();
    let begun: Vec<(Scope, Walk)> = begun
        .into_iter()
        .filter(|(_, _, walk)| is_resumable(context, walk))
        .filter_map(|(scope, _, walk)| Some((Scope::parse(&scope)?, walk)))
        .collect();
    let begun_windows = |lane: Lane| -> Vec<Window> {
        let of_lane = begun.iter().filter(|(scope, _)| scope.lane() == Some(lane));
        of_lane.filter_map(|(scope, _)| scope.window()).collect()
    };
    let plan = |lane: Lane, start: UtcSecond, covered: &[Window]| {
        let known = Known { start, end, covered, begun: &begun_windows(lane) };
        plan::windows(known, context.job.overlap, context.job.window)
    };
    let is_first = created.is_empty();
    let new = plan(Lane::Created, context.history_start(), &created);
    let mut scopes = Vec::new();
    match paid_from {
        // Whatever is paid from now on is found by its payment time; what was paid before, the first load sees.
        None => begin_paid_lane(context, end.minus(context.job.overlap)).await?,
        Some(start) => scopes.extend(plan(Lane::Paid, start, &paid).into_iter().map(Scope::Paid)),
    }
    if !is_first {
        let newest = new.first().map_or(end, Window::begin);
        scopes.extend(plan_open_orders(context, newest).await?);
    }
    scopes.extend(new.into_iter().map(Scope::Created));
    let resumed = begun.into_iter().filter(|(scope, _)| scope.window().is_some());
    let resumed = resumed.map(|(scope, walk)| unit(scope, None, walk));
    let from_start = |scope: Scope| {
        let walk = Walk::start(context.stream.paging(&scope), 1);
        unit(scope, None, walk)
    };
    Ok(resumed.chain(scopes.into_iter().map(from_start)).collect())
}

/// Whether a walk that the last run left in the middle may go on where it is.
fn is_resumable(context: &Context, walk: &Walk) -> bool {
    match walk.cursor {
        Cursor::Keyset { .. } => true,
        Cursor::Offset(_) => {
            let oldest = context.client.now().minus(RESUMABLE).unix();
            walk.started_at.is_some_and(|started| started > oldest)
        }
    }
}

fn unit(scope: Scope, customer_id: Option<String>, walk: Walk) -> Unit {
    Unit { ask: Ask { scope, customer_id }, walk, generation: None }
}

/// How to look again at orders whose status can still change, created before `before`: by a list of their
/// status where that is cheaper, else one by one through the queue.
async fn plan_open_orders(context: &Arc<Context>, before: UtcSecond) -> Result<Vec<Scope>, Stop> {
    let (account, run) = (context.account.clone(), context.run);
    let lists = context
        .writer
        .call(move |warehouse| {
            let mut lists = Vec::new();
            for open in warehouse.open_orders(&account, before)? {
                match open.status {
                    Some(status) if open.count >= LIST_FROM && FILTERABLE_STATUSES.contains(&status) => {
                        lists.push(Scope::Status(status));
                    }
                    status => {
                        warehouse.enqueue_open_orders(&account, status, before, &HashSet::new(), run)?;
                    }
                }
            }
            Ok(lists)
        })
        .await?;
    Ok(lists)
}

/// The whole lists that are older than the job wants them; a partner's resources customer by customer.
pub(super) async fn plan_whole(context: &Arc<Context>) -> Result<Vec<Unit>, Stop> {
    let by_customer = context.names_customer();
    let (account, stream) = (context.account.clone(), context.stream.name());
    let oldest = context.client.now().minus(context.job.refresh);
    let full = context.extent == Extent::Full;
    let paging = context.stream.paging(&Scope::Whole);
    let walk_from = {
        let context = Arc::clone(context);
        move |begun: Option<Walk>| {
            let resumed = begun.filter(|walk| !full && is_resumable(&context, walk));
            resumed.unwrap_or_else(|| Walk::start(paging, 1))
        }
    };
    let units = context
        .writer
        .call(move |warehouse| {
            let customers = if by_customer {
                warehouse.known_customers(&account)?.into_iter().map(Some).collect()
            } else {
                vec![None]
            };
            let begun = warehouse.open_walks(&account, stream)?;
            let mut units = Vec::new();
            for customer in customers {
                let read_at = warehouse.last_whole_reading(&account, stream, customer.as_deref())?;
                if !full && read_at.is_some_and(|at| at > oldest) {
                    continue;
                }
                let name = customer.as_deref().unwrap_or_default();
                let whole = Scope::Whole.to_string();
                let resumed = begun.iter().find(|(scope, owner, _)| *scope == whole && owner == name);
                let walk = walk_from(resumed.map(|(_, _, walk)| walk.clone()));
                units.push(unit(Scope::Whole, customer, walk));
            }
            Ok(units)
        })
        .await?;
    Ok(units)
}

/// Payment times are read from here on.
async fn begin_paid_lane(context: &Context, start: UtcSecond) -> Result<(), WarehouseError> {
    let (account, stream, run) = (context.account.clone(), context.stream.name(), context.run);
    context
        .writer
        .call(move |warehouse| warehouse.set_lane_start(&account, stream, Lane::Paid, start, run))
        .await
}
