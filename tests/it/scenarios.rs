//! Each way of losing a row, alone: the run that meets it ends with what the vendor serves or says which window it could
//! not prove, and the next quiet run ends with what the vendor serves.

mod alone;
mod changes;
mod divide;
mod empty;
mod figures;
mod refused;
mod shuffled;
mod starving;

use std::collections::BTreeSet;
use std::time::Duration;

use sim::clock::{self, DAY, HOUR};
use sim::{Endpoint, Fault, OWNER, QuotaPlan, Script, Truth};
use support::truth::{Cell, assert_no_differences, expected, stored};
use support::{As, Bench, Login, Ran, now};

/// What the vendor lets through here: 20 times the published quotas, so that tests are quick.
const QUOTA: QuotaPlan = QuotaPlan::Published { factor: 20 };

/// What the worker is told about it.
const QUOTA_IN_WORDS: &str = "quotas = { default = \"200/1s\", orders = \"400/1s\" }";

/// Longer than anything here takes; so that a broken test ends.
const LONGEST: Duration = Duration::from_mins(2);

/// How far back the history goes that the first load reads as one window.
const HISTORY: i64 = 300;

/// A bench whose vendor refuses above a quota that its worker keeps to; the vendor's clock stands.
fn quoted(script: Script, who: As) -> Bench {
    let bench = Bench::with(script.quotas(QUOTA), who, Login::Keys);
    let config = std::fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    let told = config.replace("quotas = \"none\"", QUOTA_IN_WORDS);
    assert_ne!(told, config);
    bench.write_config(&told);
    bench.sim.set_now(now());
    bench
}

/// The history is one window; further settings of the orders job.
fn one_window(bench: &Bench, settings: &str) {
    let start = clock::text(now() - HISTORY * DAY);
    bench.append_config(&format!(
        "[jobs.orders]\nhistory_start = \"{}\"\nwindow = \"364d\"\n{settings}",
        &start[..10]
    ));
}

/// No orders, no customers but the owner.
fn blank() -> Script {
    Script::seeded(1).orders(0)
}

/// The vendor's clock stands so many minutes ahead of ours; less than the 15 that it lets clocks differ.
fn later(bench: &Bench, minutes: i64) {
    assert!(minutes < 15);
    bench.sim.set_now(now() + 60 * minutes);
}

/// An order for one resource, with one line.
#[derive(Clone, Debug)]
struct Deal {
    id: String,
    customer: String,
    status: u8,
    created: i64,
    paid: Option<i64>,
}

impl Deal {
    /// A purchase that was paid and completed at once.
    fn completed(id: impl Into<String>, created: i64) -> Self {
        Self { id: id.into(), customer: OWNER.to_owned(), status: 5, created, paid: Some(created) }
    }

    /// A purchase that waits for its payment.
    fn unpaid(id: impl Into<String>, created: i64) -> Self {
        Self { status: 6, paid: None, ..Self::completed(id, created) }
    }

    fn of(self, customer: &str) -> Self {
        Self { customer: customer.to_owned(), ..self }
    }

    fn put(&self, truth: &mut Truth) {
        let Self { id, customer, status, created, paid } = self;
        let amount = format!("{}.{:08}", created % 1000, created % 99_999_989);
        let time = clock::text(*created);
        let paid = paid.map(|paid| format!("\"payment_time\":\"{}\",", clock::text(paid)));
        let row = format!(
            "{{\"order_id\":\"{id}\",\"customer_id\":\"{customer}\",\"service_type_code\":\"hws.service.type.ec2\",\
             \"source_type\":1,\"status\":{status},\"order_type\":1,\"amount_after_discount\":{amount},\
             \"official_amount\":{amount},\"measure_id\":1,\"create_time\":\"{time}\",{}\"currency\":\"CNY\"}}",
            paid.unwrap_or_default()
        );
        let line = format!(
            "{{\"order_line_item_id\":\"{id}-1\",\"order_id\":\"{id}\",\"amount_after_discount\":{amount}}}"
        );
        truth.add_order(&row, Some((row.clone(), vec![line])), None);
        if *status == 5 {
            self.provision(truth);
        }
    }

    /// Its resource, which expires a year later.
    fn provision(&self, truth: &mut Truth) {
        let resource =
            Possession { id: format!("r-{}", self.id), ..Possession::until(self.created + 365 * DAY) };
        resource.put(truth, &self.customer);
        truth.link(&self.id, &[resource.id]);
    }
}

/// A resource.
#[derive(Clone, Debug)]
struct Possession {
    id: String,
    status: u8,
    service: &'static str,
    expires: i64,
}

