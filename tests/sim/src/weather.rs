//! Weather: faults and changes by seed, without a line of script for each.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde_json::{Map, Value};

use super::dice::{Dice, mix};
use super::faults::Fault;
use super::sign::{self, Received};
use super::upset::{Change, ChangeKind};
use super::{Endpoint, Shared, Sim};

/// The faults of the weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultKind {
    ShortPage,
    EmptyPage,
    /// The rows of the page before of the same list.
    RepeatPage,
    /// The total is one too large or one too small.
    WrongTotal,
    HonestTotalOfPage,
    MissingTotal,
    StringTotal,
    /// Ten rows, or twice as many as asked for.
    IgnoreLimit,
    ErrorIn200,
    Html200,
    Html502,
    HangUp,
    HalfBody,
    Status500,
}

impl FaultKind {
    pub const ALL: &'static [Self] = &[
        Self::ShortPage,
        Self::EmptyPage,
        Self::RepeatPage,
        Self::WrongTotal,
        Self::HonestTotalOfPage,
        Self::MissingTotal,
        Self::StringTotal,
        Self::IgnoreLimit,
        Self::ErrorIn200,
        Self::Html200,
        Self::Html502,
        Self::HangUp,
        Self::HalfBody,
        Self::Status500,
    ];
    /// Pages that can be read and are wrong.
    pub const QUICK: &'static [Self] = Self::ALL.split_at(8).0;
    /// Answers that are none: a client waits before it asks again.
    pub const SLOW: &'static [Self] = Self::ALL.split_at(8).1;

    /// The fault for a call that asked for up to `limit` rows.
    pub(super) fn fault(self, seed: u64, limit: usize) -> Fault {
        let even = seed.is_multiple_of(2);
        match self {
            Self::ShortPage => Fault::ShortPage,
            Self::EmptyPage => Fault::EmptyPage,
            Self::RepeatPage => Fault::RepeatEarlier,
            Self::WrongTotal => Fault::TotalOff(if even { 1 } else { -1 }),
            Self::HonestTotalOfPage => Fault::HonestTotalOfPage,
            Self::MissingTotal => Fault::MissingTotal,
            Self::StringTotal => Fault::StringTotal,
            Self::IgnoreLimit => Fault::IgnoreLimit(if even { 10 } else { 2 * limit }),
            Self::ErrorIn200 => Fault::ErrorIn200,
            Self::Html200 => Fault::Html200,
            Self::Html502 => Fault::Html502,
            Self::HangUp => Fault::HangUp,
            Self::HalfBody => Fault::HalfBody,
            Self::Status500 => Fault::status(500, "CBC.0999", "Other errors."),
        }
    }
}

/// How rough it is. What happens to a call is decided by the seed and the call's number since the weather
/// was set; only calls of billing endpoints that passed authentication and quota are counted.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub seed: u64,
    /// Percent of answers with a fault.
    pub faults: u64,
    /// Percent of answers with a change of the truth just before.
    pub changes: u64,
    pub kinds: &'static [FaultKind],
    pub change_kinds: &'static [ChangeKind],
}

impl Weather {
    /// Weather with every kind of fault and change.
    pub const fn of(seed: u64, faults: u64, changes: u64) -> Self {
        Self { seed, faults, changes, kinds: FaultKind::ALL, change_kinds: ChangeKind::ALL }
    }

    /// Without the faults that make a client wait.
    #[must_use]
    pub const fn quick(self) -> Self {
        Self { kinds: FaultKind::QUICK, ..self }
    }
}

