//! The order list: its filters, its windows and the order of its rows.

use std::borrow::Cow;

use super::ask::{Forms, Paging, Query, Rule, STRICT, one_of};
use super::dice::mix;
use super::truth::{Order, Scope, Truth, at};
use super::vendor::{Answer, Bounds, Call, MAX_INT, Page, Role, RowOrder, page_in, total};

/// A filter on orders besides the windows.
struct Wanted {
    status: Option<u8>,
    kind: Option<u8>,
    service: Option<String>,
    created: Option<(i64, i64)>,
    paid: Option<(i64, i64)>,
}

impl Wanted {
    /// Whether an order is wanted, its times aside.
    fn fits(&self, order: &Order) -> bool {
        let service =
            |want: &String| order.service_code().is_some_and(|code| code.eq_ignore_ascii_case(want));
        self.status.is_none_or(|status| status == order.status)
            && self.kind.is_none_or(|kind| kind == order.kind)
            && self.service.as_ref().is_none_or(service)
    }
}

impl Truth {
    pub fn list_orders(&self, call: &Call<'_>, query: &str) -> Answer {
        const IS_FILTER: Forms = Forms { valueless: Rule::Default, empty: Rule::Reject, null: Rule::Filter };
        const CUSTOMER: Forms = Forms { valueless: Rule::Reject, empty: Rule::Reject, null: Rule::Filter };
        const SERVICE: Forms = Forms { valueless: Rule::Default, empty: Rule::Filter, null: Rule::Filter };
        let mut query = Query::parse(query)?;
        let order_id = query.text("order_id", IS_FILTER, 64)?;
        let customer = if call.role == Role::Partner { CUSTOMER } else { IS_FILTER };
        let customer = query.text("customer_id", customer, 64)?;
        let service = query.text("service_type_code", SERVICE, 64)?;
        let status = query.int("status", STRICT)?;
        one_of("status", status.as_ref(), &[1, 3, 4, 5, 6, 9])?;
        let kind = query.int("order_type", STRICT)?;
        one_of("order_type", kind.as_ref(), &[1, 2, 3, 4, 10, 11, 13, 14, 15])?;
        let order_by = query.text("order_by", STRICT, 36)?.map(|text| text.to_lowercase());
        one_of("order_by", order_by.as_deref().as_ref(), &["createtime", "-createtime"])?;
        let method = query.text("method", STRICT, 20)?;
        one_of("method", method.as_deref().as_ref(), &["oneself", "sub_customer"])?;
        let reseller = query.text("indirect_partner_id", STRICT, 64)?;
        let created = query.window("create_time_begin", "create_time_end")?;
        let paid = query.window("payment_time_begin", "payment_time_end")?;
        let paging = call.unlimited(query.paging(100, MAX_INT)?);
        query.finish()?;
        let asked = self.asked_reseller(call, reseller.as_deref())?;
        let scope = match (call.role, customer, asked.and(reseller)) {
            (Role::Customer, ..) => Some(Scope::Own),
            (Role::Partner, None, None) => Some(Scope::Partner),
            (Role::Partner, None, Some(id)) => Some(Scope::Reseller(id)),
            (Role::Partner, Some(id), _) => {
                let shown = self.customer(&id).is_some_and(|customer| self.shown(customer, asked));
                shown.then_some(Scope::Customer(id))
            }
        };
        let narrow = |number: Option<i64>| number.and_then(|number| u8::try_from(number).ok());
        let wanted = Wanted { status: narrow(status), kind: narrow(kind), service, created, paid };
        // The accounts served here have no enterprise sub-accounts.
        let scope = scope.filter(|_| method.as_deref() != Some("sub_customer"));
        let found = scope.map_or_else(Cow::default, |scope| {
            self.matching_orders(call, &scope, order_id.as_deref(), &wanted)
        });
        let rows = match order_by.as_deref() {
            None => page_in(&found, paging, RowOrder::Shuffled, call.number),
            Some("createtime") => self.sorted_page(call, &found, paging),
            Some(_) => {
                let rows = found.iter().rev().skip(paging.offset).take(paging.limit);
                rows.copied().collect()
            }
        };
        Ok(Page {
            total_field: "total_count",
            total: total(found.len()),
            rows_field: "order_infos",
            rows: rows.into_iter().map(|number| self.order_json(number)).collect(),
            extra: None,
        })
    }

