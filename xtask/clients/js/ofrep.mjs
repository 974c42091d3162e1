// OpenFeature's provider for its remote evaluation protocol against Vexilla.

import assert from "node:assert/strict";
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPApi } from "@openfeature/ofrep-core";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { check, key, vexilla } from "./report.mjs";

await OpenFeature.setProviderAndWait("vexilla", new OFREPProvider({ baseUrl: vexilla, timeoutMs: 10_000 }));
const client = OpenFeature.getClient("vexilla");
const context = { targetingKey: "user-1", country: "US", age: 40, member: true, groups: ["staff"], since: new Date(0) };

await check("boolean", async () => {
  const details = await client.getBooleanDetails(key("boolean"), false, context);
  assert.equal(details.value, true);
  assert.equal(details.variant, "on");
  assert.equal(details.reason, "STATIC");
  assert.equal(details.errorCode, undefined);
});

await check("string", async () => {
  assert.equal(await client.getStringValue(key("text"), "red", context), "blue");
});

await check("number", async () => {
  assert.equal(await client.getNumberValue(key("number"), 0, context), 42.5);
});

await check("object", async () => {
  const value = await client.getObjectValue(key("object"), {}, context);
  assert.deepEqual(value, { color: "red", sizes: [1, 2] });
});

await check("targeting", async () => {
  const details = await client.getStringDetails(key("targeted"), "none", context);
  assert.equal(details.value, "match");
  assert.equal(details.reason, "TARGETING_MATCH");
  assert.equal(typeof details.flagMetadata, "object");
});

await check("default where the flag gives no value", async () => {
  const stranger = { ...context, country: "FR" };
  assert.equal(await client.getStringValue(key("targeted"), "none", stranger), "none");
  assert.equal(await client.getBooleanValue(key("disabled"), true, context), true);
});

await check("FLAG_NOT_FOUND", async () => {
  const details = await client.getBooleanDetails(key("unknown"), true, context);
  assert.equal(details.value, true);
  assert.equal(details.errorCode, "FLAG_NOT_FOUND");
  assert.equal(details.reason, "ERROR");
});

await check("TARGETING_KEY_MISSING", async () => {
  const details = await client.getStringDetails(key("split"), "none", {});
  assert.equal(details.value, "none");
  assert.equal(details.errorCode, "TARGETING_KEY_MISSING");
});

await check("TYPE_MISMATCH", async () => {
  for (const details of [
    await client.getNumberDetails(key("text"), 7, context),
    await client.getStringDetails(key("boolean"), 7, context),
  ]) {
    assert.equal(details.value, 7);
    assert.equal(details.errorCode, "TYPE_MISMATCH");
  }
});

await check("PARSE_ERROR", async () => {
  // The SDK writes no broken JSON, so its request is broken on the way.
  const fetchImplementation = (request) => fetch(new Request(request, { body: '{"context":' }));
  await OpenFeature.setProviderAndWait("broken", new OFREPProvider({ baseUrl: vexilla, fetchImplementation }));
  const details = await OpenFeature.getClient("broken").getStringDetails(key("text"), "none", context);
  assert.equal(details.value, "none");
  assert.equal(details.errorCode, "PARSE_ERROR");
});

await check("INVALID_CONTEXT", async () => {
  const fetchImplementation = (request) => fetch(new Request(request, { body: '{"context":[]}' }));
  await OpenFeature.setProviderAndWait("context", new OFREPProvider({ baseUrl: vexilla, fetchImplementation }));
  const details = await OpenFeature.getClient("context").getStringDetails(key("text"), "none", context);
  assert.equal(details.errorCode, "INVALID_CONTEXT");
});

await check("bulk, with its ETag", async () => {
  const api = new OFREPApi(vexilla);
  const { value, httpResponse } = await api.postBulkEvaluateFlags({ context });
  const flags = new Map(value.flags.map((it) => [it.key, it]));
  assert.equal(flags.get(key("boolean")).value, true);
  assert.equal(flags.get(key("number")).value, 42.5);
  assert.ok(!("value" in flags.get(key("disabled"))));
  const tag = httpResponse.headers.get("ETag");
  const again = await api.postBulkEvaluateFlags({ context }, { headers: [["If-None-Match", tag]] });
  assert.equal(again.httpStatus, 304);
  const other = await api.postBulkEvaluateFlags({ context: { targetingKey: "other" } }, { headers: [["If-None-Match", tag]] });
  assert.equal(other.httpStatus, 200);
});

await check("bulk without a targeting key", async () => {
  const { value } = await new OFREPApi(vexilla).postBulkEvaluateFlags({ context: {} });
  const flags = new Map(value.flags.map((it) => [it.key, it]));
  assert.equal(flags.get(key("split")).errorCode, "TARGETING_KEY_MISSING");
  assert.equal(flags.get(key("text")).value, "blue");
});

await OpenFeature.close();
