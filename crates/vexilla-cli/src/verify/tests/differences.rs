//! What a run finds, and what it leaves alone.

use std::collections::HashSet;

use vexilla_domain::json::read_flags;
use vexilla_domain::{SegmentId, SnapshotId, Strictness, VariantHead, VariantId};
use vexilla_eval::Ruleset;

use super::super::options::RecordedFlags;
use super::super::{Ending, Options};
use super::{Fake, flags, run_with, text};

#[tokio::test]
async fn an_honest_flagr_agrees() {
    let flags = flags();
    let options = Options { cases: 4_000, ..Options::default() };
    let (report, steps) = run_with(&flags, &Fake::honest(&flags), &options).await;
    assert_eq!((report.compared, report.differing, report.status()), (4_000, 0, 0));
    assert_eq!(report.skipped, []);
    assert_eq!(report.ending, Ending::Finished);
    assert_eq!((steps[0].done, steps.last().unwrap().done, steps[0].of), (100, 4_000, 4_000));
    assert_eq!((report.asked.len(), report.known), (8, 8));
}

#[tokio::test(start_paused = true)]
async fn a_lie_is_found_and_made_small() {
    let flags = flags();
    let liar = Fake::new(&flags, |context, mut answer| {
        if answer.evaluation.flag.as_ref().is_some_and(|it| it.id.0 == 1)
            && text(context, "country").is_some_and(|it| it.starts_with("US"))
            && context.object().is_some_and(|it| it.get("age").is_some())
        {
            answer.evaluation.variant_id = VariantId(99);
        }
        Ok(answer)
    });
    let options = Options { cases: 8_000, ..Options::default() };
    let (report, _) = run_with(&flags, &liar, &options).await;
    assert_eq!(report.status(), 1);
    assert!(report.differing > 3, "{} differ", report.differing);
    let shown: HashSet<_> = report.differences.iter().map(|it| &it.reproduction).collect();
    assert_eq!(shown.len(), report.differences.len(), "those that are alike are shown once");
    assert!((1..=3).contains(&shown.len()), "the others are counted");
    assert_eq!(report.differing_of.len(), 1);
    assert_eq!(report.differing_of[0].1, report.differing);
    for it in &report.differences {
        assert_eq!(&*it.flag.key, "flag-1");
        assert_eq!(it.mismatches.len(), 1);
        assert_eq!((it.mismatches[0].member, &*it.mismatches[0].theirs), ("variantID", "99"));
        let members: Vec<_> = it.context.object().unwrap().iter().map(|(name, _)| name).collect();
        assert_eq!(members, ["age", "country"]);
        assert_eq!(text(&it.context, "country"), Some("US"));
        assert_eq!(it.context.entity_id(), "1");

        let json: serde_json::Value = serde_json::from_str(&it.reproduction).unwrap();
        assert_eq!(json["flagr"]["variantID"], 99);
        assert_eq!(json["vexilla"]["flagKey"], "flag-1");
        assert_eq!(json["request"]["entityContext"]["country"], "US");
        assert_eq!(json["Flags"][0]["Key"], "flag-1");
        let again = read_flags(it.reproduction.as_bytes()).unwrap().flags;
        assert_eq!(again[0], flags[0], "a document of flags, to try it again");
    }
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_compared_is_told() {
    let flags = &flags()[7..];
    let options = Options { cases: 10, ..Options::default() };
    let changes: [(super::Twist, &str); 5] = [
        (
            |_, mut it| {
                it.evaluation.flag.as_mut().unwrap().id.0 = 5;
                Ok(it)
            },
            "flagID",
        ),
        (
            |_, mut it| {
                it.evaluation.flag.as_mut().unwrap().key = "k".into();
                Ok(it)
            },
            "flagKey",
        ),
        (
            |_, mut it| {
                it.evaluation.segment_id = SegmentId(77);
                Ok(it)
            },
            "segmentID",
        ),
        (
            |_, mut it| {
                it.evaluation.variant.get_or_insert_default().key = "k".into();
                Ok(it)
            },
            "variantKey",
        ),
        (
            |_, mut it| {
                let variant = it.evaluation.variant.get_or_insert_with(VariantHead::default);
                variant.attachment = Some(std::sync::Arc::default());
                Ok(it)
            },
            "variantAttachment",
        ),
    ];
    for (twist, member) in changes {
        let (report, _) = run_with(flags, &Fake::new(flags, twist), &options).await;
        let found = report.differences.iter().flat_map(|it| &it.mismatches);
        assert!(found.into_iter().any(|it| it.member == member), "{member}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_changes_again_and_again_is_given_up() {
    let mut flags = flags();
    flags.truncate(1);
    flags[0].snapshot_id = SnapshotId(4);
    let newer = Fake::new(&flags, |_, mut answer| {
        answer.evaluation.flag.as_mut().unwrap().snapshot_id = SnapshotId(5);
        answer.evaluation.variant_id = VariantId(99);
        Ok(answer)
    });
    let (report, _) = run_with(&flags, &newer, &Options::default()).await;
    assert_eq!((report.compared, report.differing, report.status()), (0, 0, 2));
    let reason = "it was changed while it was asked for, again and again";
    assert_eq!(report.given_up[0].reason, reason);
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_changed_is_read_again() {
    let mut flags = flags();
    flags.truncate(2);
    let mut fake = Fake::honest(&flags);
    fake.later[0].snapshot_id = SnapshotId(5);
    fake.rules = Ruleset::compile(&fake.later, Vec::new(), Strictness::AsStored, None).ruleset;
    flags[0].snapshot_id = SnapshotId(4);
    let options = Options { cases: 300, ..Options::default() };
    let (report, _) = run_with(&flags, &fake, &options).await;
    // What the one did not need any more the other got, and the one its share afterwards.
    assert_eq!((report.compared, report.differing, report.status()), (350, 0, 0));
    assert_eq!((report.asked.len(), report.given_up.len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_flag_that_was_deleted_is_no_difference_and_one_that_flagr_denies_is() {
    let mut flags = flags();
    flags.truncate(2);
    flags[0].snapshot_id = SnapshotId(4);
    let mut fake = Fake::new(&flags, |_, mut answer| {
        if answer.evaluation.flag.as_ref().is_some_and(|it| it.id.0 == 1) {
            answer.evaluation.flag = None;
        }
        Ok(answer)
    });
    let options = Options { cases: 20, ..Options::default() };
    let (denied, _) = run_with(&flags, &fake, &options).await;
    assert_eq!((denied.differing, denied.status()), (10, 1));

    fake.later.remove(0);
    let (deleted, _) = run_with(&flags, &fake, &options).await;
    assert_eq!((deleted.differing, deleted.status()), (0, 0));
    assert_eq!(deleted.skipped[0].reason, "it was deleted meanwhile");
}

#[tokio::test]
async fn flags_that_record_and_undecidable_ones_are_left_out() {
    let mut flags = flags();
    flags.truncate(4);
    flags[0].data_records_enabled = true;
    flags[1].segments[0].constraints[0].property = "@ts_hour".into();
    flags[2].segments[0].constraints[0].value = "(".into();
    let fake = Fake::honest(&flags);
    let options = Options { cases: 100, ..Options::default() };
    let (report, _) = run_with(&flags, &fake, &options).await;
    let skipped: Vec<_> = report.skipped.iter().map(|it| (it.flag.id.0, &*it.reason)).collect();
    assert_eq!(
        skipped,
        [
            (1, "Flagr records its evaluations"),
            (2, "it reads `@ts…` or `@http_…`, which Flagr may set by itself"),
            (3, "it has an error, and is not decided here"),
        ]
    );
    assert_eq!(report.compared, 100);
    let options = Options { recorded_flags: RecordedFlags::Include, ..options };
    assert_eq!(run_with(&flags, &fake, &options).await.0.skipped.len(), 2);

    flags.truncate(3);
    let (report, _) = run_with(&flags, &fake, &Options::default()).await;
    assert_eq!((report.ending.clone(), report.status()), (Ending::NothingToAsk, 2));
}
