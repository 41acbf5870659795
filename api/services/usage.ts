/** What an organization used and what that cost, added up by spans of time and by what the asker groups it by. */
import { ApiError } from "../../shared/errors.ts";
import { amountOf } from "../../shared/pricing/prices.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import {
  type BucketPage,
  type BucketWidth,
  bucketWidths,
  type CostResult,
  type UsageKind,
  type UsageRecord,
  type UsageResult,
} from "../../shared/schemas/usage.ts";
import type { Stores } from "../../shared/stores/stores.ts";

export interface UsageQuery {
  start_time: number;
  end_time?: number | undefined;
  bucket_width: BucketWidth;
  limit: number;
  page?: string | undefined;
  group_by?: readonly string[];
  project_ids?: readonly string[];
  api_key_ids?: readonly string[];
  user_ids?: readonly string[];
  models?: readonly string[];
  line_items?: readonly string[];
  batch?: boolean | undefined;
}

export interface UsageService {
  /** Of one kind. */
  usage(actor: Actor, kind: UsageKind, query: UsageQuery): Promise<BucketPage<UsageResult>>;
  costs(actor: Actor, query: UsageQuery): Promise<BucketPage<CostResult>>;
}

type Charged = UsageRecord & { project_id: string };
type Sum = { first: Charged; requests: number; input_tokens: number; output_tokens: number; nanos: number };

/** What a group is named by. */
const groups: Record<string, (record: Charged) => string | boolean | null> = {
  project_id: ({ project_id }) => project_id,
  api_key_id: ({ api_key_id }) => api_key_id,
  model: ({ model }) => model,
  batch: ({ is_batch }) => is_batch,
  line_item: lineItem,
  user_id: () => null,
  service_tier: () => null,
};

export function createUsageService(
  { projects, usage }: Pick<Stores, "projects" | "usage">,
  currency: string,
): UsageService {
  async function* charges({ organization_id }: Actor, { project_ids }: UsageQuery, from: number, to: number) {
    for await (const { id: project_id } of projects.stream(organization_id)) {
      if (project_ids?.length && !project_ids.includes(project_id)) continue;
      for await (const record of usage.stream(project_id, from, to)) yield { ...record, project_id };
    }
  }

  const add = async (actor: Actor, query: UsageQuery, isWanted: (record: Charged) => boolean) => {
    const { spans, next_page } = spansOf(query);
    const sums = spans.map(() => new Map<string, Sum>());
    const [from, to] = [spans[0]?.start_time ?? 0, spans.at(-1)?.end_time ?? 0];
    if (spans.length) {
      const width = bucketWidths[query.bucket_width];
      const origin = Math.floor(from / width);
      for await (const record of charges(actor, query, from, to)) {
        if (!isWanted(record) || !passes(record, query)) continue;
        addTo(sums[Math.floor(record.created_at / width) - origin]!, record, query.group_by ?? []);
      }
    }
    return { spans: spans.map((span, index) => ({ ...span, sums: [...sums[index]!.values()] })), next_page };
  };

  return {
    async usage(actor, kind, query) {
      const { spans, next_page } = await add(actor, query, (record) => record.kind === kind);
      return pageOf(spans, next_page, (sum) => usageResult(kind, sum, query));
    },
    async costs(actor, query) {
      const { spans, next_page } = await add(actor, query, ({ nanos }) => nanos > 0);
      return pageOf(spans, next_page, (sum) => costResult(currency, sum, query));
    },
  };
}

function passes(record: Charged, { api_key_ids, user_ids, models, line_items, batch }: UsageQuery): boolean {
  const isIn = (wanted: readonly string[] | undefined, found: string | null) =>
    !wanted?.length || (found !== null && wanted.includes(found));
  return (
    isIn(api_key_ids, record.api_key_id) &&
    isIn(user_ids, null) &&
    isIn(models, record.model) &&
    isIn(line_items, lineItem(record)) &&
    (batch === undefined || batch === record.is_batch)
  );
}

function lineItem({ model, kind }: Pick<UsageRecord, "model" | "kind">): string {
  return `${model}, ${kind}`;
}

function addTo(sums: Map<string, Sum>, record: Charged, groupBy: readonly string[]): void {
  const key = JSON.stringify(groupBy.map((field) => groups[field]!(record)));
  const sum = sums.get(key) ?? { first: record, requests: 0, input_tokens: 0, output_tokens: 0, nanos: 0 };
  sum.requests += record.requests;
  sum.input_tokens += record.input_tokens;
  sum.output_tokens += record.output_tokens;
  sum.nanos += record.nanos;
  sums.set(key, sum);
}

/** Aligned to the width, but for the ends of the time that is asked for. */
function spansOf({ start_time, end_time = Math.ceil(Date.now() / 1000), bucket_width, limit, page }: UsageQuery) {
  const width = bucketWidths[bucket_width];
  const spans: { start_time: number; end_time: number }[] = [];
  let start = page === undefined ? start_time : startOf(page, start_time);
  while (start < end_time && spans.length < limit) {
    const end = Math.min(end_time, (Math.floor(start / width) + 1) * width);
    spans.push({ start_time: start, end_time: end });
    start = end;
  }
  return { spans, next_page: start < end_time ? `page_${start}` : null };
}

function startOf(page: string, earliest: number): number {
  const start = Number(/^page_(\d{1,12})$/.exec(page)?.[1]);
  if (start >= earliest) return start;
  throw new ApiError("invalid_value", "This is no 'next_page' of such a request.", { param: "page" });
}

function pageOf<Result>(
  spans: readonly { start_time: number; end_time: number; sums: readonly Sum[] }[],
  next_page: string | null,
  result: (sum: Sum) => Result,
): BucketPage<Result> {
  const data = spans.map(({ sums, ...span }) => ({ object: "bucket" as const, ...span, results: sums.map(result) }));
  return { object: "page", data, has_more: next_page !== null, next_page };
}

/** The group's name where it was asked for, else null. */
function groupName({ first }: Sum, { group_by = [] }: UsageQuery, field: string) {
  return group_by.includes(field) ? groups[field]!(first) : null;
}

function usageResult(kind: UsageKind, sum: Sum, query: UsageQuery): UsageResult {
  const { requests: num_model_requests, input_tokens, output_tokens } = sum;
  const text = (field: string) => groupName(sum, query, field) as string | null;
  return {
    object: `organization.usage.${kind}.result`,
    ...{ num_model_requests, input_tokens, output_tokens },
    ...{ project_id: text("project_id"), user_id: null, api_key_id: text("api_key_id"), model: text("model") },
    batch: groupName(sum, query, "batch") as boolean | null,
    service_tier: null,
  };
}

function costResult(currency: string, sum: Sum, query: UsageQuery): CostResult {
  const text = (field: string) => groupName(sum, query, field) as string | null;
  const line_item = text("line_item");
  const isOfRequests = sum.first.kind === "tensors";
  const quantity = isOfRequests ? sum.requests : sum.input_tokens + sum.output_tokens;
  return {
    object: "organization.costs.result",
    amount: amountOf({ currency }, sum.nanos),
    line_item,
    quantity: line_item === null ? null : quantity,
    quantity_unit: line_item === null ? null : isOfRequests ? "requests" : "tokens",
    ...{ project_id: text("project_id"), user_id: null, api_key_id: text("api_key_id") },
  };
}
