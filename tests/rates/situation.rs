//! What a controller may meet, and its figures over gateways and seeds.

use std::ops::Range;
use std::time::Duration;

use bss_sync::quota::Quota;
use bss_sync::rate::words::QuotaStart;

use crate::gateway::Kind;
use crate::world::{Outcome, Scene, Tells, play};

/// A seed that was in view while the controller was tuned, and two.
pub const ONE: Range<u64> = 1000..1001;
pub const TWO: Range<u64> = 1000..1002;

/// What happens to a worker with an endless backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// Nothing; the published quota is true.
    Plain,
    /// A second worker goes on half a second after the first ended in the middle.
    Again,
    /// Somebody else asks at random moments for 30 % of the quota.
    Rival,
    /// As above, until the middle.
    RivalLeaves,
    /// The quota is half as large from the middle on.
    Halved,
    /// The quota is twice as large from the first quarter on.
    Doubled,
    /// As above, with headers on each answer.
    DoubledHeaders,
    /// No published quota, and refusals without figures.
    Nothing,
    /// Two workers that do not know of each other.
    Two,
    /// 90 seconds of nothing but refusals without figures, from the middle on.
    Outage,
}

impl Situation {
    pub const ALL: [Self; 10] = [
        Self::Plain,
        Self::Again,
        Self::Rival,
        Self::RivalLeaves,
        Self::Halved,
        Self::Doubled,
        Self::DoubledHeaders,
        Self::Nothing,
        Self::Two,
        Self::Outage,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Plain => "Plain, cold",
            Self::Again => "A second run right after a first",
            Self::Rival => "A rival that takes 30 % at random; behind its own refused calls",
            Self::RivalLeaves => "A rival that leaves in the middle",
            Self::Halved => "Quota halved in the middle",
            Self::Doubled => "Quota doubled after a quarter, no headers",
            Self::DoubledHeaders => "Quota doubled after a quarter, headers on each answer",
            Self::Nothing => "Nothing published, no figures in refusals",
            Self::Two => "Two workers on one quota",
            Self::Outage => "90 s of nothing but 429 in the middle",
        }
    }

    /// The scene at a gateway; a length of `None` is 40 periods, or 25 minutes where these are short.
    pub fn scene(self, kind: Kind, quota: Quota, length: Option<f64>, seed: u64) -> Scene {
        let mut scene = Scene::new(kind, quota, seed);
        scene.seconds = length.unwrap_or(scene.seconds);
        let middle = (scene.seconds / 2.0).floor() + 0.3;
        match self {
            Self::Plain => {}
            Self::Again => scene.restart = Some((middle, middle + 0.5)),
            Self::Rival => scene.rival = Some((0.3, f64::INFINITY)),
            Self::RivalLeaves => scene.rival = Some((0.3, middle)),
            Self::Halved => scene.change = Some((middle, 0.5)),
            Self::Doubled => scene.change = Some((middle / 2.0, 2.0)),
            Self::DoubledHeaders => {
                scene.change = Some((middle / 2.0, 2.0));
                scene.tells = Tells::Headers;
            }
            Self::Nothing => {
                scene.start = QuotaStart::Unknown;
                scene.tells = Tells::Nothing;
            }
            Self::Two => scene.workers = 2,
            Self::Outage => scene.outage = Some((middle, middle + 90.0)),
        }
        scene
    }
}

/// `calls` in so many seconds.
pub const fn quota(calls: u32, seconds: u64) -> Quota {
    Quota { calls, period: Duration::from_secs(seconds) }
}

/// Means over seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Accepted calls, in parts of what the rival left of the quota.
    pub used: f64,
    /// Refused calls, in parts of all of ours.
    pub refused: f64,
    /// Refused calls of the rival, in parts of all of its.
    pub rival: f64,
}

impl Figures {
    pub fn mean(all: &[Self]) -> Self {
        let count = f64::from(u32::try_from(all.len()).expect("few"));
        let mean = |of: fn(&Self) -> f64| all.iter().map(of).sum::<f64>() / count;
        Self { used: mean(|one| one.used), refused: mean(|one| one.refused), rival: mean(|one| one.rival) }
    }

    fn of(outcome: &Outcome) -> Self {
        Self { used: outcome.used(), refused: outcome.refused_part(), rival: outcome.rival_refused_part() }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} · {:.2}", self.used * 100.0, self.refused * 100.0)
    }
}

/// Plays a situation at a gateway with several seeds.
pub fn outcomes(
    situation: Situation,
    kind: Kind,
    quota: Quota,
    length: Option<f64>,
    seeds: Range<u64>,
) -> Vec<(Scene, Outcome)> {
    seeds
        .map(|seed| {
            let scene = situation.scene(kind, quota, length, seed);
            let outcome = play(&scene);
            (scene, outcome)
        })
        .collect()
}

/// The figures of a situation at a gateway.
pub fn figures(
    situation: Situation,
    kind: Kind,
    quota: Quota,
    length: Option<f64>,
    seeds: Range<u64>,
) -> Figures {
    let all = outcomes(situation, kind, quota, length, seeds);
    Figures::mean(&all.iter().map(|(_, outcome)| Figures::of(outcome)).collect::<Vec<_>>())
}

/// The figures of a situation at several gateways.
pub fn at(kinds: &[Kind], situation: Situation, quota: Quota, length: Option<f64>) -> Vec<Figures> {
    kinds.iter().map(|kind| figures(situation, *kind, quota, length, ONE)).collect()
}
