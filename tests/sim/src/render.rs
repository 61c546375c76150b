//! The JSON text of generated rows; hand-written rows are served as they are.

use super::catalogue::{FAMILIES, PROJECTS, REGIONS, RESOURCES, SERVICES};
use super::dice::mix;
use super::json::{Gap, Object, array, push_amount, push_str};
use super::truth::{Attribution, Line, Order, Truth, at};

/// Which of the three order shapes is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Listed,
    Detailed,
}

fn name(row: (&'static str, &'static str, &'static str), language: &str) -> &'static str {
    if language == "en_US" { row.2 } else { row.1 }
}

fn service_name(service: u16, language: &str) -> &'static str {
    let row = SERVICES[usize::from(service)];
    name((row.0, row.1, row.2), language)
}

fn resource_name(resource: u16, language: &str) -> &'static str {
    let row = RESOURCES[usize::from(resource)];
    name((row.0, row.1, row.2), language)
}

/// Specification code and text of a resource type; attached types have none of their own.
fn spec(resource: u16, spec: u8) -> (&'static str, &'static str) {
    let code = RESOURCES[usize::from(resource)].0;
    let family = FAMILIES.iter().find(|family| family.main == code);
    family.map_or(("", ""), |family| family.specs[usize::from(spec) % family.specs.len()])
}

/// 32 hex digits made of two hashes: the form of the vendor's account and project ids.
pub fn hex_id(seed: u64, number: u64) -> String {
    let low = mix(seed ^ mix(number));
    format!("{low:016x}{:016x}", mix(low))
}

