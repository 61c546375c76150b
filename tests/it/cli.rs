//! What an operator sees: when something is wrong, which exit code, what the message says to do, and that nothing stored
//! is lost; when all is well, the commands' own words.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use bss_sync::stream::CATALOGUE;
use rusqlite::Connection;

use crate::fixtures::{bench, examples, rows, shorten_history};
use crate::sim::{self, Endpoint, Fault, Hold, QuotaPlan, RefusalStyle, Script, Sim, Truth};
use crate::support::{As, Bench, Login, Ran};

/// Hides what differs between two runs of a test: the folder, ports, times, seconds, process ids.
fn steady(bench: &Bench) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    let folder = bench.path("");
    settings.add_filter(folder.to_string_lossy().trim_end_matches('/'), "DIR");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", "TIME");
    settings.add_filter(r"process \d+", "process PID");
    settings.add_filter(r"\(\d+ m?s\)", "(WAIT)");
    settings.add_filter(r"request [0-9a-f]{32}", "request ID");
    settings.add_filter(r"(?m) +$", "");
    settings
}

/// Everything stored of the vendor's records, table by table, without the time it was last seen.
fn stored(bench: &Bench) -> BTreeMap<&'static str, Vec<String>> {
    let db = bench.db();
    let mut tables = BTreeMap::new();
    for stream in CATALOGUE {
        for table in stream.tables() {
            let children = table.children.iter().map(|children| children.table);
            for table in children.chain([*table]) {
                let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
                let sql = format!(
                    "select account, {}, extra, version, gone_since from {} order by 1, 2, 3",
                    columns.join(", "),
                    table.name
                );
                tables.insert(table.name, rows(&db, &sql));
            }
        }
    }
    tables
}

/// What the program said besides the table of jobs: the paragraph under it, or standard error.
fn paragraph(ran: &Ran) -> String {
    let under_table = ran.stdout.split_once("\n\n").map(|(_, paragraph)| paragraph.to_owned());
    under_table.unwrap_or_else(|| ran.stderr.clone())
}

/// A finished first load; the rest of the test must not lose any of it.
fn loaded() -> (Bench, BTreeMap<&'static str, Vec<String>>) {
    let bench = bench();
    bench.run(&[]).expect_code(0);
    let before = stored(&bench);
    (bench, before)
}

/// After the fault is repaired: the file is sound, holds what it held, and the next run finishes.
#[track_caller]
fn assert_recovers(bench: &Bench, before: &BTreeMap<&'static str, Vec<String>>) {
    assert_eq!(rows(&bench.db(), "pragma integrity_check"), ["'ok'"]);
    assert_eq!(&stored(bench), before, "nothing stored was touched");
    bench.run(&["--full"]).expect_code(0);
    assert_eq!(&stored(bench), before, "the vendor still shows the same");
}

/// Runs jobs as cron would; whatever goes wrong, no secret is told.
fn call(bench: &Bench, jobs: &[&str]) -> Ran {
    let ran = bench.call(&[&["run", "-q"], jobs].concat());
    for secret in [sim::CUSTOMER_KEY.secret, sim::POWERLESS_KEY.secret, sim::CUSTOMER_USER.password] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
    }
    ran
}

fn with_port_closed(bench: &Bench) {
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    // Port 1 is reserved, and nothing listens there.
    bench.write_config(&config.replace(&bench.sim.url(), "http://127.0.0.1:1"));
}

