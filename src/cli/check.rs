//! `bss-sync check`: whether everything that a run needs is there and right.

use clap::Args;
use serde_json::json;

use super::choose::choose;
use super::common::{Common, Output};
use super::load::load;
use super::say::{say, say_json};
use super::watched;
use crate::check::{self, AccountKnowledge, CheckFault, CheckLine, LineVerdict, Probing, QuotaTalk, Reach};
use crate::config::{Account, ConfigError, Environment, Secrets};
use crate::error::Failure;
use crate::warehouse::{Closeness, Warehouse};

/// Arguments of `bss-sync check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Accounts to check; all when none is named
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// Ask nobody: only what is on this machine
    #[arg(long)]
    offline: bool,
    /// Say of each endpoint what headers, the vendor's table and earlier runs say about its quota
    #[arg(long)]
    probe_quota: bool,
    /// Read the whole warehouse: rows and indexes too (always done up to 64 MiB)
    #[arg(long)]
    deep: bool,
}

/// The longest verdict: what is said about it stands behind.
const WIDTH: usize = "not checked".len();

pub(super) fn execute(args: &CheckArgs, common: &Common, environment: &Environment) -> Result<u8, Failure> {
    let mut lines = Vec::new();
    let (config, reach) = match load(common, environment, Secrets::Read) {
        Ok(config) if args.offline => (config, Reach::Offline("--offline: nobody was asked")),
        Ok(config) => (config, Reach::Online),
        Err(wrong) => {
            lines.extend(problems(&wrong));
            // When only the secrets are wrong, everything else can be looked at all the same.
            match load(common, environment, Secrets::Leave) {
                Ok(config) => (config, Reach::Offline("the secrets could not be read: see above")),
                Err(_) => return Ok(conclude(&lines, common)),
            }
        }
    };
    let accounts = choose("account", &args.account, &config.accounts, |account: &Account| &account.name)?;
    let closeness = if args.deep { Closeness::Full } else { Closeness::Quick };
    let (local, warehouse) = check::local(&config, closeness);
    lines.extend(local);
    let quotas = if args.probe_quota { QuotaTalk::Long } else { QuotaTalk::Short };
    // One account after the other: there are few questions, and they shall not get into each other's way.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| watched::system("could not start", &error))?;
    for account in accounts {
        let known = known(warehouse.as_ref(), account)?;
        let probing = Probing { account, jobs: &config.jobs, known, quotas };
        lines.extend(runtime.block_on(check::account(probing, reach)));
    }
    Ok(conclude(&lines, common))
}

fn known(warehouse: Option<&Warehouse>, account: &Account) -> Result<AccountKnowledge, Failure> {
    let host = account.profile.endpoint.host();
    let known = warehouse.map(|warehouse| AccountKnowledge::of(warehouse, &account.name, host));
    Ok(known.transpose()?.unwrap_or_default())
}

/// A line for each problem of the configuration.
fn problems(wrong: &ConfigError) -> Vec<CheckLine> {
    let line = |problem: &crate::settings::Problem| {
        let text = problem.to_string();
        let (what, remedy) = text.split_once("\n  ").unwrap_or((&text, ""));
        // A configuration that is nowhere has no other place.
        let what = what.strip_prefix("configuration: ").unwrap_or(what);
        CheckLine::failed("configuration", CheckFault::Configuration, what, remedy)
    };
    wrong.problems().iter().map(line).collect()
}

/// Says all of it, and returns the exit code.
fn conclude(lines: &[CheckLine], common: &Common) -> u8 {
    let code = check::exit_code(lines);
    match common.output {
        Output::Json => say_json(&json!({ "exit_code": code, "checks": lines })),
        Output::Text => say(&render(lines)),
    }
    code
}

fn render(lines: &[CheckLine]) -> String {
    let mut text = String::new();
    for CheckLine { account, what, verdict, detail, advice } in lines {
        let account = account.as_ref().map(|account| format!("{account} ")).unwrap_or_default();
        text.push_str(&format!("{:<WIDTH$}  {account}{what}: {detail}\n", verdict.as_str()));
        for line in advice.lines() {
            text.push_str(&format!("{:WIDTH$}    {}\n", "", line.trim()));
        }
    }
    let count = |wanted: fn(LineVerdict) -> bool| lines.iter().filter(|line| wanted(line.verdict)).count();
    text.push_str(&format!(
        "\n{} ok, {} warning(s), {} failed, {} not checked",
        count(|verdict| verdict == LineVerdict::Fine),
        count(|verdict| verdict == LineVerdict::Warning),
        count(|verdict| matches!(verdict, LineVerdict::Failed(_))),
        count(|verdict| verdict == LineVerdict::NotChecked),
    ));
    text
}
