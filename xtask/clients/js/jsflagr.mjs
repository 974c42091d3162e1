// Flagr's published JavaScript client against Vexilla; with a Flagr beside it, each answer is held against Flagr's.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { check, flagr, key, vexilla } from "./report.mjs";

const { ApiClient, EvaluationApi, HealthApi } = createRequire(import.meta.url)("jsflagr");

function client(url) {
  const client = new ApiClient();
  client.basePath = `${url}/api/v1`;
  client.timeout = 10_000;
  return client;
}

/** Calls a method that takes a callback; gives what the client made of the answer, and the answer. */
function call(api, method, ...args) {
  return new Promise((resolve, reject) => {
    api[method](...args, (error, data, response) => {
      error ? reject(Object.assign(error, { response })) : resolve({ data, body: response.body });
    });
  });
}

const ours = new EvaluationApi(client(vexilla));
const theirs = flagr && new EvaluationApi(client(flagr));

/** A result without what differs from one moment to the next; of a Flagr with older results only the decision. */
function comparable({ timestamp, evalDebugLog, ...result }) {
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  if (process.env.TODAYS_FORM === "no") {
    const { flagID, flagKey, flagSnapshotID, variantID, variantKey, variantAttachment } = result;
    return { flagID, flagKey, flagSnapshotID, variantID, variantKey, variantAttachment: variantAttachment ?? null };
  }
  return { ...result, msg: evalDebugLog.msg, segments: evalDebugLog.segmentDebugLogs?.length };
}

async function evaluate(question) {
  const { data, body } = await call(ours, "postEvaluation", question);
  assert.equal(data.flagID, body.flagID);
  if (theirs) {
    const { body: expected } = await call(theirs, "postEvaluation", question);
    assert.deepEqual(comparable(body), comparable(expected));
  }
  return data;
}

async function batch(question) {
  const { data, body } = await call(ours, "postEvaluationBatch", question);
  assert.equal(data.evaluationResults.length, body.evaluationResults.length);
  if (theirs) {
    const { body: expected } = await call(theirs, "postEvaluationBatch", question);
    // Flagr leaves open in which order the flags of a tag come.
    const ordered = (body) => body.evaluationResults.map(comparable).map((it) => JSON.stringify(it)).sort();
    assert.deepEqual(ordered(body), ordered(expected));
  }
  return data.evaluationResults;
}

const entityID = "user-1";

await check("health", async () => {
  const { data } = await call(new HealthApi(client(vexilla)), "getHealth");
  assert.equal(data.status, "OK");
});

await check("single evaluation by key", async () => {
  const result = await evaluate({ entityID, flagKey: key("boolean") });
  assert.equal(result.variantKey, "on");
  assert.equal(result.evalContext.entityID, entityID);
});

await check("single evaluation by id", async () => {
  const { flagID } = await evaluate({ entityID, flagKey: key("text") });
  const result = await evaluate({ entityID, flagID });
  assert.equal(result.flagKey, key("text"));
  assert.equal(result.variantKey, "blue");
});

await check("attachments", async () => {
  assert.deepEqual((await evaluate({ entityID, flagKey: key("number") })).variantAttachment, { value: 42.5 });
  const { variantAttachment } = await evaluate({ entityID, flagKey: key("object") });
  assert.deepEqual(variantAttachment, { value: { color: "red", sizes: [1, 2] } });
});

await check("contexts of several types", async () => {
  const good = { country: "Österreich", age: 18.5, member: true, groups: ["staff"] };
  const variant = async (entityContext) =>
    (await evaluate({ entityID, entityType: "user", entityContext, flagKey: key("targeted") })).variantKey;
  assert.equal(await variant(good), "match");
  assert.equal(await variant({ ...good, nested: { a: [null, { b: 1e21 }] }, nothing: null }), "match");
  for (const other of [{ country: 7 }, { age: "18" }, { age: 17 }, { member: "true" }, { groups: "staff" }, { age: null }]) {
    assert.equal(await variant({ ...good, ...other }), undefined, JSON.stringify(other));
  }
  for (const no of [undefined, null, {}, [], "text", 5, true]) {
    assert.equal(await variant(no), undefined, JSON.stringify(no));
  }
});

