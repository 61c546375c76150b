use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;
use crate::client::Auth;
use crate::job;

mod accounts;
mod files;
mod secrets;
mod variables;

const KNOWN: KnownNames<'static> = KnownNames {
    streams: &[
        "orders",
        "order_lines",
        "refund_attributions",
        "resources",
        "service_types",
        "resource_types",
        "sub_customers",
    ],
    endpoints: &["orders", "order_details"],
};

const MINIMAL: &str = r#"
[warehouse]
path = "billing.sqlite"

[accounts.acme]
site = "china"
access_key = { env = "AK" }
secret_key = { env = "SK" }
"#;

fn keys() -> Environment {
    Environment::of([("AK", "canary-ak"), ("SK", "canary-sk")])
}

fn parse_with(text: &str, set: &[&str], environment: &Environment) -> Result<Config, String> {
    let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
    let parsed = Config::parse(Path::new("/etc/bss/bss-sync.toml"), text, &set, environment, KNOWN);
    // Whatever happens, nothing that can be printed holds a secret.
    assert!(!format!("{parsed:?} {environment:?}").contains("canary"), "{parsed:?}");
    parsed.map_err(|error| {
        assert!(!error.problems().is_empty());
        error.to_string()
    })
}

fn parse(text: &str) -> Result<Config, String> {
    parse_with(text, &[], &keys())
}

/// One account table with these lines, and a right warehouse.
fn account(lines: &str) -> String {
    format!("warehouse.path = \"w\"\n[accounts.acme]\n{lines}")
}

fn only(config: &Config) -> &Account {
    let [account] = config.accounts.as_slice() else { panic!("one account: {config:?}") };
    account
}

fn pair(config: &Config) -> (&str, &str, Option<&str>) {
    match &only(config).profile.auth {
        Auth::AkSk { access_key, secret_key, security_token } => (
            access_key.expose_secret(),
            secret_key.expose_secret(),
            security_token.as_ref().map(ExposeSecret::expose_secret),
        ),
        Auth::Token { .. } | Auth::Unread => panic!("a key pair"),
    }
}

#[test]
fn a_small_file_is_enough() {
    let config = parse(MINIMAL).expect("right");
    assert_eq!(config.warehouse, Path::new("/etc/bss/billing.sqlite"));
    assert_eq!(config.log, Log { format: LogFormat::Text, level: tracing::Level::INFO });
    assert_eq!(config.jobs.len(), job::built_in().len());
    assert_eq!(config.job("orders").map(|job| job.stream.as_str()), Some("orders"));
    let acme = config.account("acme").expect("there");
    assert_eq!((acme.role, acme.profile.account.as_str()), (Role::Customer, "acme"));
    assert_eq!(acme.profile.endpoint.as_str(), "https://bss.myhuaweicloud.com");
    assert_eq!(acme.profile.timeout.as_secs(), 60);
    assert_eq!(pair(&config), ("canary-ak", "canary-sk", None));
}