#[test]
fn a_wrong_secret_key_is_refused_by_the_vendor() {
    let (mut bench, before) = loaded();
    bench.set_env("TEST_SK", "NotTheSecretOfThisKey000000000000000001");
    let ran = call(&bench, &["orders"]).expect_code(5);
    steady(&bench).bind(|| insta::assert_snapshot!(paragraph(&ran), @r#"
    acme orders: orders of account acme: credentials not accepted: HTTP 401 APIGW.0301 "Incorrect IAM authentication information: verify aksk signature fail" (request ID)
      check the key pair or password, and that it is enabled and of this site
    "#));
    bench.set_env("TEST_SK", sim::CUSTOMER_KEY.secret);
    assert_recovers(&bench, &before);
}

#[test]
fn an_unknown_access_key_is_refused_by_the_vendor() {
    let (mut bench, before) = loaded();
    bench.set_env("TEST_AK", "NOBODYSKEY0000000001");
    let ran = call(&bench, &["orders"]).expect_code(5);
    steady(&bench).bind(|| insta::assert_snapshot!(paragraph(&ran), @r#"
    acme orders: orders of account acme: credentials not accepted: HTTP 401 APIGW.0301 "Incorrect IAM authentication information: Get secretKey failed" (request ID)
      check the key pair or password, and that it is enabled and of this site
    "#));
    bench.set_env("TEST_AK", sim::CUSTOMER_KEY.access);
    assert_recovers(&bench, &before);
}

#[test]
fn a_wrong_password_is_refused_by_iam() {
    let mut bench = Bench::with(Script::serving(Truth::from_parts(examples())), As::Customer, Login::Token);
    shorten_history(&bench);
    bench.run(&[]).expect_code(0);
    let before = stored(&bench);
    bench.set_env("TEST_PASSWORD", "not the password");
    let ran = call(&bench, &["orders"]).expect_code(5);
    steady(&bench).bind(|| insta::assert_snapshot!(paragraph(&ran), @r#"
    acme orders: iam of account acme: credentials not accepted: HTTP 401 401 "The username or password is wrong." (request ID)
      check the key pair or password, and that it is enabled and of this site
    "#));
    bench.set_env("TEST_PASSWORD", sim::CUSTOMER_USER.password);
    assert_recovers(&bench, &before);
}

#[test]
fn a_clock_off_by_hours_is_told_with_both_times() {
    let (mut bench, before) = loaded();
    bench.sim = Sim::start(Script::serving(Truth::from_parts(examples())).clock_ahead(5 * 3600));
    bench.log_in(As::Customer, Login::Keys);
    shorten_history(&bench);
    let ran = call(&bench, &["orders"]).expect_code(5);
    steady(&bench).bind(|| insta::assert_snapshot!(paragraph(&ran), @r#"
    acme orders: orders of account acme: clocks differ: this machine has TIME, the vendor has TIME: HTTP 401 APIGW.0301 "Incorrect IAM authentication information: calc ak sk signature fail:signature expired" (request ID)
      set this machine's clock (UTC), for example with NTP
    "#));
    bench.sim = Sim::start(Script::serving(Truth::from_parts(examples())));
    bench.log_in(As::Customer, Login::Keys);
    shorten_history(&bench);
    assert_recovers(&bench, &before);
}

#[test]
fn a_clock_off_by_half_an_hour_is_made_up_for_and_logged() {
    let bench = Bench::new(Script::serving(Truth::from_parts(examples())).clock_ahead(30 * 60));
    shorten_history(&bench);
    let ran = bench.call(&["run", "orders"]).expect_code(0);
    let warnings = ran.stderr.lines().filter(|line| line.contains("this machine's clock is off")).count();
    assert_eq!(warnings, 1, "{}", ran.stderr);
    assert_eq!(bench.count("select count(*) from orders"), 8);
}

#[test]
fn a_user_without_any_permission_is_told_which_to_grant() {
    let (mut bench, before) = loaded();
    bench.set_env("TEST_AK", sim::POWERLESS_KEY.access);
    bench.set_env("TEST_SK", sim::POWERLESS_KEY.secret);
    let ran = call(&bench, &["orders"]).expect_code(5);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(paragraph(&ran), @r#"
        acme orders: orders of account acme: not allowed: HTTP 403 CBC.0151 "Access denied." (request ID)
          grant the account's user the permission to view orders and subscriptions (billing:order:view, billing:subscription:view), or check the role
        "#);
    });
    bench.set_env("TEST_AK", sim::CUSTOMER_KEY.access);
    bench.set_env("TEST_SK", sim::CUSTOMER_KEY.secret);
    assert_recovers(&bench, &before);
}

#[test]
fn a_permission_missing_for_one_endpoint_stops_its_job_and_no_other() {
    let bench = bench();
    bench.sim.set_denied(&[Endpoint::Details]);
    let ran = bench.run(&[]).expect_code(5);
    for (job, code) in [("orders", 0), ("order_lines", 5), ("refund_attributions", 0), ("resources", 0)] {
        assert_eq!(ran.job(job)["exit_code"], code, "{job}");
    }
    assert_eq!(bench.count("select count(*) from queue where stream = 'order_lines'"), 6, "still to be read");
    bench.sim.set_denied(&[]);
    bench.run(&["order_lines"]).expect_code(0);
    assert_eq!(bench.count("select count(*) from order_lines"), 4);
}

#[test]
fn an_unreachable_host_is_tried_until_the_deadline_and_named() {
    let (bench, before) = loaded();
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    with_port_closed(&bench);
    let ran = call(&bench, &["orders", "--deadline", "1s"]).expect_code(4);
    steady(&bench).bind(|| insta::assert_snapshot!(paragraph(&ran), @"
    acme orders: orders of account acme: the job's deadline is nearer than the next try (WAIT); the last: 127.0.0.1:PORT: no connection (error sending request: client error (Connect): tcp connect error: Connection refused (os error 111))
      check endpoint, network and proxy; nothing is lost, the next run goes on from here
    "));
    bench.write_config(&config);
    assert_recovers(&bench, &before);
}

#[test]
fn a_storm_of_429_ends_at_the_deadline_and_the_next_run_goes_on() {
    for style in [RefusalStyle::Gateway, RefusalStyle::Business] {
        let script = Script::serving(Truth::from_parts(examples())).refusals(style);
        let bench = Bench::new(script);
        shorten_history(&bench);
        bench.sim.set_quotas(QuotaPlan::Fixed { calls: 3, seconds: 3600 });
        let ran = call(&bench, &["orders", "--deadline", "3s"]).expect_code(4);
        let steady = steady(&bench);
        match style {
            RefusalStyle::Gateway => {
                steady.bind(|| insta::assert_snapshot!(paragraph(&ran), @r#"
                acme orders: orders of account acme: the job's deadline is nearer than the next turn within the quota (WAIT); the last: HTTP 429 APIGW.0308 "The throttling threshold has been reached: policy user over ratelimit,limit:3,time:60 minute" (request ID)
                  nothing is lost; the next run goes on from here, or raise the deadline
                "#));
            }
            RefusalStyle::Business => {
                steady.bind(|| insta::assert_snapshot!(paragraph(&ran), @r#"
                acme orders: orders of account acme: the job's deadline is nearer than the next turn within the quota (WAIT); the last: HTTP 429 CBC.0250 "消息流量控制" (request ID)
                  nothing is lost; the next run goes on from here, or raise the deadline
                "#));
            }
        }
        bench.sim.set_quotas(QuotaPlan::None);
        let read_before = bench.count("select count(*) from coverage where verdict = 'complete'");
        bench.sim.reset_stats();
        bench.run(&["orders"]).expect_code(0);
        let windows = bench.count("select count(*) from coverage where lane = 'created'");
        let asked = bench.sim.count(Endpoint::Orders).calls;
        assert!(read_before > 0 && i64::try_from(asked).is_ok_and(|asked| asked <= windows), "{asked}");
        assert_eq!(bench.count("select count(*) from orders"), 8);
    }
}

#[test]
fn a_quota_of_the_day_is_not_waited_for() {
    let (bench, before) = loaded();
    bench.sim.push_fault(Endpoint::Orders, Fault::DailyQuota);
    let ran = call(&bench, &["orders", "--full"]).expect_code(4);
    steady(&bench).bind(|| insta::assert_snapshot!(paragraph(&ran), @r#"
    acme orders: orders of account acme: quota of the day used up: HTTP 429 APIGW.0308 "The throttling threshold has been reached: policy user over ratelimit,limit:10000,time:1 day" (request ID)
      nothing is lost; the next run goes on from here when the quota is renewed
    "#));
    assert_recovers(&bench, &before);
}

#[test]
fn a_redirect_is_not_followed() {
    let (bench, before) = loaded();
    bench.sim.push_fault(Endpoint::Orders, Fault::Redirect("http://127.0.0.1:1/elsewhere".to_owned()));
    let ran = call(&bench, &["orders", "--full"]).expect_code(5);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(paragraph(&ran), @"
    acme orders: orders of account acme: HTTP 302 redirects elsewhere; nothing was sent there
      correct the endpoint, or the proxy in between
    ");
    });
    assert_recovers(&bench, &before);
}

#[test]
fn a_proxys_page_in_place_of_every_answer_is_given_up_and_named() {
    let (bench, before) = loaded();
    bench.sim.every_nth(Endpoint::Orders, 1, || Fault::Html200);
    let ran = call(&bench, &["orders", "--full", "--deadline", "1s"]).expect_code(4);
    steady(&bench).bind(|| insta::assert_snapshot!(paragraph(&ran), @"
    acme orders: orders of account acme: the job's deadline is nearer than the next try (WAIT); the last: 127.0.0.1:PORT: the answer is not JSON (text/html)
      check endpoint, network and proxy; nothing is lost, the next run goes on from here
    "));
    bench.sim.clear_faults();
    assert_recovers(&bench, &before);
}

#[test]
fn a_bad_job_file_is_named_with_its_line() {
    let (bench, before) = loaded();
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    fs::create_dir(bench.path("jobs")).expect("a folder");
    fs::write(
        bench.path("jobs/orders.toml"),
        "stream = \"order\"\nschedule = \"*/15 * * * *\"\ntime_zone = \"Asia/Beijing\"\nhistory_start = \"yesterday\"\noverlapp = \"2h\"\n",
    )
    .expect("written");
    fs::write(bench.path("jobs/lines.toml"), "stream = \n").expect("written");
    bench
        .write_config(&format!("jobs_dir = \"jobs\"\n{}", config.split("[jobs.").next().unwrap_or_default()));
    bench.sim.reset_stats();
    let ran = call(&bench, &[]).expect_code(2);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stderr, @r#"
    bss-sync: the configuration has 6 problems; nothing was asked of the vendor

    ./jobs/lines.toml line 1: this is no TOML: string values must be quoted, expected literal string
      correct the line; the syntax is at https://toml.io

    ./jobs/orders.toml line 1: jobs.orders.stream = "order": this value is not understood
      did you mean "orders"? the streams are orders, order_lines, refund_attributions, resources, service_types, resource_types, sub_customers

    ./jobs/orders.toml line 2: jobs.orders.schedule = "*/15 * * * *": this value is not understood
      five fields have no seconds here: write "0 */15 * * * *" (seconds come first)

    ./jobs/orders.toml line 3: jobs.orders.time_zone = "Asia/Beijing": this value is not understood
      did you mean "Asia/Beirut"? write a zone of the IANA database, like "Asia/Shanghai" or "UTC"

    ./jobs/orders.toml line 4: jobs.orders.history_start = "yesterday": this value is not understood
      write a day that exists as "2018-05-01", 2000 or later

    ./jobs/orders.toml line 5: jobs.orders.overlapp: this key is unknown
      did you mean jobs.orders.overlap?
    "#));
    assert_eq!(bench.sim.requests().len(), 0);
    bench.write_config(&config);
    assert_recovers(&bench, &before);
}

#[test]
fn everything_wrong_with_a_configuration_is_told_at_once() {
    let (mut bench, before) = loaded();
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.set_env("TEST_EMPTY", "");
    bench.write_config(
        "[warehouse]\npath = 7\n\n[acounts.acme]\nrole = \"customer\"\n\n[accounts.other]\nsite = \"mars\"\nrole = \"owner\"\n\
         access_key = \"SIMCUSTOMERKEY000001\"\nsecret_key = { env = \"TEST_EMPTY\" }\ntimeout = \"soon\"\nquotas = \"fast\"\n",
    );
    bench.sim.reset_stats();
    let ran = call(&bench, &[]).expect_code(2);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stderr, @r#"
    bss-sync: the configuration has 8 problems; nothing was asked of the vendor

    ./bss-sync.toml line 2: warehouse.path: a whole number stands here
      write a text in quotes

    ./bss-sync.toml line 9: accounts.other.role = "owner": this value is not understood
      write "customer" or "partner"

    ./bss-sync.toml line 8: accounts.other.site = "mars": this value is not understood
      write "china", "international" or "europe"

    ./bss-sync.toml line 10: accounts.other.access_key: a secret does not belong here
      write { env = "NAME" }, { file = "path" } or { credential = "name" } (systemd); a secret in a configuration or on a command line is read by others and kept in backups

    ./bss-sync.toml line 11: accounts.other.secret_key: the environment variable TEST_EMPTY is empty
      set it to the secret, and nothing else

    ./bss-sync.toml line 13: accounts.other.quotas = "fast": this value is not understood
      write a quota as calls per time, like 10/1s, 600/1m or 1000/1h, or none

    ./bss-sync.toml line 12: accounts.other.timeout = "soon": this value is not understood
      write a whole number and a unit: "250ms", "60s", "10m", "2h" or "1d"

    ./bss-sync.toml line 4: acounts: this key is unknown
      did you mean accounts?
    "#));
    assert_eq!(bench.sim.requests().len(), 0);
    bench.write_config(&config);
    assert_recovers(&bench, &before);
}

#[test]
fn a_missing_configuration_is_told_with_the_places_it_was_looked_for() {
    let bench = bench();
    fs::remove_file(bench.path("bss-sync.toml")).expect("removed");
    let ran = call(&bench, &[]).expect_code(2);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @r#"
    bss-sync: the configuration has a problem; nothing was asked of the vendor

    configuration: there is neither ./bss-sync.toml nor /etc/bss-sync/config.toml
      name a file with --config FILE, or write one of the two:

        [warehouse]
        path = "billing.sqlite"

        [accounts.acme]
        site = "china"
        access_key = { env = "BSS_ACCESS_KEY" }
        secret_key = { env = "BSS_SECRET_KEY" }
    "#);
    });
    let ran = bench.call(&["run", "--config", "nowhere.toml"]).expect_code(2);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: the configuration has a problem; nothing was asked of the vendor

    nowhere.toml: this file cannot be read: No such file or directory (os error 2)
      check the path and its permissions
    ");
    });
}

#[test]
fn a_warehouse_of_a_newer_program_is_left_alone() {
    let (bench, before) = loaded();
    let known = bench.count("pragma user_version");
    bench.writable_db().pragma_update(None, "user_version", known + 1).expect("set");
    let bytes = fs::read(bench.warehouse()).expect("a file");
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: the warehouse ./billing.sqlite has schema 9, this program knows up to 8
      nothing was written to it; upgrade bss-sync, or point `warehouse.path` at another file
    ");
    });
    assert_eq!(bench.call(&["status"]).code, Some(6));
    assert_eq!(fs::read(bench.warehouse()).expect("a file"), bytes, "not one byte was written");
    bench.writable_db().pragma_update(None, "user_version", known).expect("set");
    assert_recovers(&bench, &before);
}

#[test]
fn another_programs_database_is_left_alone() {
    let bench = bench();
    let foreign = Connection::open(bench.warehouse()).expect("a database");
    foreign
        .execute_batch("create table notes (text text); insert into notes values ('mine');")
        .expect("made");
    drop(foreign);
    let bytes = fs::read(bench.warehouse()).expect("a file");
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: ./billing.sqlite is not a bss-sync warehouse
      nothing was written to it; point `warehouse.path` at another file
    ");
    });
    assert_eq!(fs::read(bench.warehouse()).expect("a file"), bytes, "not one byte was written");
    fs::remove_file(bench.warehouse()).expect("removed");
    bench.run(&[]).expect_code(0);
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let bench = bench();
    let text = "account,order,amount\nacme,CS1,1.00\n".repeat(200);
    fs::write(bench.warehouse(), &text).expect("written");
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: ./billing.sqlite is not a bss-sync warehouse
      nothing was written to it; point `warehouse.path` at another file
    ");
    });
    assert_eq!(fs::read_to_string(bench.warehouse()).expect("a file"), text);
    fs::remove_file(bench.warehouse()).expect("removed");
    bench.run(&[]).expect_code(0);
}

#[test]
fn a_damaged_warehouse_is_reported_and_a_restored_one_goes_on() {
    let (bench, before) = loaded();
    let good = fs::read(bench.warehouse()).expect("a file");
    let mut bytes = good.clone();
    // Every page but the first, which says that this is our file.
    bytes[4096..].fill(0x5a);
    fs::write(bench.warehouse(), &bytes).expect("written");
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stderr, @"
    bss-sync: the warehouse ./billing.sqlite is damaged: database disk image is malformed
      nothing more was written to it; keep a copy, restore the last backup to this path and run again: what is missing since is read again
    "));
    let ran = bench.call(&["status"]).expect_code(6);
    assert!(ran.stderr.contains("is damaged"), "{}", ran.stderr);
    fs::write(bench.warehouse(), good).expect("restored");
    assert_recovers(&bench, &before);
}

/// A file size limit stands for a full disk: the system refuses to let the file grow.
#[test]
fn a_disk_that_fills_up_loses_nothing_that_was_stored() {
    let script = Script::seeded(11).orders(2_000);
    let bench = Bench::new(script);
    bench.run(&["service_types"]).expect_code(0);
    let before = stored(&bench);
    let limit = fs::metadata(bench.warehouse()).expect("a file").len() / 512 + 400;
    let mut full = Command::new("sh");
    full.arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" run -q orders"))
        .arg(env!("CARGO_BIN_EXE_bss-sync"))
        .current_dir(bench.path(""))
        .envs([("TEST_AK", sim::CUSTOMER_KEY.access), ("TEST_SK", sim::CUSTOMER_KEY.secret)]);
    let output = full.output().expect("a shell");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    let paragraph = said.split_once("\n\n").map_or(said.as_str(), |(_, paragraph)| paragraph);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(paragraph, @"
        acme orders: the disk failed to read or write the warehouse ./billing.sqlite: disk I/O error
          check the disk, its free space and this user's file size limit (ulimit -f), then run again: nothing stored is lost
        ");
    });
    assert_eq!(rows(&bench.db(), "pragma integrity_check"), ["'ok'"]);
    let after = stored(&bench);
    assert_eq!(after["service_types"], before["service_types"]);
    bench.run(&["orders"]).expect_code(0);
    let kept = stored(&bench);
    assert!(after["orders"].iter().all(|row| kept["orders"].contains(row)), "what was stored stays");
    let truth = bench.sim.truth();
    let known = truth.order_ids(&sim::Scope::Own).len();
    drop(truth);
    assert_eq!(
        bench.count("select count(*) from orders where parent_order_id is null"),
        i64::try_from(known).expect("few")
    );
}

/// A small disk of its own, where the system allows one.
#[test]
fn a_disk_that_is_full_is_named_and_freed_space_is_all_it_needs() {
    const NO_DISK: i32 = 99;
    let bench = Bench::new(Script::seeded(11).orders(2_000));
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    fs::create_dir(bench.path("disk")).expect("a folder");
    fs::create_dir(bench.path("saved")).expect("a folder");
    bench.write_config(&config.replace("billing.sqlite", "disk/billing.sqlite"));
    let script = format!(
        "mount -t tmpfs -o size=1m none disk || exit {NO_DISK}; \"$0\" run -q orders; code=$?; cp disk/* saved; exit $code"
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script, env!("CARGO_BIN_EXE_bss-sync")])
        .current_dir(bench.path(""))
        .envs([("TEST_AK", sim::CUSTOMER_KEY.access), ("TEST_SK", sim::CUSTOMER_KEY.secret)])
        .output();
    let output = match output {
        Ok(output) if output.status.code().is_some_and(|code| code != NO_DISK && code != 1) => output,
        refused => {
            println!("skipped: the system gives no disk to test with: {refused:?}");
            return;
        }
    };
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    let paragraph = said.split_once("\n\n").map_or(said.as_str(), |(_, paragraph)| paragraph);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(paragraph, @"
    acme orders: the disk is full: could not write to the warehouse ./disk/billing.sqlite
      free some space and run again: nothing stored is lost, the run goes on from its last page
    ");
    });
    bench.write_config(&config.replace("billing.sqlite", "saved/billing.sqlite"));
    bench.run(&["orders"]).expect_code(0);
    let saved = Connection::open(bench.path("saved/billing.sqlite")).expect("a warehouse");
    assert_eq!(rows(&saved, "pragma integrity_check"), ["'ok'"]);
    let known = bench.sim.truth().order_ids(&sim::Scope::Own).len();
    assert_eq!(
        rows(&saved, "select count(*) from orders where parent_order_id is null"),
        [known.to_string()]
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = bench();
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace("billing.sqlite", "nowhere/billing.sqlite"));
    let ran = call(&bench, &[]).expect_code(6);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stderr, @"
    bss-sync: could not open or write the warehouse ./nowhere/billing.sqlite.lock: No such file or directory (os error 2)
      check that the folder exists and that this user may write to it, then run again: nothing stored is lost
    "));
    bench.write_config(&config);
    bench.run(&[]).expect_code(0);
}

#[test]
fn a_folder_that_is_read_only_is_named() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (bench, before) = loaded();
    if fs::metadata(bench.path("bss-sync.toml")).is_ok_and(|file| file.uid() == 0) {
        println!("skipped: the system lets root write into any folder");
        return;
    }
    let folder = bench.path("");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).expect("set");
    fs::set_permissions(bench.warehouse(), fs::Permissions::from_mode(0o400)).expect("set");
    let ran = call(&bench, &[]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("set");
    fs::set_permissions(bench.warehouse(), fs::Permissions::from_mode(0o600)).expect("set");
    let ran = ran.expect_code(6);
    assert!(ran.stderr.contains("could not open or write the warehouse"), "{}", ran.stderr);
    assert_recovers(&bench, &before);
}

