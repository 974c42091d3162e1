//! Evaluations by `GET`, beyond the recordings.

use crate::fake::{Answered, Rig, escaped};

const EVALUATION: &str = "/api/v1/evaluation";
const BATCH: &str = "/api/v1/evaluation/batch";

async fn ask(rig: &Rig, path: &str, json: &str) -> Answered {
    rig.get(&format!("{path}?json={}", escaped(json))).await
}

/// The reason of a refusal, as it stands in its message.
async fn refused(path: &str, json: &str) -> String {
    let answered = ask(&Rig::new(|_| {}), path, json).await;
    assert_eq!((answered.status, &*answered.content_type), (400, "application/json"), "{json}");
    let message: serde_json::Value = serde_json::from_str(&answered.body).unwrap();
    let name = if path == BATCH { "evaluationBatchRequest" } else { "evalContext" };
    let message = message["message"].as_str().unwrap().to_owned();
    message.strip_prefix(&format!("json is not valid {name}: ")).unwrap().to_owned()
}

#[tokio::test]
async fn what_is_wrong_is_told_in_gos_words() {
    let in_context = |it: &str| {
        format!("json: cannot unmarshal number 1e400 into Go struct field {it} of type float64")
    };
    for (path, json, expected) in [
        (EVALUATION, " ", "unexpected end of JSON input"),
        (EVALUATION, "{}{", "invalid character '{' after top-level value"),
        (EVALUATION, "[]", "json: cannot unmarshal array into Go value of type models.EvalContext"),
        (
            EVALUATION,
            r#"{"entityID":5}"#,
            "json: cannot unmarshal number into Go struct field EvalContext.entityID of type string",
        ),
        (EVALUATION, r#"{"entityID":5} x"#, "invalid character 'x' after top-level value"),
        (
            EVALUATION,
            r#"{"entityContext":{"a":[{"b":1e400}]}}"#,
            &in_context("EvalContext.entityContext"),
        ),
        (
            BATCH,
            r#"{"entities":[{},{"entityContext":1e400}]}"#,
            &in_context("EvaluationEntity.entities.entityContext"),
        ),
        (
            EVALUATION,
            r#"{"flagID":-1,"flagTagsOperator":"any"}"#,
            "validation failure list:\nflagID in body should be greater than or equal to 1\nflagTagsOperator in body should be one of [ANY ALL]",
        ),
        (
            BATCH,
            r#"{"entities":[],"flagIDs":[1,0],"flagKeys":[],"flagTags":[""]}"#,
            "validation failure list:\nentities in body should have at least 1 items\nflagIDs.1 in body should be greater than or equal to 1\nflagKeys in body should have at least 1 items\nflagTags.0 in body should be at least 1 chars long",
        ),
    ] {
        assert_eq!(refused(path, json).await, expected, "{json}");
    }
}

#[tokio::test]
async fn numbers_go_through_floats_and_broken_text_is_mended() {
    let rig = Rig::new(|_| {});
    let json = "{\"entityContext\":{\"a\":1e3,\"b\":12345678901234567890,\"c\":[0.10,-0.0],\"d\":\"\u{fffd}\"}}";
    let answered = ask(&rig, EVALUATION, json).await;
    let context = "\"entityContext\":{\"a\":1000,\"b\":12345678901234567000,\"c\":[0.1,-0],\"d\":\"\u{fffd}\"}";
    assert!(answered.body.contains(context), "{}", answered.body);
    let answered = rig.get("/api/v1/evaluation?json=%7B%22entityID%22:%22a%FFb+c%22%7D").await;
    assert!(answered.body.contains("\"entityID\":\"a\u{fffd}b c\""), "{}", answered.body);
}

#[tokio::test]
async fn the_last_readable_parameter_counts() {
    let rig = Rig::new(|_| {});
    let missing = r#"{"code":602,"message":"json in query is required"}"#;
    for (query, status) in [
        ("json=%7B%7D", 200),
        ("json=x&json=%7B%7D", 200),
        ("json=%7B%7D&json=", 422),
        ("json=%zz", 422),
        ("json=%7B%7D;", 422),
        ("JSON=%7B%7D", 422),
        ("j%73on=%7B%7D", 200),
    ] {
        let answered = rig.get(&format!("{EVALUATION}?{query}")).await;
        assert_eq!(answered.status, status, "{query}");
        if status == 422 {
            assert_eq!(answered.body, missing, "{query}");
        }
    }
}

#[tokio::test]
async fn the_length_of_a_query_is_limited_unless_the_limit_is_0() {
    let query = format!("json=%7B%7D&x={}", "y".repeat(8_192));
    for (most, status) in [(8_192, 400), (0, 200), (query.len(), 200), (query.len() - 1, 400)] {
        let rig = Rig::new(|config| config.max_query_bytes = most);
        for path in [EVALUATION, BATCH] {
            let query = if path == BATCH {
                query.replace("%7B%7D", "%7B%22entities%22:[%7B%7D]%7D")
            } else {
                query.clone()
            };
            let status = if path == BATCH && most > 8_192 { 400 } else { status };
            assert_eq!(rig.get(&format!("{path}?{query}")).await.status, status, "{path} {most}");
        }
    }
}
