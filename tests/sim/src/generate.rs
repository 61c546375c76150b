//! Makes a whole account from a seed: three years of business of several customers.

use super::catalogue::FAMILIES;
use super::clock::{DAY, HOUR};
use super::deal::Maker;
use super::dice::mix;
use super::directory;
use super::giveback::Return;
use super::render::hex_id;
use super::truth::{Line, Truth, at};

/// Account id of the owner, the one the contract's examples use.
pub const OWNER: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// How much to make.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub seed: u64,
    pub orders: usize,
    pub customers: usize,
    /// Purchases made in one second, to have a second with more orders than a page holds.
    pub burst: usize,
    /// Unix seconds; nothing but expiry lies later.
    pub until: i64,
}

/// Makes a truth; the same size gives the same truth.
pub fn generate(size: Size) -> Truth {
    let mut truth = Truth { seed: size.seed, ..Truth::default() };
    truth.customer_or_new(OWNER);
    for customer in 1..size.customers.max(1) {
        truth.customer_or_new(&hex_id(size.seed ^ 0xC057, customer as u64));
    }
    truth.service_types = directory::service_types();
    truth.resource_types = directory::resource_types();
    truth.sub_customers = directory::sub_customers(&truth, size);
    let maker = Maker::new(&mut truth, mix(size.seed) ^ 0xB55);
    let mut account = Account { maker, size, last_start: size.until - 400 * DAY };
    account.fill();
    truth.reindex();
    truth
}

/// An account being filled.
pub(super) struct Account<'t> {
    pub maker: Maker<'t>,
    pub size: Size,
    last_start: i64,
}

impl<'t> Account<'t> {
    /// An existing account that goes on at `until`.
    pub fn resume(truth: &'t mut Truth, seed: u64, until: i64) -> Self {
        let size = Size { seed, orders: usize::MAX, customers: 1, burst: 0, until };
        Self { maker: Maker::new(truth, seed), size, last_start: until }
    }

    fn full(&self) -> bool {
        self.maker.made >= self.size.orders
    }

    fn fill(&mut self) {
        let customers = u32::try_from(self.maker.truth.customers.len()).unwrap_or(1);
        // Every customer has an order, however few there are.
        for customer in 0..customers {
            self.single(customer);
        }
        self.open_business();
        for scenario in 0..9 {
            self.scenario(0, scenario);
        }
        self.burst();
        let mut chains = 0_u64;
        while !self.full() {
            // Roughly a third of the business is the owner's.
            let customer = if self.maker.dice.percent(30) {
                0
            } else {
                u32::try_from(self.maker.dice.below(u64::from(customers))).unwrap_or(0)
            };
            let scenario = match self.maker.dice.below(100) {
                roll @ 0..9 => roll,
                _ => 9,
            };
            self.scenario(customer, scenario);
            chains += 1;
            if chains % 2_000 == 100 {
                self.large(customer);
            }
        }
    }

    /// When the next piece of business starts; now and then in the very second of the last one.
    fn start(&mut self) -> i64 {
        let dice = &mut self.maker.dice;
        if !dice.percent(3) {
            self.last_start = self.size.until - dice.between(2 * HOUR, 3 * 365 * DAY);
        }
        self.last_start
    }

    fn family(&mut self) -> usize {
        let all = FAMILIES.len() as u64;
        let dice = &mut self.maker.dice;
        let pick = if dice.percent(60) { dice.below(3) } else { dice.below(all) };
        usize::try_from(pick).unwrap_or(0)
    }

    fn months(&mut self) -> u8 {
        self.maker.dice.pick(&[1, 1, 1, 1, 1, 3, 3, 6, 12, 12, 24])
    }

    fn bought_lines(&mut self) -> Vec<Line> {
        let (family, months) = (self.family(), self.months());
        let mains = if self.maker.dice.percent(15) { 2 } else { 1 };
        let extras = if mains == 1 { 4 } else { 1 };
        self.maker.lines(family, months, mains, extras)
    }

    fn payment(&mut self, created: i64) -> i64 {
        let dice = &mut self.maker.dice;
        let wait = if dice.percent(85) { dice.between(0, 300) } else { dice.between(300, DAY) };
        (created + wait).min(self.size.until - 60).max(created)
    }

    /// A paid purchase of `kind`; its resources.
    pub fn buy(&mut self, customer: u32, kind: u8, created: i64) -> Vec<u32> {
        let lines = self.bought_lines();
        let order = self.maker.place(customer, kind, created, lines);
        let paid = self.payment(created);
        self.maker.settle(order, paid)
    }