await check("rollout over 200 entities", async () => {
  const given = new Set();
  for (let number = 0; number < 200; number += 1) {
    given.add((await evaluate({ entityID: `user-${number}`, flagKey: key("split") })).variantKey);
  }
  assert.deepEqual(new Set(["a", "b", undefined]), given);
});

await check("entity without an id", async () => {
  const { data } = await call(ours, "postEvaluation", { flagKey: key("boolean") });
  assert.match(data.evalContext.entityID, /^randomly_generated_\d+$/);
});

await check("debug", async () => {
  const question = { entityID, enableDebug: true, entityContext: { country: "FR" }, flagKey: key("targeted") };
  const { evalDebugLog } = await evaluate(question);
  assert.equal(evalDebugLog.segmentDebugLogs.length, 1);
  assert.match(evalDebugLog.segmentDebugLogs[0].msg, /./);
  const silent = await evaluate({ ...question, enableDebug: false });
  assert.equal(silent.evalDebugLog.segmentDebugLogs?.length ?? 0, 0);
});

await check("unknown flag", async () => {
  const byKey = await evaluate({ entityID, flagKey: key("unknown") });
  assert.equal(byKey.variantKey, undefined);
  assert.match(byKey.evalDebugLog.msg, /not found or deleted/);
  const byId = await evaluate({ entityID, flagID: 4_000_000_000 });
  assert.equal(byId.evalDebugLog.msg, "flagID 4000000000 not found or deleted");
});

await check("disabled flag", async () => {
  const result = await evaluate({ entityID, flagKey: key("disabled") });
  assert.equal(result.variantKey, undefined);
  assert.match(result.evalDebugLog.msg, /is not enabled/);
});

const entities = [{ entityID: "a" }, { entityID: "b", entityType: "user", entityContext: { country: "US" } }];

await check("batch by keys", async () => {
  const flagKeys = [key("text"), key("boolean"), key("unknown"), key("disabled")];
  const results = await batch({ entities, flagKeys });
  const given = results.map((it) => [it.evalContext.entityID, it.flagKey, it.variantKey]);
  const variants = ["blue", "on", undefined, undefined];
  assert.deepEqual(given, ["a", "b"].flatMap((entity) => flagKeys.map((flag, at) => [entity, flag, variants[at]])));
});

await check("batch by ids", async () => {
  const [{ flagID: first }, { flagID: second }] = await batch({ entities: [{ entityID }], flagKeys: [key("text"), key("split")] });
  const results = await batch({ entities, flagIDs: [second, first], enableDebug: true });
  assert.deepEqual(results.map((it) => it.flagID), [second, first, second, first]);
});

await check("batch by tags, any and all", async () => {
  const tags = async (flagTagsOperator) => {
    const results = await batch({ entities, flagTags: [key("plain"), key("words")], flagTagsOperator });
    return results.map((it) => it.flagKey).sort();
  };
  const [boolean, text] = [key("boolean"), key("text")];
  assert.deepEqual(await tags("ANY"), [boolean, boolean, text, text]);
  assert.deepEqual(await tags("ALL"), [text, text]);
});

await check("errors have a status and a message", async () => {
  for (const [method, question, status] of [
    ["postEvaluationBatch", {}, 422],
    ["postEvaluationBatch", { entities: [] }, 422],
    ["postEvaluation", { flagID: -1 }, 422],
    ["postEvaluation", { entityID: 5 }, 400],
  ]) {
    const refused = (api) => call(api, method, question).then(() => assert.fail(`${method} was answered`), (it) => it);
    const error = await refused(ours);
    assert.equal(error.status, status, JSON.stringify(question));
    assert.match(error.response.body.message, /./);
    if (theirs) {
      assert.deepEqual(error.response.body, (await refused(theirs)).response.body);
    }
  }
});
