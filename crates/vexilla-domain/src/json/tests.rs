//! Reading as leniently as Go, writing as Go.

use serde_json::value::RawValue;

use super::{
    Numbers, Rows, WrittenRows, flags_in, pieces, read_flags, read_value, read_written, repair,
    same_name, write_flag, write_flags, write_value,
};
use crate::Flag;

fn flags(text: &str) -> Vec<Flag> {
    let document = read_flags(text.as_bytes()).unwrap();
    assert_eq!(document.problems, []);
    document.flags
}

/// Reads a value and writes it again.
fn round(text: &str, numbers: Numbers) -> Result<String, String> {
    let raw: &RawValue = serde_json::from_str(text).unwrap();
    let mut out = Vec::new();
    write_value(&mut out, &read_value(raw, numbers).map_err(|error| error.to_string())?);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_smallest_document_is_numbered_and_linked() {
    let read = flags(
        r#"{"Flags":[{"Key":"a","Enabled":true,"Variants":[{"Key":"on"}],
            "Segments":[{"RolloutPercent":100,"Distributions":[{"VariantKey":"on","Percent":100}]}]}]}"#,
    );
    let flag = &read[0];
    assert_eq!((flag.id.0, flag.variants[0].id.0, flag.segments[0].id.0), (1, 1, 1));
    assert_eq!(flag.segments[0].distributions[0].variant_id.0, 1);
}

#[test]
fn numbers_are_given_after_the_largest_in_the_document() {
    let read = flags(
        r#"{"Flags":[{"Key":"a","Variants":[{"Key":"x"}]},{"Key":"b","ID":7,"Segments":[{"FlagID":99}]},
            {"Key":"c","Variants":[{"ID":50,"Key":"y"},{"Key":"z"}],"Tags":[{"Value":"t"}],
             "Segments":[{"Distributions":[{"VariantID":3,"VariantKey":"y"},{"VariantKey":"none"}]}]}]}"#,
    );
    assert_eq!(read.iter().map(|it| it.id.0).collect::<Vec<_>>(), [8, 7, 9]);
    assert_eq!(read[0].variants[0].id.0, 51);
    assert_eq!(read[2].variants.iter().map(|it| it.id.0).collect::<Vec<_>>(), [50, 52]);
    let linked: Vec<_> =
        read[2].segments[0].distributions.iter().map(|it| it.variant_id.0).collect();
    assert_eq!(linked, [3, 0], "an id is kept, a key that names nothing stays unlinked");
}

#[test]
fn members_come_in_any_case_and_the_last_counts() {
    let read = flags(
        r#"{"FLAGS":null,"fLAGS":[{"KEY":"a","key":"b","ſegments":[{"rolloutpercent":5,"RANK":null}],"Nonsense":[{}],
            "Enabled":true,"enabled":null,"tags":[null]}]}"#,
    );
    let flag = &read[0];
    assert_eq!((&*flag.key, flag.enabled, flag.segments[0].rollout_percent), ("b", true, 5));
    assert_eq!((flag.segments[0].rank, flag.tags.len()), (0, 1));
    assert!(
        same_name("flag\u{212A}ey", "FlagKey")
            && same_name("tagſ", "Tags")
            && !same_name("tag", "Tags")
    );
    assert!(!same_name("entityıD", "EntityID"));
}

