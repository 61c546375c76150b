//! What the vendor knows: accounts, orders, resources and catalogues, with the indexes to query them.

use std::collections::HashMap;

use super::catalogue;
use super::dice;
use super::inconsistent::Seeded;

/// A customer account of the simulated site; number 0 is the one the customer credential belongs to.
#[derive(Clone, Debug)]
pub struct Customer {
    pub id: String,
    /// The reseller of the partner it belongs to; a direct customer has none.
    pub reseller: Option<u32>,
}

/// Whose rows are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The customer that the customer credentials belong to.
    Own,
    /// All direct customers of the partner.
    Partner,
    /// The customers of one reseller of the partner, by the reseller's id.
    Reseller(String),
    /// One customer by its account id.
    Customer(String),
}

/// An order line. Amounts are units of 1e-8; times unix seconds, 0 when there is none.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub service: u16,
    pub resource: u16,
    pub spec: u8,
    pub months: u8,
    pub attached: bool,
    pub effective: i64,
    pub expire: i64,
    pub official: i64,
    pub amount: i64,
    pub fee: i64,
    pub consumed: i64,
    /// Given back so far, so that nothing is refunded twice.
    pub refunded: i64,
    /// The resource the line is about.
    pub about: Option<u32>,
}

/// A refund attribution; negative is money given back.
#[derive(Clone, Debug)]
pub struct Attribution {
    pub base: u32,
    pub service: u16,
    pub resource: u16,
    pub region: u8,
    pub amount: i64,
}

/// Rows a test wrote by hand, served byte for byte.
#[derive(Clone, Debug, Default)]
pub struct RawOrder {
    pub list: String,
    pub info: String,
    pub lines: Vec<String>,
    pub refunds: Option<Vec<String>>,
}

/// An order, or a member of a combined trade (`parent`).
#[derive(Clone, Debug, Default)]
pub struct Order {
    pub id: Box<str>,
    pub customer: u32,
    pub kind: u8,
    pub status: u8,
    pub source: u8,
    pub region: u8,
    pub created: i64,
    pub paid: Option<i64>,
    /// Deadline for paying, only for orders that were not paid at once.
    pub pay_until: Option<i64>,
    pub service: Option<u16>,
    pub official: i64,
    pub amount: i64,
    pub coupon: i64,
    pub flexi: i64,
    pub card: i64,
    /// Handling fee and consumed amount, on unsubscriptions only.
    pub fee: Option<i64>,
    pub consumed: Option<i64>,
    pub discounts: Vec<(u16, i64)>,
    pub projects: Vec<u8>,
    pub contract: bool,
    pub agent: bool,
    /// Chooses the spelling of amounts and of missing fields.
    pub look: u64,
    pub lines: Vec<Line>,
    pub members: Vec<u32>,
    pub parent: Option<u32>,
    pub attributions: Vec<Attribution>,
    pub resources: Vec<u32>,
    pub raw: Option<Box<RawOrder>>,
    /// Service code of a hand-written order.
    pub raw_service: Option<Box<str>>,
    pub gone: bool,
}

/// A yearly/monthly resource.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    pub id: Box<str>,
    /// A name it was given later.
    pub name: Option<Box<str>>,
    pub customer: u32,
    pub service: u16,
    /// Its resource type.
    pub kind: u16,
    pub spec: u8,
    pub region: u8,
    pub parent: Option<u32>,
    pub main: bool,
    pub status: u8,
    pub effective: i64,
    pub expire: i64,
    pub policy: u8,
    /// Linear size in units of 1e-8.
    pub size: Option<i64>,
    pub project: Option<u8>,
    pub updated: i64,
    pub look: u64,
    /// (order, line) pairs that paid for it, oldest first.
    pub covers: Vec<(u32, u16)>,
    pub raw: Option<Box<str>>,
    pub raw_service: Option<Box<str>>,
}

