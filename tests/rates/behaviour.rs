//! What a controller says and does in single situations.

use std::time::Duration;

use bss_sync::quota::Quota;
use bss_sync::quota::hint::{Policy, QuotaHint};
use bss_sync::rate::words::{Lesson, QuotaOrigin, QuotaShare, QuotaStart, Signal, Turn, WaitReason};
use bss_sync::rate::{Controller, Governor, Remembered};
use bss_sync::time::UtcSecond;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::situation::quota;

const ACCEPTED: Signal = Signal::Accepted { told: None };
const REFUSED: Signal = Signal::Throttled { retry_after: None, hint: None };
const TODAY: UtcSecond = UtcSecond::from_unix(1_700_000_000);

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn hint(quota: Quota) -> QuotaHint {
    QuotaHint { quota, policy: Policy::User }
}

fn refused(quota: Quota) -> Signal {
    Signal::Throttled { retry_after: None, hint: Some(hint(quota)) }
}

fn controller(start: QuotaStart, now: Instant) -> Controller {
    Controller::new("orders", start, QuotaShare::ALL, now, 1)
}

/// Asks until a call may be sent, which is answered with a signal after 40 ms; returns when it was sent.
fn call(controller: &mut Controller, mut now: Instant, signal: Signal) -> (Instant, Lesson) {
    loop {
        match controller.ask(now) {
            Turn::Go => return (now, controller.observe(now, now + ms(40), signal)),
            Turn::Wait { until, .. } => {
                assert!(until > now);
                now = until;
            }
        }
    }
}

fn reason(turn: Turn) -> Option<WaitReason> {
    match turn {
        Turn::Go => None,
        Turn::Wait { why, .. } => Some(why.reason),
    }
}

#[test]
fn a_wait_says_what_for() {
    let now = Instant::now();
    let mut orders = controller(QuotaStart::Published(Quota::per_second(10)), now);
    let (sent, lesson) = call(&mut orders, now, refused(Quota::per_second(20)));
    assert!(matches!(lesson, Lesson::Learned(Quota { calls: 20, .. }, pause) if pause > Duration::ZERO));
    let Turn::Wait { why, .. } = orders.ask(sent + ms(40)) else { panic!("a pause") };
    assert_eq!(why.to_string(), "quota of orders, 20/1s, learned from refusal; paused after a refusal");
    let (sent, _) = call(&mut orders, sent + ms(40), ACCEPTED);
    let Turn::Wait { why, until } = orders.ask(sent + ms(40)) else { panic!("a pace") };
    assert_eq!(why.to_string(), "quota of orders, 20/1s, learned from refusal");
    assert!(until < sent + ms(60));
}

#[test]
fn the_quota_of_a_day_is_not_waited_for() {
    let now = Instant::now();
    let mut orders = controller(QuotaStart::Published(Quota::per_second(10)), now);
    let day = quota(1000, 86_400);
    assert_eq!(call(&mut orders, now, refused(day)).1, Lesson::Exhausted(day));
}

#[test]
fn calls_that_never_come_back_are_given_back_and_may_have_been_counted() {
    let now = Instant::now();
    let mut orders = controller(QuotaStart::Configured(quota(5, 60)), now);
    let spend = |orders: &mut Controller, signal| {
        let sent: Vec<Instant> = (0..5).map(|_| call(orders, now, signal).0).collect();
        let last = sent[4];
        let Turn::Wait { until, .. } = orders.ask(last + ms(1)) else { panic!("5 calls are sent") };
        until - now
    };
    assert!(spend(&mut orders.clone(), Signal::Silent) >= ms(60_000));
    // What never left takes no room, but keeps its turn.
    assert!(spend(&mut orders, Signal::Unsent) <= ms(63_000));

    let mut slow = controller(QuotaStart::Published(quota(6000, 60)), now);
    let mut at = now;
    let mut sent = Vec::new();
    while reason(slow.ask(at)) != Some(WaitReason::InFlight) {
        sent.push(at);
        at += ms(11);
        assert!(sent.len() <= 64, "too many in flight");
    }
    slow.observe(sent[0], at, Signal::Silent);
    assert_eq!(slow.ask(at + ms(11)), Turn::Go);
}

