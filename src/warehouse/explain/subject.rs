//! What an id stands for.

use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// An order, a refund order included.
    Order,
    /// A yearly/monthly resource.
    Resource,
    /// A customer.
    Customer,
}

impl SubjectKind {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Resource => "resource",
            Self::Customer => "customer",
        }
    }
}

/// Something that can be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) account: String,
    pub(super) kind: SubjectKind,
    pub(super) id: String,
    pub(super) found_by: Option<&'static str>,
}

/// Where an id is looked for, best first: what it leads to, how, and the query for the ids in an account (?1) that the
/// spellings (?2) lead to. An order's ids are treated as if case did not matter (vendor-contract.md §7.1).
const PLACES: &[(SubjectKind, Option<&str>, &str)] = &[
    (SubjectKind::Order, None, "select order_id from orders where account = ?1 and order_id in (select value from json_each(?2))"),
    (
        SubjectKind::Order,
        Some("one of its order lines"),
        "select coalesce(nullif(order_id, ''), requested_order_id) from order_lines
         where account = ?1 and order_line_item_id in (select value from json_each(?2))",
    ),
    (
        SubjectKind::Order,
        Some("one of its refund attributions"),
        "select refund_order_id from refund_attributions where account = ?1 and id in (select value from json_each(?2))",
    ),
    (
        SubjectKind::Resource,
        None,
        "select resource_id from resources where account = ?1 and resource_id in (select value from json_each(?2))",
    ),
    (
        SubjectKind::Resource,
        Some("its internal id"),
        "select resource_id from resources where account = ?1 and id in (select value from json_each(?2))",
    ),
    (
        SubjectKind::Customer,
        None,
        "select customer_id from sub_customers where account = ?1 and customer_id in (select value from json_each(?2))
         union
         select * from (
             select customer_id from orders where account = ?1 and customer_id in (select value from json_each(?2)) limit 1
         )",
    ),
    (
        SubjectKind::Order,
        Some("rows that name it; the order itself is not stored"),
        "select base_order_id from refund_attributions
         where account = ?1 and base_order_id in (select value from json_each(?2))
         union
         select order_id from order_resources where account = ?1 and order_id in (select value from json_each(?2))
         union
         select order_id from order_details where account = ?1 and order_id in (select value from json_each(?2))
         union
         select parent_order_id from orders where account = ?1 and parent_order_id in (select value from json_each(?2))",
    ),
    (
        SubjectKind::Resource,
        Some("orders that name it; the resource itself is not stored"),
        "select resource_id from order_resources where account = ?1 and resource_id in (select value from json_each(?2))
         union
         select parent_resource_id from resources where account = ?1 and parent_resource_id in (select value from json_each(?2))",
    ),
];

impl Warehouse {
    /// Whatever has the id, in the order of the accounts. One that is found as what it is, is not found again by what names
    /// it.
    pub(super) fn subjects(&self, id: &str, accounts: &[String]) -> Result<Vec<Subject>, WarehouseError> {
        let spellings =
            serde_json::Value::from(vec![id.to_owned(), id.to_uppercase(), id.to_lowercase()]).to_string();
        let mut subjects: Vec<Subject> = Vec::new();
        for account in self.known_runs()?.accounts {
            if !accounts.is_empty() && !accounts.contains(&account) {
                continue;
            }
            for &(kind, found_by, sql) in PLACES {
                let found: Vec<String> = self.read(sql, [&account, &spellings], |row| row.get(0))?;
                for id in found {
                    let is_known =
                        |known: &Subject| (&known.account, known.kind, &known.id) == (&account, kind, &id);
                    if !subjects.iter().any(is_known) {
                        subjects.push(Subject { account: account.clone(), kind, id, found_by });
                    }
                }
            }
        }
        Ok(subjects)
    }
}
