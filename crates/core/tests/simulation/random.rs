//! Random schedules with all kinds of faults at once.

use std::time::Duration;

use didit_core::Policy;

use super::dice::Dice;
use super::quota::max_latency;
use super::service::{Access, Quota, Reports, Service};
use super::work::{Job, Task};
use super::world::{Conditions, World};
use super::{RANDOM_SCHEDULES, millis, run_seeds};

fn policy(dice: &mut Dice) -> Policy {
    let mut policy = Policy::default();
    policy.call_timeout = dice.within(millis(500)..millis(40_000));
    policy.attempt_timeout = dice.within(millis(100)..millis(12_000));
    policy.rate_limit_window = dice.within(millis(500)..millis(5_000));
    if dice.percent(20) {
        policy.max_requests_per_window = Some(1 + u32::try_from(dice.below(20)).unwrap());
    }
    policy
}

fn access(dice: &mut Dice) -> Access {
    let until = |dice: &mut Dice| World::START.after(dice.up_to(millis(60_000)));
    match dice.below(6) {
        0 => Access::Bearer(until(dice)),
        1 => Access::ApiKey(until(dice)),
        2 => Access::Tokens(None),
        3 => Access::Tokens(Some(dice.within(millis(1)..millis(500)))),
        _ => Access::Tokens(Some(dice.within(millis(500)..millis(100_000)))),
    }
}

fn conditions(dice: &mut Dice) -> Conditions {
    let slowest = dice.within(millis(1)..millis(2_000));
    Conditions {
        faults: dice.choose(&[0, 5, 30, 90]),
        cut_off: dice.choose(&[0, 0, 10, 50]),
        dropped: dice.choose(&[0, 30]),
        queued: dice.choose(&[0, 40]),
        shared_quota: dice.percent(30),
        ..Conditions::ideal(slowest)
    }
}

fn job(dice: &mut Dice) -> Job {
    let task = match dice.below(10) {
        0 | 1 => Task::Creation,
        2 | 3 => Task::Wait {
            interval: dice.within(millis(300)..millis(5_000)),
            decided_after: dice.up_to(millis(20_000)),
        },
        _ => Task::Decision,
    };
    let patient = matches!(task, Task::Wait { .. });
    let timeout = if dice.percent(20) {
        Some(dice.within(millis(1)..millis(10_000)))
    } else {
        patient.then(|| dice.within(millis(1_000)..millis(30_000)))
    };
    let repeats = if dice.percent(20) { dice.count(3) } else { 0 };
    Job { timeout, ..Job::many(task, repeats, dice.choose(&[Duration::ZERO, millis(500)])) }
}

#[test]
fn random_schedules_keep_all_guarantees() {
    run_seeds(RANDOM_SCHEDULES, |seed| {
        let mut dice = Dice(seed);
        let policy = policy(&mut dice);
        let limit = dice.percent(50).then(|| dice.count(30));
        let reports =
            dice.choose(&[Reports::Always, Reports::Always, Reports::OnRefusal, Reports::Never]);
        let quota =
            limit.map(|limit| Quota::new(limit, policy.rate_limit_window).with_reports(reports));
        let (access, conditions) = (access(&mut dice), conditions(&mut dice));
        let service = Service::new(quota, access);
        let mut world = World::new(seed, policy, service, conditions.clone());
        for _ in 0..dice.count(25) {
            let after = dice.up_to(millis(2_000));
            let job = job(&mut dice);
            world.begin(after, job);
        }
        let outcome = world.run();
        let service = &outcome.service;
        let answers = service.decided + service.created;
        assert!(outcome.succeeded() <= answers, "more results than the service returned");
        let alone = conditions.faults + conditions.cut_off + conditions.dropped == 0
            && !conditions.shared_quota
            && reports == Reports::Always
            && conditions.latency.end < limit.map_or(Duration::MAX, max_latency);
        if alone && outcome.lost == 0 && service.unauthorized == 0 {
            assert_eq!(service.refused_by_limit, 0, "a lone client is never refused");
        }
    });
}
