//! Whether a credential is what the configuration says, and whether it is shown the discounts: found out, not believed.

use super::line::{CheckFault, CheckLine};
use super::questions::ProbeReply;
use crate::client::FetchError;
use crate::page::Page;
use crate::record::{Record, Table};
use crate::scope::Role;

/// What came of all other questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// One of them was answered.
    Answered,
    /// None was.
    NothingAnswered,
}

/// Judges the role by the list of a partner's customers, which only partners are shown (vendor-contract.md §4). Whether
/// anything else was answered tells a refusal that is about the role from one that is about everything.
pub(super) fn role(configured: Role, customers: &ProbeReply, elsewhere: Elsewhere) -> CheckLine {
    const WHAT: &str = "role";
    let shown = match customers {
        ProbeReply::Seen(seen) => seen.rows(),
        ProbeReply::Refused(error) if matches!(**error, FetchError::Forbidden { .. }) => {
            return refused(WHAT, configured, error, elsewhere);
        }
        ProbeReply::Refused(error) => {
            return CheckLine::not_checked(
                WHAT,
                format!("a partner's list of customers gave no answer: {error}"),
            );
        }
        ProbeReply::Odd(reason) => {
            return CheckLine::not_checked(WHAT, format!("a partner's list of customers: {reason}"));
        }
        ProbeReply::Unasked(why) => return CheckLine::not_checked(WHAT, *why),
    };
    match (configured, shown) {
        (Role::Partner, 0) => CheckLine::warning(
            WHAT,
            "a partner without a single customer, and with the wrong key lists are empty as well",
            "check that the key is the one of the partner who has the customers",
        ),
        (Role::Partner, count) => CheckLine::fine(WHAT, format!("partner with {count} customer(s)")),
        (Role::Customer, 0) => CheckLine::warning(
            WHAT,
            "configured as customer, and a partner's list of customers is answered, without rows: it may be a partner's key",
            "check whose key it is: a partner's is shown nothing where it asks as a customer, without an error",
        ),
        (Role::Customer, count) => CheckLine::failed(
            WHAT,
            CheckFault::Refused,
            format!("configured as customer, but it is a partner's key: it is shown {count} customer(s)"),
            "write role = \"partner\", or use a key of the customer's own account",
        ),
    }
}

fn refused(what: &str, configured: Role, error: &FetchError, elsewhere: Elsewhere) -> CheckLine {
    match (configured, elsewhere) {
        (Role::Customer, Elsewhere::Answered) => {
            CheckLine::fine(what, "customer: a partner's list of customers is refused, as it should be")
        }
        (Role::Customer, Elsewhere::NothingAnswered) => {
            CheckLine::not_checked(what, "the vendor refuses everything, which says nothing about the role")
        }
        (Role::Partner, _) => CheckLine::failed(
            what,
            CheckFault::Refused,
            format!("configured as partner, but the list of its customers is refused: {error}"),
            "write role = \"customer\" if the key is a customer's; else give its user BPC_ITEM_SUBCUSTSERV_010100",
        ),
    }
}

/// Judges by orders that cost less than their official price whether the discounts are shown that made them cheaper.
/// `stored` says of how many of the newest ones they are, and how many there are; where none is stored, the orders that
/// were just listed speak, which have theirs in the child table that is named.
pub(super) fn discounts(stored: (u64, u64), listed: Option<(&Page, &Table)>) -> CheckLine {
    const WHAT: &str = "discounts";
    let ((shown, all), which) = match listed {
        Some((page, table)) if stored.1 == 0 => (count_discounts(page, table), "listed"),
        Some(_) | None => (stored, "stored"),
    };
    match (shown, all) {
        (_, 0) => CheckLine::not_checked(
            WHAT,
            "it cannot be proven that they are shown: no order is known that cost less than its official price",
        ),
        (0, all) => CheckLine::warning(
            WHAT,
            format!(
                "{all} {which} order(s) cost less than their official price, and none says by which discount"
            ),
            "give the key's user bss:discount:view, or billing:contract:viewDiscount with identity policies: without it the vendor leaves discounts out, and no error says so",
        ),
        (shown, all) => CheckLine::fine(
            WHAT,
            format!("{shown} of {all} {which} order(s) below the official price name theirs"),
        ),
    }
}

/// How many orders below their official price name a discount, and how many there are.
fn count_discounts(page: &Page, discounts: &Table) -> (u64, u64) {
    let is_cheaper = |order: &&Record| {
        let amounts = (order.integer("official_amount_e8"), order.integer("amount_after_discount_e8"));
        matches!(amounts, (Some(official), Some(after)) if official > after)
    };
    let names_discounts = |order: &Record| {
        let lists = order.table.children.iter().zip(&order.children);
        lists.into_iter().any(|(list, rows)| list.table.name == discounts.name && !rows.is_empty())
    };
    let cheaper = page.records.iter().filter(is_cheaper);
    cheaper.fold((0, 0), |(shown, all), order| (shown + u64::from(names_discounts(order)), all + 1))
}
