//! What a real Flagr answered, through the evaluator and back: nothing is lost on the way.

use serde_json::{Map, Value as Json, json as value};
use vexilla_domain::json::{Numbers, read_value};
use vexilla_domain::{
    Answer, Batch, Context, Debug, FlagRef, Reason, RemoteErrorKind, RemoteEvaluator, TagsOperator,
};
use wiremock::ResponseTemplate;

use crate::evaluations::{BATCH, EVALUATION, answer_post, call, evaluator, sent};
use crate::flagr::Flagr;

const RECORDED: &str = include_str!("../../../../conformance/recordings/flagr-http.json");

/// A request that was recorded, and a Flagr that gives the recorded answer to it.
struct Exchange {
    name: String,
    request: Json,
    status: u64,
    response: String,
    flagr: Flagr,
}

/// The recorded requests to a path that the evaluator could have made.
async fn recorded(at: &str) -> Vec<Exchange> {
    let document: Json = serde_json::from_str(RECORDED).unwrap();
    let mut found = Vec::new();
    for exchange in document["exchanges"].as_array().unwrap() {
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let name = exchange["name"].as_str().unwrap().to_owned();
        // Bodies that no client of ours would send: not JSON, not an object, with types or names of their own.
        let odd = ["wrong types", "float id", "member case", "charset", "text/plain"];
        if request["method"] != "POST"
            || request["path"] != at
            || odd.iter().any(|it| name.ends_with(it))
        {
            continue;
        }
        let body = request["body"].as_str().unwrap_or_default();
        let Ok(body @ Json::Object(_)) = serde_json::from_str(body) else { continue };
        let status = response["status"].as_u64().unwrap();
        let text = response["body"].as_str().unwrap().to_owned();
        let flagr = Flagr::start().await;
        let answer = ResponseTemplate::new(u16::try_from(status).unwrap())
            .set_body_raw(text.clone(), "application/json");
        answer_post(&flagr, at, answer).await;
        found.push(Exchange { name, request: body, status, response: text, flagr });
    }
    found
}

fn context(entity: &Json) -> Context {
    let text = |name: &str| entity[name].as_str().unwrap_or_default().to_owned();
    let attributes = entity.get("entityContext").map(|it| {
        let raw = serde_json::value::to_raw_value(it).unwrap();
        read_value(&raw, Numbers::AsWritten).unwrap()
    });
    Context::new(text("entityID")).with_entity_type(text("entityType")).with_attributes(attributes)
}

fn debug(request: &Json) -> Debug {
    if request["enableDebug"] == true { Debug::On } else { Debug::Off }
}

/// The members of Flagr's answer that are about the evaluation, as the answer tells them.
fn told(answer: &Answer, recorded: &Json) -> Json {
    let evaluation = &answer.evaluation;
    let log = &answer.log;
    let segments = log.segments.as_ref().map(|it| {
        it.iter()
            .map(|it| value!({ "msg": it.message, "segmentID": it.segment_id.0 }))
            .collect::<Vec<_>>()
    });
    let mut told = Map::new();
    let mut add = |name: &str, value: Json| {
        if !matches!(&value, Json::Null | Json::Bool(false))
            && value != 0
            && value != ""
            && value != value!([])
        {
            told.insert(name.to_owned(), value);
        }
    };
    let mut wire_log = value!({ "segmentDebugLogs": segments });
    if !log.message.is_empty() {
        wire_log["msg"] = value!(log.message);
    }
    add("evalDebugLog", wire_log);
    match &evaluation.flag {
        Some(flag) => {
            add("dataRecordsEnabled", value!(flag.data_records_enabled));
            add("flagID", value!(flag.id.0));
            add("flagKey", value!(flag.key));
            add("flagSnapshotID", value!(flag.snapshot_id.0));
            add("flagTags", value!(flag.tags.to_vec()));
        }
        None => {
            add("flagID", recorded["evalContext"]["flagID"].clone());
            add("flagKey", recorded["evalContext"]["flagKey"].clone());
        }
    }
    add("segmentID", value!(evaluation.segment_id.0));
    add("variantID", value!(evaluation.variant_id.0));
    add("variantKey", value!(evaluation.variant_key().unwrap_or_default()));
    if evaluation.variant.is_some() {
        let mut text = Vec::new();
        match evaluation.attachment() {
            Some(object) => vexilla_domain::json::write_value(&mut text, &object.clone().into()),
            None => text.extend(b"null"),
        }
        told.insert("variantAttachment".to_owned(), serde_json::from_slice(&text).unwrap());
    }
    told.into()
}