#[test]
fn the_rest_spelling_reads_as_the_same_flag() {
    let rest = flags(
        r#"[{"id":3,"key":"k","enabled":true,"dataRecordsEnabled":true,"entityType":"user","notes":"n","description":"d",
            "updatedAt":"2026-11-22T19:59:37.565Z","tags":[{"id":1,"value":"t"}],
            "variants":[{"id":1,"key":"on","attachment":{}}],
            "segments":[{"id":2,"rank":999,"description":"","rolloutPercent":100,
                "constraints":[{"id":1,"property":"p","operator":"EQ","value":"1"}],
                "distributions":[{"id":1,"percent":100,"variantID":1,"variantKey":"on"}]}]}]"#,
    );
    let export = flags(
        r#"{"Flags":[{"ID":3,"Key":"k","Enabled":true,"DataRecordsEnabled":true,"EntityType":"user","Notes":"n",
            "Description":"d","UpdatedAt":"2026-11-22T19:59:37.565Z","Tags":[{"ID":1,"Value":"t","Flags":null}],
            "Variants":[{"ID":1,"FlagID":3,"Key":"on","Attachment":{}}],
            "Segments":[{"ID":2,"FlagID":3,"Rank":999,"RolloutPercent":100,
                "Constraints":[{"ID":1,"SegmentID":2,"Property":"p","Operator":"EQ","Value":"1"}],
                "Distributions":[{"ID":1,"SegmentID":2,"VariantID":1,"VariantKey":"on","Percent":100}]}]}]}"#,
    );
    assert_eq!(rest, export);
}

#[test]
fn a_recorded_export_is_written_back_to_the_letter() {
    let recorded = include_str!("../../../../conformance/recordings/flagr-http.json");
    let recorded: serde_json::Value = serde_json::from_str(recorded).unwrap();
    let exports: Vec<&str> = recorded["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| {
            it["name"].as_str().unwrap().starts_with("export") && it["response"]["status"] == 200
        })
        .filter(|it| it["request"]["path"].as_str().unwrap().contains("eval_cache"))
        .map(|it| it["response"]["body"].as_str().unwrap())
        .collect();
    assert!(exports.len() >= 4);
    for export in exports {
        let written = String::from_utf8(write_flags(&flags(export))).unwrap();
        assert_eq!(written + "\n", export);
    }
}

#[test]
fn one_bad_flag_is_reported_and_numbered_and_the_others_are_read() {
    let text = "{\"Flags\":[{\"Key\":\"a\"},\n{\"Key\":\"b\",\"Segments\":[{},{\"RolloutPercent\":1.0}]},\n{\"Key\":\"c\"}]}";
    let document = read_flags(text.as_bytes()).unwrap();
    assert_eq!(
        document.flags.iter().map(|it| (&*it.key, it.id.0)).collect::<Vec<_>>(),
        [("a", 1), ("c", 3)]
    );
    let problems: Vec<_> = document.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["flag `b`, segments[1].rolloutPercent: invalid type: floating point `1.0`, expected u64 \
          (the flag starts at line 2)"]
    );
}

