//! Every recorded evaluation and batch, from both spellings of the same flags.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use vexilla_domain::json::{read_flags, write_value};
use vexilla_domain::{Debug, FlagRef, SegmentId, SnapshotId, Strictness, TagsOperator, VariantId};
use vexilla_eval::{CompiledFlag, Context, Ruleset};

use crate::{context, recorded};

#[derive(Deserialize)]
struct Recording<'r> {
    #[serde(borrow)]
    export: &'r RawValue,
    #[serde(borrow)]
    flags: &'r RawValue,
    evaluations: Vec<Exchange<Single>>,
    batches: Vec<Exchange<Batch>>,
}

#[derive(Deserialize)]
struct Exchange<R> {
    request: R,
    response: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Single {
    #[serde(rename = "entityID")]
    entity_id: String,
    entity_type: String,
    entity_context: Option<Box<RawValue>>,
    enable_debug: bool,
    #[serde(rename = "flagID")]
    flag_id: u64,
    flag_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Batch {
    entities: Vec<Single>,
    enable_debug: bool,
    #[serde(rename = "flagIDs")]
    flag_ids: Vec<u64>,
    flag_keys: Vec<String>,
    flag_tags: Vec<Box<str>>,
    flag_tags_operator: String,
}

/// The members of Flagr's answer that the evaluation decides: all but the echo of the request and the time.
fn result(
    rules: &Ruleset,
    flag: Option<&CompiledFlag>,
    asked: FlagRef<'_>,
    entity: &Single,
    debug: bool,
) -> Value {
    let nothing: Box<RawValue> = RawValue::from_string("null".to_owned()).unwrap();
    let ctx: Context =
        context(&entity.entity_id, entity.entity_context.as_ref().unwrap_or(&nothing));
    let debug = if debug { Debug::On } else { Debug::Off };
    let (it, log) = Ruleset::evaluate_logged(flag, asked.id, ctx.entity_id(), &ctx, debug);
    assert!(flag.is_none() || rules.find(&flag.unwrap().head().key).is_some());

    let mut answer = Map::new();
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    let (id, key) = it.flag.map_or((asked.id, asked.key), |flag| (flag.id.0, &*flag.key));
    if id != 0 {
        put("flagID", json!(id));
    }
    if !key.is_empty() {
        put("flagKey", json!(key));
    }
    if let Some(flag) = it.flag {
        if flag.snapshot_id != SnapshotId(0) {
            put("flagSnapshotID", json!(flag.snapshot_id.0));
        }
        if !flag.tags.is_empty() {
            put("flagTags", json!(flag.tags.to_vec()));
        }
        if flag.data_records_enabled {
            put("dataRecordsEnabled", json!(true));
        }
    }
    if it.segment_id != SegmentId(0) {
        put("segmentID", json!(it.segment_id.0));
    }
    if it.variant_id != VariantId(0) {
        put("variantID", json!(it.variant_id.0));
    }
    if let Some(variant) = it.variant {
        put("variantKey", json!(variant.key));
        let mut text = Vec::new();
        match &variant.attachment {
            Some(object) => write_value(&mut text, &(**object).clone().into()),
            None => text.extend(b"null"),
        }
        put("variantAttachment", serde_json::from_slice(&text).unwrap());
    }
    let segments = log.segments.map(|segments| {
        segments
            .iter()
            .map(|it| json!({"segmentID": it.segment_id.0, "msg": it.message}))
            .collect::<Vec<_>>()
    });
    let mut debug_log = json!({ "segmentDebugLogs": segments });
    if !log.message.is_empty() {
        debug_log["msg"] = json!(log.message);
    }
    put("evalDebugLog", debug_log);
    Value::Object(answer)
}

/// Leaves out what the evaluation does not decide, and what the spelling cannot know.
fn comparable(mut response: Value, with_snapshots: bool) -> Value {
    let members = response.as_object_mut().unwrap();
    for name in ["evalContext", "recordSource", "timestamp"] {
        members.remove(name);
    }
    if !with_snapshots {
        members.remove("flagSnapshotID");
    }
    response
}

fn check_evaluations(rules: &Ruleset, recording: &Recording<'_>, with_snapshots: bool) {
    for Exchange { request, response } in &recording.evaluations {
        let asked = FlagRef { id: request.flag_id, key: &request.flag_key };
        let ours = result(rules, rules.resolve(asked), asked, request, request.enable_debug);
        assert_eq!(comparable(ours, with_snapshots), comparable(response.clone(), with_snapshots));
    }
    assert_eq!(recording.evaluations.len(), 2_000);
}

fn check_batches(rules: &Ruleset, recording: &Recording<'_>, with_snapshots: bool) {
    for Exchange { request, response } in &recording.batches {
        let mut ours = Vec::new();
        for entity in &request.entities {
            let mut push = |flag, asked| {
                ours.push(comparable(
                    result(rules, flag, asked, entity, request.enable_debug),
                    with_snapshots,
                ));
            };
            let all = request.flag_tags_operator == "ALL";
            let operator = if all { TagsOperator::All } else { TagsOperator::Any };
            for flag in rules.tagged(&request.flag_tags, operator) {
                push(Some(flag), FlagRef::default());
            }
            let mut asked: Vec<FlagRef<'_>> = Vec::new();
            asked.extend(request.flag_ids.iter().map(|id| FlagRef { id: *id, key: "" }));
            asked.extend(request.flag_keys.iter().map(|key| FlagRef { id: 0, key }));
            for (at, asked_for) in asked.iter().enumerate() {
                if !asked[..at].contains(asked_for) {
                    push(rules.resolve(*asked_for), *asked_for);
                }
            }
        }
        let theirs = response["evaluationResults"].as_array().unwrap();
        let mut theirs: Vec<_> =
            theirs.iter().map(|it| comparable(it.clone(), with_snapshots)).collect();
        // Flagr gives flags selected by tag in random order.
        ours.sort_by_key(Value::to_string);
        theirs.sort_by_key(Value::to_string);
        assert_eq!(ours, theirs);
    }
    assert_eq!(recording.batches.len(), 40);
}

#[test]
fn recorded_evaluations_from_the_export_are_flagrs() {
    let text = recorded("flags.json");
    let recording: Recording<'_> = serde_json::from_str(&text).unwrap();
    let rules = Ruleset::from_json(recording.export.get().as_bytes()).unwrap().ruleset;
    check_evaluations(&rules, &recording, true);
    check_batches(&rules, &recording, true);
}

#[test]
fn recorded_evaluations_from_the_rest_list_are_flagrs() {
    let text = recorded("flags.json");
    let recording: Recording<'_> = serde_json::from_str(&text).unwrap();
    let document = read_flags(recording.flags.get().as_bytes()).unwrap();
    let rules =
        Ruleset::compile(&document.flags, document.problems, Strictness::AsStored, None).ruleset;
    check_evaluations(&rules, &recording, false);
    check_batches(&rules, &recording, false);
}
