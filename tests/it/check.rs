//! `check` says line by line what is there and right and what is not, asks the vendor little, and changes nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::cli::{steady, with_port_closed};
use crate::fixtures::{bench, rows};
use sim::{self, Endpoint, Fault, Hold, Script};
use support::{As, Bench, Login, Ran, now};

/// Hides also what differs between machines: disks, sizes, versions, and how many rows there are on a day.
fn settled(bench: &Bench) -> insta::Settings {
    let mut settings = steady(bench);
    settings.add_filter(r"folder: (\S+) \([a-z0-9.]+\)", "folder: $1 (KIND)");
    settings.add_filter(
        r"[0-9.]+ ([KMG]iB|bytes) free, the warehouse has [0-9.]+ ([KMG]iB|bytes)",
        "SIZE free, the warehouse has SIZE",
    );
    settings.add_filter(r"SQLite: [0-9.]+", "SQLite: VERSION");
    settings.add_filter(r"schema \d+", "schema N");
    settings.add_filter(r"\d+ row\(s\)", "N row(s)");
    settings.add_filter(r"(\d+ of )?\d+ (stored|listed) order\(s\)", "N $2 order(s)");
    // Whether the newest order is a refund depends on the day.
    settings.add_filter(
        r"(refund_attributions: allowed;) (asked about an order that is no refund|N row\(s\)|\d+ row\(s\))",
        "$1 ANSWERED",
    );
    settings
}

/// An account whose orders are of these days, as `who`.
fn recent(who: As) -> Bench {
    let script = Script::seeded(61).orders(60).customers(3).until(now() - 3600);
    Bench::with(script, who, Login::Keys)
}

fn check(bench: &Bench, arguments: &[&str]) -> Ran {
    let ran = bench.call(&[&["check"], arguments].concat());
    for secret in [sim::CUSTOMER_KEY, sim::PARTNER_KEY, sim::POWERLESS_KEY] {
        for text in [secret.secret, secret.access] {
            assert!(!ran.stdout.contains(text) && !ran.stderr.contains(text), "a secret is told: {ran:?}");
        }
    }
    ran
}

/// The line about something, with the advice under it.
fn line(ran: &Ran, what: &str) -> String {
    let mut lines =
        ran.stdout.lines().skip_while(|line| !line.get(13..).is_some_and(|line| line.starts_with(what)));
    let first = lines.next().unwrap_or_else(|| panic!("nothing about {what}: {ran:#?}")).to_owned();
    let advice = lines.take_while(|line| line.starts_with("               "));
    std::iter::once(first.as_str()).chain(advice).collect::<Vec<_>>().join("\n")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
}

