//! What is asked for does not exist, or is configured wrongly: nothing is begun.

use std::fs;

use super::{assert_recovers, call, loaded, steady};
use crate::fixtures::bench;

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