    /// Matching orders in the order of creation; the common question copies nothing.
    fn matching_orders(
        &self,
        call: &Call<'_>,
        scope: &Scope,
        order_id: Option<&str>,
        wanted: &Wanted,
    ) -> Cow<'_, [u32]> {
        let Some(index) = self.index(scope) else { return Cow::default() };
        if let Some(id) = order_id {
            let found = self.order(id).filter(|&number| {
                let order = &self.orders[at(number)];
                order.parent.is_none() && self.in_scope(scope, order.customer)
            });
            let inside = |time: Option<i64>, window: Option<(i64, i64)>| {
                window.is_none_or(|(from, to)| {
                    time.is_some_and(|time| call.bounds.holds(from, time) && call.bounds.ends(time, to))
                })
            };
            let matches = |number: &u32| {
                let order = &self.orders[at(*number)];
                inside(Some(order.created), wanted.created)
                    && inside(order.paid, wanted.paid)
                    && wanted.fits(order)
            };
            return found.into_iter().filter(matches).collect();
        }
        let created = |order: &Order| order.created;
        let paid = |order: &Order| order.paid.unwrap_or(0);
        let by_creation = wanted
            .created
            .map_or(&index.created[..], |window| self.slice(&index.created, created, window, call.bounds));
        let Some(window) = wanted.paid else {
            if wanted.status.is_none() && wanted.kind.is_none() && wanted.service.is_none() {
                return Cow::Borrowed(by_creation);
            }
            let matches = |number: &&u32| wanted.fits(&self.orders[at(**number)]);
            return by_creation.iter().filter(matches).copied().collect();
        };
        let (first, last) = (by_creation.first(), by_creation.last());
        let (Some(&first), Some(&last)) = (first, last) else { return Cow::default() };
        let span = self.orders[at(first)].created..=self.orders[at(last)].created;
        let matches = |number: &&u32| {
            let order = &self.orders[at(**number)];
            span.contains(&order.created) && wanted.fits(order)
        };
        let found = self.slice(&index.paid, paid, window, call.bounds).iter().filter(matches);
        let mut found: Vec<u32> = found.copied().collect();
        found.sort_by_cached_key(|&number| self.created_key(number));
        Cow::Owned(found)
    }

    /// The part of an index that lies in a window.
    fn slice<'r>(
        &self,
        rows: &'r [u32],
        time: fn(&Order) -> i64,
        (from, to): (i64, i64),
        bounds: Bounds,
    ) -> &'r [u32] {
        let time = |number: &u32| time(&self.orders[at(*number)]);
        let begin = rows.partition_point(|number| !bounds.holds(from, time(number)));
        let end = rows.partition_point(|number| bounds.ends(time(number), to));
        &rows[begin..end.max(begin)]
    }

    /// One page in the order of creation, where rows of one second may be shuffled.
    fn sorted_page(&self, call: &Call<'_>, found: &[u32], paging: Paging) -> Vec<u32> {
        let begin = paging.offset.min(found.len());
        let end = paging.offset.saturating_add(paging.limit).min(found.len());
        if call.ties == RowOrder::Stable || begin == end {
            return found[begin..end].to_vec();
        }
        let second = |number: u32| self.orders[at(number)].created;
        let (first, last) = (second(found[begin]), second(found[end - 1]));
        let from = found.partition_point(|&number| second(number) < first);
        let to = found.partition_point(|&number| second(number) <= last);
        let mut rows = found[from..to].to_vec();
        rows.sort_by_cached_key(|&number| (second(number), mix(u64::from(number) ^ call.number << 32)));
        rows[begin - from..end - from].to_vec()
    }
}
