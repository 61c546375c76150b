//! The business events of an account, with money that adds up: buy, pay, renew, enlarge.

use super::catalogue::{self, FAMILIES, RESOURCES};
use super::clock::{self, DAY};
use super::dice::{Dice, mix};
use super::render::uuid;
use super::truth::{Line, Order, Resource, Truth, at};

/// One cent in our units.
const CENT: i64 = 1_000_000;

/// `part` of `whole` applied to `amount`, rounded down, without overflow on the way.
pub fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    let exact = i128::from(amount) * i128::from(part) / i128::from(whole);
    i64::try_from(exact).unwrap_or(0)
}

/// Makes events happen in a `Truth`.
pub struct Maker<'t> {
    pub truth: &'t mut Truth,
    pub dice: Dice,
    /// Orders made so far that stand in the list.
    pub made: usize,
    mains: Vec<u16>,
    attached: Vec<Vec<u16>>,
    /// List price of a month, by resource type, in our units.
    prices: Vec<i64>,
}

impl<'t> Maker<'t> {
    pub fn new(truth: &'t mut Truth, seed: u64) -> Self {
        let mut prices = vec![3_000 * CENT; RESOURCES.len()];
        let (mut mains, mut attached) = (Vec::new(), Vec::new());
        for family in &FAMILIES {
            let main = catalogue::resource(family.main);
            prices[usize::from(main)] = family.cents * CENT;
            mains.push(main);
            let mut codes = Vec::new();
            for &(code, cents) in family.attached {
                let resource = catalogue::resource(code);
                if !mains.contains(&resource) {
                    prices[usize::from(resource)] = cents * CENT;
                }
                codes.push(resource);
            }
            attached.push(codes);
        }
        Self { truth, dice: Dice::new(seed), made: 0, mains, attached, prices }
    }

    /// An order without lines: who, what, when, and how its row will look.
    pub fn blank(&mut self, customer: u32, kind: u8, created: i64) -> Order {
        let dice = &mut self.dice;
        let projects = match dice.below(10) {
            0..=4 => vec![u8::try_from(dice.below(6)).unwrap_or(0)],
            5 => vec![1, 2],
            _ => Vec::new(),
        };
        Order {
            customer,
            kind,
            created,
            status: 6,
            source: dice.pick(&[1, 1, 1, 1, 1, 1, 2, 3, 4, 6]),
            region: u8::try_from(dice.below(6)).unwrap_or(0),
            projects,
            contract: dice.percent(10),
            agent: dice.percent(4),
            look: dice.next(),
            ..Order::default()
        }
    }

    /// Gives the order its id and adds it.
    pub fn put(&mut self, mut order: Order) -> u32 {
        // 29 341 693 is prime and so has no factor in common with 36^5: every number gives another code.
        const CODES: u64 = 36 * 36 * 36 * 36 * 36;
        let number = self.truth.orders.len() as u64;
        let mut code = (number * 29_341_693 + mix(self.truth.seed) % CODES) % CODES;
        let mut id = String::with_capacity(17);
        id.push_str("CS");
        clock::push_stamp(&mut id, order.created);
        for _ in 0..5 {
            let digit = u32::try_from(code % 36).unwrap_or(0);
            id.push(char::from_digit(digit, 36).unwrap_or('0').to_ascii_uppercase());
            code /= 36;
        }
        order.id = id.into_boxed_str();
        if order.parent.is_none() {
            self.made += 1;
        }
        self.truth.insert(order)
    }

    /// Lines for `mains` main resources of a family, each with some attached ones, at list price.
    pub fn lines(&mut self, family: usize, months: u8, mains: usize, extras: u64) -> Vec<Line> {
        let mut lines = Vec::new();
        let spec = u8::try_from(self.dice.below(FAMILIES[family].specs.len() as u64)).unwrap_or(0);
        for _ in 0..mains {
            lines.push(self.line(self.mains[family], spec, months, &Line::default()));
            let count = self.attached[family].len() as u64;
            let extras = if count == 0 { 0 } else { self.dice.below(extras + 1) };
            for _ in 0..extras {
                let pick = self.attached[family][at(u32::try_from(self.dice.below(count)).unwrap_or(0))];
                lines.push(self.line(pick, 0, months, &Line { attached: true, ..Line::default() }));
            }
        }
        lines
    }

    fn line(&self, resource: u16, spec: u8, months: u8, rest: &Line) -> Line {
        let dearer = 100 + 60 * i64::from(spec);
        let official = self.prices[usize::from(resource)] / 100 * dearer * i64::from(months);
        let service = catalogue::service_of(resource);
        Line { service, resource, spec, months, official, amount: official, ..rest.clone() }
    }