impl Order {
    pub fn service_code(&self) -> Option<&str> {
        let known = self.service.map(|service| catalogue::SERVICES[usize::from(service)].0);
        known.or(self.raw_service.as_deref())
    }
}

impl Resource {
    /// Whether a test took it away; then it belongs to nobody.
    pub const fn is_gone(&self) -> bool {
        self.customer == u32::MAX
    }
}

/// A row whose names depend on the language asked for.
#[derive(Clone, Debug)]
pub struct Bilingual {
    pub zh: String,
    pub en: String,
    /// What the name filter looks at.
    pub names: [String; 2],
}

/// A sub-customer row with what can be filtered on.
#[derive(Clone, Debug, Default)]
pub struct SubCustomer {
    pub json: String,
    pub id: String,
    pub account_name: String,
    pub name: String,
    pub label: String,
    pub association_type: String,
    pub associated_on: Option<i64>,
}

/// Orders of one scope, by creation and by payment, and its resources.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pub created: Vec<u32>,
    pub paid: Vec<u32>,
    /// In insertion order; kept for single customers only.
    pub resources: Vec<u32>,
}

/// Everything that is served.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub seed: u64,
    pub customers: Vec<Customer>,
    pub orders: Vec<Order>,
    pub resources: Vec<Resource>,
    pub ids: HashMap<Box<str>, u32>,
    pub resource_ids: HashMap<Box<str>, u32>,
    /// Of all customers together, and of each.
    pub all: Index,
    pub own: Vec<Index>,
    /// Account ids of the partner's resellers.
    pub resellers: Vec<String>,
    /// With resellers: the direct customers, then those of each reseller. Empty without.
    pub groups: Vec<Index>,
    pub service_types: Vec<Bilingual>,
    pub resource_types: Vec<Bilingual>,
    pub sub_customers: Vec<SubCustomer>,
    /// Set once the indexes are kept up to date order by order.
    pub indexed: bool,
    pub evolutions: u64,
    /// Breaks that were made on purpose.
    pub seeded: Vec<Seeded>,
}

/// A vector position from one of our 32-bit numbers.
pub const fn at(number: u32) -> usize {
    number as usize
}

impl Truth {
    /// Account id of the customer the customer credentials belong to.
    pub fn owner(&self) -> &str {
        self.customers.first().map_or("", |customer| customer.id.as_str())
    }

    pub fn customer(&self, id: &str) -> Option<u32> {
        let found = self.customers.iter().position(|customer| customer.id == id)?;
        u32::try_from(found).ok()
    }

    pub fn order(&self, id: &str) -> Option<u32> {
        let found = self.ids.get(id.to_uppercase().as_str()).copied()?;
        (!self.orders[at(found)].gone).then_some(found)
    }

    /// Adds a customer account, or finds it.
    pub fn customer_or_new(&mut self, id: &str) -> u32 {
        if let Some(found) = self.customer(id) {
            return found;
        }
        self.customers.push(Customer { id: id.to_owned(), reseller: None });
        self.own.push(Index::default());
        u32::try_from(self.customers.len() - 1).unwrap_or(0)
    }

    /// The order in which rows of one second come: by a hash, which is not the order they were made in.
    pub fn created_key(&self, order: u32) -> (i64, u64) {
        (self.orders[at(order)].created, dice::mix(u64::from(order) ^ 0x5EED))
    }

    fn paid_key(&self, order: u32) -> (i64, u64) {
        (self.orders[at(order)].paid.unwrap_or(0), dice::mix(u64::from(order) ^ 0x5EED))
    }

