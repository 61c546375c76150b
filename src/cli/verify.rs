//! `bss-sync verify`: proof on demand, and repair.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::choose::choose;
use super::common::{Common, Output};
use super::run;
use super::say::{say, say_json, table};
use super::watched::with_warehouse;
use crate::config::{Account, Config};
use crate::error::Failure;
use crate::run::{
    ComparedPart, Comparison, JobReport, OrdersCompared, Outcome, Verified, Verify, reads, repair, verify,
};
use crate::settings::duration;
use crate::time::{UtcSecond, Window};
use crate::warehouse::{OrderMember, OrderProof, UnprovenOrder};

/// Arguments of `bss-sync verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Accounts to verify; all when none is named
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// Read again what differs, ask for orders the vendor no longer shows by their ids, and compare again
    #[arg(long)]
    repair: bool,
    /// How long the comparison may take for each account, and each job of the repair, e.g. 10m
    #[arg(long, value_name = "DURATION", value_parser = |text: &str| duration(text))]
    deadline: Option<Duration>,
}

/// What came of the repair: the jobs that ran, and how everything compares now.
struct Repaired {
    jobs: Vec<JobReport>,
    after: Vec<Verified>,
}

// The warehouse is held as by a run: rows that a worker adds between the vendor's count and ours would be called
// differences, and the ledger shall say when it was verified.
pub(super) fn execute(args: &VerifyArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let order = Verify {
        jobs: config.jobs.iter().collect(),
        accounts: choose("account", &args.account, &config.accounts, |account: &Account| &account.name)?,
        deadline: args.deadline,
    };
    for account in &order.accounts {
        if !order.jobs.iter().any(|job| reads(job, account)) {
            let name = &account.name;
            return Err(Failure::Usage(format!("no job reads the account `{name}`: nothing to verify")));
        }
    }
    let (before, repaired) = with_warehouse(common, config, async |writer, progress, stop| {
        let before = verify(&order, writer, progress, stop.clone()).await?;
        let is_whole = |verified: &Verified| verified.stopped.is_none();
        let differs = |verified: &Verified| is_whole(verified) && verified.outcome != Outcome::Done;
        if !args.repair || !before.iter().any(differs) {
            return Ok((before, None));
        }
        let jobs = repair(&order, &before, writer, progress, stop.clone()).await?;
        let is_repaired = |account: &&Account| {
            before.iter().any(|verified| verified.account == account.name && is_whole(verified))
        };
        let accounts = order.accounts.iter().copied().filter(is_repaired).collect();
        let mut after = verify(&Verify { accounts, ..order.clone() }, writer, progress, stop).await?;
        after.extend(before.iter().filter(|verified| !is_whole(verified)).cloned());
        Ok((before, Some(Repaired { jobs, after })))
    })?;
    let left_out: Vec<&str> = before
        .iter()
        .filter(|verified| args.repair && verified.stopped.is_some())
        .map(|verified| verified.account.as_str())
        .collect();
    match common.output {
        Output::Json => say_json(&to_json(&before, repaired.as_ref(), &left_out)),
        Output::Text => say(&render(&before, repaired.as_ref(), &left_out)),
    }
    Ok(ended(&before, repaired.as_ref()).exit_code())
}

fn outcome(verified: &[Verified]) -> Outcome {
    verified.iter().map(|verified| verified.outcome).max().unwrap_or(Outcome::Done)
}

/// How the command ended: a repair after which everything agrees went well, whatever it found on its way.
fn ended(before: &[Verified], repaired: Option<&Repaired>) -> Outcome {
    let Some(Repaired { jobs, after }) = repaired else { return outcome(before) };
    match outcome(after) {
        Outcome::Done => Outcome::Done,
        left => jobs.iter().map(|report| report.outcome).fold(left, Outcome::max),
    }
}

fn render(before: &[Verified], repaired: Option<&Repaired>, left_out: &[&str]) -> String {
    let mut text = match repaired {
        Some(Repaired { jobs, after }) => format!(
            "before the repair:\n{}\n\n{}\n\nafter the repair:\n{}",
            comparison(before),
            run::render(jobs),
            comparison(after)
        ),
        None => comparison(before),
    };
    for account in left_out {
        text.push_str(&format!("\naccount {account} was not repaired: its comparison did not finish"));
    }
    text
}

