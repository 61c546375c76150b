//! Reads one unit, and does what follows from how it ended.

use super::slices;
use super::unit::{Unit, WalkEnd};
use super::walker::walk;
use crate::client::FetchError;
use crate::plan::open::OpenOrder;
use crate::record::Dependent;
use crate::retry::GaveUp;
use crate::run::context::JobContext;
use crate::run::outcome::JobStop;
use crate::scope::Scope;
use crate::walk::SeenKeys;
use crate::warehouse::{Requeue, WarehouseError};

/// Reads a unit to its end. A refusal is recorded where it concerns one customer.
pub(in crate::run) async fn read(context: &JobContext, unit: Unit) -> Result<WalkEnd, JobStop> {
    let ask = unit.ask.clone();
    let mut ended = walk(context, unit).await;
    if let Scope::Status(status) = ask.scope {
        return settle_status(context, status, ended).await;
    }
    if let (Ok(WalkEnd::InSlices(again)), Some(slicing)) = (&ended, context.stream.sliced_by()) {
        ended = slices::read(context, slicing, &ask, again.clone()).await;
    }
    if let (Err(JobStop::Fetch(error)), Some(customer)) = (&ended, &ask.customer_id)
        && is_refusal(error)
    {
        list_refused(context, customer, error).await?;
    }
    ended
}

/// Records that the vendor refuses a customer's list: it stands behind all others from now on.
async fn list_refused(
    context: &JobContext,
    customer: &str,
    error: &FetchError,
) -> Result<(), WarehouseError> {
    let (account, stream, run) = (context.account.clone(), context.stream.name(), context.run);
    let (customer, reason, at) = (customer.to_owned(), error.to_string(), context.client.now());
    context
        .writer
        .write(move |warehouse| warehouse.list_refused(&account, stream, &customer, &reason, at, run))
        .await
}

/// Whoever is not in the list of its status any more has changed, and is read by itself. Without such a list all of them
/// are: then nothing is left to find.
async fn settle_status(
    context: &JobContext,
    status: i64,
    ended: Result<WalkEnd, JobStop>,
) -> Result<WalkEnd, JobStop> {
    let (seen, reason) = match ended {
        Ok(WalkEnd::Complete(seen)) => (seen, None),
        Ok(WalkEnd::Disputed(reason)) => (SeenKeys::default(), Some(reason)),
        Err(JobStop::Fetch(error)) if is_refusal(&error) => (SeenKeys::default(), Some(error.to_string())),
        other => return other,
    };
    if let Some(reason) = reason {
        tracing::warn!(
            status,
            reason,
            "the list of the orders of a status proves nothing; those that are open are read one by one"
        );
    }
    look_for_departed(context, status, seen).await?;
    Ok(WalkEnd::Complete(SeenKeys::default()))
}

/// Queues the open orders that the list of their status did not show.
async fn look_for_departed(context: &JobContext, status: i64, seen: SeenKeys) -> Result<(), WarehouseError> {
    let (account, run) = (context.account.clone(), context.run);
    let before = context.wish().horizon();
    context
        .writer
        .write(move |warehouse| {
            let (mut departed, _) = warehouse.open_orders(&account, before)?;
            departed.retain(|order| order.status == Some(status) && !seen.holds(&order.id));
            let departed: Vec<Dependent> = departed.iter().map(OpenOrder::dependent).collect();
            warehouse.enqueue_all(&account, &departed, Requeue::Leave, run)
        })
        .await
}

/// Whether the vendor refuses what was asked for: the next may be answered. Whether each site knows each status filter is
/// not documented, and a customer may have left the partner.
pub(in crate::run) fn is_refusal(error: &FetchError) -> bool {
    match error {
        FetchError::Invalid { .. } | FetchError::NotFound { .. } | FetchError::Forbidden { .. } => true,
        FetchError::Credentials { .. }
        | FetchError::Clock { .. }
        | FetchError::NotARefundOrder { .. }
        | FetchError::Unsendable { .. }
        | FetchError::TooLarge { .. }
        | FetchError::Redirected { .. }
        | FetchError::Tls { .. }
        | FetchError::Unavailable { .. }
        | FetchError::DailyQuota { .. }
        | FetchError::Deadline { .. } => false,
    }
}

/// Whether what ended a walk may be the fault of its window or list: the next may be answered.
pub(in crate::run) fn concerns_one_unit(stop: &JobStop) -> bool {
    match stop {
        JobStop::BadBody { .. } => true,
        JobStop::Fetch(error) => match **error {
            FetchError::TooLarge { .. } => true,
            FetchError::Unavailable { gave_up, .. } => gave_up == GaveUp::Tries,
            _ => false,
        },
        _ => false,
    }
}
