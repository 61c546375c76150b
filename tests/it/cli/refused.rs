//! The vendor refuses, is away, or has had enough.

use std::fs;

use super::{assert_recovers, call, loaded, paragraph, steady, stored, with_port_closed};
use crate::fixtures::{bench, examples, shorten_history};
use sim::{self, Endpoint, Fault, QuotaPlan, RefusalStyle, Script, Sim, Truth};
use support::{As, Bench, Login, now};

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
fn a_run_of_all_jobs_tries_wrong_credentials_once() {
    for (login, variable) in [(Login::Keys, "TEST_SK"), (Login::Token, "TEST_PASSWORD")] {
        let mut bench = Bench::with(Script::serving(Truth::from_parts(examples())), As::Customer, login);
        shorten_history(&bench);
        bench.run(&[]).expect_code(0);
        bench.sim.reset_stats();
        bench.set_env(variable, "NotTheSecret00000000000000000000000000001");
        let ran = bench.run(&["--full"]).expect_code(5);
        // The queues of the two other jobs are empty.
        for job in ["orders", "resources", "service_types", "resource_types"] {
            assert_eq!(ran.job(job)["exit_code"], 5, "{job}: {ran:?}");
        }
        assert_eq!(bench.sim.requests().len(), 1, "{variable}");
    }
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

/// No signature tells: the answers are good ones.
#[test]
fn a_clock_that_is_off_is_found_with_a_token_as_well() {
    for hours in [-2, 2] {
        let script = Script::serving(Truth::from_parts(examples())).clock_ahead(hours * 3600);
        let bench = Bench::with(script, As::Customer, Login::Token);
        shorten_history(&bench);
        let ran = call(&bench, &["orders"]).expect_code(5);
        assert!(ran.stdout.contains("clocks differ") && ran.stdout.contains("NTP"), "{ran:?}");
        assert_eq!(bench.count("select count(*) from orders"), 0);
        assert_eq!(bench.count("select count(*) from coverage"), 0);
    }
    let script = Script::serving(Truth::from_parts(examples())).clock_ahead(-30 * 60);
    let bench = Bench::with(script, As::Customer, Login::Token);
    shorten_history(&bench);
    let ran = bench.call(&["run", "orders"]).expect_code(0);
    assert_eq!(ran.stderr.matches("this machine's clock is off").count(), 1, "{}", ran.stderr);
    let ahead = "select count(*) from coverage
         where max(window_end, read_at) > strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-29 minutes')";
    assert_eq!(bench.count(ahead), 0);
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
          grant the account's user the permission to view orders and subscriptions (billing:order:view, billing:subscription:view), or check `role` in the configuration
        "#);
    });
    bench.set_env("TEST_AK", sim::CUSTOMER_KEY.access);
    bench.set_env("TEST_SK", sim::CUSTOMER_KEY.secret);
    assert_recovers(&bench, &before);
}

#[test]
fn a_customers_key_in_the_role_of_a_partner_is_told_to_check_the_role() {
    let (bench, before) = loaded();
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace("role = \"customer\"", "role = \"partner\""));
    let ran = call(&bench, &["sub_customers"]).expect_code(5);
    steady(&bench).bind(|| insta::assert_snapshot!(paragraph(&ran), @r#"
    acme sub_customers: sub_customers of account acme: not allowed: HTTP 403 CBC.0151 "Access denied." (request ID)
      grant the account's user the permission to view orders and subscriptions (billing:order:view, billing:subscription:view), or check `role` in the configuration
    "#));
    bench.write_config(&config);
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
        let asked = bench.sim.count(Endpoint::Orders).calls;
        // Of the history's windows of 31 days, those that were read are not asked for again; besides the others, the
        // newest one is read with its overlap, and payments and open orders are looked at.
        let windows = (now() - sim::clock::parse("2026-01-01T00:00:00Z").unwrap()) / (31 * 86_400) + 1;
        assert!(read_before > 0, "{read_before}");
        assert!(
            i64::try_from(asked).is_ok_and(|asked| asked <= windows - read_before + 3),
            "{asked} of {windows}"
        );
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