#[test]
fn a_second_worker_is_refused_and_the_first_finishes() {
    let bench = bench();
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    let mut first = bench.spawn(&["run", "orders"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the first worker asks");
    let second = call(&bench, &[]).expect_code(75);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(second.stderr, @"
        bss-sync: another worker holds the warehouse ./billing.sqlite (process PID, since TIME)
          wait until it ends, or stop it with SIGTERM: it then ends after the page in hand, and nothing it read is lost
        ");
    });
    hold.release();
    assert_eq!(first.wait().expect("an end").code(), Some(0));
    bench.run(&[]).expect_code(0);
}

#[test]
fn unknown_names_are_answered_with_the_nearest_known_one() {
    let bench = bench();
    let ran = call(&bench, &["order"]).expect_code(2);
    steady(&bench).bind(
        || insta::assert_snapshot!(ran.stderr, @"bss-sync: there is no job `order`; did you mean `orders`?"),
    );
    let ran = call(&bench, &["--account", "acne"]).expect_code(2);
    steady(&bench).bind(
        || insta::assert_snapshot!(ran.stderr, @"bss-sync: there is no account `acne`; did you mean `acme`?"),
    );
    let ran = call(&bench, &["--account", "somebody-else"]).expect_code(2);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stderr, @"bss-sync: there is no account `somebody-else`; there are: acme"));
    let ran = bench.call(&["run", "--dedline", "1s"]).expect_code(2);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    error: unexpected argument '--dedline' found

      tip: a similar argument exists: '--deadline'

    Usage: bss-sync run --deadline <DURATION> [JOBS]...

    For more information, try '--help'.
    ");
    });
    let ran = bench.call(&["run", "--deadline", "soon"]).expect_code(2);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stderr, @r#"
    error: invalid value 'soon' for '--deadline <DURATION>': write a whole number and a unit: "250ms", "60s", "10m", "2h" or "1d"

    For more information, try '--help'.
    "#));
    assert!(!bench.warehouse().exists(), "nothing was begun");
}

