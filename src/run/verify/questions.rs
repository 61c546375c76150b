//! What is asked, and what the warehouse knows beside it.

use std::sync::Arc;

use super::comparison::{ComparedPart, Comparison, OrdersCompared};
use crate::plan::{self, edges};
use crate::run::context::JobContext;
use crate::scope::{Ask, Lane, Scope};
use crate::stream::{self, Reading, Stream, StreamKind};
use crate::time::{UtcSecond, Window};
use crate::walk::Cursor;
use crate::warehouse::{OrderMember, OrderProof, UnprovenOrder, Warehouse, WarehouseError};

/// Members that a reason names; JSON has all of them.
const MEMBERS_NAMED: usize = 5;

/// One request, and what its answer is compared with.
pub(super) struct CountQuestion {
    pub(super) context: Arc<JobContext>,
    pub(super) ask: Ask,
    pub(super) cursor: Cursor,
    /// Without the vendor's number.
    pub(super) comparison: Comparison,
}

/// The questions about one stream.
pub(super) fn of(
    context: &Arc<JobContext>,
    warehouse: &Warehouse,
) -> Result<Vec<CountQuestion>, WarehouseError> {
    let reading = context.stream.reading();
    let mut questions = Vec::new();
    if reading == Reading::Windows {
        questions.extend(months(context, warehouse)?);
    }
    if reading.reads_whole() {
        questions.extend(lists(context, warehouse)?);
    }
    Ok(questions)
}

fn months(context: &Arc<JobContext>, warehouse: &Warehouse) -> Result<Vec<CountQuestion>, WarehouseError> {
    let account = context.account.as_str();
    let start = UtcSecond::midnight(context.job.history_start);
    let end = context.client.now().minus(context.job.settle);
    let months = plan::months(start, end);
    let mut at = Vec::with_capacity(months.len() + 1);
    // The first window begins where the history does: nothing before it is counted that could be counted twice.
    at.push(start.plus(1));
    for (_, month) in months.iter().skip(1) {
        let begin = month.begin();
        let near = warehouse.order_times(account, begin.plus(-1), begin.plus(edges::REACH + 1))?;
        at.push(edges::at_or_after(begin, &near));
    }
    let near = warehouse.order_times(account, end.plus(-edges::REACH - 1), end.plus(1))?;
    at.push(edges::at_or_before(end, &near));
    let mut questions = Vec::with_capacity(months.len());
    for edges::Asked { month, window } in edges::asked(months, &at) {
        let (from, to) = (window.begin(), window.end());
        let stored = warehouse.count_orders(account, from.plus(1), to, None)?;
        let most = warehouse.count_orders(account, from, to.plus(1), None)?;
        questions.push(CountQuestion {
            context: Arc::clone(context),
            ask: Ask { scope: Scope::Created(window), customer_id: None },
            cursor: Cursor::keyset(from.unix(), Vec::new()),
            comparison: Comparison {
                stream: context.stream.name(),
                part: ComparedPart::Month { month, asked: window },
                vendor: None,
                stored,
                on_edge: most.saturating_sub(stored),
                reasons: Vec::new(),
            },
        });
    }
    Ok(questions)
}

fn lists(context: &Arc<JobContext>, warehouse: &Warehouse) -> Result<Vec<CountQuestion>, WarehouseError> {
    let (account, stream) = (context.account.as_str(), context.stream);
    let customers = if context.names_customer() {
        let customers = warehouse.customers_by_expected_change(account, stream.name())?;
        customers.into_iter().map(|customer| Some(customer.id)).collect()
    } else {
        vec![None]
    };
    let mut questions = Vec::with_capacity(customers.len());
    for customer_id in customers {
        questions.push(CountQuestion {
            context: Arc::clone(context),
            ask: Ask { scope: Scope::Whole, customer_id: customer_id.clone() },
            cursor: Cursor::Offset(0),
            comparison: Comparison {
                stream: stream.name(),
                stored: warehouse.count_list(account, stream, customer_id.as_deref())?,
                part: ComparedPart::List { customer_id },
                vendor: None,
                on_edge: 0,
                reasons: Vec::new(),
            },
        });
    }
    Ok(questions)
}

