/** Reads the audit log of an organization, newest first. */
import { idBound } from "../../shared/ids.ts";
import type { AuditFilter, AuditLog } from "../../shared/schemas/auditLog.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import { take } from "../../shared/stores/indexedRows.ts";
import type { Stores } from "../../shared/stores/stores.ts";

export interface AuditPaging {
  limit: number;
  /** The page begins behind it, with what is older. */
  after?: string | undefined;
  /** The page ends before it: what is newer. */
  before?: string | undefined;
}

export interface AuditService {
  list(actor: Actor, filter: AuditFilter, paging: AuditPaging): Promise<Page<AuditLog>>;
}

export function createAuditService({ auditLogs }: Pick<Stores, "auditLogs">): AuditService {
  return {
    async list({ organization_id }, filter, { limit, after, before }) {
      if (before === undefined) {
        const range = { after: after ?? newestOf(filter), until: oldestOf(filter) };
        return toPage(await take(matching(auditLogs.stream(organization_id, range), filter), limit + 1), limit);
      }
      // Those next to `before` are read first, and shown last.
      const found = await take(matching(auditLogs.ascending(organization_id, before), filter), limit + 1);
      const page = toPage(found, limit);
      return { ...page, data: page.data.reverse(), first_id: page.last_id, last_id: page.first_id };
    },
  };
}

/** An id may be of a later second than the line it names: ids of a process never go back, though its clock may. */
const slackSeconds = 300;

/** Ids sort by time, in milliseconds: where a time that is bounded begins and ends among them. */
function newestOf({ effective_at: { lt, lte } }: AuditFilter): string | undefined {
  const end = Math.min(lt ?? Number.POSITIVE_INFINITY, (lte ?? Number.POSITIVE_INFINITY) + 1);
  return Number.isFinite(end) ? idBound("audit_log", (end + slackSeconds) * 1000) : undefined;
}

function oldestOf({ effective_at: { gt, gte } }: AuditFilter): string | undefined {
  const start = Math.max(gte ?? 0, gt === undefined ? 0 : gt + 1);
  return start > 0 ? idBound("audit_log", (start - slackSeconds) * 1000) : undefined;
}

async function* matching(logs: AsyncIterable<AuditLog>, filter: AuditFilter): AsyncGenerator<AuditLog> {
  for await (const log of logs) if (matches(log, filter)) yield log;
}

function matches(log: AuditLog, filter: AuditFilter): boolean {
  const { user, service_account, id } = log.actor.api_key;
  const { gt = -1, gte = 0, lt = Number.POSITIVE_INFINITY, lte = Number.POSITIVE_INFINITY } = filter.effective_at;
  const time = log.effective_at;
  const isIn = (wanted: readonly string[] | undefined, ...found: (string | undefined)[]) =>
    !wanted?.length || found.some((each) => each !== undefined && wanted.includes(each));
  return (
    time > gt &&
    time >= gte &&
    time < lt &&
    time <= lte &&
    isIn(filter.event_types, log.type) &&
    isIn(filter.project_ids, log.project?.id) &&
    isIn(filter.actor_ids, id, user?.id, service_account?.id) &&
    isIn(filter.actor_emails, user?.email) &&
    isIn(filter.resource_ids, log[log.type]?.id)
  );
}
