//! What is asked of a reconciliation, and what it finds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::time::UtcSecond;
use crate::warehouse::schema::checks::{Check, Severity};

/// The check whose breaks are the gaps that make others inconclusive.
pub(super) const COVERAGE: &str = "RC29";

/// What to reconcile.
#[derive(Clone, Debug)]
pub struct Reconciliation<'a> {
    /// Whose data.
    pub accounts: Vec<ReconciledAccount<'a>>,
    /// With which checks.
    pub checks: Vec<&'static Check>,
    /// Only what belongs to this billing month.
    pub month: Option<&'a BillingMonth>,
    /// Which breaks change the result.
    pub strictness: Strictness,
    /// How many breaks of each check and account are given back; `None`: all. All are stored.
    pub shown: Option<u64>,
}

/// An account, and what can be known of it.
#[derive(Clone, Debug)]
pub struct ReconciledAccount<'a> {
    /// Its name.
    pub name: &'a str,
    /// The streams that a job reads for it and its role may ask for.
    pub readable: Vec<&'static str>,
}

/// Which breaks change the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Errors only.
    Errors,
    /// Warnings as well.
    Warnings,
}

impl Strictness {
    pub(super) const fn counts(self, severity: Severity) -> bool {
        match severity {
            Severity::Error => true,
            Severity::Warn => matches!(self, Self::Warnings),
            Severity::Info => false,
        }
    }
}

/// A billing month of UTC+8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct BillingMonth(String);

impl BillingMonth {
    /// Parses yyyy-MM; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let first = UtcSecond::parse(&format!("{text}-01T00:00:00Z"))?;
        (text.len() == 7).then(|| Self(first.billing_month().0))
    }

    /// The month as yyyy-MM.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// Everything it needs is there, and no break is left unexplained.
    Pass,
    /// At least one break is not explained.
    Fail,
    /// Something it needs was never read.
    Skipped,
    /// No unexplained break, but something it needs is not complete.
    Inconclusive,
}

impl CheckStatus {
    /// The word of the tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// How one check ended for one account.
#[derive(Clone, Debug, Serialize)]
pub struct CheckOutcome {
    /// The account.
    pub account: String,
    /// The check.
    pub check_id: &'static str,
    /// Its name.
    pub name_en: &'static str,
    /// Its name in Chinese.
    pub name_zh: &'static str,
    /// How grave its breaks are at most.
    pub severity: Severity,
    /// Whether the result depends on its being evaluated.
    pub is_required: bool,
    /// How it ended.
    pub status: CheckStatus,
    /// Why it was skipped, or what it needs is not complete.
    pub reason: Option<String>,
    /// Breaks found.
    pub breaks: u64,
    /// Breaks among them that somebody explained.
    pub acknowledged: u64,
    /// Sums of the absolute differences by currency, in 10⁻⁸.
    pub differences_e8: BTreeMap<String, i128>,
    /// Up to when what it needs was read, UTC.
    pub data_as_of: Option<String>,
    /// Unexplained breaks that change the result.
    #[serde(skip)]
    pub(super) grave: u64,
}

impl CheckOutcome {
    /// Whether an unexplained break of it changes the result.
    #[must_use]
    pub const fn is_grave(&self) -> bool {
        self.grave > 0
    }
}

/// A break.
#[derive(Clone, Debug, Serialize)]
pub struct Break {
    /// The account.
    pub account: String,
    /// The check that found it.
    pub check_id: String,
    /// error, warn or info.
    pub severity: String,
    /// The customer it concerns.
    pub customer_id: Option<String>,
    /// What names it within its check and account.
    pub key: String,
    /// What should be there.
    pub expected: Option<String>,
    /// What is there.
    pub actual: Option<String>,
    /// The difference.
    pub diff: Option<String>,
    /// Currency of the amounts.
    pub currency: Option<String>,
    /// Billing month; empty when it belongs to none.
    pub period: String,
    /// When a reconciliation first found it, UTC.
    pub first_seen: String,
    /// What else is known about it.
    pub note: Option<String>,
    /// Who explained it, when the explanation counts.
    pub acknowledged_by: Option<String>,
}

/// A meaning of the vendor's figures that an account's orders made clear.
#[derive(Clone, Debug, Serialize)]
pub struct PinnedModel {
    /// The account.
    pub account: String,
    /// What the vendor's documents leave open.
    pub question: String,
    /// The answer.
    pub model: String,
    /// Orders that speak for it; none speaks against it.
    pub orders: i64,
}

/// What all checks together say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReconciliationVerdict {
    /// Every required check was evaluated and passes.
    Trusted,
    /// No break, but a required check was skipped or is inconclusive.
    Unknown,
    /// At least one unexplained break.
    Broken,
}

impl ReconciliationVerdict {
    /// The exit code (docs/operate/exit-codes.md).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Trusted => 0,
            Self::Unknown => 4,
            Self::Broken => 3,
        }
    }
}

/// What a reconciliation found.
#[derive(Clone, Debug)]
pub struct Reconciled {
    /// Its number in the table `reconciliations`.
    pub id: i64,
    /// One row per account and check.
    pub outcomes: Vec<CheckOutcome>,
    /// The first breaks of each account and check.
    pub breaks: Vec<Break>,
    /// What was pinned for the first time.
    pub pinned: Vec<PinnedModel>,
    /// The result.
    pub verdict: ReconciliationVerdict,
}
