//! `bss-sync reconcile`: whether the data can be trusted.

mod acks;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::json;

use super::choose::choose;
use super::common::{Common, Output};
use super::say::{say, say_json, table};
use crate::config::{Account, Config};
use crate::error::Failure;
use crate::money::Amount;
use crate::run::streams_of;
use crate::stream::Stream;
use crate::warehouse::{
    BillingMonth, Break, Check, CheckOutcome, CheckStatus, Reconciled, ReconciledAccount, Reconciliation,
    ReconciliationVerdict, Strictness, Warehouse,
};

/// Breaks of each check that are printed unless all are asked for.
const SHOWN: u64 = 10;

/// Arguments of `bss-sync reconcile`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ReconcileArgs {
    #[command(subcommand)]
    command: Option<ReconcileCommand>,
    /// Accounts to reconcile; all when none is named
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
    /// Only what belongs to this billing month (UTC+8)
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<BillingMonth>,
    /// Checks to run, e.g. RC01; all when none is named
    #[arg(long, value_name = "ID", value_parser = |text: &str| Ok::<_, String>(text.to_uppercase()))]
    check: Vec<String>,
    /// Let warnings change the result like errors
    #[arg(long)]
    strict: bool,
    /// Print every break, not only the first ten of each check
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum ReconcileCommand {
    /// Record that a break is explained: it no longer changes the result while it shows the same values
    Ack(acks::AckArgs),
    /// List what was explained, by whom, and whether it counts
    Acks(acks::AcksArgs),
    /// Take an explanation back: the break counts again
    Revoke(acks::RevokeArgs),
    /// Open a question again that the account's orders had answered: either meaning is accepted until they are clear anew
    Unpin(acks::UnpinArgs),
}

fn month(text: &str) -> Result<BillingMonth, String> {
    BillingMonth::parse(text).ok_or_else(|| "a month is written like 2026-10".to_owned())
}

pub(super) fn execute(args: &ReconcileArgs, common: &Common, config: &Config) -> Result<u8, Failure> {
    match &args.command {
        Some(ReconcileCommand::Ack(ack)) => return acks::acknowledge(ack, config),
        Some(ReconcileCommand::Acks(listed)) => return acks::list(listed, common, config),
        Some(ReconcileCommand::Revoke(revoked)) => return acks::revoke(revoked, config),
        Some(ReconcileCommand::Unpin(unpinned)) => return acks::unpin(unpinned, config),
        None => {}
    }
    let accounts = choose("account", &args.account, &config.accounts, |account: &Account| &account.name)?;
    let order = Reconciliation {
        accounts: accounts.into_iter().map(|account| readable(account, config)).collect(),
        checks: choose("check", &args.check, Check::all(), |check: &Check| check.id)?,
        month: args.month.as_ref(),
        strictness: if args.strict { Strictness::Warnings } else { Strictness::Errors },
        shown: (!args.all).then_some(SHOWN),
    };
    let reconciled = Warehouse::open_beside(&config.warehouse)?.reconcile(&order)?;
    match common.output {
        Output::Json => say_json(&json!({
            "reconciliation": reconciled.id,
            "exit_code": reconciled.verdict.exit_code(),
            "month": args.month,
            "checks": reconciled.outcomes,
            "breaks": reconciled.breaks,
            "pinned": reconciled.pinned,
        })),
        Output::Text => say(&render(&reconciled, order.accounts.len())),
    }
    Ok(reconciled.verdict.exit_code())
}

/// An account with the streams that its role may ask for and a job reads.
fn readable<'a>(account: &'a Account, config: &Config) -> ReconciledAccount<'a> {
    let readable = streams_of(&config.jobs, account).map(<dyn Stream>::name).collect();
    ReconciledAccount { name: &account.name, readable }
}

