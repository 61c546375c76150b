//! Secrets stay where they were configured: whatever happens, none is printed, logged or stored, in any spelling.

mod everywhere;

use std::fs;
use std::path::Path;

use crate::fixtures::{examples, shorten_history};
use sim::{self, Endpoint, Fault, Script, Sim, Truth};
use support::{As, Bench, Login, Ran};

/// Arguments of a run that says as much as it can.
const LOUD: [&str; 4] = ["-vv", "--set", "log.format=json", "run"];

/// Lets each run leave all the files that a run can leave.
const EVERY_FILE: &str =
    "[metrics]\ntextfile = \"bss_sync.prom\"\n[publish]\npath = \"copy.sqlite\"\nafter_run = true\n";

/// A secret as it is and as it might be written on its way.
fn spellings(secret: &str) -> Vec<String> {
    let escaped = |keep: fn(u8) -> bool, space: &str| -> String {
        secret
            .bytes()
            .map(|byte| match byte {
                b' ' => space.to_owned(),
                byte if keep(byte) => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect()
    };
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let base64 = base64(secret.as_bytes());
    let mut spellings = vec![
        secret.to_owned(),
        escaped(unreserved, "%20"),
        escaped(unreserved, "%20").to_lowercase(),
        escaped(unreserved, "+"),
        base64.replace('+', "-").replace('/', "_"),
        base64.trim_end_matches('=').to_owned(),
        hex::encode(secret),
        hex::encode_upper(secret),
        serde_json::Value::from(secret).to_string().trim_matches('"').to_owned(),
        format!("{secret:?}").trim_matches('"').to_owned(),
    ];
    spellings.push(base64);
    spellings.sort();
    spellings.dedup();
    spellings
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

/// The secrets a configuration can hold, as this bench has them.
fn secrets(login: Login) -> Vec<&'static str> {
    match login {
        Login::Keys => vec![sim::CUSTOMER_KEY.secret],
        Login::TemporaryKeys => {
            vec![sim::TEMPORARY_KEY.secret, sim::TEMPORARY_KEY.token.expect("a temporary key has a token")]
        }
        // Every token of the simulator begins like this.
        Login::Token => vec![sim::CUSTOMER_USER.password, "SimToken"],
    }
}

fn bench(login: Login) -> Bench {
    let bench = Bench::with(Script::serving(Truth::from_parts(examples())), As::Customer, login);
    shorten_history(&bench);
    bench.append_config(EVERY_FILE);
    bench
}

fn loud(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.call(&[&LOUD[..], arguments].concat())
}

/// Everything the program said, and every file it left.
fn left_behind(bench: &Bench, ran: &Ran) -> Vec<(String, Vec<u8>)> {
    fn collect(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.push((path.display().to_string(), fs::read(&path).expect("a file")));
            }
        }
    }
    let mut found = vec![
        ("standard output".to_owned(), ran.stdout.clone().into_bytes()),
        ("standard error".to_owned(), ran.stderr.clone().into_bytes()),
    ];
    collect(&bench.path(""), &mut found);
    found
}

#[track_caller]
pub fn assert_silent(bench: &Bench, ran: &Ran, secrets: &[&str]) {
    for (place, bytes) in left_behind(bench, ran) {
        assert_holds_none(&place, &bytes, secrets);
    }
}

#[track_caller]
fn assert_holds_none(place: &str, bytes: &[u8], secrets: &[&str]) {
    // What is text stays as it is, whatever stands around it.
    let text = String::from_utf8_lossy(bytes);
    for spelling in secrets.iter().flat_map(|secret| spellings(secret)) {
        assert!(!text.contains(&spelling), "{place} holds {spelling}");
    }
}

#[test]
fn base64_is_base64() {
    let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes()));
    assert_eq!(texts, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
}

#[test]
fn no_secret_is_told_by_a_run_that_goes_well() {
    for login in [Login::Keys, Login::TemporaryKeys, Login::Token] {
        let bench = bench(login);
        let ran = loud(&bench, &[]).expect_code(0);
        assert!(ran.stderr.lines().count() > 20, "{login:?}: the log is loud: {}", ran.stderr);
        assert_silent(&bench, &ran, &secrets(login));
    }
}

#[test]
fn no_signature_or_token_header_is_logged() {
    for login in [Login::Keys, Login::TemporaryKeys, Login::Token] {
        let bench = bench(login);
        let ran = loud(&bench, &["orders"]).expect_code(0);
        for header in ["SDK-HMAC-SHA256", "Signature=", "X-Auth-Token", "x-auth-token", "X-Security-Token"] {
            assert!(!ran.stderr.contains(header), "{login:?}: {header}");
        }
    }
}

#[test]
fn a_secret_that_the_vendor_repeats_in_its_error_is_hidden() {
    for login in [Login::Keys, Login::TemporaryKeys, Login::Token] {
        let bench = bench(login);
        for secret in secrets(login).into_iter().filter(|secret| *secret != "SimToken") {
            let said = format!("You signed with {secret}, which is wrong");
            // Who was told it can repeat it: a password goes to IAM only.
            let asked = if login == Login::Token { Endpoint::Tokens } else { Endpoint::Orders };
            bench.sim.push_fault(asked, Fault::status(400, "CBC.0100", &said));
            let ran = loud(&bench, &["orders", "--full"]).expect_code(1);
            assert!(
                ran.stdout.contains("You signed with [hidden], which is wrong"),
                "{login:?}: {}",
                ran.stdout
            );
            assert_silent(&bench, &ran, &[secret]);
        }
    }
}

