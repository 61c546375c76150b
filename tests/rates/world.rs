//! Workers, a rival and a gateway in virtual time: a discrete-event simulation.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use bss_sync::quota::Quota;
use bss_sync::quota::hint::{Policy, QuotaHint};
use bss_sync::rate::words::{QuotaShare, QuotaStart, Signal, Turn};
use bss_sync::rate::{Controller, Remembered};
use bss_sync::time::UtcSecond;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::gateway::{Gateway, Kind};

/// What answers tell about the quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// Nothing but that a call was refused.
    Nothing,
    /// Refusals name the quota.
    Refusals,
    /// All answers name the quota.
    Headers,
}

/// What happens.
#[derive(Clone, Debug)]
pub struct Scene {
    pub kind: Kind,
    pub quota: Quota,
    pub start: QuotaStart,
    pub tells: Tells,
    pub seconds: f64,
    pub workers: usize,
    /// The rival's part of the quota, and until when it calls.
    pub rival: Option<(f64, f64)>,
    /// When the quota changes, and by what factor.
    pub change: Option<(f64, f64)>,
    /// From when to when every call is refused.
    pub outage: Option<(f64, f64)>,
    /// How far arrivals stray on average, in seconds.
    pub jitter: f64,
    /// When the workers end and when others begin with what they remembered.
    pub restart: Option<(f64, f64)>,
    pub seed: u64,
}

impl Scene {
    /// 40 periods, or 1500 seconds for short ones, of an endless backlog.
    pub fn new(kind: Kind, quota: Quota, seed: u64) -> Self {
        let period = quota.period.as_secs_f64();
        let seconds = if period < 10.0 { 1500.0 } else { 40.0 * period };
        Self {
            kind,
            quota,
            start: QuotaStart::Published(quota),
            tells: Tells::Refusals,
            seconds,
            workers: 1,
            rival: None,
            change: None,
            outage: None,
            jitter: 0.005,
            restart: None,
            seed,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Accepted calls of each worker.
    pub accepted: Vec<f64>,
    pub refused: f64,
    pub rival_accepted: f64,
    pub rival_refused: f64,
    /// What the quota allowed.
    pub capacity: f64,
    /// Accepted calls by the second of their arrival.
    pub by_second: Vec<f64>,
    /// When refused calls were sent.
    pub refusals: Vec<f64>,
    /// The margin at the end.
    pub margin: f64,
}

impl Outcome {
    pub fn total(&self) -> f64 {
        self.accepted.iter().sum()
    }

    /// Accepted calls of what the rival left.
    pub fn used(&self) -> f64 {
        self.total() / (self.capacity - self.rival_accepted)
    }

    /// Refused calls of all of ours.
    pub fn refused_part(&self) -> f64 {
        self.refused / (self.refused + self.total())
    }

    pub fn rival_refused_part(&self) -> f64 {
        let calls = self.rival_accepted + self.rival_refused;
        if calls > 0.0 { self.rival_refused / calls } else { 0.0 }
    }

    /// Accepted calls from one second to another.
    pub fn between(&self, from: u32, to: u32) -> f64 {
        let at = |second| usize::try_from(second).expect("small").min(self.by_second.len());
        self.by_second[at(from)..at(to)].iter().sum()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Wake { worker: usize, turn: u64 },
    Arrive { worker: usize, sent: u64 },
    Answer { worker: usize, sent: u64, accepted: bool },
    Rival,
    Change,
    Stop,
    Resume,
}

struct World {
    scene: Scene,
    base: Instant,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
    dice: Dice,
    gateway: Gateway,
    workers: Vec<Worker>,
    remembered: Option<Remembered>,
    outcome: Outcome,
}

struct Worker {
    controller: Controller,
    /// When it wakes, and a number that tells this alarm from those that were set before.
    alarm: Option<Instant>,
    turn: u64,
    is_active: bool,
}

const NANOS: f64 = 1e9;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "days at most, never before the start"
)]
fn nanos(seconds: f64) -> u64 {
    (seconds.max(0.0) * NANOS) as u64
}

/// The wall clock, which shows whole seconds.
fn wall(nanos: u64) -> UtcSecond {
    UtcSecond::from_unix(1_700_000_000 + i64::try_from(nanos / 1_000_000_000).expect("small"))
}

fn whole(count: f64) -> u32 {
    u32::try_from(nanos(count.round() / NANOS + 1e-10)).expect("small")
}

fn seconds(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64()
}

/// Plays a scene.
pub fn play(scene: &Scene) -> Outcome {
    let mut dice = Dice::new(scene.seed);
    let period = scene.quota.period.as_secs_f64();
    let base = Instant::now();
    let gateway = Gateway::new(scene.kind, f64::from(scene.quota.calls), period, dice.unit());
    let workers = (0..scene.workers)
        .map(|_| Worker {
            controller: Controller::new("orders", scene.start, QuotaShare::ALL, base, dice.next()),
            alarm: None,
            turn: 0,
            is_active: true,
        })
        .collect();
    let mut world = World {
        scene: scene.clone(),
        base,
        now: 0,
        events: BinaryHeap::new(),
        order: 0,
        dice,
        gateway,
        workers,
        remembered: None,
        outcome: Outcome { accepted: vec![0.0; scene.workers], ..Outcome::default() },
    };
    world.run();
    world.outcome
}

impl World {
    fn run(&mut self) {
        let length = self.scene.seconds;
        let rate = f64::from(self.scene.quota.calls) / self.scene.quota.period.as_secs_f64();
        self.outcome.capacity = match self.scene.change {
            Some((at, factor)) => rate * (at + factor * (length - at)),
            None => rate * length,
        };
        if let Some((at, _)) = self.scene.change {
            self.push(at, Event::Change);
        }
        if let Some((at, _)) = self.scene.restart {
            self.push(at, Event::Stop);
        }
        if self.scene.rival.is_some() {
            self.next_rival();
        }
        for worker in 0..self.workers.len() {
            self.push(0.0, Event::Wake { worker, turn: 0 });
        }
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            if at > nanos(length) {
                break;
            }
            self.now = at;
            self.happen(event);
        }
        self.outcome.margin = self.workers.last().map_or(0.0, |worker| worker.controller.margin());
    }