    /// Builds the indexes from nothing; afterwards they follow every change.
    pub fn reindex(&mut self) {
        let count = u32::try_from(self.orders.len()).unwrap_or(u32::MAX);
        let listed = |order: &Order| order.parent.is_none() && !order.gone;
        let mut created: Vec<u32> = (0..count).filter(|&n| listed(&self.orders[at(n)])).collect();
        created.sort_by_cached_key(|&n| self.created_key(n));
        let mut paid: Vec<u32> =
            created.iter().copied().filter(|&n| self.orders[at(n)].paid.is_some()).collect();
        paid.sort_by_cached_key(|&n| self.paid_key(n));
        self.own = vec![Index::default(); self.customers.len()];
        self.group(&created, &paid);
        for &n in &created {
            self.own[at(self.orders[at(n)].customer)].created.push(n);
        }
        for &n in &paid {
            self.own[at(self.orders[at(n)].customer)].paid.push(n);
        }
        let resources = self.resources.iter().zip(0..);
        for (row, n) in resources.filter(|(row, _)| at(row.customer) < self.customers.len()) {
            self.own[at(row.customer)].resources.push(n);
        }
        self.all = Index { created, paid, resources: Vec::new() };
        self.indexed = true;
    }

    /// Adds an order (with its id) and returns its number.
    pub fn insert(&mut self, order: Order) -> u32 {
        let number = u32::try_from(self.orders.len()).unwrap_or(u32::MAX);
        self.ids.insert(order.id.to_uppercase().into(), number);
        self.orders.push(order);
        self.enter(number);
        number
    }

    /// Changes an order and keeps the indexes right.
    pub fn change<R>(&mut self, order: u32, edit: impl FnOnce(&mut Order) -> R) -> R {
        self.leave(order);
        let result = edit(&mut self.orders[at(order)]);
        self.enter(order);
        result
    }

    fn enter(&mut self, number: u32) {
        let order = &self.orders[at(number)];
        if !self.indexed || order.gone || order.parent.is_some() {
            return;
        }
        let (paid, customer) = (order.paid.is_some(), at(order.customer));
        let (created_key, paid_key) = (self.created_key(number), self.paid_key(number));
        for place in self.places(customer) {
            let index = self.place(place);
            let created = index.created.partition_point(|&n| self.created_key(n) < created_key);
            let settled = index.paid.partition_point(|&n| self.paid_key(n) < paid_key);
            let index = self.place_mut(place);
            index.created.insert(created, number);
            if paid {
                index.paid.insert(settled, number);
            }
        }
    }

    fn leave(&mut self, number: u32) {
        if !self.indexed {
            return;
        }
        let customer = at(self.orders[at(number)].customer);
        for place in self.places(customer) {
            let index = self.place_mut(place);
            index.created.retain(|&n| n != number);
            index.paid.retain(|&n| n != number);
        }
    }

    pub fn insert_resource(&mut self, resource: Resource) -> u32 {
        let number = u32::try_from(self.resources.len()).unwrap_or(u32::MAX);
        self.resource_ids.insert(resource.id.clone(), number);
        if self.indexed {
            self.own[at(resource.customer)].resources.push(number);
        }
        self.resources.push(resource);
        number
    }

    /// The orders of a scope; nothing for an unknown customer.
    pub fn index(&self, scope: &Scope) -> Option<&Index> {
        match scope {
            Scope::Own => self.own.first(),
            Scope::Partner => Some(self.groups.first().unwrap_or(&self.all)),
            Scope::Reseller(id) => self.groups.get(at(self.reseller(id)?) + 1),
            Scope::Customer(id) => self.customer(id).map(|number| &self.own[at(number)]),
        }
    }

    pub fn in_scope(&self, scope: &Scope, customer: u32) -> bool {
        match scope {
            Scope::Own => customer == 0,
            Scope::Partner => self.reseller_of(customer).is_none(),
            Scope::Reseller(id) => self.reseller(id).is_some_and(|n| self.reseller_of(customer) == Some(n)),
            Scope::Customer(id) => self.customer(id) == Some(customer),
        }
    }

    /// The order and, for a combined trade, its members: those that carry lines and resources.
    pub fn leaves(&self, order: u32) -> Vec<u32> {
        let members = &self.orders[at(order)].members;
        if members.is_empty() { vec![order] } else { members.clone() }
    }