#[test]
fn the_words_of_a_server_about_waiting_are_kept_in_bounds() {
    let now = Instant::now();
    let asked = |retry_after| Signal::Throttled { retry_after: Some(retry_after), hint: None };
    for (told, kept) in [(ms(3000), ms(3000)), (ms(0), ms(1)), (Duration::from_hours(9), ms(7000))] {
        let mut orders = controller(QuotaStart::Published(Quota::per_second(10)), now);
        assert_eq!(call(&mut orders, now, asked(told)).1, Lesson::Paused(kept));
    }
}

#[test]
fn calls_refused_together_are_one_lesson() {
    let now = Instant::now();
    let mut orders = controller(QuotaStart::Published(quota(6000, 60)), now);
    let sent: Vec<Instant> = (0..8).map(|count| now + ms(11) * count).collect();
    assert!(sent.iter().all(|at| orders.ask(*at) == Turn::Go));
    let lessons = sent.iter().map(|at| orders.observe(*at, now + ms(100), REFUSED));
    assert_eq!(lessons.filter(|lesson| *lesson != Lesson::None).count(), 1);
}

#[test]
fn only_a_lower_quota_than_the_configured_is_kept_to() {
    let now = Instant::now();
    let mut orders = controller(QuotaStart::Configured(Quota::per_second(5)), now);
    let (sent, _) = call(&mut orders, now, refused(Quota::per_second(10)));
    assert_eq!((orders.quota(), orders.origin()), (Some(Quota::per_second(5)), QuotaOrigin::Configured));
    let told = hint(Quota::per_second(2));
    let (_, lesson) = call(&mut orders, sent + ms(40), Signal::Accepted { told: Some(told) });
    assert!(matches!(lesson, Lesson::Learned(Quota { calls: 2, .. }, Duration::ZERO)));
    assert_eq!((orders.quota(), orders.origin()), (Some(Quota::per_second(2)), QuotaOrigin::Header));
}

#[test]
fn without_a_limit_of_our_own_only_refusals_hold_calls_back() {
    let now = Instant::now();
    let mut orders = controller(QuotaStart::Unlimited, now);
    for _ in 0..1000 {
        assert_eq!(orders.ask(now), Turn::Go);
        orders.observe(now, now + ms(1), ACCEPTED);
    }
    assert_eq!((orders.quota(), orders.rate(), orders.remember(now, TODAY)), (None, None, None));
    assert_eq!(orders.ask(now), Turn::Go);
    orders.observe(now, now + ms(1), refused(Quota::per_second(7)));
    assert_eq!(orders.quota(), Some(Quota::per_second(7)));
    assert_eq!(reason(orders.ask(now + ms(1))), Some(WaitReason::Paused));
}

#[test]
fn a_share_leaves_the_rest_to_others() {
    let now = Instant::now();
    let all = controller(QuotaStart::Published(Quota::per_second(20)), now).rate().unwrap();
    let mut half = Controller::new(
        "orders",
        QuotaStart::Published(Quota::per_second(20)),
        QuotaShare::percent(50),
        now,
        1,
    );
    assert!((half.rate().unwrap() * 2.0 - all).abs() < 1e-6);
    let mut at = now;
    let sent = (0..100).filter(|_| {
        at = call(&mut half, at, ACCEPTED).0 + ms(1);
        at < now + ms(5000)
    });
    assert!(sent.count() <= 51);
}

#[test]
fn what_was_learned_is_known_to_the_next_run_for_30_days() {
    let now = Instant::now();
    let mut first = controller(QuotaStart::Published(Quota::per_second(10)), now);
    let (sent, _) = call(&mut first, now, refused(Quota::per_second(4)));
    let (sent, _) = call(&mut first, sent + ms(40), ACCEPTED);
    let known = first.remember(sent + ms(40), TODAY).unwrap();
    assert_eq!((known.quota, known.origin), (Quota::per_second(4), QuotaOrigin::Refusal));
    assert_eq!(known.recent.iter().sum::<u32>(), 1);

    let resume = |start, days: i64, known: &Remembered| {
        let today = TODAY.plus(days * 86_400);
        let next = Controller::resume("orders", start, QuotaShare::ALL, (sent, today), 2, known);
        (next.quota().map(|quota| quota.calls), next.origin())
    };
    let published = QuotaStart::Published(Quota::per_second(10));
    assert_eq!(resume(published, 30, &known), (Some(4), QuotaOrigin::Stored));
    assert_eq!(resume(published, 31, &known), (Some(10), QuotaOrigin::Published));
    assert_eq!(
        resume(QuotaStart::Configured(Quota::per_second(3)), 1, &known),
        (Some(3), QuotaOrigin::Configured)
    );
    assert_eq!(
        resume(QuotaStart::Configured(Quota::per_second(5)), 1, &known),
        (Some(4), QuotaOrigin::Stored)
    );
    assert_eq!(resume(QuotaStart::Unlimited, 1, &known).0, None);
    let nonsense = Remembered { margin: f64::NAN, ..known.clone() };
    assert_eq!(resume(published, 1, &nonsense), (Some(10), QuotaOrigin::Published));
    let huge = Remembered { quota: quota(2_000_000, 1), ..known.clone() };
    assert_eq!(resume(published, 1, &huge), (Some(10), QuotaOrigin::Published));
    // What the documents said is looked up in them again.
    let documented = Remembered { quota: Quota::per_second(30), origin: QuotaOrigin::Published, ..known };
    assert_eq!(resume(published, 1, &documented), (Some(10), QuotaOrigin::Published));
}

