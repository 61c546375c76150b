//! Prints the table of `docs/inside/rate-figures.md`.

use std::ops::Range;

use bss_sync::quota::Quota;

use crate::gateway::Kind;
use crate::situation::{Figures, Situation, figures, quota};
use crate::world::{Scene, play};

/// Seeds of each figure; none of them was used while the controller was tuned.
const SEEDS: Range<u64> = 7000..7006;

/// The quotas of the specification, then two that were in view while the controller was tuned, then three that were not.
const QUOTAS: [(u32, u64); 11] = [
    (10, 1),
    (20, 1),
    (30, 1),
    (60, 60),
    (600, 60),
    (6000, 60),
    (300, 60),
    (1500, 60),
    (25, 1),
    (100, 60),
    (1000, 60),
];

#[test]
#[ignore = "prints the table for docs/inside/rate-figures.md; takes two minutes in release"]
fn table() {
    for situation in Situation::ALL {
        println!("\n### {}\n", situation.title());
        println!("| quota | mean | worst | fixed | anchored | sliding | bucket 10 % | strict bucket |");
        println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
        for (calls, seconds) in QUOTAS {
            row(situation, quota(calls, seconds));
        }
    }
    println!("\n### A bucket of one call, by how far arrivals stray\n");
    println!("| stray, mean | 10/s | bound of a blind sender | 20/s | bound |");
    println!("| --- | --- | --- | --- | --- |");
    for stray in [0.0, 0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.010] {
        let strict = |calls| strict(stray, calls);
        let (ten, twenty) = (strict(10), strict(20));
        let bound = |calls| 100.0 * blind_bound(stray, calls);
        println!("| {} ms | {ten} | {:.1} · 1 | {twenty} | {:.1} · 1 |", stray * 1e3, bound(10), bound(20));
    }
}

fn row(situation: Situation, quota: Quota) {
    let at = |kind| figures(situation, kind, quota, None, SEEDS);
    let four = Kind::FOUR.map(at);
    let strict = at(Kind::Strict);
    // A tenth of ten calls is one: that bucket is the strict one.
    let counted = if quota.calls < 20 { &four[..3] } else { &four[..] };
    let mean = Figures::mean(counted);
    let worst = Figures {
        used: counted.iter().map(|one| one.used).fold(f64::INFINITY, f64::min),
        refused: counted.iter().map(|one| one.refused).fold(0.0, f64::max),
        rival: 0.0,
    };
    let rival = if mean.rival > 0.0 { format!(" · {:.0}", mean.rival * 100.0) } else { String::new() };
    let [fixed, anchored, sliding, bucket] = four;
    println!(
        "| {quota} | {mean}{rival} | {worst} | {fixed} | {anchored} | {sliding} | {bucket} | {strict} |"
    );
}

/// The figures at a strict bucket when arrivals stray by so many seconds on average.
pub fn strict(stray: f64, calls: u32) -> Figures {
    let outcomes = SEEDS.map(|seed| {
        let mut scene = Scene::new(Kind::Strict, quota(calls, 1), seed);
        scene.jitter = stray;
        let outcome = play(&scene);
        Figures { used: outcome.used(), refused: outcome.refused_part(), rival: 0.0 }
    });
    Figures::mean(&outcomes.collect::<Vec<_>>())
}

/// What an evenly spaced sender that knows nothing of single delays can use with one refused call in a hundred: two
/// arrivals are too close with probability `exp(-d / stray) / 2` when they are sent `d` further apart than the bucket
/// asks. It tries again when it hears of a refusal, and is accepted then.
fn blind_bound(stray: f64, calls: u32) -> f64 {
    let between = 1.0 / f64::from(calls);
    let further = stray * (0.5 * 99.0_f64).ln();
    let heard = 0.03 + 2.0 * stray;
    between / (between + further + heard / 99.0)
}
