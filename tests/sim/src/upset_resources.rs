//! Resources that come, leave or change, without an order that says so.

use super::catalogue::FAMILIES;
use super::clock::{self, DAY};
use super::json::with_field;
use super::render::uuid;
use super::truth::{Resource, Truth, at};
use super::upset::{ChangeKind, Upset};

impl Upset<'_> {
    /// A resource nobody ordered, as the vendor gives by contract.
    pub fn resource_comes(&mut self) -> bool {
        let family = self.below(FAMILIES.len());
        let lines = self.maker.lines(family, 1, 1, 0);
        let Some(line) = lines.first() else { return false };
        let effective = self.now - self.maker.dice.between(2, 20 * DAY);
        let months = self.maker.dice.pick(&[1, 3, 12]);
        let customer = self.some_customer();
        let truth = &mut *self.maker.truth;
        let resource = Resource {
            id: uuid(truth.seed, truth.resources.len() as u64).into(),
            customer,
            service: line.service,
            kind: line.resource,
            spec: line.spec,
            main: true,
            status: 2,
            effective,
            // Not over yet, however short the month.
            expire: clock::months_later(effective, months).max(self.now + DAY),
            updated: self.now,
            look: self.maker.dice.next(),
            ..Resource::default()
        };
        let number = truth.insert_resource(resource);
        self.log_resource(ChangeKind::ResourceCame, number);
        true
    }

    /// A resource leaves, and what is attached to it.
    pub fn resource_leaves(&mut self) -> bool {
        let Some(number) = self.some_resource(|_, _| true) else { return false };
        self.take_resource(number);
        true
    }

    pub fn take_resource(&mut self, number: u32) {
        let resources = self.maker.truth.resources.iter().zip(0_u32..);
        let attached =
            resources.filter(|(row, n)| !row.is_gone() && (row.parent == Some(number) || *n == number));
        let numbers: Vec<u32> = attached.map(|(_, n)| n).collect();
        for number in numbers {
            self.log_resource(ChangeKind::ResourceLeft, number);
            let id = self.maker.truth.resources[at(number)].id.to_string();
            self.maker.truth.remove_resource(&id);
        }
    }

    /// The vendor closes a resource.
    pub fn close(&mut self, number: u32) {
        self.edit(number, "status", "3", |row| row.status = 3);
    }

    pub fn resource_changes(&mut self) -> bool {
        let roll = self.maker.dice.below(4);
        let suits = |truth: &Truth, number: u32| {
            let row = &truth.resources[at(number)];
            match roll {
                // Expired, frozen, closed.
                0 => matches!(row.status, 4 | 5),
                1 => row.status == 2 && row.raw.is_none(),
                2 => row.raw.is_none(),
                _ => true,
            }
        };
        let picked = self.some_resource(suits);
        let Some(number) = picked.or_else(|| self.some_resource(|_, _| true)) else { return false };
        let row = &self.maker.truth.resources[at(number)];
        match roll {
            0 if picked.is_some() => {
                let status = row.status - 1;
                self.edit(number, "status", &status.to_string(), |row| row.status = status);
            }
            1 if picked.is_some() => {
                // Days given as a compensation.
                let expire = row.expire + DAY;
                let text = format!("\"{}\"", clock::text(expire));
                self.edit(number, "expire_time", &text, |row| row.expire = expire);
            }
            2 if picked.is_some() => {
                let policy = if row.policy == 3 { 0 } else { 3 };
                self.edit(number, "expire_policy", &policy.to_string(), |row| row.policy = policy);
            }
            _ => {
                let name = format!("renamed-{:08}", self.maker.dice.below(100_000_000));
                let text = format!("\"{name}\"");
                self.edit(number, "resource_name", &text, |row| row.name = Some(name.into()));
            }
        }
        true
    }

    /// Changes a resource, and the text of a hand-written one.
    fn edit(&mut self, number: u32, field: &str, value: &str, change: impl FnOnce(&mut Resource)) {
        let now = self.now;
        let row = &mut self.maker.truth.resources[at(number)];
        change(row);
        row.updated = now;
        if let Some(raw) = &mut row.raw {
            *raw = with_field(raw, field, value).into();
        }
        self.log_resource(ChangeKind::ResourceChanged, number);
    }
}
