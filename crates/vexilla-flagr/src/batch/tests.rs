//! Splitting batches and lining answers up.

use proptest::prelude::*;
use vexilla_domain::{Answer, Context, DebugLog, EvaluationRef, FlagHead, Reason, VariantId};

use super::*;
use crate::answer::Echo;

fn piece(entities: Range<usize>, flags: Range<usize>) -> Piece {
    Piece { entities, flags }
}

#[test]
fn splits() {
    let check = |entities, flags, limit, expected: &[(Range<usize>, Range<usize>)]| {
        let pieces = piece(0..entities, 0..flags).split(limit);
        let expected: Vec<_> = expected.iter().cloned().map(|(e, f)| piece(e, f)).collect();
        assert_eq!(pieces, expected, "{entities} × {flags} by {limit}");
    };
    check(2, 2, 4, &[(0..2, 0..2)]);
    check(3, 2, 4, &[(0..2, 0..2), (2..3, 0..2)]);
    check(3, 2, 3, &[(0..1, 0..2), (1..2, 0..2), (2..3, 0..2)]);
    check(2, 3, 2, &[(0..1, 0..2), (1..2, 0..2), (0..2, 2..3)]);
    check(1, 2, 1, &[(0..1, 0..1), (0..1, 1..2)]);
}

proptest! {
    #[test]
    fn pieces_fit_and_cover_everything_once(
        entities in 1..40_usize, flags in 1..40_usize, limit in 1..60_usize,
    ) {
        let mut seen = HashSet::new();
        for piece in piece(0..entities, 0..flags).split(limit) {
            prop_assert!(0 < piece.size() && piece.size() <= limit);
            for entity in piece.entities {
                for flag in piece.flags.clone() {
                    prop_assert!(seen.insert((entity, flag)));
                }
            }
        }
        prop_assert_eq!(seen.len(), entities * flags);
    }
}

#[test]
fn what_is_selected_twice_counts_once() {
    let keys: [Box<str>; 3] = ["a".into(), "b".into(), "a".into()];
    let tags: [Box<str>; 2] = ["x".into(), "x".into()];
    let batch =
        Batch { flag_ids: &[3, 1, 3], flag_keys: &keys, flag_tags: &tags, ..Batch::default() };
    let id = SelectedBy::Id;
    let key = SelectedBy::Key;
    assert_eq!(selection(&batch), [SelectedBy::Tags, id(3), id(1), key(0), key(1)]);
    assert_eq!(selection(&Batch::default()), []);
}

/// A result for an entity, about a flag that was named so: `#3` by id, `k` by key, `*5` by tag.
fn result(entity: &str, flag: &str) -> Received {
    let number = |mark| flag.strip_prefix(mark).map(|id| id.parse::<u64>().unwrap());
    let mut evaluation = EvaluationRef::blank(None, Reason::NoMatch).to_owned();
    let id = FlagId(number('*').or(number('#')).unwrap_or_default());
    evaluation.flag = Some(FlagHead { id, ..FlagHead::default() });
    evaluation.variant_id = VariantId(0);
    let by_name = id.0 == 0;
    Received {
        answer: Answer { evaluation, entity_id: entity.into(), log: DebugLog::default() },
        echo: Echo {
            entity_id: entity.into(),
            flag_id: number('#').unwrap_or_default(),
            flag_key: if by_name { flag.into() } else { "".into() },
            by_tags: flag.starts_with('*'),
        },
    }
}

#[test]
fn answers_find_their_places() {
    let entities = [Context::new("u"), Context::default()];
    let keys: [Box<str>; 1] = ["k".into()];
    let tags: [Box<str>; 1] = ["t".into()];
    let check =
        |tags: &[Box<str>], results: &[(&str, &str)], expected: Result<&[(usize, usize)], &str>| {
            let batch = Batch {
                entities: &entities,
                flag_ids: &[3],
                flag_keys: &keys,
                flag_tags: tags,
                ..Batch::default()
            };
            let selected = selection(&batch);
            let received = results.iter().map(|(entity, flag)| result(entity, flag)).collect();
            let result = line_up(&batch, &selected, &piece(0..2, 0..selected.len()), received);
            let places = result.map(|it| it.iter().map(|it| it.place).collect::<Vec<_>>());
            assert_eq!(places.as_deref().map_err(|it| &**it), expected, "{results:?}");
        };
    let named = [("u", "#3"), ("u", "k"), ("r", "#3"), ("r", "k")];
    check(&[], &named, Ok(&[(0, 0), (0, 1), (1, 0), (1, 1)]));
    check(&tags, &named, Ok(&[(0, 1), (0, 2), (1, 1), (1, 2)]));
    let tagged = [
        ("u", "*5"),
        ("u", "*3"),
        ("u", "#3"),
        ("u", "k"),
        ("r", "*3"),
        ("r", "*5"),
        ("r", "#3"),
        ("r", "k"),
    ];
    check(&tags, &tagged, Ok(&[(0, 0), (0, 0), (0, 1), (0, 2), (1, 0), (1, 0), (1, 1), (1, 2)]));

    check(&[], &[], Err("0 results for 2 flags"));
    check(&[], &named[..3], Err("3 results for 2 entities"));
    check(&[], &named[..2], Err("1 results for 2 flags"));
    check(&[], &tagged, Err("4 results for 2 flags"));
    let others = "results for others than were asked for";
    check(&[], &[("u", "k"), ("u", "#3"), ("r", "#3"), ("r", "k")], Err(others));
    check(&[], &[("u", "#4"), ("u", "k"), ("r", "#3"), ("r", "k")], Err(others));
    check(&[], &[("u", "#3"), ("x", "k"), ("r", "#3"), ("r", "k")], Err(others));
    let mut moved = tagged;
    moved[4].1 = "*7";
    check(&tags, &moved, Err("other flags by tag for one entity than for the next"));
    assert!(line_up(&Batch::default(), &[], &piece(0..0, 0..0), Vec::new()).is_err());
}
