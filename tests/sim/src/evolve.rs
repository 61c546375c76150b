//! Lets an account live on: what was open moves, new business comes, some of it is given back.

use super::clock::{DAY, HOUR};
use super::deal::Maker;
use super::dice::mix;
use super::generate::Account;
use super::giveback::Return;
use super::truth::{Truth, at};

/// Ids of the orders that are new or changed, by what happened to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evolved {
    /// New orders of all kinds; refunds and renewals are among them.
    pub new: Vec<String>,
    /// Were waiting for payment, are paid.
    pub paid: Vec<String>,
    /// Are completed since this evolution, paid before or now.
    pub completed: Vec<String>,
    pub cancelled: Vec<String>,
    /// Went to another status that is not final.
    pub moved: Vec<String>,
    /// New unsubscriptions and downgrades.
    pub refunds: Vec<String>,
    pub renewals: Vec<String>,
    /// Resources that are new or changed.
    pub resources: Vec<String>,
}

impl Truth {
    /// Lets the account live on until `at`, unix seconds. The same calls on the same truth do the same.
    pub fn evolve(&mut self, now: i64) -> Evolved {
        self.evolutions += 1;
        let seed = mix(self.seed ^ mix(self.evolutions) ^ now.unsigned_abs());
        let before = self.orders.len();
        let mut summary = Evolved::default();
        let mut account = Account::resume(self, seed, now);
        account.move_open_orders(now, &mut summary);
        let mut touched = account.new_business(now);
        let truth = &account.maker.truth;
        let id = |number: u32| truth.orders[at(number)].id.to_string();
        for number in before..truth.orders.len() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let order = &truth.orders[at(number)];
            touched.extend(&order.resources);
            if order.parent.is_some() {
                continue;
            }
            summary.new.push(id(number));
            if truth.is_refund(number) {
                summary.refunds.push(id(number));
            }
            if order.kind == 2 {
                summary.renewals.push(id(number));
            }
        }
        touched.sort_unstable();
        touched.dedup();
        let ids = touched.into_iter().map(|number| truth.resources[at(number)].id.to_string());
        summary.resources.extend(ids);
        summary
    }
}