    /// Discounts, coupons and cards; afterwards the lines add up to the order to the last digit.
    pub fn price(&mut self, order: &mut Order) {
        const KINDS: [u16; 7] = [605, 605, 200, 700, 600, 607, 900];
        let dice = &mut self.dice;
        if dice.percent(10) {
            for line in &mut order.lines {
                line.official += dice.between(1, CENT - 1);
            }
        }
        let official: i64 = order.lines.iter().map(|line| line.official).sum();
        let mut discount = 0;
        if dice.percent(50) {
            discount = share(official, dice.between(5, 40), 100);
            if dice.percent(80) {
                discount -= discount % CENT;
            }
            let (first, second) = (dice.pick(&KINDS), share(discount, dice.between(1, 9), 10));
            if dice.percent(15) && second > 0 {
                order.discounts = vec![(first, discount - second), (610, second)];
            } else {
                order.discounts = vec![(first, discount)];
            }
        }
        let mut left = discount;
        let last = order.lines.len().saturating_sub(1);
        for (position, line) in order.lines.iter_mut().enumerate() {
            let part = if position == last { left } else { share(discount, line.official, official) };
            line.amount = line.official - part;
            left -= part;
        }
        order.official = official;
        order.amount = official - discount;
        let part = |amount: i64, percent: i64| {
            let part = share(amount, percent, 100);
            part - part % CENT
        };
        if dice.percent(15) {
            order.coupon = part(order.amount, dice.between(5, 30));
        }
        if dice.percent(4) {
            order.flexi = part(order.amount, dice.between(1, 20));
        }
        if dice.percent(3) {
            order.card = part(order.amount, dice.between(1, 20));
        }
        if dice.percent(5) && order.coupon > 0 {
            // Promotional vouchers stand among the discounts without lowering the price.
            order.discounts.push((301, order.coupon));
        }
    }

    /// Places an order of one family, not yet paid.
    pub fn place(&mut self, customer: u32, kind: u8, created: i64, lines: Vec<Line>) -> u32 {
        let mut order = self.blank(customer, kind, created);
        order.service = lines.first().map(|line| line.service);
        order.lines = lines;
        self.price(&mut order);
        self.put(order)
    }

    /// Places a combined trade of one family per member.
    pub fn place_combined(&mut self, customer: u32, created: i64, families: &[usize]) -> u32 {
        let parent = self.blank(customer, 1, created);
        let parent = self.put(parent);
        let mut members = Vec::new();
        for &family in families {
            let mut order = self.blank(customer, 1, created);
            order.lines = self.lines(family, 12, 1, 2);
            order.service = order.lines.first().map(|line| line.service);
            order.parent = Some(parent);
            order.agent = false;
            self.price(&mut order);
            members.push(self.put(order));
        }
        let mut whole = Order::default();
        for &member in &members {
            let member = &self.truth.orders[at(member)];
            whole.official += member.official;
            whole.amount += member.amount;
            whole.coupon += member.coupon;
            whole.flexi += member.flexi;
            whole.card += member.card;
            whole.discounts.extend(member.discounts.iter().copied());
        }
        self.truth.change(parent, |order| {
            order.official = whole.official;
            order.amount = whole.amount;
            order.coupon = whole.coupon;
            order.flexi = whole.flexi;
            order.card = whole.card;
            order.discounts = whole.discounts;
            order.members = members;
        });
        parent
    }

    /// Sets the status of an order and of its members.
    pub fn set_status(&mut self, number: u32, status: u8, paid: Option<i64>) {
        let members = self.truth.orders[at(number)].members.clone();
        for number in members.into_iter().chain([number]) {
            self.truth.change(number, |order| {
                order.status = status;
                order.paid = paid;
            });
        }
    }

    /// Pays and completes an order; what it bought is provisioned.
    pub fn settle(&mut self, number: u32, paid: i64) -> Vec<u32> {
        self.set_status(number, 5, Some(paid));
        let leaves = self.truth.leaves(number);
        leaves.into_iter().flat_map(|leaf| self.provision(leaf, paid)).collect()
    }

