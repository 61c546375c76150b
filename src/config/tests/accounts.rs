use super::*;
use crate::quota::Quota;
use crate::rate::QuotaSetting;
use crate::rate::words::QuotaShare;

#[test]
fn quotas_are_a_table_or_none_as_a_whole() {
    let of = |lines: &str| {
        parse(&account(&format!(
            "site = \"china\"\naccess_key.env = \"AK\"\nsecret_key.env = \"SK\"\n{lines}"
        )))
    };
    let quotas = |config: &Config| only(config).profile.quotas.clone();
    assert_eq!(quotas(&of("quotas = \"none\"").expect("right")).default, Some(QuotaSetting::Unlimited));
    assert_eq!(quotas(&of("quota_share = \"80%\"").expect("right")).share, QuotaShare::percent(80));
    for wrong in ["0%", "101%", "80", "all"] {
        let error = of(&format!("quota_share = \"{wrong}\"")).expect_err("wrong");
        assert!(error.contains("accounts.acme.quota_share") && error.contains("1% to 100%"), "{error}");
    }
    let quotas = quotas(&of("quotas = { orders = \"600/1m\" }").expect("right"));
    assert_eq!(quotas.default, None);
    let limit = Quota { calls: 600, period: std::time::Duration::from_mins(1) };
    assert_eq!(
        quotas.by_endpoint.into_iter().collect::<Vec<_>>(),
        [("orders".to_owned(), QuotaSetting::Limit(limit))]
    );
    insta::assert_snapshot!(of("quotas = { order = \"1/1s\", orders = \"10\", default = 10 }").expect_err("wrong"), @r#"
    the configuration has 3 problems; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 6: accounts.acme.quotas.default: a whole number stands here
      write a text in quotes

    /etc/bss/bss-sync.toml line 6: accounts.acme.quotas.order: this key is unknown
      did you mean accounts.acme.quotas.orders?

    /etc/bss/bss-sync.toml line 6: accounts.acme.quotas.orders = "10": this value is not understood
      write a quota as calls per time, like 10/1s, 600/1m or 1000/1h, or none
    "#);
}

#[test]
fn a_site_and_an_endpoint_exclude_each_other() {
    let text = account(
        "site = \"china\"\nendpoint = \"https://bss.myhuaweicloud.eu\"\naccess_key.env = \"AK\"\nsecret_key.env = \"SK\"",
    );
    insta::assert_snapshot!(parse(&text).expect_err("both"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 4: accounts.acme.endpoint: site and endpoint exclude each other; site is in /etc/bss/bss-sync.toml line 3
      remove one of the two
    "#);
    let text =
        account("iam_endpoint = \"http://localhost:1\"\naccess_key.env = \"AK\"\nsecret_key.env = \"SK\"");
    insta::assert_snapshot!(parse(&text).expect_err("half"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 2: accounts.acme.endpoint: this key is missing
      write the address of the billing interfaces beside iam_endpoint, or site alone
    "#);
    insta::assert_snapshot!(parse(&account("access_key.env = \"AK\"\nsecret_key.env = \"SK\"")).expect_err("none"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 2: accounts.acme.site: this key is missing
      write site = "china", "international" or "europe", or endpoint = "https://…"
    "#);
}

#[test]
fn an_account_has_one_whole_credential_of_its_own() {
    let half = account("site = \"china\"\naccess_key.env = \"AK\"");
    insta::assert_snapshot!(parse(&half).expect_err("half"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 2: accounts.acme.secret_key: this key is missing
      a key pair has both halves: add it
    "#);
    insta::assert_snapshot!(parse(&account("site = \"china\"")).expect_err("nothing"), @r#"
    the configuration has 2 problems; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 2: accounts.acme.access_key: there is no access_key here, and the environment variable HUAWEICLOUD_SDK_AK is not set
      write access_key = { env = "NAME" } and secret_key, or set the variables of the vendor's SDKs

    /etc/bss/bss-sync.toml line 2: accounts.acme.access_key: there is no access_key here, and the environment variable HUAWEICLOUD_SDK_SK is not set
      write access_key = { env = "NAME" } and secret_key, or set the variables of the vendor's SDKs
    "#);
    let two = "warehouse.path = \"w\"\naccounts.a.site = \"china\"\naccounts.b.site = \"europe\"";
    let sdk = Environment::of([("HUAWEICLOUD_SDK_AK", "canary"), ("HUAWEICLOUD_SDK_SK", "canary")]);
    insta::assert_snapshot!(parse_with(two, &[], &sdk).expect_err("one pair for two"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 2: accounts: a and b have no access_key, and the vendor's variables hold only one key pair
      give each account its own access_key and secret_key
    "#);
    let mixed = account("site = \"europe\"\nauth = \"token\"\nuser = \"u\"\naccess_key.env = \"AK\"");
    insta::assert_snapshot!(parse(&mixed).expect_err("mixed"), @r#"
    the configuration has 3 problems; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 6: accounts.acme.access_key: this belongs to auth = "aksk"
      remove it, or write auth = "aksk"

    /etc/bss/bss-sync.toml line 2: accounts.acme.domain: this key is missing
      write the name of the account the user belongs to

    /etc/bss/bss-sync.toml line 2: accounts.acme.password: this key is missing
      write password = { file = "path" }, { env = "NAME" } or { credential = "name" }
    "#);
    let iam =
        account("site = \"europe\"\nauth = \"token\"\nuser = \"u\"\ndomain = \"d\"\npassword.env = \"SK\"");
    insta::assert_snapshot!(parse(&iam).expect_err("no IAM host"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 4: accounts.acme.auth: auth = "token" needs an iam_endpoint, and this site has none that the vendor publishes
      write endpoint and iam_endpoint instead of site, or use auth = "aksk"
    "#);
}
