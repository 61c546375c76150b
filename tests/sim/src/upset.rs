//! Changes of an account that nobody scripted: picked and made by a seed, each of them logged.

use super::deal::Maker;
use super::dice::mix;
use super::truth::{Truth, at};

/// What happened to an order or a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Created within the last two minutes.
    NewOrder,
    /// Created 1 to 30 days ago, and in no list until now.
    LateOrder,
    /// Is in no list any more, nor are the resources that only it paid for.
    OrderLeft,
    /// An order that was not final has another status.
    OpenOrderMoved,
    /// A completed order costs more, or was cancelled; a cancelled one costs more.
    FinalOrderChanged,
    /// Waited for payment for a day or longer, or was cancelled without one, and is paid and completed now.
    OldOrderPaid,
    ResourceCame,
    ResourceLeft,
    /// Has another name, status, expiry, policy or specification.
    ResourceChanged,
}

impl ChangeKind {
    pub const ALL: &'static [Self] = &[
        Self::NewOrder,
        Self::LateOrder,
        Self::OrderLeft,
        Self::OpenOrderMoved,
        Self::FinalOrderChanged,
        Self::OldOrderPaid,
        Self::ResourceCame,
        Self::ResourceLeft,
        Self::ResourceChanged,
    ];
}

/// One order or resource that is new, different or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    /// Id of the order (a combined trade stands for its members) or of the resource.
    pub id: String,
    /// What the vendor's clock showed, unix seconds.
    pub at: i64,
}

/// A change being made.
pub(super) struct Upset<'t> {
    pub maker: Maker<'t>,
    pub now: i64,
    pub log: Vec<Change>,
}

impl Truth {
    /// Makes one change of one of these kinds, now and then three of one kind together. Orders and resources
    /// that it touches besides are logged too. When a kind finds nothing to change, another one is tried.
    pub fn upset(&mut self, seed: u64, now: i64, kinds: &[ChangeKind]) -> Vec<Change> {
        let mut upset = Upset { maker: Maker::new(self, mix(seed) ^ 0x0B5E7), now, log: Vec::new() };
        let first = upset.below(kinds.len());
        let count = if upset.maker.dice.percent(20) { 3 } else { 1 };
        for step in 0..kinds.len() {
            let kind = kinds[(first + step) % kinds.len()];
            if (0..count).filter(|_| upset.make(kind)).count() > 0 {
                break;
            }
        }
        upset.log
    }
}

impl Upset<'_> {
    /// Makes a change of one kind; false when there is nothing it could happen to.
    fn make(&mut self, kind: ChangeKind) -> bool {
        match kind {
            ChangeKind::NewOrder => self.new_order(),
            ChangeKind::LateOrder => self.late_order(),
            ChangeKind::OrderLeft => self.order_leaves(),
            ChangeKind::OpenOrderMoved => self.open_order_moves(),
            ChangeKind::FinalOrderChanged => self.final_order_changes(),
            ChangeKind::OldOrderPaid => self.old_order_is_paid(),
            ChangeKind::ResourceCame => self.resource_comes(),
            ChangeKind::ResourceLeft => self.resource_leaves(),
            ChangeKind::ResourceChanged => self.resource_changes(),
        }
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.maker.dice.below(bound as u64)).unwrap_or(0)
    }

    /// One of the orders in the list that suit.
    pub fn some_order(&mut self, suits: impl Fn(&Truth, u32) -> bool) -> Option<u32> {
        let truth = &self.maker.truth;
        let found: Vec<u32> = truth.all.created.iter().copied().filter(|&n| suits(truth, n)).collect();
        let pick = self.below(found.len());
        found.get(pick).copied()
    }

    /// One of the resources that are not gone and suit.
    pub fn some_resource(&mut self, suits: impl Fn(&Truth, u32) -> bool) -> Option<u32> {
        let truth = &self.maker.truth;
        let count = u32::try_from(truth.resources.len()).unwrap_or(u32::MAX);
        let listed = |n: &u32| !truth.resources[at(*n)].is_gone();
        let found: Vec<u32> = (0..count).filter(listed).filter(|&n| suits(truth, n)).collect();
        let pick = self.below(found.len());
        found.get(pick).copied()
    }

    /// The owner every other time, else any customer.
    pub fn some_customer(&mut self) -> u32 {
        let count = self.maker.truth.customers.len() as u64;
        let dice = &mut self.maker.dice;
        let pick = if dice.percent(50) { 0 } else { dice.below(count) };
        u32::try_from(pick).unwrap_or(0)
    }

    pub fn log_order(&mut self, kind: ChangeKind, number: u32) {
        let id = self.maker.truth.orders[at(number)].id.to_string();
        self.log.push(Change { kind, id, at: self.now });
    }

    pub fn log_resource(&mut self, kind: ChangeKind, number: u32) {
        let id = self.maker.truth.resources[at(number)].id.to_string();
        self.log.push(Change { kind, id, at: self.now });
    }

    /// Lets an event happen and logs the orders it made as `kind`, and the resources.
    pub fn happen(&mut self, kind: ChangeKind, event: impl FnOnce(&mut Self) -> Vec<u32>) -> bool {
        let (orders, resources) = (self.maker.truth.orders.len(), self.maker.truth.resources.len());
        let changed = event(self);
        let number = |position: usize| u32::try_from(position).unwrap_or(u32::MAX);
        for order in (orders..self.maker.truth.orders.len()).map(number) {
            if self.maker.truth.orders[at(order)].parent.is_none() {
                self.log_order(kind, order);
            }
        }
        let made: Vec<u32> = (resources..self.maker.truth.resources.len()).map(number).collect();
        let over = |n: &u32| self.maker.truth.resources[at(*n)].expire <= self.now;
        let over: Vec<u32> = made.iter().copied().filter(over).collect();
        self.maker.run_out(&over, self.now);
        for resource in made {
            self.log_resource(ChangeKind::ResourceCame, resource);
        }
        for resource in changed {
            self.log_resource(ChangeKind::ResourceChanged, resource);
        }
        self.maker.truth.orders.len() > orders
    }
}