/// Compares an answer with what was recorded.
fn check(name: &str, answer: &Answer, recorded: &Json) {
    let mut expected = recorded.clone();
    let members = expected.as_object_mut().unwrap();
    members.remove("timestamp");
    members.remove("recordSource");
    let echo = members.remove("evalContext").unwrap();
    assert_eq!(told(answer, recorded), expected, "{name}");
    assert_eq!(*answer.entity_id, *echo["entityID"].as_str().unwrap_or_default(), "{name}");

    let reason = answer.evaluation.reason;
    if reason.reached_segments() {
        let entity_type = &answer.evaluation.flag.as_ref().unwrap().entity_type;
        assert_eq!(**entity_type, *echo["entityType"].as_str().unwrap_or_default(), "{name}");
    }
    let expected = match recorded["evalDebugLog"]["msg"].as_str() {
        Some(it) if it.ends_with("not found or deleted") => Reason::NotFound,
        Some(it) if it.ends_with("is not enabled") => Reason::Disabled,
        Some(it) if it.ends_with("has no segments") => Reason::NoSegments,
        _ if recorded["variantID"].is_u64() => Reason::TargetingMatch,
        _ => Reason::NoMatch,
    };
    assert_eq!(reason, expected, "{name}");
}

/// What was sent is what was recorded, but for what means nothing: members of no use, tags on a single evaluation.
fn assert_sent(name: &str, sent: &str, mut recorded: Json, batch: bool) {
    let members = recorded.as_object_mut().unwrap();
    members.retain(|name, value| !value.is_null() && name != "whatever");
    if !batch {
        members.retain(|name, _| !name.starts_with("flagTags"));
    }
    if members.get("flagTagsOperator") == Some(&value!("ANY")) {
        members.remove("flagTagsOperator");
    }
    assert_eq!(serde_json::from_str::<Json>(sent).unwrap(), recorded, "{name}");
}

#[tokio::test]
async fn evaluations() {
    let exchanges = recorded(EVALUATION).await;
    let mut answered = 0;
    for it in &exchanges {
        let key = it.request["flagKey"].as_str().unwrap_or_default();
        // No id of ours is negative.
        let Some(id) = it.request.get("flagID").map_or(Some(0), Json::as_u64) else { continue };
        let evaluator = evaluator(&it.flagr.0.uri(), |_| {});
        let (context, flag) = (context(&it.request), FlagRef { id, key });
        let result = evaluator.evaluate(call(flag, &context, debug(&it.request))).await;
        if it.status != 200 {
            assert_eq!(result.unwrap_err().kind(), RemoteErrorKind::BadRequest, "{}", it.name);
            continue;
        }
        answered += 1;
        check(&it.name, &result.unwrap(), &serde_json::from_str(&it.response).unwrap());
        assert_sent(&it.name, &sent(&it.flagr).await[0], it.request.clone(), false);
    }
    assert!(25 <= answered, "{answered} of {}", exchanges.len());
}

#[tokio::test]
async fn batches() {
    let exchanges = recorded(BATCH).await;
    let mut answered = 0;
    for it in &exchanges {
        let list = |name: &str| it.request[name].as_array().cloned().unwrap_or_default();
        let texts = |name: &str| -> Vec<Box<str>> {
            list(name).iter().map(|it| it.as_str().unwrap().into()).collect()
        };
        let entities: Vec<_> = list("entities").iter().map(context).collect();
        let ids: Vec<_> = list("flagIDs").iter().map(|it| it.as_u64().unwrap()).collect();
        let (keys, tags) = (texts("flagKeys"), texts("flagTags"));
        let all = it.request["flagTagsOperator"] == "ALL";
        let batch = Batch {
            entities: &entities,
            flag_ids: &ids,
            flag_keys: &keys,
            flag_tags: &tags,
            flag_tags_operator: if all { TagsOperator::All } else { TagsOperator::Any },
            debug: debug(&it.request),
        };
        let result = evaluator(&it.flagr.0.uri(), |_| {}).evaluate_batch(batch).await;
        let sent = sent(&it.flagr).await;
        if sent.is_empty() {
            assert_eq!(result.unwrap(), [], "{}: nothing to ask", it.name);
            continue;
        }
        if it.status != 200 {
            assert_eq!(result.unwrap_err().kind(), RemoteErrorKind::BadRequest, "{}", it.name);
            continue;
        }
        answered += 1;
        let expected: Json = serde_json::from_str(&it.response).unwrap();
        let expected = expected["evaluationResults"].as_array().unwrap();
        let result = result.unwrap();
        assert_eq!(result.len(), expected.len(), "{}", it.name);
        for (answer, expected) in result.iter().zip(expected) {
            check(&it.name, &answer.answer, expected);
            let entity = entities[answer.entity].entity_id();
            assert_eq!(expected["evalContext"]["entityID"], entity, "{}", it.name);
        }
        let mut request = it.request.clone();
        for name in ["flagIDs", "flagKeys"] {
            // What is named twice is asked for once.
            if let Some(list) = request[name].as_array_mut() {
                list.dedup();
            }
        }
        request.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_sent(&it.name, &sent[0], request, true);
    }
    assert!(7 <= answered, "{answered} of {}", exchanges.len());
}
