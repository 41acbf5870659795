/** Requests to every operation of the contract that nobody would send, and what every answer to them must be. */
import fc from "fast-check";
import { ErrorResponse } from "../../shared/schemas/error.ts";
import { formOf, jsonOf, type Operation, operations, type Parameter, schemas } from "../support/contract.ts";
import { mismatches } from "../support/openapiBodies.ts";
import { type Known, rawBody, spoilt, valueFor, wildValue } from "./fuzzBodies.ts";
import { type Side, World } from "./fuzzWorld.ts";

type Asked = (typeof operations)[number];
/** Where the ids of a path are from. */
const origins = ["own", "own", "own", "other", "nobody", "wild"] as const;
type Origin = (typeof origins)[number];

interface Plan {
  asked: Asked;
  side: Side;
  key: "right" | "right of another kind" | "none" | "wrong";
  origin: Origin;
  pick: number;
  wildId: string;
  query: readonly (readonly [string, unknown])[];
  body: { value: unknown } | { raw: Uint8Array } | undefined;
  headers: Record<string, string>;
}

const text = fc.string({ unit: "binary", maxLength: 30 });
const wildIds = fc.oneof(
  text,
  fc.constantFrom("%", "..", "'", "\u0000", "x".repeat(3000), "__proto__", "🦀", "a/b", "0", "-1"),
);

const contentTypes = [
  ...Array(12).fill("application/json"),
  ...[
    "application/json; charset=utf-8",
    "application/json; charset=utf-16",
    "text/plain",
    "multipart/form-data; boundary=x",
  ],
  ...[
    "application/x-www-form-urlencoded",
    "application/merge-patch+json",
    "APPLICATION/JSON",
    "application/jsonx",
    "*/*",
    "",
  ],
] as string[];
const oddHeaders: Record<string, string>[] = [
  ...Array(10).fill({}),
  ...[{ "idempotency-key": "fuzz" }, { "idempotency-key": "k".repeat(300) }, { "x-stainless-retry-count": "1" }],
  ...[{ "openai-project": "proj_x" }, { "openai-organization": "org-x" }, { "x-millrace-episode": "new" }],
  ...[
    { "x-millrace-episode": "\u00ff" },
    { "content-encoding": "gzip" },
    { "accept-encoding": "gzip" },
    { accept: "text/html" },
  ],
  ...[
    { range: "bytes=0-1,5-" },
    { "if-none-match": "*" },
    { "x-http-method-override": "DELETE" },
    { origin: "https://evil.example" },
  ],
];

const queryValue = (schema: Parameter["schema"]) =>
  fc.oneof({ arbitrary: valueFor(schema, schemas), weight: 3 }, { arbitrary: wildValue, weight: 2 });

function queryOf({ parameters = [] }: Operation) {
  const known = parameters.filter((each) => each.in === "query");
  const pairs = known.map((each) => fc.tuple(fc.constant(each.name), queryValue(each.schema)));
  const stray = fc.tuple(
    fc.oneof(text, fc.constantFrom("__proto__", "limit", "metadata[a]", "metadata[__proto__]")),
    wildValue,
  );
  return fc.array(fc.oneof(...pairs.map((arbitrary) => ({ arbitrary, weight: 4 })), { arbitrary: stray, weight: 1 }), {
    maxLength: 3,
  });
}

function bodyOf(operation: Operation): fc.Arbitrary<Plan["body"]> {
  const json = jsonOf(operation) ?? formOf(operation);
  const raws = rawBody.map((raw) => ({ raw }));
  if (!json) return fc.oneof({ arbitrary: fc.constant(undefined), weight: 6 }, { arbitrary: raws, weight: 1 });
  const valid = valueFor(json, schemas);
  const values = fc.oneof(
    { arbitrary: valid, weight: 4 },
    { arbitrary: spoilt(valid), weight: 5 },
    { arbitrary: wildValue, weight: 1 },
  );
  return fc.oneof({ arbitrary: values.map((value) => ({ value })), weight: 8 }, { arbitrary: raws, weight: 2 });
}

/** A request to one operation, its ids left open. */
export const planFor = (asked: Asked): fc.Arbitrary<Plan> =>
  fc.record({
    asked: fc.constant(asked),
    side: fc.constantFrom<Side>("a", "b"),
    key: fc.constantFrom(
      ...(Array(20).fill("right") as "right"[]),
      "right of another kind" as const,
      "none" as const,
      "wrong" as const,
    ),
    origin: fc.constantFrom(...origins),
    pick: fc.nat(),
    wildId: wildIds,
    query: queryOf(asked.operation),
    body: bodyOf(asked.operation),
    headers: fc
      .tuple(fc.constantFrom(...contentTypes), fc.constantFrom(...oddHeaders))
      .map(([type, more]): Record<string, string> => ({ ...more, ...(type && { "content-type": type }) })),
  });

