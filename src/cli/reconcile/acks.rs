//! `bss-sync reconcile ack`, `acks`, `revoke` and `unpin`: breaks that somebody explained, and meanings that are open again.

use chrono::NaiveDate;
use clap::Args;

use crate::cli::choose::choose;
use crate::cli::common::{Common, Output};
use crate::cli::say::{say, say_json, table};
use crate::config::{Account, Config};
use crate::error::Failure;
use crate::time::UtcSecond;
use crate::warehouse::{Acknowledgement, BreakName, Warehouse};

/// Which break is meant.
#[derive(Debug, Args)]
struct Named {
    /// Check that found the break, e.g. RC01
    #[arg(value_parser = |text: &str| Ok::<_, String>(text.to_uppercase()))]
    check: String,
    /// Key of the break, as `bss-sync reconcile` shows it
    key: String,
    /// Account of the break; may be left out when there is one
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Who says so
    #[arg(long, value_name = "WHO")]
    by: String,
}

/// Arguments of `bss-sync reconcile ack`.
#[derive(Debug, Args)]
pub(super) struct AckArgs {
    #[command(flatten)]
    named: Named,
    /// Why the break is right as it is
    #[arg(long, value_name = "WHY")]
    because: String,
    /// Last day (UTC+8) that the explanation counts; without it as long as the break shows the same values
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = end_of_day)]
    until: Option<UtcSecond>,
}

/// Arguments of `bss-sync reconcile revoke`.
#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    named: Named,
}

/// Arguments of `bss-sync reconcile acks`.
#[derive(Debug, Args)]
pub(super) struct AcksArgs {
    /// Accounts to list; all when none is named
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
}

/// Arguments of `bss-sync reconcile unpin`.
#[derive(Debug, Args)]
pub(super) struct UnpinArgs {
    /// Question that was answered, as view `account_models` names it, e.g. RC01 or 'RC09 vouchers'
    question: String,
    /// Account for which it was pinned; may be left out when there is one
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

/// The last second of a day of UTC+8 that is not over yet.
fn end_of_day(text: &str) -> Result<UtcSecond, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| "a day is written like 2026-12-31".to_owned())?;
    // Midnight UTC is 8 o'clock in UTC+8: the day ends 16 hours later.
    let end = UtcSecond::midnight(day).plus(16 * 3600 - 1);
    if end < UtcSecond::now() {
        return Err(format!("{text} is over"));
    }
    Ok(end)
}

impl Named {
    fn of<'a>(&'a self, config: &'a Config) -> Result<BreakName<'a>, Failure> {
        let account = the_one(self.account.as_ref(), config)?;
        Ok(BreakName { account, check_id: &self.check, key: &self.key })
    }
}

/// The account that is named, or the only one.
fn the_one<'a>(named: Option<&String>, config: &'a Config) -> Result<&'a str, Failure> {
    let named: Vec<String> = named.into_iter().cloned().collect();
    let accounts = choose("account", &named, &config.accounts, |account: &Account| &account.name)?;
    let [account] = accounts.as_slice() else {
        return Err(Failure::Usage("there are several accounts: say which with --account".to_owned()));
    };
    Ok(&account.name)
}

fn no_such(name: BreakName<'_>, what: &str) -> Failure {
    let BreakName { account, check_id, key } = name;
    Failure::Usage(format!(
        "account {account} has no {what} {check_id} {key}; `bss-sync reconcile --check {check_id} --all` lists what there is"
    ))
}

pub(super) fn acknowledge(args: &AckArgs, config: &Config) -> Result<u8, Failure> {
    let name = args.named.of(config)?;
    let given = Acknowledgement { name, by: &args.named.by, because: &args.because, until: args.until };
    if !Warehouse::open_beside(&config.warehouse)?.acknowledge(&given)? {
        return Err(no_such(name, "open break"));
    }
    let until = args.until.map_or_else(String::new, |until| format!(" until {until}"));
    say(&format!("{} {} of account {} is explained{until}", name.check_id, name.key, name.account));
    Ok(0)
}

pub(super) fn revoke(args: &RevokeArgs, config: &Config) -> Result<u8, Failure> {
    let name = args.named.of(config)?;
    if !Warehouse::open_beside(&config.warehouse)?.revoke(name, &args.named.by)? {
        return Err(no_such(name, "explained break"));
    }
    say(&format!("{} {} of account {} counts again", name.check_id, name.key, name.account));
    Ok(0)
}

pub(super) fn unpin(args: &UnpinArgs, config: &Config) -> Result<u8, Failure> {
    let (account, question) = (the_one(args.account.as_ref(), config)?, &args.question);
    let Some(model) = Warehouse::open_beside(&config.warehouse)?.unpin(account, question)? else {
        return Err(Failure::Usage(format!(
            "nothing is pinned for {question} of account {account}; view account_models shows what is (is_pinned)"
        )));
    };
    say(&format!(
        "{question} of account {account} is open again, it was pinned to: {model}; `bss-sync reconcile` pins it anew when the \
         orders are clear"
    ));
    Ok(0)
}

pub(super) fn list(args: &AcksArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    let accounts = choose("account", &args.account, &config.accounts, |account: &Account| &account.name)?;
    let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    let explanations = Warehouse::open_beside(&config.warehouse)?.explanations(&names)?;
    match common.output {
        Output::Json => say_json(&explanations),
        Output::Text if explanations.is_empty() => say("nothing was explained yet"),
        Output::Text => {
            let mut shown =
                table(&["ACCOUNT", "CHECK", "KEY", "STATE", "BY", "SINCE (UTC)", "UNTIL (UTC)", "BECAUSE"]);
            for known in explanations {
                shown.add_row([
                    known.account,
                    known.check_id,
                    known.key,
                    known.state,
                    known.by,
                    known.at,
                    known.until.unwrap_or_else(|| "-".to_owned()),
                    known.because,
                ]);
            }
            say(&shown.to_string());
        }
    }
    Ok(0)
}
