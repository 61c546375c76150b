//! The figures that are asked of the controller: utilisation and refused calls, situation by situation.

use crate::gateway::Kind;
use crate::situation::{Figures, ONE, Situation, TWO, at, outcomes, quota};
use crate::table::strict;

/// Windows and logs. A tenth of 10/s is a bucket of one call, which has figures of its own.
const WINDOWS: [Kind; 3] = [Kind::Fixed, Kind::Anchored, Kind::Sliding];

/// Short scenes: the tests need not be as exact as the table.
const MINUTES: Option<f64> = Some(600.0);

#[track_caller]
fn assert_mean(all: &[Figures], used: f64, refused: f64) {
    let mean = Figures::mean(all);
    assert!(mean.used >= used && mean.refused <= refused, "{mean} of {all:?}");
}

#[track_caller]
fn assert_each(all: &[Figures], used: f64, refused: f64) {
    assert!(all.iter().all(|one| one.used >= used && one.refused <= refused), "{all:?}");
}

#[test]
fn published_quotas_are_used_to_97_percent_with_one_refused_call_in_200() {
    for calls in [10, 20, 30] {
        let all = at(&WINDOWS, Situation::Plain, quota(calls, 1), MINUTES);
        assert_mean(&all, 0.97, 0.004);
        assert_each(&all, 0.965, 0.005);
    }
    for calls in [20, 30] {
        assert_each(&at(&[Kind::Bucket], Situation::Plain, quota(calls, 1), MINUTES), 0.98, 0.005);
    }
}

#[test]
fn quotas_by_the_minute_are_used_to_99_percent() {
    assert_each(&at(&Kind::FOUR, Situation::Plain, quota(60, 60), None), 0.99, 0.005);
    assert_each(&at(&Kind::FOUR, Situation::Plain, quota(600, 60), None), 0.99, 0.001);
    assert_each(&at(&Kind::FOUR, Situation::Plain, quota(6000, 60), Some(360.0)), 0.98, 0.0005);
}

#[test]
fn the_first_period_is_used_as_well() {
    for calls in [60, 600, 6000] {
        for kind in Kind::FOUR {
            let (_, first) = outcomes(Situation::Plain, kind, quota(calls, 60), Some(61.0), ONE).remove(0);
            assert!(first.between(0, 60) >= 0.9 * f64::from(calls), "{calls} {kind:?}");
        }
    }
}

/// At 10/s with arrivals that stray by 5 ms, no sender that is blind to single delays can use more than 83 %.
#[test]
fn a_bucket_of_one_call_is_used_as_far_as_arrivals_stray() {
    assert_each(&[strict(0.0005, 10)], 0.93, 0.01);
    assert_each(&[strict(0.001, 10), strict(0.003, 10)], 0.86, 0.01);
    assert_each(&[strict(0.005, 10)], 0.81, 0.011);
}

#[test]
fn a_rival_of_minutes_is_made_room_for() {
    let few = at(&Kind::FOUR, Situation::Rival, quota(60, 60), None);
    assert_mean(&few, 0.83, 0.03);
    for calls in [300, 600] {
        let all = at(&Kind::FOUR, Situation::Rival, quota(calls, 60), None);
        assert_mean(&all, 0.92, 0.007);
        assert!(all.iter().chain(&few).all(|one| one.rival < 0.09), "{all:?} {few:?}");
    }
}

#[test]
fn a_rival_of_seconds_costs_less_than_a_third() {
    for calls in [10, 20, 30] {
        let all = at(&WINDOWS, Situation::Rival, quota(calls, 1), MINUTES);
        assert_mean(&all, 0.70, 0.05);
        assert_each(&all, 0.66, 0.055);
    }
}

#[test]
fn a_quota_that_is_halved_is_kept_to_within_a_period() {
    for (calls, seconds) in [(20, 1), (600, 60)] {
        for kind in Kind::FOUR {
            for (scene, outcome) in outcomes(Situation::Halved, kind, quota(calls, seconds), MINUTES, ONE) {
                assert!(outcome.used() >= 0.92, "{kind:?} {}", outcome.used());
                let from = scene.change.map(|(at, _)| at).unwrap();
                let period = scene.quota.period.as_secs_f64();
                let late = outcome.refusals.iter().filter(|sent| **sent > from + 2.0 * period);
                // What is refused later has to do with the edge of the smaller quota, not with the change.
                assert!(late.count() <= 50, "{kind:?} {:?}", outcome.refusals);
                let soon = outcome.refusals.iter().filter(|sent| (from..from + 2.0 * period).contains(*sent));
                assert!(soon.count() <= 15, "{kind:?} {:?}", outcome.refusals);
            }
        }
    }
}

