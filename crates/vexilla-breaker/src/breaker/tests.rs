//! Every transition, and what must not be one. Scripts of what callers do, at which second.

use std::time::Duration;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Caller {
    /// Is admitted and fails at once.
    Fails,
    /// Is admitted and succeeds at once.
    Succeeds,
    /// Is admitted and goes away.
    GoesAway,
    /// Is admitted and does not answer.
    Hangs,
    /// The one that hangs longest fails after all.
    HungFails,
    /// The one that hangs longest succeeds after all.
    HungSucceeds,
    /// The one that hangs longest goes away.
    HungGoesAway,
    /// Is refused.
    IsRejected,
    /// Is refused, and told to come back in so many seconds.
    IsRejectedFor(u64),
    /// Looks at the state.
    Sees(State),
}
use Caller::*;
use State::*;

/// Plays a script on a breaker with the defaults (3 failures, 30 s open, 10 s for a probe) and returns what the
/// observer was told, as `second state`.
fn check(script: &[(u64, Caller)]) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "an `Instant` has no other beginning")]
    let start = Instant::now();
    let told = Arc::new(Mutex::new((Closed, Vec::new())));
    let observer = {
        let told = Arc::clone(&told);
        move |transition: Transition| {
            let (state, lines) = &mut *told.lock().unwrap();
            assert_eq!(*state, transition.from, "each change begins where the last one ended");
            *state = transition.to;
            lines.push(format!("{} {}", (transition.at - start).as_secs(), transition.to));
        }
    };
    let breaker = Breaker::with_observer(BreakerConfig::default(), observer).unwrap();
    let mut hanging = std::collections::VecDeque::new();
    for (number, (second, caller)) in script.iter().enumerate() {
        let now = start + Duration::from_secs(*second);
        let admit = || breaker.admit(now).unwrap_or_else(|error| panic!("step {number}: {error}"));
        let refused = || breaker.admit(now).expect_err(&format!("step {number} is refused"));
        match caller {
            Fails => admit().failed(now),
            Succeeds => admit().succeeded(now),
            GoesAway => drop(admit()),
            Hangs => hanging.push_back(admit()),
            HungFails => hanging.pop_front().unwrap().failed(now),
            HungSucceeds => hanging.pop_front().unwrap().succeeded(now),
            HungGoesAway => drop(hanging.pop_front().unwrap()),
            IsRejected => assert!(Duration::ZERO < refused().retry_after()),
            IsRejectedFor(seconds) => {
                assert_eq!(refused().retry_after().as_secs(), *seconds, "step {number}");
            }
            Sees(state) => assert_eq!(breaker.state(now), *state, "step {number}"),
        }
    }
    drop(breaker);
    let (_, lines) = &*told.lock().unwrap();
    lines.clone()
}

#[test]
fn trip_and_probe() {
    check(&[(0, Fails), (0, Fails), (0, Fails), (30, Hangs), (31, IsRejected)]); // one probe at a time
    let told = check(&[
        (0, Fails),
        (1, Fails),
        (1, Sees(Closed)),
        (2, Fails),
        (2, Sees(Open)),
        (2, IsRejectedFor(30)),
        (31, IsRejectedFor(1)),
        (32, Sees(Open)), // until somebody asks
        (32, Hangs),
        (32, Sees(HalfOpen)),
        (32, IsRejectedFor(10)),
        (41, IsRejectedFor(1)),
    ]);
    assert_eq!(told, ["2 open", "32 half-open"]);
}

#[test]
fn recover() {
    let told = check(&[
        (0, Fails),
        (0, Fails),
        (0, Fails),
        (30, Hangs),
        (39, HungSucceeds),
        (39, Sees(Closed)),
        (39, Fails), // counted from zero again
        (39, Fails),
        (39, Hangs),
        (39, Sees(Closed)),
        (40, Fails),
    ]);
    assert_eq!(told, ["0 open", "30 half-open", "39 closed", "40 open"]);
}

#[test]
fn relapse() {
    let told = check(&[
        (0, Fails),
        (0, Fails),
        (0, Fails),
        (30, Hangs),
        (35, HungFails), // one failure is enough
        (35, IsRejectedFor(30)),
        (64, IsRejectedFor(1)),
        (65, Succeeds),
        (65, Sees(Closed)),
    ]);
    assert_eq!(told, ["0 open", "30 half-open", "35 open", "65 half-open", "65 closed"]);
}

#[test]
fn abandon() {
    let told = check(&[
        (0, Fails),
        (0, Fails),
        (0, Fails),
        (30, Hangs),
        (35, HungGoesAway), // as if it had failed when it was admitted
        (35, IsRejectedFor(25)),
        (60, GoesAway),
        (60, IsRejectedFor(30)),
    ]);
    assert_eq!(told, ["0 open", "30 half-open", "30 open", "60 half-open", "60 open"]);
}

#[test]
fn lapse() {
    let told = check(&[
        (0, Fails),
        (0, Fails),
        (0, Fails),
        (30, Hangs),
        (39, Sees(HalfOpen)),
        (40, Sees(Open)),
        (40, IsRejectedFor(30)),
        (70, Succeeds),
    ]);
    assert_eq!(told, ["0 open", "30 half-open", "40 open", "70 half-open", "70 closed"]);

    // Nobody was there to see it: the open time counts from the limit all the same, and may be over.
    let told = check(&[(0, Fails), (0, Fails), (0, Fails), (30, Hangs), (99, Hangs)]);
    assert_eq!(told, ["0 open", "30 half-open", "40 open", "99 half-open"]);
}

