//! Pace, and what Flagr fails at.

use std::time::Duration;

use tokio::time::Instant;
use vexilla_domain::{RemoteError, RemoteErrorKind};

use super::super::{Ending, Options};
use super::{Fake, flags, run_with};

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept() {
    let flags = flags();
    let fake = Fake::honest(&flags);
    let started = Instant::now();
    let options = Options { cases: 500, rate: Some(50), batch: 100, ..Options::default() };
    run_with(&flags[..1], &fake, &options).await;
    assert_eq!(*fake.requests.lock().unwrap(), [100; 5]);
    let passed = started.elapsed();
    assert!((Duration::from_secs(8)..Duration::from_millis(8_100)).contains(&passed), "{passed:?}");
}

#[tokio::test]
async fn the_last_request_is_no_larger_than_what_is_left() {
    let flags = flags();
    let fake = Fake::honest(&flags);
    let options = Options { cases: 250, ..Options::default() };
    run_with(&flags[..1], &fake, &options).await;
    assert_eq!(*fake.requests.lock().unwrap(), [100, 100, 50]);
}

#[tokio::test]
async fn around_what_flagr_panics_at_the_others_are_answered() {
    let mut flags = flags();
    flags.truncate(2);
    let panics = Fake::new(&flags, |context, answer| match context.object() {
        Some(it) if it.get("user").is_some() && context.entity_id().ends_with('7') => {
            Err(RemoteError::new(RemoteErrorKind::BadFlag, "PANIC: index out of range"))
        }
        _ => Ok(answer),
    });
    let options = Options { cases: 400, ..Options::default() };
    let (report, _) = run_with(&flags, &panics, &options).await;
    assert_eq!(report.differing, 0);
    assert!(0 < report.unanswered && report.unanswered <= 20, "{}", report.unanswered);
    assert_eq!(report.flaws.len(), 1, "one for each flag");
    let flaw = &report.flaws[0];
    assert!(flaw.panicked && flaw.message.starts_with("PANIC") && flaw.flag.id.0 == 2);
    assert!(flaw.context.entity_id().ends_with('7'));
    assert_eq!((report.ending, report.compared > 200), (Ending::Finished, true));
}

#[tokio::test]
async fn a_flag_that_always_fails_is_given_up_and_the_others_go_on() {
    let mut flags = flags();
    flags.truncate(2);
    let refuses = Fake::new(&flags, |_, answer| match &answer.evaluation.flag {
        Some(flag) if flag.id.0 == 1 => Err(RemoteError::new(RemoteErrorKind::Refused, "no")),
        _ => Ok(answer),
    });
    let options = Options { cases: 1_000, ..Options::default() };
    let (report, _) = run_with(&flags, &refuses, &options).await;
    assert_eq!(report.given_up.len(), 1);
    assert_eq!(report.given_up[0].reason, "Flagr failed at it too often");
    assert_eq!((report.compared, report.unanswered, report.status()), (900, 20, 2));
}

#[tokio::test]
async fn a_failure_at_one_question_is_no_outage_of_a_flagr_that_is_well() {
    let mut flags = flags();
    flags.truncate(2);
    let fails = Fake::new(&flags, |context, answer| {
        if context.entity_id().ends_with('7') {
            return Err(RemoteError::new(RemoteErrorKind::Unavailable, "500"));
        }
        Ok(answer)
    });
    let (report, _) = run_with(&flags, &fails, &Options { cases: 100, ..Options::default() }).await;
    assert!(report.unanswered > 0 && report.compared > 50, "{report:?}");
    assert_eq!(report.ending, Ending::Finished);
}

#[tokio::test]
async fn every_flag_is_asked_for() {
    let flags = flags();
    for (cases, compared) in [(1, 8), (40, 40), (1_000, 1_000)] {
        let options = Options { cases, ..Options::default() };
        let (report, _) = run_with(&flags, &Fake::honest(&flags), &options).await;
        assert_eq!((report.asked.len(), report.known, report.compared), (8, 8, compared));
    }
}

#[tokio::test(start_paused = true)]
async fn a_flagr_that_is_gone_ends_the_run() {
    let flags = flags();
    let mut gone =
        Fake::new(&flags, |_, _| Err(RemoteError::new(RemoteErrorKind::Unavailable, "refused")));
    gone.is_gone = true;
    let (report, _) = run_with(&flags, &gone, &Options::default()).await;
    assert_eq!((report.ending.clone(), report.status()), (Ending::GaveUp("refused".into()), 2));
    assert_eq!(gone.requests.lock().unwrap().len(), 3);
}
