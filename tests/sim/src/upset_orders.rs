//! Orders that come, leave, move on or turn out to be different.

use std::collections::HashSet;

use super::catalogue::FAMILIES;
use super::clock::{DAY, HOUR};
use super::giveback::Return;
use super::truth::{Line, Truth, at};
use super::upset::{ChangeKind, Upset};

/// One cent in units of 1e-8.
const CENT: i64 = 1_000_000;

/// Fewer orders than this stay in the list, however many leave.
const LEAST_ORDERS: usize = 3;

impl Upset<'_> {
    pub fn new_order(&mut self) -> bool {
        let roll = self.maker.dice.below(10);
        // Renewals are paid up to 90 s after they were made.
        let created = self.now - self.maker.dice.between(if roll == 6 { 91 } else { 15 }, 120);
        self.happen(ChangeKind::NewOrder, |upset| match roll {
            3 | 4 => {
                upset.open_purchase(created);
                Vec::new()
            }
            5 => upset.combined(created),
            6..=9 => upset.follow_up(roll, created).unwrap_or_else(|| upset.purchase(created)),
            _ => upset.purchase(created),
        })
    }

    pub fn late_order(&mut self) -> bool {
        let created = self.now - self.maker.dice.between(DAY, 30 * DAY);
        let roll = self.maker.dice.below(10);
        self.happen(ChangeKind::LateOrder, |upset| match roll {
            0 | 1 => {
                let lines = upset.lines();
                let customer = upset.some_customer();
                let order = upset.maker.place(customer, 1, created, lines);
                upset.maker.set_status(order, 4, None);
                Vec::new()
            }
            2 => {
                let mut lines = upset.lines();
                for line in &mut lines {
                    line.official = upset.maker.dice.between(1, 500_000_000);
                    line.amount = line.official;
                }
                let customer = upset.some_customer();
                let order = upset.maker.place(customer, 15, created, lines);
                upset.maker.set_status(order, 5, Some(created + 20));
                Vec::new()
            }
            3 => upset.combined(created),
            _ => upset.purchase(created),
        })
    }

    fn lines(&mut self) -> Vec<Line> {
        let family = self.below(FAMILIES.len());
        let months = self.maker.dice.pick(&[1, 1, 3, 12]);
        self.maker.lines(family, months, 1, 2)
    }

    /// When an order of that time was paid, if it was paid at once.
    fn payment(&mut self, created: i64) -> i64 {
        (created + self.maker.dice.between(0, 300)).min(self.now)
    }

    fn purchase(&mut self, created: i64) -> Vec<u32> {
        let (customer, lines) = (self.some_customer(), self.lines());
        let order = self.maker.place(customer, 1, created, lines);
        let paid = self.payment(created);
        self.maker.settle(order, paid);
        Vec::new()
    }

    fn combined(&mut self, created: i64) -> Vec<u32> {
        let customer = self.some_customer();
        let families = [self.below(FAMILIES.len()), self.below(FAMILIES.len())];
        let order = self.maker.place_combined(customer, created, &families);
        let paid = self.payment(created);
        self.maker.settle(order, paid);
        Vec::new()
    }

    fn open_purchase(&mut self, created: i64) {
        let (customer, lines) = (self.some_customer(), self.lines());
        let order = self.maker.place(customer, 1, created, lines);
        let status = self.maker.dice.pick(&[6, 6, 6, 3, 3, 1, 9, 10]);
        if status == 6 {
            self.maker.truth.orders[at(order)].pay_until = Some(created + 7 * DAY);
        }
        let paid = matches!(status, 3 | 10).then(|| self.payment(created));
        self.maker.set_status(order, status, paid);
    }

    /// An order about a resource that runs; the resources it changed.
    fn follow_up(&mut self, roll: u64, created: i64) -> Option<Vec<u32>> {
        let number = self.some_resource(|truth, number| {
            let row = &truth.resources[at(number)];
            // Paid for before, so that nothing comes back earlier than it was paid.
            let before = |&(order, _): &(u32, u16)| {
                truth.orders[at(order)].paid.is_some_and(|paid| paid < created - HOUR)
            };
            let real = row.raw.is_none() && !row.covers.is_empty() && row.covers.iter().all(before);
            let runs = row.effective < created - HOUR && row.expire > created + 2 * DAY;
            real && row.main && row.status == 2 && runs
        })?;
        let before = self.maker.truth.resource_json(number);
        let unsubscribed = self.maker.dice.percent(70);
        match roll {
            6 => Some(self.maker.renew(2, &[number], created, 1)),
            7 => Some(self.maker.upgrade(number, created)),
            8 => self.maker.downgrade(number, created),
            _ if unsubscribed => self.maker.give_back(&[number], created, Return::Unsubscribed),
            _ => self.maker.give_back(&[number], created, Return::OnDemand),
        }?;
        // Some rows do not show when they were updated, and then a downgrade cannot be seen.
        let differs = before != self.maker.truth.resource_json(number);
        Some(differs.then_some(number).into_iter().collect())
    }

    pub fn order_leaves(&mut self) -> bool {
        if self.maker.truth.all.created.len() <= LEAST_ORDERS {
            return false;
        }
        // An order somebody got money back for, or that shares a resource with another order, stays.
        let truth = &self.maker.truth;
        let attributions = truth.orders.iter().filter(|order| !order.gone);
        let bases = attributions.flat_map(|order| order.attributions.iter().map(|row| row.base));
        let mut needed: HashSet<u32> = bases.collect();
        let parent = |order: u32| truth.orders[at(order)].parent.unwrap_or(order);
        for row in truth.resources.iter().filter(|row| !row.is_gone()) {
            let orders: HashSet<u32> = row.covers.iter().map(|&(order, _)| parent(order)).collect();
            if orders.len() > 1 {
                needed.extend(orders);
            }
        }
        let needed: HashSet<u32> = needed.into_iter().map(parent).collect();
        let Some(number) = self.some_order(|_, number| !needed.contains(&number)) else { return false };
        let leaves = self.maker.truth.leaves(number);
        let resources = self.maker.truth.resources.iter().zip(0_u32..);
        let its = resources.filter(|(row, _)| !row.is_gone());
        let its = its.filter(|(row, _)| row.covers.iter().any(|(order, _)| leaves.contains(order)));
        let its: Vec<u32> = its.map(|(_, resource)| resource).collect();
        for resource in its {
            self.take_resource(resource);
        }
        self.log_order(ChangeKind::OrderLeft, number);
        for order in leaves.into_iter().chain([number]) {
            let id = self.maker.truth.orders[at(order)].id.to_string();
            self.maker.truth.remove_order(&id);
        }
        true
    }

    pub fn open_order_moves(&mut self) -> bool {
        let now = self.now;
        let open = |truth: &Truth, number: u32| {
            let order = &truth.orders[at(number)];
            matches!(order.status, 1 | 2 | 3 | 6 | 9 | 10 | 11) && order.created <= now
        };
        let Some(number) = self.some_order(open) else { return false };
        let order = &self.maker.truth.orders[at(number)];
        let (status, paid, created) = (order.status, order.paid, order.created);
        let late = order.pay_until.is_some_and(|until| until < now);
        let when = (now - self.maker.dice.between(0, 60)).max(created);
        let likely = self.maker.dice.percent(65);
        let (status, paid) = match status {
            1 => (6, None),
            2 => (5, Some(when)),
            6 if likely && !late => (5, Some(when)),
            6 => (4, None),
            9 => (3, Some(when)),
            10 => (11, paid),
            11 if !likely => (12, paid),
            _ => (5, Some(paid.unwrap_or(when))),
        };
        self.move_order(number, status, paid);
        self.log_order(ChangeKind::OpenOrderMoved, number);
        true
    }

    /// Changes a status; what a completed purchase bought is provisioned.
    fn move_order(&mut self, number: u32, status: u8, paid: Option<i64>) {
        let order = &self.maker.truth.orders[at(number)];
        if order.raw.is_some() {
            let id = order.id.to_string();
            self.maker.truth.set_status(&id, status, paid);
            return;
        }
        let provisions = status == 5 && order.kind != 4 && order.resources.is_empty();
        self.happen(ChangeKind::OpenOrderMoved, |upset| {
            match paid {
                Some(paid) if provisions => {
                    upset.maker.settle(number, paid);
                }
                _ => upset.maker.set_status(number, status, paid),
            }
            Vec::new()
        });
    }

    pub fn old_order_is_paid(&mut self) -> bool {
        let before = self.now - DAY;
        let unpaid = |truth: &Truth, number: u32| {
            let order = &truth.orders[at(number)];
            let empty = order.members.is_empty() && order.lines.is_empty() && order.raw.is_none();
            let waits = matches!(order.status, 4 | 6) && order.paid.is_none();
            waits && order.kind == 1 && order.created <= before && !empty
        };
        let Some(number) = self.some_order(unpaid) else { return false };
        let paid = self.now - self.maker.dice.between(0, 60);
        self.move_order(number, 5, Some(paid));
        self.log_order(ChangeKind::OldOrderPaid, number);
        true
    }

    pub fn final_order_changes(&mut self) -> bool {
        if self.maker.dice.percent(50) && self.completed_is_cancelled() {
            return true;
        }
        self.final_costs_more() || self.completed_is_cancelled()
    }

    /// Cancels a completed order nobody got money back for; the resources that only it paid for are closed.
    fn completed_is_cancelled(&mut self) -> bool {
        let suits = |truth: &Truth, number: u32| {
            let order = &truth.orders[at(number)];
            if order.status != 5 || !matches!(order.kind, 1 | 11 | 15) {
                return false;
            }
            let leaves = truth.leaves(number);
            let whole =
                leaves.iter().all(|&leaf| truth.orders[at(leaf)].lines.iter().all(|line| line.refunded == 0));
            let alone = |&resource: &u32| {
                let covers = &truth.resources[at(resource)].covers;
                covers.iter().all(|(order, _)| leaves.contains(order))
            };
            whole && truth.linked(number).iter().all(alone)
        };
        let Some(number) = self.some_order(suits) else { return false };
        let leaves = self.maker.truth.leaves(number);
        for order in leaves.into_iter().filter(|&leaf| leaf != number).chain([number]) {
            let id = self.maker.truth.orders[at(order)].id.to_string();
            self.maker.truth.set_status(&id, 4, None);
        }
        self.log_order(ChangeKind::FinalOrderChanged, number);
        for resource in self.maker.truth.linked(number) {
            if self.maker.truth.resources[at(resource)].status != 3 {
                self.close(resource);
            }
        }
        true
    }

    /// A final order, and one line of it, costs more than it did.
    fn final_costs_more(&mut self) -> bool {
        let suits = |truth: &Truth, number: u32| {
            let order = &truth.orders[at(number)];
            let lines = truth.leaves(number).iter().any(|&leaf| !truth.orders[at(leaf)].lines.is_empty());
            let amount = matches!(order.status, 4 | 5) && order.raw.is_none() && order.amount > 0;
            amount && lines && !truth.is_refund(number) && order.kind != 4
        };
        let Some(number) = self.some_order(suits) else { return false };
        let more = self.maker.dice.between(1, 5_000) * CENT;
        let truth = &mut *self.maker.truth;
        let leaves = truth.leaves(number);
        let leaf = leaves.into_iter().find(|&leaf| !truth.orders[at(leaf)].lines.is_empty());
        let leaf = leaf.unwrap_or(number);
        let both = [leaf, number];
        for &order in &both[usize::from(leaf == number)..] {
            let order = &mut truth.orders[at(order)];
            order.amount += more;
            order.official += more;
        }
        let line = &mut truth.orders[at(leaf)].lines[0];
        line.amount += more;
        line.official += more;
        self.log_order(ChangeKind::FinalOrderChanged, number);
        true
    }
}
