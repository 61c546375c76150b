//! What each endpoint answers: filters, order of rows, pages.

use std::borrow::Cow;

use serde_json::Value;

use super::ask::{Body, Invalid, Paging, Query, STRICT, one_of};
use super::catalogue::SERVICES;
use super::dice::mix;
use super::truth::{Bilingual, Resource, Scope, Truth, at};

/// Which bounds of the order windows belong to them; the contract does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    Inclusive,
    ExclusiveEnd,
    ExclusiveBegin,
}

impl Bounds {
    /// Whether a window that begins at `from` holds `time`, as far as its begin is concerned.
    pub const fn holds(self, from: i64, time: i64) -> bool {
        from < time || from == time && !matches!(self, Self::ExclusiveBegin)
    }

    /// Whether `time` comes before the end of a window.
    pub const fn ends(self, time: i64, to: i64) -> bool {
        time < to || time == to && !matches!(self, Self::ExclusiveEnd)
    }
}

/// Whether rows without a documented order come in the same order in every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOrder {
    Stable,
    Shuffled,
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Customer,
    Partner,
}

/// The circumstances of one call.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub role: Role,
    pub bounds: Bounds,
    pub row_order: RowOrder,
    /// Order of orders of one second in lists that are sorted by creation.
    pub ties: RowOrder,
    pub language: &'a str,
    /// Number of the call, the seed of its shuffles.
    pub number: u64,
    /// So many rows instead of the limit asked for.
    pub at_most: Option<usize>,
}

impl Call<'_> {
    /// The part that is served of the one asked for.
    pub fn unlimited(&self, paging: Paging) -> Paging {
        Paging { limit: self.at_most.unwrap_or(paging.limit), ..paging }
    }
}