    fn single(&mut self, customer: u32) {
        if !self.full() {
            let start = self.start();
            let resources = self.buy(customer, 1, start);
            let now = self.size.until;
            let expired = |resource: &&u32| self.maker.truth.resources[at(**resource)].expire <= now;
            let out: Vec<u32> = resources.iter().filter(expired).copied().collect();
            self.maker.run_out(&out, now);
        }
    }

    /// A piece of business from its first order to its end or to now.
    fn scenario(&mut self, customer: u32, scenario: u64) {
        if self.full() {
            return;
        }
        let created = self.start();
        match scenario {
            0 => {
                let count = usize::try_from(self.maker.dice.between(2, 4)).unwrap_or(2);
                let families: Vec<usize> = (0..count).map(|_| self.family()).collect();
                let order = self.maker.place_combined(customer, created, &families);
                let paid = self.payment(created);
                let resources = self.maker.settle(order, paid);
                self.live(resources);
            }
            1 => self.trial(customer, created),
            2 => {
                let resources = self.buy(customer, 11, created);
                self.live(resources);
            }
            3 => self.adjustment(customer, created),
            4 | 5 => {
                let lines = self.bought_lines();
                let order = self.maker.place(customer, 1, created, lines);
                let deadline = created + 7 * DAY;
                self.maker.truth.orders[at(order)].pay_until = Some(deadline);
                self.maker.set_status(order, 4, None);
            }
            6 => {
                let resources = self.buy(customer, 1, created);
                let effective = self.maker.truth.resources[at(resources[0])].effective;
                let when = effective + self.maker.dice.between(HOUR, 4 * DAY);
                if when < self.size.until - HOUR && !self.full() {
                    self.maker.give_back(&resources, when, Return::FiveDays);
                } else {
                    self.live(resources);
                }
            }
            7 => self.changed(customer, created),
            _ => {
                let resources = self.buy(customer, 1, created);
                self.live(resources);
            }
        }
    }

    fn trial(&mut self, customer: u32, created: i64) {
        let family = self.family();
        let mut lines = self.maker.lines(family, 1, 1, 0);
        for line in &mut lines {
            line.official = 0;
            line.amount = 0;
        }
        let mut order = self.maker.blank(customer, 13, created);
        order.service = lines.first().map(|line| line.service);
        order.lines = lines;
        let order = self.maker.put(order);
        let resources = self.maker.settle(order, created + 1);
        let when = created + self.maker.dice.between(DAY, 20 * DAY);
        if when < self.size.until && !self.full() && self.maker.dice.percent(70) {
            let months = self.months();
            self.maker.renew(14, &resources, when, months);
            self.live(resources);
        } else {
            let closed = &mut self.maker.truth.resources[at(resources[0])];
            closed.status = 3;
            closed.updated = closed.effective + DAY;
        }
    }

    fn adjustment(&mut self, customer: u32, created: i64) {
        let family = self.family();
        let mut lines = self.maker.lines(family, 1, 1, 0);
        for line in &mut lines {
            line.official = self.maker.dice.between(1, 5_000_000_000);
            line.amount = line.official;
        }
        let order = self.maker.place(customer, 15, created, lines);
        let paid = self.payment(created);
        self.maker.set_status(order, 5, Some(paid));
    }

    /// A yearly purchase with an upgrade, a downgrade and a switch to pay-per-use.
    fn changed(&mut self, customer: u32, created: i64) {
        let family = self.family();
        let lines = self.maker.lines(family, 12, 1, 1);
        let order = self.maker.place(customer, 1, created, lines);
        let paid = self.payment(created);
        let resources = self.maker.settle(order, paid);
        let mut when = paid + self.maker.dice.between(6 * DAY, 60 * DAY);
        if when < self.size.until && !self.full() {
            self.maker.upgrade(resources[0], when);
        }
        when += self.maker.dice.between(2 * DAY, 60 * DAY);
        if when < self.size.until && !self.full() {
            self.maker.downgrade(resources[0], when);
        }
        when += self.maker.dice.between(2 * DAY, 60 * DAY);
        if when < self.size.until && !self.full() {
            self.maker.give_back(&resources, when, Return::OnDemand);
        } else {
            self.live(resources);
        }
    }