#[test]
fn a_lapsed_probe_is_not_heard_any_more() {
    let opened = [(0, Fails), (0, Fails), (0, Fails), (30, Hangs)];
    for late in [HungSucceeds, HungFails, HungGoesAway] {
        // Whether the lapse was noticed before ...
        let noticed = [(40, Sees(Open)), (45, late), (45, IsRejectedFor(25)), (70, Succeeds)];
        let told = check(&[&opened[..], &noticed].concat());
        assert_eq!(told, ["0 open", "30 half-open", "40 open", "70 half-open", "70 closed"]);

        // ... and while the next probe is out.
        let probed = [(70, Hangs), (71, late), (71, IsRejectedFor(9)), (75, HungSucceeds)];
        let told = check(&[&opened[..], &probed].concat());
        assert_eq!(told, ["0 open", "30 half-open", "40 open", "70 half-open", "75 closed"]);

        // ... and after it.
        let recovered = [(70, Succeeds), (71, Fails), (71, Fails), (71, late), (71, Sees(Closed))];
        let told = check(&[&opened[..], &recovered, &[(72, Fails)]].concat());
        assert_eq!(
            told,
            ["0 open", "30 half-open", "40 open", "70 half-open", "70 closed", "72 open"]
        );
    }
    for late in [HungSucceeds, HungFails] {
        // ... or is noticed by its own answer.
        let told = check(&[&opened[..], &[(45, late), (45, IsRejectedFor(25))]].concat());
        assert_eq!(told, ["0 open", "30 half-open", "40 open"]);
    }
}

#[test]
fn an_earlier_era_has_no_say() {
    for late in [HungSucceeds, HungFails, HungGoesAway] {
        let start = [(0, Hangs), (0, Hangs), (0, Hangs), (0, Fails), (0, Fails), (0, Fails)];
        let told = check(
            &[
                &start[..],
                &[(1, late), (1, IsRejectedFor(29)), (30, Hangs)],
                &[(31, late), (31, IsRejectedFor(9)), (31, Sees(HalfOpen))],
            ]
            .concat(),
        );
        assert_eq!(told[..2], ["0 open", "30 half-open"]);
        // The last one is out since before the outage; three of them would trip the breaker.
        let told = check(
            &[&start[..], &[(30, Succeeds), (31, Fails), (31, Fails)], &[(31, late); 3]].concat(),
        );
        assert_eq!(told, ["0 open", "30 half-open", "30 closed"]);
        // Nor does a success from then take back failures of now.
        let told = check(
            &[&start[..], &[(30, Succeeds), (31, Fails), (31, Fails), (31, late), (32, Fails)]]
                .concat(),
        );
        assert_eq!(told, ["0 open", "30 half-open", "30 closed", "32 open"]);
    }
}

#[test]
fn only_failures_in_a_row_trip() {
    check(&[(0, Fails), (0, Fails), (0, Succeeds), (0, Fails), (0, Fails), (0, Sees(Closed))]);
    let told = check(&[(0, Fails), (0, GoesAway), (9, Fails), (9, GoesAway), (99, Fails)]);
    assert_eq!(told, ["99 open"]); // a caller that goes away says nothing, and time neither
    check(&[(0, GoesAway), (0, GoesAway), (0, GoesAway), (0, GoesAway), (0, Sees(Closed))]);
}

#[test]
fn clocks_that_run_behind() {
    let told = check(&[
        (100, Fails),
        (100, Fails),
        (100, Fails),
        (99, IsRejectedFor(30)),
        (130, Hangs),
        (129, IsRejectedFor(10)),
        (129, HungSucceeds),
        (0, Succeeds),
    ]);
    assert_eq!(told, ["100 open", "130 half-open", "129 closed"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "an `Instant` has no other beginning")]
fn counts_and_endless_durations() {
    let mut config = BreakerConfig::default();
    (config.open_for, config.half_open_limit) = (Duration::MAX, Duration::MAX);
    config.failure_threshold = 1;
    let (breaker, now) = (Breaker::new(config).unwrap(), Instant::now());
    assert_eq!(breaker.counts(), Counts::default());
    assert_eq!(breaker.refusal(now), None);
    breaker.admit(now).unwrap().failed(now);

    let later = now + Duration::from_secs(1 << 30);
    let refusal = breaker.refusal(later).unwrap();
    assert_eq!(breaker.counts(), Counts { opened: 1, rejected: 0 });
    assert_eq!(breaker.clone().admit(later).unwrap_err(), refusal);
    assert_eq!(breaker.counts(), Counts { opened: 1, rejected: 1 });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "an `Instant` has no other beginning")]
fn a_refusal_in_words() {
    let (breaker, now) = (Breaker::default(), Instant::now());
    for _ in 0..3 {
        breaker.admit(now).unwrap().failed(now);
    }
    let rejected = breaker.admit(now + Duration::from_millis(500)).unwrap_err();
    assert_eq!(rejected.to_string(), "refused after too many failures, try again in 29.5s");
}