/// What the weather does to one call; the numbers are seeds.
#[derive(Default)]
pub(super) struct Gust {
    pub change: Option<(u64, &'static [ChangeKind])>,
    pub fault: Option<(FaultKind, u64)>,
}

/// The weather and how far it got.
#[derive(Default)]
pub(super) struct Sky {
    weather: Option<Weather>,
    calls: u64,
    met: BTreeMap<FaultKind, u64>,
}

impl Sky {
    /// What happens to the next call; it is spared faults of the weather when it meets one of the script.
    pub fn blow(&mut self, endpoint: Endpoint, may_fail: bool) -> Gust {
        let Some(weather) = self.weather.filter(|_| endpoint != Endpoint::Tokens) else {
            return Gust::default();
        };
        self.calls += 1;
        let mut dice = Dice::new(mix(weather.seed ^ mix(self.calls)));
        let changes = dice.percent(weather.changes);
        let change = (changes && !weather.change_kinds.is_empty()).then_some(weather.change_kinds);
        let change = change.map(|kinds| (dice.next(), kinds));
        let fails = dice.percent(weather.faults) && may_fail && !weather.kinds.is_empty();
        let fault = fails.then(|| (dice.pick(weather.kinds), dice.next()));
        if let Some((kind, _)) = fault {
            *self.met.entry(kind).or_default() += 1;
        }
        Gust { change, fault }
    }
}

impl Shared {
    /// Applies changes by seed and logs them.
    pub(super) fn upset(&self, seed: u64, count: u64, kinds: &[ChangeKind]) {
        let now = self.now();
        let mut truth = self.truth.write().unwrap_or_else(PoisonError::into_inner);
        let each = (0..count).flat_map(|number| truth.upset(mix(seed ^ mix(number)), now, kinds));
        let changes: Vec<Change> = each.collect();
        // Logged while the truth is held, so that the log never lags behind what a test can see.
        self.control().changes.extend(changes);
    }
}

impl Sim {
    /// Sets the weather, or quiet; its calls are counted from here.
    pub fn set_weather(&self, weather: Option<Weather>) {
        self.shared.control().sky = Sky { weather, ..Sky::default() };
    }

    /// The faults of the weather since it was set, by kind.
    pub fn weather_met(&self) -> BTreeMap<FaultKind, u64> {
        self.shared.control().sky.met.clone()
    }

    /// Applies `count` changes of any kind at once.
    pub fn upset(&self, seed: u64, count: u64) {
        self.upset_only(seed, count, ChangeKind::ALL);
    }

    /// Applies `count` changes of these kinds at once. What such a change drags along, like the resources of
    /// a new order, is logged under its own kind.
    pub fn upset_only(&self, seed: u64, count: u64, kinds: &[ChangeKind]) {
        self.shared.upset(seed, count, kinds);
    }

    /// The changes of weather and upsets, in the order they happened.
    pub fn changes(&self) -> Vec<Change> {
        self.shared.control().changes.clone()
    }

    pub fn forget_changes(&self) {
        self.shared.control().changes.clear();
    }
}

fn body(request: &Received<'_>) -> Map<String, Value> {
    serde_json::from_slice(request.body).unwrap_or_default()
}

/// How many rows are asked for, as far as that can be said without judging the request.
pub(super) fn asked_limit(request: &Received<'_>) -> usize {
    asked(request, "limit").unwrap_or(10)
}

/// How many rows are to be skipped, as far as that can be said without judging the request.
pub(super) fn asked_offset(request: &Received<'_>) -> usize {
    asked(request, "offset").unwrap_or(0)
}

fn asked(request: &Received<'_>, wanted: &str) -> Option<usize> {
    let pairs = sign::pairs(request.query);
    let in_query = pairs.into_iter().find(|(name, _)| name == wanted).and_then(|(_, value)| value);
    let in_query = in_query.and_then(|value| value.parse().ok());
    let in_body = || body(request).get(wanted).and_then(Value::as_u64);
    in_query.or_else(in_body).and_then(|number| usize::try_from(number).ok())
}

/// The request without the part of the rows it wants: the same for all pages of one walk.
pub(super) fn question(request: &Received<'_>) -> String {
    let place = |name: &str| matches!(name, "limit" | "offset");
    let kept = request.query.split('&').filter(|pair| !place(pair.split('=').next().unwrap_or_default()));
    let mut body = body(request);
    body.retain(|name, _| !place(name));
    let parts = [request.path, &kept.collect::<Vec<_>>().join("&"), &Value::Object(body).to_string()];
    parts.join("\n")
}