impl Account<'_> {
    fn move_open_orders(&mut self, now: i64, summary: &mut Evolved) {
        let count = u32::try_from(self.maker.truth.orders.len()).unwrap_or(u32::MAX);
        let open: Vec<u32> = (0..count)
            .filter(|&number| {
                let order = &self.maker.truth.orders[at(number)];
                let moves = !matches!(order.status, 4 | 5) && order.created < now;
                moves && order.parent.is_none() && !order.gone && order.raw.is_none()
            })
            .collect();
        for (position, number) in open.into_iter().enumerate() {
            let order = &self.maker.truth.orders[at(number)];
            let (id, status, paid, created) = (order.id.to_string(), order.status, order.paid, order.created);
            let late = order.pay_until.is_some_and(|until| until < now);
            let roll = self.maker.dice.below(100);
            // The first open order always moves, so that no evolution is without a change.
            let stays = position > 0 && roll >= 60;
            let when = (now - self.maker.dice.between(1, 600)).max(created);
            match status {
                6 if late => {
                    self.maker.set_status(number, 4, None);
                    summary.cancelled.push(id);
                }
                _ if stays => {}
                6 if roll < 20 => {
                    self.maker.set_status(number, 4, None);
                    summary.cancelled.push(id);
                }
                6 => {
                    let made = self.maker.settle(number, when);
                    summary.resources.extend(self.ids(&made));
                    summary.paid.push(id.clone());
                    summary.completed.push(id);
                }
                2 => {
                    self.maker.set_status(number, 5, Some(when));
                    summary.completed.push(id);
                }
                3 => {
                    let made = self.maker.settle(number, paid.unwrap_or(when));
                    summary.resources.extend(self.ids(&made));
                    summary.completed.push(id);
                }
                1 | 9 => {
                    self.maker.set_status(
                        number,
                        if status == 1 { 6 } else { 3 },
                        match status {
                            1 => None,
                            _ => Some(when),
                        },
                    );
                    summary.moved.push(id);
                }
                10 => {
                    self.maker.set_status(number, 11, paid);
                    summary.moved.push(id);
                }
                11 if roll.is_multiple_of(2) => {
                    let made = self.maker.settle(number, paid.unwrap_or(when));
                    summary.resources.extend(self.ids(&made));
                    summary.completed.push(id);
                }
                11 => {
                    self.maker.set_status(number, 12, paid);
                    summary.moved.push(id);
                }
                // Hardware on its way back or being exchanged takes longer than tests run.
                _ => {}
            }
        }
    }

    fn ids(&self, resources: &[u32]) -> Vec<String> {
        resources.iter().map(|&n| self.maker.truth.resources[at(n)].id.to_string()).collect()
    }

    /// New orders of all kinds just before `now`; the resources they touched besides their own.
    fn new_business(&mut self, now: i64) -> Vec<u32> {
        let customers = self.maker.truth.customers.len() as u64;
        let mut touched = self.expire(now);
        let count = self.maker.dice.between(3, 7);
        for purchase in 0..count {
            let customer = if purchase == 0 { 0 } else { self.maker.dice.below(customers) };
            let customer = u32::try_from(customer).unwrap_or(0);
            let created = now - self.maker.dice.between(300, 900);
            self.size.until = now;
            self.buy(customer, 1, created);
        }
        let order = self.open_order(0, 6, now);
        let created = now - 30;
        self.maker.truth.change(order, |order| {
            order.created = created;
            order.pay_until = Some(created + 7 * DAY);
        });
        if let Some(number) = self.running(now, |expire| expire > now + 2 * DAY) {
            touched.push(number);
            self.maker.give_back(&[number], now - 120, Return::Unsubscribed);
        }
        if let Some(number) = self.running(now, |expire| expire > now + 2 * DAY) {
            touched.push(number);
            self.maker.downgrade(number, now - 90);
        }
        let due = self.running(now, |expire| expire < now + 20 * HOUR);
        if let Some(number) = due.or_else(|| self.running(now, |_| true)) {
            touched.push(number);
            self.maker.renew(2, &[number], now - 240, 1);
        }
        touched
    }

    /// Resources that ran out, froze or closed since they were last looked at.
    fn expire(&mut self, now: i64) -> Vec<u32> {
        let resources = &self.maker.truth.resources;
        let over: Vec<u32> = (0..u32::try_from(resources.len()).unwrap_or(u32::MAX))
            .filter(|&number| {
                let row = &resources[at(number)];
                row.status != 3 && row.expire <= now && row.raw.is_none()
            })
            .collect();
        let statuses = |maker: &Maker<'_>| -> Vec<u8> {
            over.iter().map(|&number| maker.truth.resources[at(number)].status).collect()
        };
        let before = statuses(&self.maker);
        self.maker.run_out(&over, now);
        let after = statuses(&self.maker);
        let changed = over.iter().zip(before.iter().zip(&after)).filter(|(_, (old, new))| old != new);
        changed.map(|(&number, _)| number).collect()
    }

    /// A main resource of the owner that is in use and was paid for before anything happened now, whose expiry suits.
    fn running(&mut self, now: i64, suits: impl Fn(i64) -> bool) -> Option<u32> {
        let truth = &self.maker.truth;
        let found: Vec<u32> = (0..u32::try_from(truth.resources.len()).unwrap_or(u32::MAX))
            .filter(|&number| {
                let row = &truth.resources[at(number)];
                let paid = row
                    .covers
                    .iter()
                    .any(|&(order, line)| truth.orders[at(order)].lines[usize::from(line)].amount > 0);
                let is_older = row.updated <= now - 600;
                row.customer == 0 && row.main && row.status == 2 && paid && is_older && suits(row.expire)
            })
            .collect();
        let pick = self.maker.dice.below(found.len() as u64);
        found.get(usize::try_from(pick).unwrap_or(0)).copied()
    }
}
