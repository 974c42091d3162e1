//! Random constraints, contexts and flags.

use proptest::prelude::*;
use proptest::sample::select;
use vexilla_domain::{
    Constraint, Context, Distribution, Flag, FlagId, Number, Object, Segment, SegmentId, Value,
    Variant, VariantId,
};

use super::words::{Text, edit, edits, literal, name, number, one_of, pattern, string, tail};

/// Property, operator and value that fit each other and [`context`], most of the time: `n` is a number, `s` a text, `l` a
/// list of numbers, `t` a list of texts, `b` a bool.
fn parts() -> impl Strategy<Value = (String, &'static str, String)> {
    const ALL: &[&str] = &[
        "EQ",
        "NEQ",
        "LT",
        "LTE",
        "GT",
        "GTE",
        "EREG",
        "NEREG",
        "IN",
        "NOTIN",
        "CONTAINS",
        "NOTCONTAINS",
        "MATCHES",
    ];
    let list =
        |item: Text| prop::collection::vec(item, 1..4).prop_map(|it| format!("[{}]", it.join(",")));
    let numeric = one_of(&["n", "o.n", "n", " n", "l[0]", "l[-1]", "n /**/"]);
    let textual = one_of(&["s", "o.s", "t[0]", "s", "t[-1]"]);
    let equality = || select(&["EQ", "NEQ"][..]);
    prop_oneof![
        5 => (numeric.clone(), select(&["EQ", "NEQ", "LT", "LTE", "GT", "GTE"][..]), number()),
        4 => (textual.clone(), equality(), string()),
        4 => (textual.clone(), select(&["EREG", "NEREG"][..]), pattern()),
        2 => (numeric, select(&["IN", "NOTIN"][..]), list(number())),
        2 => (textual, select(&["IN", "NOTIN"][..]), list(string())),
        2 => (one_of(&["l", "o.l"]), select(&["CONTAINS", "NOTCONTAINS"][..]), number()),
        2 => (one_of(&["t", "o.t"]), select(&["CONTAINS", "NOTCONTAINS"][..]), string()),
        1 => (one_of(&["b", "o.b"]), equality(), one_of(&["true", "FALSE", "TrUe"])),
        4 => (name(), select(ALL), literal()),
        2 => (name(), equality(), literal()),
    ]
}

pub(crate) fn constraint() -> impl Strategy<Value = Constraint> {
    (parts(), tail(), edits(), prop::bool::weighted(0.1)).prop_map(
        |((name, operator, value), tail, edits, in_name)| {
            let value = value + &tail;
            let (property, value) =
                if in_name { (edit(&name, &edits), value) } else { (name, edit(&value, &edits)) };
            Constraint {
                property: property.into(),
                operator: operator.into(),
                value: value.into(),
                ..Constraint::default()
            }
        },
    )
}

fn number_value() -> BoxedStrategy<Value> {
    one_of(&[
        "0",
        "1",
        "2",
        "-1",
        "1.0000005",
        "0.9999995",
        "1000",
        "1e3",
        "0.1",
        "1e-52",
        "1e400",
        "-0.0",
        "5",
        "1.000001",
    ])
    .prop_map(|it| Value::Number(Number::from_json_text(&it).expect("a number")))
    .boxed()
}

fn text_value() -> BoxedStrategy<Value> {
    let texts = &["a", "b", "US", "us", "", "a b", "é", "1", "true", "a\"b", "a\\b", "\u{FFFD}"];
    select(&texts[..]).prop_map(Value::from).boxed()
}

/// Any value, nested ones included.
fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        5 => number_value(),
        5 => text_value(),
        2 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        2 => prop::collection::vec(number_value(), 0..4).prop_map(Value::Array),
        2 => prop::collection::vec(text_value(), 0..4).prop_map(Value::Array),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let members =
            prop::collection::vec((select(&["x", "y", "z", "l", "0"][..]), inner.clone()), 0..3);
        prop_oneof![
            members.prop_map(|it| Value::Object(object(it))),
            prop::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    })
    .boxed()
}

fn object(members: Vec<(&'static str, Value)>) -> Object {
    members.into_iter().map(|(name, value)| (Box::from(name), value)).collect()
}

/// Members of the kinds that their names promise.
fn kept_promises() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let list =
        |item: BoxedStrategy<Value>| prop::collection::vec(item, 1..4).prop_map(Value::Array);
    (number_value(), text_value(), list(number_value()), list(text_value()), any::<bool>())
        .prop_map(|(n, s, l, t, b)| {
            vec![("n", n), ("s", s), ("l", l), ("t", t), ("b", Value::from(b))]
        })
}

pub(crate) fn context() -> impl Strategy<Value = Context> {
    let names = select(
        &[
            "a", "b", "c", "n", "s", "l", "o", "@a", "a-b", "a.b", "1", "1.5", "\"a b\"", "é",
            "true", "a.b.c", "_", "a1", "@@a", "a-1",
        ][..],
    );
    let others = prop::collection::vec((names, value()), 0..4);
    let whole = (kept_promises(), kept_promises(), others).prop_map(|(mut all, inner, others)| {
        all.push(("o", Value::Object(object(inner))));
        all.extend(others);
        Value::Object(object(all))
    });
    let attributes = prop_oneof![
        30 => whole.prop_map(Some),
        1 => value().prop_map(Some),
        1 => Just(None),
    ];
    ("[a-z0-9é]{1,8}", attributes)
        .prop_map(|(entity, attributes)| Context::new(entity).with_attributes(attributes))
}

pub(crate) fn segment() -> impl Strategy<Value = Segment> {
    let constraints =
        prop_oneof![1 => Just(Vec::new()), 4 => prop::collection::vec(constraint(), 1..4)];
    let percent = || prop_oneof![Just(0_u64), Just(100), Just(50), 0_u64..=101];
    let rows = prop_oneof![
        6 => prop::collection::vec((1_u64..4, percent()), 1..4),
        1 => Just(Vec::new()),
        3 => (1_u64..4).prop_map(|id| vec![(id, 100)]),
    ];
    (constraints, percent(), rows).prop_map(|(constraints, rollout_percent, rows)| {
        let row = |(id, percent)| Distribution {
            variant_id: VariantId(id),
            percent,
            ..Distribution::default()
        };
        Segment {
            rollout_percent,
            constraints,
            distributions: rows.into_iter().map(row).collect(),
            ..Segment::default()
        }
    })
}

/// A flag as a database may hold it; variant 3 is one that it lacks.
pub(crate) fn flag() -> impl Strategy<Value = Flag> {
    (1_u64..2000, prop::bool::weighted(0.95), prop::collection::vec(segment(), 0..4)).prop_map(
        |(id, enabled, segments)| {
            let variant = |(id, key): (u64, &str)| Variant {
                id: VariantId(id),
                key: key.into(),
                ..Variant::default()
            };
            let segments =
                (1..).zip(segments).map(|(id, segment)| Segment { id: SegmentId(id), ..segment });
            Flag {
                id: FlagId(id),
                key: "flag".into(),
                enabled,
                variants: [(1, "on"), (2, "off")].map(variant).into(),
                segments: segments.collect(),
                ..Flag::default()
            }
        },
    )
}