/// Secrets with every kind of character that some spelling changes.
const CANARIES: [&str; 3] = ["c4n+ry/K=y &%é\"1", "c4n+ry/S=cr3t &%é\\2", "c4n+ry/T=k3n &%\"3"];

#[test]
fn wrong_secrets_are_not_told_either() {
    let [key, secret, token] = CANARIES;
    let mut by_key = bench(Login::Keys);
    by_key.set_env("TEST_SK", secret);
    let ran = loud(&by_key, &["orders"]).expect_code(5);
    assert_silent(&by_key, &ran, &[secret]);

    let mut by_temporary_key = bench(Login::TemporaryKeys);
    by_temporary_key.set_env("TEST_TOKEN", "c4nary0000Token0000/+==");
    let ran = loud(&by_temporary_key, &["orders"]).expect_code(5);
    assert_silent(&by_temporary_key, &ran, &["c4nary0000Token0000/+=="]);
    // Characters that no header can carry.
    by_temporary_key.set_env("TEST_TOKEN", &format!("{token}é"));
    let ran = loud(&by_temporary_key, &["orders"]);
    assert!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
    assert_silent(&by_temporary_key, &ran, &[token]);

    let mut by_password = bench(Login::Token);
    by_password.set_env("TEST_PASSWORD", secret);
    let ran = loud(&by_password, &["orders"]).expect_code(5);
    assert_silent(&by_password, &ran, &[secret]);

    let mut unsendable = bench(Login::Keys);
    unsendable.set_env("TEST_AK", key);
    let ran = loud(&unsendable, &["orders"]);
    assert!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
    assert_silent(&unsendable, &ran, &[key]);
}

#[test]
fn a_secret_in_a_wrong_configuration_is_not_repeated() {
    let [key, secret, _] = CANARIES;
    let bench = bench(Login::Keys);
    let literal = |text: &str| format!("'{text}'");
    for text in [
        format!("[accounts.acme]\naccess_key = {}\nsecret_key = {}\n", literal(key), literal(secret)),
        format!("[accounts.acme]\nsecret_key = {{ env = \"TEST_SK\", value = {} }}\n", literal(secret)),
        format!("[accounts.acme]\nsecretkey = {}\n", literal(secret)),
        format!("[accounts.acme]\nauth = \"token\"\npassword = [{}]\n", literal(secret)),
        format!("[accounts.acme]\nproxy = {}\n", literal("http://user:c4naryPassword@127.0.0.1:1")),
        format!("[accounts.acme]\nsecret_key = {}c4naryTail\n", literal(secret)),
    ] {
        bench.write_config(&text);
        let ran = loud(&bench, &[]).expect_code(2);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for canary in [key, secret, "c4naryPassword", "c4naryTail"] {
            for spelling in spellings(canary) {
                assert!(!said.contains(&spelling), "{text}\n{said}");
            }
        }
    }
}

#[test]
fn a_secret_given_on_the_command_line_is_refused_and_not_repeated() {
    let bench = bench(Login::Keys);
    let ran =
        bench.call(&["run", "--set", "accounts.acme.secret_key=c4narySecretOfTheCommandLine"]).expect_code(2);
    assert!(ran.stderr.contains("accounts.acme.secret_key"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("c4nary"), "{}", ran.stderr);
}

#[test]
fn a_secret_in_a_file_is_read_and_not_told() {
    let bench = bench(Login::Keys);
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("secret");
    fs::write(&file, format!("{}\n", sim::CUSTOMER_KEY.secret)).expect("written");
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    let by_file = format!("secret_key = {{ file = \"{}\" }}", file.display());
    bench.write_config(&config.replace("secret_key = { env = \"TEST_SK\" }", &by_file));
    set_mode(&file, 0o600);
    let ran = loud(&bench, &["orders"]).expect_code(0);
    assert_silent(&bench, &ran, &secrets(Login::Keys));
}

fn set_mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("set");
}

#[test]
fn no_secret_is_told_when_the_clock_is_off_or_nobody_listens() {
    let mut bench = bench(Login::Keys);
    bench.sim = Sim::start(Script::serving(Truth::from_parts(examples())).clock_ahead(5 * 3600));
    bench.log_in(As::Customer, Login::Keys);
    let ran = loud(&bench, &["orders"]).expect_code(5);
    assert_silent(&bench, &ran, &secrets(Login::Keys));
    let config = fs::read_to_string(bench.path("bss-sync.toml")).expect("a configuration");
    bench.write_config(&config.replace(&bench.sim.url(), "http://127.0.0.1:1"));
    let ran = loud(&bench, &["orders", "--deadline", "1s"]).expect_code(4);
    assert_silent(&bench, &ran, &secrets(Login::Keys));
}
