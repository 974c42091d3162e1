//! Which scenario is skipped where, and why.

use super::{ALL, EVAL_ONLY, Facts, Kind, Need, RESULTS, Version, WEBHOOKS};

const NEEDS: [Need; 5] =
    [Need::Settings, Need::Control, Need::Files, Need::Callback, Need::Flagr(&WEBHOOKS)];

fn facts(kind: Kind, version: &str) -> Facts {
    Facts { kind, version: Version::read(version) }
}

#[test]
fn nothing_is_skipped_where_everything_is_there() {
    let check = |version| assert_eq!(facts(Kind::Near, version).reason_to_skip(&NEEDS), None);
    check("1.2.3");
    check("1.2.0");
    check("2.0.0");
    check("unknown"); // a Flagr that does not tell its version is asked for everything
}

#[test]
fn what_a_place_lacks() {
    let check = |kind, expected: [Option<&str>; 4]| {
        let facts = facts(kind, "1.2.3");
        for (need, expected) in NEEDS.iter().zip(expected) {
            let reason = facts.reason_to_skip(&[*need]);
            assert_eq!(reason.as_deref(), expected, "{kind:?} {need:?}");
        }
    };
    check(Kind::Near, [None; 4]);
    check(
        Kind::Far,
        [
            None,
            None,
            Some("the Docker engine's files are on another machine"),
            Some("the Docker engine's machine cannot call us"),
        ],
    );
    check(
        Kind::Given,
        [
            Some("the given Flagr keeps its settings"),
            Some("the given Flagr is not ours to stop"),
            Some("the given Flagr hides its files"),
            Some("the given Flagr does not know us"),
        ],
    );
}

#[test]
fn what_a_version_lacks() {
    let check = |version, need, expected: Option<&str>| {
        let reason = facts(Kind::Near, version).reason_to_skip(&[need]);
        assert_eq!(reason.as_deref(), expected, "{version}");
    };
    let webhooks = Need::Flagr(&WEBHOOKS);
    check("1.1.18", webhooks, Some("Flagr 1.1.18 has no webhooks, which came with 1.2.0"));
    check("1.2.0", webhooks, None);
    check("1.2.2", Need::Flagr(&EVAL_ONLY), None);
    check(
        "1.2.1",
        Need::Flagr(&RESULTS),
        Some("Flagr 1.2.1 has no results of today's form, which came with 1.2.2"),
    );
    let newest = facts(Kind::Near, "1.2.3");
    assert!(ALL.iter().all(|it| newest.reason_to_skip(&[Need::Flagr(it)]).is_none()));
}

#[test]
fn versions_compare_by_number() {
    let read = |text| Version::read(text).unwrap();
    assert!(read("1.1.20") > read("1.1.9"));
    assert!(read("1.2.0") > read("1.1.20"));
    assert_eq!(read("1.2.3").to_string(), "1.2.3");
    for text in ["", "1.2", "1.2.3.4", "1.2.x", "latest"] {
        assert_eq!(Version::read(text), None, "{text}");
    }
}