/// A random-looking UUID of version 4.
pub fn uuid(seed: u64, number: u64) -> String {
    let hex = hex_id(seed, number);
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

impl Truth {
    pub fn order_json(&self, number: u32) -> String {
        let order = &self.orders[at(number)];
        if let Some(raw) = &order.raw {
            return raw.list.clone();
        }
        let mut out = String::with_capacity(1_024);
        self.push_order(&mut out, order, Shape::Listed, "zh_CN");
        out
    }

    pub fn info_json(&self, number: u32, language: &str) -> String {
        let order = &self.orders[at(number)];
        if let Some(raw) = &order.raw {
            return raw.info.clone();
        }
        let mut out = String::with_capacity(1_024);
        self.push_order(&mut out, order, Shape::Detailed, language);
        out
    }

    fn push_order(&self, out: &mut String, order: &Order, shape: Shape, language: &str) {
        let look = order.look;
        let member = order.parent.is_some();
        let mut row = Object::open(out);
        row.text("order_id", &order.id);
        row.text("customer_id", &self.customers[at(order.customer)].id);
        if let Some(service) = order.service {
            row.text("service_type_code", SERVICES[usize::from(service)].0);
            row.text("service_type_name", service_name(service, language));
        } else {
            row.raw("service_type_code", "\"\"");
            row.raw("service_type_name", "null");
        }
        row.int("source_type", i64::from(order.source));
        row.int("status", i64::from(order.status));
        row.int("order_type", i64::from(order.kind));
        row.amount("amount_after_discount", order.amount, look >> 3);
        row.amount("official_amount", order.official, look >> 6);
        // A few rows come without the unit; only 1 is documented.
        if !(look >> 9).is_multiple_of(64) {
            row.int("measure_id", 1);
        }
        row.time("create_time", order.created);
        row.time_or("payment_time", order.paid, Gap::text(look >> 15));
        row.text("currency", "CNY");
        let contract = format!("HT{:014}", mix(look) % 100_000_000_000_000);
        row.text_or("contract_id", order.contract.then_some(&contract), Gap::text(look >> 17));
        push_amount_info(row.key("amount_info"), order, look);
        if shape == Shape::Detailed {
            let user = if order.source == 8 { "运营系统" } else { "ops_demo" };
            row.text("user_name", user);
            row.time_or("pending_payment_end_time", order.pay_until, Gap::text(look >> 19));
        } else if !order.projects.is_empty() || (look >> 21).is_multiple_of(4) {
            let projects: Vec<String> =
                order.projects.iter().map(|&n| self.project_json(order.customer, n)).collect();
            row.raw("enterprise_projects", &array(projects.iter().map(String::as_str)));
        } else {
            row.gap("enterprise_projects", Gap::other(look >> 23));
        }
        if member {
            row.close();
            return;
        }
        if !order.members.is_empty() || look >> 25 & 1 == 0 {
            let list = row.key("sub_order_infos");
            list.push('[');
            for (at_member, &member) in order.members.iter().enumerate() {
                if at_member > 0 {
                    list.push(',');
                }
                self.push_order(list, &self.orders[at(member)], shape, language);
            }
            list.push(']');
        } else {
            row.gap("sub_order_infos", Gap::other(look >> 26));
        }
        if shape == Shape::Listed {
            if order.agent {
                let agent = hex_id(self.seed, 0xA6E7);
                let text = format!("{{\"paying_agent_id\":\"{agent}\",\"is_agent_pay\":true}}");
                row.raw("agent_pay_info", &text);
            } else if (look >> 27).is_multiple_of(8) {
                row.raw("agent_pay_info", "{\"paying_agent_id\":null,\"is_agent_pay\":false}");
            } else {
                row.gap("agent_pay_info", Gap::other(look >> 30));
            }
        }
        row.close();
    }

    fn project_json(&self, customer: u32, project: u8) -> String {
        let id = if project == 0 {
            "0".to_owned()
        } else {
            uuid(self.seed ^ 0xE9, u64::from(customer) << 8 | u64::from(project))
        };
        let mut out = String::new();
        let mut row = Object::open(&mut out);
        row.text("id", &id);
        row.text("name", PROJECTS[usize::from(project) % PROJECTS.len()]);
        row.close();
        out
    }

    pub fn line_count(&self, number: u32) -> usize {
        if let Some(raw) = &self.orders[at(number)].raw {
            return raw.lines.len();
        }
        let leaves = self.leaves(number);
        leaves.iter().map(|&leaf| self.orders[at(leaf)].lines.len()).sum()
    }

    /// The `position`th line of an order; the lines of a combined trade are those of its members.
    pub fn line_json(&self, number: u32, position: usize, language: &str) -> String {
        if let Some(raw) = &self.orders[at(number)].raw {
            return raw.lines[position].clone();
        }
        let mut left = position;
        for leaf in self.leaves(number) {
            let order = &self.orders[at(leaf)];
            if let Some(line) = order.lines.get(left) {
                let mut out = String::with_capacity(1_024);
                push_line(&mut out, order, line, left, language);
                return out;
            }
            left -= order.lines.len();
        }
        String::from("{}")
    }

    pub fn refund_rows(&self, number: u32) -> Vec<String> {
        let order = &self.orders[at(number)];
        if let Some(raw) = &order.raw {
            return raw.refunds.clone().unwrap_or_default();
        }
        // Attributions appear when the refund is done.
        if order.status != 5 {
            return Vec::new();
        }
        let rows = order.attributions.iter().enumerate();
        rows.map(|(position, row)| self.refund_json(number, position, row)).collect()
    }

    fn refund_json(&self, number: u32, position: usize, row: &Attribution) -> String {
        let order = &self.orders[at(number)];
        let look = mix(order.look ^ position as u64);
        let mut out = String::with_capacity(512);
        let mut object = Object::open(&mut out);
        object.text("id", &format!("7{:010}{position:03}", u64::from(number)));
        object.amount("amount", row.amount, look);
        object.text("measure_id", "1");
        object.text("customer_id", &self.customers[at(order.customer)].id);
        object.text("resource_type_code", RESOURCES[usize::from(row.resource)].0);
        object.text("service_type_code", SERVICES[usize::from(row.service)].0);
        let named = (!(look >> 8).is_multiple_of(8)).then(|| resource_name(row.resource, "zh_CN"));
        object.text_or("resource_type_name", named, Gap::Null);
        object.text("service_type_name", service_name(row.service, "zh_CN"));
        object.text("region_code", REGIONS[usize::from(row.region)]);
        object.text("base_order_id", &self.orders[at(row.base)].id);
        object.close();
        out
    }

    pub fn resource_json(&self, number: u32) -> String {
        let row = &self.resources[at(number)];
        if let Some(raw) = &row.raw {
            return raw.to_string();
        }
        let (spec_code, spec_text) = spec(row.kind, row.spec);
        let look = row.look;
        let mut out = String::with_capacity(1_024);
        let mut object = Object::open(&mut out);
        object.text("id", &format!("01301-{:08}", 60_000_000 + u64::from(number)));
        object.text("resource_id", &row.id);
        let resource_name_text = format!("web-华北-{:04}", u64::from(number) % 10_000);
        let named = (!look.is_multiple_of(16)).then_some(resource_name_text.as_str());
        object.text_or("resource_name", row.name.as_deref().or(named), Gap::text(look >> 4));
        object.text("region_code", REGIONS[usize::from(row.region)]);
        object.text("service_type_code", SERVICES[usize::from(row.service)].0);
        object.text("resource_type_code", RESOURCES[usize::from(row.kind)].0);
        object.text("resource_type_name", resource_name(row.kind, "zh_CN"));
        object.text("service_type_name", service_name(row.service, "zh_CN"));
        object.text("resource_spec_code", spec_code);
        object.text("project_id", &hex_id(self.seed, u64::from(row.customer) << 8 | u64::from(row.region)));
        object.text("product_id", &product_id(row.kind, row.spec));
        let parent = row.parent.map(|parent| self.resources[at(parent)].id.to_string());
        object.text_or("parent_resource_id", parent.as_deref(), Gap::text(look >> 6));
        object.int("is_main_resource", i64::from(row.main));
        object.int("status", i64::from(row.status));
        object.time("effective_time", row.effective);
        object.time("expire_time", row.expire);
        object.int("expire_policy", i64::from(row.policy));
        object.text("product_spec_desc", spec_text);
        if let Some(size) = row.size {
            push_amount(object.key("spec_size"), size, look >> 8);
            object.int("spec_size_measure_id", 17);
        } else if (look >> 11).is_multiple_of(4) {
            object.raw("spec_size", "null");
        }
        if !(look >> 13).is_multiple_of(16) {
            object.time("update_time", row.updated);
        }
        match row.project {
            Some(project) => {
                object.raw("enterprise_project", &self.project_json(row.customer, project));
            }
            None => object.gap("enterprise_project", Gap::other(look >> 17)),
        }
        object.close();
        out
    }
}

fn product_id(resource: u16, spec: u8) -> String {
    format!("OFFI{:06}", u32::from(resource) * 16 + u32::from(spec))
}

fn push_amount_info(out: &mut String, order: &Order, look: u64) {
    let mut info = Object::open(out);
    let discounts = info.key("discounts");
    discounts.push('[');
    for (position, &(kind, amount)) in order.discounts.iter().enumerate() {
        if position > 0 {
            discounts.push(',');
        }
        let mut discount = Object::open(discounts);
        discount.text("discount_type", &kind.to_string());
        discount.amount("discount_amount", amount, look >> 32);
        discount.close();
    }
    discounts.push(']');
    info.amount("flexipurchase_coupon_amount", order.flexi, look >> 35);
    info.amount("coupon_amount", order.coupon, look >> 38);
    info.amount("stored_card_amount", order.card, look >> 41);
    if let (Some(fee), Some(consumed)) = (order.fee, order.consumed) {
        info.amount("commission_amount", fee, look >> 44);
        info.amount("consumed_amount", consumed, look >> 47);
    }
    info.close();
}

fn push_line(out: &mut String, order: &Order, line: &Line, position: usize, language: &str) {
    let look = mix(order.look ^ (position as u64) << 7);
    let refund = matches!(order.kind, 4 | 10);
    let (_, spec_text) = spec(line.resource, line.spec);
    let service = SERVICES[usize::from(line.service)].0;
    let resource = RESOURCES[usize::from(line.resource)].0;
    let product = product_id(line.resource, line.spec);
    let mut row = Object::open(out);
    row.text("order_line_item_id", &format!("{}-{:06}", order.id, position + 1));
    row.text("service_type_code", service);
    row.text("service_type_name", service_name(line.service, language));
    row.text("product_id", &product);
    row.text_or("product_spec_desc", Some(spec_text).filter(|text| !text.is_empty()), Gap::text(look));
    row.int("period_type", if refund { 5 } else { 2 });
    if refund {
        row.raw("period_num", "null");
    } else {
        row.int("period_num", i64::from(line.months));
    }
    row.time_or("effective_time", (line.effective != 0).then_some(line.effective), Gap::other(look >> 2));
    row.time_or("expire_time", (line.expire != 0).then_some(line.expire), Gap::other(look >> 3));
    row.int("subscription_num", 1);
    row.amount("amount_after_discount", line.amount, look >> 4);
    row.amount("official_amount", line.official, look >> 7);
    let info = row.key("amount_info");
    let mut amounts = Object::open(info);
    amounts.raw("discounts", if (look >> 10).is_multiple_of(4) { "null" } else { "[]" });
    for part in ["flexipurchase_coupon_amount", "coupon_amount", "stored_card_amount"] {
        amounts.amount(part, 0, look >> 12);
    }
    if refund {
        amounts.amount("commission_amount", line.fee, look >> 15);
        amounts.amount("consumed_amount", line.consumed, look >> 18);
    }
    amounts.close();
    row.text("currency", "CNY");
    row.gap("category_code", Gap::text(look >> 21));
    row.text("product_owner_service", service);
    row.text("commercial_resource", resource);
    row.text("order_id", &order.id);
    if (look >> 23).is_multiple_of(8) {
        row.gap("base_product_info", Gap::other(look >> 26));
    } else {
        let base = row.key("base_product_info");
        let mut product_row = Object::open(base);
        product_row.text("product_id", &product);
        push_str(product_row.key("product_spec_desc"), spec_text);
        product_row.gap("category_code", Gap::Null);
        product_row.text("product_owner_service", service);
        product_row.text("commercial_resource", resource);
        product_row.close();
    }
    row.close();
}