/** What would take away the ground that the others stand on. */
const spared = /^POST \/v1\/organization\/projects\/\{id\}\/archive$/;
/** Any project may begin a dataset of that name, and names of imported models are everybody's. */
const shared = /^POST \/v1\/datasets\/\{name\}\/versions$/;

export interface Tally {
  requests: number;
  operations: Set<string>;
  /** By their first digit. */
  statuses: Record<string, number>;
  /** Of operations that took a request. */
  served: Set<string>;
  twins: number;
  faults: string[];
}

export class RequestFuzz {
  readonly tally: Tally = { requests: 0, operations: new Set(), statuses: {}, served: new Set(), twins: 0, faults: [] };
  readonly #world: World;

  private constructor(world: World) {
    this.#world = world;
  }

  static async open(): Promise<RequestFuzz> {
    return new RequestFuzz(await World.open());
  }

  /** So many requests, the operations in turn; the same for the same seed, but for what answers were. */
  async run(count: number, seed: number, tell: (line: string) => void = () => {}): Promise<void> {
    const asked = operations.filter(({ method, path }) => !spared.test(`${method} ${path}`));
    const each = Math.ceil(count / asked.length);
    const rounds = Math.max(1, Math.ceil(each / 20));
    for (let round = 0; round < rounds; round++) {
      for (const [index, operation] of asked.entries()) {
        const plans = fc.sample(planFor(operation), {
          numRuns: Math.ceil(each / rounds),
          seed: seed + 1000 * round + index,
        });
        for (const plan of plans) await this.#one(plan);
      }
      tell(`round ${round + 1} of ${rounds}: ${this.tally.requests} requests, ${this.tally.faults.length} faults`);
    }
  }

  /** What the API told its log of answers that were its own fault. */
  get failures(): string[] {
    const { observed } = this.#world.deployment;
    return observed.flatMap((event) =>
      event.type === "failed" ? [String((event.cause as Error)?.stack ?? event.cause)] : [],
    );
  }

  close(): Promise<void> {
    return this.#world.deployment.close();
  }

