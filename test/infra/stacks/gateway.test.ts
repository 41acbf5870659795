/** What the gateway does with requests: where it sends them, what it says itself, and what it keeps of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { modelRoutes } from "../../../api/modelRoutes.ts";
import { type Properties, type Resource, synthesise } from "../../support/stacks.ts";

const { ofType } = synthesise();
const only = (type: string): Resource => {
  const [resource, ...others] = ofType(type);
  assert.deepEqual(others, []);
  return resource!;
};

interface Level {
  part: string;
  methods: Map<string, Properties>;
  below: Level[];
}

function levels(): Level {
  const root: Level = { part: "", methods: new Map(), below: [] };
  const byId = new Map<string, Level>();
  const resources = ofType("AWS::ApiGateway::Resource");
  for (const { id, Properties } of resources)
    byId.set(id, { part: Properties.PathPart, methods: new Map(), below: [] });
  const at = ({ Ref }: { Ref?: string }) => (Ref && byId.get(Ref)) || root;
  for (const { id, Properties } of resources) at(Properties.ParentId).below.push(byId.get(id)!);
  for (const { Properties } of ofType("AWS::ApiGateway::Method")) {
    at(Properties.ResourceId).methods.set(Properties.HttpMethod, Properties.Integration);
  }
  return root;
}

/** As the gateway looks for it: a part by its name first, then a variable, then what takes all the rest. */
function integrationOf(level: Level, parts: string[], method: string): Properties {
  const [part, ...rest] = parts;
  if (part === undefined) return level.methods.get(method) ?? level.methods.get("ANY");
  const named = level.below.find((below) => below.part === part);
  const variable = level.below.find((below) => /^\{\w+\}$/.test(below.part));
  const whole = level.below.find((below) => below.part === "{proxy+}");
  for (const below of [named, variable]) {
    const found = below && integrationOf(below, rest, method);
    if (found) return found;
  }
  return whole && integrationOf(whole, [], method);
}

const streams = ({ Uri, ResponseTransferMode }: Properties) => {
  const path = JSON.stringify(Uri);
  assert.equal(path.includes("/response-streaming-invocations"), ResponseTransferMode === "STREAM");
  return { streams: ResponseTransferMode === "STREAM", toModels: path.includes("Models") };
};

const contract = JSON.parse(readFileSync(new URL("../../../api/openapi.json", import.meta.url), "utf8"));

test("every operation of the contract arrives: what runs models at the function that has them, streamed", () => {
  const root = levels();
  const operations = Object.entries(contract.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })),
  );
  assert.ok(operations.length > 50);
  for (const { path, method } of operations) {
    const parts = path
      .slice(1)
      .replaceAll(/\{\w+\}/g, "some-id")
      .split("/");
    const integration = integrationOf(root, parts, method);
    assert.ok(integration, `${method} ${path} arrives nowhere`);
    const runsModels = (modelRoutes[path] as readonly string[] | undefined)?.includes(method) ?? false;
    assert.deepEqual(streams(integration), { streams: runsModels, toModels: runsModels }, `${method} ${path}`);
  }
  for (const path of ["", "v1", "v1/nothing/here", "v1/models", "v1/models/a/b", "v1/chat/completions/a/messages"]) {
    assert.equal(streams(integrationOf(root, path.split("/").filter(Boolean), "OPTIONS")).toModels, false, path);
  }
});

test("a level has one variable at most, as the gateway demands", () => {
  const crowded = (level: Level): Level[] => [
    ...(level.below.filter(({ part }) => part.startsWith("{")).length > 1 ? [level] : []),
    ...level.below.flatMap(crowded),
  ];
  assert.deepEqual(crowded(levels()), []);
});

test("what the gateway refuses it refuses in OpenAI's wrapper, with an id", () => {
  const answers = ofType("AWS::ApiGateway::GatewayResponse").map(({ Properties }) => Properties);
  const types = answers.map(({ ResponseType }) => ResponseType);
  for (const general of ["DEFAULT_4XX", "DEFAULT_5XX"]) assert.ok(types.includes(general));
  for (const { ResponseType, StatusCode, ResponseTemplates, ResponseParameters } of answers) {
    const { error } = JSON.parse(ResponseTemplates["application/json"]);
    assert.deepEqual(Object.keys(error).sort(), ["code", "message", "param", "type"], ResponseType);
    assert.ok(error.message.length > 0 && error.code.length > 0);
    const isOurs = Number(StatusCode) >= 500;
    assert.equal(error.type === "server_error", isOurs, ResponseType);
    assert.equal(ResponseParameters["gatewayresponse.header.x-request-id"], "context.requestId");
  }
  const statusOf = (type: string) => answers.find(({ ResponseType }) => ResponseType === type)?.StatusCode;
  assert.equal(statusOf("THROTTLED"), "429");
  assert.equal(statusOf("REQUEST_TOO_LARGE"), "413");
  assert.equal(statusOf("MISSING_AUTHENTICATION_TOKEN"), "404");
});

test("who asks too often from one address is held back in the same words", () => {
  const { Rules, CustomResponseBodies } = only("AWS::WAFv2::WebACL").Properties;
  const rule = Rules.find(({ Statement }: Properties) => Statement.RateBasedStatement);
  assert.equal(rule.Statement.RateBasedStatement.AggregateKeyType, "IP");
  const { ResponseCode, CustomResponseBodyKey } = rule.Action.Block.CustomResponse;
  assert.equal(ResponseCode, 429);
  assert.equal(JSON.parse(CustomResponseBodies[CustomResponseBodyKey].Content).error.type, "rate_limit_error");
  assert.match(JSON.stringify(only("AWS::WAFv2::WebACLAssociation").Properties.ResourceArn), /restapis.*stages/);
});

test("nothing that may hold a key or a text is logged, and there is a limit to requests", () => {
  const { AccessLogSetting, MethodSettings, TracingEnabled } = only("AWS::ApiGateway::Stage").Properties;
  const logged = Object.values(JSON.parse(AccessLogSetting.Format) as Record<string, string>);
  const known =
    /^\$context\.(requestId|xrayTraceId|requestTimeEpoch|identity\.sourceIp|httpMethod|path|status|responseLength|responseLatency|integrationLatency|integration\.error)$/;
  assert.deepEqual(
    logged.filter((name) => !known.test(name)),
    [],
  );
  assert.equal(TracingEnabled, true);
  const [settings] = MethodSettings;
  assert.deepEqual([settings.HttpMethod, settings.ResourcePath, settings.DataTraceEnabled], ["*", "/*", false]);
  assert.ok(settings.ThrottlingRateLimit > 0 && settings.ThrottlingBurstLimit > 0);
});