/// What differs as a table, and a line for what agrees.
fn comparison(all: &[Verified]) -> String {
    let mut shown = table(&["ACCOUNT", "STREAM", "WHAT", "EXPECTED", "STORED", "DIFFERENCE", "WHY"]);
    let differs = |comparison: &&Comparison| !comparison.agrees();
    let mut text = String::new();
    for verified in all {
        for comparison in verified.comparisons.iter().filter(differs) {
            let or_dash = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
            shown.add_row([
                verified.account.clone(),
                comparison.stream.to_owned(),
                what(&comparison.part),
                or_dash(comparison.vendor.map(|number| number.to_string())),
                comparison.stored.to_string(),
                or_dash(comparison.difference().map(|number| format!("{number:+}"))),
                comparison.reasons.join("; "),
            ]);
        }
    }
    if all.iter().any(|verified| verified.comparisons.iter().any(|comparison| !comparison.agrees())) {
        text.push_str(&shown.to_string());
        text.push('\n');
    }
    for verified in all {
        text.push_str(&format!("{}: {}\n", verified.account, summary(verified)));
        for orders in &verified.orders {
            text.push_str(&unread(&verified.account, orders));
        }
        if let Some((reason, advice)) = &verified.stopped {
            text.push_str(&format!("{}: {reason}\n  {advice}\n", verified.account));
        }
    }
    text.trim_end().to_owned()
}

fn summary(verified: &Verified) -> String {
    let count = |is_kind: fn(&ComparedPart) -> bool| {
        let of_kind = verified.comparisons.iter().filter(|comparison| is_kind(&comparison.part));
        (of_kind.clone().filter(|comparison| comparison.agrees()).count(), of_kind.count())
    };
    let (months, all_months) = count(|part| matches!(part, ComparedPart::Month { .. }));
    let (lists, all_lists) = count(|part| matches!(part, ComparedPart::List { .. }));
    let line = |agree: usize, all: usize, what: &str| {
        if agree == all { format!("{all} {what} agree") } else { format!("{agree} of {all} {what} agree") }
    };
    let unlike: usize = verified.comparisons.iter().map(|comparison| unlike(&comparison.part)).sum();
    let read: u64 = verified.orders.iter().map(|orders| orders.complete).sum();
    let unlike = match (unlike, read) {
        (0, 0) => "nothing that belongs to orders was read yet".to_owned(),
        (0, _) => "of every order that was read the rows that were proven are stored".to_owned(),
        (unlike, _) => format!("of {unlike} order(s) other rows are stored than were proven"),
    };
    let requests = verified.requests.requests;
    let unanswered = match verified.unanswered {
        0 => String::new(),
        unanswered => format!(", {unanswered} month(s) or list(s) not compared"),
    };
    format!(
        "{}, {}{unanswered}; {unlike}; {requests} request(s)",
        line(months, all_months, "month(s)"),
        line(lists, all_lists, "list(s)")
    )
}

fn what(part: &ComparedPart) -> String {
    match part {
        ComparedPart::Month { month, asked } => format!("{month}{}", moved(*asked)),
        ComparedPart::List { customer_id: Some(customer) } => format!("customer {customer}"),
        ComparedPart::List { customer_id: None } => "whole list".to_owned(),
        ComparedPart::Dependents { month, orders } => {
            let month = month.as_deref().unwrap_or("month unknown");
            format!("{month}, {} order(s)", orders.len())
        }
        ComparedPart::Members { month, orders } => {
            let month = month.as_deref().unwrap_or("month unknown");
            format!("{month}, {} member(s) of combined orders", orders.len())
        }
    }
}

/// Where the counted time begins or ends elsewhere than the month: at the ends of the history, and where an order is so near
/// to the month's edge that it depends on the vendor's bounds whether it is counted.
fn moved(asked: Window) -> String {
    let is_edge = |at: UtcSecond| at.plus(-1).billing_month().1 == at;
    let mut text = String::new();
    if !is_edge(asked.begin().plus(1)) {
        text.push_str(&format!(" from {}", asked.begin()));
    }
    if !is_edge(asked.end()) {
        text.push_str(&format!(" to {}", asked.end()));
    }
    text
}

/// Orders of which other rows are stored than were proven.
fn unlike(part: &ComparedPart) -> usize {
    match part {
        ComparedPart::Dependents { orders, .. } => {
            orders.iter().filter(|order| order.proven().is_some()).count()
        }
        ComparedPart::Month { .. } | ComparedPart::List { .. } | ComparedPart::Members { .. } => 0,
    }
}