    /// Lets resources that expire together live on: renewals, changes, unsubscriptions, expiry.
    fn live(&mut self, mut resources: Vec<u32>) {
        let until = self.size.until;
        loop {
            // Members of a combined trade may differ in nothing but their family, so one stands for all.
            let first = &self.maker.truth.resources[at(resources[0])];
            let (from, expire, auto) = (first.updated, first.expire, first.policy == 3);
            let when = from + DAY + self.maker.dice.between(0, (expire - from - 3 * DAY).max(1));
            if when < until && when < expire - DAY && !self.full() {
                match self.maker.dice.below(100) {
                    0..5 => {
                        self.maker.upgrade(resources[0], when);
                    }
                    5..9 => {
                        self.maker.downgrade(resources[0], when);
                    }
                    9..14 if self.returned(&resources, when, Return::Unsubscribed) => return,
                    14..19 if resources.len() > 1 => {
                        let part = [resources[resources.len() - 1]];
                        if self.maker.give_back(&part, when, Return::Unsubscribed).is_some() {
                            resources.pop();
                        }
                    }
                    19..21 if self.returned(&resources, when, Return::OnDemand) => return,
                    _ => {}
                }
            }
            let dice = &mut self.maker.dice;
            // Automatic renewal runs in the night before expiry; people also renew in the grace period.
            let when = if auto {
                (expire - dice.between(5, 20) * HOUR) / HOUR * HOUR
            } else {
                expire + dice.between(-20 * HOUR, 6 * DAY)
            };
            let stays = dice.percent(if auto { 96 } else { 72 });
            if when < until && stays && !self.full() {
                let months = self.months();
                self.maker.renew(2, &resources, when, months);
            } else {
                if expire <= until {
                    self.maker.run_out(&resources, until);
                }
                return;
            }
        }
    }

    fn returned(&mut self, resources: &[u32], when: i64, why: Return) -> bool {
        self.maker.give_back(resources, when, why).is_some()
    }

    /// Business that is under way now: every status that can still change.
    fn open_business(&mut self) {
        let orders = self.size.orders;
        if orders < 40 {
            return;
        }
        let often = (orders / 250).clamp(1, 400);
        let rarely = (orders / 4_000).clamp(1, 20);
        for status in [6, 3, 1, 9, 2, 10, 11, 12, 13] {
            let count = if matches!(status, 3 | 6) { often } else { rarely };
            for _ in 0..count {
                self.open_order(0, status, self.size.until);
            }
        }
    }

    /// One order that waits in `status` at `now`.
    pub fn open_order(&mut self, customer: u32, status: u8, now: i64) -> u32 {
        let created = now - self.maker.dice.between(60, 6 * DAY);
        if status == 2 {
            let bought = created - self.maker.dice.between(10 * DAY, 20 * DAY);
            let lines = self.maker.lines(0, 1, 1, 1);
            let order = self.maker.place(customer, 1, bought, lines);
            let resources = self.maker.settle(order, bought + 30);
            if let Some(refund) = self.maker.give_back(&resources, created, Return::Unsubscribed) {
                self.maker.set_status(refund, 2, None);
                return refund;
            }
            return order;
        }
        let lines = if status < 10 { self.bought_lines() } else { self.maker.lines(1, 12, 1, 1) };
        let order = self.maker.place(customer, 1, created, lines);
        if status == 6 {
            self.maker.truth.orders[at(order)].pay_until = Some(created + 7 * DAY);
        }
        let paid = matches!(status, 3 | 10..).then(|| created + self.maker.dice.between(1, 50));
        self.maker.set_status(order, status, paid);
        order
    }

    /// An order with more lines than a page holds.
    fn large(&mut self, customer: u32) {
        if self.full() || self.size.orders < 500 {
            return;
        }
        let created = self.start();
        let count = usize::try_from(self.maker.dice.between(101, 140)).unwrap_or(137);
        let lines = self.maker.lines(11, 12, count, 0);
        let order = self.maker.place(customer, 1, created, lines);
        let paid = self.payment(created);
        let resources = self.maker.settle(order, paid);
        let expire = self.maker.truth.resources[at(resources[0])].expire;
        if expire <= self.size.until {
            self.maker.run_out(&resources, self.size.until);
        }
    }

    fn burst(&mut self) {
        let created = self.size.until - 45 * DAY;
        for _ in 0..self.size.burst {
            if !self.full() {
                let lines = self.maker.lines(2, 12, 1, 0);
                let order = self.maker.place(0, 1, created, lines);
                self.maker.settle(order, created + 20);
            }
        }
    }
}