#[test]
fn a_run_right_after_another_counts_its_calls() {
    let now = Instant::now();
    let start = QuotaStart::Published(quota(60, 60));
    let mut first = controller(start, now);
    let mut at = now;
    for _ in 0..60 {
        at = call(&mut first, at, ACCEPTED).0 + ms(40);
    }
    let known = first.remember(at, TODAY).unwrap();
    assert_eq!(known.recent.iter().sum::<u32>(), 60);
    let mut next = Controller::resume("orders", start, QuotaShare::ALL, (at, TODAY), 2, &known);
    assert!(reason(next.ask(at)).is_some());
    let later = TODAY.plus(200);
    let mut much_later = Controller::resume("orders", start, QuotaShare::ALL, (at, later), 2, &known);
    assert_eq!(much_later.ask(at), Turn::Go);
}

#[test]
fn a_call_must_be_within_every_quota_that_was_named() {
    let now = Instant::now();
    let start = QuotaStart::Published(Quota::per_second(10));
    let mut orders = Governor::new("orders", start, QuotaShare::ALL, now, 1);
    let next = |orders: &mut Governor, mut at: Instant, signal| {
        while let Turn::Wait { until, .. } = orders.ask(at) {
            at = until;
        }
        orders.observe(at, at + ms(40), signal);
        at + ms(40)
    };
    let of = |policy, quota| Signal::Throttled { retry_after: None, hint: Some(QuotaHint { quota, policy }) };
    let at = next(&mut orders, now, of(Policy::User, Quota::per_second(10)));
    assert_eq!(orders.remember(at, TODAY).len(), 1);
    let at = next(&mut orders, at, of(Policy::Ip, quota(30, 60)));
    assert_eq!((orders.quota(), orders.origin()), (Some(quota(30, 60)), QuotaOrigin::Refusal));
    let known = orders.remember(at, TODAY);
    let policies: Vec<_> = known.iter().map(|(policy, known)| (*policy, known.quota.calls)).collect();
    assert_eq!(policies, [(Some(Policy::User), 10), (Some(Policy::Ip), 30)]);
    assert!(orders.rate().unwrap() < 0.5);
    // Both are kept to, also by the next run.
    let mut next_run = Governor::resume("orders", start, QuotaShare::ALL, (at, TODAY), 2, &known);
    assert_eq!(next_run.quota(), Some(quota(30, 60)));
    let mut at = at;
    let begin = at;
    let mut sent = 0;
    while at < begin + ms(59_000) {
        at = next(&mut next_run, at, ACCEPTED);
        sent += 1;
    }
    assert!((20..=31).contains(&sent), "{sent}");
}

#[test]
fn a_share_is_kept_to_for_ever() {
    let now = Instant::now();
    let start = QuotaStart::Published(Quota::per_second(20));
    let mut half = Controller::new("orders", start, QuotaShare::percent(50), now, 1);
    let mut at = now;
    while at < now + Duration::from_hours(1) {
        at = call(&mut half, at, ACCEPTED).0;
    }
    assert_eq!((half.quota(), half.origin()), (Some(Quota::per_second(20)), QuotaOrigin::Published));
}