#[test]
fn a_doubled_quota_is_found_in_a_quarter_hour_and_at_once_with_headers() {
    let quota = quota(600, 60);
    for kind in Kind::FOUR {
        let (_, blind) = outcomes(Situation::Doubled, kind, quota, Some(1800.0), ONE).remove(0);
        let found = 450 + 15 * 60;
        assert!(blind.between(found, found + 60) >= 0.95 * 1200.0, "{kind:?}");
        let (_, told) = outcomes(Situation::DoubledHeaders, kind, quota, Some(800.0), ONE).remove(0);
        assert!(told.between(202, 262) >= 0.95 * 1200.0, "{kind:?} {}", told.between(202, 262));
    }
}

#[test]
fn a_quota_that_nobody_tells_is_found() {
    assert_mean(&at(&Kind::FOUR, Situation::Nothing, quota(60, 60), None), 0.74, 0.048);
    assert_mean(&at(&Kind::FOUR, Situation::Nothing, quota(600, 60), None), 0.945, 0.008);
    assert_mean(&at(&WINDOWS, Situation::Nothing, quota(10, 1), MINUTES), 0.93, 0.03);
}

#[test]
fn two_workers_share_fairly() {
    for kind in Kind::FOUR {
        let (_, outcome) = outcomes(Situation::Two, kind, quota(600, 60), None, ONE).remove(0);
        let [one, other] = outcome.accepted[..] else { panic!("two workers") };
        let jain = (one + other).powi(2) / (2.0 * (one * one + other * other));
        assert!(jain > 0.95 && outcome.used() > 0.88, "{kind:?} {jain} {}", outcome.used());
    }
    assert_mean(&at(&Kind::FOUR, Situation::Two, quota(60, 60), None), 0.9, 0.06);
}

#[test]
fn ninety_seconds_of_refusals_cost_under_40_calls_and_end_by_themselves() {
    for (calls, seconds) in [(10, 1), (30, 1), (60, 60), (600, 60), (6000, 60)] {
        for kind in WINDOWS {
            let length = Some(if calls > 600 { 300.0 } else { 600.0 });
            for (scene, outcome) in outcomes(Situation::Outage, kind, quota(calls, seconds), length, ONE) {
                let (from, to) = scene.outage.unwrap();
                let refused = outcome.refusals.iter().filter(|sent| (from - 0.1..to).contains(*sent)).count();
                assert!(refused < 40, "{calls}/{seconds} {kind:?} {refused}");
                let end = if calls > 600 { 240 } else { 390 } + 15;
                let whole = 60.0 * f64::from(calls) / scene.quota.period.as_secs_f64();
                let again = outcome.between(end, end + if calls > 600 { 45 } else { 60 });
                assert!(again >= 0.7 * whole, "{calls}/{seconds} {kind:?} {again} of {whole}");
            }
        }
    }
}

#[test]
fn a_second_run_is_at_full_rate_without_a_refusal_in_its_first_minute() {
    for (calls, seconds) in [(10, 1), (30, 1), (60, 60), (600, 60)] {
        for kind in WINDOWS {
            for (scene, outcome) in outcomes(Situation::Again, kind, quota(calls, seconds), MINUTES, TWO) {
                let (_, from) = scene.restart.unwrap();
                let early = outcome.refusals.iter().filter(|sent| (from..from + 60.0).contains(*sent));
                assert_eq!(early.count(), 0, "{calls}/{seconds} {kind:?}");
                let whole = 60.0 * f64::from(calls) / scene.quota.period.as_secs_f64();
                assert!(outcome.between(301, 361) >= 0.9 * whole, "{calls}/{seconds} {kind:?}");
            }
        }
    }
}

#[test]
fn the_whole_quota_is_used_again_when_a_rival_leaves() {
    for (calls, seconds) in [(20, 1), (600, 60)] {
        for kind in WINDOWS {
            let outcomes = outcomes(Situation::RivalLeaves, kind, quota(calls, seconds), Some(1200.0), ONE);
            let whole = 60.0 * f64::from(calls) / f64::from(u32::try_from(seconds).unwrap());
            let (_, outcome) = &outcomes[0];
            let late = outcome.between(1020, 1080);
            assert!(late >= 0.93 * whole, "{calls}/{seconds} {kind:?} {late}");
        }
    }
}