#[test]
fn a_reader_who_goes_away_changes_nothing() {
    let bench = bench();
    let hold = Hold::new();
    bench.sim.push_fault(Endpoint::Orders, Fault::Hold(hold.clone()));
    let mut child = bench.spawn(&["run", "-vv"]);
    assert!(hold.wait_for_request(Duration::from_mins(1)), "the worker asks");
    drop(child.stdout.take());
    drop(child.stderr.take());
    hold.release();
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert_eq!(bench.count("select count(*) from orders"), 8);
    assert_eq!(bench.count("select count(*) from runs where outcome <> 'done'"), 0);
}

#[test]
fn closed_standard_streams_change_nothing() {
    let bench = bench();
    let status = Command::new("sh")
        .arg("-c")
        .arg("exec \"$0\" run <&- >&- 2>&-")
        .arg(env!("CARGO_BIN_EXE_bss-sync"))
        .current_dir(bench.path(""))
        .envs([("TEST_AK", sim::CUSTOMER_KEY.access), ("TEST_SK", sim::CUSTOMER_KEY.secret)])
        .stdin(Stdio::null())
        .status()
        .expect("a shell");
    assert_eq!(status.code(), Some(0));
    assert_eq!(bench.count("select count(*) from orders"), 8);
}

#[test]
fn status_without_a_warehouse_says_what_to_do() {
    let bench = bench();
    let ran = bench.call(&["status"]).expect_code(6);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stderr, @"
    bss-sync: there is no warehouse at ./billing.sqlite
      run `bss-sync run` first, or correct `warehouse.path`
    ");
    });
    assert!(!bench.warehouse().exists(), "looking creates nothing");
}

