use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_secrets_place_from_above_replaces_the_one_below() {
    let variables = [
        ("AK", "canary-ak"),
        ("SK", "canary-sk"),
        ("SK2", "canary-new"),
        ("BSS_SYNC_ACCOUNTS__ACME__SECRET_KEY__ENV", "SK2"),
    ];
    let text = MINIMAL.replace("{ env = \"SK\" }", "{ file = \"/nowhere\" }");
    let config = parse_with(&text, &[], &Environment::of(variables)).expect("right");
    assert_eq!(pair(&config).1, "canary-new");
    let set = ["accounts.acme.secret_key.env=SK2", "accounts.acme.secret_key.file=/nowhere"];
    let error = parse_with(MINIMAL, &set, &keys()).expect_err("two places from one source");
    assert!(error.contains("secret_key: this names several places"), "{error}");
}

#[test]
fn a_secret_in_the_configuration_is_refused_and_not_repeated() {
    let text = account(
        "site = \"china\"\naccess_key = \"canary-ak\"\nsecret_key = { env = \"canarySecretKey0123456789\" }",
    );
    insta::assert_snapshot!(parse(&text).expect_err("refused"), @r#"
    the configuration has 2 problems; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 4: accounts.acme.access_key: a secret does not belong here
      write { env = "NAME" }, { file = "path" } or { credential = "name" } (systemd); a secret in a configuration or on a command line is read by others and kept in backups

    /etc/bss/bss-sync.toml line 5: accounts.acme.secret_key: the environment variable named here (not shown: it may be the secret itself) is not set
      write the name of a variable, and put the secret into that variable
    "#);
    let variables = [("BSS_SYNC_ACCOUNTS__ACME__SECRET_KEY", "canary-sk"), ("AK", "canary-ak")];
    insta::assert_snapshot!(parse_with(MINIMAL, &[], &Environment::of(variables)).expect_err("refused"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    environment variable BSS_SYNC_ACCOUNTS__ACME__SECRET_KEY: accounts.acme.secret_key: a secret does not belong here
      write { env = "NAME" }, { file = "path" } or { credential = "name" } (systemd); a secret in a configuration or on a command line is read by others and kept in backups
    "#);
    let flags = ["accounts.acme.secret_key=canary-sk", "canary-sk", "=canary", "a..b=canary"];
    insta::assert_snapshot!(parse_with(MINIMAL, &flags, &keys()).expect_err("refused"), @r#"
    the configuration has 3 problems; nothing was asked of the vendor

    flag --set number 2: this is no key and value
      write --set key.path=value

    flag --set number 3: this is no key and value
      write --set key.path=value

    flag --set number 4: this is no key and value
      write --set key.path=value
    "#);
    let other_places = [
        "secret_key = { key = \"canary\" }",
        "secret_key = [\"canary\"]",
        "secretkey = \"canary\"",
        "secret_key = { env = \"SK\", value = \"canary\" }",
        "proxy = \"ftp://u:canary@h\"",
        "endpoint = \"https://canary:canary@bss.myhuaweicloud.com\"",
        "auth = \"token\"\npassword = \"canary\"",
    ];
    for line in other_places {
        parse(&account(line)).expect_err(line);
    }
}

#[test]
fn a_line_that_is_no_toml_is_named_and_not_repeated() {
    for line in [
        "secret_key = canary-sk",
        "secret_key = \"canary-sk",
        "secret_key = 'canary' 'canary'",
        "secret_key \"canary\"",
        "secret_key = \"\\canary\"",
    ] {
        let error = parse(&account(line)).expect_err(line);
        assert!(error.contains("bss-sync.toml line 3: this is no TOML"), "{error}");
    }
    insta::assert_snapshot!(parse("[warehouse\npath = 1").expect_err("no TOML"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 1: this is no TOML: unclosed table, expected `]`
      correct the line; the syntax is at https://toml.io
    "#);
}

/// A secret file with this content and mode, and what a configuration makes of it.
fn secret_file(content: &[u8], mode: u32) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sk");
    std::fs::write(&file, content).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("changed");
    let text = MINIMAL.replace("{ env = \"SK\" }", &format!("{{ file = \"{}\" }}", file.display()));
    let shown = folder.path().display().to_string();
    match parse(&text) {
        Ok(config) => Ok(pair(&config).1.to_owned()),
        Err(error) => Err(error.replace(&shown, "FOLDER")),
    }
}

#[test]
fn a_secret_file_is_its_owners_alone_and_one_line() {
    for content in ["canary-x", "canary-x\n", "canary-x\r\n"] {
        assert_eq!(secret_file(content.as_bytes(), 0o600).as_deref(), Ok("canary-x"));
    }
    assert_eq!(secret_file(b"canary-x", 0o400).as_deref(), Ok("canary-x"));
    insta::assert_snapshot!(secret_file(b"canary-x", 0o640).expect_err("group"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: the file FOLDER/sk has mode 0640, so other users may read or change it
      chmod 600 it, and renew the secret if others could read it
    "#);
    for mode in [0o604, 0o660, 0o777, 0o602] {
        secret_file(b"canary-x", mode).expect_err("open to others");
    }
    insta::assert_snapshot!(secret_file(b"\n", 0o600).expect_err("empty"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: the file FOLDER/sk is empty
      put the secret into it as its only line
    "#);
    insta::assert_snapshot!(secret_file(b"canary\ncanary\n", 0o600).expect_err("two lines"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: the file FOLDER/sk has more than one line or control characters
      put the secret into it as its only line
    "#);
    insta::assert_snapshot!(secret_file(b"canary\xff", 0o600).expect_err("no UTF-8"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: the file FOLDER/sk cannot be read: stream did not contain valid UTF-8
      check the path, and that the file is the user's who runs this program
    "#);
    insta::assert_snapshot!(secret_file(&b"x".repeat(70_000), 0o600).expect_err("large"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: the file FOLDER/sk is larger than 65536 bytes
      put the secret into it as its only line
    "#);
    let elsewhere = |place: &str| {
        parse(&MINIMAL.replace("{ env = \"SK\" }", &format!("{{ file = \"{place}\" }}"))).expect_err(place)
    };
    insta::assert_snapshot!(elsewhere("/dev/null"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: /dev/null is not a regular file
      put the secret into a plain file
    "#);
    insta::assert_snapshot!(elsewhere("./not-there"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: the file /etc/bss/./not-there cannot be read: No such file or directory (os error 2)
      check the path, and that the file is the user's who runs this program
    "#);
    insta::assert_snapshot!(elsewhere("canary"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: there is no file of the name written here (not shown: it may be the secret itself)
      write the path of a file, and put the secret into that file
    "#);
}

#[test]
fn a_secret_written_in_place_of_a_path_or_a_name_is_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = folder.path().display().to_string();
    let variables = [("AK", "canary-ak"), ("CREDENTIALS_DIRECTORY", directory.as_str())];
    for pasted in [
        "canarySecretKey0123456789abcdefghijklmno",
        "/canarySecretKey0123456789abcdefghijklm",
        "/canary+base64==",
        "canary/base64.x",
        "Canary.Pass1",
        "canary!",
    ] {
        for source in ["file", "credential"] {
            let text = MINIMAL.replace("{ env = \"SK\" }", &format!("{{ {source} = \"{pasted}\" }}"));
            for environment in [keys(), Environment::of(variables)] {
                let error = parse_with(&text, &[], &environment).expect_err(pasted);
                let shown = error.to_lowercase();
                assert!(!shown.contains("canary") && !shown.contains("pass1"), "{error}");
                assert!(error.contains("accounts.acme.secret_key"), "{error}");
            }
        }
    }
}

#[test]
fn a_secret_in_a_variable_is_one_line() {
    for value in ["canary-x", "canary-x\n", "canary-x\r\n"] {
        let config = parse_with(MINIMAL, &[], &Environment::of([("AK", "canary-ak"), ("SK", value)]));
        assert_eq!(pair(&config.expect("right")).1, "canary-x");
    }
    for value in ["canary\ncanary\n", "canary\t", "\u{feff}canary\u{1b}"] {
        let error = parse_with(MINIMAL, &[], &Environment::of([("AK", "canary-ak"), ("SK", value)]))
            .expect_err("control characters");
        assert!(!error.contains("canary"), "{error}");
    }
    let two_lines = Environment::of([("AK", "canary-ak"), ("SK", "canary\ncanary")]);
    insta::assert_snapshot!(parse_with(MINIMAL, &[], &two_lines).expect_err("two lines"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: the environment variable SK has more than one line or control characters
      set it to the secret, and nothing else
    "#);
}

#[test]
fn a_broken_token_beside_the_vendors_variables_is_not_passed_over() {
    let text = account("site = \"china\"");
    let with = |token| {
        let pair = [("HUAWEICLOUD_SDK_AK", "canary-ak"), ("HUAWEICLOUD_SDK_SK", "canary-sk\n")];
        let token = ("HUAWEICLOUD_SDK_SECURITY_TOKEN", token);
        parse_with(&text, &[], &Environment::of(pair.into_iter().chain([token])))
    };
    assert!(with("").is_ok() && with("canary-token\n").is_ok());
    let error = with("canary\ntoken").expect_err("two lines");
    assert!(error.contains("HUAWEICLOUD_SDK_SECURITY_TOKEN has more than one line"), "{error}");
}

#[test]
fn a_credential_is_found_where_systemd_put_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sk");
    std::fs::write(&file, "canary-credential\n").expect("written");
    // An access list for the service's user shows as the group's right to read.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o440)).expect("changed");
    let text = MINIMAL.replace("{ env = \"SK\" }", "{ credential = \"sk\" }");
    let directory = folder.path().display().to_string();
    let config = parse_with(
        &text,
        &[],
        &Environment::of([("AK", "canary-ak"), ("CREDENTIALS_DIRECTORY", directory.as_str())]),
    )
    .expect("right");
    assert_eq!(pair(&config).1, "canary-credential");
    insta::assert_snapshot!(parse(&text).expect_err("no service"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: CREDENTIALS_DIRECTORY is not set, so systemd gave no credentials
      add LoadCredential=NAME:/path/of/the/secret to the service; by hand use systemd-run with the same (docs/guide/schedules.md), or env or file instead
    "#);
    insta::assert_snapshot!(parse(&text.replace("\"sk\"", "\"../sk\"")).expect_err("a path"), @r#"
    the configuration has a problem; nothing was asked of the vendor

    /etc/bss/bss-sync.toml line 8: accounts.acme.secret_key: the name of a credential is a plain file name
      write the name that stands in LoadCredential= of the service
    "#);
}