/// Adds why a comparison differs, as far as the warehouse can tell.
pub(super) fn explain(
    context: &JobContext,
    warehouse: &Warehouse,
    comparison: &mut Comparison,
) -> Result<(), WarehouseError> {
    let Some(difference) = comparison.difference() else { return Ok(()) };
    let (account, stream) = (context.account.as_str(), context.stream);
    let missing = if difference < 0 { difference.unsigned_abs() } else { 0 };
    let created = match &comparison.part {
        ComparedPart::Month { asked, .. } => Some((asked.begin(), asked.end())),
        ComparedPart::List { .. } | ComparedPart::Dependents { .. } | ComparedPart::Members { .. } => None,
    };
    let undecoded =
        if missing > 0 { warehouse.count_undecoded_missing(account, stream.name(), created)? } else { 0 };
    if undecoded > 0 && undecoded == missing {
        comparison.reasons.push(format!("{undecoded} row(s) that could not be decoded: table quarantine"));
        return Ok(());
    }
    match &comparison.part {
        ComparedPart::Month { asked, .. } if missing > 0 => {
            let covered = warehouse.covered_windows(account, stream.name(), Lane::Created)?;
            // The second before the month only makes the windows overlap.
            let inner = Window::new(asked.begin().plus(1), asked.end());
            if let Some(gap) = inner.and_then(|inner| inner.minus(&covered).first().copied()) {
                comparison.reasons.push(format!("not read yet from {} to {}", gap.begin(), gap.end()));
            }
        }
        ComparedPart::Month { .. } if difference > 0 => comparison.reasons.push(
            "the vendor shows fewer orders than are stored: --repair asks for each missing one by its id and marks it \
             as gone when it is not shown"
                .to_owned(),
        ),
        ComparedPart::List { .. } if difference > 0 => comparison.reasons.push(
            "the vendor shows fewer rows than are stored: a row is marked as gone when two whole readings do not show it"
                .to_owned(),
        ),
        ComparedPart::Month { .. } | ComparedPart::List { .. } | ComparedPart::Dependents { .. } | ComparedPart::Members { .. } => {}
    }
    Ok(())
}

/// Says where two neighbouring months may differ by one and the same order: their windows share a second, and both may
/// count what is in it.
pub(super) fn name_shared_seconds(comparisons: &mut [Comparison]) {
    for at in 1..comparisons.len() {
        let (before, behind) = comparisons.split_at_mut(at);
        let (Some(one), Some(other)) = (before.last_mut(), behind.first_mut()) else { continue };
        let (ComparedPart::Month { month, .. }, ComparedPart::Month { month: next, .. }) =
            (&one.part, &other.part)
        else {
            continue;
        };
        let (Some(a), Some(b)) = (one.difference(), other.difference()) else { continue };
        if one.stream == other.stream && a.signum() * b.signum() == 1 && a.abs().min(b.abs()) == 1 {
            let reason = format!("it may be one order, in the seconds where {month} and {next} meet");
            one.reasons.push(reason.clone());
            other.reasons.push(reason);
        }
    }
}