#[test]
fn a_run_ends_with_a_table_of_its_jobs() {
    let bench = bench();
    let ran = bench.call(&["run"]).expect_code(0);
    let mut settings = steady(&bench);
    settings.add_filter(r"\d+\.\d\s*(?m:$)", "S");
    settings.bind(|| {
        insta::assert_snapshot!(ran.stdout, @"
        ACCOUNT  JOB                  OUTCOME  ROWS  NEW  CHANGED  REQUESTS  REFUSED  SECONDS
        acme     orders               done     6     14   0        11        0        S
        acme     order_lines          done     4     14   0        6         0        S
        acme     refund_attributions  done     6     6    0        1         0        S
        acme     resources            done     5     5    0        5         0        S
        acme     service_types        done     4     4    0        1         0        S
        acme     resource_types       done     4     4    0        1         0        S
        ");
    });
    assert_eq!(ran.stderr, "");
}

#[test]
fn status_shows_how_fresh_and_complete_each_stream_is() {
    let mut parts = examples();
    let (_, lines) = parts.details.get_mut("CS2601050210DEMO1").expect("an order of the examples");
    lines.push(r#"{"order_line_item_id":"L3","official_amount":0.000000001}"#.to_owned());
    let bench = crate::fixtures::serving(parts);
    bench.sim.set_denied(&[Endpoint::Refunds]);
    bench.run(&[]).expect_code(5);
    let ran = bench.call(&["status"]).expect_code(0);
    steady(&bench).bind(|| insta::assert_snapshot!(ran.stdout, @r#"
     ACCOUNT  JOB                  LAST RUN (UTC)        OUTCOME   REQUESTS  NEW  CHANGED  LAST DONE (UTC)
     acme     orders               TIME  done      11        14   0        TIME
     acme     order_lines          TIME  findings  6         14   0        never
     acme     refund_attributions  TIME  refused   1         0    0        never
     acme     resources            TIME  done      5         5    0        TIME
     acme     service_types        TIME  done      1         4    0        TIME
     acme     resource_types       TIME  done      1         4    0        TIME
    acme order_lines: 1 row(s) could not be decoded; they are kept in the table quarantine with the reason
    acme refund_attributions: refund_orders of account acme: not allowed: HTTP 403 CBC.0151 "Access denied." (request ID)
    acme orders: complete by created time up to TIME
    acme orders: complete by paid time up to TIME
    acme refund_attributions: 1 order(s) queued, 0 of them to be read once more later, 0 failing
    1 row(s) that could not be decoded: table quarantine
    2 undocumented field(s) or value(s): table drift
    "#));
    let json = bench.call(&["status", "--output", "json"]).expect_code(0).json();
    assert_eq!(json["quarantined"], 1);
    assert_eq!(json["runs"].as_array().map(Vec::len), Some(6));
}

#[test]
fn jobs_are_listed_with_their_next_time_in_their_zone() {
    let bench = bench();
    let ran = bench.call(&["jobs"]).expect_code(0);
    steady(&bench).bind(|| {
        insta::assert_snapshot!(ran.stdout, @"
        JOB                  SCHEDULE        ZONE           NEXT                       ACCOUNTS
        orders               0 */15 * * * *  Asia/Shanghai  TIME  acme
        order_lines          0 5/15 * * * *  Asia/Shanghai  TIME  acme
        refund_attributions  0 5/15 * * * *  Asia/Shanghai  TIME  acme
        resources            0 20 * * * *    Asia/Shanghai  TIME  acme
        sub_customers        0 40 5 * * *    Asia/Shanghai  TIME  (none)
        service_types        0 10 5 * * *    Asia/Shanghai  TIME  acme
        resource_types       0 15 5 * * *    Asia/Shanghai  TIME  acme
        ");
    });
}

#[test]
fn help_tells_the_commands_and_the_exit_codes() {
    let bench = bench();
    let mut wide = bench.command(&["--help"]);
    let output = wide.env("COLUMNS", "100").output().expect("the program starts");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @"
    Copies an account's billing records from the Huawei Cloud BSS API into a SQLite warehouse

    Usage: bss-sync [OPTIONS] <COMMAND>

    Commands:
      run     Run jobs once, now (for cron and systemd timers)
      jobs    List the jobs and when their schedules would run them next
      status  Show how fresh and complete the warehouse is
      help    Print this message or the help of the given subcommand(s)

    Options:
          --config <FILE>
              Configuration file [default: ./bss-sync.toml, then /etc/bss-sync/config.toml]

          --set <KEY=VALUE>
              Set a key of the configuration, e.g. --set warehouse.path=/srv/billing.sqlite; may be
              repeated

          --output <OUTPUT>
              Form of what is written to standard output

              Possible values:
              - text: For people
              - json: For machines
              
              [default: text]

      -v, --verbose...
              Log more: -v each step, -vv each request

      -q, --quiet
              No progress, and only errors in the log

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Exit codes:
      0   done: everything asked for is complete
      1   failed for another reason
      2   wrong usage or configuration
      3   done, with findings: a disputed window, quarantined rows
      4   not finished: deadline or quota reached; the next run goes on from there
      5   refused by the vendor: credentials, permission, role, clock, TLS
      6   the warehouse failed: disk full, damaged, newer
      75  another worker holds the warehouse
    ");
    let mut wide = bench.command(&["run", "--help"]);
    let output = wide.env("COLUMNS", "100").output().expect("the program starts");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @"
    Run jobs once, now (for cron and systemd timers)

    Usage: bss-sync run [OPTIONS] [JOBS]...

    Arguments:
      [JOBS]...
              Jobs to run; all when none is named

    Options:
          --account <NAME>
              Accounts to run them for; all when none is named

          --config <FILE>
              Configuration file [default: ./bss-sync.toml, then /etc/bss-sync/config.toml]

          --full
              Read everything from the start of the history again

          --set <KEY=VALUE>
              Set a key of the configuration, e.g. --set warehouse.path=/srv/billing.sqlite; may be
              repeated

          --deadline <DURATION>
              How long each job may take, e.g. 10m; what is left stays for the next run

          --output <OUTPUT>
              Form of what is written to standard output

              Possible values:
              - text: For people
              - json: For machines
              
              [default: text]

      -v, --verbose...
              Log more: -v each step, -vv each request

      -q, --quiet
              No progress, and only errors in the log

      -h, --help
              Print help (see a summary with '-h')
    ");
}