fn render(reconciled: &Reconciled, accounts: usize) -> String {
    let mut text = checks(&reconciled.outcomes, accounts);
    for outcome in &reconciled.outcomes {
        if let Some(reason) = &outcome.reason {
            text.push_str(&format!("\n{} {}: {reason}", outcome.account, outcome.check_id));
        }
    }
    if !reconciled.breaks.is_empty() {
        text.push_str("\n\n");
        text.push_str(&breaks(&reconciled.breaks, accounts));
    }
    for outcome in &reconciled.outcomes {
        let is_shown =
            |found: &&Break| found.account == outcome.account && found.check_id == outcome.check_id;
        let shown = reconciled.breaks.iter().filter(is_shown).count();
        let hidden = outcome.breaks.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
        if hidden > 0 {
            let Some(check) = Check::all().iter().find(|check| check.id == outcome.check_id) else {
                continue;
            };
            text.push_str(&format!(
                "\n{} {}: {hidden} more (--all, or view {})",
                outcome.account, check.id, check.view
            ));
        }
    }
    for pinned in &reconciled.pinned {
        text.push_str(&format!(
            "\n{} {}: {} order(s) say `{}` and none says otherwise; from now on an order that does not follow is a break",
            pinned.account, pinned.question, pinned.orders, pinned.model
        ));
    }
    text.push_str(&format!("\n\n{}", result(reconciled)));
    text
}

fn checks(outcomes: &[CheckOutcome], accounts: usize) -> String {
    let mut header =
        vec!["CHECK", "NAME", "STATUS", "SEVERITY", "BREAKS", "EXPLAINED", "DIFFERENCE", "DATA AS OF (UTC)"];
    if accounts > 1 {
        header.insert(0, "ACCOUNT");
    }
    let mut shown = table(&header);
    for outcome in outcomes {
        let is_evaluated = outcome.status != CheckStatus::Skipped;
        let number = |number: u64| if is_evaluated { number.to_string() } else { "-".to_owned() };
        let mut row = vec![
            outcome.check_id.to_owned(),
            outcome.name_en.to_owned(),
            outcome.status.as_str().to_owned(),
            outcome.severity.as_str().to_owned(),
            number(outcome.breaks),
            number(outcome.acknowledged),
            differences(&outcome.differences_e8),
            outcome.data_as_of.clone().unwrap_or_else(|| "-".to_owned()),
        ];
        if accounts > 1 {
            row.insert(0, outcome.account.clone());
        }
        shown.add_row(row);
    }
    shown.to_string()
}

/// Like `CNY 12.30, USD 1.00`.
fn differences(differences: &BTreeMap<String, i128>) -> String {
    let amount = |(currency, e8): (&String, &i128)| {
        let amount = i64::try_from(*e8).map_or_else(
            // A sum that is no amount any more.
            |_| format!("{e8} × 10⁻⁸"),
            |e8| Amount::from_e8(e8).to_string(),
        );
        format!("{currency} {amount}")
    };
    differences.iter().map(amount).collect::<Vec<_>>().join(", ")
}

fn breaks(breaks: &[Break], accounts: usize) -> String {
    let mut header =
        vec!["CHECK", "KEY", "MONTH", "EXPECTED", "ACTUAL", "DIFFERENCE", "FIRST SEEN (UTC)", "NOTE"];
    if accounts > 1 {
        header.insert(0, "ACCOUNT");
    }
    let mut shown = table(&header);
    for found in breaks {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let currency = found.currency.as_ref().filter(|_| found.diff.is_some());
        let explained = found.acknowledged_by.as_ref().map(|by| format!("explained by {by}")).into_iter();
        let mut row = vec![
            found.check_id.clone(),
            found.key.clone(),
            if found.period.is_empty() { "-".to_owned() } else { found.period.clone() },
            text(&found.expected),
            text(&found.actual),
            currency.map_or_else(String::new, |currency| format!("{currency} ")) + &text(&found.diff),
            found.first_seen.clone(),
            explained.chain(found.note.clone()).collect::<Vec<_>>().join("; "),
        ];
        if accounts > 1 {
            row.insert(0, found.account.clone());
        }
        shown.add_row(row);
    }
    shown.to_string()
}

fn result(reconciled: &Reconciled) -> String {
    let open = |outcome: &&CheckOutcome| {
        outcome.is_required && matches!(outcome.status, CheckStatus::Skipped | CheckStatus::Inconclusive)
    };
    let named = |outcomes: Vec<&CheckOutcome>| {
        let mut ids: Vec<&str> = outcomes.iter().map(|outcome| outcome.check_id).collect();
        ids.dedup();
        ids.join(", ")
    };
    match reconciled.verdict {
        ReconciliationVerdict::Trusted => "every required check passes".to_owned(),
        ReconciliationVerdict::Unknown => format!(
            "no break, but required checks say nothing yet: {}",
            named(reconciled.outcomes.iter().filter(open).collect())
        ),
        ReconciliationVerdict::Broken => format!(
            "broken: {}",
            named(reconciled.outcomes.iter().filter(|outcome| outcome.is_grave()).collect())
        ),
    }
}
