//! Batches: as few requests as the limits allow, each answer in its place.

use serde_json::{Value as Json, json as value};
use vexilla_domain::{Batch, BatchAnswer, Context, RemoteErrorKind, RemoteEvaluator, SelectedBy};
use wiremock::matchers::{method, path};
use wiremock::{Mock, Request, ResponseTemplate};

use crate::evaluations::{BATCH, answer_post, evaluator, sent};
use crate::flagr::{Flagr, json};

/// Answers batches as Flagr does, with a limit on their size. Flags 8 and 9 have the tag; the flag `bad` panics.
async fn flagr(limit: usize) -> Flagr {
    let flagr = Flagr::start().await;
    let answer = move |request: &Request| respond(&request.body_json().unwrap(), limit);
    Mock::given(method("POST")).and(path(BATCH)).respond_with(answer).mount(&flagr.0).await;
    flagr
}

fn respond(request: &Json, limit: usize) -> ResponseTemplate {
    let list = |name: &str| request[name].as_array().cloned().unwrap_or_default();
    let (entities, ids, keys) = (list("entities"), list("flagIDs"), list("flagKeys"));
    let tags = list("flagTags");
    let size = entities.len() * (ids.len() + keys.len() + usize::from(!tags.is_empty()));
    if limit < size {
        let message =
            format!("batch evaluation size {size} exceeds maximum allowed size of {limit}");
        return ResponseTemplate::new(400).set_body_json(value!({ "message": message }));
    }
    if keys.contains(&value!("bad")) {
        return ResponseTemplate::new(500).set_body_raw("PANIC: boom\nstack", "text/plain");
    }
    let mut results = Vec::new();
    for entity in &entities {
        let mut add = |id: u64, name: &str, asked: &Json| {
            let mut context = entity.clone();
            context[name] = asked.clone();
            results
                .push(value!({ "evalContext": context, "flagID": id, "flagKey": format!("f{id}"),
                "variantID": id * 10, "variantKey": "v", "evalDebugLog": {} }));
        };
        if !tags.is_empty() {
            add(9, "flagTags", &value!(tags));
            add(8, "flagTags", &value!(tags));
        }
        for id in &ids {
            add(id.as_u64().unwrap(), "flagID", id);
        }
        for key in &keys {
            add(1, "flagKey", key);
        }
    }
    ResponseTemplate::new(200).set_body_json(value!({ "evaluationResults": results }))
}

fn entities(count: usize) -> Vec<Context> {
    (0..count).map(|it| Context::new(format!("u{it}"))).collect()
}

/// Entity, how it was selected, flag id.
fn places(answers: &[BatchAnswer]) -> Vec<(usize, SelectedBy, u64)> {
    let flag = |it: &BatchAnswer| it.answer.evaluation.flag.as_ref().unwrap().id.0;
    answers.iter().map(|it| (it.entity, it.selected_by, flag(it))).collect()
}

/// What a batch of everything answers for the entities.
fn expected(entities: usize) -> Vec<(usize, SelectedBy, u64)> {
    use SelectedBy::{Id, Key, Tags};
    let flags = [(Tags, 9), (Tags, 8), (Id(3), 3), (Id(2), 2), (Key(0), 1), (Key(2), 1)];
    (0..entities).flat_map(|it| flags.map(|(by, id)| (it, by, id))).collect()
}

#[tokio::test]
async fn a_batch_is_one_request_or_as_many_as_the_limits_demand() {
    let keys: [Box<str>; 3] = ["x".into(), "x".into(), "y".into()];
    let tags: [Box<str>; 1] = ["web".into()];
    let entities = entities(4);
    let batch = Batch {
        entities: &entities,
        flag_ids: &[3, 2, 3],
        flag_keys: &keys,
        flag_tags: &tags,
        ..Batch::default()
    };
    // Flagr's limit, ours, requests of the first call, requests of the second one. An entity has five flags.
    for (theirs, ours, first, second) in [
        (1000, 1000, 1, 1),
        (20, 1000, 1, 1),
        (1000, 10, 2, 2),
        (19, 1000, 1 + 2, 2),   // three entities and one
        (10, 19, 1 + 2 + 1, 2), // three entities are refused and become two and one, and there is the fourth
        (5, 1000, 1 + 4, 4),
        (4, 1000, 1 + 4 + 1, 4 + 1), // four flags of one entity, and the fifth of all
        (2, 1000, 1 + 4 + 4 + 2, 4 + 4 + 2),
        (1, 1, 20, 20),
    ] {
        let flagr = flagr(theirs).await;
        let evaluator = evaluator(&flagr.0.uri(), |it| it.max_batch_evaluations = ours);
        for requests in [first, first + second] {
            let answers = evaluator.evaluate_batch(batch).await.unwrap();
            assert_eq!(places(&answers), expected(4), "{theirs}, {ours}");
            for answer in &answers {
                assert_eq!(*answer.answer.entity_id, *entities[answer.entity].entity_id());
            }
            assert_eq!(sent(&flagr).await.len(), requests, "{theirs}, {ours}");
        }
    }
}