/// One page before it becomes text, so that a fault can bend it.
#[derive(Clone, Debug)]
pub struct Page {
    pub total_field: &'static str,
    pub total: i64,
    pub rows_field: &'static str,
    pub rows: Vec<String>,
    /// A field besides the rows.
    pub extra: Option<(&'static str, String)>,
}

/// A refusal of the business layer.
#[derive(Debug)]
pub enum Refused {
    Invalid(String),
    NotARefund,
    UnknownReseller,
    Denied,
}

impl From<Invalid> for Refused {
    fn from(Invalid(why): Invalid) -> Self {
        Self::Invalid(why)
    }
}

pub type Answer = Result<Page, Refused>;

/// Largest 32-bit number, the vendor's "max integer".
pub const MAX_INT: i64 = i32::MAX as i64;

pub fn total(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Positions of one page in a list that every call sees in another order.
struct Shuffle {
    count: usize,
    step: usize,
    first: usize,
}

impl Shuffle {
    fn new(count: usize, seed: u64) -> Self {
        let small = |number: u64| usize::try_from(number % count.max(1) as u64).unwrap_or(0);
        let mut step = small(mix(seed)).max(1);
        while gcd(step, count.max(1)) != 1 {
            step += 1;
        }
        Self { count, step, first: small(mix(seed ^ 1)) }
    }

    fn position(&self, index: usize) -> usize {
        (self.first + index * self.step) % self.count.max(1)
    }
}

const fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn paged<T: Copy>(rows: &[T], paging: Paging) -> Vec<T> {
    rows.iter().skip(paging.offset).take(paging.limit).copied().collect()
}

pub fn page_in<T: Copy>(rows: &[T], paging: Paging, order: RowOrder, seed: u64) -> Vec<T> {
    if order == RowOrder::Stable {
        return paged(rows, paging);
    }
    let shuffle = Shuffle::new(rows.len(), seed);
    let end = paging.offset.saturating_add(paging.limit).min(rows.len());
    (paging.offset..end).map(|index| rows[shuffle.position(index)]).collect()
}

impl Truth {
    fn visible(&self, call: &Call<'_>, id: &str, reseller: Option<u32>) -> Result<u32, Refused> {
        let may_see = |customer: u32| match call.role {
            Role::Customer => customer == 0,
            Role::Partner => self.shown(customer, reseller),
        };
        self.order(id)
            .filter(|&n| may_see(self.orders[at(n)].customer))
            .ok_or_else(|| Refused::Invalid(String::from("Parameter error: unknown order.")))
    }

    pub fn order_details(&self, call: &Call<'_>, id: &str, query: &str) -> Answer {
        let mut query = Query::parse(query)?;
        let reseller = query.text("indirect_partner_id", STRICT, 64)?;
        let paging = call.unlimited(query.paging(100, MAX_INT)?);
        query.finish()?;
        let reseller = self.asked_reseller(call, reseller.as_deref())?;
        let number = self.visible(call, id, reseller)?;
        let count = self.line_count(number);
        let end = paging.offset.saturating_add(paging.limit).min(count);
        let rows = paging.offset.min(end)..end;
        Ok(Page {
            total_field: "total_count",
            total: total(count),
            rows_field: "order_line_items",
            rows: rows.map(|line| self.line_json(number, line, call.language)).collect(),
            extra: Some(("order_info", self.info_json(number, call.language))),
        })
    }

    pub fn refund_orders(&self, call: &Call<'_>, query: &str) -> Answer {
        let missing = |name: &str| Refused::Invalid(format!("Parameter error: {name} is missing."));
        let mut query = Query::parse(query)?;
        let id = query.text("order_id", STRICT, 64)?.ok_or_else(|| missing("order_id"))?;
        let customer = query.text("customer_id", STRICT, 64)?;
        let reseller = query.text("indirect_partner_id", STRICT, 64)?;
        query.finish()?;
        let reseller = self.asked_reseller(call, reseller.as_deref())?;
        let number = self.visible(call, &id, reseller)?;
        if call.role == Role::Partner {
            let customer = customer.ok_or_else(|| missing("customer_id"))?;
            if self.customer(&customer) != Some(self.orders[at(number)].customer) {
                return Err(Refused::Invalid("Parameter error: unknown order.".into()));
            }
        }
        if !self.is_refund(number) {
            return Err(Refused::NotARefund);
        }
        let rows = self.refund_rows(number);
        Ok(Page {
            total_field: "total_count",
            total: total(rows.len()),
            rows_field: "refund_infos",
            rows,
            extra: None,
        })
    }

    pub fn list_resources(&self, call: &Call<'_>, body: &[u8]) -> Answer {
        let mut body = Body::parse(body)?;
        let ids = body.list("resource_ids", 50)?;
        let order_id = body.text("order_id", 64)?.filter(|id| !id.is_empty());
        let main_only = body.int("only_main_resource")?;
        one_of("only_main_resource", main_only.as_ref(), &[0, 1])?;
        let statuses = body.list("status_list", 10)?;
        for status in &statuses {
            one_of("status_list", status.as_i64().or(Some(-1)).as_ref(), &[2, 3, 4, 5])?;
        }
        let expire = (body.time("expire_time_begin")?, body.time("expire_time_end")?);
        if let (Some(begin), Some(end)) = expire
            && begin > end
        {
            return Err(Refused::Invalid("Parameter error: expire_time_begin is late.".into()));
        }
        let service = body.filled("service_type_code", 64)?;
        let customer = body.text("customer_id", 64)?.filter(|id| !id.is_empty());
        let paging = call.unlimited(body.paging(500, MAX_INT)?);
        body.finish()?;
        let ids: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
        let scope = match (call.role, customer) {
            (Role::Customer, _) => Some(Scope::Own),
            // The trap: no error, no data.
            (Role::Partner, None) => None,
            (Role::Partner, Some(id)) => Some(Scope::Customer(id)),
        };
        let names_attached =
            ids.iter().filter_map(|id| self.resource_ids.get(*id)).any(|&n| !self.resources[at(n)].main);
        let matches = |row: &Resource| {
            (statuses.is_empty() || statuses.contains(&Value::from(row.status)))
                && (main_only != Some(1) || names_attached || row.main)
                && expire.0.is_none_or(|begin| row.expire >= begin)
                && expire.1.is_none_or(|end| row.expire <= end)
                && service.as_ref().is_none_or(|want| want.eq_ignore_ascii_case(resource_service(row)))
        };
        let owner = scope.and_then(|scope| match scope {
            // The query has no word for resellers, so it finds nothing of their customers.
            Scope::Customer(id) => self.customer(&id).filter(|&customer| self.shown(customer, None)),
            _ => Some(0),
        });
        let index = owner.map_or(&[][..], |owner| &self.own[at(owner)].resources);
        let unfiltered = statuses.is_empty() && main_only != Some(1) && service.is_none();
        let found: Cow<'_, [u32]> = if let Some(id) = &order_id {
            let linked = self.order(id).map(|number| self.linked(number)).unwrap_or_default();
            let named = |n: &u32| ids.is_empty() || ids.contains(&&*self.resources[at(*n)].id);
            let mine = |n: &u32| Some(self.resources[at(*n)].customer) == owner;
            let linked = linked.into_iter().filter(|n| named(n) && mine(n));
            linked.filter(|&n| matches(&self.resources[at(n)])).collect()
        } else if ids.is_empty() && unfiltered && expire == (None, None) {
            Cow::Borrowed(index)
        } else if ids.is_empty() {
            index.iter().copied().filter(|&n| matches(&self.resources[at(n)])).collect()
        } else {
            let named = ids.iter().filter_map(|id| self.resource_ids.get(*id).copied());
            let mine = |n: &u32| Some(self.resources[at(*n)].customer) == owner;
            named.filter(mine).filter(|&n| matches(&self.resources[at(n)])).collect()
        };
        let rows = page_in(&found, paging, call.row_order, call.number);
        Ok(Page {
            total_field: "total_count",
            total: total(found.len()),
            rows_field: "data",
            rows: rows.into_iter().map(|number| self.resource_json(number)).collect(),
            extra: None,
        })
    }

    pub fn list_resource_types(&self, call: &Call<'_>, query: &str) -> Answer {
        let mut query = Query::parse(query)?;
        let paging = call.unlimited(query.paging(1_000, 1_000_000_000)?);
        query.finish()?;
        let rows: Vec<&Bilingual> = self.resource_types.iter().collect();
        Ok(catalogue_page(call, "resource_types", &rows, paging))
    }

    pub fn list_service_types(&self, call: &Call<'_>, query: &str) -> Answer {
        let mut query = Query::parse(query)?;
        let name = query.text("service_type_name", STRICT, 128)?.map(|name| name.to_lowercase());
        let paging = call.unlimited(query.paging(1_000, MAX_INT)?);
        query.finish()?;
        let named = |row: &&Bilingual| {
            name.as_ref()
                .is_none_or(|want| row.names.iter().any(|name| name.to_lowercase().contains(want.as_str())))
        };
        let rows: Vec<&Bilingual> = self.service_types.iter().filter(named).collect();
        Ok(catalogue_page(call, "service_types", &rows, paging))
    }

    pub fn list_sub_customers(&self, call: &Call<'_>, body: &[u8]) -> Answer {
        if call.role == Role::Customer {
            return Err(Refused::Denied);
        }
        let mut body = Body::parse(body)?;
        let account = body.text("account_name", 64)?;
        let name = body.text("customer", 64)?;
        let label = body.text("label", 64)?;
        let kind = body.text("association_type", 8)?.filter(|kind| !kind.is_empty());
        one_of("association_type", kind.as_deref().as_ref(), &["1", "2"])?;
        let since = (body.time("associated_on_begin")?, body.time("associated_on_end")?);
        let id = body.text("customer_id", 64)?.filter(|id| !id.is_empty());
        let reseller = body.text("indirect_partner_id", 64)?;
        let paging = call.unlimited(body.paging(100, 40_000_000)?);
        body.finish()?;
        let reseller = self.asked_reseller(call, reseller.as_deref())?;
        let belongs = |id: &str| {
            self.resellers.is_empty() || self.customer(id).and_then(|n| self.reseller_of(n)) == reseller
        };
        let like = |want: &Option<String>, text: &str| {
            want.as_ref().is_none_or(|want| text.to_lowercase().contains(&want.to_lowercase()))
        };
        let rows: Vec<&str> = self
            .sub_customers
            .iter()
            .filter(|row| {
                belongs(&row.id)
                    && like(&account, &row.account_name)
                    && like(&name, &row.name)
                    && like(&label, &row.label)
                    && kind.as_ref().is_none_or(|kind| *kind == row.association_type)
                    && id.as_ref().is_none_or(|id| *id == row.id)
                    && since.0.is_none_or(|begin| row.associated_on.is_some_and(|on| on >= begin))
                    && since.1.is_none_or(|end| row.associated_on.is_some_and(|on| on <= end))
            })
            .map(|row| row.json.as_str())
            .collect();
        let wanted = page_in(&rows, paging, call.row_order, call.number);
        Ok(Page {
            total_field: "count",
            total: total(rows.len()),
            rows_field: "customer_infos",
            rows: wanted.into_iter().map(str::to_owned).collect(),
            extra: None,
        })
    }
}

fn resource_service(row: &Resource) -> &str {
    row.raw_service.as_deref().unwrap_or(SERVICES[usize::from(row.service)].0)
}

fn catalogue_page(call: &Call<'_>, rows_field: &'static str, rows: &[&Bilingual], paging: Paging) -> Page {
    let wanted = page_in(rows, paging, call.row_order, call.number);
    let text = |row: &Bilingual| {
        if call.language == "en_US" { row.en.clone() } else { row.zh.clone() }
    };
    Page {
        total_field: "total_count",
        total: total(rows.len()),
        rows_field,
        rows: wanted.into_iter().map(text).collect(),
        extra: None,
    }
}
