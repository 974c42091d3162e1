//! `vexilla eval` and `vexilla explain` in words; as JSON, `eval` is compared with the sidecar in [`serve`](crate::serve).

use serde_json::{Value, json};

use crate::http::without_timestamp;
use crate::running::{run, said, vexilla};

const SHOP: [&str; 2] = ["--flags", "examples/shop.json"];

/// An explanation for programs, but for where the rules came from.
fn explanation(question: &[&str]) -> Value {
    let mut answer: Value = serde_json::from_str(&ask("explain", question)).unwrap();
    let rules = answer.as_object_mut().unwrap().remove("rules").unwrap();
    assert!(rules["ageSeconds"].is_u64(), "{rules}");
    assert_eq!(
        (&rules["revision"], &rules["origin"]),
        (&json!("0.1"), &json!("file examples/shop.json"))
    );
    answer
}

fn ask<'a>(command: &'a str, question: &[&'a str]) -> String {
    run([command].iter().chain(&SHOP).chain(question)).ok()
}

#[test]
fn an_evaluation_in_words() {
    let text = ask("eval", &["price-layout", "--entity-id", "ana"]);
    let expected = "\
flag        price-layout (id 3)
variant     classic (id 3)
attachment  {\"color\":\"#222222\",\"columns\":1}
segment     4
reason      SPLIT: the entity's bucket chose the variant
decided by  the rules here
rules       revision 0.1, less than a minute old, from file examples/shop.json
";
    assert_eq!(text, expected);
}

#[test]
fn debug_adds_flagrs_log() {
    let text = ask("eval", &["price-layout", "--entity-id", "ana", "--debug"]);
    let debug = text.lines().last().unwrap();
    assert!(
        debug.starts_with("debug       segment 4: matched all constraints. rollout yes. "),
        "{debug}"
    );
}

#[test]
fn an_unknown_flag_is_an_answer_too() {
    let text = ask("eval", &["no-such-flag"]);
    assert!(text.contains("reason      NOT_FOUND: there is no such flag\n"), "{text}");
    let text = ask("explain", &["no-such-flag"]);
    let expected = "flag     no-such-flag\noutcome  NOT_FOUND: there is no such flag
rules    revision 0.1, less than a minute old, from file examples/shop.json\n";
    assert_eq!(text, expected);
    let answer = without_timestamp(&ask("eval", &["no-such-flag", "--format", "json"]));
    assert_eq!(answer["evalDebugLog"]["msg"], "flagID 0 not found or deleted");
    let answer = explanation(&["no-such-flag", "--format", "json"]);
    let expected = json!({"flagKey": "no-such-flag", "reason": "NOT_FOUND", "segments": []});
    assert_eq!(answer, expected);
}

#[test]
fn a_context_is_given_whole_or_one_by_one() {
    let whole = r#"{"device":{"kind":"phone"},"beta":true}"#;
    let answer = |question: &[&str]| {
        let answer = ask("eval", &[&["search-config", "--format", "json"], question].concat());
        without_timestamp(&answer)["evalContext"]["entityContext"].clone()
    };
    let expected: Value = serde_json::from_str(whole).unwrap();
    assert_eq!(answer(&["--context", whole]), expected);
    assert_eq!(answer(&["--set", r#"device={"kind":"phone"}"#, "--set", "beta=true"]), expected);
    // What is set counts more than what the context says.
    let context = ["--context", r#"{"beta":true,"device":1}"#];
    assert_eq!(
        answer(&[&context[..], &["--set", r#"device={"kind":"phone"}"#]].concat()),
        expected
    );
    assert_eq!(answer(&["--context", "7"]), json!(7));
    assert_eq!(answer(&[]), Value::Null);
}

#[test]
fn an_explanation_in_words() {
    let question =
        ["new-checkout", "--entity-id", "ben", "--set", "country=DE", "--set", "app_version=43"];
    let expected = r#"flag     new-checkout (id 2)
entity   ben, bucket 253 of 0 to 999
segment  2: cannot be applied: argument: email not found
           no   (email =~ "@shop\\.example$"): argument: email not found
segment  3: holds
           yes  (country IN [DE NL])
           yes  (app_version >= 42.000)
           rollout 25 %
           on  buckets 0 to 249; 250 to 999 are left out
           bucket 253 is beyond what a rollout of 25 % lets through
outcome  HOLDOUT: a segment's constraints hold, and its rollout leaves the entity out
variant  none
rules    revision 0.1, less than a minute old, from file examples/shop.json
"#;
    assert_eq!(ask("explain", &question), expected);
}

#[test]
fn an_explanation_for_programs() {
    let question = ["price-layout", "--entity-id", "dora", "--format", "json"];
    let answer = explanation(&question);
    let bucket = answer["bucket"].as_u64().unwrap();
    let (variant, id) = if bucket < 500 { ("classic", 3) } else { ("compact", 4) };
    let columns = id - 2;
    let color = if id == 3 { "#222222" } else { "#0a7d4b" };
    let expected = json!({
        "flagKey": "price-layout", "flagId": 3, "reason": "SPLIT", "decider": "local",
        "variantKey": variant, "variantId": id,
        "variantAttachment": {"color": color, "columns": columns},
        "segmentId": 4, "entityId": "dora", "bucket": bucket,
        "segments": [{
            "id": 4, "verdict": "matched", "constraints": [],
            "rollout": {
                "percent": 100,
                "ranges": [
                    {"variant": "classic", "start": 0, "cut": 500, "end": 500},
                    {"variant": "compact", "start": 500, "cut": 1000, "end": 1000},
                ],
                "outcome": format!("bucket {bucket} is in the range of `{variant}`"),
            },
        }],
    });
    assert_eq!(answer, expected);
}

#[test]
fn a_flag_in_error_says_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    std::fs::write(&path, r#"[{"Key":"bad","Enabled":true,"Variants":[{"Key":""}]}]"#).unwrap();
    for (command, name) in [("eval", "error       "), ("explain", "error    ")] {
        let mut command = vexilla([command, "bad", "--log", "off", "--flags"]);
        let text = said(command.arg(&path)).ok();
        let expected = format!("{name}flag `bad`, variants[0].key: the key is empty\n");
        assert!(text.contains(&expected), "{text}");
        assert!(text.contains("ERROR: the flag is in error\n"), "{text}");
    }
}