  async #one(plan: Plan): Promise<void> {
    const { url, isOthers, twin } = this.#urlOf(plan);
    const answer = await this.#send(plan, url);
    const title = `${plan.asked.method} ${plan.asked.path}`;
    const fault = (what: string) => this.tally.faults.push(`${title}: ${what}; sent ${this.#describe(plan, url)}`);
    const { status, body } = answer;
    this.tally.operations.add(title);
    if (status < 300) this.tally.served.add(title);
    for (const wrong of wrongs(plan.asked.operation, answer)) fault(wrong);
    if (status < 300 && plan.asked.method === "POST") this.#learn(plan, body);
    if (!isOthers || plan.key !== "right" || shared.test(title)) return;
    if (status < 400) return void fault(`${status} to another project's id`);
    this.tally.twins++;
    const other = await this.#send(plan, twin);
    const same = other.status === status && codeOf(other.body) === codeOf(body);
    if (!same)
      fault(
        `another's id is told from none: ${status} ${body.slice(0, 200)} and ${other.status} ${other.body.slice(0, 200)}`,
      );
  }

  /** With ids in the place of names; `twin` has ids of nothing that look alike. */
  #urlOf({ asked, side, origin, pick, wildId, query }: Plan): { url: string; twin: string; isOthers: boolean } {
    const from = origin === "other" ? (side === "a" ? "b" : "a") : side;
    let isOthers = false;
    const fill = (isTwin: boolean) =>
      asked.path.replace(/(?:(\w+)\/)?\{(\w+)\}/g, (_, collection: string | undefined, name: string) => {
        const known = this.#world.knownTo(from, collection ?? name);
        const id = origin === "wild" ? wildId : (known[pick % known.length] ?? "nothing");
        if (origin === "other" && known.length > 0 && !this.#world.knownTo(side, collection ?? name).includes(id))
          isOthers = true;
        // The last characters of ids are random; a name of one side is of no other.
        const used =
          isTwin || origin === "nobody"
            ? id.replace(/^[ab]-|[0-9a-z]{4}$/, (end) => (isTwin ? "qqqq" : "zzzz").slice(-end.length))
            : id;
        return `${collection ? `${collection}/` : ""}${encodeURIComponent(used.toWellFormed())}`;
      });
    const plain = query.map(([name, value]) => [name, this.#filled(value, side, pick)] as const);
    const spelt = plain.map(([name, value]) => {
      const shown = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
      return `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(shown.slice(0, 4000).toWellFormed())}`;
    });
    const search = spelt.length > 0 ? `?${spelt.join("&")}` : "";
    return { url: `${fill(false)}${search}`, twin: `${fill(true)}${search}`, isOthers };
  }

  /** With one's own ids in the place of what is known, most of the time. */
  #filled(value: unknown, side: Side, pick: number): unknown {
    if (typeof value !== "object" || value === null) return value;
    const name = Object.hasOwn(value, "$known") ? (value as Known).$known : undefined;
    if (typeof name === "string") {
      const known = this.#world.knownTo(pick % 8 === 0 ? (side === "a" ? "b" : "a") : side, name);
      return known[pick % known.length] ?? `${side}-${name}`;
    }
    if (Array.isArray(value)) return value.map((item) => this.#filled(item, side, pick));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#filled(item, side, pick)]));
  }

  async #send({ asked, side, key, body, headers, pick }: Plan, url: string): Promise<Answer> {
    const { security = [] } = asked.operation;
    const tenant = this.#world.tenant(side);
    const isAdmin = security.length > 0 && security.every((one) => one.admin_key) !== (key === "right of another kind");
    const keys = { right: isAdmin ? tenant.adminKey : tenant.key, none: null, wrong: "sk-wrong" } as const;
    const isForm = formOf(asked.operation) !== undefined && body !== undefined && "value" in body;
    const sent = isForm ? formFrom(this.#filled(body.value, side, pick)) : this.#bytesOf(body, side, pick);
    const { "content-type": type, ...others } = headers;
    const init = {
      method: asked.method,
      key: keys[key === "right of another kind" ? "right" : key],
      headers: sent === undefined || isForm || type === undefined ? others : { ...others, "content-type": type },
      redirect: "manual" as const,
      ...(sent !== undefined && asked.method !== "GET" && { body: sent }),
    };
    const response = await this.#world.deployment.fetch(url, init);
    this.tally.requests++;
    const group = `${Math.floor(response.status / 100)}xx`;
    this.tally.statuses[group] = (this.tally.statuses[group] ?? 0) + 1;
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  #bytesOf(body: Plan["body"], side: Side, pick: number): Uint8Array<ArrayBuffer> | undefined {
    if (body === undefined) return undefined;
    if ("raw" in body) return new Uint8Array(body.raw);
    return new TextEncoder().encode(JSON.stringify(this.#filled(body.value, side, pick)) ?? "");
  }

  #learn({ asked, side }: Plan, body: string): void {
    const collection = asked.path.split("/").findLast((part) => !part.startsWith("{"));
    const made = parsed(body) as { id?: unknown; name?: unknown; dataset?: unknown } | undefined;
    const id = ["aliases", "functions", "metrics"].includes(collection!) ? made?.name : made?.id;
    if (typeof id === "string" && collection) this.#world.learn(side, collection, id);
    if (typeof made?.dataset === "string") this.#world.learn(side, "datasets", made.dataset);
  }

  #describe(plan: Plan, url: string): string {
    const { body, side, key, headers, pick } = plan;
    const bytes = this.#bytesOf(body, side, pick);
    return `${url.slice(0, 300)} as ${side} (${key}, ${plan.origin}) ${JSON.stringify(headers)} ${Buffer.from(
      bytes ?? [],
    )
      .toString()
      .slice(0, 600)}`;
  }
}

/** Said of requests before it is looked at what they ask for. */
const transport = new Set([408, 413, 415, 431]);

interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

function* wrongs({ responses }: Operation, { status, headers, body }: Answer): Generator<string> {
  if (status === 500) yield `500 ${headers.get("x-request-id")}`;
  if (!responses[String(status)] && !transport.has(status))
    yield `${status} is not in the contract: ${body.slice(0, 200)}`;
  if (!/^req_/.test(headers.get("x-request-id") ?? "")) yield `${status} without x-request-id`;
  if (headers.get("x-content-type-options") !== "nosniff") yield `${status} whose type may be guessed`;
  if ((Object.prototype as { polluted?: unknown }).polluted !== undefined) yield "a polluted prototype";
  const isJson = headers.get("content-type")?.startsWith("application/json");
  if (status >= 400) {
    const isWrapped = isJson && ErrorResponse.strict().safeParse(parsed(body)).success;
    if (!isWrapped) yield `${status} not in the wrapper: ${body.slice(0, 200)}`;
    if (/ at .*\.ts|node_modules/.test(body)) yield "a stack trace";
    return;
  }
  const schema = responses[String(status)]?.content?.["application/json"]?.schema;
  if (!isJson || !schema) return;
  const [first] = mismatches(schema, schemas, parsed(body));
  if (first !== undefined) yield `${status} ${first}`;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const codeOf = (body: string) => (parsed(body) as { error?: { code?: string } } | undefined)?.error?.code;

function formFrom(value: unknown): FormData {
  const form = new FormData();
  if (typeof value !== "object" || value === null) return form;
  for (const [name, part] of Object.entries(value)) {
    const content = typeof part === "string" ? part : JSON.stringify(part);
    form.append(
      name,
      name === "file" ? new Blob([content]) : content,
      ...((name === "file" ? [`${name}.jsonl`] : []) as []),
    );
  }
  return form;
}
