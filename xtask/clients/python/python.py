"""Flagr's published Python client against Vexilla; with a Flagr beside it, each answer is held against Flagr's.

One line for each check, as `cargo xtask clients` reads them: `ok NAME`, `FAILED NAME: why`.
"""

import json
import os
import re

import flagr
from flagr.rest import ApiException

TODAYS_FORM = os.environ.get("TODAYS_FORM") != "no"
DECISION = ["flag_id", "flag_key", "flag_snapshot_id", "variant_id", "variant_key", "variant_attachment"]
CHECKS = []


def check(body):
    """Makes a function a check, which its name names."""
    CHECKS.append(body)
    return body


def key(name):
    return os.environ["KEY_PREFIX"] + name


def api(url):
    configuration = flagr.Configuration()
    configuration.host = url + "/api/v1"
    return flagr.EvaluationApi(flagr.ApiClient(configuration))


OURS = api(os.environ["VEXILLA_URL"])
THEIRS = api(os.environ["FLAGR_URL"]) if "FLAGR_URL" in os.environ else None


def comparable(result):
    """A result without what differs from one moment to the next."""
    result = result.to_dict()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", result.pop("timestamp"))
    if not TODAYS_FORM:
        return {name: result[name] for name in DECISION}
    log = result["eval_debug_log"]
    log["segment_debug_logs"] = len(log["segment_debug_logs"] or [])
    return result


def evaluate(**question):
    result = OURS.post_evaluation(flagr.EvalContext(**question), _request_timeout=10)
    if THEIRS:
        expected = THEIRS.post_evaluation(flagr.EvalContext(**question), _request_timeout=10)
        same(comparable(result), comparable(expected))
    return result


def batch(entities, **question):
    question = flagr.EvaluationBatchRequest(entities=[flagr.EvaluationEntity(**it) for it in entities], **question)
    results = OURS.post_evaluation_batch(question, _request_timeout=10).evaluation_results
    if THEIRS:
        expected = THEIRS.post_evaluation_batch(question, _request_timeout=10).evaluation_results

        # Flagr leaves open in which order the flags of a tag come.
        def ordered(results):
            return sorted(json.dumps(comparable(it), sort_keys=True) for it in results)

        same(ordered(results), ordered(expected))
    return results


def same(given, expected):
    assert given == expected, f"{given} is not {expected}"


@check
def single_evaluation_by_key():
    result = evaluate(entity_id="user-1", flag_key=key("boolean"))
    same(result.variant_key, "on")
    same(result.eval_context.entity_id, "user-1")


@check
def single_evaluation_by_id():
    flag_id = evaluate(entity_id="user-1", flag_key=key("text")).flag_id
    same(evaluate(entity_id="user-1", flag_id=flag_id).flag_key, key("text"))


@check
def attachments():
    same(evaluate(entity_id="u", flag_key=key("number")).variant_attachment, {"value": 42.5})
    wide = evaluate(entity_id="u", flag_key=key("object")).variant_attachment
    same(wide, {"value": {"color": "red", "sizes": [1, 2]}})


@check
def contexts_of_several_types():
    good = {"country": "Österreich", "age": 18.5, "member": True, "groups": ["staff"]}

    def variant(context):
        question = {"entity_id": "u", "entity_type": "user", "flag_key": key("targeted")}
        return evaluate(entity_context=context, **question).variant_key

    same(variant(good), "match")
    same(variant({**good, "nested": {"a": [None, {"b": 10**21}]}}), "match")
    for other in [{"country": 7}, {"age": "18"}, {"age": 17}, {"member": "true"}, {"groups": "staff"}, {"age": None}]:
        same(variant({**good, **other}), None)
    for no in [None, {}, [], "text", 5, True]:
        same(variant(no), None)


@check
def rollout_over_200_entities():
    given = {evaluate(entity_id=f"user-{it}", flag_key=key("split")).variant_key for it in range(200)}
    same(given, {"a", "b", None})


@check
def entity_without_an_id():
    result = OURS.post_evaluation(flagr.EvalContext(flag_key=key("boolean")))
    assert re.fullmatch(r"randomly_generated_\d+", result.eval_context.entity_id), result


@check
def debug():
    question = {"entity_id": "u", "entity_context": {"country": "FR"}, "flag_key": key("targeted")}
    logs = evaluate(enable_debug=True, **question).eval_debug_log.segment_debug_logs
    same(len(logs), 1)
    assert logs[0].msg
    same(evaluate(enable_debug=False, **question).eval_debug_log.segment_debug_logs or [], [])


@check
def unknown_flag():
    result = evaluate(entity_id="u", flag_key=key("unknown"))
    same(result.variant_key, None)
    assert "not found or deleted" in result.eval_debug_log.msg, result


@check
def disabled_flag():
    result = evaluate(entity_id="u", flag_key=key("disabled"))
    same(result.variant_key, None)
    assert "is not enabled" in result.eval_debug_log.msg, result


ENTITIES = [{"entity_id": "a"}, {"entity_id": "b", "entity_type": "user", "entity_context": {"country": "US"}}]


@check
def batch_by_keys():
    keys = [key("text"), key("boolean"), key("unknown"), key("disabled")]
    results = batch(ENTITIES, flag_keys=keys)
    variants = ["blue", "on", None, None]
    expected = [(entity, flag, variant) for entity in "ab" for flag, variant in zip(keys, variants)]
    same([(it.eval_context.entity_id, it.flag_key, it.variant_key) for it in results], expected)


@check
def batch_by_ids():
    first, second = [it.flag_id for it in batch(ENTITIES[:1], flag_keys=[key("text"), key("split")])]
    results = batch(ENTITIES, flag_i_ds=[second, first], enable_debug=True)
    same([it.flag_id for it in results], [second, first, second, first])


@check
def batch_by_tags():
    results = batch(ENTITIES, flag_tags=[key("plain"), key("words")])
    same(sorted(it.flag_key for it in results), [key("boolean")] * 2 + [key("text")] * 2)


@check
def errors_have_a_status_and_a_message():
    for question, status in [({"flag_id": 1, "entity_id": 5}, 400), ({"entity_id": "u", "flag_id": 10**19}, 400)]:
        answers = []
        for side in filter(None, [OURS, THEIRS]):
            try:
                side.post_evaluation(flagr.EvalContext(**question))
                raise AssertionError(f"{question} was answered")
            except ApiException as error:
                answers.append((error.status, json.loads(error.body)))
        same(answers[0][0], status)
        assert answers[0][1]["message"]
        same(answers[0], answers[-1])


for body in CHECKS:
    name = body.__name__.replace("_", " ")
    try:
        body()
        print(f"ok {name}", flush=True)
    except Exception as error:  # whatever it is, it is this check that failed
        print(f"FAILED {name}: {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