#[test]
fn before_the_first_run_everything_is_said_in_a_line_each() {
    let bench = recent(As::Customer);
    let ran = check(&bench, &[]).expect_code(0);
    settled(&bench).bind(|| insta::assert_snapshot!(ran.stdout, @"
        ok           configuration: ./bss-sync.toml: 1 account(s), 7 job(s)
        ok           secrets: 2 in the environment, where this user's other programs can read them
        ok           warehouse folder: . (KIND), writable
        ok           lock: free
        ok           SQLite: VERSION
        ok           disk space: SIZE free, the warehouse has SIZE
        not checked  warehouse: there is none at ./billing.sqlite yet; the first run makes it
        ok           acme credentials: accepted by 127.0.0.1:PORT
        ok           acme clock: within a minute of the vendor's
        ok           acme role: customer: a partner's list of customers is refused, as it should be
        ok           acme permission: orders: allowed; N row(s)
        ok           acme permission: order_lines: allowed; N row(s)
        ok           acme permission: refund_attributions: allowed; ANSWERED
        ok           acme permission: resources: allowed; N row(s)
        ok           acme permission: service_types: allowed; N row(s)
        ok           acme permission: resource_types: allowed; N row(s)
        ok           acme discounts: N listed order(s) below the official price name theirs
        ok           acme quotas: no limit of our own: orders, order_details, refund_orders, resources, service_types, resource_types

        17 ok, 0 warning(s), 0 failed, 1 not checked
        "));
    assert_eq!(ran.stderr, "");
    assert!(!bench.warehouse().exists(), "looking creates nothing");
    assert!(bench.sim.requests().len() <= 8, "{} requests", bench.sim.requests().len());
}

#[test]
fn a_partner_after_a_run_is_well_too() {
    let bench = recent(As::Partner);
    bench.run(&[]).expect_code(0);
    let ran = check(&bench, &[]).expect_code(0);
    settled(&bench).bind(|| insta::assert_snapshot!(ran.stdout, @"
        ok           configuration: ./bss-sync.toml: 1 account(s), 7 job(s)
        ok           secrets: 2 in the environment, where this user's other programs can read them
        ok           warehouse folder: . (KIND), writable
        ok           lock: free
        ok           SQLite: VERSION
        ok           disk space: SIZE free, the warehouse has SIZE
        ok           warehouse: ./billing.sqlite is whole; schema N
        ok           acme credentials: accepted by 127.0.0.1:PORT
        ok           acme clock: within a minute of the vendor's
        ok           acme role: partner with 3 customer(s)
        ok           acme permission: orders: allowed; N row(s)
        ok           acme permission: order_lines: allowed; N row(s)
        ok           acme permission: refund_attributions: allowed; ANSWERED
        ok           acme permission: resources: allowed; N row(s)
        ok           acme permission: service_types: allowed; N row(s)
        ok           acme permission: resource_types: allowed; N row(s)
        ok           acme permission: sub_customers: allowed; N row(s)
        ok           acme quotas: no limit of our own: orders, order_details, refund_orders, resources, service_types, resource_types, sub_customers

        18 ok, 0 warning(s), 0 failed, 0 not checked
        "));
}

#[test]
fn a_check_changes_nothing() {
    let bench = recent(As::Customer);
    bench.run(&[]).expect_code(0);
    let tables = rows(&bench.db(), "select name from sqlite_schema where type = 'table' order by name");
    let all = |bench: &Bench| -> Vec<Vec<String>> {
        tables
            .iter()
            .map(|table| rows(&bench.db(), &format!("select * from {}", table.replace('\'', "\""))))
            .collect()
    };
    let before = all(&bench);
    check(&bench, &["--deep", "--probe-quota"]).expect_code(0);
    assert_eq!(all(&bench), before);
}

#[test]
fn a_wrong_key_is_named_and_tried_once() {
    let mut bench = recent(As::Customer);
    bench.set_env("TEST_SK", "NotTheSecretOfThisKey000000000000000001");
    let ran = check(&bench, &[]).expect_code(5);
    settled(&bench).bind(|| {
        insta::assert_snapshot!(
        [line(&ran, "acme credentials"), line(&ran, "acme clock")].join("\n"), @r#"
            failed       acme credentials: orders of account acme: credentials not accepted: HTTP 401 APIGW.0301 "Incorrect IAM authentication information: verify aksk signature fail" (request ID)
                           check the key pair or password, and that it is enabled and of this site
            not checked  acme clock, role, permissions, discounts: the credentials failed
            "#);
    });
    assert_eq!(bench.sim.requests().len(), 1);
}

#[test]
fn a_permission_missing_on_one_endpoint_is_named_with_the_one_to_grant() {
    let bench = recent(As::Customer);
    bench.run(&[]).expect_code(0);
    bench.sim.set_denied(&[Endpoint::Resources]);
    let ran = check(&bench, &[]).expect_code(5);
    settled(&bench).bind(|| {
        insta::assert_snapshot!(line(&ran, "acme permission: resources"), @r#"
        failed       acme permission: resources: refused: HTTP 403 CBC.0151 "Access denied." (request ID)
                       give the key's user the permission billing:subscription:view, or switch the job off
        "#);
    });
    assert!(ran.stdout.contains("acme permission: orders: allowed"), "{ran:?}");
    assert!(ran.stdout.contains("1 failed"), "{ran:?}");
}

#[test]
fn a_user_without_any_permission_says_nothing_about_the_role() {
    let mut bench = recent(As::Customer);
    bench.set_env("TEST_AK", sim::POWERLESS_KEY.access);
    bench.set_env("TEST_SK", sim::POWERLESS_KEY.secret);
    let ran = check(&bench, &[]).expect_code(5);
    assert!(line(&ran, "acme credentials").starts_with("ok "), "{ran:?}");
    assert!(line(&ran, "acme role").starts_with("not checked"), "{ran:?}");
    assert!(line(&ran, "acme permission: orders").contains("billing:order:view"), "{ran:?}");
    assert!(line(&ran, "acme permission: order_lines").contains("no order is known"), "{ran:?}");
}

#[test]
fn the_role_is_found_out_and_not_believed() {
    for (truly, configured) in [(As::Partner, "customer"), (As::Customer, "partner")] {
        let bench = recent(truly);
        let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
        let role = if configured == "customer" { "role = \"partner\"" } else { "role = \"customer\"" };
        bench.write_config(&config.replace(role, &format!("role = \"{configured}\"")));
        let ran = check(&bench, &[]).expect_code(5);
        let said = line(&ran, "acme role");
        settled(&bench).bind(|| match truly {
            As::Partner => insta::assert_snapshot!(said, @r#"
                failed       acme role: configured as customer, but it is a partner's key: it is shown 3 customer(s)
                               write role = "partner", or use a key of the customer's own account
                "#),
            As::Customer => insta::assert_snapshot!(said, @r#"
                failed       acme role: configured as partner, but the list of its customers is refused: sub_customers of account acme: not allowed: HTTP 403 CBC.0151 "Access denied." (request ID)
                               write role = "customer" if the key is a customer's; else give its user BPC_ITEM_SUBCUSTSERV_010100
                "#),
        });
    }
}

/// The trap: a partner's key that asks as a customer is answered, without rows.
#[test]
fn an_answer_without_rows_is_no_permission_where_some_are_stored() {
    let mut bench = recent(As::Customer);
    bench.run(&[]).expect_code(0);
    bench.set_env("TEST_AK", sim::PARTNER_KEY.access);
    bench.set_env("TEST_SK", sim::PARTNER_KEY.secret);
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace(sim::CUSTOMER_KEY.domain_id, sim::PARTNER_KEY.domain_id));
    let ran = check(&bench, &[]).expect_code(5);
    assert!(line(&ran, "acme role").starts_with("failed"), "{ran:?}");
    assert!(line(&ran, "acme permission: resources").starts_with("warning"), "{ran:?}");
}

#[test]
fn a_clock_that_is_off_is_told_by_how_much() {
    for (seconds, code, verdict) in [(20 * 60, 5, "failed"), (-5 * 60, 3, "warning"), (30, 0, "ok")] {
        let bench = Bench::new(Script::seeded(61).orders(60).until(now() - 7200).clock_ahead(seconds));
        let ran = check(&bench, &[]).expect_code(code);
        assert!(line(&ran, "acme clock").starts_with(verdict), "{seconds}: {ran:?}");
        assert!(line(&ran, "acme credentials").starts_with("ok"), "{seconds}: {ran:?}");
    }
    let bench = Bench::new(Script::seeded(61).orders(60).clock_ahead(2 * 3600));
    let ran = check(&bench, &[]).expect_code(5);
    assert!(line(&ran, "acme clock").contains("NTP"), "{ran:?}");
}

#[test]
fn a_vendor_that_cannot_be_reached_is_no_refusal() {
    let bench = recent(As::Customer);
    with_port_closed(&bench);
    let ran = check(&bench, &[]).expect_code(4);
    assert!(line(&ran, "acme connection").starts_with("failed"), "{ran:?}");
}

#[test]
fn a_secret_that_others_may_read_fails_and_the_rest_is_looked_at() {
    let bench = recent(As::Customer);
    for (name, text) in [("ak", sim::CUSTOMER_KEY.access), ("sk", sim::CUSTOMER_KEY.secret)] {
        fs::write(bench.path(name), text).expect("written");
        set_mode(&bench.path(name), 0o600);
    }
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    let in_files = config
        .replace("{ env = \"TEST_AK\" }", "{ file = \"./ak\" }")
        .replace("{ env = \"TEST_SK\" }", "{ file = \"./sk\" }");
    bench.write_config(&in_files);
    let ran = check(&bench, &[]).expect_code(0);
    assert!(line(&ran, "secrets").contains("2 in files that only this user may read"), "{ran:?}");

    set_mode(&bench.path("sk"), 0o644);
    let ran = check(&bench, &[]).expect_code(2);
    settled(&bench).bind(|| insta::assert_snapshot!(ran.stdout, @"
        failed       configuration: ./bss-sync.toml line 10: accounts.acme.secret_key: the file ././sk has mode 0644, so other users may read or change it
                       chmod 600 it, and renew the secret if others could read it
        ok           configuration: ./bss-sync.toml: 1 account(s), 7 job(s)
        not checked  secrets: they were not read
        ok           warehouse folder: . (KIND), writable
        ok           lock: free
        ok           SQLite: VERSION
        ok           disk space: SIZE free, the warehouse has SIZE
        not checked  warehouse: there is none at ./billing.sqlite yet; the first run makes it
        not checked  acme credentials, clock, role, permissions, discounts: the secrets could not be read: see above
        ok           acme quotas: no limit of our own: orders, order_details, refund_orders, resources, service_types, resource_types

        6 ok, 0 warning(s), 1 failed, 3 not checked
        "));

    set_mode(&bench.path("sk"), 0o600);
    set_mode(&bench.path(""), 0o770);
    let ran = check(&bench, &[]).expect_code(3);
    assert!(line(&ran, "secrets").starts_with("warning"), "{ran:?}");
}

#[test]
fn a_configuration_that_others_may_change_is_a_warning() {
    let bench = recent(As::Customer);
    set_mode(&bench.path("bss-sync.toml"), 0o666);
    let ran = check(&bench, &["--offline"]).expect_code(3);
    settled(&bench).bind(|| {
        insta::assert_snapshot!(line(&ran, "configuration"), @"
        warning      configuration: ./bss-sync.toml has mode 0666: others may change where the keys are sent
                       chmod go-w ./bss-sync.toml
        ");
    });
}

#[test]
fn a_folder_open_to_everybody_is_a_warning_and_a_missing_one_a_failure() {
    let bench = recent(As::Customer);
    fs::create_dir(bench.path("data")).expect("made");
    set_mode(&bench.path("data"), 0o777);
    let place = ["--offline", "--set", "warehouse.path=data/billing.sqlite"];
    let ran = check(&bench, &place).expect_code(3);
    settled(&bench).bind(|| {
        insta::assert_snapshot!(line(&ran, "warehouse folder"), @"
        warning      warehouse folder: ./data has mode 0777: anybody may replace the warehouse or its log
                       chmod o-w ./data
        ");
    });
    fs::remove_dir(bench.path("data")).expect("removed");
    let ran = check(&bench, &place).expect_code(6);
    assert!(line(&ran, "warehouse folder").starts_with("failed"), "{ran:?}");
}

#[test]
fn a_warehouse_that_others_may_read_is_a_warning() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    set_mode(&bench.warehouse(), 0o644);
    let ran = check(&bench, &["--offline"]).expect_code(3);
    assert!(line(&ran, "warehouse folder").contains("chmod 600"), "{ran:?}");
}

#[test]
fn damaged_newer_and_foreign_warehouses_are_failures() {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    let known = bench.count("pragma user_version");
    bench.writable_db().pragma_update(None, "user_version", known + 1).expect("set");
    let newer = check(&bench, &["--offline"]).expect_code(6);
    assert!(line(&newer, "warehouse:").contains("upgrade bss-sync"), "{newer:?}");
    bench.writable_db().pragma_update(None, "user_version", known).expect("set");
    check(&bench, &["--offline"]).expect_code(0);
    // A page in the middle, which opening does not look at.
    let mut bytes = fs::read(bench.warehouse()).expect("a file");
    let middle = bytes.len() / 4096 / 2 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    fs::write(bench.warehouse(), &bytes).expect("written");
    let damaged = check(&bench, &["--offline"]).expect_code(6);
    assert!(line(&damaged, "warehouse:").contains("is damaged"), "{damaged:?}");
    fs::write(bench.warehouse(), "account,order\n".repeat(500)).expect("written");
    let foreign = check(&bench, &["--offline"]).expect_code(6);
    assert!(line(&foreign, "warehouse:").contains("is not a bss-sync warehouse"), "{foreign:?}");
}

#[test]
fn a_missing_configuration_is_shown_what_one_looks_like() {
    let bench = recent(As::Customer);
    fs::remove_file(bench.path("bss-sync.toml")).expect("removed");
    let ran = check(&bench, &[]).expect_code(2);
    settled(&bench).bind(|| {
        insta::assert_snapshot!(ran.stdout, @r#"
        failed       configuration: there is neither ./bss-sync.toml nor /etc/bss-sync/config.toml
                       name a file with --config FILE, or write one of the two:

                       [warehouse]
                       path = "billing.sqlite"

                       [accounts.acme]
                       site = "china"
                       access_key = { env = "BSS_ACCESS_KEY" }
                       secret_key = { env = "BSS_SECRET_KEY" }

        0 ok, 0 warning(s), 1 failed, 0 not checked
        "#);
    });
    let json = check(&bench, &["--output", "json"]).expect_code(2).json();
    assert_eq!(json["checks"][0]["verdict"], "failed");
}

#[test]
fn offline_nobody_is_asked() {
    let bench = recent(As::Customer);
    let ran = check(&bench, &["--offline", "--probe-quota"]).expect_code(0);
    assert_eq!(bench.sim.requests().len(), 0);
    assert!(line(&ran, "acme credentials, clock").starts_with("not checked"), "{ran:?}");
    assert!(line(&ran, "acme quota of orders").contains("headers: not asked"), "{ran:?}");
}

#[test]
fn a_worker_at_work_is_no_failure() {
    let bench = bench();
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    let mut child = bench.spawn(&["run", "-q", "orders"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the worker asks");
    let ran = check(&bench, &["--offline"]).expect_code(0);
    hold.release();
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    settled(&bench).bind(|| insta::assert_snapshot!(line(&ran, "lock"), @"ok           lock: held by process PID, since TIME: a worker is at work"));
}

#[test]
fn discounts_that_are_never_shown_are_missed() {
    let bench = recent(As::Customer);
    bench.run(&[]).expect_code(0);
    assert!(line(&check(&bench, &[]).expect_code(0), "acme discounts").starts_with("ok"));
    bench.writable_db().execute_batch("delete from order_discounts").expect("deleted");
    let ran = check(&bench, &[]).expect_code(3);
    settled(&bench).bind(|| insta::assert_snapshot!(line(&ran, "acme discounts"), @"
        warning      acme discounts: N stored order(s) cost less than their official price, and none says by which discount
                       give the key's user bss:discount:view, or billing:contract:viewDiscount with identity policies: without it the vendor leaves discounts out, and no error says so
        "));
    // Where no order is known at all, nobody can tell.
    let bench = Bench::new(Script::seeded(61).orders(0));
    let ran = check(&bench, &[]).expect_code(0);
    assert!(line(&ran, "acme discounts").contains("cannot be proven"), "{ran:?}");
    assert!(line(&ran, "acme permission: order_lines").contains("no order is known"), "{ran:?}");
}

#[test]
fn quotas_are_told_by_headers_the_table_and_earlier_runs() {
    let script = Script::seeded(61).orders(60).until(now() - 3600);
    let bench = Bench::new(script.tells_quota().quotas(sim::QuotaPlan::Published { factor: 2 }));
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace("quotas = \"none\"\n", ""));
    let ran = check(&bench, &["--probe-quota"]).expect_code(0);
    settled(&bench).bind(|| insta::assert_snapshot!(line(&ran, "acme quota of orders"), @"ok           acme quota of orders: 40/1s (told by a header); the vendor's table: 20/1s; headers: 40/1s; earlier runs: nothing"));
    let ran = check(&bench, &[]).expect_code(0);
    assert!(line(&ran, "acme quotas").contains("40/1s (told by a header): orders"), "{ran:?}");
    assert!(bench.sim.requests().len() <= 16, "asked for once, refused never");
}

#[test]
fn the_place_of_the_copy_for_finance_is_looked_at() {
    let bench = recent(As::Customer);
    bench.append_config("[publish]\npath = \"finance.sqlite\"\ngroup = \"no-such-group\"\n");
    let ran = check(&bench, &["--offline"]).expect_code(3);
    assert!(line(&ran, "copy for finance").contains("no group `no-such-group`"), "{ran:?}");
    let ran = check(&bench, &["--offline", "--set", "publish.group=0"]);
    assert!(line(&ran, "copy for finance").starts_with("ok"), "{ran:?}");
}

#[test]
fn machines_are_told_the_same() {
    let bench = recent(As::Customer);
    let json = check(&bench, &["--output", "json"]).expect_code(0).json();
    assert_eq!(json["exit_code"], 0);
    let checks = json["checks"].as_array().expect("a list");
    let of = |what: &str| checks.iter().find(|line| line["what"] == what).cloned().unwrap_or(Value::Null);
    assert_eq!(of("lock")["verdict"], "ok");
    assert_eq!(of("lock")["account"], Value::Null);
    assert_eq!(of("clock")["account"], "acme");
    assert_eq!(of("warehouse")["verdict"], "not checked");
}

#[test]
fn no_secret_is_told_at_the_loudest() {
    for login in [Login::Keys, Login::TemporaryKeys, Login::Token] {
        let mut bench = Bench::with(Script::seeded(61).orders(20), As::Customer, login);
        let ran = check(&bench, &["-vv", "--probe-quota"]).expect_code(0);
        assert!(ran.stderr.contains("answer"), "it is loud: {ran:?}");
        let told = |ran: &Ran, secret: &str| ran.stdout.contains(secret) || ran.stderr.contains(secret);
        let token = sim::TEMPORARY_KEY.token.expect("a token");
        for secret in [sim::TEMPORARY_KEY.secret, token, sim::CUSTOMER_USER.password] {
            assert!(!told(&ran, secret), "{login:?}: {ran:?}");
        }
        let wrong = "NotTheSecret0000000000000000000000000001";
        bench.set_env(if login == Login::Token { "TEST_PASSWORD" } else { "TEST_SK" }, wrong);
        let ran = check(&bench, &["-vv"]).expect_code(5);
        assert!(!told(&ran, wrong), "{login:?}: {ran:?}");
    }
}

#[test]
fn an_account_that_is_not_there_is_a_wrong_use() {
    let bench = recent(As::Customer);
    let ran = check(&bench, &["--account", "acne"]).expect_code(2);
    assert!(ran.stderr.contains("did you mean `acme`?"), "{ran:?}");
}