    pub fn linked(&self, order: u32) -> Vec<u32> {
        let leaves = self.leaves(order);
        let linked = leaves.iter().flat_map(|&leaf| self.orders[at(leaf)].resources.iter().copied());
        linked.filter(|&n| !self.resources[at(n)].is_gone()).collect()
    }

    /// Whether refund-orders knows the order: unsubscriptions, switches to pay-per-use, downgrades.
    pub fn is_refund(&self, order: u32) -> bool {
        let order = &self.orders[at(order)];
        match &order.raw {
            Some(raw) => raw.refunds.is_some(),
            None => matches!(order.kind, 4 | 10) || order.kind == 3 && order.amount < 0,
        }
    }

    // What tests ask. Rows are the JSON texts that are served in Chinese, in insertion order.

    /// Order ids of a scope in the order of creation; members of combined trades are not among them.
    pub fn order_ids(&self, scope: &Scope) -> Vec<String> {
        self.index(scope).map_or_else(Vec::new, |index| {
            index.created.iter().map(|&n| self.orders[at(n)].id.to_string()).collect()
        })
    }

    /// Rows of the order list, in the order of creation.
    pub fn orders(&self, scope: &Scope) -> Vec<String> {
        self.index(scope)
            .map_or_else(Vec::new, |index| index.created.iter().map(|&n| self.order_json(n)).collect())
    }

    /// The row of the order list for one order.
    pub fn order_row(&self, id: &str) -> Option<String> {
        self.order(id).map(|number| self.order_json(number))
    }

    /// `order_info` and the lines of an order, or of a member of a combined trade.
    pub fn details(&self, id: &str) -> Option<(String, Vec<String>)> {
        let number = self.order(id)?;
        let lines = (0..self.line_count(number)).map(|line| self.line_json(number, line, "zh_CN"));
        Some((self.info_json(number, "zh_CN"), lines.collect()))
    }

    /// Refund attributions as served now; nothing when the order is not a refund order.
    pub fn refunds(&self, id: &str) -> Option<Vec<String>> {
        let number = self.order(id)?;
        self.is_refund(number).then(|| self.refund_rows(number))
    }

    /// Rows of the resource list.
    pub fn resources(&self, scope: &Scope) -> Vec<String> {
        let count = u32::try_from(self.resources.len()).unwrap_or(u32::MAX);
        (0..count)
            .filter(|&n| !self.resources[at(n)].is_gone())
            .filter(|&n| self.in_scope(scope, self.resources[at(n)].customer))
            .map(|n| self.resource_json(n))
            .collect()
    }

    /// (resource id, account id of its owner) of all resources.
    pub fn resource_owners(&self) -> Vec<(String, String)> {
        let owner = |resource: &Resource| self.customers[at(resource.customer)].id.clone();
        let listed = self.resources.iter().filter(|row| !row.is_gone());
        listed.map(|row| (row.id.to_string(), owner(row))).collect()
    }

    /// Resource ids that the resource list gives for an order.
    pub fn links(&self, id: &str) -> Vec<String> {
        let linked = self.order(id).map(|number| self.linked(number)).unwrap_or_default();
        linked.iter().map(|&n| self.resources[at(n)].id.to_string()).collect()
    }

    pub fn service_types(&self) -> Vec<&str> {
        self.service_types.iter().map(|row| row.zh.as_str()).collect()
    }

    pub fn resource_types(&self) -> Vec<&str> {
        self.resource_types.iter().map(|row| row.zh.as_str()).collect()
    }

    pub fn sub_customers(&self) -> Vec<&str> {
        self.sub_customers.iter().map(|row| row.json.as_str()).collect()
    }

    /// Account ids of all customers, the owner first.
    pub fn customer_ids(&self) -> Vec<&str> {
        self.customers.iter().map(|customer| customer.id.as_str()).collect()
    }
}