#[test]
fn a_few_calls_show_nothing_about_the_quota() {
    let begin = Instant::now();
    for start in [QuotaStart::Published(Quota::per_second(20)), QuotaStart::Published(quota(60, 60))] {
        let mut orders = controller(start, begin);
        let (before, margin) = (orders.quota(), orders.margin());
        let mut at = begin;
        while at < begin + Duration::from_hours(2) {
            at = call(&mut orders, at, ACCEPTED).0 + ms(5000);
        }
        assert_eq!((orders.quota(), orders.margin().to_bits()), (before, margin.to_bits()), "{start:?}");
    }
    let mut slow = controller(QuotaStart::Unknown, begin);
    let mut at = begin;
    while at < begin + Duration::from_hours(2) {
        at = call(&mut slow, at, ACCEPTED).0 + ms(5000);
    }
    assert!(slow.quota().is_some_and(|quota| quota.calls <= 8), "{:?}", slow.quota());
}

fn any_quota() -> impl Strategy<Value = Quota> {
    let periods = prop_oneof![Just(1u64), Just(5), Just(60), Just(3600), Just(86_399)];
    (prop_oneof![1u32..50, 1u32..=1_000_000], periods).prop_map(|(calls, seconds)| quota(calls, seconds))
}

fn any_signal() -> impl Strategy<Value = Signal> {
    let told = || proptest::option::weighted(0.1, any_quota().prop_map(hint));
    let asked = proptest::option::weighted(0.1, (0u64..10_000_000).prop_map(ms));
    prop_oneof![
        8 => told().prop_map(|told| Signal::Accepted { told }),
        3 => (asked, told()).prop_map(|(retry_after, hint)| Signal::Throttled { retry_after, hint }),
        1 => Just(Signal::Silent),
        1 => Just(Signal::Unsent),
    ]
}

fn any_start() -> impl Strategy<Value = QuotaStart> {
    prop_oneof![
        any_quota().prop_map(QuotaStart::Published),
        any_quota().prop_map(QuotaStart::Configured),
        Just(QuotaStart::Unknown),
        Just(QuotaStart::Unlimited),
    ]
}

proptest! {
    #[test]
    fn no_answers_in_any_order_upset_a_controller(
        start in any_start(),
        share in any::<u8>(),
        steps in proptest::collection::vec((0u64..3_000, any::<bool>(), any_signal()), 1..300),
        pause in 0i64..100_000,
    ) {
        let mut now = Instant::now();
        let mut orders = Controller::new("orders", start, QuotaShare::percent(share), now, 3);
        let mut flying = Vec::new();
        for (wait, is_late, signal) in steps {
            now += ms(wait);
            match orders.ask(now) {
                Turn::Go => flying.push(now),
                Turn::Wait { until, .. } => {
                    prop_assert!(until > now);
                    // Even where the wait is not kept to.
                    now = if is_late { until } else { now };
                }
            }
            if is_late && !flying.is_empty() {
                orders.observe(flying.remove(flying.len() / 2), now, signal);
            }
            prop_assert!((1..=64).contains(&orders.width()));
            prop_assert!(orders.rate().is_none_or(|rate| rate > 0.0 && rate.is_finite()));
        }
        if let Some(known) = orders.remember(now, TODAY) {
            let later = TODAY.plus(pause - 1000);
            let mut next = Controller::resume("orders", start, QuotaShare::ALL, (now, later), 4, &known);
            if let Turn::Wait { until, .. } = next.ask(now) {
                prop_assert!(until > now);
            }
        }
    }

    #[test]
    fn no_more_than_the_quota_is_sent_in_any_period(
        calls in 1u32..40,
        seconds in prop_oneof![Just(1u64), Just(10), Just(60)],
        delays in proptest::collection::vec(1u64..2_000, 200..300),
    ) {
        let begin = Instant::now();
        let allowed = quota(calls, seconds);
        let mut orders = controller(QuotaStart::Configured(allowed), begin);
        let (mut now, mut sent) = (begin, Vec::new());
        for delay in delays {
            let (at, _) = call(&mut orders, now, ACCEPTED);
            sent.push(at);
            // Sometimes at once, sometimes late.
            now = at + ms(if delay < 1_500 { 1 } else { delay * seconds });
        }
        let most = usize::try_from(calls).unwrap();
        for (from, to) in sent.iter().zip(sent.iter().skip(most)) {
            prop_assert!(*to - *from > allowed.period, "{:?}", *to - *from);
        }
    }
}