    fn provision(&mut self, number: u32, paid: i64) -> Vec<u32> {
        let effective = paid + self.dice.between(10, 60);
        let policy = self.dice.pick(&[0, 0, 1, 2, 3, 3, 3, 4, 5]);
        let mut order = std::mem::take(&mut self.truth.orders[at(number)]);
        let mut made = Vec::new();
        let mut main = None;
        for (position, line) in order.lines.iter_mut().enumerate() {
            line.effective = effective;
            line.expire = clock::months_later(effective, i64::from(line.months));
            let sized = RESOURCES[usize::from(line.resource)].0.ends_with("volume");
            let size = sized.then(|| self.dice.pick(&[40, 100, 500, 1_000]) * 100_000_000);
            let fraction = if self.dice.percent(10) { 50_000_000 } else { 0 };
            let resource = Resource {
                id: uuid(self.truth.seed, self.truth.resources.len() as u64).into(),
                customer: order.customer,
                service: line.service,
                kind: line.resource,
                spec: line.spec,
                region: order.region,
                parent: main.filter(|_| line.attached),
                main: !line.attached,
                status: 2,
                effective,
                expire: line.expire,
                policy,
                size: size.map(|size| size + fraction),
                project: order.projects.first().copied(),
                updated: effective + 3,
                look: self.dice.next(),
                covers: vec![(number, u16::try_from(position).unwrap_or(0))],
                ..Resource::default()
            };
            let resource = self.truth.insert_resource(resource);
            if !line.attached {
                main = Some(resource);
            }
            line.about = Some(resource);
            order.resources.push(resource);
            made.push(resource);
        }
        self.truth.orders[at(number)] = order;
        made
    }

    /// Renews resources from their expiry on (`kind` 2), or turns trials into paid ones (14).
    pub fn renew(&mut self, kind: u8, resources: &[u32], created: i64, months: u8) -> u32 {
        let first = &self.truth.resources[at(resources[0])];
        let mut order = self.blank(first.customer, kind, created);
        let paid = created + self.dice.between(0, 90);
        order.region = self.truth.resources[at(resources[0])].region;
        if self.truth.resources[at(resources[0])].policy == 3 && kind == 2 {
            order.source = 8;
        }
        order.status = 5;
        order.paid = Some(paid);
        for &number in resources {
            let resource = &self.truth.resources[at(number)];
            let from = if kind == 2 { resource.expire } else { paid };
            let rest = Line {
                attached: !resource.main,
                effective: from,
                expire: clock::months_later(from, i64::from(months)),
                about: Some(number),
                ..Line::default()
            };
            order.lines.push(self.line(resource.kind, resource.spec, months, &rest));
        }
        order.service = order.lines.first().map(|line| line.service);
        order.resources = resources.to_vec();
        self.price(&mut order);
        let order = self.put(order);
        for (position, &number) in resources.iter().enumerate() {
            let expire = self.truth.orders[at(order)].lines[position].expire;
            let resource = &mut self.truth.resources[at(number)];
            resource.expire = expire;
            resource.updated = paid + 3;
            resource.status = 2;
            resource.covers.push((order, u16::try_from(position).unwrap_or(0)));
        }
        order
    }

    /// A larger specification for the rest of the term, for more money.
    pub fn upgrade(&mut self, number: u32, created: i64) -> u32 {
        let resource = &self.truth.resources[at(number)];
        let (customer, expire, region) = (resource.customer, resource.expire, resource.region);
        let rest = Line {
            attached: !resource.main,
            effective: created + 5,
            expire,
            about: Some(number),
            ..Line::default()
        };
        let mut line = self.line(resource.kind, resource.spec.wrapping_add(1) % 3, 1, &rest);
        let days = ((expire - created) / DAY).clamp(1, 800);
        line.official = share(line.official, days, 90).max(CENT);
        line.amount = line.official;
        let mut order = self.blank(customer, 3, created);
        order.status = 5;
        order.paid = Some(created + self.dice.between(0, 5));
        order.service = Some(line.service);
        order.region = region;
        order.lines = vec![line];
        order.resources = vec![number];
        self.price(&mut order);
        let order = self.put(order);
        let resource = &mut self.truth.resources[at(number)];
        resource.covers.push((order, 0));
        resource.spec = resource.spec.wrapping_add(1) % 3;
        resource.updated = created + 8;
        order
    }

    /// Lets resources run out: expired, then frozen, then closed, by how long ago that was.
    pub fn run_out(&mut self, resources: &[u32], now: i64) {
        for &number in resources {
            let resource = &mut self.truth.resources[at(number)];
            let days = (now - resource.expire) / DAY;
            let (status, after) = match days {
                0..15 => (5, 1),
                15..30 => (4, 15 * DAY),
                _ => (3, 30 * DAY),
            };
            resource.status = status;
            resource.updated = resource.expire + after;
        }
    }
}