#[test]
fn what_is_wrong_in_a_flag_is_named() {
    let cases = [
        (r#"{"Key":5}"#, "flag ``, key: invalid type: integer `5`, expected a string"),
        (r#"{"ID":-1,"Key":"k"}"#, "flag `k`, id: invalid value: integer `-1`, expected u64"),
        (
            r#"{"Key":"k","UpdatedAt":"soon"}"#,
            "flag `k`, updatedAt: `soon` is not an RFC 3339 date and time",
        ),
        (
            r#"{"Key":"k","Variants":[{"Attachment":[]}]}"#,
            "flag `k`, variants[0].attachment: an attachment is an object or null",
        ),
        (
            r#"{"Key":"k","Variants":[{"Attachment":{"n":1e400}}]}"#,
            "flag `k`, variants[0].attachment: number `1e400` is out of range",
        ),
        (
            r#"{"Key":"k","Enabled":"yes"}"#,
            "flag `k`, enabled: invalid type: string \"yes\", expected a boolean",
        ),
        ("7", "flag ``: invalid type: integer `7`, expected an object"),
    ];
    for (flag, message) in cases {
        let document = read_flags(format!("[{flag},{{\"Key\":\"good\"}}]").as_bytes()).unwrap();
        let problem = document.problems[0].to_string();
        assert_eq!(problem.replace(" (id 1)", ""), message);
        assert_eq!(document.flags.len(), 1);
    }
}

#[test]
fn what_is_no_document_of_flags_is_refused() {
    let cases = [
        ("", "the document is empty"),
        (" \n", "the document is empty"),
        ("{}", "not a document of flags: it has no member `Flags`"),
        (r#"{"message":"boom"}"#, "not a document of flags: it has no member `Flags`"),
        ("null", "not a document of flags: neither `{\"Flags\": […]}` nor an array of flags"),
        ("<html>", "line 1, column 1: expected value"),
        ("{\"Flags\":[{\"Key\":\n", "line 2, column 0: EOF while parsing a value"),
        ("{\"Flags\":[]} x", "line 1, column 14: trailing characters"),
        ("[1,]", "line 1, column 4: trailing comma"),
        ("[1,2,3]", "not a document of flags: none of its items has the key of a flag"),
        (r#"[{"name":"x"}]"#, "not a document of flags: none of its items has the key of a flag"),
        (r#"{"Flags":["a"]}"#, "not a document of flags: none of its items has the key of a flag"),
    ];
    for (text, message) in cases {
        assert_eq!(read_flags(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
    }
    for nothing in ["{\"Flags\":null}", "{\"Flags\":[]}", "[]", "\u{FEFF}[]"] {
        assert_eq!(read_flags(nothing.as_bytes()).unwrap().flags, []);
    }
}

#[test]
fn broken_text_becomes_replacement_characters() {
    let cases: [(&[u8], &str); 8] = [
        (b"plain", "plain"),
        (b"a\xff\xc3(", "a\u{FFFD}\u{FFFD}("),
        (b"\xe2\x82", "\u{FFFD}\u{FFFD}"),
        (br"\ud800", r"\ufffd"),
        (br"\ud83d\ude00", r"\ud83d\ude00"),
        (br"\ud83d\ud83d\ude00\udc00x", r"\ufffd\ud83d\ude00\ufffdx"),
        (br"\\ud800", r"\\ud800"),
        (br"\\\uD8", r"\\\uD8"),
    ];
    for (bytes, text) in cases {
        assert_eq!(repair(bytes), text);
    }
}

#[test]
fn contexts_keep_the_text_of_numbers_and_files_do_not() {
    let text = r#"{"b":[1.50,1e3,12345678901234567890],"a":{"x":null,"w":18.0},"c":"<é\u2028>\u0001","a":{"x":true}}"#;
    assert_eq!(
        round(text, Numbers::AsWritten).unwrap(),
        r#"{"a":{"x":true},"b":[1.50,1e3,12345678901234567890],"c":"<é\u2028>\u0001"}"#
    );
    assert_eq!(
        round(text, Numbers::Float64).unwrap(),
        r#"{"a":{"x":true},"b":[1.5,1000,12345678901234567000],"c":"<é\u2028>\u0001"}"#
    );
    assert_eq!(round("1e400", Numbers::AsWritten).unwrap(), "1e400");
    assert_eq!(round("[1e400]", Numbers::Float64).unwrap_err(), "number `1e400` is out of range");
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(round(&nested(101), Numbers::AsWritten).is_ok());
    assert_eq!(
        round(&nested(102), Numbers::AsWritten).unwrap_err(),
        "nested deeper than 100 levels"
    );
}

#[test]
fn an_empty_attachment_is_not_a_missing_one() {
    let read = flags(r#"[{"Key":"k","Variants":[{"Attachment":{}},{"Attachment":null},{}]}]"#);
    let attachments: Vec<_> = read[0].variants.iter().map(|it| it.attachment.is_some()).collect();
    assert_eq!(attachments, [true, false, false]);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<i32>().prop_map(|it| (f64::from(it) / 8.0).into()),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|it| serde_json::Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value in value()) {
            let written = round(&value.to_string(), Numbers::AsWritten).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_flags(&bytes);
            let _ = repair(&bytes);
        }

        #[test]
        fn no_near_document_makes_the_reader_panic(
            parts in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", ":", ",", "\"Flags\"", "\"Key\"", "\"ID\"", "\"Segments\"", "\"Variants\"",
                "\"Attachment\"", "\"\\ud800\"", "null", "true", "1", "1.5", "1e400", "-1", "\"x\"", " ",
            ]), 0..40),
        ) {
            let _ = read_flags(parts.concat().as_bytes());
            let _ = read_flags(format!("{{\"Flags\":[{{\"Key\":\"k\",{}", parts.concat()).as_bytes());
        }

        #[test]
        fn repaired_text_is_what_it_was_where_it_was_right(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(&*repair(json.as_bytes()), &*json);
        }
    }
}

#[test]
fn rows_are_the_flags_of_the_document() {
    let numbered = r#"{"ID":3,"Key":"a","SnapshotID":7,"Variants":[{"ID":1,"Key":"x"}],"Segments":[{"ID":1,
        "Distributions":[{"ID":1,"VariantKey":"x","Percent":100}]}]}"#;
    for text in [
        "[]".to_owned(),
        format!("[{numbered}]"),
        format!(r#"{{"Flags":[{numbered},{{"ID":2,"Key":"b"}}]}}"#),
        format!(r#"[{numbered},{{"Key":"unnumbered","Variants":[{{"Key":"y"}}]}}]"#),
        format!(r#"[{numbered},{{"ID":9,"Key":"wrong","Enabled":7}}]"#),
    ] {
        let document = read_flags(text.as_bytes()).unwrap();
        let rows = Rows::read(text.as_bytes()).unwrap();
        assert_eq!((rows.len(), rows.problems()), (document.flags.len(), &*document.problems));
        for (row, flag) in rows.iter().zip(&document.flags) {
            assert_eq!((row.id(), row.snapshot_id()), (flag.id, flag.snapshot_id));
            assert_eq!(row.flag().unwrap().into_owned(), *flag);
            assert_eq!(row.json(), write_flag(flag));
        }
        let here = write_flags(&document.flags);
        let spaced = String::from_utf8(here.clone()).unwrap().replacen('[', " [\n", 1);
        for text in [here, spaced.into_bytes()] {
            let written = WrittenRows::of(&text.into()).unwrap();
            assert!(written.ids().eq(document.flags.iter().map(|it| it.id)));
            let flags: Vec<_> = written.into_flags().map(Result::unwrap).collect();
            assert_eq!(flags, document.flags);
        }
        assert_eq!(rows.into_document(), document);
    }
    for text in ["", "null", "{}", r#"["flag"]"#, r#"[{"name":"Ann"}]"#] {
        assert_eq!(Rows::read(text.as_bytes()).err(), read_flags(text.as_bytes()).err(), "{text}");
    }
    let whole =
        write_flags(&read_flags(br#"[{"ID":1,"Key":"a"},{"ID":2,"Key":"b"}]"#).unwrap().flags);
    for length in 0..whole.len() {
        assert!(WrittenRows::of(&whole[..length].into()).is_err(), "{length} bytes");
    }
}

#[test]
fn pieces_are_cut_between_flags() {
    let flags: Vec<String> =
        (1..=100).map(|n| format!(r#"{{"ID":{n},"Key":"f{n}","Notes":"}},{{"}}"#)).collect();
    let flags = read_flags(format!("[{}]", flags.join(",")).as_bytes()).unwrap().flags;
    let mut document = write_flags(&flags);
    document.push(b'\n');
    for size in [1, 500, 4_000, 1 << 20] {
        let pieces = pieces(&document, size);
        assert_eq!(pieces.concat(), document);
        let mut found = Vec::new();
        for piece in pieces {
            for (id, place) in flags_in(piece) {
                let flag = read_written(&piece[place]).unwrap();
                assert_eq!(flag.id, id);
                found.push(flag);
            }
        }
        assert_eq!(found, flags, "{size}");
    }
    assert_eq!(pieces(b"no flags", 3), [b"no flags"]);
    assert_eq!(pieces(b"", 3), [b""; 0]);
    for piece in ["", "no flags", "{\"Flags\":[", ",{", "{\"ID\":1}x", "[{\"ID\":1,\"Key\":\"a\"}]"]
    {
        let _ = flags_in(piece.as_bytes());
    }
}