#[tokio::test]
async fn no_evaluation_is_asked_for_twice() {
    let flagr = flagr(7).await;
    let evaluator = evaluator(&flagr.0.uri(), |it| it.max_batch_evaluations = 12);
    let entities = entities(9);
    let batch = Batch { entities: &entities, flag_ids: &[1, 2, 3], ..Batch::default() };
    assert_eq!(evaluator.evaluate_batch(batch).await.unwrap().len(), 27);
    let mut accepted: Vec<String> = Vec::new();
    for body in sent(&flagr).await {
        let body: Json = serde_json::from_str(&body).unwrap();
        let asked: Vec<_> = body["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["entityID"].to_string())
            .collect();
        if asked.len() * 3 <= 7 {
            accepted.extend(asked);
        }
    }
    accepted.sort();
    assert_eq!(
        accepted,
        entities.iter().map(|it| format!("\"{}\"", it.entity_id())).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn what_is_learnt_of_the_limit_all_evaluators_of_a_source_know() {
    let flagr = flagr(2).await;
    let source = flagr.source();
    let entities = entities(2);
    let batch = Batch { entities: &entities, flag_ids: &[1, 2], ..Batch::default() };
    source.evaluator().evaluate_batch(batch).await.unwrap();
    assert_eq!(sent(&flagr).await.len(), 3);
    source.evaluator().evaluate_batch(batch).await.unwrap();
    assert_eq!(sent(&flagr).await.len(), 5);
}

#[tokio::test]
async fn nothing_to_ask_asks_nothing() {
    let flagr = flagr(10).await;
    let evaluator = evaluator(&flagr.0.uri(), |_| {});
    let entities = entities(1);
    for batch in [
        Batch { entities: &entities, ..Batch::default() },
        Batch { flag_ids: &[1], ..Batch::default() },
    ] {
        assert_eq!(evaluator.evaluate_batch(batch).await.unwrap(), []);
    }
    assert_eq!(sent(&flagr).await.len(), 0);
}

#[tokio::test]
async fn one_flag_that_panics_fails_the_batch_and_not_flagr() {
    let flagr = flagr(10).await;
    let keys: [Box<str>; 2] = ["good".into(), "bad".into()];
    let entities = entities(1);
    let batch = Batch { entities: &entities, flag_keys: &keys, ..Batch::default() };
    let error = evaluator(&flagr.0.uri(), |_| {}).evaluate_batch(batch).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::BadFlag);
    assert_eq!(
        error.to_string(),
        "POST /api/v1/evaluation/batch answered 500 Internal Server Error: `PANIC: boom`"
    );
}

#[tokio::test]
async fn a_limit_that_explains_nothing_is_a_refusal() {
    for limit in ["0", "2", "1000"] {
        let flagr = Flagr::start().await;
        let message = format!("batch evaluation size 9 exceeds maximum allowed size of {limit}");
        let refusal = ResponseTemplate::new(400).set_body_json(value!({ "message": message }));
        answer_post(&flagr, BATCH, refusal).await;
        let entities = entities(1);
        let batch = Batch { entities: &entities, flag_ids: &[1, 2], ..Batch::default() };
        let error = evaluator(&flagr.0.uri(), |_| {}).evaluate_batch(batch).await.unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::BadRequest);
        assert!(error.to_string().contains(&message), "{error}");
        assert_eq!(sent(&flagr).await.len(), 1);
    }
}

#[tokio::test]
async fn results_that_do_not_line_up_are_no_answer() {
    let flagr = Flagr::start().await;
    answer_post(&flagr, BATCH, json(r#"{"evaluationResults":[]}"#)).await;
    let entities = entities(1);
    let batch = Batch { entities: &entities, flag_ids: &[1], ..Batch::default() };
    let error = evaluator(&flagr.0.uri(), |_| {}).evaluate_batch(batch).await.unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Unavailable);
    assert!(error.to_string().ends_with("expected: 0 results for 1 flags"), "{error}");
}
