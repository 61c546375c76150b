//! An account with breaks made on purpose, each known by the check that must find it and by its key.

use super::clock::{self, DAY};
use super::deal::Maker;
use super::dice::mix;
use super::truth::{Attribution, Line, Order, Resource, Truth, at};

/// One unit of currency.
const ONE: i64 = 100_000_000;

/// A break that was made on purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seeded {
    pub check: &'static str,
    pub key: String,
}

impl Truth {
    /// Adds orders that contradict themselves or each other, of the months before `until`. What is there stays sane.
    pub fn make_inconsistent(&mut self, until: i64) {
        let seed = mix(self.seed) ^ 0xBAD;
        let mut breaker = Breaker { maker: Maker::new(self, seed), until, days: 30, seeded: Vec::new() };
        breaker.break_refunds();
        breaker.break_orders();
        breaker.break_times();
        breaker.break_resources();
        breaker.break_codes();
        let seeded = breaker.seeded;
        self.seeded.extend(seeded);
    }

    /// Rewrites what was served before: for a second reading.
    pub fn rewrite_history(&mut self, until: i64) {
        let seed = mix(self.seed) ^ 0x1DE;
        let mut breaker = Breaker { maker: Maker::new(self, seed), until, days: 0, seeded: Vec::new() };
        breaker.rewrite();
        let seeded = breaker.seeded;
        self.seeded.extend(seeded);
    }

    /// The breaks that were made on purpose.
    pub fn seeded(&self) -> &[Seeded] {
        &self.seeded
    }
}

struct Breaker<'t> {
    maker: Maker<'t>,
    until: i64,
    /// Each purchase is made some days before the last one.
    days: i64,
    seeded: Vec<Seeded>,
}

