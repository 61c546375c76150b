//! Money that comes back: downgrades, unsubscriptions, switches to pay-per-use, and whose it was.

use std::collections::BTreeMap;

use super::clock::HOUR;
use super::deal::{Maker, share};
use super::truth::{Attribution, Line, at};

/// Why resources are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// Within five days: everything payable comes back, coupons included, no fee.
    FiveDays,
    /// Later: less consumption and a fee; coupons are lost.
    Unsubscribed,
    /// To pay-per-use: the unused part comes back, no fee.
    OnDemand,
}

impl Maker<'_> {
    /// A smaller specification; part of what the running period cost comes back.
    pub fn downgrade(&mut self, number: u32, created: i64) -> Option<u32> {
        let resource = &self.truth.resources[at(number)];
        let covers = resource.covers.iter().rev();
        let (base, position) = covers.copied().find(|&(order, line)| {
            let line = &self.truth.orders[at(order)].lines[usize::from(line)];
            line.effective <= created && created < line.expire
        })?;
        let left = self.left(base, position, Return::Unsubscribed);
        let back = share(left, self.dice.between(5, 25), 100);
        if back == 0 {
            return None;
        }
        let resource = &self.truth.resources[at(number)];
        let line = Line {
            service: resource.service,
            resource: resource.kind,
            spec: resource.spec,
            months: 1,
            attached: !resource.main,
            effective: created + 5,
            expire: resource.expire,
            official: -back,
            amount: -back,
            about: Some(number),
            ..Line::default()
        };
        let attribution = Attribution {
            base,
            service: line.service,
            resource: line.resource,
            region: resource.region,
            amount: -back,
        };
        let mut order = self.blank(resource.customer, 3, created);
        order.status = 5;
        order.paid = Some(created + self.dice.between(0, 5));
        order.service = Some(line.service);
        order.region = attribution.region;
        order.official = -back;
        order.amount = -back;
        order.lines = vec![line];
        order.resources = vec![number];
        order.attributions = vec![attribution];
        self.truth.orders[at(base)].lines[usize::from(position)].refunded += back;
        let order = self.put(order);
        self.truth.resources[at(number)].updated = created + 8;
        Some(order)
    }

    /// What may still come back of a line.
    fn left(&self, order: u32, line: u16, why: Return) -> i64 {
        let order = &self.truth.orders[at(order)];
        let line = &order.lines[usize::from(line)];
        let kept = match why {
            // One unit more than the exact share, so that rounding never gives a coupon back.
            Return::Unsubscribed | Return::OnDemand if order.coupon > 0 => {
                share(order.coupon, line.amount, order.amount) + 1
            }
            Return::FiveDays | Return::Unsubscribed | Return::OnDemand => 0,
        };
        (line.amount - kept - line.refunded).max(0)
    }

    /// Gives resources back; nothing when no money would come back.
    pub fn give_back(&mut self, resources: &[u32], created: i64, why: Return) -> Option<u32> {
        /// Paid, consumed and fee of one (base order, service, resource type).
        type Parts = BTreeMap<(u32, u16, u16), [i64; 3]>;
        let mut parts = Parts::new();
        let mut lines = Vec::new();
        let mut returned = Vec::new();
        let elapsed_too = self.dice.percent(50);
        for &number in resources {
            let resource = &self.truth.resources[at(number)];
            let mut line = Line {
                service: resource.service,
                resource: resource.kind,
                spec: resource.spec,
                attached: !resource.main,
                about: Some(number),
                ..Line::default()
            };
            for &(base, position) in &resource.covers {
                let paid = self.left(base, position, why);
                let cover = &self.truth.orders[at(base)].lines[usize::from(position)];
                let over = created >= cover.expire;
                if paid == 0 || over && (!elapsed_too || why != Return::Unsubscribed) {
                    continue;
                }
                let total = ((cover.expire - cover.effective) / HOUR).max(1);
                let used = ((created - cover.effective) / HOUR).clamp(0, total);
                let consumed = if why == Return::FiveDays { 0 } else { share(paid, used, total) };
                let charged = why == Return::Unsubscribed && used > 0;
                let fee = if charged { share(paid - consumed, 3, 100) } else { 0 };
                let part = parts.entry((base, line.service, line.resource)).or_default();
                for (sum, amount) in part.iter_mut().zip([paid, consumed, fee]) {
                    *sum += amount;
                }
                line.amount += paid - consumed - fee;
                line.consumed += consumed;
                line.fee += fee;
                returned.push((base, position, paid - consumed - fee));
            }
            lines.push(line);
        }
        let net: i64 = lines.iter().map(|line| line.amount).sum();
        if net == 0 {
            return None;
        }
        for (base, position, amount) in returned {
            self.truth.orders[at(base)].lines[usize::from(position)].refunded += amount;
        }
        let first = &self.truth.resources[at(resources[0])];
        let region = first.region;
        let kind = if why == Return::OnDemand { 10 } else { 4 };
        let mut order = self.blank(first.customer, kind, created);
        // The sign of a refund order is not documented, so both occur.
        let sign = if kind == 4 && self.dice.percent(15) { 1 } else { -1 };
        for line in &mut lines {
            line.amount *= sign;
            line.official = line.amount;
        }
        if kind == 4 {
            order.fee = Some(lines.iter().map(|line| line.fee).sum());
            order.consumed = Some(lines.iter().map(|line| line.consumed).sum());
        }
        order.amount = sign * net;
        order.official = order.amount;
        order.region = region;
        order.service = lines.first().map(|line| line.service);
        order.lines = lines;
        order.resources = resources.to_vec();
        order.status = 5;
        order.paid = Some(created + self.dice.between(1, 10));
        for ((base, service, resource), [paid, consumed, fee]) in parts {
            let amounts = self.spell(kind, [paid, consumed, fee]);
            order.attributions.extend(amounts.into_iter().map(|amount| Attribution {
                base,
                service,
                resource,
                region,
                amount,
            }));
        }
        let order = self.put(order);
        for &number in resources {
            let resource = &mut self.truth.resources[at(number)];
            resource.status = 3;
            resource.updated = created + 30;
        }
        Some(order)
    }

    /// The amounts of the attributions of one base order and resource type.
    fn spell(&mut self, kind: u8, [paid, consumed, fee]: [i64; 3]) -> Vec<i64> {
        if kind == 10 {
            return vec![consumed - paid].into_iter().filter(|amount| *amount != 0).collect();
        }
        let mut amounts =
            if self.dice.percent(6) && paid > 1 && paid != 2 { vec![1 - paid, -1] } else { vec![-paid] };
        if consumed == fee {
            // Two rows with the same amount would look like one row loaded twice.
            amounts.push(consumed + fee);
        } else {
            amounts.extend([consumed, fee]);
        }
        amounts.retain(|amount| *amount != 0);
        amounts
    }
}
