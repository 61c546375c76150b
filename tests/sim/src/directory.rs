//! The lists that hardly change: service types, resource types, sub-customers.

use std::sync::LazyLock;

use super::catalogue::{PUBLISHED_SERVICES, RESOURCES, SERVICES};
use super::clock::DAY;
use super::dice::mix;
use super::generate::Size;
use super::json::{Gap, Object};
use super::truth::{Bilingual, SubCustomer, Truth};

/// The catalogues are the same in every account, and tests make thousands of accounts.
pub fn service_types() -> Vec<Bilingual> {
    static ROWS: LazyLock<Vec<Bilingual>> = LazyLock::new(make_service_types);
    ROWS.clone()
}

pub fn resource_types() -> Vec<Bilingual> {
    static ROWS: LazyLock<Vec<Bilingual>> = LazyLock::new(make_resource_types);
    ROWS.clone()
}

fn make_service_types() -> Vec<Bilingual> {
    let rows = SERVICES[..PUBLISHED_SERVICES].iter();
    rows.map(|&(code, zh, en, abbreviation)| {
        let row = |name: &str| {
            let mut out = String::new();
            let mut object = Object::open(&mut out);
            object.text("service_type_name", name);
            object.text("service_type_code", code);
            let short = Some(abbreviation).filter(|text| !text.is_empty());
            object.text_or("abbreviation", short, Gap::Null);
            object.close();
            out
        };
        Bilingual { zh: row(zh), en: row(en), names: [zh.to_owned(), en.to_owned()] }
    })
    .collect()
}

fn make_resource_types() -> Vec<Bilingual> {
    let rows = RESOURCES.iter().enumerate();
    rows.map(|(position, &(code, zh, en, service))| {
        let row = |name: &str| {
            let mut out = String::new();
            let mut object = Object::open(&mut out);
            object.text("resource_type_code", code);
            object.text("resource_type_name", name);
            let gap = Gap::text(position as u64 / 3);
            object.text_or("resource_type_desc", (position.is_multiple_of(3)).then_some(name), gap);
            object.text("service_type_code", service);
            object.close();
            out
        };
        Bilingual { zh: row(zh), en: row(en), names: [zh.to_owned(), en.to_owned()] }
    })
    .collect()
}

pub fn sub_customers(truth: &Truth, size: Size) -> Vec<SubCustomer> {
    let customers = truth.customers.iter().enumerate();
    customers
        .map(|(number, customer)| {
            let look = mix(size.seed ^ number as u64);
            let account_name = format!("demo_account_{number:04}");
            // The second one has only what is never missing.
            let bare = number == 1;
            let mut row = SubCustomer { id: customer.id.clone(), ..SubCustomer::default() };
            let mut out = String::new();
            let mut object = Object::open(&mut out);
            if !bare {
                row.name = format!("示例（北京）科技有限公司{number}");
                row.label = String::from(["重点", "普通", ""][number % 3]);
                row.association_type = String::from(if look.is_multiple_of(4) { "1" } else { "2" });
                let since = size.until - 3 * 365 * DAY - i64::try_from(look % 256).unwrap_or(0) * DAY;
                row.associated_on = Some(since);
                object.text("customer", &row.name);
                object.time("associated_on", since);
                object.text("association_type", &row.association_type);
                object.text("label", &row.label);
                object.text("telephone", "130****0000");
                object.text("verified_status", ["2", "2", "-1", "0", "1"][number % 5]);
                object.text("country_code", "0086");
                object.int("customer_type", [1, 0, -1][number % 3]);
                object.int("is_frozen", 0);
                let managers = ["[{\"account_name\":\"mgr01\"}]", "[]", "null"][number % 3];
                object.raw("account_managers", managers);
                object.gap("xaccount_id", Gap::text(look >> 4));
                object.gap("xaccount_type", Gap::text(look >> 6));
                object.text("customer_level", ["V0", "V2", "V5"][number % 3]);
                object.gap("email", Gap::text(look >> 8));
            }
            object.text("account_name", &account_name);
            object.text("customer_id", &customer.id);
            object.close();
            row.account_name = account_name;
            row.json = out;
            row
        })
        .collect()
}
