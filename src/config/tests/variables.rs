//! Variables of the environment that stand for keys.

use super::*;

#[test]
fn a_whole_configuration_can_come_from_variables() {
    let variables = [
        ("BSS_SYNC_WAREHOUSE__PATH", "/w.sqlite"),
        ("BSS_SYNC_ACCOUNTS__ACME__SITE", "china"),
        ("HUAWEICLOUD_SDK_AK", "canary-1"),
        ("HUAWEICLOUD_SDK_SK", "canary-2"),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "canary-3"),
    ];
    let config = parse_with("", &[], &Environment::of(variables)).expect("right");
    assert_eq!(pair(&config), ("canary-1", "canary-2", Some("canary-3")));
}

#[test]
fn a_variable_that_could_mean_two_keys_is_refused() {
    let text = format!(
        "{MINIMAL}\n[accounts.ACME]\nsite = \"china\"\naccess_key.env = \"AK\"\nsecret_key.env = \"SK\""
    );
    let variables = [
        ("AK", "canary-ak"),
        ("SK", "canary-sk"),
        ("BSS_SYNC_ACCOUNTS__ACME__ROLE", "partner"),
        ("BSS_SYNC___X", "canary"),
    ];
    insta::assert_snapshot!(parse_with(&text, &[], &Environment::of(variables)).expect_err("ambiguous"), @r#"
    the configuration has 2 problems; nothing was asked of the vendor

    environment variable BSS_SYNC_ACCOUNTS__ACME__ROLE: this name could mean ACME or acme
      use --set, or give them names that differ in more than case and - _

    environment variable BSS_SYNC___X: this name stands for no key
      write the key's words in upper case with __ between levels: BSS_SYNC_WAREHOUSE__PATH
    "#);
}