/// A line about what of a stream was not compared because it is not proven; empty if there is nothing.
fn unread(account: &str, orders: &OrdersCompared) -> String {
    let OrdersCompared { stream, queued, disputed, never_read, .. } = *orders;
    let mut parts = Vec::new();
    if queued > 0 {
        parts.push(format!("{queued} order(s) wait in the queue and are not compared: run first"));
    }
    if disputed > 0 {
        parts.push(format!("{disputed} order(s) are disputed"));
    }
    if never_read > 0 {
        parts.push(format!("{never_read} order(s) were never read and do not wait in the queue"));
    }
    if parts.is_empty() { String::new() } else { format!("{account} {stream}: {}\n", parts.join("; ")) }
}

fn to_json(before: &[Verified], repaired: Option<&Repaired>, left_out: &[&str]) -> Value {
    let all = |verified: &[Verified]| verified.iter().map(verified_to_json).collect::<Vec<_>>();
    let now = repaired.map_or(before, |repaired| &repaired.after);
    json!({
        "outcome": ended(before, repaired).as_str(),
        "exit_code": ended(before, repaired).exit_code(),
        "accounts": all(now),
        "not_repaired": left_out,
        "before": repaired.map(|_| all(before)),
        "repair": repaired.map(|repaired| repaired.jobs.iter().map(run::to_json).collect::<Vec<_>>()),
    })
}

fn verified_to_json(verified: &Verified) -> Value {
    let (mut months, mut lists, mut dependents, mut members) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for comparison in &verified.comparisons {
        let mut entry = json!({
            "stream": comparison.stream,
            "stored": comparison.stored,
            "difference": comparison.difference(),
            "agrees": comparison.agrees(),
            "reasons": comparison.reasons,
        });
        // Nobody asks the vendor for what belongs to orders.
        let expected = match &comparison.part {
            ComparedPart::Month { .. } | ComparedPart::List { .. } => "vendor",
            ComparedPart::Dependents { .. } => "proven",
            ComparedPart::Members { .. } => "expected",
        };
        entry[expected] = json!(comparison.vendor);
        match &comparison.part {
            ComparedPart::Month { month, asked } => {
                entry["month"] = json!(month);
                entry["asked_from"] = json!(asked.begin().to_string());
                entry["asked_to"] = json!(asked.end().to_string());
                entry["stored_on_edge"] = json!(comparison.on_edge);
                months.push(entry);
            }
            ComparedPart::List { customer_id } => {
                entry["customer_id"] = json!(customer_id);
                lists.push(entry);
            }
            ComparedPart::Dependents { month, orders: unlike } => {
                entry["month"] = json!(month);
                let order = |order: &UnprovenOrder| json!({ "order_id": order.parent_id, "proof": proof(order), "proven": order.proven(), "stored": order.stored });
                entry["orders"] = unlike.iter().map(order).collect();
                dependents.push(entry);
            }
            ComparedPart::Members { month, orders } => {
                entry["month"] = json!(month);
                let member = |member: &OrderMember| json!({ "order_id": member.order_id, "combined_order_id": member.parent_id });
                entry["orders"] = orders.iter().map(member).collect();
                members.push(entry);
            }
        }
    }
    json!({
        "account": verified.account,
        "outcome": verified.outcome.as_str(),
        "reason": verified.stopped.as_ref().map(|(reason, _)| reason),
        "advice": verified.stopped.as_ref().map(|(_, advice)| advice),
        "not_compared": verified.unanswered,
        "requests": verified.requests.requests,
        "throttled": verified.requests.throttled,
        "months": months,
        "lists": lists,
        "dependents": dependents,
        "members": members,
        "orders": verified.orders.iter().map(orders_to_json).collect::<Vec<_>>(),
    })
}

fn orders_to_json(orders: &OrdersCompared) -> Value {
    json!({
        "stream": orders.stream,
        "complete": orders.complete,
        "queued": orders.queued,
        "disputed": orders.disputed,
        "never_read": orders.never_read,
    })
}

const fn proof(order: &UnprovenOrder) -> &'static str {
    match order.proof {
        OrderProof::Complete(_) => "complete",
        OrderProof::Disputed => "disputed",
        OrderProof::NeverRead => "never read",
    }
}