    fn push(&mut self, at: f64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((nanos(at), self.order, event)));
    }

    fn instant(&self, at: u64) -> Instant {
        self.base + Duration::from_nanos(at)
    }

    fn delay(&mut self) -> f64 {
        0.015 + self.dice.exponential(self.scene.jitter)
    }

    fn happen(&mut self, event: Event) {
        let now = seconds(self.now);
        match event {
            Event::Wake { worker, turn } => {
                if turn == self.workers[worker].turn {
                    self.workers[worker].alarm = None;
                    self.drive(worker);
                }
            }
            Event::Arrive { worker, sent } => self.arrive(worker, sent),
            Event::Answer { worker, sent, accepted } => {
                self.answer(worker, sent, accepted);
                self.drive(worker);
            }
            Event::Rival => {
                if self.scene.rival.is_some_and(|(_, until)| now < until) {
                    if !self.is_out() && self.gateway.arrive(now) {
                        self.outcome.rival_accepted += 1.0;
                    } else {
                        self.outcome.rival_refused += 1.0;
                    }
                    self.next_rival();
                }
            }
            Event::Change => {
                if let Some((_, factor)) = self.scene.change {
                    self.gateway.change(self.gateway.limit() * factor);
                }
            }
            Event::Stop => self.stop(),
            Event::Resume => self.resume(),
        }
    }

    /// The worker ends, and leaves what it knows to the next.
    fn stop(&mut self) {
        let Some((_, again)) = self.scene.restart else { return };
        let now = (self.instant(self.now), wall(self.now));
        self.workers[0].is_active = false;
        self.remembered = self.workers[0].controller.remember(now.0, now.1);
        self.push(again, Event::Resume);
    }

    fn resume(&mut self) {
        let now = (self.instant(self.now), wall(self.now));
        let remembered = self.remembered.clone().expect("a worker ended");
        let seed = self.dice.next();
        let controller =
            Controller::resume("orders", self.scene.start, QuotaShare::ALL, now, seed, &remembered);
        self.workers.push(Worker { controller, alarm: None, turn: 0, is_active: true });
        self.outcome.accepted.push(0.0);
        self.drive(self.workers.len() - 1);
    }

    fn is_out(&self) -> bool {
        let now = seconds(self.now);
        self.scene.outage.is_some_and(|(from, to)| (from..to).contains(&now))
    }

    fn next_rival(&mut self) {
        let Some((part, _)) = self.scene.rival else { return };
        let rate = part * f64::from(self.scene.quota.calls) / self.scene.quota.period.as_secs_f64();
        let at = seconds(self.now) + self.dice.exponential(1.0 / rate);
        self.push(at, Event::Rival);
    }

    /// Sends what may be sent, and wakes again when more may be.
    fn drive(&mut self, worker: usize) {
        if !self.workers[worker].is_active {
            return;
        }
        loop {
            let now = self.instant(self.now);
            match self.workers[worker].controller.ask(now) {
                Turn::Go => {
                    let at = seconds(self.now) + self.delay();
                    self.push(at, Event::Arrive { worker, sent: self.now });
                    // Two calls are never sent at the very same moment.
                    self.now += 1000;
                }
                Turn::Wait { until, .. } => {
                    assert!(until > now, "a wait that is over");
                    // A timer of the system wakes up to a millisecond late.
                    let late = 0.001 * self.dice.unit();
                    let at = (until - self.base).as_secs_f64() + late;
                    let actor = &mut self.workers[worker];
                    if actor.alarm != Some(until) {
                        actor.alarm = Some(until);
                        actor.turn += 1;
                        let turn = actor.turn;
                        self.push(at, Event::Wake { worker, turn });
                    }
                    return;
                }
            }
        }
    }

    fn arrive(&mut self, worker: usize, sent: u64) {
        let now = seconds(self.now);
        let accepted = !self.is_out() && self.gateway.arrive(now);
        let service = if accepted { self.dice.log_normal(0.25, 0.3) } else { 0.0 };
        if accepted {
            let second = usize::try_from(self.now / 1_000_000_000).expect("small");
            if self.outcome.by_second.len() <= second {
                self.outcome.by_second.resize(second + 1, 0.0);
            }
            self.outcome.by_second[second] += 1.0;
            self.outcome.accepted[worker] += 1.0;
        } else {
            self.outcome.refused += 1.0;
            self.outcome.refusals.push(seconds(sent));
        }
        let at = now + service + self.delay();
        self.push(at, Event::Answer { worker, sent, accepted });
    }

    fn answer(&mut self, worker: usize, sent: u64, accepted: bool) {
        let calls = whole(self.gateway.limit());
        let hint = QuotaHint { quota: Quota { calls, ..self.scene.quota }, policy: Policy::User };
        let signal = if accepted {
            Signal::Accepted { told: (self.scene.tells == Tells::Headers).then_some(hint) }
        } else {
            let tells = self.scene.tells != Tells::Nothing && !self.is_out();
            Signal::Throttled { retry_after: None, hint: tells.then_some(hint) }
        };
        let (sent, now) = (self.instant(sent), self.instant(self.now));
        self.workers[worker].controller.observe(sent, now, signal);
    }
}