/// What belongs to orders and is not what was proven, is disputed or was never read, month by month, and how much was
/// read; nothing for streams of their own.
pub(super) fn dependents(
    context: &JobContext,
    warehouse: &Warehouse,
) -> Result<(Vec<Comparison>, Option<OrdersCompared>), WarehouseError> {
    let (account, stream) = (context.account.as_str(), context.stream);
    if !stream.reading().is_by_order() {
        return Ok((Vec::new(), None));
    }
    let mut unlike = warehouse.unlike_their_proof(account, stream)?;
    unlike.extend(warehouse.disputed_orders(account, stream.name())?);
    unlike.extend(warehouse.orders_never_read(account, stream)?);
    unlike.sort_by(|a, b| (a.created, &a.parent_id).cmp(&(b.created, &b.parent_id)));
    let read = warehouse.orders_read(account, stream.name(), context.client.now())?;
    let count = |proof: OrderProof| unlike.iter().filter(|order| order.proof == proof).count() as u64;
    let orders = OrdersCompared {
        stream: stream.name(),
        complete: read.complete,
        queued: read.queued,
        disputed: count(OrderProof::Disputed),
        never_read: count(OrderProof::NeverRead),
    };
    let month_of = |order: &UnprovenOrder| order.created.map(|created| created.billing_month().0);
    let comparisons = unlike
        .chunk_by(|a, b| month_of(a) == month_of(b))
        .map(|orders| {
            let proven: Vec<u64> = orders.iter().filter_map(UnprovenOrder::proven).collect();
            Comparison {
                stream: stream.name(),
                part: ComparedPart::Dependents {
                    month: orders.first().and_then(month_of),
                    orders: orders.to_vec(),
                },
                vendor: (!proven.is_empty()).then(|| proven.iter().sum()),
                stored: orders.iter().map(|order| order.stored).sum(),
                on_edge: 0,
                reasons: unproven(orders),
            }
        })
        .collect();
    Ok((comparisons, Some(orders)))
}

/// Says of how many orders nothing is proven, and what to do.
fn unproven(orders: &[UnprovenOrder]) -> Vec<String> {
    let count = |proof: OrderProof| orders.iter().filter(|order| order.proof == proof).count();
    let mut reasons = Vec::new();
    let (disputed, never_read) = (count(OrderProof::Disputed), count(OrderProof::NeverRead));
    if disputed > 0 {
        reasons.push(format!("{disputed} order(s) could not be proven complete: view disputes"));
    }
    if never_read > 0 {
        reasons.push(format!(
            "{never_read} order(s) were never read and do not wait in the queue: --repair reads them"
        ));
    }
    reasons
}

/// Members of combined orders that either the order list's table or that of the details lacks, month by month; the
/// stream that reads the details looks.
pub(super) fn members(
    context: &JobContext,
    warehouse: &Warehouse,
) -> Result<Vec<Comparison>, WarehouseError> {
    if !matches!(context.stream.spec().kind, StreamKind::OrderDetails) {
        return Ok(Vec::new());
    }
    let (orders, details) = (stream::orders(), context.stream);
    let lacking = [
        (orders, details, warehouse.members_not_in_orders(&context.account)?),
        (details, orders, warehouse.members_not_in_details(&context.account)?),
    ];
    let month_of = |member: &OrderMember| member.created.map(|created| created.billing_month().0);
    let of_month = |lacks: &dyn Stream, has: &dyn Stream, members: &[OrderMember]| Comparison {
        stream: lacks.name(),
        part: ComparedPart::Members { month: members.first().and_then(month_of), orders: members.to_vec() },
        vendor: Some(members.len() as u64),
        stored: 0,
        on_edge: 0,
        reasons: vec![missing(lacks, has, members)],
    };
    Ok(lacking
        .iter()
        .flat_map(|(lacks, has, members)| {
            let months = members.chunk_by(|a, b| month_of(a) == month_of(b));
            months.map(|members| of_month(*lacks, *has, members))
        })
        .collect())
}

/// Says which members are missing from where.
fn missing(lacks: &dyn Stream, has: &dyn Stream, members: &[OrderMember]) -> String {
    let table = |stream: &dyn Stream| stream.tables().first().map_or("", |table| table.name);
    let ids: Vec<&str> = members.iter().take(MEMBERS_NAMED).map(|member| member.order_id.as_str()).collect();
    let more = match members.len().saturating_sub(MEMBERS_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("in the table {} and not in {}: {}{more}", table(has), table(lacks), ids.join(", "))
}