#[test]
fn every_key_is_read() {
    let config = parse(
        r#"
        [warehouse]
        path = "/var/lib/bss/w.sqlite"
        [log]
        format = "json"
        level = "debug"
        [metrics]
        textfile = "bss.prom"
        listen = "[::1]:9744"
        [accounts.b]
        endpoint = "http://127.0.0.1:8080"
        iam_endpoint = "http://127.0.0.1:8081"
        role = "partner"
        auth = "token"
        user = "u"
        domain = "d"
        password = { env = "SK" }
        domain_id = "0123"
        indirect_partner_id = "4567"
        timeout = "5s"
        proxy = "http://u:canary@proxy.example:3128"
        quotas = { default = "10/1s", orders = "none" }
        quota_share = "80%"
        "#,
    )
    .expect("right");
    insta::assert_debug_snapshot!(config.accounts, @r#"
    [
        Account {
            name: "b",
            role: Partner,
            profile: Profile {
                account: "b",
                endpoint: http://127.0.0.1:8080,
                iam_endpoint: Some(
                    http://127.0.0.1:8081,
                ),
                auth: Token {
                    user: "u",
                    domain: "d",
                    ..
                },
                domain_id: Some(
                    "0123",
                ),
                reseller: Some(
                    "4567",
                ),
                quotas: QuotaOverrides {
                    default: Some(
                        Limit(
                            Quota {
                                calls: 10,
                                period: 1s,
                            },
                        ),
                    ),
                    by_endpoint: {
                        "orders": Unlimited,
                    },
                    share: QuotaShare(
                        80,
                    ),
                },
                timeout: 5s,
                proxy: Some(
                    Proxy([hidden]),
                ),
            },
            secrets: [
                SecretPlace {
                    key: "password",
                    source: Variable,
                },
            ],
        },
    ]
    "#);
    assert_eq!(config.warehouse, Path::new("/var/lib/bss/w.sqlite"));
    assert_eq!(config.log, Log { format: LogFormat::Json, level: tracing::Level::DEBUG });
    let listen = Some("[::1]:9744".parse().expect("an address"));
    assert_eq!(config.metrics, Metrics { textfile: Some("/etc/bss/bss.prom".into()), listen });
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let variables = [
        ("AK", "canary-ak"),
        ("SK", "canary-sk"),
        ("BSS_SYNC_WAREHOUSE__PATH", "/env.sqlite"),
        ("BSS_SYNC_ACCOUNTS__ACME__SITE", "europe"),
        ("BSS_SYNC_LOG__FORMAT", "json"),
        ("BSS_SYNC_JOBS__ORDER_LINES__ACCOUNTS", "acme, other-one"),
        ("BSS_SYNC_JOBS__ORDERS__DEADLINE", "5m"),
        ("BSS_SYNC_ACCOUNTS__OTHER_ONE__SITE", "international"),
        ("BSS_SYNC_CONFIG", "elsewhere.toml"),
        ("UNRELATED", "x"),
    ];
    let text = format!(
        "{MINIMAL}\n[accounts.other-one]\naccess_key.env = \"AK\"\nsecret_key.env = \"SK\"\n[jobs.orders]\nwindow = \"1d\""
    );
    let config =
        parse_with(&text, &["warehouse.path=/flag.sqlite", "log.level=warn"], &Environment::of(variables))
            .expect("right");
    assert_eq!(config.warehouse, Path::new("/flag.sqlite"));
    assert_eq!(config.log, Log { format: LogFormat::Json, level: tracing::Level::WARN });
    let hosts: Vec<&str> = config.accounts.iter().map(|account| account.profile.endpoint.host()).collect();
    assert_eq!(hosts, ["bss.myhuaweicloud.eu", "bss-intl.myhuaweicloud.com"]);
    let orders = config.job("orders").expect("built in");
    assert_eq!(orders.window.as_secs(), 86_400, "the file's [jobs.orders] lies over the built-in job");
    assert_eq!(orders.deadline.map(|deadline| deadline.as_secs()), Some(300));
    assert_eq!(orders.overlap.as_secs(), 7200);
    let lines = config.job("order_lines").and_then(|job| job.accounts.clone());
    assert_eq!(lines, Some(vec!["acme".to_owned(), "other-one".to_owned()]));
}

#[test]
fn everything_wrong_is_said_at_once() {
    let text = r#"
[warehous]
path = "x"

[log]
format = "xml"
level = 3

[accounts."a b"]
site = "chine"
role = "reseller"
auth = "key"
timeout = "60"

[accounts.plain]
endpoint = "http://bss.myhuaweicloud.com"
acces_key = { env = "AK" }
secret_key = { env = "NOT_THERE" }

[jobs.order]
deadline = "1h"

[jobs.orders]
accounts = ["plane"]
"#;
    let variables = [
        ("AK", "canary-ak"),
        ("BSS_SYNC_ACCOUNTS__PLAIN__PROXY", "ftp://x"),
        ("BSS_SYNC_LOGS__LEVEL", "info"),
    ];
    let error =
        parse_with(text, &["log.format=yaml", "accounts.plain.domain_id= "], &Environment::of(variables))
            .expect_err("wrong");
    insta::assert_snapshot!(error, @r#"
    the configuration has 18 problems; nothing was asked of the vendor

    /etc/bss/bss-sync.toml: warehouse: this key is missing
      write the path of the SQLite file: [warehouse] path = "billing.sqlite"

    flag --set number 1: log.format = "yaml": this value is not understood
      write "text" or "json"

    /etc/bss/bss-sync.toml line 7: log.level: a whole number stands here
      write a text in quotes

    /etc/bss/bss-sync.toml line 9: accounts."a b": this cannot name an account
      use 1 to 64 of A-Z a-z 0-9 _ -

    /etc/bss/bss-sync.toml line 11: accounts."a b".role = "reseller": this value is not understood
      write "customer" or "partner"

    /etc/bss/bss-sync.toml line 10: accounts."a b".site = "chine": this value is not understood
      write "china", "international" or "europe"

    /etc/bss/bss-sync.toml line 12: accounts."a b".auth = "key": this value is not understood
      write "aksk" (key pair) or "token" (user and password)

    /etc/bss/bss-sync.toml line 13: accounts."a b".timeout = "60": this value is not understood
      write a whole number and a unit: "250ms", "60s", "10m", "2h" or "1d"

    /etc/bss/bss-sync.toml line 16: accounts.plain.endpoint = "http://bss.myhuaweicloud.com": this value is not understood
      http is allowed for this machine only (127.0.0.1, [::1], localhost); use https

    /etc/bss/bss-sync.toml line 15: accounts.plain.access_key: this key is missing
      a key pair has both halves: add it

    /etc/bss/bss-sync.toml line 18: accounts.plain.secret_key: the environment variable NOT_THERE is not set
      set it to the secret, and nothing else

    flag --set number 2: accounts.plain.domain_id = "": this value is not understood
      write the account's id, like "0a1b2c…", without spaces around it

    environment variable BSS_SYNC_ACCOUNTS__PLAIN__PROXY: accounts.plain.proxy = "ftp://x": this value is not understood
      a proxy is written like http://proxy.example:3128

    /etc/bss/bss-sync.toml line 17: accounts.plain.acces_key: this key is unknown
      did you mean accounts.plain.access_key?

    environment variable BSS_SYNC_LOGS__LEVEL: logs: this key is unknown
      did you mean log?

    /etc/bss/bss-sync.toml line 2: warehous: this key is unknown
      did you mean warehouse?

    /etc/bss/bss-sync.toml line 20: jobs.order: there is no such job
      did you mean jobs.orders?

    job orders: jobs.orders.accounts = "plane": there is no such account
      did you mean "plain"? the accounts are a b, plain
    "#);
}

#[test]
fn without_accounts_there_is_nothing_to_do() {
    insta::assert_snapshot!(parse("").expect_err("empty"), @r#"
    the configuration has 2 problems; nothing was asked of the vendor

    /etc/bss/bss-sync.toml: warehouse: this key is missing
      write the path of the SQLite file: [warehouse] path = "billing.sqlite"

    /etc/bss/bss-sync.toml: accounts: this key is missing
      write a table for each account: [accounts.NAME]
    "#);
    insta::assert_snapshot!(parse("warehouse.path = \"w\"\naccounts = {}\njobs = 1").expect_err("no account"), @r#"
    the configuration has 2 problems; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 3: jobs: this is no table
      write a table for each job whose settings you change: [jobs.orders]

    /etc/bss/bss-sync.toml line 2: accounts: there is no account
      write a table for each account: [accounts.NAME]
    "#);
}

proptest! {
    #[test]
    fn no_text_panics_the_parser(text in any::<String>(), line in "[a-z_.]{1,12} = [\\[{\"a-z0-9,=}\\]]{0,12}") {
        let _ = parse(&text);
        let _ = parse(&account(&line));
        let _ = parse_with(MINIMAL, &[&text, &format!("accounts.acme.{text}"), &format!("{line}={text}")], &keys());
        let name = format!("BSS_SYNC_{}", text.to_uppercase());
        let _ = parse_with(MINIMAL, &[], &Environment::of([(name.as_str(), text.as_str())]));
    }

    #[test]
    fn damage_around_a_secret_never_shows_it(at in 0usize..70, damage in "[\"'{}\\[\\]=.#\\n ]{0,4}", cut in 0usize..3) {
        let mut text = account("site = \"china\"\nsecret_key = \"canary\"\naccess_key.env = \"AK\"\n");
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        // Damage inside the secret itself makes it another text.
        let secret = text.find("canary").expect("there");
        prop_assume!(end <= secret || at >= secret + "canary".len());
        text.replace_range(at..end, &damage);
        prop_assume!(text.matches("canary").count() == 1);
        let _ = parse(&text);
    }
}

#[test]
fn the_copy_for_finance_is_configured_in_a_table_of_its_own() {
    let with = |lines: &str| format!("{MINIMAL}\n[publish]\n{lines}");
    assert_eq!(parse(MINIMAL).expect("right").publish, None);
    let publish = |lines: &str| parse(&with(lines)).expect("right").publish.expect("there");
    let copy = publish("path = \"finance.sqlite\"");
    assert_eq!(copy.path, Path::new("/etc/bss/finance.sqlite"));
    assert_eq!((copy.group, copy.when), (None, PublishWhen::OnCommand));
    let copy = publish("path = \"/srv/f.sqlite\"\ngroup = \"finance\"\nafter_run = true");
    assert_eq!((copy.group.as_deref(), copy.when), (Some("finance"), PublishWhen::AfterRun));
    let set = ["publish.after_run=false"];
    let text = with("path = \"f\"\nafter_run = true");
    let copy = parse_with(&text, &set, &keys()).expect("right").publish.expect("there");
    assert_eq!(copy.when, PublishWhen::OnCommand);
    let wrong = parse(&with("after_run = \"yes\"\ngroup = \"\"\ngrup = \"x\"")).expect_err("four mistakes");
    for part in [
        "publish.path: this key is missing",
        "publish.after_run: a text stands here",
        "write true or false",
        "publish.group",
        "did you mean publish.group?",
    ] {
        assert!(wrong.contains(part), "{part} in {wrong}");
    }
}