impl Breaker<'_> {
    fn seed(&mut self, check: &'static str, key: impl Into<String>) {
        self.seeded.push(Seeded { check, key: key.into() });
    }

    fn id(&self, order: u32) -> String {
        self.maker.truth.orders[at(order)].id.to_string()
    }

    fn price(&self, order: u32) -> i64 {
        self.maker.truth.orders[at(order)].amount
    }

    /// The month, in UTC+8, of an order's event.
    fn month(&self, order: u32) -> String {
        let order = &self.maker.truth.orders[at(order)];
        clock::text(order.paid.unwrap_or(order.created) + 8 * 3_600)[..7].to_owned()
    }

    /// An order for one thing of one family, at list price, not yet paid.
    fn placed(&mut self, kind: u8) -> u32 {
        self.days += 2;
        let created = self.until - self.days * DAY;
        let lines = self.maker.lines(2, 12, 1, 0);
        let mut order = self.maker.blank(0, kind, created);
        order.agent = false;
        order.service = lines.first().map(|line| line.service);
        order.official = lines.iter().map(|line| line.official).sum();
        order.amount = order.official;
        order.lines = lines;
        self.maker.put(order)
    }

    /// A paid and completed purchase of one resource.
    fn bought(&mut self) -> (u32, u32) {
        let order = self.placed(1);
        let paid = self.maker.truth.orders[at(order)].created + 30;
        let resources = self.maker.settle(order, paid);
        (order, resources[0])
    }

    /// A completed unsubscription of `base` after `seconds`, with these attributions. Its amount is what they add up to, and
    /// nothing was kept back.
    fn refund(&mut self, base: u32, seconds: i64, amounts: &[i64]) -> u32 {
        let bought = &self.maker.truth.orders[at(base)];
        let (created, region, line) = (bought.created + seconds, bought.region, bought.lines[0].clone());
        let net: i64 = amounts.iter().sum();
        let mut order = self.maker.blank(0, 4, created);
        order.agent = false;
        order.status = 5;
        order.paid = Some(created + 5);
        order.region = region;
        order.service = Some(line.service);
        order.amount = net;
        order.official = net;
        order.fee = Some(0);
        order.consumed = Some(0);
        order.lines = vec![Line { effective: 0, expire: 0, official: net, amount: net, ..line.clone() }];
        let attribution =
            |&amount| Attribution { base, service: line.service, resource: line.resource, region, amount };
        order.attributions = amounts.iter().map(attribution).collect();
        self.maker.put(order)
    }

    /// A purchase that is given back: its resource is released.
    fn returned(&mut self, amounts: impl Fn(i64) -> Vec<i64>) -> (u32, u32) {
        let (base, resource) = self.bought();
        self.maker.truth.resources[at(resource)].status = 3;
        let amounts = amounts(self.price(base));
        (base, self.refund(base, 4 * DAY, &amounts))
    }

    fn change(&mut self, order: u32, edit: impl FnOnce(&mut Order)) {
        self.maker.truth.change(order, edit);
    }

    fn break_refunds(&mut self) {
        let (_, refund) = self.returned(|price| vec![-price]);
        self.change(refund, |order| {
            order.amount -= 7 * ONE;
            order.official -= 7 * ONE;
            order.lines[0].amount -= 7 * ONE;
            order.lines[0].official -= 7 * ONE;
        });
        self.seed("RC01", self.id(refund));

        let (_, refund) = self.returned(|price| vec![-price]);
        self.change(refund, |order| order.attributions.clear());
        self.seed("RC02", self.id(refund));

        let (base, _) = self.returned(|price| vec![-price - 50 * ONE]);
        self.seed("RC03", self.id(base));

        let (_, refund) = self.returned(|price| vec![-price]);
        let hidden = self.placed(1);
        self.change(hidden, |order| order.gone = true);
        self.change(refund, |order| order.attributions[0].base = hidden);
        self.seed("RC04", self.attribution(refund, 0));

        let (_, refund) = self.returned(|price| vec![-price, ONE]);
        self.change(refund, |order| order.fee = Some(3 * ONE));
        self.seed("RC05", self.id(refund));

        let (_, refund) = self.returned(|price| vec![-price / 4, -price / 4]);
        self.seed("RC06", self.attribution(refund, 0));

        let (base, first) = self.returned(|price| vec![-price / 3]);
        let second = self.refund(base, 4 * DAY + 3_600, &[-self.price(base) / 3]);
        self.seed("RC06", format!("{}/{}/{}", self.id(second), self.id(first), self.id(base)));

        let (base, refund) = self.returned(|price| vec![-price]);
        self.change(base, |order| order.paid = Some(order.created + 5 * DAY));
        self.seed("RC07", format!("{}/{}/time", self.id(refund), self.id(base)));
    }

    /// The key of an attribution.
    fn attribution(&self, refund: u32, position: usize) -> String {
        format!("{}/7{refund:010}{position:03}", self.id(refund))
    }

    fn break_orders(&mut self) {
        let (order, _) = self.bought();
        self.change(order, |order| order.lines[0].amount -= 5 * ONE);
        self.seed("RC08", self.id(order));

        let (order, _) = self.bought();
        self.change(order, |order| {
            order.official += 11 * ONE;
            order.lines[0].official += 11 * ONE;
        });
        self.seed("RC09", self.id(order));

        let (order, _) = self.bought();
        self.change(order, |order| order.coupon = order.amount + ONE);
        self.seed("RC10", self.id(order));

        let (order, _) = self.bought();
        self.change(order, |order| order.flexi = -ONE);
        self.seed("RC10", format!("{}/negative", self.id(order)));

        self.days += 2;
        let created = self.until - self.days * DAY;
        let trade = self.maker.place_combined(0, created, &[2, 2]);
        self.maker.settle(trade, created + 30);
        self.change(trade, |order| order.amount += 4 * ONE);
        self.seed("RC11", self.id(trade));
        // Its lines are those of its members.
        self.seed("RC08", self.id(trade));

        let (order, _) = self.bought();
        self.change(order, |order| order.paid = None);
        self.seed("RC12", self.id(order));
    }

    fn break_times(&mut self) {
        let (order, _) = self.bought();
        self.change(order, |order| order.paid = Some(order.created - 3_600));
        self.seed("RC13", format!("{}/payment", self.id(order)));

        let order = self.placed(15);
        self.change(order, |order| {
            order.status = 5;
            order.paid = Some(order.created + 30);
            order.lines[0].effective = order.created;
            order.lines[0].expire = order.created - DAY;
        });
        self.seed("RC13", format!("{}-000001/term", self.id(order)));

        let (order, _) = self.bought();
        let later = self.until + 3 * DAY;
        self.change(order, |order| order.paid = Some(later));
        self.seed("RC13", format!("{}/future", self.id(order)));

        let order = self.placed(1);
        let passed = self.until - 3 * DAY;
        self.change(order, |order| order.pay_until = Some(passed));
        self.seed("RC14", self.id(order));
    }

    fn break_resources(&mut self) {
        let order = self.placed(1);
        let expire = self.until + 200 * DAY;
        self.change(order, |order| {
            order.status = 5;
            order.paid = Some(order.created + 30);
            order.lines[0].effective = order.created + 60;
            order.lines[0].expire = expire;
        });
        self.seed("RC17", self.id(order));

        let (_, like) = self.bought();
        let like = self.maker.truth.resources[at(like)].clone();
        let number = self.maker.truth.resources.len() as u64;
        let lost = super::render::uuid(self.maker.truth.seed ^ 0x1057, number);
        self.maker.truth.insert_resource(Resource { id: lost.as_str().into(), covers: Vec::new(), ..like });
        self.seed("RC18", lost);

        let (order, resource) = self.bought();
        self.refund(order, 4 * DAY, &[-self.price(order)]);
        self.seed("RC19", self.maker.truth.resources[at(resource)].id.to_string());

        let (_, resource) = self.bought();
        let resource = &mut self.maker.truth.resources[at(resource)];
        resource.expire += 40 * DAY;
        let id = resource.id.to_string();
        self.seed("RC20", id);
    }

    fn break_codes(&mut self) {
        let (order, _) = self.bought();
        let (id, month) = (self.id(order), self.month(order));
        self.change(order, |order| order.discounts.push((999, 0)));
        self.seed("RC30", format!("order_discounts.discount_type=999/{month}"));

        let (order, _) = self.bought();
        let dollars = self.id(order);
        self.maker.truth.restate(&dollars, "currency", "\"USD\"");
        self.seed("RC27", format!("{dollars}-000001/currency"));
        debug_assert_ne!(id, dollars, "each break has an order of its own");
    }

    /// Completed orders, served before, that change after their month was closed.
    fn rewrite(&mut self) {
        let closed = self.until - 100 * DAY;
        let truth = &self.maker.truth;
        let mut plain = (0..u32::try_from(truth.orders.len()).unwrap_or(0)).filter(|&number| {
            let order = &truth.orders[at(number)];
            let is_plain = order.kind == 1 && order.status == 5 && order.discounts.is_empty();
            let has_a_line =
                order.lines.len() == 1 && order.lines[0].refunded == 0 && order.members.is_empty();
            let is_own = order.customer == 0 && order.parent.is_none() && order.raw.is_none() && !order.gone;
            is_plain
                && has_a_line
                && is_own
                && order.paid.is_some_and(|paid| paid < closed && paid >= order.created)
        });
        let (back, dearer) = (plain.next(), plain.next());
        drop(plain);
        let (back, dearer) = (back.expect("a finished order"), dearer.expect("another one"));
        self.change(back, |order| order.status = 3);
        self.seed("RC15", format!("{}/1/status", self.id(back)));
        self.change(dearer, |order| {
            order.amount += ONE;
            order.official += ONE;
            order.lines[0].amount += ONE;
            order.lines[0].official += ONE;
        });
        let (id, month) = (self.id(dearer), self.month(dearer));
        self.seed("RC16", format!("{id}/amount_after_discount/1"));
        self.seed("RC16", format!("{id}/official_amount/1"));
        self.seed("RC28", format!("{id}/2/{month}"));
    }
}