impl Possession {
    fn until(expires: i64) -> Self {
        Self { id: String::new(), status: 2, service: "hws.service.type.ec2", expires }
    }

    fn put(&self, truth: &mut Truth, owner: &str) {
        let Self { id, status, service, expires } = self;
        let expires = clock::text(*expires);
        truth.add_resource(
            owner,
            &format!(
                "{{\"resource_id\":\"{id}\",\"id\":\"{id}\",\"is_main_resource\":1,\"status\":{status},\
                 \"expire_time\":\"{expires}\",\"service_type_code\":\"{service}\"}}"
            ),
        );
    }
}

/// So many completed purchases, evenly spread over the history, the oldest first.
fn spread(count: i64) -> Vec<Deal> {
    let step = (HISTORY - 2) * DAY / count;
    let first = now() - (HISTORY - 1) * DAY;
    (0..count).map(|number| Deal::completed(format!("CS{number:05}"), first + number * step)).collect()
}

fn put(bench: &Bench, deals: &[Deal]) {
    bench.sim.change(|truth| deals.iter().for_each(|deal| deal.put(truth)));
}

/// The next call of the endpoint is answered; before the answer to the second one the data change.
fn between_pages(bench: &Bench, endpoint: Endpoint, change: impl FnOnce(&mut Truth) + Send + 'static) {
    on_second_page(bench, endpoint, Fault::mutate(change));
}

/// The next call of the endpoint is answered; the second one meets the fault.
fn on_second_page(bench: &Bench, endpoint: Endpoint, fault: Fault) {
    bench.sim.push_fault(endpoint, Fault::mutate(|_| ()));
    bench.sim.push_fault(endpoint, fault);
}

/// Refusals stay rare, and nothing that was to go wrong is still to come.
#[track_caller]
fn assert_within_quota(bench: &Bench) {
    let stats = bench.sim.stats();
    let calls: u64 = stats.values().map(|count| count.calls).sum();
    let refused: u64 = stats.values().map(|count| count.refused).sum();
    println!("{refused} of {calls} requests refused");
    assert!(refused * 200 <= calls, "{refused} of {calls} refused");
    assert_eq!(bench.sim.faults_waiting(), 0);
}

/// The warehouse holds what the vendor serves, and besides only the records of these orders, which are marked as gone.
#[track_caller]
fn assert_equals_truth_and_gone(bench: &Bench, who: As, gone: &[&str]) {
    let wanted = expected(&bench.sim.truth(), who);
    let mut got = stored(&bench.db());
    let gone: BTreeSet<Cell> = gone.iter().map(|id| Cell::Text((*id).to_owned())).collect();
    for (table, rows) in &mut got {
        rows.retain(|key, row| {
            let names = ["order_id", "requested_order_id", "refund_order_id"];
            let is_theirs = names.iter().any(|name| row.get(*name).is_some_and(|id| gone.contains(id)));
            assert!(!is_theirs || *table != "orders" || key.ends_with(" (gone)"), "{key} is not marked");
            !is_theirs
        });
    }
    assert_no_differences(&wanted, &got);
}

/// What a report says should be looked at.
fn findings(ran: &Ran, job: &str) -> Vec<String> {
    let report = ran.job(job);
    let told = report["findings"].as_array().expect("a list");
    told.iter().map(|finding| finding.as_str().expect("a text").to_owned()).collect()
}

/// The windows or lists of a stream that could not be proven.
fn disputed(bench: &Bench, stream: &str) -> Vec<String> {
    let db = bench.db();
    let mut query = db
        .prepare(
            "select scope from coverage where stream = ?1 and verdict = 'disputed' order by window_begin",
        )
        .expect("a query");
    query.query_map([stream], |row| row.get(0)).expect("rows").map(Result::unwrap).collect()
}

/// Requests of the order list so far.
fn asked_for_orders(bench: &Bench) -> u64 {
    bench.sim.count(Endpoint::Orders).calls
}

/// The watermark of creation times.
fn watermark(bench: &Bench) -> String {
    let sql = "select watermark from watermarks where stream = 'orders' and lane = 'created'";
    bench.db().query_row(sql, [], |row| row.get(0)).expect("a watermark")
}

/// The sweep ends complete, the run after it is quiet, and the warehouse holds what the vendor serves.
#[track_caller]
fn settles(bench: &Bench, who: As) {
    later(bench, 2);
    bench.run(&[]).expect_code(0);
    bench.run(&["--full"]).expect_code(0);
    assert_equals_truth_and_gone(bench, who, &[]);
    assert_eq!(disputed(bench, "orders"), [] as [&str; 0]);
}

/// An instant within the overlap of the runs, and settled.
fn recently() -> i64 {
    now() - HOUR
}
